#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The pipelines of the README run as they stand there, and say what they promise.
# shellcheck source-path=SCRIPTDIR
. "${0%/*}/common.sh"

readme=$(cd "${0%/*}/../.." && pwd)/README.md
mkdir "$work/build"
timeout 60 gst-launch-1.0 -q videotestsrc num-buffers=30 pattern=ball ! \
  video/x-raw,format=I420 ! vp8enc deadline=1 cpu-used=8 ! webmmux ! \
  filesink location="$work/build/film.webm"
sed -n 's/^gst-launch-1.0/timeout -k 5 60 &/p' "$readme" >"$work/lines"
same 'pipelines in the README' 9 "$(wc -l <"$work/lines")"

cd "$work"
number=0
while read -r line; do
  number=$((number + 1))
  echo "$line" >"$work/line"
  sh "$work/line" >"$work/log" 2>"$work/errors" </dev/null || fail "$line"
  grep -q '(element): vyre-counters, ' "$work/log" || fail "no counters: $line"
  case $number in
    1 | 5) result='luma=.*black=' ;;
    2 | 3) result='histogram=.*crc32=' ;;
    4) result='left=.*right=' ;;
    6) result='luma-histogram=' ;;
    7) result='luma-difference=' ;;
    8) result='samples=' ;;
    9) result='crc=' ;;
  esac
  grep -q "(element): vyre-results, .*$result" "$work/log" || fail "no results: $line"
done <"$work/lines"

# A CRC-32 for every block, in the order of the file.
blocks=$((($(wc -c <build/film.webm) + 65535) / 65536))
same "bytes in the log" $((4 * blocks)) "$(wc -c <build/crc.log)"
