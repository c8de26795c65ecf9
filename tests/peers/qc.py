#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""qc.py: holds builtin:video-qc against ffmpeg's filters, on clips that ffmpeg encodes.

All clips run in one process, on one kernel. GStreamer has to decode the frames that ffmpeg decodes;
then each number that a filter prints of a frame, and each event, has to be the same.
Prints a line for each clip and for each difference, and fails if there is any difference.
"""
import collections
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

import clips
import frames
import measures

BLACK = 17  # the param of builtin:video-qc: samples below it are black
DEPTHS = {True: 10, False: 8}
DECODERS = "avdec_mjpeg:MAX,avdec_mpeg2video:MAX,avdec_vp8:NONE,avdec_vp9:NONE"
LIMIT = 900  # seconds


def launch(paths, folder):
    """Runs all files through one process, and returns what it prints. Decoders use memory of their
    own: frames of all of them would not fit into that of one kernel."""
    command = ["gst-launch-1.0", "--no-fault", "-m"]
    for name, path in paths.items():
        command += (f"filesrc location={path} ! decodebin ! video/x-raw ! "
                    f"identity drop-allocation=true ! tee name=tee-{name} ! queue ! "
                    f"vyrefilter name={name} program=builtin:video-qc results-interval=0 ! "
                    f"fakesink async=false tee-{name}. ! queue ! "
                    f"filesink async=false location={folder / name}.raw").split()
    env = dict(os.environ, GST_PLUGIN_FEATURE_RANK=DECODERS, LC_ALL="C")
    run = subprocess.run(command, env=env, capture_output=True, text=True, timeout=LIMIT)
    if run.returncode:
        sys.exit(f"FAIL: gst-launch-1.0 ends with {run.returncode}: {run.stderr[-2000:]}")
    return run.stdout


def number(text):
    return int(text) if re.fullmatch(r"-?\d+", text) else text


def messages(log):
    """The results and the events of each element, in order. A structure becomes a dict."""
    found = collections.defaultdict(lambda: {"vyre-results": [], "vyre-event": []})
    for line in log.splitlines():
        start = re.match(
            r'Got message #\d+ from element "([^"]*)" \(element\): (vyre-[a-z]+), ', line)
        if not start or start[2] not in ("vyre-results", "vyre-event"):
            continue
        text = re.sub(r"\([a-z0-9]+\)", "", line[start.end() :].replace("\\", ""))
        fields = {}
        for name, inner in re.findall(r'([a-z-]+)="[a-z-]+, ([^"]*);"', text):
            fields[name] = {k: number(v) for k, v in re.findall(r"([a-z0-9-]+)=([^,;]+)", inner)}
        text = re.sub(r'[a-z-]+="[^"]*;"', "", text)
        fields |= {k: number(v.strip('"')) for k, v in re.findall(r"([a-z-]+)=([^,;]+)", text)}
        found[start[1]][start[2]].append(fields)
    return found


def event_times(events, name, first):
    """When intervals start, and when they end, in seconds from the first frame, as ffmpeg prints
    them."""
    return tuple(
        [f"{(event['timestamp'] - first) / 1e9:g}" for event in events
         if event["event"] == name and event["state"] == state] for state in ("start", "end"))


def compare_events(found, mine, peer):
    """Yields a text for each kind of event that differs. Not all versions know freezes and cuts."""
    results, events = found["vyre-results"], found["vyre-event"]
    first = results[0]["timestamp"]
    names = ["black", "freeze"] if "luma-change" in results[0] else ["black"]
    for name in names:
        times = event_times(events, name, first)
        if times != peer[name]:
            yield f"{name} starts and ends at {times}, of ffmpeg {peer[name]}"
    if "luma-change" in results[0]:
        cuts = [frame["cut"] == "True" for frame in mine]
        begun = [cut and not before for cut, before in zip(cuts, [False] + cuts)]
        wanted = [f"{(result['timestamp'] - first) / 1e9:g}"
                  for result, begins in zip(results, begun) if begins]
        if event_times(events, "cut", first)[0] != wanted:
            yield f"cuts are at {event_times(events, 'cut', first)[0]}, of ffmpeg {wanted}"


def compare_frames(mine, peer):
    """Yields a text for each number that differs."""
    if len(mine) != len(peer):
        yield f"{len(mine)} frames, of ffmpeg {len(peer)}"
    for i, (a, b) in enumerate(zip(mine, peer)):
        for name, value in a.items():
            if b.get(name) != value:
                yield f"frame {i}: {name} is {value}, of ffmpeg {b.get(name)}"


def check(clip, path, folder, found):
    """Prints the line of a clip, and returns how many differences there are."""
    pix_fmt, width, height = frames.probe(path)
    depth = DEPTHS[pix_fmt.endswith("10le")]
    raw = (folder / f"{clip.name}.raw").read_bytes()
    decoded = frames.digests_of_padded(raw, pix_fmt, width, height)
    wanted = frames.digests_of_ffmpeg(path)
    differences = []
    if decoded != wanted:
        differences.append(f"GStreamer decodes other frames: {len(decoded or [])} of {len(wanted)}")
    mine = measures.ours(found["vyre-results"], height, depth)
    peer, events = measures.theirs(path, BLACK - 1, ["-cpuflags", "0"] if clip.narrow else [])
    differences += compare_frames(mine, peer)
    differences += compare_events(found, mine, events)
    cuts = sum(frame["cut"] == "True" for frame in mine)
    print(f"{clip.name:18} {pix_fmt:12} {width}x{height}: {len(mine)} frames, {cuts} cuts, "
          f"{len(events['black'][0])} black, {len(events['freeze'][0])} frozen, "
          f"{len(differences)} differences", flush=True)
    for text in differences[:20]:
        print(f"    {text}")
    return len(differences)


def missing():
    """What is not installed; None if all is there."""
    for tool in ("ffmpeg", "ffprobe", "gst-launch-1.0"):
        if not shutil.which(tool):
            return tool
    found = subprocess.run(["gst-inspect-1.0", "--exists", "avdec_h264"], check=False)
    return None if found.returncode == 0 else "gstreamer1.0-libav"


def main():
    if missing():
        print(f"SKIP: {missing()} is not installed")
        return 77
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        paths = {clip.name: clips.encode(clip, folder) for clip in clips.CLIPS}
        found = messages(launch(paths, folder))
        total = sum(check(clip, paths[clip.name], folder, found[clip.name]) for clip in clips.CLIPS)
    print(f"{len(clips.CLIPS)} clips, {total} differences")
    return total != 0


if __name__ == "__main__":
    sys.exit(main())
