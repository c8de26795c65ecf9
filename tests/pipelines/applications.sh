#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The commands of docs/applications.md run as they stand there, but that sinks write to a file and
# that a freeze may be short: the frames are those without vyrefilter, and the events are those of
# the film.
# shellcheck source-path=SCRIPTDIR
. "${0%/*}/common.sh"

page=$(cd "${0%/*}/../.." && pwd)/docs/applications.md
need gst-play-1.0 ges-launch-1.0
for python in python3 /usr/bin/python3; do # PyGObject is for the system's
  ! "$python" -c 'import gi; gi.require_version("GstRtspServer", "1.0")' 2>/dev/null || break
  [ "$python" = python3 ] || {
    echo 'SKIP: the bindings of gst-rtsp-server are not installed'
    exit 77
  }
done

cd "$work"
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT

# 0.3 s of a ball, 2.1 s of black and, behind a cut, half a second of a still.
format=video/x-raw,format=I420,width=176,height=144,framerate=10/1,pixel-aspect-ratio=1/1
timeout 60 gst-launch-1.0 -q concat name=c ! $format ! \
  vp8enc deadline=1 cpu-used=8 threads=1 keyframe-max-dist=10 ! webmmux ! \
  filesink location=film.webm videotestsrc num-buffers=3 pattern=ball ! c. \
  videotestsrc num-buffers=21 pattern=black ! c. videotestsrc num-buffers=5 pattern=smpte75 ! c.
printf '%s\n' 'black start 300000000' 'black end 2400000000' 'cut start 2400000000' \
  'cut end 2500000000' 'freeze start 2400000000' >expected

# documented WORD: the command of the page that starts with the word, changed for the test.
documented() {
  sed -n "/^$1 /p" "$page" | sed -e "s|/tmp/|$work/|g" -e 's|autovideosink|filesink location=shown|' \
    -e 's|builtin:video-qc|& params=params,freeze_time=0.2,freeze_black=0|' >line
  same "commands with $1" 1 "$(wc -l <line)"
}

# decode FILM OUTPUT
decode() {
  timeout 60 gst-launch-1.0 -q filesrc location="$1" ! decodebin ! videoconvert ! \
    video/x-raw,format=I420 ! filesink location="$2"
}

# seen WHAT FRAMES: the file "shown" has these frames, and the lines have the events of the film.
seen() {
  cmp "$2" shown || fail "frames differ: $1"
  sed -n 's/.*"event":"\([a-z]*\)","state":"\([a-z]*\)",.*"stream-time":\([0-9]*\),.*/\1 \2 \3/p' \
    results.jsonl | grep -v ^borders >events || true
  diff expected events || fail "events differ: $1"
  rm shown results.jsonl
}

decode film.webm plain
[ "$(wc -c <plain)" -eq $((29 * 176 * 144 * 3 / 2)) ] || fail 'the film has other frames'

documented gst-play-1.0
timeout -k 5 60 sh line >log 2>&1 </dev/null || fail 'gst-play-1.0'
seen gst-play-1.0 plain

documented 'gst-launch-1.0 playbin3'
timeout -k 5 60 sh line >log 2>&1 || fail playbin3
seen playbin3 plain

documented 'gst-launch-1.0 uritranscodebin'
sed 's/ video-filter=.*//' line >without
timeout -k 5 60 sh without >log 2>&1 </dev/null || fail 'uritranscodebin without a filter'
decode copy.webm copied
# A filter of any kind has it warn once.
G_DEBUG= timeout -k 5 60 sh line >log 2>&1 </dev/null || fail uritranscodebin
decode copy.webm shown
seen uritranscodebin copied

documented ges-launch-1.0
sed -i "s|ges-launch-1.0|& --video-caps=$format --videosink='filesink location=shown'|" line
timeout -k 5 60 sh line >log 2>&1 </dev/null || fail ges-launch-1.0
seen ges-launch-1.0 plain

sed -n -e '/^## RTSP/,/^## O/p' "$page" | sed -n '/^```python/,/^```$/p' |
  sed -e '/^```/d' -e 's/vp8enc deadline=1 ! rtpvp8pay/rtpvrawpay/' \
    -e 's|builtin:video-qc|& params=params,freeze_time=0.2,freeze_black=0|' \
    -e 's/^server.attach(None)/server.set_service("0"); &; print(server.get_bound_port(), flush=True)/' \
    >server.py
timeout 60 "$python" server.py >port 2>log &
server=$!
until [ -s port ]; do
  kill -0 "$server" 2>/dev/null || fail 'the RTSP server ended'
  sleep 0.05
done
timeout -k 5 60 gst-launch-1.0 -q rtspsrc location="rtsp://127.0.0.1:$(cat port)/film" \
  protocols=tcp latency=0 ! rtpvrawdepay ! filesink location=shown 2>errors || fail rtspsrc
# the server hangs up behind the last frame, which a client may miss
frame=$((176 * 144 * 3 / 2))
frames=$(($(wc -c <shown) / frame))
[ "$frames" -ge 28 ] || fail "rtspsrc has shown $frames of 29 frames"
head -c $((frames * frame)) plain >sent
seen rtspsrc sent
