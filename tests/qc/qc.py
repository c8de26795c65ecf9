#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""qc.py VYRE-QC PLUGINS: what the command prints, writes and returns."""
import base64
import gzip
import json
import os
import pathlib
import pty
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import films  # noqa: E402

FRAMES = 3
LAST = FRAMES - 1  # seconds, of the last frame
TAG = "lavfi.signalstats."
CROP = "lavfi.cropdetect."
CLUSTER = b"\x1f\x43\xb6\x75"  # how a second of Matroska begins
CONVERTERS = ("videoconvert", "videoscale", "videoconvertscale")  # the last one in newer versions


def run(status, *arguments):
    """Standard output and standard error of a run that has to end with @status."""
    done = subprocess.run(
        [QC, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == status, (arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout, done.stderr


def read_json(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def pick(lines, kind, file):
    return [line for line in lines if line["type"] == kind and line["file"] == str(file)]


def expect(pattern):
    planes = list(films.read_frames(WORK / "raw", pattern, FRAMES))
    return [films.signalstats(now, old) for now, old in zip(planes, [None] + planes)]


def count_rows(lines, file):
    frames = [line for line in pick(lines, "frame", file) if line["stream"] == "video"]
    return [frame["results"]["rows"]["count"] for frame in frames]


def check_frames(lines, file, expected):
    frames = [line for line in pick(lines, "frame", file) if line["stream"] == "video"]
    assert len(frames) == FRAMES
    for number, (frame, values) in enumerate(zip(frames, expected)):
        results = frame["results"]
        assert results["stream-time"] == number * 10**9
        assert results["sequence"] == number + 1
        assert results["complete"] is True
        assert sum(results["luma-histogram"]) == films.WIDTH * films.HEIGHT
        for key, value in values.items():
            assert f"{frame['signalstats'][key]:g}" == value, (number, key, value, frame)


def check_summary(lines, file, verdict, streams):
    (summary,) = pick(lines, "summary", file)
    assert summary["verdict"] == verdict
    assert summary["problems"] == []
    assert {name for name in summary if "frames-in" in str(summary[name])} == set(streams)
    for stream in streams:
        counts = summary[stream]
        size = films.WIDTH * films.HEIGHT * 3 // 2 if "video" in stream else 16000
        assert counts["frames-in"] == counts["frames-seen"] >= FRAMES, counts
        assert counts["bytes-in"] == counts["bytes-seen"] == FRAMES * size, counts
        assert counts["faults"] == counts["dropped-records"] == counts["undecided"] == 0


def find_points(section, title, number):
    """The points of a line of the plot with that title."""
    plot = section[section.index(f"<h3>{title} (video)</h3>") :].split("</svg>")[0]
    points = re.findall(r'<polyline .*?points="([^"]*)"', plot)[number]
    return [tuple(map(float, point.split(","))) for point in points.split()]


def check_page(path, films_of_frames, n_events):
    """Lines are where the numbers are, the event has a band in each plot, and a picture."""
    page = path.read_text(encoding="utf-8")
    assert not re.search(r"<script|<link|https?:|url\(", page)
    clean, dark = page.split("<section>")[1:]
    assert (clean.count("<svg"), dark.count("<svg")) == (4, 5)
    assert (clean.count('class="event"'), clean.count("<img")) == (0, 0)
    assert dark.count("<title>black 00:00:00.000</title>") == 10  # two in each plot
    assert dark.count("<img") == n_events
    picture = re.search(r'src="data:image/png;base64,([^"]*)"', dark).group(1)
    assert base64.b64decode(picture).startswith(b"\x89PNG\r\n\x1a\n")
    for section, frames in zip((clean, dark), films_of_frames):
        frames = [frame["signalstats"] for frame in frames if frame["stream"] == "video"]
        for number, key in enumerate(("YMAX", "YHIGH", "YAVG", "YLOW", "YMIN")):
            for (x, y), frame in zip(find_points(section, "Luma", number), frames, strict=True):
                assert abs(y - (170 - 160 * frame[key] / 255)) < 0.06, (key, x, y, frame)


def test_findings():
    """Two films at a time, of several streams: one clean, one black. They come in their order."""
    ball, black, out = WORK / "ball.mkv", WORK / "ä.mkv", WORK / "out.json"
    films.make_film(ball, "ball", FRAMES, audios=2)
    films.make_film(black, "black", FRAMES, wave="silence", videos=2)
    page = WORK / "out.html"
    table, err = run(1, "-j", 2, "--json", out, "--histograms", "--html", page, ball, black)
    assert err == "", err
    rows = [line.split() for line in table.splitlines()]
    counts = "{}: {}, {} frames of video, {} buffers of audio"
    assert rows[0] == counts.format(ball, "pass", FRAMES, 2 * FRAMES).split(), table
    assert rows[1] == ["file", "kind", "start", "end", "duration", "value"], table
    assert table.splitlines()[1].index("kind") == table.splitlines()[2].index("black "), table
    times = ["00:00:00.000", "00:00:02.000", "00:00:02.000", "100.00", "%"]
    assert [str(black), "black", *times] in rows, table
    assert [str(black), "black", "of", "video-2", *times] in rows, table
    assert rows[-1] == counts.format(black, "findings", 2 * FRAMES, FRAMES).split(), table
    lines = read_json(out)
    check_frames(lines, ball, expect("ball"))
    assert all(count_rows(lines, ball))
    check_summary(lines, ball, "pass", ["video", "audio", "audio-2"])
    check_summary(lines, black, "findings", ["video", "video-2", "audio"])
    events = [line for line in pick(lines, "event", black) if line["event"] == "black"]
    assert {event["stream"] for event in events} == {"video", "video-2"}
    for event in events:
        assert (event["start"], event["end"], event["duration"]) == (0, LAST * 10**9, LAST * 10**9)
    assert not pick(lines, "event", ball)
    audio = next(line for line in pick(lines, "frame", ball) if line["stream"] == "audio-2")
    assert audio["results"]["channel-0"]["full-scale"] == 32768
    assert audio["results"]["channel-0"]["peak"] > 0
    films_of_frames = [pick(lines, "frame", file) for file in (ball, black)]
    check_page(page, films_of_frames, len(pick(lines, "event", black)))


def expect_crops(pattern):
    return [films.cropdetect(luma) for luma, *_ in films.read_frames(WORK / "raw", pattern, FRAMES)]


def check_xml(path, expected, crops):
    with gzip.open(path) as file:
        root = xml.etree.ElementTree.parse(file).getroot()
    assert root.tag == "{http://www.ffmpeg.org/schema/ffprobe}ffprobe"
    frames = root.findall("frames/frame")
    assert len(frames) == FRAMES
    for number, (frame, values, crop) in enumerate(zip(frames, expected, crops, strict=True)):
        assert frame.get("media_type") == "video"
        assert frame.get("pkt_pts_time") == f"{number}.000000"
        assert frame.get("pkt_duration_time") == "1.000000"
        assert (frame.get("width"), frame.get("height")) == (str(films.WIDTH), str(films.HEIGHT))
        assert frame.get("pix_fmt") == "yuv420p"
        tags = {tag.get("key"): tag.get("value") for tag in frame.findall("tag")}
        for key, value in values.items():
            assert tags[TAG + key] == value, (number, key, value, tags)
        assert {TAG + "TOUT", TAG + "BRNG"} <= tags.keys()
        assert {key: tags[CROP + key] for key in crop} == crop, (number, crop, tags)


def read_terminal(fd):
    shown = b""
    while True:
        try:
            part = os.read(fd, 4096)
        except OSError:  # how the end of a terminal reads
            return shown.decode()
        if not part:
            return shown.decode()
        shown += part


def test_reports():
    """With no row bright enough, there is no border; with progress on a terminal."""
    path, out = WORK / "out.xml.gz", WORK / "border.json"
    main, terminal = pty.openpty()
    with subprocess.Popen(
        [QC, "--qctools", path, "--param", "border=255", "--json", out, WORK / "ball.mkv"],
        stdout=subprocess.DEVNULL,
        stderr=terminal,
    ) as process:
        os.close(terminal)
        shown = read_terminal(main)
        process.wait(timeout=60)
    os.close(main)
    assert process.returncode == 0
    assert re.search(r"\r\[[#.]{30}\] +\d+ %  \d+\.\d frames/s", shown), shown
    assert shown.endswith("\r\x1b[K"), shown
    assert count_rows(read_json(out), WORK / "ball.mkv") == [0] * FRAMES
    dark = dict(films.cropdetect(bytes(films.WIDTH * films.HEIGHT)))
    assert (dark["x1"], dark["x2"], dark["w"]) == ("63", "0", "-48"), dark
    check_xml(path, expect("ball"), [dark] * FRAMES)


def test_borders():
    """A ball in the dark: each frame has a crop of its own, and each event that of all so far."""
    path, out, page = WORK / "crop.xml.gz", WORK / "crop.json", WORK / "crop.html"
    params = ["-p", "border_skip=0", "-p", "border_time=1", "-p", "border_round=2"]
    table, _ = run(
        1, *params, "--qctools", path, "--json", out, "--html", page, WORK / "ball.mkv")
    crops = expect_crops("ball")
    assert len({crop["x1"] for crop in crops}) > 1
    check_xml(path, expect("ball"), crops)
    edges = [[int(crop[key]) for key in ("x1", "x2", "y1", "y2")] for crop in crops]
    seen, expected = edges[0], []
    for x1, x2, y1, y2 in edges:
        seen = [min(seen[0], x1), max(seen[1], x2), min(seen[2], y1), max(seen[3], y2)]
        (x, width), (y, height) = films.crop(*seen[:2], 2), films.crop(*seen[2:], 2)
        crop = {"x": x, "y": y, "width": width, "height": height}
        if crop not in expected:
            expected.append(crop)
    events = [line for line in pick(read_json(out), "event", WORK / "ball.mkv")
              if line["event"] == "borders"]
    assert [event["values"] for event in events] == expected, (events, expected)
    for event in events:
        text = " ".join(f"{key}={value}" for key, value in event["values"].items())
        assert event["value"] == text, event
        assert text in table and f"<td>{text}</td>" in page.read_text(encoding="utf-8"), table


def make_incomplete():
    """Inputs that cannot be measured, or not to their end, and what is said of them."""
    whole = (WORK / "ball.mkv").read_bytes()
    (WORK / "cut.mkv").write_bytes(whole[: len(whole) * 6 // 10])
    yield WORK / "cut.mkv", r"It ends after \d\.\d+ s of the 3\.000 s"
    films.make_film(WORK / "four.mkv", "ball", 4)
    whole = (WORK / "four.mkv").read_bytes()
    start, end = [found.start() for found in re.finditer(CLUSTER, whole)][1:3]
    (WORK / "hole.mkv").write_bytes(whole[:start] + bytes(end - start) + whole[end:])
    yield WORK / "hole.mkv", r"There is no \S+ from 1\.000 s to 2\.000 s"
    tone, sink = "audiotestsrc num-buffers=4 ! audio/x-raw", f"wavenc ! filesink location={WORK}"
    films.launch(f"{tone},channels=1 ! {sink}/a.wav")
    whole = (WORK / "a.wav").read_bytes()
    (WORK / "cut.wav").write_bytes(whole[:5000])
    yield WORK / "cut.wav", f"It has 5000 of the {len(whole)} bytes"
    films.launch(f"{tone},channels=9,channel-mask=(bitmask)0 ! {sink}/nine.wav")
    yield WORK / "nine.wav", "Of 9 channels the first 8"
    (WORK / "junk.mkv").write_bytes(b"\x00\x01\xfe" * 2000)
    yield WORK / "junk.mkv", "type of stream"
    cues = (f"{i}\n00:00:0{i},000 --> 00:00:0{i},500\nA word.\n\n" for i in range(1, 9))
    (WORK / "text.srt").write_text("".join(cues), encoding="utf-8")
    yield WORK / "text.srt", "no video and no audio"
    yield WORK / "missing.mkv", "no such file"
    yield WORK, "is a directory"
    os.mkfifo(WORK / "pipe")
    yield WORK / "pipe", "is a pipe, a socket or a device"
    yield "nothing://x", "missing: NOTHING"


def test_incomplete():
    """One line on standard error for each, with its remedy, and the same in the summary."""
    inputs = dict(make_incomplete())
    out, err = run(2, "-j", 4, "--json", WORK / "incomplete.json", *inputs)
    lines = read_json(WORK / "incomplete.json")
    summaries = [line for line in lines if line["type"] == "summary"]
    verdicts = [line for line in out.splitlines() if ": incomplete, " in line]
    lines = zip(inputs.items(), verdicts, err.splitlines(), summaries, strict=True)
    for (file, words), verdict, problem, summary in lines:
        assert verdict.startswith(f"{file}: incomplete, "), (file, out)
        assert summary["file"] == str(file) and summary["verdict"] == "incomplete"
        assert problem == f"vyre-qc: {file}: {summary['problems'][0]}", (file, err)
        assert len(summary["problems"]) == 1
        assert re.search(rf"{words}.* Fix: .*\.$", problem), (words, err)


def make_chain(path):
    """Two parts of other caps, the second of which lacks a stream."""
    parts = []
    for rate, n in ((8000, 2), (16000, 1)):
        tones = " ".join(
            f"audiotestsrc num-buffers=3 samplesperbuffer={rate} ! audio/x-raw,rate={rate} ! "
            "audioconvert ! vorbisenc ! mux." for _ in range(n))
        films.launch(f"oggmux name=mux ! filesink location={path} {tones}")
        parts.append(path.read_bytes())
    path.write_bytes(b"".join(parts))


def make_words(path):
    """A picture with a word that stays longer."""
    text = path.with_suffix(".srt")
    text.write_text("1\n00:00:02,000 --> 00:00:09,000\nA word.\n\n", encoding="utf-8")
    films.launch(
        f"matroskamux name=mux ! filesink location={path} "
        f"videotestsrc num-buffers={FRAMES} pattern=ball ! {films.CAPS} ! mux. "
        f"filesrc location={text} ! subparse ! mux.")


def check_chain(summary):
    """The parts are one; the stream that ends early has a hole, and no other one is made."""
    assert "audio-3" not in summary, summary
    for name, samples in ("audio", 3 * (8000 + 16000)), ("audio-2", 3 * 8000):
        assert summary[name]["bytes-in"] == summary[name]["bytes-seen"] == 4 * samples, summary
    (problem,) = summary["problems"]
    assert re.match(r"Its audio-2 ends after 3\.000 s of 6\.000 s\. Fix: ", problem), summary


def test_parts():
    """Parts of a film that end apart from each other, in files that share a kernel in turn."""
    chain, words, out = WORK / "chain.ogg", WORK / "words.mkv", WORK / "parts.json"
    make_chain(chain)
    make_words(words)
    done = subprocess.run(
        [QC, "-j", "1", "--json", out, chain, words],
        env={**os.environ, "GST_DEBUG": "vyrefilter:4"}, capture_output=True, text=True, timeout=60,
        check=False)
    assert done.stderr.count("a kernel starts on") == 1, done.stderr
    check_chain(*pick(read_json(out), "summary", chain))
    (summary,) = pick(read_json(out), "summary", words)
    assert (summary["verdict"], summary["problems"]) == ("pass", []), summary
    assert summary["claimed-duration"] == 9 * 10**9 > summary["end"] == FRAMES * 10**9, summary


def test_many():
    """Files that were reported hold no descriptors."""
    files = [WORK / "junk.mkv"] * 100
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, limit[1]))
    _, err = run(2, *files)
    resource.setrlimit(resource.RLIMIT_NOFILE, limit)
    assert err.count(" type of stream. Fix: ") == len(files), err


def test_names():
    """Control characters of a name, and what is not UTF-8, do not reach the terminal."""
    name = b"\x1b[31m\xff\n\xc2\x9bx"
    done = subprocess.run([QC, name], capture_output=True, timeout=60, check=False)
    shown = "\ufffd[31m\ufffd\ufffd\ufffdx"
    assert done.stdout.decode().startswith(f"{shown}: incomplete, "), done
    assert done.stderr.decode().startswith(f"vyre-qc: {shown}: There is no such file. "), done


def count_threads(pid, name):
    tasks = pathlib.Path(f"/proc/{pid}/task").glob("*/comm")
    return [task.read_text(encoding="utf-8").strip() for task in tasks].count(name)


def test_interrupt():
    """The films that run share a kernel and keep what was seen; the third is not begun."""
    out, long, again = WORK / "long.json", WORK / "long.mkv", WORK / "again.mkv"
    films.make_film(long, "snow", 300)
    again.symlink_to(long)
    with subprocess.Popen(
        [QC, "-j", "2", "--json", out, long, again, WORK / "ball.mkv"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        while process.poll() is None:
            seen = out.read_text(encoding="utf-8") if out.exists() else ""
            if str(long) in seen and str(again) in seen:
                break
            time.sleep(0.01)
        launchers = count_threads(process.pid, "vyre-launcher")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert launchers == 1
    assert err.count(b"It was interrupted. Fix: ") == 2, err
    assert b"ball.mkv: It was not begun. Fix: " in err, err
    lines = read_json(out)
    assert 0 < len(pick(lines, "frame", long)) < 600
    assert [line["verdict"] for line in lines if line["type"] == "summary"] == ["incomplete"] * 3


def read_signals(pid, kind):
    """The signals that a process catches or ignores."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    mask = int(re.search(rf"^{kind}:\s*(\w+)$", status, re.MULTILINE).group(1), 16)
    return {number for number in signal.Signals if mask >> (number - 1) & 1}


def start_waiting():
    """A run that waits for data, with its signals, SIGTERM last, set up, and what keeps its source open."""
    nothing, end = os.pipe()
    process = subprocess.Popen([QC, "fd://0"], stdin=nothing, stderr=subprocess.PIPE)
    os.close(nothing)
    while process.poll() is None and signal.SIGTERM not in read_signals(process.pid, "SigCgt"):
        time.sleep(0.01)
    return process, end


def test_signals():
    """Each ends a run with its report, and one that was ignored remains so."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        process, end = start_waiting()
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
        os.close(end)
        assert process.returncode == 2, (number, process.returncode)
        assert b"fd://0: It was interrupted. Fix: " in err, err
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    process, end = start_waiting()
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    assert signal.SIGHUP in read_signals(process.pid, "SigIgn")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    os.close(end)


def run_with_plugins(plugins, vyre, *arguments):
    """A run with these plugins of the system alone, and with or without vyrefilter."""
    folder = pathlib.Path(tempfile.mkdtemp(dir=WORK))
    for plugin in plugins:
        os.symlink(PLUGINS / f"libgst{plugin}.so", folder / f"libgst{plugin}.so")
    environment = {
        **os.environ,
        "GST_PLUGIN_SYSTEM_PATH": str(folder),
        "GST_REGISTRY": str(folder / "registry.bin"),
    }
    if not vyre:
        del environment["GST_PLUGIN_PATH"]
    return subprocess.run(
        [QC, *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_plugins():
    """Without plugins there is a remedy, and without an encoder a page."""
    film, page = WORK / "ä.mkv", WORK / "plain.html"
    needed = ["coreelements", "matroska", "typefindfunctions"]
    done = run_with_plugins(needed, True, film)
    assert done.returncode == 2
    assert "There is no uridecodebin. Fix: install " in done.stderr, done.stderr
    needed += ["playback", "audioconvert"]
    needed += [name for name in CONVERTERS if (PLUGINS / f"libgst{name}.so").exists()]
    done = run_with_plugins(needed, False, film)
    assert done.returncode == 2
    assert re.search(r'"vyrefilter"\. Fix: install .* GST_PLUGIN_PATH\.\n', done.stderr), done.stderr
    done = run_with_plugins(needed, True, "--html", page, film)
    assert done.returncode == 1, done.stderr
    assert "<p>There are no pictures. Fix: install " in page.read_text(encoding="utf-8")


def test_timeout():
    """A source that brings nothing."""
    nothing, _end = os.pipe()
    done = subprocess.run(
        [QC, "--timeout", "1", "fd://0"],
        stdin=nothing,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert "vyre-qc: fd://0: No buffer came for 1 s. Fix: " in done.stderr, done.stderr


def check_usage(words, *arguments):
    out, err = run(2, *arguments)
    assert out == "" and re.search(words, err), (out, err)
    assert re.fullmatch(r"vyre-qc: .* Fix: .*\.\n", err), err


def test_usage():
    ball = WORK / "ball.mkv"
    assert re.fullmatch(r"vyre-qc \d+\.\d+\.\d+\n", run(0, "--version")[0])
    assert "--json=FILE" in run(0, "--help")[0]
    check_usage("Unknown option --nonsense", "--nonsense", ball)
    check_usage("no file to measure")
    check_usage("-j 0 is out of range", "-j", 0, ball)
    check_usage("--timeout 0 is out of range", "--timeout", 0, ball)
    check_usage("no param 'nonsense'.*black.*, border", "--param", "nonsense=1", ball)
    check_usage("'black=x' sets no param", "--param", "black=x", ball)
    check_usage("'black' sets no param", "--param", "black", ball)
    check_usage("/nowhere/out.json: No such file", "--json", "/nowhere/out.json", ball)
    check_usage("/nowhere/out.html: No such file", "--html", "/nowhere/out.html", ball)
    check_usage("/nowhere/out.gz.*No such file", "--qctools", "/nowhere/out.gz", ball)
    check_usage("--qctools is of one film", "--qctools", WORK / "x.gz", ball, ball)


def test_outputs():
    """A file that is two things, or comes with one that cannot be opened, stays as it is."""
    film, old, link = WORK / "ball.mkv", WORK / "old.json", WORK / "link"
    whole = film.read_bytes()
    old.write_text("old", encoding="utf-8")
    link.symlink_to(WORK)
    check_usage(f"{film} is the same file as", "--json", film, film)
    check_usage("ball.mkv is the same file as", "--html", link / "ball.mkv", film.as_uri())
    check_usage("new is the same file as", "--json", WORK / "new", "--html", link / "new", film)
    check_usage("output - is the same file as -", "--json", "-", "--html", "-", film)
    check_usage("/nowhere/x: No such", "--json", old, "--html", "/nowhere/x", film)
    assert film.read_bytes() == whole and old.read_text(encoding="utf-8") == "old"
    assert not (WORK / "new").exists()
    run(2, "--json", old, WORK / "missing.mkv")
    assert read_json(old)[0]["type"] == "summary"


def test_full_disk():
    _, err = run(2, "--qctools", "/dev/full", WORK / "missing.mkv")
    assert "vyre-qc: /dev/full could not be written. Fix: " in err, err
    _, err = run(2, "--json", "/dev/full", WORK / "missing.mkv")
    assert "vyre-qc: /dev/full could not be written. Fix: " in err, err


def test_closed_descriptors():
    """Neither the table nor a problem gets into the JSON."""
    out = WORK / "closed.json"
    for closed, words in ((">&-", "vyre-qc: Standard output could not be written. Fix: "), ("2>&-", "")):
        done = subprocess.run(
            ["sh", "-c", f'"$@" {closed}', "sh", QC, "--json", out, WORK / "missing.mkv"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 2 and words in done.stderr, done
        assert [line["type"] for line in read_json(out)] == ["summary"]


def test_json_on_standard_output():
    out, _ = run(2, "--json", "-", WORK / "missing.mkv")
    assert json.loads(out)["type"] == "summary"


def main():
    test_findings()
    test_reports()
    test_borders()
    test_incomplete()
    test_parts()
    test_many()
    test_names()
    test_interrupt()
    test_signals()
    test_plugins()
    test_timeout()
    test_usage()
    test_outputs()
    test_full_disk()
    test_closed_descriptors()
    test_json_on_standard_output()


if __name__ == "__main__":
    QC = sys.argv[1]
    PLUGINS = pathlib.Path(sys.argv[2])
    for inherited in (signal.SIGINT, signal.SIGHUP):  # ignored behind nohup, and by scripts
        signal.signal(inherited, signal.SIG_DFL)
    with tempfile.TemporaryDirectory() as folder:
        WORK = pathlib.Path(folder)
        main()
