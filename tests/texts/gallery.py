#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""gallery.py SOURCES: docs/gallery.md has every picture of docs/pictures, the pictures are what the
page says, and so is one that its command makes again. Fonts and drivers may differ, so bytes do."""
import pathlib
import re
import subprocess
import sys
import tempfile

COLOURS = {"pink": (204, 121, 167), "orange": (230, 159, 0), "yellow": (240, 228, 66), "vermilion": (213, 94, 0)}
LANE = r"\*(\w+)\* is (\w+) from −([\d.]+) s to (?:−([\d.]+) s|now)"
HISTORY = 8  # seconds


def pixels(picture):
    """Its width, its height, and a function that gives the colour of a pixel."""
    run = subprocess.run(["gst-launch-1.0", "-q", "filesrc", f"location={picture}", "!", "pngdec", "!", "videoconvert",
                          "!", "video/x-raw,format=RGB", "!", "fdsink"], stdout=subprocess.PIPE, check=True)
    width, height = (int.from_bytes(picture.read_bytes()[at:at + 4], "big") for at in (16, 20))
    stride = len(run.stdout) // height
    return width, height, lambda x, y: run.stdout[y * stride + 3 * x:y * stride + 3 * x + 3]


def near(pixel, colour):
    return all(abs(a - b) < 8 for a, b in zip(pixel, colour))


def check_scope(picture, text):
    """The lanes of the timeline, which is the upper part of a picture of vyrescope: the first and the
    last column of a colour that fills rows. The plot ends a little before the right edge."""
    width, height, pixel = pixels(picture)
    assert f"{width} × {height}" in text, f"{picture.name} is {width} × {height}, and the page does not say so"
    lanes = re.findall(LANE, text)
    assert lanes, f"the page tells of no lane of {picture.name}"
    left, right = width * 0.051, width * 0.986
    for name, colour, start, end in lanes:
        rows = [[x for x in range(width) if near(pixel(x, y), COLOURS[colour])] for y in range(height // 3, height * 9 // 20)]
        row = max(rows, key=len)
        assert len(row) > 50, f"{picture.name} has no lane {name} in {colour}"
        found = [HISTORY * (right - x) / (right - left) for x in (row[0], row[-1])]
        told = float(start), float(end or 0)
        assert all(abs(a - b) < 0.2 for a, b in zip(found, told)), f"{picture.name}: {name} is {found}, and not {told}"


def find_run(width, height, pixel, colour):
    """The longest row of pixels of a colour, as a range of columns."""
    longest = range(0)
    for y in range(height):
        start = 0
        for x in range(width + 1):
            if x < width and near(pixel(x, y), colour):
                continue
            longest = max(longest, range(start, x), key=len)
            start = x + 1
    return longest


def check_page(picture, text):
    """The lanes of two events, the longest rows of their colours, tell how many pixels a second has."""
    width, height, pixel = pixels(picture)
    assert f"{width} × {height}" in text, f"{picture.name} is {width} × {height}, and the page does not say so"
    first, last, later = map(float, re.search(
        r"\*Black\* is pink for ([\d.]+) s, and \*Silence\* is orange for ([\d.]+) s, which begins ([\d.]+) s later", text).groups())
    lanes = [find_run(width, height, pixel, COLOURS[colour]) for colour in ("pink", "orange")]
    second = len(lanes[0]) / first
    assert second > 20, f"{picture.name} has no lane of black"
    for told, found in ((last, len(lanes[1])), (later, lanes[1][0] - lanes[0][0])):
        assert abs(told - found / second) < 0.1, f"{picture.name}: {found / second} s are not {told} s"


def check_timeline(picture, text):
    svg = picture.read_text(encoding="utf-8")
    lines, events = re.search(r"Luma has (\d+) lines, and there is a band for each of (\d+) events", text).groups()
    assert svg.count("<polyline") == int(lines), f"{picture.name} has not {lines} lines"
    assert svg.count('class="event"') == int(events), f"{picture.name} has not {events} events"
    start, end = map(float, re.search(r"black from ([\d.]+) s to ([\d.]+) s", text).groups())
    x, width = map(float, re.search(r'class="event" x="([\d.]+)"[^>]* width="([\d.]+)"[^>]*><title>black', svg).groups())
    frame, all_of_it = map(float, re.search(r'class="frame" x="([\d.]+)"[^>]* width="([\d.]+)"', svg).groups())
    seconds = 240 / 25  # of the film in docs/tutorial.md
    for told, at in (start, x), (end, x + width):
        assert abs(told - (at - frame) / all_of_it * seconds) < 0.1, f"{picture.name}: black is not at {told} s"


def main():
    docs = pathlib.Path(sys.argv[1], "docs")
    sections = (docs / "gallery.md").read_text(encoding="utf-8").split("\n## ")[1:]
    shown = [re.search(r"\]\((pictures/\S+)\)", section)[1] for section in sections]
    there = [str(picture.relative_to(docs)) for end in ("png", "svg") for picture in (docs / "pictures").glob(f"*.{end}")]
    assert sorted(shown) == sorted(there), f"the gallery shows {shown}, and there are {there}"
    made = False
    for name, section in zip(shown, sections):
        text = " ".join(section.split())
        check = check_timeline if name.endswith("svg") else check_page if "live-page" in name else check_scope
        check(docs / name, text)
        command = re.search(r"^    docs/(pictures/\S+) (.*)$", section, re.M)
        if command[2] == "sound sound.png":
            with tempfile.TemporaryDirectory() as folder:
                subprocess.run([docs / command[1], *command[2].split()], cwd=folder, check=True)
                check_scope(pathlib.Path(folder, "sound.png"), text)
            made = True
    assert made, "no picture was made again"


main()
