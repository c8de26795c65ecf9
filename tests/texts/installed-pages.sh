#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# installed-pages.sh BUILD: the README and the pages of docs/ lead to what is installed beside them,
# and the pages that elements name, and the commands that pages run, are there.
set -eu
build=$1

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

fail() {
  echo "FAIL: $*" >&2
  exit 1
}

DESTDIR=$work/root meson install -C "$build" --no-rebuild --quiet --tags doc >"$work/log" 2>&1 ||
  fail "$(cat "$work/log")"
folder=$(dirname "$(find "$work/root" -path '*/gst-vyre/README.md')")
sh "${0%/*}/pages.sh" "$folder" || fail "a page leads to what is not installed. Fix: link to pages and examples alone."
for element in vyrefilter vyresrc vyrereadbackparse vyrereadbackmux; do
  uri=$(gst-inspect-1.0 "$element" | sed -n 's/^ *Doc-uri *//p')
  [ -f "$work/root${uri#file://}" ] || fail "$element names $uri, which is not installed"
done
meson introspect --installed "$build" | tr , '\n' | grep -o '/bin/vyre-[a-z]*"' | sort -u >"$work/commands"
meson introspect --targets "$build" | grep -q '"vyre-bench"' || echo '/bin/vyre-bench"' >>"$work/commands"
# shellcheck disable=SC2013 # a word is a command
for command in $(sed -n 's/^    \(vyre-[a-z]*\) .*/\1/p' "$folder"/docs/*.md | sort -u); do
  grep -qF "/bin/$command\"" "$work/commands" || fail "a page runs $command, which is not installed"
done
