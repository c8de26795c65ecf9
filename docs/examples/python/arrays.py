#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""arrays.py: what the kernel and NumPy find in the same arrays."""
import gi
import numpy

gi.require_version("Gst", "1.0")
gi.require_version("GstVyre", "1.0")
from gi.repository import Gst, GstVyre  # noqa: E402

# The sum of the array before has 64 bits: it is one number by its type
PROGRAM = (
    "sample_stats luma -> luma; sample_below luma, 1000 -> dark; "
    "state before from $luma.sum : u64 'levels'"
)


def run(arrays, program):
    """Yields the results of arrays of 16 bits, which all have the same shape."""
    rows, columns = arrays[0].shape
    pipeline = Gst.parse_launch(
        "appsrc name=source format=time ! vyrefilter name=filter ! appsink name=sink sync=false"
    )
    source, sink = pipeline.get_by_name("source"), pipeline.get_by_name("sink")
    pipeline.get_by_name("filter").set_property("program", program)
    source.set_property("caps", Gst.Caps.from_string(
        f"video/x-raw,format=GRAY16_LE,width={columns},height={rows},framerate=0/1"))
    pipeline.set_state(Gst.State.PLAYING)
    for array in arrays:
        source.emit("push-buffer", Gst.Buffer.new_wrapped(array.astype("<u2").tobytes()))
    source.emit("end-of-stream")
    table = None
    while sample := sink.emit("pull-sample"):
        table = table or GstVyre.Table.new_from_caps(sample.get_caps())
        yield table.read(sample.get_buffer(), None)
    pipeline.set_state(Gst.State.NULL)


Gst.init(None)
random = numpy.random.default_rng(1)
films = [random.integers(0, 65536, (48, 64)) for _ in range(3)]
before = 0
for array, results in zip(films, run(films, PROGRAM)):
    print(results.get_value("luma.sum"), array.sum())
    print(results.get_value("luma.max"), array.max(), results.dup_unit("luma.max"))
    print(results.get_value("before"), before, results.dup_unit("before"))
    before = array.sum()
    print(results.get_value("dark"), (array < 1000).sum(), results.dup_unit("dark"))
