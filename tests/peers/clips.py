# SPDX-License-Identifier: LGPL-2.1-or-later
"""Short encoded clips, as ffmpeg makes them, with what quality control looks for."""
import dataclasses
import os
import subprocess


@dataclasses.dataclass(frozen=True)
class Clip:
    name: str
    source: str  # a graph of lavfi
    encode: str  # options of ffmpeg
    suffix: str
    v210: bool = False  # GStreamer decodes frames of v210, ffmpeg of yuv422p10le
    narrow: bool = False  # ffmpeg's code for x86 adds up bytes beside rows of less than 32 samples


MOVING = "testsrc2=s={s}:r={r}:d={d}"
FRACTAL = "mandelbrot=s={s}:r={r},trim=duration={d}"
BLACK = "color=black:s={s}:r={r}:d={d}"
NOISE = ",noise=alls={n}:allf=t"


def moving(s="160x120", r=25, d=1):
    return MOVING.format(s=s, r=r, d=d)


def fractal(s="160x120", r=25, d=1):
    return FRACTAL.format(s=s, r=r, d=d)


def odd(width, height):
    """The test source itself makes even sizes alone."""
    return moving("192x128") + f",format=yuv444p,scale={width}:{height}"


def black(s="160x120", r=25, d=1):
    return BLACK.format(s=s, r=r, d=d)


def noisy(source, n=40):
    return source + NOISE.format(n=n)


def joined(*sources):
    """One source behind the other."""
    parts = [f"{source},setsar=1,format=yuv420p[p{i}]" for i, source in enumerate(sources)]
    return ";".join(parts) + ";" + "".join(f"[p{i}]" for i in range(len(sources))) + (
        f"concat=n={len(sources)}")


X264 = "-c:v libx264 -preset veryfast"
X265 = "-c:v libx265 -preset ultrafast -x265-params log-level=none:pools=1"

EVENTS = (
    Clip("fade-out", moving(d=3) + ",fade=out:st=0.4:d=0.4", X264, "mp4"),
    Clip("fade-in", moving(d=3) + ",fade=in:st=2.2:d=0.6", X264, "mkv"),
    Clip("fade-white", moving(d=2) + ",fade=out:st=0.5:d=1:color=white", X264, "mp4"),
    Clip("cut", joined(moving(), fractal(), noisy(moving())), X264, "mp4"),
    Clip("cut-to-black", joined(fractal(d=0.4), black(d=2.4), moving(d=0.4)), X264, "mkv"),
    Clip("cut-10", joined(moving(d=0.4), black(d=2.2), fractal(d=0.4)),
         X264 + " -pix_fmt yuv420p10le", "mkv"),
    Clip("black", black(d=3), X264, "mp4"),
    Clip("black-twice", joined(black(d=2.1, r=10), moving(d=0.5, r=10), black(d=2.1, r=10)), X264,
         "mp4"),
    Clip("black-short", joined(moving(d=0.5), black(d=1.9), moving(d=0.4)), X264, "mkv"),
    Clip("black-2s", joined(moving(d=0.4), black(d=2), moving(d=0.4)), X264, "mkv"),
    Clip("black-noise", noisy(black(d=3), 12), X264 + " -qp 20", "mp4"),
    Clip("freeze", moving(d=0.6) + ",tpad=stop_mode=clone:stop_duration=2.2", X264, "mp4"),
    Clip("freeze-lossless", moving(d=0.6) + ",tpad=stop_mode=clone:stop_duration=2.2",
         "-c:v ffv1", "mkv"),
    Clip("flash", moving(d=1.5) + ",geq=lum='if(mod(N,7),lum(X,Y),235)':cb=128:cr=128", X264,
         "mp4"),
    Clip("flat", "color=white:s=128x96:d=1", X264, "mp4"),
    Clip("letterbox", fractal("160x68", d=1.5) + ",pad=160:120:0:26", X264, "mp4"),
    Clip("pillarbox", moving("120x120", d=1) + ",pad=200:120:40:0", X264, "mkv"),
    Clip("windowbox", moving("90x62") + ",pad=160:120:32:28", "-c:v ffv1", "mkv"),
    Clip("growing-box", black() + ",geq=lum='if(between(X,70-2*N,72+3*N)*between(Y,60-N,60+2*N),"
         "200,16)':cb=128:cr=128", "-c:v ffv1", "mkv"),
    Clip("slope-10", black() + ",format=yuv420p10le,geq=lum='2*X+2*Y+mod(5*N,7)':cb=512:cr=512",
         "-c:v ffv1 -pix_fmt yuv420p10le", "mkv"),
    Clip("one-row", black("176x100") + ",drawbox=y=50:h=1:c=white:t=fill:enable='lt(n,8)'"
         ",drawbox=y=30:h=1:c=white:t=fill:enable='gte(n,8)'", "-c:v ffv1", "mkv"),
    Clip("subtitles", fractal("160x68") + ",pad=160:120:0:26,"
         "drawbox=x=50:y=100:w=60:h=8:c=white:t=fill:enable='between(n,6,12)'", X264, "mp4"),
    Clip("noise", noisy(moving(), 100), X264, "mp4"),
    Clip("dropouts", moving() + ",drawbox=y=60:h=1:color=white:t=fill:enable='mod(n,5)'", X264,
         "mp4"),
    Clip("repeated-rows", moving("160x60") + ",scale=160:120:flags=neighbor", "-c:v ffv1", "mkv"),
    Clip("full-chroma", "rgbtestsrc=s=160x120:d=1", X264, "mp4"),
    Clip("out-of-range", moving() + ",lutyuv=y=clip(val*1.3-30\\,0\\,255):u=255-val", "-c:v ffv1",
         "mkv"),
)

