#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""events.py FILM: prints when the picture is black, stands still or cuts to another."""
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

Gst.init(None)
pipeline = Gst.parse_launch(
    "filesrc name=film ! decodebin ! vyrefilter program=builtin:video-qc post-messages=events "
    "! fakesink"
)
pipeline.get_by_name("film").set_property("location", sys.argv[1])
pipeline.set_state(Gst.State.PLAYING)
bus = pipeline.get_bus()
kinds = Gst.MessageType.ELEMENT | Gst.MessageType.EOS | Gst.MessageType.ERROR
while True:
    message = bus.timed_pop_filtered(Gst.CLOCK_TIME_NONE, kinds)
    fields = message.get_structure()
    if message.type == Gst.MessageType.EOS:
        break
    if message.type == Gst.MessageType.ERROR:
        sys.exit(message.parse_error()[0].message)
    if fields.get_name() == "vyre-event":
        seconds = fields.get_value("timestamp") / Gst.SECOND
        print(f"{seconds:.3f} {fields.get_value('event')} {fields.get_value('state')}")
pipeline.set_state(Gst.State.NULL)
