#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a user can get wrong ends the pipeline, with a message on the bus that says
# what is wrong and how to fix it.
# shellcheck source-path=SCRIPTDIR disable=SC2086 # $vyre is several words
. "${0%/*}/common.sh"

# refused WORDS ARGUMENT...: the pipeline fails; the first error comes from the
# element and matches WORDS, an extended regular expression.
refused() {
  words=$1
  shift
  run 30 "$@"
  case $status in
    1 | 255) ;; # while running, or in a state change
    124) # gst-launch-1.0 stays when it hears of an error before its main loop runs
      grep -q "pipeline doesn't want to preroll" "$work/errors" || fail "status $status: $*"
      ;;
    *) fail "status $status: $*" ;;
  esac
  said=$(sed -n 's/^ERROR: from element [^ ]*:vyre: //p' "$work/errors" | head -n 1)
  echo "$said" | grep -Eq "$words" || fail "'$said' does not say '$words': $*"
  if grep -Eq 'CRITICAL|WARNING \*\*' "$work/log"; then
    fail "warnings of GLib: $*"
  fi
}

printf 'some bytes\n' >"$work/file"
printf 'u8_stats payload -> stats\nfrobnicate 1\n' >"$work/wrong.vyre"
source="filesrc location=$work/file"

(
  export VK_DRIVER_FILES=/dev/null
  refused 'Fix: .*mesa-vulkan-drivers' $source ! $vyre ! fakesink
)
refused "nonsense.* Fix: " $source ! $vyre device=nonsense ! fakesink
refused '^1:1: .*frobnicate.* Fix: ' $source ! $vyre program='frobnicate 1' ! fakesink
refused "wrong.vyre: 2:1: .*frobnicate.* Fix: " \
  $source ! $vyre program-location="$work/wrong.vyre" ! fakesink
refused "$work/missing.vyre.* Fix: " \
  $source ! $vyre program-location="$work/missing.vyre" ! fakesink
refused 'missing.* Fix: ' $source ! $vyre program=builtin:missing ! fakesink
refused "luma.* Fix: .*videoconvert" $source ! $vyre program=builtin:frame-stats ! fakesink
refused 'buffer of 1000000 bytes does not fit the 65536 bytes of staging.* Fix: .*staging-size' \
  filesrc location=/dev/zero num-buffers=1 blocksize=1000000 ! \
  $vyre staging-size=65536 ! fakesink
refused 'padding.* Fix: |stride.* Fix: ' videotestsrc num-buffers=1 ! \
  video/x-raw,format=RGB,width=99,height=50 ! \
  $vyre program='crc32 plane0 -> crc32' ! fakesink
slots=application/x-vyre-slots
refused 'buffer of 11 bytes .*slots.* Fix: ' $source ! $slots ! $vyre ! fakesink
refused 'Slot 0: .*status.* Fix: ' filesrc location="$0" blocksize=64 ! $slots ! $vyre ! fakesink
refused 'ABI 2 .* Fix: ' $source ! $slots,abi=2 ! $vyre ! fakesink
refused 'none/log.*No such file or directory. Fix: ' $source ! $vyre replay-log="$work/none/log" ! \
  fakesink

# A kernel stays where the device lets it; where not, asking for it is an error. Mesa before 25
# ends every loop.
launch 0 30 $source ! vyrefilter name=vyre ! fakesink
if [ "$(counter residency)" = persistent ]; then
  launch 0 30 $source ! vyrefilter name=vyre residency=persistent ! fakesink
else
  refused 'persistent.* Fix: .*residency' \
    $source ! vyrefilter name=vyre residency=persistent ! fakesink
fi
