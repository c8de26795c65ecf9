# SPDX-License-Identifier: LGPL-2.1-or-later
"""Decoded frames: their planes as GStreamer lays them out, and as ffmpeg does, without padding."""
import array
import hashlib
import subprocess


def up(n, to):
    return (n + to - 1) // to * to


def planes(pix_fmt, width, height):
    """Yields bytes in a row, rows, stride and padded rows of each plane of a GStreamer frame."""
    if pix_fmt == "uyvy422":
        yield 4 * up(width, 2) // 2, height, 4 * up(width, 2) // 2, height
        return
    pix_fmt = pix_fmt.replace("yuvj", "yuv")
    deep = 2 if pix_fmt.endswith("10le") else 1
    across = 1 if "444" in pix_fmt else 2
    down = 2 if "420" in pix_fmt else 1
    yield width * deep, height, up(width * deep, 4), up(height, down)
    chroma = -(-width // across) * deep, -(-height // down)
    stride = up(up(width, across) * deep // across, 4)
    for _ in "uv":
        yield chroma[0], chroma[1], stride, chroma[1]


def digests_of_v210(data, width, height):
    """The same of frames of v210, where ffmpeg has planes of 16 bits."""
    stride = up(width, 48) // 6 * 16
    if len(data) % (stride * height):
        return None
    digests = []
    for frame in range(0, len(data), stride * height):
        planes = [array.array("H") for _ in "yuv"]
        for row in range(frame, frame + stride * height, stride):
            words = array.array("I", data[row : row + stride])
            samples = [word >> shift & 1023 for word in words for shift in (0, 10, 20)]
            for plane, first, step in zip(planes, (1, 0, 2), (2, 4, 4)):
                plane.extend(samples[first : 2 * width : step])
        digests.append(hashlib.md5(b"".join(plane.tobytes() for plane in planes)).hexdigest())
    return digests


def digests_of_padded(data, pix_fmt, width, height):
    """The digest of each frame that GStreamer wrote; None for data of another size."""
    layout = list(planes(pix_fmt, width, height))
    size = sum(stride * rows for _, _, stride, rows in layout)
    if len(data) % size:
        return None
    digests = []
    for frame in range(0, len(data), size):
        digest, at = hashlib.md5(), frame
        for length, rows, stride, all_rows in layout:
            for row in range(rows):
                digest.update(data[at + row * stride : at + row * stride + length])
            at += all_rows * stride
        digests.append(digest.hexdigest())
    return digests


def digests_of_ffmpeg(path):
    out = subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-fps_mode", "passthrough",
         "-f", "framemd5", "-"], check=True, capture_output=True, text=True).stdout
    return [line.split(",")[-1].strip() for line in out.splitlines() if not line.startswith("#")]


def probe(path):
    """The pixel format, width and height of a file's video."""
    out = subprocess.run(
        ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries",
         "stream=pix_fmt,width,height", "-of", "csv=p=0", str(path)],
        check=True, capture_output=True, text=True).stdout.split("\n")[0].split(",")
    return out[2], int(out[0]), int(out[1])
