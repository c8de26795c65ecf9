#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# live-page.sh VYRE-QC PICTURE.png: the page of vyre-qc --serve behind a film of test pictures and
# test sounds, as Chromium shows it. docs/gallery.md has the picture.
set -eu
vyre_qc=$1
picture=$(realpath "$2")

command -v chromium >/dev/null || {
  echo 'live-page.sh: there is no chromium. Fix: run tests/setup.sh tests.' >&2
  exit 1
}
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
video=video/x-raw,format=I420,width=640,height=360,framerate=25/1
audio=audio/x-raw,format=S16LE,rate=48000,channels=2
# Both streams come as a whole: the muxer takes them in turn.
wait_for_both='queue max-size-time=0 max-size-bytes=0 max-size-buffers=0'
# shellcheck disable=SC2086 # words of a pipeline
gst-launch-1.0 -q matroskamux name=mux ! filesink location="$work/film.mkv" \
  concat name=v ! $video ! vp8enc deadline=1 cpu-used=8 target-bitrate=4000000 ! $wait_for_both ! \
  mux. \
  concat name=a ! $audio ! $wait_for_both ! mux. \
  videotestsrc num-buffers=150 pattern=pinwheel ! $video ! v. \
  videotestsrc num-buffers=75 pattern=black ! $video ! v. \
  videotestsrc num-buffers=100 pattern=smpte75 horizontal-speed=7 ! $video ! v. \
  videotestsrc num-buffers=90 pattern=ball background-color=0xff406080 ! $video ! v. \
  videotestsrc num-buffers=90 pattern=smpte ! $video ! v. \
  videotestsrc num-buffers=120 pattern=zone-plate kx2=20 ky2=20 kt=1 ! $video ! v. \
  audiotestsrc samplesperbuffer=1920 num-buffers=200 wave=pink-noise volume=0.5 ! $audio ! a. \
  audiotestsrc samplesperbuffer=1920 num-buffers=100 wave=silence ! $audio ! a. \
  audiotestsrc samplesperbuffer=1920 num-buffers=205 wave=red-noise volume=0.3 ! $audio ! a. \
  audiotestsrc samplesperbuffer=1920 num-buffers=20 wave=square volume=1 ! $audio ! a. \
  audiotestsrc samplesperbuffer=1920 num-buffers=100 wave=ticks volume=0.8 ! $audio ! a.

mkfifo "$work/said"
(cd "$work" && exec "$vyre_qc" --serve --serve-linger film.mkv >/dev/null 2>"$work/said") &
server=$!
exec 3<"$work/said"
read -r line <&3
url=${line##* }
read -r line <&3 # that all files are measured
chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
  --disable-background-networking --disable-component-update --disable-sync \
  --user-data-dir="$work/profile" --force-dark-mode --hide-scrollbars --window-size=1200,1560 \
  --virtual-time-budget=5000 --screenshot="$picture" "$url" >/dev/null 2>&1
