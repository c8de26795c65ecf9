#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""names.py ROOT: fails where the library names a thing of GStreamer.

runtime/ is a library of its own: the element passes in the names that its messages use, and its
users need not know what an element, a pad or a caps string is.
"""
import pathlib
import re
import sys

WORDS = re.compile(
    r"\bgst_|\bGST_|\bGst[A-Z]|[Gg][Ss]treamer|\w+convert\b|(video|audio)/x-raw|vyrefilter|vyresrc"
    r"|\b([Uu]p|[Dd]own)stream\b|\b(an|another|the|several) elements?\b|\b[Cc]aps\b|\b[Pp]ads?\b"
)

# Files that still have such words. The list only shrinks: an entry that is no longer needed fails
# the test, too.
KNOWN = {
    "runtime/kernel/turns.c",
    "runtime/program/symbols.c",
    "runtime/tools/vyre-replay.c",  # its users record with the element
}


def main(root):
    seen = set()
    found = []
    for path in sorted((root / "runtime").rglob("*.[ch]")):
        name = path.relative_to(root).as_posix()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            word = WORDS.search(line)
            if not word:
                continue
            seen.add(name)
            if name not in KNOWN:
                found.append(
                    f"{name}:{number}: '{word.group()}' is a word of GStreamer. Fix: say it in "
                    "words of the library, or have the caller pass it in."
                )
    found += [
        f"{name} has no such word. Fix: take it off the list in names.py."
        for name in sorted(KNOWN - seen)
    ]
    print("\n".join(found) or "runtime/ names nothing of GStreamer but in the files listed")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
