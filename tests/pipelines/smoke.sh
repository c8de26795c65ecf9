#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The element beside those that GStreamer ships, each pipeline under the leaks
# tracer: a leak or a warning of GLib ends it with another status.
# shellcheck source-path=SCRIPTDIR disable=SC2086 # $vyre is several words
. "${0%/*}/common.sh"
export GST_TRACERS=leaks G_DEBUG=fatal-warnings

seq 1 20000 >"$work/file"
file="filesrc location=$work/file"
small="u8_stats payload -> stats"

# buffers COUNT: so many came in, and so many batches ran without a fault.
buffers() {
  same buffers "$1" "$(counter buffers)"
  same batches "$1" "$(counter batches)"
  same faults 0 "$(counter faults)"
}

echo 'a file, into memory that the element lends without caps'
launch 0 30 $file ! $vyre ! fakesink
buffers 27
same cpu-bounce-bytes 0 "$(counter cpu-bounce-bytes)"
case ${VYRE_TEST_RESTRICTION:-} in
  seccomp) refusal='^WARNING: .*kernel.io_uring_disabled=0' ;;
  memlock) refusal='^WARNING: .*raise RLIMIT_MEMLOCK' ;;
  *) refusal= ;;
esac
if [ -n "$refusal" ]; then
  same 'warnings of the restriction' 1 "$(cat "$work/log" "$work/errors" | grep -c "$refusal")"
fi

# The queue is for rndbuffersize, whose pull mode starts without a stream-start.
echo 'buffers of odd sizes, whole-buffer maps downstream'
launch 0 60 $file ! queue ! rndbuffersize min=1 max=9999 ! $vyre program="$small" ! checksumsink
same payload-bytes "$(wc -c <"$work/file")" "$(counter payload-bytes)"

echo 'corrupted bytes'
launch 0 30 $file ! breakmydata probability=0.01 ! $vyre ! fakesink
buffers 27

echo 'memory of others'
launch 0 30 $file ! identity drop-allocation=true ! $vyre ! fakesink
buffers 27
copied=cpu-bounce-bytes # or stored into the device at once, if that has memory of its own
[ "$(counter placement)" = unified ] || copied=ingest.direct-bytes
same "$copied" "$(wc -c <"$work/file")" "$(counter "$copied")"

echo 'a tee'
launch 0 60 videotestsrc num-buffers=100 ! video/x-raw,format=I420,width=160,height=120 ! tee name=t \
  t. ! queue ! $vyre program=builtin:frame-stats ! fakesink t. ! queue ! fakesink
buffers 100

echo 'every buffer of audio arrives'
launch 0 60 audiotestsrc num-buffers=500 ! $vyre program="$small" ! \
  testsink expected-buffer-count=500 sync=false

echo 'random sizes, whole-buffer maps of writable readbacks'
launch 0 60 fakesrc num-buffers=200 sizetype=random sizemax=5000 filltype=random ! \
  $vyre program="$small" ! fakesink dump=true enable-last-sample=false

echo 'a sink that keeps buffers'
launch 0 60 audiotestsrc num-buffers=1000 ! $vyre program=builtin:bytes ! \
  filesink location="$work/out.bin"
buffers 1000
same 'bytes in the file' "$(counter readback-bytes)" "$(wc -c <"$work/out.bin")"

echo 'readbacks that are merged'
launch 0 60 audiotestsrc num-buffers=1000 ! $vyre program="$small" ! identity dump=true ! fakesink
buffers 1000

echo 'live audio is not held back'
launch 0 30 audiotestsrc is-live=true num-buffers=50 ! $vyre program="$small" ! \
  watchdog timeout=2000 ! fakesink sync=true
buffers 50
[ "$(grep -c '^Redistribute latency' "$work/log")" -lt 10 ] || fail 'latency messages without end'

echo 'an error upstream'
launch 1 30 videotestsrc ! video/x-raw,format=GRAY8,width=160,height=120 ! \
  identity error-after=50 ! $vyre program="$small" ! fakesink
grep -q 'Failed after iterations' "$work/errors" || fail 'the error of identity is missing'

echo 'two elements on one kernel'
launch 0 60 videotestsrc num-buffers=50 ! video/x-raw,format=I420,width=160,height=120 ! tee name=t \
  t. ! queue ! $vyre program=builtin:frame-stats ! fakesink \
  t. ! queue ! vyrefilter name=other residency="${VYRE_TEST_RESIDENCY:-auto}" \
    placement="${VYRE_TEST_PLACEMENT:-auto}" \
  program="$small" ! fakesink
buffers 50

# In the foreground, or timeout would interrupt it twice. The element may take
# seconds to open its kernel.
echo 'an interrupt drains'
status=0 seconds=3
timeout --foreground -k 60 -s INT "$seconds" gst-launch-1.0 --no-fault -e -m audiotestsrc is-live=true ! \
  $vyre program="$small" ! fakesink >"$work/log" 2>"$work/errors" || status=$?
# timeout says 124 when it had to send the signal.
same status 124 $status
grep -q '^Got EOS from element' "$work/log" || fail 'no EOS after the interrupt'
[ "$(counter batches)" -gt 0 ] || fail 'no batches before the interrupt'
same batches "$(counter buffers)" "$(counter batches)"
if grep -q 'WARNING' "$work/errors"; then
  fail 'leaks after the interrupt'
fi
