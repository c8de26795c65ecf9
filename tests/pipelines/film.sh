#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The statistics of every frame of an encoded film are those of ffmpeg's
# signalstats on the same film, and the readbacks in the file hold them too.
# shellcheck source-path=SCRIPTDIR disable=SC2086 # $vyre is several words
. "${0%/*}/common.sh"
need ffmpeg

# Noise over colour bars that move.
make_film() {
  timeout 60 gst-launch-1.0 -q compositor name=mix sink_1::alpha=0.4 ! \
    "video/x-raw,format=I420,width=$1,height=$2,framerate=25/1" ! \
    vp8enc deadline=1 cpu-used=8 target-bitrate=2000000 ! webmmux ! \
    filesink location="$work/film.webm" \
    videotestsrc num-buffers=30 horizontal-speed=3 ! \
    "video/x-raw,width=$1,height=$2,framerate=25/1" ! mix.sink_0 \
    videotestsrc num-buffers=30 pattern=snow ! \
    "video/x-raw,width=$1,height=$2,framerate=25/1" ! mix.sink_1
}

# One line per frame: Y, U and V, minimum, maximum and mean each. ffmpeg prints
# means with six digits, and so does %g.
theirs() {
  timeout 60 ffmpeg -nostdin -v error -i "$work/film.webm" -fps_mode passthrough \
    -vf signalstats,metadata=print:file=- -f null - |
    awk -F '[.=]' -v planes="$1" '
      /^frame:/ { if (n++) print line; line = "" }
      $3 ~ /^[YUV](MIN|MAX)$/ { value[$3] = substr($0, index($0, "=") + 1) }
      $3 ~ /^[YUV]AVG$/ { value[$3] = substr($0, index($0, "=") + 1) }
      $3 == "VMAX" {
        for (i = 1; i <= length(planes); i++) {
          p = substr(planes, i, 1)
          line = line " " p " " value[p "MIN"] " " value[p "MAX"] " " value[p "AVG"]
        }
      }
      END { print line }'
}

ours() {
  messages vyre-results | awk -v planes="$1" '{
    for (i = 1; i <= NF; i++) {
      split($i, word, "=")
      value[word[1]] = word[2]
    }
    line = ""
    for (i = 1; i <= length(planes); i++) {
      p = substr(planes, i, 1)
      r = p == "Y" ? "luma" : tolower(p)
      line = line sprintf(" %s %d %d %g", p, value[r ".min"], value[r ".max"],
        value[r ".sum"] / value[r ".count"])
    }
    print line
  }'
}

# compare CAPS PLANES
compare() {
  launch 0 60 filesrc location="$work/film.webm" ! decodebin ! videoconvert ! \
    "video/x-raw,format=$1" ! \
    $vyre program=builtin:frame-stats results-interval=0 ! \
    filesink location="$work/readbacks.bin"
  ours "$2" >"$work/ours"
  theirs "$2" >"$work/theirs"
  same frames 30 "$(awk 'END { print NR }' "$work/theirs")"
  diff "$work/theirs" "$work/ours" || fail "statistics of a film in $1"
  same buffers 30 "$(counter buffers)"
  same faults 0 "$(counter faults)"
  same cpu-bounce-bytes 0 "$(counter cpu-bounce-bytes)"
  same 'bytes in the file' "$(counter readback-bytes)" "$(wc -c <"$work/readbacks.bin")"
  if [ -n "${VYRE_TEST_RESIDENCY:-}" ]; then
    same residency "$VYRE_TEST_RESIDENCY" "$(counter residency)"
  fi
}

make_film 320 240
compare I420 YUV
# Frames differ, or the film proves nothing.
[ "$(sort -u "$work/ours" | wc -l)" -ge 25 ] || fail 'the film stands still'
# The first readback: the control part comes first, results start at word 161.
# shellcheck disable=SC2046 # one word is one number
set -- $(messages vyre-results | head -n 1 | tr ' ' '\n' |
  sed -n 's/^luma\.[a-z]*=//p')
same 'luma in the readback' "$1 $2 $3 $4" \
  "$(od -An -v -tu4 -j644 -N16 "$work/readbacks.bin" | awk '{ print $1, $2, $3, $4 }')"
# Planes side by side: the statistics of luma alone.
compare NV12 Y

# Rows with padding, planes of odd size.
make_film 161 97
compare I420 YUV
