#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""unixfd.py: frames that vyrefilter passes on reach another process through unixfdsink and unixfdsrc
with their results, if that process knows the meta: from the plugin, or by its name alone."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

META = "GstVyreResultsMeta"
BUFFERS = 3
SENDER = (f"videotestsrc num-buffers={BUFFERS} pattern=ball ! video/x-raw,format=I420,width=64,height=48 ! "
          "vyrefilter output-mode=passthrough results-interval=0 program=builtin:frame-stats ! "
          "unixfdsink wait-for-connection=true sync=false socket-path=")


def receive(socket, way):
    """The other process: prints the fields of each meta that comes."""
    import gi
    gi.require_version("Gst", "1.0")
    from gi.repository import Gst

    def show(pad, info):
        meta = info.get_buffer().get_custom_meta(META)
        print(meta.get_structure().to_string() if meta else "nothing", flush=True)
        return Gst.PadProbeReturn.OK

    Gst.init(None)
    if way == "plugin":
        assert Gst.Plugin.load_by_name("vyre")
    elif way == "name":
        Gst.Meta.register_custom_simple(META)
    pipeline = Gst.parse_launch(f"unixfdsrc socket-path={socket} ! fakesink name=sink sync=false")
    sink = pipeline.get_by_name("sink").get_static_pad("sink")
    sink.add_probe(Gst.PadProbeType.BUFFER, show)
    pipeline.set_state(Gst.State.PLAYING)
    end = pipeline.get_bus().timed_pop_filtered(60 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
    assert end and end.type == Gst.MessageType.EOS, end and end.parse_error()
    pipeline.set_state(Gst.State.NULL)


def transmit(way):
    """The fields of the messages of the sender, and what the receiver prints."""
    with tempfile.TemporaryDirectory() as folder:
        socket = pathlib.Path(folder, "socket")
        arguments = ["gst-launch-1.0", "-m", *f"{SENDER}{socket}".split()]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as sender:
            while not socket.exists():
                assert sender.poll() is None, "the sender ended"
            receiver = subprocess.run([sys.executable, __file__, str(socket), way], check=True,
                                      capture_output=True, text=True, timeout=100)
            log = sender.communicate(timeout=60)[0]
        assert sender.returncode == 0, log
    return re.findall(r"\(element\): vyre-results(, .*;)$", log, re.MULTILINE), receiver.stdout.splitlines()


def main():
    for way in ("plugin", "name"):
        sent, received = transmit(way)
        assert len(sent) == BUFFERS, sent
        assert received == [META + fields for fields in sent], (way, sent, received)
    assert transmit("unknown")[1] == ["nothing"] * BUFFERS


if __name__ == "__main__":
    receive(*sys.argv[1:]) if len(sys.argv) > 1 else main()
