#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""sizes.py ROOT: fails where a file or a function of the tree is too long.

A source file of runtime/, library/, gst/, shaders/ and apps/ has at most 600 lines, a file of tests/
at most 800, and a function at most 40, from its opening brace to its closing one.
"""
import pathlib
import sys

SOURCE_LINES = 600
TEST_LINES = 800
FUNCTION_LINES = 40

SOURCES = {"runtime", "library", "gst", "shaders", "apps"}
SUFFIXES = {".c", ".h", ".comp", ".glsl", ".def", ".cu", ".py", ".sh"}


def functions(lines):
    """Yields the line before the opening brace, its number, and the lines of each function."""
    start = None
    for number, line in enumerate(lines):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            yield lines[start - 1], start, number - start + 1
            start = None


def complaints(path, name):
    lines = path.read_text(encoding="utf-8").splitlines()
    room = name.split("/")[0]
    limit = SOURCE_LINES if room in SOURCES else TEST_LINES
    if len(lines) > limit:
        yield f"{name} has {len(lines)} lines, {limit} are allowed. Fix: split it along its parts."
    if path.suffix not in (".c", ".h"):
        return
    for head, number, length in functions(lines):
        if length > FUNCTION_LINES:
            yield (
                f"{name}:{number}: {head.split(' (')[0]} has {length} lines, {FUNCTION_LINES} "
                "are allowed. Fix: name a part of it, and make that a function."
            )


def main(root):
    seen = set()
    found = []
    for room in sorted(SOURCES | {"tests"}):
        for path in sorted((root / room).rglob("*")):
            if path.suffix not in SUFFIXES or not path.is_file():
                continue
            name = path.relative_to(root).as_posix()
            seen.add(name)
            found += complaints(path, name)
    if len(seen) < 100:
        found.append(f"{root} has {len(seen)} files only. Fix: pass the root of the source tree.")
    print("\n".join(found) or f"{len(seen)} files, none is too long")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
