#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""page.py VYRE-QC: the page in a browser, Chromium without a screen, while a film is measured."""
import os
import pathlib
import re
import signal
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import browser  # noqa: E402
import streams  # noqa: E402

SKIPPED = 77
PLOTS = ("video-luma-plot", "video-difference-plot", "video-histogram-plot", "audio-level-plot")
FIGURES = {"video-luma-average": 2, "video-luma-min": 2, "video-luma-difference": 3, "audio-peak": 1}


def read_plots(page):
    """The pixels of each plot, as a text."""
    return {plot: page.run("return document.getElementById(arguments[0]).toDataURL()", plot) for plot in PLOTS}


def read_profile(page):
    """How much of each tenth of the width of the plot of luma is drawn, from 0 to 1."""
    return page.run("""
        const canvas = document.getElementById("video-luma-plot"), {width, height} = canvas, bins = Array(10).fill(0);
        const data = canvas.getContext("2d").getImageData(0, 0, width, height).data;
        for (let i = 0; i < width * height; i++)
          bins[Math.floor(i % width * 10 / width)] += (data[4 * i + 3] > 0) * 10 / (width * height);
        return bins;""")


def check_drawn(page):
    """Each plot has more than one colour, and as many pixels as the screen has for it."""
    for plot in PLOTS:
        colours, sharp = page.run("""
            const canvas = document.getElementById(arguments[0]), scale = devicePixelRatio;
            const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
            const isSharp = Math.abs(canvas.width - canvas.clientWidth * scale) <= 1;
            return [new Set(new Uint32Array(data.buffer)).size, isSharp && scale === 2];""", plot)
        assert colours > 4 and sharp, (plot, colours, sharp)


def read_events(page):
    return page.run("""return [...document.querySelectorAll("#events tr")].map(
        row => [...row.cells].map(cell => cell.textContent))""")


def format_time(time):
    ms = time // 10**6
    return f"{ms // 3600000:02}:{ms // 60000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}"


def find_last(stream, kind):
    return [line for line in stream["lines"] if line["type"] == kind][-1]


def check_figures(page, run):
    """The page has the numbers of the lines."""
    (film, *_) = run.read_state()["files"]
    streams_by_name = {stream["stream"]: stream for stream in film["streams"]}
    for figure, digits in FIGURES.items():
        name, _, key = figure.partition("-")
        level = find_last(streams_by_name[name], "frame")["levels"][key]
        text = "−∞" if level is None else f"{level:.{digits}f}".replace("-", "−")
        page.wait("document.getElementById(args[0]).textContent === args[1]", figure, text)
    progress = [line for line in film["lines"] if line["type"] == "progress"][-1]
    assert page.read("frames") == str(progress["frames"])
    assert page.read("position") == format_time(progress["position"])
    assert page.read("engine-device") == find_last(streams_by_name["video"], "vyre-counters")["device"]
    assert page.read("format") == "64 × 48 I420, 1 channel", page.read("format")


def wait_for_frames(page, least):
    page.wait("Number(document.getElementById('frames').textContent) >= args[0]", least)


