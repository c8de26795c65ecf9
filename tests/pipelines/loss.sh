#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A device that gets lost under a pipeline: the file is the same as without, and the
# user is told. The second loss ends the pipeline.
# shellcheck source-path=SCRIPTDIR
. "${0%/*}/common.sh"

head -c 300000 /dev/urandom >"$work/input"
# One launch per buffer: it can be said which one is lost. 341 are the proof at start.
pipeline() {
  run 60 filesrc location="$work/input" blocksize=3000 ! vyrefilter name=vyre \
    residency=dispatch program='crc32 payload -> crc32' ! filesink location="$1"
}

pipeline "$work/whole"
same 'status' 0 "$status"

export VYRE_LOST_CALL=vkQueueSubmit VYRE_LOST_AFTER=373
pipeline "$work/lost"
same 'status' 0 "$status"
cmp "$work/whole" "$work/lost" || fail 'the readbacks differ'
warning='^WARNING: from element .*:vyre: .*vkQueueSubmit.* Fix: '
same 'warnings' 1 "$(cat "$work/log" "$work/errors" | grep -c "$warning")"
same 'losses' 1 "$(counter device-losses)"
same 'buffers' 100 "$(counter buffers)"
rerun=$(counter rerun-batches)
[ "$rerun" -ge 1 ] || fail "$rerun batches were run again"
# filesrc was asked to take memory of the new kernel, and did: all behind the loss are 204000 bytes
bounced=$(counter cpu-bounce-bytes)
[ "$bounced" -ge 3000 ] && [ "$bounced" -le 180000 ] || fail "$bounced bytes were copied"

export VYRE_LOST_DEVICES=2
pipeline "$work/twice"
same 'status' 1 "$status"
grep -Eq '^ERROR: from element .*:vyre: .*second time.*; (batch|batches) .* lost\. Fix: ' \
  "$work/errors" || fail 'no word of the second loss'
