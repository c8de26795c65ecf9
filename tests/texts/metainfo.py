#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""metainfo.py SOURCES METAINFO COMMAND...: appstreamcli has no complaint of the metadata for software
centres; they name the commands that are installed, and the newest version of the packages."""
import email.utils
import pathlib
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree

# The project has no domain yet: it will be the first part of the id. Debian 12 and 13 have different
# elements for the name of a developer.
KNOWN = {"cid-maybe-not-rdns", "developer-info-missing"}


def check_complaints(path):
    if not shutil.which("appstreamcli"):
        print("SKIP: appstreamcli is not installed")
        sys.exit(77)
    run = subprocess.run(["appstreamcli", "validate", "--no-net", "--pedantic", "--no-color", path],
                         capture_output=True, text=True)
    assert run.returncode == 0, run.stdout
    found = set(re.findall(r"^[EWIP]: \S+ ([a-z-]+)", run.stdout, re.M))
    assert found <= KNOWN, run.stdout


def check_facts(sources, path, commands):
    component = xml.etree.ElementTree.parse(path).getroot()
    assert path.name == component.findtext("id") + ".metainfo.xml", f"{path.name} is not the name of the id"
    told = [binary.text for binary in component.iterfind("provides/binary")]
    assert told == commands, f"{path} has the commands {told}, and {commands} are installed"
    release = component.find("releases/release")
    text = (sources / ".packages/debian/changelog").read_text(encoding="utf-8")
    version, date = re.match(r"gst-vyre \((\S+)-.*?^ -- [^\n]*>  ([^\n]*)$", text, re.M | re.S).groups()
    day = email.utils.parsedate_to_datetime(date).date().isoformat()
    assert (release.get("version"), release.get("date")) == (version, day), f"{path} has another release than {version}, {day}"


def main():
    path = pathlib.Path(sys.argv[2])
    check_facts(pathlib.Path(sys.argv[1]), path, sorted(pathlib.Path(command).name for command in sys.argv[3:]))
    check_complaints(path)


main()
