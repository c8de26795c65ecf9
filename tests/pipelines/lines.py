#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""lines.py SCHEMA: what vyrefilter results-location writes is what the schema says."""
import json
import os
import pathlib
import subprocess
import sys

import jsonschema

BUFFERS = 3
VIDEO = f"videotestsrc num-buffers={BUFFERS} ! video/x-raw,width=64,height=48"
SOUND = f"audiotestsrc num-buffers={BUFFERS} ! audio/x-raw,channels=2"
# A source for each built-in program, and one for the results that none of them has
PROGRAMS = {
    "builtin:frame-stats": f"{VIDEO},format=I420",
    "builtin:field-stats": f"{VIDEO},format=I420,interlace-mode=interleaved",
    "builtin:rgb-stats": f"{VIDEO},format=RGBA",
    "builtin:video-qc": f"{VIDEO},format=I420",
    "builtin:audio-qc": SOUND,
    "builtin:bytes": f"fakesrc num-buffers={BUFFERS} sizetype=fixed sizemax=999 filltype=random",
    "builtin:nop": SOUND,
    "sample_grid luma, 2, 2 -> grid; event bin when $grid.count-0 > 0": f"{VIDEO},format=I420",
}
# Results of each type that a program declares, and what lines have of them
NUMBERS = (
    "state total[2] : u64; state shift[2] : i64 '2^-16'; state list[2] : f32; "
    "store_u32 0xC2B40000 -> cool : f32; store_u32 4294967206 -> cold : i32; "
    "store_u32 0xFF800000 -> below : f32; "
    "store_u32 0xFFFFFFFF, &total; store_u32 0xFFFFFFFF, &total + 1; "
    "store_u32 0xFFFF8000, &shift; store_u32 0xFFFFFFFF, &shift + 1; "
    "store_u32 0x3F000000, &list + 1"
)
NUMBERS_MEAN = {"total": 2 ** 64 - 1, "shift": -32768, "list": [0, 0.5], "cool": -90.0,
                "cold": -90, "below": None}
PAIR = f"{VIDEO},format=I420 ! queue ! f.reference"


def run(program, source, *more):
    """The lines that the program writes to standard output."""
    element = ["vyrefilter", "name=f", f"program={program}", "results-location=-"]
    for variable, name in (("RESIDENCY", "residency"), ("PLACEMENT", "placement")):
        element.append(f"{name}={os.environ.get('VYRE_TEST_' + variable, 'auto')}")
    done = subprocess.run(
        ["gst-launch-1.0", "-q", *source.split(), "!", *element, "!", "fakesink", *more],
        capture_output=True, text=True, timeout=100, check=False,
    )
    assert done.returncode == 0, (program, done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]


def check(validator, program, lines):
    for line in lines:
        for error in validator.iter_errors(line):
            raise AssertionError(f"{program}: {error.message}: {line}")
    results = [line for line in lines if line["type"] == "vyre-results"]
    assert [line["sequence"] for line in results] == [*range(1, BUFFERS + 1)], (program, lines)
    end = lines[-1]
    assert end["type"] == "vyre-end" and end["reason"] == "eos", (program, end)
    assert end["lines"] == len(lines) - 1, (program, end)
    assert end["complete"] and end["complete-verdict"] is None, (program, end)
    return results


def check_refusals(validator, line):
    """The schema takes no line that is not whole, or is of another kind."""
    for name in ("type", "sequence", "timestamp", "complete"):
        broken = {key: value for key, value in line.items() if key != name}
        assert not validator.is_valid(broken), name
    for name, value in (("type", "other"), ("sequence", "1"), ("extra", "text"),
                        ("timestamp", 0.5), ("sequence", None)):
        assert not validator.is_valid({**line, name: value}), name


def main(schema):
    schema = json.loads(pathlib.Path(schema).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for program, source in PROGRAMS.items():
        lines = run(program, source)
        results = check(validator, program, lines)
    assert any(line["type"] == "vyre-event" for line in lines), lines
    assert [set(cell) for cell in results[0]["grid"]] == [{"count", "sum"}] * 4, results
    check_refusals(validator, results[0])
    results = check(validator, NUMBERS, run(NUMBERS, SOUND))
    found = {name: results[0][name] for name in NUMBERS_MEAN}
    assert found == NUMBERS_MEAN, found
    lines = run("builtin:compare", f"{VIDEO},format=I420 ! queue", *PAIR.split())
    check(validator, "builtin:compare", lines)


if __name__ == "__main__":
    main(sys.argv[1])
