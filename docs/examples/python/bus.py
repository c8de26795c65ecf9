#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""bus.py: messages under asyncio, without a thread and without a main loop of GLib."""
import asyncio

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402


async def messages(bus):
    """Yields the messages of a bus. In between the loop sleeps on the file descriptor of the bus,
    which is readable while the bus has a message."""
    loop, fd = asyncio.get_running_loop(), bus.get_pollfd().fd
    while True:
        while message := bus.pop():
            yield message
        arrived = asyncio.Event()
        loop.add_reader(fd, arrived.set)
        try:
            await arrived.wait()
        finally:
            loop.remove_reader(fd)


async def count(name, n):
    """Counts the results of a stream."""
    pipeline = Gst.parse_launch(
        f"videotestsrc num-buffers={n} ! video/x-raw,format=GRAY8 ! "
        "vyrefilter program=builtin:frame-stats results-interval=0 ! fakesink"
    )
    pipeline.set_state(Gst.State.PLAYING)
    found = 0
    async for message in messages(pipeline.get_bus()):
        if message.type in (Gst.MessageType.EOS, Gst.MessageType.ERROR):
            break
        fields = message.get_structure()
        found += fields is not None and fields.get_name() == "vyre-results"
    pipeline.set_state(Gst.State.NULL)
    print(f"{name}: {found} results")


async def main():
    await asyncio.gather(count("a", 10), count("b", 20))


if __name__ == "__main__":
    Gst.init(None)
    asyncio.run(main())
