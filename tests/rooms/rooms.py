#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""rooms.py SOURCE STATIC_OBJECTS LIBRARY_OBJECTS NM PLUGIN_OBJECTS...

Checks the arrows of docs/architecture.md. A file needs another file when it includes it, or when
its object uses a symbol that the other file's object defines. The test fails when an arrow runs up
between rooms, or up inside of runtime/kernel, or when two files need each other in the end.
"""
import os
import re
import subprocess
import sys

# Each room, and the rooms that its files may need besides itself. Rooms of the list's right side
# bring their own along: what abi may need, program may need, too.
ROOMS = {
    "shaders": [],
    "base": ["shaders"],
    "files": ["base"],
    "abi": ["files"],
    "program": ["abi"],
    "plan": ["program"],
    "io": ["files"],
    "device": ["abi"],
    "kernel": ["plan", "io", "device"],
    "include": ["kernel"],  # vyre.h alone, which includes every other public header
    "tools": ["include"],
    "gst/json": [],
    "library": ["include", "gst/json"],
    "gst/common": ["library"],
    "gst/filter": ["gst/common"],
    "gst/readback": ["gst/common"],
    "gst/scope": ["gst/common"],
    "gst/src": ["gst/common"],
    "gst": ["gst/filter", "gst/readback", "gst/src"],
    "apps/common": ["gst/json"],  # of libvyre and GStreamer the commands take what is installed
    "apps/serve": [],
    "apps/qc": ["apps/common", "apps/serve", "gst/json"],
    "apps/info": ["apps/common", "gst/json"],
}

# Inside of these rooms each file needs files before it alone.
ORDER = {
    "runtime/kernel": [
        "placement", "readback-marks", "resident-room", "resident-files", "types", "state", "lanes",
        "turns", "template", "tickets", "stream", "copies", "completion", "batch", "launcher", "import", "getters",
        "extras", "reserve", "restore", "slice", "publish", "resume", "host-jobs", "host-requests", "teardown",
        "trial", "speed", "proof", "megakernel", "lane",
    ],
    "gst/filter": [
        "gstvyreslots", "gstvyrecomponents", "gstvyrechannels", "gstvyregeometry", "gstvyredescription", "gstvyreholds", "gstvyrestats",
        "gstvyrestate", "gstvyrecarry", "gstvyreitem", "gstvyreaccess", "gstvyrecounters", "gstvyrepace", "gstvyrestream", "gstvyrework",
        "gstvyreearly", "gstvyrepartners", "gstvyrepairing", "gstvyrelatency", "gstvyretaps", "gstvyrelines", "gstvyrequiet",
        "gstvyreeventstates", "gstvyremessages", "gstvyreevents", "gstvyrereplay", "gstvyrestamp", "gstvyrewatchdog", "gstvyreroom", "gstvyrestaging",
        "gstvyreanalytics", "gstvyreanalytics-none", "gstvyretensors", "gstvyretensors-none", "gstvyrepassthrough", "gstvyrenegotiation", "gstvyresubmit", "gstvyrerecovery", "gstvyredelivery",
        "gstvyreshortcut", "gstvyresourcepad", "gstvyreprogram", "gstvyreparams",
        "gstvyresinkpad", "gstvyreproperties", "gstvyrefilter",
    ],
}

# What the build generates.
GENERATED = re.compile(r"(\.spv|-resources)\.h$")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
SOURCE = (".c", ".h", ".glsl", ".comp", ".def")


def list_sources(root):
    for top in ("runtime", "library", "gst", "shaders", "apps"):
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in names:
                if name.endswith(SOURCE):
                    yield os.path.relpath(os.path.join(folder, name), root)


class House:
    def __init__(self, root):
        self.root = root
        self.sources = sorted(list_sources(root))
        self.errors = []
        self.needs = {}  # path -> {path: how}
        self.owners = {}  # name of a public header -> folder of the source of that name
        for path in self.sources:
            folder, name = os.path.split(path)
            if path.endswith(".c") and path.startswith("runtime/"):
                self.owners[os.path.splitext(name)[0]] = folder

    def room_of(self, path):
        parts = path.split("/")
        if parts[0] in ("shaders", "library"):
            return parts[0]
        if parts[0] in ("gst", "apps"):
            return "/".join(parts[:2]) if len(parts) > 2 else parts[0]
        if parts[1] != "include":
            return parts[1]
        owner = self.owners.get(os.path.splitext(parts[-1])[0])
        return owner.split("/")[1] if owner else "include"

    def find(self, path, name):
        folders = [os.path.dirname(path), "runtime", "runtime/include", "shaders", "gst", "apps", ""]
        for folder in folders:
            found = os.path.normpath(os.path.join(folder, name))
            if found in self.known:
                return found
        return None

    def add(self, path, other, how):
        self.needs.setdefault(path, {}).setdefault(other, how)
        room, needed = self.room_of(path), self.room_of(other)
        if room == needed or needed in self.below(room):
            return
        self.errors.append(f"{path} ({room}) needs {other} ({needed}): {how}")

    def below(self, room):
        rooms = set()
        for other in ROOMS[room]:
            rooms |= {other} | self.below(other)
        return rooms

    def read_includes(self):
        self.known = set(self.sources)
        for path in self.sources:
            if self.room_of(path) not in ROOMS:
                self.errors.append(f"{path} is in no room. Fix: add {self.room_of(path)} to ROOMS.")
                continue
            with open(os.path.join(self.root, path), encoding="utf-8") as file:
                text = file.read()
            for name in INCLUDE.findall(text):
                found = self.find(path, name)
                if found:
                    self.add(path, found, f'#include "{name}"')
                elif not GENERATED.search(name):
                    self.errors.append(f"{path} includes {name}, which is not there.")

    def read_symbols(self, groups, nm):
        """@groups: folders of objects, with the folder that their names are relative to."""
        defined, used = {}, []
        for objects, top in groups:
            names = {p[len(top) + 1:].replace("/", "_") + ".o": p
                     for p in self.sources if p.startswith(top + "/") and p.endswith(".c")}
            paths = [os.path.join(objects, name) for name in sorted(os.listdir(objects))
                     if name in names]
            if not paths:
                self.errors.append(f"{objects} has no objects of {top}. Fix: build first.")
                continue
            for object_path, kind, symbol in read_objects(nm, paths):
                path = names[os.path.basename(object_path)]
                if kind == "U":
                    used.append((path, symbol))
                elif kind in "TDBRVWCGS":
                    defined[symbol] = path
        for path, symbol in used:
            if symbol in defined and defined[symbol] != path:
                self.add(path, defined[symbol], symbol)

    def check_order(self):
        rank = {}
        for path in self.sources:
            folder, name = os.path.split(path)
            stem = os.path.splitext(name)[0].removesuffix("-private")
            if stem in ORDER.get(folder, []):
                rank[path] = ORDER[folder].index(stem)
            elif folder in ORDER:
                self.errors.append(f"{path} has no place in ORDER.")
        for path, needs in self.needs.items():
            for other, how in needs.items():
                same = os.path.dirname(path) == os.path.dirname(other)
                if same and path in rank and other in rank and rank[other] > rank[path]:
                    self.errors.append(f"{path} needs {other}, which comes after it: {how}")

    def check_circles(self):
        for circle in find_circles(self.needs):
            lines = [f"    {a} needs {b}: {how}" for a in sorted(circle)
                     for b, how in sorted(self.needs[a].items()) if b in circle]
            self.errors.append(f"{len(circle)} files need each other:\n" + "\n".join(lines))


def read_objects(nm, paths):
    output = subprocess.run([nm, "-A", "-P", "-g", *paths], check=True, capture_output=True,
                            text=True).stdout
    for line in output.splitlines():
        path, symbol, kind = line.split()[:3]
        yield path.rstrip(":"), "U" if kind in "Uvw" else kind.upper(), symbol


def find_circles(needs):
    """The strongly connected components of more than one file, by Tarjan's algorithm."""
    index, low, stack, circles = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in needs.get(node, {}):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] != index[node]:
            return
        at = stack.index(node)
        if len(stack) - at > 1:
            circles.append(set(stack[at:]))
        del stack[at:]

    sys.setrecursionlimit(10000)
    for node in sorted(needs):
        if node not in index:
            visit(node)
    return circles


def main():
    root, static, library, nm, *plugins = sys.argv[1:]
    house = House(root)
    house.read_includes()
    house.read_symbols([(static, "runtime"), (library, "library")]
                       + [(plugin, "gst") for plugin in plugins], nm)
    house.check_order()
    house.check_circles()
    for error in dict.fromkeys(house.errors):
        print(error, file=sys.stderr)
    sys.exit(1 if house.errors else 0)


if __name__ == "__main__":
    main()
