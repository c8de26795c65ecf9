#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""site.py SOURCES: docs/site/make.py makes a site that has every page of docs/README.md, finds each
in its search, leads to nothing that is not there, and loads nothing from other hosts."""
import html.parser
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.parse

APART = ("pre", "code", "script", "a", "h1", "h2", "h3", "h4")


class Page(html.parser.HTMLParser):
    """What a page leads to, what it loads, the names in it, and its tables."""

    def __init__(self, file):
        super().__init__()
        self.leads, self.loads, self.names, self.tables = [], [], set(), 0
        self.apart, self.prose = 0, ""
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.names |= {values[key] for key in ("id", "name") if values.get(key)}
        self.tables += tag == "table"
        self.apart += tag in APART
        if "href" in values:
            (self.leads if tag == "a" else self.loads).append(values["href"])
        if "src" in values:
            self.loads.append(values["src"])
        assert "srcset" not in values, "a picture has more than one source"

    def handle_endtag(self, tag):
        self.apart -= tag in APART

    def handle_data(self, data):
        self.prose += "…" if self.apart else data


def make(sources, build, output, **environment):
    return subprocess.run([sys.executable, sources / "docs/site/make.py", build, output],
                          capture_output=True, text=True, env={**os.environ, **environment})


def target(site, file, link):
    """The file that a link of a file leads to, and the name in it."""
    parts = urllib.parse.urlsplit(link)
    path = urllib.parse.unquote(parts.path)
    start = site if path.startswith("/") else file.parent
    return (start / path.lstrip("/") if path not in ("", ".") else file), parts.fragment


def check_links(site):
    pages = {file: Page(file) for file in site.rglob("*.html")}
    for file, page in pages.items():
        for link in page.loads:
            assert not re.match(r"[a-z]+:|//", link), f"{file} loads {link}"
        for link in page.leads + page.loads:
            if re.match(r"[a-z]+:|//", link):
                continue
            there, name = target(site, file, link)
            assert there.is_file(), f"{file} leads to {link}, which is not there"
            if name and there.suffix == ".html":
                assert name in pages[pathlib.Path(os.path.normpath(there))].names, \
                    f"{file} leads to {link}, and no such heading is there"
    for file in site.rglob("*.css"):
        for link in re.findall(r"url\(['\"]?(.*?)['\"]?\)", file.read_text(encoding="utf-8")):
            assert link.startswith("data:") or target(site, file, link)[0].is_file(), \
                f"{file} loads {link}, which is not there"
    return pages


def check_pages(sources, site, pages):
    index = json.loads((site / "search/search_index.json").read_text(encoding="utf-8"))["docs"]
    book = re.findall(r"^\d+\. \[.*?\]\((.*?\.md)\)", (sources / "docs/README.md").read_text(encoding="utf-8"), re.M)
    assert len(book) > 20, book
    bare = [file for file, page in pages.items() if "/reference/" not in str(file)
            and not any(link.endswith("site.css") for link in page.loads)]
    assert not bare, f"{bare} have wide tables"
    home = pages[site / "index.html"]
    led = [link for link in home.leads if link.startswith("docs/")]
    order = [f"docs/{page[:-3]}.html" for page in book]
    assert order == [link for link in dict.fromkeys(led) if link in order], "the navigation has another order"
    third = '<ol start="3">'  # the numbers go on below each heading
    assert third in (site / "docs/index.html").read_text(encoding="utf-8"), f"the book has no {third}"
    for name in book:
        text = (sources / "docs" / name).read_text(encoding="utf-8")
        page = pages[site / f"docs/{name[:-3]}.html"]
        rules = len(re.findall(r"^ *\|-", text, re.M))
        tables = page.tables - pages[site / "404.html"].tables  # which has those of the theme alone
        assert tables == rules, f"{name} has {rules} tables, and its page {tables}"
        left = re.search(r"^ *(- |1\. |```).*", page.prose, re.M)
        assert not left, f"{name}: its page has no list and no code at {left[0]}"
        prose = re.sub(r"!\[.*?\]\(.*?\)|\]\(.*?\)|<!--.*?-->", "", text, flags=re.S)
        word = max(re.findall(r"[a-z]+", prose), key=len)
        found = " ".join(part["text"] for part in index if part["location"].startswith(f"docs/{name[:-3]}.html"))
        assert word in found, f"the search does not find {word} on the page of {name}"


def check_site(sources, work):
    """The references take gtk-doc ten thirds: here they are made by hand."""
    for reference in "made", "library":
        folder = work / "build/docs/reference" / reference / "html"
        folder.mkdir(parents=True)
        (folder / "index.html").write_text('<a href="other.html#there">A function</a>')
        (folder / "other.html").write_text('<p id="there">It</p>')
    site = work / "site"
    result = make(sources, work / "build", site)
    assert result.returncode == 0, result.stderr
    pages = check_links(site)
    check_pages(sources, site, pages)
    for reference in "made", "library":
        assert f"reference/{reference}/html/index.html" in pages[site / "docs/api-reference.html"].leads
    assert (site / "docs/examples/publish.c").read_bytes() == (sources / "docs/examples/publish.c").read_bytes()


def check_refusals(sources, work):
    """A small book of its own."""
    small = work / "small"
    shutil.copytree(sources / "docs/site", small / "docs/site")
    (small / "README.md").write_text("# Small\n\n[Book](docs/README.md), [code](other/code.def)\n")
    (small / "docs/README.md").write_text("# Book\n\n## Start\n\n1. [page.md](page.md): a page\n")
    (small / "docs/page.md").write_text("# Page\n\nNames `build/docs/reference/made/html/index.html`.\n")
    result = make(small, work / "none", work / "out")
    assert result.returncode != 0 and "other/code.def" in result.stderr, result.stderr
    (small / "other").mkdir()
    (small / "other/code.def").write_text("code")
    result = make(small, work / "none", work / "out")
    assert result.returncode == 0, result.stderr
    assert (work / "out/other/code.def").read_text() == "code"
    assert "<code>build/docs/reference/made/html/index.html</code>" in (work / "out/docs/page.html").read_text()
    result = make(small, work / "none", work / "out", PATH="/nonexistent")
    assert result.returncode != 0 and "Fix: apt-get install mkdocs" in result.stderr, result.stderr


with tempfile.TemporaryDirectory() as folder:
    check_site(pathlib.Path(sys.argv[1]), pathlib.Path(folder))
    check_refusals(pathlib.Path(sys.argv[1]), pathlib.Path(folder))
