#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The validation layer, synchronization validation included, is there and silent.
# shellcheck source-path=SCRIPTDIR disable=SC2086 # $vyre is several words
. "${0%/*}/common.sh"

validate() {
  timeout -k 5 120 "${0%/*}/../validate.sh" gst-launch-1.0 -q "$@" >"$work/log" 2>&1 ||
    fail "the validation layer has something to say: $*"
  same 'the last line' '# validation layer: 1 instances, 0 messages' \
    "$(tail -n 1 "$work/log")"
}

validate videotestsrc num-buffers=20 ! video/x-raw,format=I420,width=320,height=240 ! \
  $vyre program=builtin:frame-stats ! fakesink
validate audiotestsrc num-buffers=200 ! identity drop-allocation=true ! $vyre ! fakesink
