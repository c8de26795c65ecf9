#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A film goes through vyrefilter in passthrough, in pipelines that show, convert and encode it: the
# frames are those of a pipeline without it, every frame is analysed, and players take it as their
# video filter.
# shellcheck source-path=SCRIPTDIR disable=SC2086 # $vyre is several words
. "${0%/*}/common.sh"

frames=40
timeout 60 gst-launch-1.0 -q videotestsrc num-buffers=$frames pattern=ball ! \
  video/x-raw,format=I420,width=176,height=144,framerate=25/1 ! vp8enc deadline=1 cpu-used=8 ! \
  webmmux ! filesink location="$work/film.webm"

# decoded NAME ELEMENT...: the frames behind these elements, in a file of that name.
decoded() {
  output=$1
  shift
  launch 0 60 filesrc location="$work/film.webm" ! decodebin ! "$@" ! \
    filesink location="$work/$output"
}

whole() {
  same 'analysed frames' $frames "$(counter arrived)"
  same 'completeness' true "$(counter complete)"
}

pass="$vyre output-mode=passthrough"
decoded plain videoconvert ! video/x-raw,format=I420
decoded passed videoconvert ! video/x-raw,format=I420 ! $pass program=builtin:video-qc
whole
cmp "$work/plain" "$work/passed" || fail 'frames differ'
rm "$work/passed"

# Elements that write in place get memory that they may write to.
decoded dark videoconvert ! video/x-raw,format=I420 ! videobalance brightness=-0.5
decoded passed videoconvert ! video/x-raw,format=I420 ! $pass program=builtin:video-qc ! \
  videobalance brightness=-0.5
whole
cmp "$work/dark" "$work/passed" || fail 'darkened frames differ'

# A decoder pads and crops its pictures by metas only where downstream knows these.
for element in identity "$pass program=builtin:video-qc"; do
  launch 0 60 videotestsrc num-buffers=3 ! video/x-raw,format=I420,width=50,height=38 ! \
    theoraenc ! theoradec ! $element ! filesink location="$work/odd-${element%% *}"
done
cmp "$work/odd-identity" "$work/odd-vyrefilter" || fail 'frames of an odd size differ'

# Results are per frame, whatever comes behind.
launch 0 60 filesrc location="$work/film.webm" ! decodebin ! videoconvert ! \
  $pass program=builtin:frame-stats results-interval=0 ! videoconvert ! video/x-raw,format=RGB ! \
  videoscale ! video/x-raw,width=64 ! videoconvert ! vp8enc deadline=1 cpu-used=8 ! \
  webmmux ! fakesink
whole
same 'results' $frames "$(messages vyre-results | wc -l)"

for player in playbin playbin3; do
  launch 0 60 $player uri="file://$work/film.webm" \
    video-filter="$pass program=builtin:video-qc" video-sink=fakesink audio-sink=fakesink
  whole
done
