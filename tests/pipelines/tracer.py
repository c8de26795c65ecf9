#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tracer.py: GST_TRACERS=vyre has a record for each buffer, whose stages come one after the other, and
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
    """The records of these tracers, as lists of dictionaries by their names."""
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder, "log")
        vyre = f"vyrefilter name=vyre output-mode={mode} program=builtin:frame-stats"
        subprocess.run(
            ["gst-launch-1.0", "-q", "videotestsrc", f"num-buffers={BUFFERS}", "!",
             "video/x-raw,format=I420,width=64,height=48", "!", *elements, *vyre.split(), "!", "fakesink"],
            check=True, timeout=100,
            env={**os.environ, "GST_TRACERS": tracers, "GST_DEBUG": "GST_TRACER:7",
                 "GST_DEBUG_FILE": str(log), "GST_DEBUG_NO_COLOR": "1"},
        )
        lines = log.read_text(encoding="utf-8").splitlines()
    records = {}
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
        records = trace(mode, "vyre" if hangs else "latency(flags=pipeline+element);vyre", *front)
        check_stages(records["vyre-buffer"])
        if hangs:
            continue
        check_latency(records["element-latency"], records["vyre-buffer"])
        assert len(records["latency"]) == BUFFERS, records["latency"]
    assert "vyre-buffer" not in trace("passthrough", "log" if hangs else "latency"), "records of a tracer that is off"


if __name__ == "__main__":
    main()
