#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tracer.py: GST_TRACERS=vyretracer has a record for each buffer, whose stages come one after the other, and
GStreamer's latency tracer sees vyrefilter as long as it has a buffer: no longer, and no shorter."""
import itertools
import os
import pathlib
import re
import subprocess
import tempfile

BUFFERS = 12
STAGES = ("arrive", "publish", "doorbell", "complete", "push", "return")
RECORD = re.compile(r"GST_TRACER :0:: ([a-z-]+), (.*);$")
FIELD = re.compile(r"([a-z-]+)=\([a-z0-9]+\)([^,]+)")


def trace(mode, tracers, *elements):
    """The records of these tracers, as lists of dictionaries by their names, and the last counters of
    vyrefilter. A mode is an output mode, and more properties."""
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder, "trace.log")
        vyre = f"vyrefilter name=vyre output-mode={mode} program=builtin:frame-stats"
        done = subprocess.run(
            ["gst-launch-1.0", "-m", "videotestsrc", f"num-buffers={BUFFERS}", "!",
             "video/x-raw,format=I420,width=64,height=48", "!", *elements, *vyre.split(), "!", "fakesink"],
            check=True, timeout=100, capture_output=True, text=True,
            env={**os.environ, "GST_TRACERS": tracers, "GST_DEBUG": "GST_TRACER:7",
                 "GST_DEBUG_FILE": str(log), "GST_DEBUG_NO_COLOR": "1"},
        )
        lines = log.read_text(encoding="utf-8").splitlines()
        if "vyretracer" in tracers:
            check_means(log)
    records = {"counters": dict(FIELD.findall(done.stdout[done.stdout.rindex("vyre-counters, "):]))}
    for match in filter(None, map(RECORD.search, lines)):
        records.setdefault(match[1], []).append(dict(FIELD.findall(match[2])))
    return records


def check_stages(records):
    assert [int(record["sequence"]) for record in records] == [*range(1, BUFFERS + 1)], records
    for record in records:
        assert record["element"] == "vyre", record
        times = [int(record[stage]) for stage in STAGES]
        assert 0 < times[0] and times == sorted(times), record
    for before, after in zip(records, records[1:]):
        assert int(before["push"]) <= int(after["push"]), (before, after)


def check_latency(latencies, records):
    """What the tracer takes for vyrefilter begins when the element in front pushes, and has all that
    vyrefilter does in it, by one offset between both clocks."""
    front = [int(record["ts"]) for record in latencies if record["element"] == "front"]
    ours = [record for record in latencies if record["element"] == "vyre"]
    assert len(front) == len(ours) == BUFFERS, latencies
    begin = [int(record["ts"]) - int(record["time"]) for record in ours]
    assert begin == front, (begin, front)
    earliest = max(int(record["push"]) - int(our["ts"]) for record, our in zip(records, ours))
    latest = min(int(record["arrive"]) - start for record, start in zip(records, begin))
    assert earliest <= latest, (earliest, latest, records, ours)


def check_late(records):
    """Buffers that went on without a result, or without a batch, lack the stages."""
    buffers, counters = records["vyre-buffer"], records["counters"]
    late, unseen = int(counters["late-results"]), int(counters["unseen"])
    assert len(buffers) == BUFFERS, records
    assert sum(record["complete"] == "0" for record in buffers) == late + unseen, records
    assert sum(record["doorbell"] == "0" for record in buffers) == unseen, records
    assert all(0 < int(record["publish"]) <= int(record["push"]) for record in buffers), records


def check_means(log):
    """The lines of the page print the mean of each stage."""
    page = pathlib.Path(__file__).parents[2] / "docs" / "debugging.md"
    lines = re.search(r"^```sh\n(sed .*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    done = subprocess.run(["sh", "-c", lines[1]], cwd=log.parent, check=True, capture_output=True, text=True)
    records = [dict(FIELD.findall(match[2])) for match in map(RECORD.search, log.read_text().splitlines())
               if match and match[1] == "vyre-buffer"]
    records = [record for record in records if int(record["complete"]) > 0]
    names = [line.split(" ")[0] for line in done.stdout.splitlines()]
    assert names == (["turn", "stage", "kernel", "post", "downstream"] if records else []), done.stdout
    for line, first, last in zip(done.stdout.splitlines(), STAGES, STAGES[1:]):
        mean = sum(int(record[last]) - int(record[first]) for record in records) / len(records)
        assert abs(float(line.split(" ")[1]) - mean / 1e6) < 0.002, (line, mean)


def latency_tracer_hangs():
    """That of GStreamer 1.26.2 waits for itself, in fakesrc ! fakesink as in any pipeline."""
    version = subprocess.run(["gst-launch-1.0", "--gst-version"], check=True, capture_output=True,
                             text=True, timeout=100).stdout
    return " 1.26." in version


def main():
    hangs = latency_tracer_hangs()
    # One buffer at a time, and as many as there may be.
    for mode, sleep in itertools.product(("readback", "passthrough"), (2000, 0)):
        front = ["identity", "name=front", f"sleep-time={sleep}", "!"]
        records = trace(mode, "vyretracer" if hangs else "latency(flags=pipeline+element);vyretracer", *front)
        check_stages(records["vyre-buffer"])
        if hangs:
            continue
        check_latency(records["element-latency"], records["vyre-buffer"])
        assert len(records["latency"]) == BUFFERS, records["latency"]
    check_late(trace("passthrough max-latency=0 results-interval=0", "vyretracer"))
    assert "vyre-buffer" not in trace("passthrough", "log" if hangs else "latency"), "records of a tracer that is off"


if __name__ == "__main__":
    main()
