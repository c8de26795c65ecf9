#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""commands.py COMPLETIONS PAGES COMMAND...: the manual page of each command has the options of its
--help, with the same words, and groff takes it without a warning; bash completes each option."""

import os
import re
import subprocess
import sys

ENVIRONMENT = dict(os.environ, LC_ALL="C.UTF-8")


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, env=ENVIRONMENT,
                          **options)


def read_help(command):
    """Returns {option as written: text}, without --help."""
    text = run(command, "--help").stdout
    rows = re.findall(r"^  ((?:-\w, )?--\S+) +(\S.*)$", text, re.MULTILINE)
    return {option: words for option, words in rows if option != "-h, --help"}


def plain(roff):
    return re.sub(r"\\f[A-Z]", "", roff).replace("\\-", "-")


def read_page(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    options = text.split(".SH OPTIONS\n")[1].split("\n.SH ")[0]
    rows = re.findall(r"^\.TP\n(.*)\n(.*)$", options, re.MULTILINE)
    return {plain(option): plain(words) for option, words in rows}


def check_page(path, command):
    warnings = run("groff", "-man", "-Tutf8", "-ww", path).stderr
    assert not warnings, f"{path}: {warnings}"
    page, said = read_page(path), read_help(command)
    assert said, f"{command} --help lists no options"
    assert page == said, f"{path} has {page}, and --help has {said}. Fix: write what --help says."


def complete(completions, command, *words):
    """Returns what bash offers behind @words."""
    script = ('. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
              'previous=${COMP_WORDS[COMP_CWORD - 1]}; '
              '_vyre_complete "$1" "${COMP_WORDS[COMP_CWORD]}" "$previous"; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    return run("bash", "-uc", script, "bash", completions, command, *words).stdout.split()


def check_completion(completions, command):
    options = {re.search(r"--[a-z-]+=?", option).group() for option in read_help(command)}
    offered = set(complete(completions, command, "--"))
    assert offered == options | {"--help"}, f"{command}: {offered} instead of {options}"
    if "--device=" in options:
        assert complete(completions, command, "--device", "=", "a") == ["auto"]
        assert complete(completions, command, "-d", "a") == ["auto"]
    if "--residency=" in options:
        assert complete(completions, command, "--residency", "=") == [
            "auto", "persistent", "relay", "dispatch"]


def check_files(completions, command):
    folder = os.path.dirname(completions)
    assert completions in complete(completions, command, os.path.join(folder, "vyre-com"))


def check_quoting(completions):
    """Readline takes options for what they are, and quotes names of files alone."""
    with open(completions, encoding="utf-8") as file:
        script = file.read()
    for word, quotes in (("--ht", False), (completions, True)):
        asked = run("bash", "-uc", f'compopt() {{ echo "$@"; }}; {script}\n'
                    f'COMP_WORDS=(x "{word}"); COMP_CWORD=1; _vyre_complete true "{word}" x')
        assert ("filenames" in asked.stdout) == quotes, f"{word}: {asked.stdout}"


def main():
    completions, pages, *commands = sys.argv[1:]
    name = {os.path.basename(command): command for command in commands}
    assert {page.removesuffix(".1") for page in os.listdir(pages) if page.endswith(".1")} == set(name)
    for command in commands:
        check_page(os.path.join(pages, os.path.basename(command) + ".1"), command)
        check_completion(completions, command)
    check_files(completions, commands[0])
    check_quoting(completions)


main()
