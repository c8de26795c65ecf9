#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""flatpak.py SOURCES: the module for Flatpaks in docs/packages.md is JSON, sets options that the build
has to values that they take, and names the tarball of this version."""
import json
import pathlib
import re
import sys


def main():
    sources = pathlib.Path(sys.argv[1])
    page = (sources / "docs/packages.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```json\n(.*?)^```", page, re.M | re.S)
    module = json.loads(block)
    keys = {"name", "buildsystem", "config-opts", "cleanup", "sources"}
    assert set(module) == keys, f"the module has {set(module) ^ keys}"
    assert module["buildsystem"] == "meson"
    features = re.findall(r"^option\('([\w-]+)', type: 'feature'", (sources / "meson_options.txt").read_text(), re.M)
    for option in module["config-opts"]:
        name, value = re.fullmatch(r"-D([\w-]+)=(\w+)", option).groups()
        assert name in features and value in ("auto", "enabled", "disabled"), f"the build has no {option}"
    version = re.search(r"^  version: '(.*)',", (sources / "meson.build").read_text(), re.M)[1]
    assert module["sources"] == [{"type": "archive", "path": f"gst-vyre-{version}.tar.gz"}], module["sources"]


main()
