#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""silence.py: holds the event silence of builtin:audio-qc against silencedetect of ffmpeg.

ffmpeg encodes the sounds without loss. Each start and each end has to be the one that silencedetect
prints, to its last digit, whatever the buffers are that the decoders of GStreamer make. Containers
are such as have exact times: those of Matroska are milliseconds to ffmpeg.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

import qc

TIME = 0.2  # seconds


def source(*channels, rate=48000, seconds=3):
    return f"aevalsrc='{'|'.join(channels)}':s={rate}:d={seconds}"


def between(*times, level="0", tone="0.5*sin(2764*t)"):
    """A tone that has another level between pairs of times."""
    inside = "+".join(f"between(t,{a},{b})" for a, b in zip(times[::2], times[1::2]))
    return f"if({inside},{level},{tone})"


HUM = "0.00101*sin(377*t)"  # above the limit at its peaks
LOW = "0.00098*sin(377*t)"

# name, suffix: options of ffmpeg, source
SOUNDS = {
    ("stereo", "wav"): ("-c:a pcm_s16le", source(
        between(0.5123, 1.7001, 2.1, 2.29), between(0.5125, 1.6, 2.05, 2.6))),
    ("mono", "wav"): ("-c:a pcm_s16le", source(between(0, 0.25, 0.31, 0.6, 2.79, 3), rate=44100)),
    ("slow", "wav"): ("-c:a pcm_s16le", source(between(0.1, 0.3, 0.4, 0.6001), rate=8000)),
    ("deep", "wav"): ("-c:a pcm_s24le", source(between(1, 2.2, level=LOW), between(0.9, 2.1))),
    ("deeper", "wav"): ("-c:a pcm_s32le", source(between(1, 2.2, level=LOW))),
    ("float", "wav"): ("-c:a pcm_f32le", source(between(1, 2.2, level=LOW), LOW)),
    ("bytes", "wav"): ("-c:a pcm_u8", source(between(1.01, 2.2, level=LOW), rate=22050)),
    ("hum", "wav"): ("-c:a pcm_s16le", source(between(0.7, 2.3, level=HUM), LOW)),
    ("big-endian", "mov"): ("-c:a pcm_s16be", source(between(0.7, 2.3), between(1, 3))),
    ("six", "flac"): ("-c:a flac", source(
        *(between(0.5 + i / 100, 2.2 - i / 1000) for i in range(6)))),
    ("lossless", "flac"): ("-c:a flac", source(between(0.4999, 0.9), LOW, rate=96000)),
    ("apple", "m4a"): ("-c:a alac", source(between(0.3, 1.33), between(0.2, 1.4))),
    ("wavpack", "wv"): ("-c:a wavpack", source(between(0.3, 1.33), between(0.2, 1.4))),
    ("none", "wav"): ("-c:a pcm_s16le", source("sin(2000*t)", "0")),
    ("all", "flac"): ("-c:a flac", source("0", "0")),
    ("long", "flac"): ("-c:a flac", source(between(3, 9, 20, 29.5), seconds=30)),
}


def encode(name, suffix, options, text, folder):
    path = folder / f"{name}.{suffix}"
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", text,
                    *options.split(), str(path)], check=True)
    return path


def theirs(path):
    run = subprocess.run(
        ["ffmpeg", "-nostdin", "-nostats", "-i", str(path), "-af", f"silencedetect=d={TIME}",
         "-f", "null", "-"], check=True, capture_output=True, text=True)
    return [re.findall(f"silence_{state}: ([0-9.e-]+)", run.stderr) for state in ("start", "end")]


def launch(paths):
    command = ["gst-launch-1.0", "--no-fault", "-m"]
    for name, path in paths.items():
        command += (f"filesrc location={path} ! decodebin ! audio/x-raw ! vyrefilter name={name} "
                    f"program=builtin:audio-qc post-messages=events "
                    f"params=params,silence_time={TIME} ! fakesink async=false").split()
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


def ours(events):
    silences = [event for event in events if event["event"] == "silence"]
    return [[f"{event['timestamp'] / 1e9:g}" for event in silences if event["state"] == state]
            for state in ("start", "end")]


def main():
    if qc.missing():
        print(f"SKIP: {qc.missing()} is not installed")
        return 77
    total = 0
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: encode(name, suffix, *how, pathlib.Path(folder))
                 for (name, suffix), how in SOUNDS.items()}
        found = qc.messages(launch(paths))
        for name, path in paths.items():
            mine, peer = ours(found[name]["vyre-event"]), theirs(path)
            total += mine != peer
            print(f"{name:12} {len(peer[0])} silences{'' if mine == peer else f': {mine}, of ffmpeg {peer}'}")
    print(f"{len(SOUNDS)} sounds, {total} differences")
    return total != 0


if __name__ == "__main__":
    sys.exit(main())
