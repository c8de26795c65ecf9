#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""view.py: a histogram as a NumPy array that lies in the memory of its readback."""
import contextlib
import ctypes

import gi
import numpy

gi.require_version("Gst", "1.0")
gi.require_version("GstVyre", "1.0")
from gi.repository import Gst, GstVyre  # noqa: E402

OBSERVABLES = 160  # words of the control part in front of them: abi.md


class MapInfo(ctypes.Structure):
    """GstMapInfo of GStreamer 1, as its header has it."""
    _fields_ = [("memory", ctypes.c_void_p), ("flags", ctypes.c_int), ("data", ctypes.c_void_p),
                ("size", ctypes.c_size_t), ("maxsize", ctypes.c_size_t),
                ("reserved", ctypes.c_void_p * 8)]


@contextlib.contextmanager
def mapped(buffer):
    """The memory of a buffer. MapInfo.data of PyGObject alone is a copy; python3-gst-1.0 makes it a
    memoryview of the memory itself."""
    _, info = buffer.map(Gst.MapFlags.READ)
    data = info.data
    try:
        if isinstance(data, memoryview):
            yield data
        else:
            with mapped_by_c(buffer) as data:
                yield data
    finally:
        buffer.unmap(info)


@contextlib.contextmanager
def mapped_by_c(buffer):
    """The same by ctypes; the hash of a boxed object is its address."""
    gst, info = ctypes.CDLL("libgstreamer-1.0.so.0"), MapInfo()
    pointer = ctypes.c_void_p(hash(buffer))
    gst.gst_buffer_map(pointer, ctypes.byref(info), int(Gst.MapFlags.READ))
    try:
        yield memoryview((ctypes.c_ubyte * info.size).from_address(info.data)).toreadonly()
    finally:
        gst.gst_buffer_unmap(pointer, ctypes.byref(info))


def view(data, entry):
    """The words of a result, in the memory that is mapped."""
    return numpy.frombuffer(data, "<u4", entry.n_words, 4 * (OBSERVABLES + entry.observable))


def address(array):
    return array.__array_interface__["data"][0]


def main():
    Gst.init(None)
    pipeline = Gst.parse_launch(
        "videotestsrc pattern=white num-buffers=1 ! video/x-raw,format=GRAY8,width=64,height=48 ! "
        "vyrefilter program=\"u8_histogram luma -> bins\" ! appsink name=sink"
    )
    pipeline.set_state(Gst.State.PLAYING)
    sample = pipeline.get_by_name("sink").emit("pull-sample")
    entry = GstVyre.Table.new_from_caps(sample.get_caps()).get_entry(0)
    readback = sample.get_buffer()
    with mapped(readback) as data, mapped(readback) as again:
        bins, others = view(data, entry), view(again, entry)
        print("pixels of", bins.argmax(), "are", bins.max())
        print("same memory" if address(bins) == address(others) else "copies")
        del bins, others  # no view outlives the map
    pipeline.set_state(Gst.State.NULL)


main()
