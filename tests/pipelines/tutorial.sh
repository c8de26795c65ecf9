#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# tutorial.sh EXAMPLE VYRE-QC: the commands of docs/tutorial.md run in their order as they stand there, and
# print the lines that the page says, whatever their numbers are. Only the two that build and enter
# the build, which is there, are left out.
# shellcheck source-path=SCRIPTDIR
. "${0%/*}/common.sh"
# shellcheck source-path=SCRIPTDIR
. "${0%/*}/follow.sh"

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

# step FILE: runs it, unless it builds or enters the build.
step() {
  case $(cat "$1") in
    tests/demo.sh | 'meson devenv -C build -w .') ;;
    *) timeout -k 5 60 sh "$1" ;;
  esac
}

follow step <"$page"
[ $commands -ge 16 ] && [ $promises -ge 30 ] ||
  fail "only $commands commands and $promises promises were found"