TIMES = (
    Clip("variable", moving(d=3) + ",select='mod(n,7)*mod(n,3)'", X264 + " -fps_mode vfr", "mkv"),
    Clip("variable-black", black(d=3) + ",select='mod(n,4)'", X264 + " -fps_mode vfr", "mkv"),
    Clip("gap", moving(d=3) + ",select='lt(t,0.6)+gt(t,2.2)'", X264 + " -fps_mode vfr", "mp4"),
    Clip("ntsc", moving("176x120", r="30000/1001", d=1.5), X264, "mp4"),
    Clip("elementary", joined(moving(d=0.4), black(d=2.4)), X264, "h264"),
    Clip("elementary-265", moving(), X265, "hevc"),
    Clip("transport", joined(moving(d=0.4), black(d=2.4)), X264, "ts"),
    Clip("avi-b-frames", moving(d=1.5), "-c:v mpeg4 -bf 2 -q:v 4", "avi"),
)

FORMATS = (
    Clip("interlaced", moving("176x144", r=50) + ",tinterlace=interleave_top",
         X264 + " -flags +ildct+ilme", "mp4"),
    Clip("interlaced-mpeg2", moving("176x144", r=50) + ",tinterlace=interleave_bottom",
         "-c:v mpeg2video -flags +ildct+ilme -q:v 5", "ts"),
    Clip("interlaced-10", noisy(moving("176x144", r=50)) + ",tinterlace=interleave_top",
         X264 + " -flags +ildct+ilme -pix_fmt yuv422p10le", "mkv"),
    Clip("v210", noisy(odd(166, 121)), "-c:v v210 -pix_fmt yuv422p10le", "mov", v210=True),
    Clip("v210-interlaced", fractal("192x120", r=50) + ",tinterlace=interleave_bottom",
         "-c:v v210 -pix_fmt yuv422p10le -flags +ildct", "mkv", v210=True),
    Clip("uyvy", noisy(odd(166, 121)), "-c:v rawvideo -pix_fmt uyvy422", "mov"),
    Clip("high-10", noisy(fractal()), X264 + " -pix_fmt yuv420p10le", "mkv"),
    Clip("high-422", fractal(), X264 + " -pix_fmt yuv422p", "mp4"),
    Clip("high-422-10", moving(), X264 + " -pix_fmt yuv422p10le", "mp4"),
    Clip("high-444", moving(), X264 + " -pix_fmt yuv444p", "mp4"),
    Clip("main", noisy(moving()), X265, "mp4"),
    Clip("main-10", noisy(moving()), X265 + " -pix_fmt yuv420p10le", "mp4"),
    Clip("vp8-odd", noisy(odd(177, 101)), "-c:v libvpx -deadline realtime -b:v 1M", "webm"),
    Clip("vp9-odd", odd(177, 101), "-c:v libvpx-vp9 -deadline realtime -cpu-used 8", "webm"),
    Clip("vp9-444", moving(d=0.5),
         "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -pix_fmt yuv444p", "webm"),
    Clip("av1", moving(d=0.5), "-c:v libsvtav1 -preset 12", "mkv"),
    Clip("ffv1-odd", noisy(odd(161, 121)), "-c:v ffv1 -pix_fmt yuv420p", "mkv"),
    Clip("ffv1-tiny", noisy(odd(17, 13)), "-c:v ffv1 -pix_fmt yuv444p", "mkv", narrow=True),
    Clip("ffv1-odd-10", noisy(odd(161, 121)), "-c:v ffv1 -pix_fmt yuv420p10le", "mkv"),
    Clip("ffv1-422-10", noisy(odd(163, 120)), "-c:v ffv1 -pix_fmt yuv422p10le", "mkv"),
    Clip("ffv1-444-10", noisy(odd(99, 77)), "-c:v ffv1 -pix_fmt yuv444p10le", "mkv"),
    Clip("mpeg1", moving("176x144"), "-c:v mpeg1video -q:v 6", "mpg"),
    Clip("mpeg2-422", fractal("176x144"), "-c:v mpeg2video -q:v 3 -pix_fmt yuv422p", "ts"),
    Clip("mpeg4", odd(177, 101), "-c:v mpeg4 -q:v 3", "mp4"),
    Clip("mjpeg", moving(), "-c:v mjpeg -q:v 3 -pix_fmt yuvj420p", "mov"),
    Clip("mjpeg-444", odd(161, 121), "-c:v mjpeg -q:v 3 -pix_fmt yuvj444p", "mov"),
    Clip("prores", fractal(d=0.6), "-c:v prores_ks -profile:v 2", "mov"),
    Clip("dnxhd", fractal("1280x720", d=0.2), "-c:v dnxhd -b:v 75M -pix_fmt yuv422p", "mov"),
    Clip("huffyuv", noisy(moving()), "-c:v huffyuv -pix_fmt yuv422p", "avi"),
    Clip("flv", moving(), "-c:v flv -q:v 4", "flv"),
    Clip("h263", moving("176x144"), "-c:v h263 -q:v 4", "avi"),
    Clip("large", noisy(fractal("1280x720", d=0.2)), X264, "mp4"),
)

CLIPS = EVENTS + TIMES + FORMATS


def encode(clip, folder):
    """Makes the file of a clip, and returns its path."""
    path = folder / f"{clip.name}.{clip.suffix}"
    command = ["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", clip.source]
    command += clip.encode.split()
    if "-pix_fmt" not in clip.encode:
        command += ["-pix_fmt", "yuv420p"]
    env = dict(os.environ, SVT_LOG="1")  # errors alone, of libsvtav1
    subprocess.run([*command, "-threads", "1", str(path)], check=True, env=env)
    return path
