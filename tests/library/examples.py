#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""examples.py EXAMPLES BUILD [VALAC]: the examples in other languages print what they should.

Those in Python run with PyGObject alone, and those that use what the overrides of GStreamer replace,
messages and maps, again with these where they are installed. An example whose language is not there is left out; one whose packages tests/setup.sh
installs has to run where CI is true."""
import asyncio
import importlib.util
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading

PLAIN = "import runpy, sys; sys.modules['gi.overrides.Gst'] = None; sys.argv = sys.argv[1:]; " \
    "runpy.run_path(sys.argv[0], run_name='__main__')"
RATE = 10
# Pictures of each scene; the first two last longer than the 2 s of black and freeze
SCENES = [("black", 21), ("smpte75", 25), ("snow", 5)]
SOURCE = "videotestsrc pattern=white num-buffers=10 ! video/x-raw,format=GRAY8 ! " \
    "vyrefilter program=builtin:frame-stats results-location=- ! fakesink"
MEANS = [f"{n} 235 levels" for n in range(1, 11)]


def run(*command, stdin=None):
    done = subprocess.run([*map(str, command)], stdin=stdin, capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout.splitlines()


def same(what, expected, found):
    assert expected == found, f"{what} prints {found}, not {expected}"


def leave_out(what, package, needed):
    if needed and os.environ.get("CI") == "true":
        sys.exit(f"FAIL: {what} needs {package}. Fix: tests/setup.sh suite")
    print(f"left out: {what}, without {package}")


def has_module(name):
    return importlib.util.find_spec(name) is not None


def make_film(path):
    caps = f"video/x-raw,format=I420,width=64,height=48,framerate={RATE}/1"
    scenes = [f"videotestsrc pattern={pattern} num-buffers={n} ! {caps} ! film."
              for pattern, n in SCENES]
    run("gst-launch-1.0", "-q",
        *f"concat name=film ! matroskamux ! filesink location={path} {' '.join(scenes)}".split())


def expect_events():
    """Black and freezes last as long as their scenes, cuts one picture."""
    black, still = SCENES[0][1], SCENES[0][1] + SCENES[1][1]
    events = [(0, "black start"), (black, "black end"), (0, "freeze start"), (black, "freeze end"),
              (black, "freeze start"), (still, "freeze end"), (black, "cut start"),
              (black + 1, "cut end"), (still, "cut start"), (still + 1, "cut end")]
    return sorted(f"{at / RATE:.3f} {event}" for at, event in events)


def check_arrays(lines):
    assert len(lines) == 12, lines
    for line in lines:
        kernel, numpy, *unit = line.split()
        assert kernel == numpy, line
        assert unit in ([], ["levels"], ["samples"]), line


def check_python(python, folder):
    """Runs the scripts about messages and maps by the command @python."""
    same("bus.py", ["a: 10 results", "b: 20 results"], sorted(run(*python, folder / "bus.py")))
    if has_module("numpy"):
        same("view.py", ["pixels of 235 are 3072", "same memory"], run(*python, folder / "view.py"))
    else:
        leave_out("view.py", "python3-numpy", True)


def check_films(python, folder, work):
    """Runs the others."""
    make_film(work / "film")
    same("events.py", expect_events(), sorted(run(*python, folder / "events.py", work / "film")))
    if has_module("numpy"):
        check_arrays(run(*python, folder / "arrays.py"))
    else:
        leave_out("arrays.py", "python3-numpy", True)
    if has_module("matplotlib"):
        run(*python, folder / "timeline.py", work / "film", work / "picture.png")
        assert (work / "picture.png").read_bytes().startswith(b"\x89PNG")
    else:
        leave_out("timeline.py", "python3-matplotlib", False)


def check_lines(folder, work):
    """A table has all digits of a sum, and a file that was cut is none."""
    if not has_module("pandas"):
        leave_out("frames.py", "python3-pandas", True)
        return
    lines = run("gst-launch-1.0", "-q", *SOURCE.split())
    wide = 2 ** 60 + 1  # no double is this
    lines[0] = json.dumps({**json.loads(lines[0]), "luma": {"count": 1, "sum": wide}})
    for name, n in (("table", len(lines)), ("cut-table", len(lines) - 1)):
        (work / name).write_text("".join(f"{line}\n" for line in lines[:n]))
    rows = [line.split() for line in run(sys.executable, folder / "frames.py", work / "table")]
    size = json.loads(lines[1])["luma"]["count"]
    same("frames.py", [["1", str(wide)], *([str(n), str(235 * size)] for n in range(2, 11))],
         [row[:2] for row in rows])
    same("frames.py", [235.0] * 9, [float(row[2]) for row in rows[1:]])
    done = subprocess.run([sys.executable, folder / "frames.py", work / "cut-table"],
                          capture_output=True, timeout=60, check=False)
    assert done.returncode == 1 and b"was cut" in done.stderr, done


class Loop(asyncio.SelectorEventLoop):
    """Counts the calls that a file descriptor causes."""
    calls = 0

    def add_reader(self, fd, callback, *args):
        def counted():
            self.calls += 1
            callback(*args)

        return super().add_reader(fd, counted)


async def turn_loop():
    for _ in range(100):
        await asyncio.sleep(0)


async def watch_bus(messages, Gst):
    """A bus costs the loop nothing while it has no message, nor while nobody waits for one."""
    loop, bus = asyncio.get_running_loop(), Gst.Bus.new()
    stream = messages(bus)
    waiting = asyncio.ensure_future(stream.__anext__())
    await turn_loop()
    assert not waiting.done() and loop.calls == 0, loop.calls
    for name in ("first", "second"):
        bus.post(Gst.Message.new_application(None, Gst.Structure.new_empty(name)))
        same("the bus", name, (await waiting).get_structure().get_name())
        calls = loop.calls
        bus.post(Gst.Message.new_application(None, Gst.Structure.new_empty("kept")))
        await turn_loop()
        assert 0 < loop.calls == calls <= 4, (calls, loop.calls)
        same("the bus", "kept", (await stream.__anext__()).get_structure().get_name())
        waiting = asyncio.ensure_future(stream.__anext__())
        await turn_loop()
    waiting.cancel()
    assert threading.active_count() == 1


def check_bus(path):
    spec = importlib.util.spec_from_file_location("bus", path)
    module = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode = True  # the sources stay as they are
    spec.loader.exec_module(module)
    module.Gst.init(None)
    loop = Loop()
    loop.run_until_complete(watch_bus(module.messages, module.Gst))
    loop.close()


def check_lua(folder):
    lua = next(filter(None, map(shutil.which, ("lua5.3", "lua5.4", "lua5.1", "lua"))), None)
    if lua and subprocess.run([lua, "-e", "require 'lgi'"], capture_output=True,
                              check=False).returncode == 0:
        same("messages.lua", MEANS, run(lua, folder / "messages.lua"))
    else:
        leave_out("messages.lua", "lua5.3 and lua-lgi", True)


def check_ruby(folder):
    ruby = shutil.which("ruby")
    if ruby and subprocess.run([ruby, "-e", "require 'gst'"], capture_output=True,
                               check=False).returncode == 0:
        same("messages.rb", MEANS, run(ruby, folder / "messages.rb"))
    else:
        leave_out("messages.rb", "ruby-gstreamer", False)


def check_javascript(folder, work):
    node = shutil.which("node")
    if not node:
        leave_out("messages.js", "nodejs", False)
        return
    lines = run("gst-launch-1.0", "-q", *SOURCE.split())
    for name, n in (("whole", len(lines)), ("cut", len(lines) - 1)):
        (work / name).write_text("".join(f"{line}\n" for line in lines[:n]))
    with open(work / "whole", encoding="utf-8") as whole:
        same("messages.js", [f"{n} 235" for n in range(1, 11)],
             run(node, folder / "messages.js", stdin=whole))
    with open(work / "cut", encoding="utf-8") as cut:
        done = subprocess.run([node, folder / "messages.js"], stdin=cut, capture_output=True,
                              timeout=60, check=False)
    assert done.returncode == 1 and b"was cut" in done.stderr, done


def check_vala(folder, build, work, valac):
    library = build / "library"
    if not valac:
        leave_out("messages.vala", "valac", True)
        return
    run(valac, "--output", work / "messages", "--directory", work, "--vapidir", library,
        "--pkg", "gstreamer-1.0", "--pkg", "gstreamer-vyre-1.0", "-X", "-w",
        "-X", f"-I{folder.parent.parent / 'library'}", "-X", f"-L{library}", "-X", "-lgstvyre-1.0",
        folder / "messages.vala")
    same("messages.vala", MEANS, run(work / "messages"))


def main():
    folder, build, *valac = map(pathlib.Path, sys.argv[1:])
    with tempfile.TemporaryDirectory() as path:
        work = pathlib.Path(path)
        plain = [sys.executable, "-c", PLAIN]
        check_films(plain, folder / "python", work)
        check_python(plain, folder / "python")
        if has_module("gi.overrides.Gst"):
            check_python([sys.executable], folder / "python")
        else:
            leave_out("Python with overrides", "python3-gst-1.0", True)
        check_lines(folder / "python", work)
        check_bus(folder / "python" / "bus.py")
        check_lua(folder)
        check_ruby(folder)
        check_javascript(folder, work)
        check_vala(folder, build, work, valac[0] if valac else None)


main()
