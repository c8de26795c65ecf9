#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""similarity.py: holds sample_ssim and sample_difference against ssim and psnr of ffmpeg.

Each clip is compared with its source, frame by frame and plane by plane. A payload is a frame of
both, one behind the other. PSNR has to be the same as ffmpeg prints it. SSIM may be ROOM beyond
what ffmpeg rounds to, because it computes in floats; ffmpeg runs without its code for x86, which
takes the last window of some rows for another one.
"""
import math
import pathlib
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

import clips
import frames
import qc

NAMES = ("noise", "flat", "black-noise", "letterbox", "interlaced-mpeg2", "main-10", "vp8-odd",
         "mpeg4", "mjpeg-444", "mpeg2-422", "prores", "high-422-10", "h263", "large")
ROOM = 1e-7


def decode(options, pix_fmt, path):
    subprocess.run(
        ["ffmpeg", "-nostdin", "-y", "-v", "error", *options, "-fps_mode", "passthrough",
         "-pix_fmt", pix_fmt, "-f", "rawvideo", str(path)], check=True)


def layout(pix_fmt, width, height):
    """Yields the name, the first byte, the bytes in a row and the rows of each plane, and how its
    samples lie."""
    deep = 2 if pix_fmt.endswith("10le") else 1
    word = deep | deep << 8 | (10 if deep == 2 else 8) << 17
    at = 0
    for name, (row, rows, _, _) in zip("yuv", frames.planes(pix_fmt, width, height)):
        yield name, at, row, rows, word
        at += row * rows


def program(planes, size):
    text = []
    for name, at, row, rows, word in planes:
        a, b = (f"samples({at + far}, {row}, {rows}, {row}, {word})" for far in (0, size))
        text.append(f"sample_ssim {a}, {b} -> s-{name}; sample_difference {a}, {b}, 0 -> d-{name}")
    return ";".join(text)


def ours(source, decoded, planes, folder):
    """The results of each frame."""
    size = sum(row * rows for _, _, row, rows, _ in planes)
    a, b = source.read_bytes(), decoded.read_bytes()
    both = folder / "both.raw"
    both.write_bytes(b"".join(a[i : i + size] + b[i : i + size] for i in range(0, len(b), size)))
    run = subprocess.run(
        ["gst-launch-1.0", "--no-fault", "-m", "filesrc", f"location={both}",
         f"blocksize={2 * size}", "!", "vyrefilter", "name=pair", "results-interval=0",
         f'program="{program(planes, size)}"', "!", "fakesink"],
        check=True, capture_output=True, text=True)
    return qc.messages(run.stdout)["pair"]["vyre-results"]


def theirs(name, source, decoded, pix_fmt, size):
    """The numbers that a filter of ffmpeg prints of each frame."""
    raw = ["-f", "rawvideo", "-pix_fmt", pix_fmt, "-s", size, "-i"]
    run = subprocess.run(
        ["ffmpeg", "-cpuflags", "0", "-nostdin", "-v", "error", *raw, str(source), *raw,
         str(decoded), "-lavfi", f"{name}=stats_file=-", "-f", "null", "-"],
        check=True, capture_output=True, text=True)
    return [dict(re.findall(r"(\w+):(\S+)", line)) for line in run.stdout.splitlines()]


def psnr(difference, depth):
    if not difference["sum-squares"]:
        return "inf"
    peak = (1 << depth) - 1
    return f"{10 * math.log10(peak * peak * difference['count'] / difference['sum-squares']):.2f}"


def check(clip, folder):
    """Prints the line of a clip, and returns how many differences there are."""
    path = clips.encode(clip, folder)
    pix_fmt, width, height = frames.probe(path)
    source, decoded = folder / "source.raw", folder / "decoded.raw"
    decode(["-f", "lavfi", "-i", clip.source], pix_fmt, source)
    decode(["-i", str(path)], pix_fmt, decoded)
    planes = list(layout(pix_fmt, width, height))
    results = ours(source, decoded, planes, folder)
    size = f"{width}x{height}"
    peers = [theirs(name, source, decoded, pix_fmt, size) for name in ("ssim", "psnr")]
    differences, digits = abs(len(results) - len(peers[0])), 0
    for result, ssim, signal in zip(results, *peers):
        for name, _, _, _, word in planes:
            found = result["s-" + name]
            mean = found["sum"] / (1 << 30) / found["count"]
            digits += f"{mean:.6f}" != ssim[name.upper()]
            same = psnr(result["d-" + name], word >> 17) == signal["psnr_" + name]
            if not same or abs(mean - float(ssim[name.upper()])) > 5e-7 + ROOM:
                differences += 1
                print(f"    {name}: {mean:.7f}, of ffmpeg {ssim[name.upper()]}")
    print(f"{clip.name:18} {pix_fmt:12} {size}: {len(results) * len(planes)} planes, "
          f"{digits} last digits of SSIM, {differences} differences", flush=True)
    return differences


def main():
    if qc.missing():
        print(f"SKIP: {qc.missing()} is not installed")
        return 77
    with tempfile.TemporaryDirectory() as name:
        chosen = [clip for clip in clips.CLIPS if clip.name in NAMES]
        total = sum(check(clip, pathlib.Path(name)) for clip in chosen)
    print(f"{len(chosen)} clips, {total} differences")
    return total != 0 or len(chosen) != len(NAMES)


if __name__ == "__main__":
    sys.exit(main())
