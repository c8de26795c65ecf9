#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""live.py VYRE-QC: what vyre-qc serves while it measures, held against what it writes."""
import math
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import streams  # noqa: E402

SILENCE = -999


def read_json(path):
    return [streams.json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def without_histograms(line):
    if line["type"] != "frame":
        return line
    results = {key: value for key, value in line["results"].items()
               if not key.endswith("-histogram") and key not in ("saturation", "hue")}
    return {**line, "results": results}


def check_lines(lines, written):
    """Those of the file come in its order, with others between them and an end behind them."""
    types = ("frame", "event", "summary")
    for line, expected in zip([line for line in lines if line["type"] in types], written, strict=True):
        assert without_histograms(line) == expected, (line, expected)
    assert {line["type"] for line in lines} == {*types, "progress", "vyre-event", "vyre-counters", "end"}
    assert lines[-1] == {"type": "end", "verdict": "findings"}
    frames = [line for line in lines if line["type"] == "frame" and line["stream"] == "video"]
    assert any("luma-histogram" in frame["results"] for frame in frames)
    summary = next(line for line in lines if line["type"] == "summary")
    counters = [line for line in lines if line["type"] == "vyre-counters" and line["stream"] == "video"][-1]
    assert counters["batches"] == summary["video"]["frames-seen"] == len(frames), counters
    assert counters["complete"] is True and counters["device"], counters
    progress = [line for line in lines if line["type"] == "progress"][-1]
    assert (progress["position"], progress["frames"]) == (summary["end"], len(frames)), progress
    assert progress["frames-per-second"] >= 0 and progress["seconds"] > 0


def check_messages(lines):
    """Each event starts, and ends, while the film goes on; its line with the value comes at last."""
    events = [line for line in lines if line["type"] == "event"]
    messages = [line for line in lines if line["type"] == "vyre-event"]
    for state, key in (("start", "start"), ("end", "end")):
        heard = sorted((line["stream"], line["event"], line["stream-time"]) for line in messages if line["state"] == state)
        assert heard == sorted((line["stream"], line["event"], line[key]) for line in events
                               if line[key] is not None), (heard, events)
    assert {line["event"] for line in events} >= {"black", "cut", "silence"}, events


def check_columns(stream, frames):
    """A column has the least and the greatest of the samples in its time."""
    step, levels = stream["timeline"]["step"], stream["timeline"]["levels"]
    assert set(levels) == set(frames[0]["levels"])
    for name, level in levels.items():
        expected = {}
        for frame in frames:
            value = frame["levels"][name]
            expected.setdefault(frame["results"]["stream-time"] // step, []).append(SILENCE if value is None else value)
        assert len(level["least"]) == len(level["most"]) == max(expected) + 1 <= 1024
        for key, choose in (("least", min), ("most", max)):
            for column, value in enumerate(level[key]):
                values = expected.get(column)
                assert (value is None) == (values is None), (name, column, value, values)
                assert values is None or math.isclose(value, choose(values), rel_tol=1e-4, abs_tol=1e-9)
    return step


def check_state(state, lines):
    assert state["verdict"] == "findings"
    (file,) = state["files"]
    assert file["events"] == [line for line in lines if line["type"] == "event"] and file["left-out"] == 0
    assert file["lines"] == [[line for line in lines if line["type"] == kind][-1] for kind in ("progress", "summary")]
    assert {stream["stream"] for stream in file["streams"]} == {"video", "audio"}
    for stream in file["streams"]:
        frames = [line for line in lines if line["type"] == "frame" and line["stream"] == stream["stream"]]
        assert stream["frames"] == len(frames)
        assert check_columns(stream, frames) == 4 * 10**7, "40 s take 1000 columns"
        assert [line for line in stream["lines"] if line["type"] == "frame"][-1] == frames[-1]
    (video,) = [stream for stream in file["streams"] if stream["kind"] == "video"]
    assert (video["width"], video["height"], video["depth"], video["format"]) == (64, 48, 8, "I420"), video


def test_lines():
    """All lines, then the state, until a signal; the verdict remains."""
    out = WORK / "out.json"
    run = streams.Run(QC, "--serve", "--serve-linger", "--json", out, "fd://0")
    try:
        lines = run.read_lines()
        run.feed(FILM.read_bytes())
        run.end()
        lines = list(lines)
        check_lines(lines, read_json(out))
        check_messages(lines)
        state = run.read_state()
        check_state(state, lines)
        with run.ask("events", **{"Last-Event-ID": state["last-id"]}) as answer:
            assert answer.status == 204, answer.status
        assert list(run.read_lines()) == lines
        run.interrupt()
        status, said = run.wait()
        assert status == 1 and said == "vyre-qc: All files are measured. The page stays until Ctrl-C.\n", (status, said)
    finally:
        run.close()


def test_end():
    """Without --serve-linger the run ends by itself, with the verdict, behind the last line."""
    run = streams.Run(QC, "--serve", "fd://0")
    try:
        lines = run.read_lines()
        run.feed(FILM.read_bytes())
        run.end()
        assert list(lines)[-1]["type"] == "end"
        assert run.wait() == (1, "")
    finally:
        run.close()


def test_interrupt():
    """A run that is interrupted does not linger, and says so in its lines."""
    run = streams.Run(QC, "--serve", "--serve-linger", "fd://0")
    try:
        lines = run.read_lines()
        run.feed(FILM.read_bytes()[:50000])
        while next(lines)["type"] != "frame":
            pass
        run.interrupt()
        rest = list(lines)
        assert rest[-1] == {"type": "end", "verdict": "incomplete"}
        assert "interrupted. Fix: " in rest[-2]["problems"][0], rest[-2]
        status, said = run.wait()
        assert status == 2 and said.startswith("vyre-qc: fd://0: It was interrupted. Fix: "), said
    finally:
        run.close()


def test_many():
    """Of the films that are done, the last 32 are kept as a whole, and the others by their summaries."""
    small, names = WORK / "small.mkv", [WORK / f"{n}.mkv" for n in range(34)]
    streams.films.make_film(small, "ball", 2, audios=0)
    for name in names:
        name.symlink_to(small)
    run = streams.Run(QC, "--serve", "--serve-linger", "-j", 8, *names)
    try:
        assert list(run.read_lines())[-1] == {"type": "end", "verdict": "pass"}
        files = run.read_state()["files"]
        assert [file["file"] for file in files] == [str(name) for name in names]
        assert [line["type"] for file in files for line in file["lines"]] == ["progress", "summary"] * 34
        assert [file["forgotten"] for file in files] == [True] * 2 + [False] * 32
        assert [len(file["streams"]) for file in files] == [0] * 2 + [1] * 32
        run.interrupt()
        assert run.wait()[0] == 0
    finally:
        run.close()


def refuse(words, *arguments):
    done = subprocess.run([QC, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and done.stdout == "", done
    assert re.fullmatch(rf"vyre-qc: .*{words}.* Fix: .*\.\n", done.stderr), done.stderr


def test_usage():
    """A page that cannot be served leaves all files as they are."""
    old = WORK / "old.json"
    old.write_text("old", encoding="utf-8")
    refuse("--serve-token is of a page", "--serve-token", old, FILM)
    refuse("--serve-linger is of a page", "--serve-linger", FILM)
    refuse("--serve=nonsense is no address", "--serve=nonsense", "--json", old, FILM)
    refuse("old.json has no token", "--serve", f"--serve-token={old}", "--json", old, FILM)
    assert old.read_text(encoding="utf-8") == "old"


def main():
    streams.make_film(FILM)
    test_lines()
    test_end()
    test_interrupt()
    test_many()
    test_usage()


if __name__ == "__main__":
    QC = sys.argv[1]
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # ignored by scripts in the background
    with tempfile.TemporaryDirectory() as folder:
        WORK = pathlib.Path(folder)
        FILM = WORK / "film.mkv"
        main()
