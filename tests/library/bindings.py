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


NUMBERS = (
    "application/x-vyre-readback, control-size=704, ring-size=64, debug-log-size=4, "
    'io-queue-size=4, has-sequence=true, results=<"total u64 1 2 bytes", "shift i64 3 2 2^-1", '
    '"list i32 5 2 degrees", "gain f32 7 1">'
)


def check_types():
    words = [0] * 161 + [5, 7, 0xFFFFFFFE, 0xFFFFFFFF, 1, 0xFFFFFFA6, 0xC2B40000] + [0] * 26
    table = GstVyre.Table.new_from_caps(Gst.Caps.from_string(NUMBERS))
    results = table.read(Gst.Buffer.new_wrapped(struct.pack("<194I", *words)), None)
    same("total", 5 + (7 << 32), results.get_value("total"))
    same("shift", -2, results.get_value("shift"))
    same("shift as an integer", (True, -2), results.get_int64("shift"))
    same("shift as a double", (True, -1.0), results.get_double("shift"))
    same("list", [1.0, -90.0], list(results.get_doubles("list")))
    same("the unit of list", "degrees", results.dup_unit("list.item-1"))
    same("gain", -90.0, results.get_value("gain"))
    same("JSON", [1, -90], json.loads(results.to_json())["list"])


def lend(number):
    """Things that belong to a table and to results, which end here."""
    name, words = f"luma{number}", [0] * 160 + [number] * 16 + [0] * 18
    table = GstVyre.Table.new_from_caps(Gst.Caps.from_string(CAPS.replace("luma", name)))
    results = table.read(Gst.Buffer.new_wrapped(struct.pack("<194I", *words)), None)
    return (table.get_entry(0), table.get_caps(), results.get_structure(),
            results.get_fields(name), results.get_value(name + ".sum"))


def check_owners():
    """What a table and results gave outlives them, and others that take their memory."""
    entry, caps, structure, fields, number = lend(1000)
    others = [lend(n) for n in range(50)]
    same("the entry", ("luma1000", 1, 7, "samples levels"),
         (entry.name, entry.observable, entry.n_words, entry.units))
    same("the caps", True, "luma1000" in caps.to_string())
    same("the structure", True, structure.has_field("luma1000"))
    same("the fields", (True, 1000), fields.get_uint64("max"))
    same("the number", 1000 + (1000 << 32), number)
    same("others", [f"luma{n}" for n in range(50)], [other[0].name for other in others])


def check_no_numbers():
    words = [0] * 194
    table = GstVyre.Table.new_from_caps(Gst.Caps.from_string(CAPS))
    results = table.read(Gst.Buffer.new_wrapped(struct.pack("<194I", *words)), None)
    same("nothing", (None, None), (results.get_value("nothing"), results.get_fields("nothing")))
    same("fields of a number", None, results.get_fields("sequence"))
    same("a truth", True, results.get_value("complete"))
    for name in ("luma", "caps"):
        try:
            results.get_value(name)
            sys.exit(f"FAIL: {name} was lent")
        except GLib.Error as error:
            same("the remedy", True, "Fix: " in error.message)


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
check_types()
check_owners()
check_no_numbers()
check_programs()
