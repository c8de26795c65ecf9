#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""make.py BUILD OUTPUT: makes HTML of the pages in OUTPUT, with mkdocs.

The site has the folders of the sources, so each link of a page holds as it is: README.md is there,
and every page and file that it leads to in the end, those outside of docs/ too. docs/README.md has
the order of the pages. A path below `build/` that a page names as code, and that has been made in
the directory BUILD, becomes a link to it; the API references are there so. mkdocs fails where a
link leads nowhere. It reads lists in another way than those who show the pages themselves do, so
their items are indented as it takes them.
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SOURCES = pathlib.Path(__file__).resolve().parents[2]
BOOK = "docs/README.md"


def links(text):
    """The files that a page links to, as its links have them."""
    prose = re.sub(r"^ *```.*?^ *```$", "", text, flags=re.M | re.S)
    return [link for link in re.findall(r"\]\(([^) #]+)", prose) if not re.match("[a-z]+:", link)]


def shift_lists(text):
    """The page, in which what belongs to an item of a list starts four columns further in than the
    item, and code there is indented further instead of fenced."""
    shifted, items = [], []  # of each item around: its column, and that of its text
    fenced, blank, paragraphs = False, True, False
    for line in text.splitlines():
        bare = line.lstrip(" ")
        column = len(line) - len(bare)
        if bare.startswith("```"):
            fenced = not fenced
            while items and column < items[-1][1]:
                items.pop()
            shifted.append("" if items else line)
            continue
        last = None
        while not fenced and bare and items and column < items[-1][1]:
            last = items.pop()
        start = items[-1][1] if items else 0
        inner = 4 * len(items) + (4 if fenced and items else 0) + column - start
        marker = not fenced and column - start < 4 and re.match(r"- |\d+\. ", bare)
        if marker and (blank or marker[0] in ("- ", "1. ") or last and last[0] == column):
            if not blank and (not last or paragraphs):
                shifted.append("")
            items.append((column, column + len(marker[0])))
            paragraphs = False
        shifted.append(" " * inner + bare if bare else "")
        blank = not bare
        paragraphs = paragraphs or blank
    return "\n".join(shifted) + "\n"


def with_what_is_made(text, page, build, tree):
    """The page, with links to the pages of BUILD that it names; their folders are copied."""

    def link(match):
        made = pathlib.Path(match[1])
        if not (build / made).is_file():
            return match[0]
        shutil.copytree(build / made.parent, tree / made.parent, dirs_exist_ok=True)
        up = "../" * (len(page.parts) - 1)
        return f"[{match[1]}]({up}{made})"

    return re.sub(r"`build/(\S+/index\.html)`", link, text)


def gather(build, tree):
    """README.md, and all that it leads to, into the folder tree."""
    tree.mkdir()
    shutil.copy(SOURCES / "docs/site/site.css", tree)
    found = ["README.md"]
    for name in found:
        page = pathlib.Path(name)
        (tree / page.parent).mkdir(parents=True, exist_ok=True)
        if page.suffix != ".md":
            shutil.copy(SOURCES / page, tree / page)
            continue
        text = (SOURCES / page).read_text(encoding="utf-8")
        whole = with_what_is_made(shift_lists(text), page, build, tree)
        (tree / page).write_text(whole, encoding="utf-8")
        for link in links(text):
            file = (SOURCES / page.parent / link).resolve()
            if file.is_file() and file.is_relative_to(SOURCES):
                found += {str(file.relative_to(SOURCES))}.difference(found)


def navigation():
    """README.md, the book, and the pages of the book below its headings."""
    sections = {}
    for line in (SOURCES / BOOK).read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            pages = sections[line[3:]] = []
        elif item := re.match(r"\d+\. \[.*?\]\((.*?)\)", line):
            pages.append("docs/" + item[1])
    return [{"Home": "README.md"}, BOOK] + [{title: pages} for title, pages in sections.items()]


def main():
    build, output = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    if not shutil.which("mkdocs"):
        sys.exit("make.py: the site takes mkdocs. Fix: apt-get install mkdocs")
    with tempfile.TemporaryDirectory() as folder:
        tree = pathlib.Path(folder, "docs")
        gather(build, tree)
        config = (SOURCES / "docs/site/mkdocs.yml").read_text(encoding="utf-8")
        # JSON is YAML
        pathlib.Path(folder, "mkdocs.yml").write_text(
            f"{config}nav: {json.dumps(navigation())}\n", encoding="utf-8")
        made = subprocess.run(
            ["mkdocs", "build", "--strict", "--config-file", f"{folder}/mkdocs.yml", "--site-dir", output],
            stderr=subprocess.PIPE, text=True)
    if made.returncode != 0:
        sys.exit(f"{made.stderr}make.py: mkdocs fails. Fix: mend what it names.")


main()
