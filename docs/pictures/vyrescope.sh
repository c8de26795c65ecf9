#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# vyrescope.sh film|sound PICTURE.png: what vyrescope shows at the end of a film of test pictures, or
# of test sounds. docs/gallery.md has the pictures.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
case $1 in
  film) # decoded, so that the traces of an encoder are in it
    gst-launch-1.0 -q concat name=c ! video/x-raw,format=I420,width=320,height=240,framerate=30/1 ! \
      vp8enc deadline=1 cpu-used=8 target-bitrate=4000000 ! webmmux ! filesink location="$work/film.webm" \
      videotestsrc num-buffers=60 pattern=pinwheel ! c. \
      videotestsrc num-buffers=70 pattern=black ! c. \
      videotestsrc num-buffers=45 pattern=smpte75 ! c. \
      videotestsrc num-buffers=70 pattern=pinwheel background-color=0xff3366cc ! c.
    set -- "$2" filesrc location="$work/film.webm" ! decodebin ! videoconvert ! \
      video/x-raw,format=I420 ! vyrefilter output-mode=passthrough program=builtin:scope
    ;;
  sound)
    set -- "$2" audiotestsrc samplesperbuffer=1600 num-buffers=75 wave=pink-noise volume=0.5 ! c. \
      audiotestsrc samplesperbuffer=1600 num-buffers=75 wave=silence ! c. \
      audiotestsrc samplesperbuffer=1600 num-buffers=60 wave=pink-noise volume=0.1 ! c. \
      audiotestsrc samplesperbuffer=1600 num-buffers=30 wave=square volume=1 ! c. \
      concat name=c ! audio/x-raw,format=S16LE,rate=48000,channels=2 ! \
      vyrefilter output-mode=passthrough program=builtin:audio-qc
    ;;
  *)
    echo "usage: $0 film|sound PICTURE.png" >&2
    exit 2
    ;;
esac
picture=$1
shift
gst-launch-1.0 -q "$@" ! vyrescope history=8000000000 ! video/x-raw,width=960,height=540 ! \
  videoconvert ! video/x-raw,format=RGB ! multifilesink max-files=1 location="$work/%d.rgb"
gst-launch-1.0 -q filesrc location="$(echo "$work"/*.rgb)" blocksize=1555200 ! \
  rawvideoparse format=rgb width=960 height=540 ! pngenc ! filesink location="$picture"
