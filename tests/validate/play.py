#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""play.py SCENARIO: plays a scenario of GstValidate where there is no GstValidate.

It takes the steps of the files beside it, and no others: a step that it does not know fails. Of
what GstValidate watches it sees the steps' own outcome, errors on the bus, and, by G_DEBUG,
warnings of GLib; it watches no pads."""
import re
import sys
import time

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

PATIENCE = 120  # seconds; a driver without a cache compiles first
LOOK = 0.005


def fail(text):
    sys.exit(f"FAIL: {text}")


def read(path):
    """The pipeline, and the steps: their names and fields."""
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"^#.*$", "", file.read(), flags=re.MULTILINE)
    description = re.search(r'\bargs = \{\s*"([^"]*)",?\s*\}', text)
    steps = []
    for line in text[description.end() :].splitlines():
        name, *rest = line.split(",", 1)
        fields = dict(re.findall(r'([a-z-]+)=("[^"]*"|[^,]*)', rest[0] if rest else ""))
        if name.strip():
            steps.append((name.strip(), {key: value.strip('"') for key, value in fields.items()}))
    return description.group(1), steps


class Player:
    def __init__(self, description):
        self.pipeline = Gst.parse_launch(description)
        self.bus = self.pipeline.get_bus()
        self.ended = False

    def hear(self, timeout):
        """Waits so many seconds for a message; an error fails."""
        message = self.bus.timed_pop_filtered(
            int(timeout * Gst.SECOND), Gst.MessageType.ERROR | Gst.MessageType.EOS
        )
        if message and message.type == Gst.MessageType.ERROR:
            fail(message.parse_error()[0].message)
        self.ended |= message is not None

    def settle(self):
        """Waits for a change of state, or a seek, to be through."""
        result, state, _ = self.pipeline.get_state(PATIENCE * Gst.SECOND)
        if result not in (Gst.StateChangeReturn.SUCCESS, Gst.StateChangeReturn.NO_PREROLL):
            fail(f"the pipeline stays in {state.value_nick}: {result.value_nick}")

    def change(self, state):
        self.pipeline.set_state(state)
        self.settle()

    def await_position(self, seconds):
        end = time.monotonic() + PATIENCE
        while self.position() < seconds:
            self.hear(LOOK)
            if self.ended or time.monotonic() > end:
                fail(f"the stream does not come to {seconds} s")

    def position(self):
        known, position = self.pipeline.query_position(Gst.Format.TIME)
        return position / Gst.SECOND if known else -1

    def element(self, fields):
        name = fields["target-element-name"]
        return self.pipeline.get_by_name(name) or fail(f"there is no element {name}")

    def take(self, name, fields):
        step = getattr(self, "step_" + name.replace("-", "_"), None)
        if step is None:
            fail(f"'{name}' is no step that is known")
        if "playback-time" in fields:
            self.await_position(float(fields.pop("playback-time")))
        step(fields)
        print("#", name, *fields.values())

    def step_play(self, fields):
        self.change(Gst.State.PLAYING)

    def step_pause(self, fields):
        self.change(Gst.State.PAUSED)

    def step_set_property(self, fields):
        Gst.util_set_object_arg(
            self.element(fields), fields["property-name"], fields["property-value"]
        )

    def step_check_property(self, fields):
        found = self.element(fields).get_property(fields["property-name"])
        if found != fields["property-value"]:
            fail(f"{fields['property-name']} is {found!r}, not {fields['property-value']!r}")

    def step_check_current_pad_caps(self, fields):
        """The caps may still be on their way, on a machine with other work."""
        pad = self.element(fields).get_static_pad(fields["pad"])
        expected = Gst.Caps.from_string(fields["expected-caps"])
        if fields["comparison-type"] != "intersect":
            fail(f"caps cannot be compared by {fields['comparison-type']}")
        while not self.ended and not pad.get_current_caps().can_intersect(expected):
            self.hear(LOOK)
        if not pad.get_current_caps().can_intersect(expected):
            fail(f"the caps are {pad.get_current_caps().to_string()}, not {expected.to_string()}")

    def step_seek(self, fields):
        flags = Gst.SeekFlags(0)
        for flag in fields["flags"].split("+"):
            flags |= getattr(Gst.SeekFlags, flag.upper())
        start = float(fields["start"])
        if not self.pipeline.seek_simple(Gst.Format.TIME, flags, int(start * Gst.SECOND)):
            fail(f"a seek to {start} s is refused")
        self.settle()
        if self.position() < start:
            fail(f"the position behind a seek to {start} s is {self.position()} s")

    def step_eos(self, fields):
        if not self.pipeline.send_event(Gst.Event.new_eos()):
            fail("EOS is refused")

    def step_stop(self, fields):
        if fields.get("on-message") == "eos":
            self.hear(0 if self.ended else PATIENCE)
            if not self.ended:
                fail("the stream does not end")
        self.change(Gst.State.NULL)


def main():
    Gst.init(None)
    description, steps = read(sys.argv[1])
    player = Player(description)
    try:
        for name, fields in steps:
            player.take(name, fields)
        if steps[-1][0] != "stop":
            fail("the last step is no stop")
    finally:
        player.pipeline.set_state(Gst.State.NULL)


if __name__ == "__main__":
    main()
