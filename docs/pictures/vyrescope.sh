#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# vyrescope.sh PICTURE.png: what vyrescope shows of a film of test pictures, at its end; the picture of
# docs/vyrescope.md is made so.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
gst-launch-1.0 -q concat name=c ! video/x-raw,format=I420,width=320,height=240,framerate=30/1 ! \
  vp8enc deadline=1 cpu-used=8 target-bitrate=4000000 ! webmmux ! filesink location="$work/film.webm" \
  videotestsrc num-buffers=60 pattern=pinwheel ! c. \
  videotestsrc num-buffers=70 pattern=black ! c. \
  videotestsrc num-buffers=45 pattern=smpte75 ! c. \
  videotestsrc num-buffers=70 pattern=pinwheel background-color=0xff3366cc ! c.
gst-launch-1.0 -q filesrc location="$work/film.webm" ! decodebin ! videoconvert ! \
  video/x-raw,format=I420 ! vyrefilter output-mode=passthrough program=builtin:video-qc ! \
  vyrescope history=8000000000 ! video/x-raw,width=960,height=540 ! videoconvert ! \
  pngenc snapshot=false ! multifilesink max-files=1 location="$work/%d.png"
mv "$work"/*.png "$1"
