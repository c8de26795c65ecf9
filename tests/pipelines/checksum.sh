#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The checksum of a whole file in one buffer is that of gzip; so is that of each
# of its blocks.
# shellcheck source-path=SCRIPTDIR disable=SC2086 # $vyre is several words
. "${0%/*}/common.sh"
need gzip

seq 1 1000000 >"$work/numbers"
for size in 1 3 4 63 4095 4096 4097 65537 1000003 4194304; do
  head -c "$size" "$work/numbers" >"$work/file"
  launch 0 60 filesrc location="$work/file" blocksize="$size" ! \
    $vyre program='crc32 payload -> crc32' ! fakesink
  same "crc32 of $size bytes" "$(crc32 <"$work/file")" "$(messages vyre-results | field crc32)"
  same "payload-bytes" "$size" "$(counter payload-bytes)"
  same "cpu-bounce-bytes" 0 "$(counter cpu-bounce-bytes)"
done

head -c 100001 "$work/numbers" >"$work/file"
launch 0 60 filesrc location="$work/file" blocksize=8192 ! \
  $vyre program='crc32 payload -> crc32' results-interval=0 ! fakesink
messages vyre-results | field crc32 >"$work/ours"
for block in 0 1 2 3 4 5 6 7 8 9 10 11 12; do
  tail -c +$((block * 8192 + 1)) "$work/file" | head -c 8192 | crc32
done >"$work/gzip"
cmp "$work/ours" "$work/gzip" || fail 'checksums of blocks'

: >"$work/file"
launch 0 60 filesrc location="$work/file" ! $vyre ! fakesink
same 'results for an empty file' '' "$(messages vyre-results)"
same 'buffers for an empty file' 0 "$(counter buffers)"
