#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""timeline.py FILM PICTURE: draws the least, the mean and the most luma of a film."""
import sys

import gi
import matplotlib

gi.require_version("Gst", "1.0")
gi.require_version("GstVyre", "1.0")
from gi.repository import Gst, GstVyre  # noqa: E402

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

Gst.init(None)
pipeline = Gst.parse_launch(
    "filesrc name=film ! decodebin ! vyrefilter program=builtin:frame-stats results-interval=0 "
    "! fakesink"
)
pipeline.get_by_name("film").set_property("location", sys.argv[1])
pipeline.set_state(Gst.State.PLAYING)
bus = pipeline.get_bus()
kinds = Gst.MessageType.ELEMENT | Gst.MessageType.EOS | Gst.MessageType.ERROR
times, lows, means, highs = [], [], [], []
while (message := bus.timed_pop_filtered(Gst.CLOCK_TIME_NONE, kinds)).type != Gst.MessageType.EOS:
    if message.type == Gst.MessageType.ERROR:
        sys.exit(message.parse_error()[0].message)
    results = GstVyre.Results.from_message(message)
    if results:
        times.append(results.get_value("timestamp") / Gst.SECOND)
        lows.append(results.get_value("luma.min"))
        means.append(results.get_value("luma.sum") / results.get_value("luma.count"))
        highs.append(results.get_value("luma.max"))
pipeline.set_state(Gst.State.NULL)

pyplot.fill_between(times, lows, highs, alpha=0.3)
pyplot.plot(times, means)
pyplot.xlabel("time (s)")
pyplot.ylabel("luma")
pyplot.savefig(sys.argv[2])
