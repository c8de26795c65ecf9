#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# tutorial.sh EXAMPLE VYRE-QC: the commands of docs/tutorial.md run in their order as they stand there, and
# print the lines that the page says, whatever their numbers are. Only the two that build and enter
# the build, which is there, are left out.
# shellcheck source-path=SCRIPTDIR
. "${0%/*}/common.sh"

root=$(cd "${0%/*}/../.." && pwd)
page=$root/docs/tutorial.md
mkdir -p "$work/build/docs/examples" "$work/build/apps/qc"
ln -s "$(realpath "$1")" "$work/build/docs/examples/publish"
ln -s "$(realpath "$2")" "$work/build/apps/qc/vyre-qc"
ln -s "$root/docs" "$work/docs"
cd "$work"
timeout 60 gst-launch-1.0 -q videotestsrc num-buffers=30 pattern=ball ! \
  video/x-raw,format=I420 ! vp8enc deadline=1 cpu-used=8 ! webmmux ! \
  filesink location=build/film.webm

# Each block in a file of its own, in the order of the page: 01.sh, 02.text, …
awk '/^```/ {
    if (!inside)
      name = sprintf("%02d.%s", ++n, substr($0, 4))
    inside = !inside
    next
  }
  inside { print >name }' "$page"

# pattern: the line on standard input as an expression for grep -E, for any numbers and spaces.
pattern() {
  sed -e 's/[][\\.*^$(){}?+|/]/\\&/g' -e 's/[0-9][0-9]*/[0-9]+/g' -e 's/  */ +/g'
}

commands=0
promises=0
for block in [0-9][0-9].*; do
  case $block in
    *.sh)
      case $(cat "$block") in
        tests/demo.sh | 'meson devenv -C build -w .') continue ;;
      esac
      commands=$((commands + 1))
      timeout -k 5 60 sh "$block" >output 2>&1 </dev/null || true
      ;;
    *.text)
      while IFS= read -r line; do
        promises=$((promises + 1))
        grep -qE -e "$(printf '%s\n' "$line" | pattern)" output || {
          cut -c -1000 output | tail -n 30 >&2
          fail "$page promises a line that is not printed: $line"
        }
      done <"$block"
      ;;
    *) fail "$page has a block that is neither sh nor text: $block" ;;
  esac
done
[ $commands -ge 14 ] && [ $promises -ge 30 ] ||
  fail "only $commands commands and $promises promises were found"
