# SPDX-License-Identifier: LGPL-2.1-or-later
"""Small films, and what signalstats counts in them, counted here once more from their bytes."""
import math
import subprocess

WIDTH, HEIGHT = 64, 48
CAPS = f"video/x-raw,format=I420,width={WIDTH},height={HEIGHT},framerate=1/1"


def launch(text):
    subprocess.run(["gst-launch-1.0", "-q", *text.split()], check=True, timeout=60)


def make_film(path, pattern, frames, wave="sine", videos=1, audios=1):
    """A film of a frame per second, so that few frames last long."""
    video = f"videotestsrc num-buffers={frames} pattern={pattern} ! {CAPS} ! mux. "
    audio = (
        f"audiotestsrc num-buffers={frames} samplesperbuffer=8000 wave={wave} ! "
        "audio/x-raw,format=S16LE,rate=8000,channels=1 ! mux. "
    )
    launch(f"matroskamux name=mux ! filesink location={path} {video * videos}{audio * audios}")


def read_frames(path, pattern, frames):
    """The planes of each frame of such a film."""
    launch(f"videotestsrc num-buffers={frames} pattern={pattern} ! {CAPS} ! filesink location={path}")
    data = path.read_bytes()
    luma, chroma = WIDTH * HEIGHT, WIDTH * HEIGHT // 4
    size = luma + 2 * chroma
    assert len(data) == frames * size
    for at in range(0, len(data), size):
        yield (
            data[at : at + luma],
            data[at + luma : at + luma + chroma],
            data[at + luma + chroma : at + size],
        )


def percentile(ordered, percent):
    # The first value at which so many are counted, rounded to even.
    count = round(len(ordered) * percent / 100)
    return ordered[max(count, 1) - 1]


def spread(values):
    ordered = sorted(values)
    return {
        "MIN": ordered[0],
        "LOW": percentile(ordered, 10),
        "AVG": sum(ordered) / len(ordered),
        "HIGH": percentile(ordered, 90),
        "MAX": ordered[-1],
    }


def difference(plane, before):
    return sum(abs(a - b) for a, b in zip(plane, before)) / len(plane)


def hue(u, v):
    return int(math.degrees(math.atan2(u - 128, v - 128)) + 180) % 360


def repeats(luma):
    rows = [luma[i : i + WIDTH] for i in range(0, len(luma), WIDTH)]
    return sum(difference(rows[i], rows[i - 4]) < 1 for i in range(4, HEIGHT))


def signalstats(planes, before):
    """The tags of a frame, as text; TOUT and BRNG are held against ffmpeg elsewhere."""
    luma, u, v = planes
    values = {}
    for name, plane, old in zip("YUV", planes, before or planes):
        values |= {name + key: value for key, value in spread(plane).items()}
        values[name + "DIF"] = difference(plane, old)
        seen = 0
        for sample in plane:
            seen |= sample
        values[name + "BITDEPTH"] = bin(seen).count("1")
    saturation = [int(math.hypot(a - 128, b - 128)) for a, b in zip(u, v)]
    values |= {"SAT" + key: value for key, value in spread(saturation).items()}
    hues = sorted(hue(a, b) for a, b in zip(u, v))
    values |= {"HUEMED": hues[len(hues) // 2], "HUEAVG": sum(hues) / len(hues)}
    values["VREP"] = repeats(luma) / HEIGHT
    return {key: f"{value:g}" for key, value in values.items()}


def edges(lines):
    """The first and the last of some rows or columns that is not dark, as of one frame alone."""
    bright = [i for i, line in enumerate(lines) if sum(line) // len(line) > 24]
    first = bright[0] if bright else len(lines) - 1
    return first, bright[-1] if bright and bright[-1] > first else 0


def crop(first, last, multiple):
    """Where the picture between two edges starts, and how long it is."""
    start = first + first % 2
    length = int((last - start + 1) / multiple) * multiple  # towards 0
    rest = last - start + 1 - length
    return start + (int(rest / 2) + 1) // 2 * 2, length


def cropdetect(luma):
    """The tags of a frame, as text."""
    rows = [luma[i : i + WIDTH] for i in range(0, len(luma), WIDTH)]
    x1, x2 = edges(list(zip(*rows)))
    y1, y2 = edges(rows)
    (x, w), (y, h) = crop(x1, x2, 16), crop(y1, y2, 16)
    values = {"x1": x1, "x2": x2, "y1": y1, "y2": y2, "w": w, "h": h, "x": x, "y": y}
    return {key: f"{value}" for key, value in values.items()}
