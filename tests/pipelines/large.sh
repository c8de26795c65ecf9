#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A payload that takes many times more loop iterations than a driver grants to one
# launch: every result is right. One byte more than the device can address at once
# is refused.
# shellcheck source-path=SCRIPTDIR disable=SC2086 # $vyre is several words
. "${0%/*}/common.sh"
need gzip

size=134217728
seq 1 20000000 | head -c $size >"$work/file"
program='crc32 payload -> crc32; u8_stats payload -> stats'
program="$program; u8_below payload, 49 -> below; u8_histogram payload -> bytes"
launch 0 120 filesrc location="$work/file" blocksize=$size ! \
  $vyre staging-size=$size program="$program" ! fakesink
messages vyre-results >"$work/results"
result() {
  field "$1" <"$work/results"
}

same crc32 "$(crc32 <"$work/file")" "$(result crc32)"
# The file has digits and line feeds; tr counts them.
below=0 sum=0 digit=0
lines=$(tr -dc '\n' <"$work/file" | wc -c)
same 'bin-10' "$lines" "$(result bytes.bin-10)"
sum=$((lines * 10))
while [ $digit -lt 10 ]; do
  count=$(tr -dc $digit <"$work/file" | wc -c)
  same "bin-$((48 + digit))" "$count" "$(result bytes.bin-$((48 + digit)))"
  sum=$((sum + count * (48 + digit)))
  [ $digit -gt 0 ] || below=$((lines + count))
  digit=$((digit + 1))
done
same bin-0 0 "$(result bytes.bin-0)"
same below $below "$(result below)"
same count $size "$(result stats.count)"
same min 10 "$(result stats.min)"
same max 57 "$(result stats.max)"
same sum $sum "$(result stats.sum)"
same faults 0 "$(counter faults)"

# Right where the device can, refused with a reason where it cannot.
echo >>"$work/file"
run 120 filesrc location="$work/file" blocksize=$((size + 1)) ! \
  $vyre staging-size=$((size * 2)) program='crc32 payload -> crc32' ! fakesink
if [ "$status" -eq 0 ]; then
  same crc32 "$(crc32 <"$work/file")" "$(messages vyre-results | field crc32)"
else
  same status 1 "$status"
  grep -q "A buffer of $((size + 1)) bytes .* Fix: " "$work/errors" ||
    fail 'no reason for the refusal'
fi
