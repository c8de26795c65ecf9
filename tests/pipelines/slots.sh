#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Slots that anybody can write, with printf: they run as they come, and the readbacks
# hold what they did. What is refused is in errors.sh.
# shellcheck source-path=SCRIPTDIR disable=SC2086 # $vyre is several words
. "${0%/*}/common.sh"
need od

observables=640 # bytes of the control part before them
control=$((observables + 4 * 256))
rest=$((1028 + 2048)) # bytes of the debug log and of the io queue

# word VALUE: its four bytes, lowest first.
word() {
  # shellcheck disable=SC2059 # the format is what makes bytes of numbers
  printf "$(printf '\\%03o\\%03o\\%03o\\%03o' \
    $(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24 & 255)))"
}

# slot STATUS OPCODE [ARGUMENT...]: 64 bytes, for tenant 0 and of priority 2.
slot() {
  word "$1" && word "$2" && word 0 && word 2
  shift 2
  for index in 1 2 3 4 5 6 7 8 9 10 11 12; do
    word "${1:-0}"
    [ $# -eq 0 ] || shift
  done
}

# word_at BYTE: that word of what came out.
word_at() {
  od -An -v -tu4 -j "$1" -N 4 "$work/out" | tr -d ' '
}

# run_slots BLOCKSIZE CAPS: has the slots of $work/slots run.
run_slots() {
  launch 0 60 filesrc location="$work/slots" blocksize="$1" ! "$2" ! $vyre ! \
    filesink location="$work/out"
}

echo 'one batch: a store, an addition, an idle slot, a fence, a request'
{
  slot 1 1 3735928559 161 # STORE_U32
  slot 1 2 5 162          # ATOMIC_ADD
  slot 0 0                # EMPTY
  slot 1 7 4 4660         # BATCH_FENCE
  slot 1 65533 4711       # LOAD_MISS
} >"$work/slots"
run_slots 320 application/x-vyre-slots
same 'bytes' $((control + 320 + rest)) "$(wc -c <"$work/out")"
same 'DONE_COUNT' 3 "$(word_at 4)"
same 'EPOCH' 1 "$(word_at $((4 * 128)))"
same 'the tag of the fence' 4660 "$(word_at $observables)"
same 'what was stored' 3735928559 "$(word_at $((observables + 4)))"
same 'what was added' 5 "$(word_at $((observables + 8)))"
statuses=
for index in 0 1 2 3 4; do
  statuses="$statuses $(word_at $((control + 64 * index)))"
done
same 'statuses' ' 3 3 0 3 4' "$statuses"
queue=$((control + 320 + 1028))
same 'the request' '1 4711' "$(word_at $queue) $(word_at $((queue + 4)))"
same 'copied bytes' 320 "$(counter cpu-bounce-bytes)"
same 'slots that ran' 3 "$(counter done-count)"
messages vyre-results | grep -q 'sequence=1' || fail 'no vyre-results'

echo 'the same slots, two in a batch, the last alone'
run_slots 128 application/x-vyre-slots,abi=1
same 'bytes' $((3 * (control + rest) + 320)) "$(wc -c <"$work/out")"
same 'batches' 3 "$(counter batches)"
same 'the tag of the second batch' 4660 "$(word_at $((control + 128 + rest + observables)))"