def check_half(page, run, data):
    """Plots move with the film, and events are listed while they go on."""
    run.feed(data[:len(data) // 3])
    wait_for_frames(page, 4)
    assert page.read("connection") == "live" and page.read("verdict") == "measuring"
    before, frames = read_plots(page), int(page.read("frames"))
    run.feed(data[len(data) // 3:len(data) * 9 // 10])
    wait_for_frames(page, frames + 8)
    page.wait("document.getElementById('light-video-black').dataset.state === 'alarm'")
    page.wait("[...document.querySelectorAll('#events tr')].some(row => row.cells[0].textContent === 'black'"
              " && row.cells[3].textContent === 'goes on')")
    after = read_plots(page)
    for plot in PLOTS:
        assert before[plot] != after[plot], f"{plot} does not move"
    check_drawn(page)


def check_return(page, run, proxy):
    """A page that is loaded anew shows the same, and one that was cut off comes back by itself."""
    page.wait("document.getElementById('frames-per-second').textContent === '0.0'")  # all of it was measured
    check_figures(page, run)
    seen, events, profile = page.read("frames"), read_events(page), read_profile(page)
    page.reload()
    page.wait("document.getElementById('frames')?.textContent === args[0]", seen)
    check_figures(page, run)
    assert read_events(page) == events and len(events) > 0
    again = read_profile(page)
    assert all(abs(now - before) < 0.02 for now, before in zip(again, profile)), (again, profile)
    page.run("""window.said = []; new MutationObserver(() => said.push(document.getElementById("connection").textContent))
                .observe(document.getElementById("connection"), {childList: true, subtree: true});""")
    proxy.cut()
    page.wait("said.includes('not connected') && said.at(-1) === 'live'")
    assert page.run("return document.getElementById('notice').hidden")


def check_end(page, run, lines):
    """The last line is said, and the events have their values."""
    page.wait("document.getElementById('connection').textContent === 'the run is over'")
    page.wait("document.getElementById('verdict').textContent === 'findings'")
    check_figures(page, run)
    expected = [[line["event"], line["stream"], format_time(line["start"]),
                 format_time(line["end"]) if line["end"] is not None else "–",
                 format_time(line["duration"]) if line["duration"] is not None else "–", line["value"]]
                for line in lines if line["type"] == "event" and line["file"] == "fd://0"]
    assert read_events(page) == expected and expected, (read_events(page), expected)
    assert page.read("frames") == str(streams.FRAMES + streams.LATER)
    assert re.match(r"\d+ %$", page.read("share")), page.read("share")


def check_choice(page, name, frames):
    """The other film has a page of its own."""
    assert page.run("return document.getElementById('file').length") == 3
    assert page.read("film") == "fd://0"
    page.run("""const choice = document.getElementById("file"); choice.value = arguments[0];
                choice.dispatchEvent(new Event("change"));""", name)
    page.wait("document.getElementById('verdict').textContent === 'pass' && document.getElementById('frames').textContent"
              " === args[0]", str(frames))
    assert page.run("return document.getElementById('audio-level-plot')") is None
    assert page.run("return document.getElementById('no-events').hidden") is False


def check_width(page):
    """On a narrow screen nothing is wider than it."""
    page.ask("/window/rect", {"width": 500, "height": 900})
    page.wait("innerWidth <= 500")
    page.wait("document.documentElement.scrollWidth <= innerWidth")


def check_token(program):
    """A token gets out of the URL, and lets the page in again when it is loaded anew. A page goes on
    with another run at its port, if that has its token."""
    (WORK / "token").write_text("0123456789abcdef", encoding="utf-8")
    (WORK / "other").write_text("0123456789abcdeg", encoding="utf-8")
    run = streams.Run(program, "--serve", f"--serve-token={WORK / 'token'}", "fd://0")
    try:
        PAGE.open(run.url)
        PAGE.wait("document.getElementById('connection').textContent === 'live'")
        assert PAGE.run("return location.href") == f"http://127.0.0.1:{run.port}/"
        PAGE.reload()
        PAGE.wait("document.getElementById('connection')?.textContent === 'live'")
        port = run.port
        for token, words, state in (("other", "takes a token. Fix: ", "not connected"), ("token", "", "live")):
            run.close()
            PAGE.wait("document.getElementById('connection').textContent === 'not connected'")
            run = streams.Run(program, f"--serve={port}", f"--serve-token={WORK / token}", "fd://0")
            PAGE.wait("document.getElementById('connection').textContent === args[0]"
                      " && document.getElementById('notice').textContent.includes(args[1])", state, words)
        run.close()
        PAGE.wait("document.getElementById('notice').textContent.includes('vyre-qc may have ended')")
    finally:
        run.close()


def main():
    film, other = WORK / "film.mkv", WORK / "other.mkv"
    streams.make_film(film)
    streams.films.make_film(other, "ball", 3, audios=0)
    data = film.read_bytes()
    run = streams.Run(QC, "--serve", "--serve-linger", "-j", 2, "fd://0", other)
    proxy = streams.Proxy(run.port)
    try:
        PAGE.open(f"http://127.0.0.1:{proxy.port}/")
        check_half(PAGE, run, data)
        check_return(PAGE, run, proxy)
        lines = run.read_lines()
        run.feed(data[len(data) * 9 // 10:])
        run.end()
        check_end(PAGE, run, list(lines))
        check_choice(PAGE, str(other), 3)
        check_width(PAGE)
        messages = [message for message in PAGE.take_messages()  # but those of the cut, and of this test
                    if "net::ERR_" not in message and "willReadFrequently" not in message]
        assert messages == [], messages
        run.interrupt()
        assert run.wait()[0] == 1
    finally:
        proxy.close()
        run.close()
    check_token(QC)


if __name__ == "__main__":
    QC = sys.argv[1]
    if not browser.is_installed():
        print("SKIP: there is no chromium with chromium-driver. Fix: run tests/setup.sh tests.")
        sys.exit(SKIPPED)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # ignored by scripts in the background
    with tempfile.TemporaryDirectory() as folder:
        WORK = pathlib.Path(folder)
        PAGE = browser.Browser(1200, 1600, scale=2)
        try:
            main()
        finally:
            PAGE.close()
