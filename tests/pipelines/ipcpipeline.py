#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ipcpipeline.py: readbacks reach another process through ipcpipelinesink and ipcpipelinesrc, where
vyrereadbackparse gives them the results that vyrefilter posted, of the same types. Buffers that pass
through vyrefilter arrive as they are, but for their metas, which these elements do not send."""
import json
import re
import socket
import subprocess
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

BUFFERS = 3
SENDER = (f"videotestsrc num-buffers={BUFFERS} pattern=ball ! video/x-raw,format=I420,width=64,height=48 ! "
          "vyrefilter name=filter output-mode={mode} results-interval=0 program=builtin:frame-stats ! "
          "ipcpipelinesink fdin={fd} fdout={fd}")
UNKNOWN = {"payload-bytes", "processed-bytes"}  # to who has the readback alone
PROGRAM = r"[\\ ]*program\\*=[^,]*,"  # which the caps of a readback have, and those in messages do not


def fields(structure):
    """The fields of a structure, each with its type, as text."""
    names = [structure.nth_field_name(i) for i in range(structure.n_fields())]
    texts = {}
    for name in names:
        alone = structure.copy()
        for other in names:
            if other != name:
                alone.remove_field(other)
        texts[name] = re.sub(PROGRAM, "", alone.to_string().split(", ", 1)[1])
    return texts


def receive(fd, mode):
    """The other process: prints what comes, until its standard input ends."""
    ended = threading.Event()

    def show(pad, info):
        event = info.get_event() if info.type & Gst.PadProbeType.EVENT_DOWNSTREAM else None
        if event:
            if event.type == Gst.EventType.EOS:
                ended.set()
            return Gst.PadProbeReturn.OK
        buffer = info.get_buffer()
        meta = buffer.get_custom_meta("GstVyreResultsMeta")
        print(json.dumps({"pts": buffer.pts, "size": buffer.get_size(),
                          "results": fields(meta.get_structure()) if meta else None}), flush=True)
        return Gst.PadProbeReturn.OK

    pipeline = Gst.ElementFactory.make("ipcslavepipeline")
    names = ["ipcpipelinesrc", *(["vyrereadbackparse"] if mode == "readback" else []), "fakesink"]
    elements = [Gst.ElementFactory.make(name) for name in names]
    for element in elements:
        pipeline.add(element)
    for element, following in zip(elements, elements[1:]):
        assert element.link(following)
    elements[0].set_property("fdin", int(fd))
    elements[0].set_property("fdout", int(fd))
    pad = elements[-1].get_static_pad("sink")
    pad.add_probe(Gst.PadProbeType.BUFFER | Gst.PadProbeType.EVENT_DOWNSTREAM, show)
    sys.stdin.read()
    assert ended.is_set(), "the stream did not end here"
    pipeline.set_state(Gst.State.NULL)


def send(fd, mode):
    """Returns the fields of each message with results."""
    pipeline = Gst.parse_launch(SENDER.format(fd=fd, mode=mode))
    bus, sent = pipeline.get_bus(), []
    pipeline.set_state(Gst.State.PLAYING)
    while True:
        message = bus.timed_pop_filtered(
            60 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR | Gst.MessageType.ELEMENT)
        assert message, "the stream does not end"
        assert message.type != Gst.MessageType.ERROR, message.parse_error()
        if message.type == Gst.MessageType.EOS:
            break
        if message.has_name("vyre-results") and message.src.get_name() == "filter":
            sent.append(fields(message.get_structure()))
    pipeline.set_state(Gst.State.NULL)
    return sent


def transmit(mode):
    """What the sender posted, and what the receiver printed."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        arguments = [sys.executable, __file__, str(theirs.fileno()), mode]
        with subprocess.Popen(arguments, pass_fds=[theirs.fileno()], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as receiver:
            sent = send(ours.fileno(), mode)
            lines = receiver.communicate("", timeout=60)[0].splitlines()
        assert receiver.returncode == 0
    return sent, [json.loads(line) for line in lines]


def main():
    sent, received = transmit("readback")
    assert len(sent) == len(received) == BUFFERS, (sent, received)
    for posted, came in zip(sent, received):
        differing = {name for name in posted | came["results"]
                     if posted.get(name) != came["results"].get(name)}
        assert differing == UNKNOWN, [(posted.get(name), came["results"].get(name)) for name in differing]
    sent, received = transmit("passthrough")
    assert len(sent) == BUFFERS
    pictures = [{"pts": round(i * 1e9 / 30 - 0.5), "size": 64 * 48 * 3 // 2, "results": None} for i in range(BUFFERS)]
    assert received == pictures, received


if __name__ == "__main__":
    Gst.init(None)
    receive(*sys.argv[1:]) if len(sys.argv) > 1 else main()
