#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""bindings.py: the library gstreamer-vyre-1.0 from Python, by its typelib."""
import json
import struct
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstVyre", "1.0")
from gi.repository import GLib, Gst, GstVyre  # noqa: E402

CAPS = (
    "application/x-vyre-readback, control-size=704, ring-size=64, debug-log-size=4, "
    'io-queue-size=4, has-sequence=true, results=<"luma stats 1 7 samples levels", '
    '"words words 8 2">'
)


def same(what, expected, found):
    if expected != found:
        sys.exit(f"FAIL: {what} is {found!r}, not {expected!r}")


def check_results():
    words = [0] * 160 + list(range(16)) + [0] * 18
    table = GstVyre.Table.new_from_caps(Gst.Caps.from_string(CAPS))
    results = table.read(Gst.Buffer.new_wrapped(struct.pack("<194I", *words)), None)
    same("entries", 2, table.get_n_entries())
    same("names", ["luma", "words"], [results.get_name(i) for i in range(results.get_n())])
    same("luma.count", (True, 1), results.get_uint64("luma.count"))
    same("luma.max", (True, 3.0), results.get_double("luma.max"))
    same("luma.nothing", False, results.get_uint64("luma.nothing")[0])
    same("the unit", "levels", results.dup_unit("luma.max"))
    same("words", [8, 9], list(results.get_array("words")))
    same("JSON", [8, 9], json.loads(results.to_json())["words"])
    again = GstVyre.Results.from_structure(results.get_structure())
    same("luma.max of the structure", (True, 3.0), again.get_double("luma.max"))
    same("results of another structure", None,
         GstVyre.Results.from_structure(Gst.Structure.new_empty("level")))


def check_programs():
    builder = GstVyre.Builder.new()
    builder.add("crc32 payload", "crc")
    same("the program", "crc32 payload -> crc\n", builder.to_text())
    builder.add("no_operation", None)
    try:
        builder.to_text()
        sys.exit("FAIL: a wrong program was built")
    except GLib.Error as error:
        same("the place", "2:1: ", error.message[:5])
    same("a builtin", True, "frame-stats" in GstVyre.list_builtins())
    devices = GstVyre.list_devices()
    same("the first device", 0, devices[0].get_uint("index").value)
    same("its name is text", True, bool(devices[0].get_string("name")))


Gst.init(None)
check_results()
check_programs()
