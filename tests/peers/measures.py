# SPDX-License-Identifier: LGPL-2.1-or-later
"""What ffmpeg's filters print of a frame, from ffmpeg and from the results of builtin:video-qc."""
import dataclasses
import re
import struct
import subprocess

CUT = 10.0  # the threshold of scdet


@dataclasses.dataclass(frozen=True)
class Borders:
    """The options of cropdetect."""

    limit: int  # of 255
    round: int
    skip: int
    reset: int

    def params(self):
        return (f"border={self.limit},border_round={self.round},border_skip={self.skip},"
                f"border_reset={self.reset},border_time=0")

    def filter(self):
        return (f"cropdetect=limit={self.limit}/255:round={self.round}:skip={self.skip}:"
                f"reset={self.reset}")


BORDERS = Borders(24, 16, 2, 0), Borders(64, 6, 0, 9)


def bins_of(result):
    return [result[f"bin-{i}"] for i in range(len(result))]


def percentile(bins, percent):
    """The first bin at which so many percent are counted, rounded to even as lrint() does."""
    least, counted = round(sum(bins) * percent / 100), 0
    for value, n in enumerate(bins):
        counted += n
        if counted >= least:
            return value
    return -1


def spread(name, bins):
    there = [value for value, n in enumerate(bins) if n]
    mean = sum(value * n for value, n in enumerate(bins)) / sum(bins)
    return {
        f"{name}MIN": f"{there[0]}",
        f"{name}LOW": f"{percentile(bins, 10)}",
        f"{name}AVG": f"{mean:g}",
        f"{name}HIGH": f"{percentile(bins, 90)}",
        f"{name}MAX": f"{there[-1]}",
    }


def signalstats(results, depth):
    found = {}
    for name, component in (("Y", "luma"), ("U", "u"), ("V", "v")):
        found |= spread(name, bins_of(results[component + "-histogram"]))
        difference = results[component + "-difference"]
        found[name + "DIF"] = f"{difference['sum'] / max(difference['count'], 1):g}"
    found |= spread("SAT", bins_of(results["saturation"]))
    hue = bins_of(results["hue"])
    counted = 0
    for angle, n in enumerate(hue):
        counted += n
        if counted > sum(hue) // 2:
            found["HUEMED"] = f"{angle}"
            break
    found["HUEAVG"] = f"{sum(angle * n for angle, n in enumerate(hue)) / sum(hue):g}"
    if depth == 8:  # of deeper samples ffmpeg looks at the lower bits alone
        found["TOUT"] = f"{results['outliers'] / results['luma']['count']:g}"
    found["BRNG"] = f"{results['out-of-range'] / results['luma']['count']:g}"
    return found


def single(number):
    return struct.unpack("f", struct.pack("f", number))[0]


def scenes(frames, depth):
    """scdet of all frames of a stream."""
    before = 0.0
    for results in frames:
        luma = results["luma-difference"]
        mafd, score = before, 0.0
        if luma["count"]:
            mafd = luma["sum"] * 100.0 / luma["count"] / (1 << depth)
            score = single(min(max(min(mafd, abs(mafd - before)), 0.0), 100.0))
        before = mafd
        yield {"mafd": f"{mafd:.3f}", "score": f"{score:.3f}", "cut": f"{score >= CUT}"}


def ours(frames, rows, depth):
    found = []
    for results, scene in zip(frames, scenes(frames, depth)):
        found.append(signalstats(results, depth) | scene)
        found[-1]["VREP"] = f"{results['repeats'] / rows:g}"
    return found


def theirs(path, options, borders):
    """The measures of each frame by ffmpeg, and the starts and ends of intervals, of 2 s and more,
    that are black or frozen."""
    filters = (f"signalstats=stat=tout+vrep+brng,scdet=t={CUT},blackdetect,freezedetect,"
               f"{borders.filter()},metadata=print:file=-")
    run = subprocess.run(
        ["ffmpeg", *options, "-nostdin", "-v", "info", "-nostats", "-i", str(path),
         "-fps_mode", "passthrough", "-vf", filters, "-f", "null", "-"],
        check=True, capture_output=True, text=True)
    frames = []
    for line in run.stdout.splitlines():
        if line.startswith("frame:"):
            frames.append({"cut": "False"})
            continue
        name, value = line.split("=")
        if name == "lavfi.scd.time":
            frames[-1]["cut"] = "True"
        elif name.startswith(("lavfi.signalstats.", "lavfi.scd.", "lavfi.cropdetect.")):
            frames[-1][name.rsplit(".", 1)[1]] = value
    return frames, {
        name: tuple(re.findall(name + r"_" + state + r": ?([0-9.e-]+)", run.stderr)
                    for state in ("start", "end"))
        for name in ("black", "freeze")
    }
