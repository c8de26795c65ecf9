#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# pages.sh [FOLDER]: README.md and the pages of docs/, of the sources or in FOLDER, wrap at 100 columns, but for tables and code; their links
# lead to files and headings that are there; and docs/README.md leads to every page.
set -eu
export LC_ALL=C.UTF-8
cd "${1:-${0%/*}/../..}"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
failed=0

complain() {
  echo "FAIL: $*" >&2
  failed=1
}

# prose PAGE: the lines outside of code and tables, each behind its number.
prose() {
  awk '/^ *```/ { code = !code; next } !code && !/^    / && !/^ *\|/ { print FNR ": " $0 }' "$1"
}

# anchors PAGE: the names of its headings, as links have them.
anchors() {
  prose "$1" | sed -n 's/^[0-9]*: ##* //p' | tr '[:upper:] ' '[:lower:]-' | tr -cd 'a-z0-9_\n-'
}

# links PAGE: the targets of its links, but for those that lead to other hosts.
links() {
  awk '/^ *```/ { code = !code; next } !code' "$1" | grep -oE '\]\([^) ]+\)' |
    sed -e 's/^](//' -e 's/)$//' | grep -vE '^[a-z]+:' || true
}

number=0
for page in README.md docs/*.md; do
  number=$((number + 1))
  prose "$page" | grep -E '^[0-9]+: .{101}' >"$work/long" &&
    complain "$page has lines of more than 100 columns. Fix: wrap them.
$(cut -c -60 "$work/long")"
  links "$page" >"$work/links"
  while read -r link; do
    file=${link%%#*}
    case $file in
      '') target=$page ;;
      *) target=${page%"${page##*/}"}$file ;;
    esac
    [ -e "$target" ] || {
      complain "$page links to $link, which is not there. Fix: name a file beside it."
      continue
    }
    case $link in
      *'#'*) anchors "$target" | grep -qxF "${link#*#}" ||
        complain "$page links to $link, and $target has no such heading. Fix: name one." ;;
    esac
  done <"$work/links"
  case $page in
    docs/README.md) ;;
    docs/*) grep -qF "(${page#docs/})" docs/README.md ||
      complain "docs/README.md does not lead to $page. Fix: add it in the order of reading." ;;
  esac
done
[ $number -gt 8 ] || complain "only $number pages were found"
exit $failed
