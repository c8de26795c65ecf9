#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Installs what is missing, builds, makes a film, and watches it with vyrefilter:
# statistics of its frames in messages, readbacks in a file.
set -eu
cd "$(dirname "$0")/.."
export LC_ALL=C

tests/setup.sh demo
[ -f build/build.ninja ] || meson setup build -Dtests=disabled
meson compile -C build
export GST_PLUGIN_PATH="$PWD/build/gst" GST_REGISTRY="$PWD/build/gst/registry.bin"

film=build/film.webm
if [ ! -f $film ]; then
  printf '\nMaking %s: three scenes under noise ...\n' $film
  size=video/x-raw,format=I420,width=1280,height=720,framerate=30/1
  gst-launch-1.0 -q compositor name=mix sink_1::alpha=0.1 ! $size ! \
    vp8enc deadline=1 cpu-used=8 target-bitrate=4000000 ! webmmux ! \
    filesink location=$film.part \
    concat name=scenes ! mix.sink_0 \
    videotestsrc num-buffers=120 horizontal-speed=5 ! $size ! scenes. \
    videotestsrc num-buffers=60 pattern=black ! $size ! scenes. \
    videotestsrc num-buffers=120 pattern=zone-plate kx2=20 ky2=20 kt=3 ! $size ! scenes. \
    videotestsrc num-buffers=300 pattern=snow ! $size ! mix.sink_1
  mv $film.part $film
fi

set -- filesrc location=$film ! decodebin ! videoconvert ! video/x-raw,format=I420 ! \
  vyrefilter program=builtin:frame-stats results-interval=0 ! \
  filesink location=build/readbacks.bin
printf '\ngst-launch-1.0 -m %s\n\n' "$*"
gst-launch-1.0 -m "$@" >build/messages.txt || {
  cat build/messages.txt
  exit 1
}

# Messages are GstStructures as text; backslashes and types are in the way.
sed -n 's/^Got message .* (element): \(vyre-[a-z]*\), /\1, /p' build/messages.txt |
  sed -e 's/\\//g' -e 's/([a-z0-9]*)//g' |
  awk '
    # The number of a field; of the first one after the words in outer, if given.
    function number(name, outer, text) {
      text = $0
      if (outer != "")
        text = substr(text, index(text, " " outer "=\"" outer ","))
      if (!match(text, " " name "=[0-9]+"))
        return 0
      text = substr(text, RSTART + length(name) + 2, RLENGTH - length(name) - 2)
      return text + 0
    }
    function string(name, text) {
      if (match($0, " " name "=\"[^\"]*\""))
        return substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 4)
      match($0, " " name "=[^,;]*")
      return substr($0, RSTART + length(name) + 2, RLENGTH - length(name) - 2)
    }
    $1 == "vyre-results," {
      n++
      count = number("count", "luma")
      mean = number("sum", "luma") / count
      black = 100 * number("black") / count
      if (n == 1)
        print "  time      luma: mean   min   max   U mean   V mean   black"
      line = sprintf("  %6.2f s        %6.2f %5d %5d   %6.2f   %6.2f  %5.1f%%",
        number("stream-time") / 1e9, mean, number("min", "luma"), number("max", "luma"),
        number("sum", "u") / number("count", "u"),
        number("sum", "v") / number("count", "v"), black)
      if (n % 30 == 1)
        print line
    }
    $1 == "vyre-counters," {
      counters = $0
    }
    END {
      if (n % 30 != 1)
        print line
      $0 = counters
      printf "\n"
      printf "  %-18s %s\n", "device", string("device")
      printf "  %-18s %s: %s\n", "residency", string("residency"), string("residency-verdict")
      printf "  %-18s %d, %.1f MB\n", "buffers", number("buffers"), number("payload-bytes") / 1e6
      printf "  %-18s %d, with %d launches of the kernel\n", "batches",
        number("batches"), number("launches")
      printf "  %-18s p50 %.2f ms, p99 %.2f ms\n", "latency",
        number("latency-p50") / 1e6, number("latency-p99") / 1e6
      printf "  %-18s %d: the decoder wrote %.1f MB into staging memory itself\n",
        "cpu-bounce-bytes", number("cpu-bounce-bytes"), number("arena-bytes", "ingest") / 1e6
      printf "  %-18s %d\n", "faults", number("faults")
      printf "  %-18s %d bytes in build/readbacks.bin\n", "readbacks", number("readback-bytes")
    }'
printf '\nAll messages are in build/messages.txt.\n'
