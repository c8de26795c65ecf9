#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# replay.sh VYRE-REPLAY: what gst-launch records runs again with the same results,
# and a changed log or payload is noticed.
# shellcheck source-path=SCRIPTDIR disable=SC2086 # $vyre is several words
. "${0%/*}/common.sh"
replay=$1
log=$work/replay.log

# again STATUS ARGUMENT...: vyre-replay with these must end with STATUS; what it prints
# is in $work/said.
again() {
  expected=$1
  shift
  status=0
  timeout -k 5 60 "$replay" --residency "${VYRE_TEST_RESIDENCY:-auto}" "$@" \
    >"$work/said" 2>&1 || status=$?
  [ "$status" -eq "$expected" ] || fail "status $status instead of $expected: $(cat "$work/said")"
}

# says TEXT: and it said that.
says() {
  grep -q -- "$1" "$work/said" || fail "no '$1' in: $(cat "$work/said")"
}

# poke OFFSET: changes that byte of the log; again, and it is as before.
poke() {
  byte=$(od -An -tu1 -j"$1" -N1 "$log")
  # shellcheck disable=SC2059 # the format is the byte
  printf "\\$(printf %o $((byte ^ 1)))" | dd of="$log" bs=1 seek="$1" conv=notrunc 2>"$work/errors"
}

seq 1 20000 >"$work/file"
program='crc32 payload -> crc32; u8_below payload, 50 -> low'

echo 'a file'
launch 0 30 filesrc location="$work/file" ! $vyre program="$program" replay-log="$log" ! fakesink
again 0 --payload "$work/file" "$log"
same said '27 epochs, no divergence' "$(cat "$work/said")"
again 2 "$log"
says 'Epoch 1 has a payload of 4096 bytes. Fix: '

# A batch is 9 records: itself, the digest, three slots of two, the observables. In
# the third, those start at record 26.
start=$((32 + 64 * 9 * 2))
values=$((start + 64 * 8 + 16))
same 'crc32 in the log' "$(tail -c +8193 "$work/file" | head -c 4096 | crc32)" \
  "$(od -An -tu4 -j$((values + 4)) -N4 "$log" | tr -d ' ')"

echo 'another result in the log'
poke $((values + 8))
again 1 --payload "$work/file" "$log"
says '^epoch 3, observable 2: recorded [0-9]*, now [0-9]*$'
poke $((values + 8))
again 0 --payload "$work/file" "$log"

echo 'another threshold in the log: argument 5, which only we record'
poke $((start + 64 * 5 + 28))
again 1 --payload "$work/file" "$log"
says '^epoch 3, observable 2: '
poke $((start + 64 * 5 + 28))

echo 'a damaged record'
poke $((start + 4))
again 2 --payload "$work/file" "$log"
says 'record 18 is not what has to be there. Fix: '
poke $((start + 4))

echo 'state, of a log that has lost its beginning'
state='state dark[1]; state past[3]; u8_below payload, 50 -> (&dark - 160)'
state="$state; packed_slot { memcpy &past, &past + 1, 2 | atomic_add 1, &past + 2 }"
state="$state; crc32 previous(payload) -> before; crc32 reference(payload) -> then"
state="$state; keep reference when \$dark <= 20000"
launch 0 30 filesrc location="$work/file" ! $vyre program="$state" replay-log="$work/state.log" \
  ! fakesink
again 0 --payload "$work/file" "$work/state.log"
same said '27 epochs, no divergence' "$(cat "$work/said")"
# without the first batch, which has 2 + 5 * 2 + 2 records
dd if=/dev/zero of="$work/state.log" bs=64 count=14 seek=32 oflag=seek_bytes conv=notrunc \
  2>"$work/errors"
again 0 --payload "$work/file" "$work/state.log"
same said '26 epochs, no divergence' "$(cat "$work/said")"
# the payload before the second batch is in the file alone
sed '100s/./x/' "$work/file" >"$work/other"
again 1 --payload "$work/other" "$work/state.log"
says '^epoch 2, observable 5: recorded [0-9]*, now [0-9]*$'

echo 'two streams, whose pairs lie in a row'
head -c 40960 "$work/file" >"$work/mine"
seq 30000 39999 | head -c 40960 >"$work/theirs"
launch 0 30 filesrc location="$work/mine" ! $vyre replay-log="$work/pairs.log" \
  program='crc32 paired(payload) -> theirs; crc32 previous(payload) -> before' ! fakesink \
  filesrc location="$work/theirs" ! queue ! vyre.reference
for i in 0 1 2 3 4 5 6 7 8 9; do
  for stream in mine theirs; do
    dd if="$work/$stream" bs=4096 skip=$i count=1 2>"$work/errors"
  done
done >"$work/pairs"
again 0 --payload "$work/pairs" "$work/pairs.log"
same said '10 epochs, no divergence' "$(cat "$work/said")"
again 2 --payload "$work/mine" "$work/pairs.log"
says 'The payload of epoch 1 is not the one that was recorded. Fix: '

echo 'another payload'
sed 's/^2100$/2101/' "$work/file" >"$work/other"
again 2 --payload "$work/other" "$log"
says 'The payload of epoch 3 is not the one that was recorded. Fix: '
head -c 10000 "$work/file" >"$work/short"
again 2 --payload "$work/short" "$log"
says 'ends before the payload of epoch 3'

echo 'no log, no file, no such residency'
again 2 "$work/none"
again 2 "$work/file"
again 2 --payload "$work/none" "$log"
mkfifo "$work/fifo"
again 2 --payload "$work/fifo" "$log"
says 'not a regular file. Fix: '
again 2 "$work/fifo"
says 'not a regular file. Fix: '
again 2 --residency=eternal "$log"
says 'There is no residency .eternal.. Fix: '

echo 'video with rows and planes, seen by a tee'
launch 0 60 videotestsrc num-buffers=20 horizontal-speed=3 ! \
  video/x-raw,format=I420,width=161,height=97 ! tee name=t \
  t. ! queue ! $vyre program=builtin:frame-stats replay-log="$log" ! fakesink \
  t. ! queue ! filesink location="$work/frames"
again 0 --payload "$work/frames" "$log"
same said '20 epochs, no divergence' "$(cat "$work/said")"

echo 'slots, of which the first is idle'
{
  head -c 64 /dev/zero
  printf '\001\0\0\0\001\0\0\0\0\0\0\0\0\0\0\0\007\0\0\0\241\0\0\0' # STORE_U32 7, 161
  head -c 168 /dev/zero
} >"$work/slots"
launch 0 30 filesrc location="$work/slots" blocksize=256 ! application/x-vyre-slots ! \
  $vyre replay-log="$log" ! filesink location="$work/out"
same 'what was stored' 7 "$(od -An -tu4 -j644 -N4 "$work/out" | tr -d ' ')"
again 0 "$log"
same said '1 epoch, no divergence' "$(cat "$work/said")"
