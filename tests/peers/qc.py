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

DEPTHS = {True: 10, False: 8}
DECODERS = "avdec_mjpeg:MAX,avdec_mpeg2video:MAX,avdec_vp8:NONE,avdec_vp9:NONE"
LIMIT = 900  # seconds


def borders_of(name):
    """The options of cropdetect for a clip: those of every other clip are not its defaults."""
    return measures.BORDERS[[clip.name for clip in clips.CLIPS].index(name) % 2]


def launch(paths, folder):
    """Runs all files through one process, and returns what it prints. Decoders use memory of their
    own: frames of all of them would not fit into that of one kernel."""
    command = ["gst-launch-1.0", "--no-fault", "-m"]
    for name, path in paths.items():
        command += (f"filesrc location={path} ! decodebin ! video/x-raw ! "
                    f"identity drop-allocation=true ! tee name=tee-{name} ! queue ! "
                    f"vyrefilter name={name} program=builtin:video-qc results-interval=0 "
                    f"params=params,{borders_of(name).params()} ! "
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


def edges_after(results, width, height):
    """The edges that cropdetect has seen up to each frame but the last, as the next one says."""
    for result in results[1:]:
        yield {"x1": f"{width - 1 - result['border-left']}", "x2": f"{result['border-right']}",
               "y1": f"{height - 1 - result['border-top']}", "y2": f"{result['border-bottom']}"}


def intervals_of_crops(times, peer, borders, width, height):
    """When frames have borders and one crop: start, end, and x, y, width and height."""
    found = []
    for time, frame in zip(times, peer):
        crop = {name: int(frame.get(name, 0)) for name in ("x", "y", "w", "h")}
        edges = [int(frame.get(name, 0)) for name in ("x1", "y1", "x2", "y2")]
        there = min(crop["w"], crop["h"]) >= borders.round
        there = there and edges != [0, 0, width - 1, height - 1]
        if found and found[-1][1] is None and (not there or found[-1][2] != crop):
            found[-1][1] = time
        if there and (not found or found[-1][1] is not None):
            found.append([time, None, crop])
    return [(start, times[-1] if end is None else end, tuple(crop.values()))
            for start, end, crop in found]


def compare_borders(found, peer, borders, width, height):
    """Yields a text for each frame with other edges, and for each interval of another crop."""
    results = found["vyre-results"]
    if "border-top" not in results[0]:
        return
    for i, edges in enumerate(edges_after(results, width, height)):
        theirs = {name: peer[i].get(name) for name in edges}
        if i >= borders.skip and edges != theirs:
            yield f"frame {i}: edges {edges}, of ffmpeg {theirs}"
    events = [event for event in found["vyre-event"] if event["event"] == "borders"]
    crops = [(start["timestamp"], end["timestamp"], tuple(start["values"].values()))
             for start, end in zip(events[::2], events[1::2])]
    wanted = intervals_of_crops(
        [result["timestamp"] for result in results], peer, borders, width, height)
    if crops != wanted or any(event["values"] != events[i - i % 2]["values"]
                              for i, event in enumerate(events)):
        yield f"borders are {crops}, of ffmpeg {wanted}"


def compare_frames(mine, peer):
    """Yields a text for each number that differs."""
    if len(mine) != len(peer):
        yield f"{len(mine)} frames, of ffmpeg {len(peer)}"
    for i, (a, b) in enumerate(zip(mine, peer)):
        for name, value in a.items():
            if b.get(name) != value:
                yield f"frame {i}: {name} is {value}, of ffmpeg {b.get(name)}"


def count_starts(found, name):
    return sum(event["event"] == name and event["state"] == "start"
               for event in found["vyre-event"])


def check(clip, path, folder, found):
    """Prints the line of a clip, and returns how many differences there are."""
    pix_fmt, width, height = frames.probe(path)
    depth = DEPTHS[pix_fmt.endswith("10le")]
    raw = (folder / f"{clip.name}.raw").read_bytes()
    decoded = (frames.digests_of_v210(raw, width, height) if clip.v210 else
               frames.digests_of_padded(raw, pix_fmt, width, height))
    wanted = frames.digests_of_ffmpeg(path)
    differences = []
    if decoded != wanted:
        differences.append(f"GStreamer decodes other frames: {len(decoded or [])} of {len(wanted)}")
    mine = measures.ours(found["vyre-results"], height, depth)
    peer, events = measures.theirs(
        path, ["-cpuflags", "0"] if clip.narrow else [], borders_of(clip.name))
    differences += compare_frames(mine, peer)
    differences += compare_events(found, mine, events)
    differences += compare_borders(found, peer, borders_of(clip.name), width, height)
    cuts = sum(frame["cut"] == "True" for frame in mine)
    print(f"{clip.name:18} {pix_fmt:12} {width}x{height}: {len(mine)} frames, {cuts} cuts, "
          f"{len(events['black'][0])} black, {len(events['freeze'][0])} frozen, {count_starts(found, 'borders')} crops, "
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
