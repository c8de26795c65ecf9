#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# bundle.sh MAKER MEGABYTES PLUGIN PROGRAM...: the bundle runs where it was moved to,
# in an empty environment, on nothing of this machine but glibc and the driver.
# shellcheck source-path=SCRIPTDIR
. "${0%/*}/common.sh"

maker=$1 limit=$2
shift 2
driver=${VK_DRIVER_FILES:?}

"$maker" "$work/made/vyre-bundle.tar.gz" "$limit" "$@"
tar -x -z -f "$work/made/vyre-bundle.tar.gz" -C "$work"
rm -r "$work/made"
mkdir "$work/some where" "$work/home" "$work/tmp"
bundle="$work/some where/else"
mv "$work/vyre-bundle" "$bundle"
size=$(du -s -b "$bundle" | cut -f 1)
[ "$size" -le "${limit}000000" ] || fail "the bundle has $size bytes"

# clean SECONDS PROGRAM ARGUMENT...: in the bundle, with next to no environment
clean() {
  seconds=$1
  shift
  timeout -k 5 "$seconds" env -i HOME="$work/home" VK_DRIVER_FILES="$driver" \
    "$bundle/run" "$@" >"$work/log" 2>"$work/errors" || fail "status $? of: $*"
}

echo 'its GStreamer finds vyrefilter, and all plugins load'
clean 60 env LD_DEBUG=files LD_DEBUG_OUTPUT="$work/scan" gst-inspect-1.0 vyrefilter
cat "$work"/scan.* | grep -q "initialize program: $bundle/libexec/gst-plugin-scanner" ||
  fail 'another scanner, or none'
grep -q "Filename  *$bundle/lib/gstreamer-1.0/libgstvyre.so" "$work/log" || fail 'another vyrefilter'
clean 60 gst-inspect-1.0 -b
grep -q '^Total count: 0 ' "$work/log" || fail "$(cat "$work/log")"

echo 'plugins of the host are not its own'
plugins=$(pkg-config --variable=pluginsdir gstreamer-1.0)
mkdir -p "$work/home/.local/share/gstreamer-1.0"
ln -s "$plugins" "$work/home/.local/share/gstreamer-1.0/plugins"
clean 60 env GST_PLUGIN_PATH="$plugins" "$bundle/run" gst-inspect-1.0
count=$(find "$bundle/lib/gstreamer-1.0" -name '*.so' | wc -l)
grep -q "^Total count: $((count + 1)) plugins" "$work/log" || fail 'plugins of others'

echo 'a pipeline has results'
# Layers that come with a driver are not the point.
clean 60 env LD_DEBUG=files LD_DEBUG_OUTPUT="$work/loaded" VK_LOADER_LAYERS_DISABLE='~implicit~' \
  gst-launch-1.0 -m videotestsrc num-buffers=20 pattern=white ! \
  video/x-raw,format=I420,width=160,height=120 ! \
  vyrefilter name=vyre program=builtin:frame-stats results-interval=0 ! fakesink
same results 20 "$(messages vyre-results | wc -l)"
same luma "$((20 * 160 * 120 * 235))" \
  "$(messages vyre-results | field luma.sum | awk '{ n += $1 } END { print n }')"
same faults 0 "$(counter faults)"

# Names of glibc's libraries, which a bundle must not bring along.
glibc='(ld-linux.*|libc|libm|libmvec|libdl|librt|libpthread|libresolv|libutil|libanl)\.so\.[0-9]+$'

# strangers <PATHS: those that are neither the bundle's nor glibc's
strangers() {
  grep -Fv "$bundle/" | grep -Ev "/$glibc" | sort -u
}

echo 'it brings its libraries along, and not those of glibc'
find "$bundle" -name '*.so*' -o -path '*/bin/*' -o -path '*/libexec/*' >"$work/files"
grep -E "/$glibc" "$work/files" && fail 'libraries of glibc'
while read -r file; do
  clean 10 ldd "$file"
  if grep 'not found' "$work/log"; then
    fail "what $file needs"
  fi
  awk '$2 == "=>"' "$work/log" | sed -e 's/.* => //' -e 's/ (0x.*//'
done <"$work/files" >"$work/needed"
[ "$(wc -l <"$work/needed")" -gt 500 ] || fail 'ldd has next to nothing to say'
same 'libraries of others' '' "$(strangers <"$work/needed")"

echo 'what a pipeline loaded is the bundle, glibc, and the driver'
loaded=$(grep -l 'calling init: .*/libgstvyre.so' "$work"/loaded.* | tail -n 1)
sed -n 's/.*calling init: //p' "$loaded" >"$work/inits"
library=$(sed -n 's/.*"library_path" *: *"\(.*\)".*/\1/p' "$driver")
# A name alone is looked for where the dynamic linker looks.
case $library in
  */*) ;;
  *) library=$(grep "/$library\$" "$work/inits") || fail "$library is not loaded" ;;
esac
clean 10 ldd "$library"
{
  echo "$library"
  awk '$2 == "=>" { print $3 }' "$work/log"
} >"$work/driver"
grep -q "$bundle/lib/libvulkan.so.1" "$work/inits" || fail 'the loader is not loaded'
grep -q "^$library" "$work/inits" || fail 'the driver is not loaded'
same 'what else was loaded' '' "$(strangers <"$work/inits" | grep -Fxv -f "$work/driver")"

echo 'a film is made and read'
clean 60 gst-launch-1.0 -q videotestsrc num-buffers=30 pattern=ball ! video/x-raw,format=I420 ! \
  vp8enc deadline=1 cpu-used=8 ! webmmux ! filesink location="$work/film.webm"
clean 60 gst-launch-1.0 -m filesrc location="$work/film.webm" ! decodebin ! videoconvert ! \
  video/x-raw,format=I420 ! vyrefilter name=vyre program=builtin:frame-stats ! fakesink
same buffers 30 "$(counter buffers)"
clean 60 vyre-qc "$work/film.webm"
grep -q 'pass, 30 frames of video' "$work/log" || fail "$(cat "$work/log")"

echo 'vyre-info finds the plugin and a device'
clean 60 vyre-info --json
grep -q '"proven":true' "$work/log" || fail "$(cat "$work/log")"
grep -q "\"plugin-file\":\"$bundle/lib" "$work/log" || fail "$(cat "$work/log")"

echo 'benchmarks and tests run in there'
# Of the tests, those that start themselves once more are all here.
for program in test-access test-ranges test-file-io test-file-io-refusals test-disassemble test-opcodes \
  test-element-soak; do
  clean 120 "$program"
done
clean 120 vyre-bench --quick --rows 'rtt,frames'
same 'its rows that failed' 0 "$(grep -c FAILED "$work/log")"

# kept DIRECTORY DIRECTORY: the registry is in the first one, a kernel in the second
kept() {
  [ -f "$1/bundle-registry.bin" ] || fail "no registry in $1"
  ls "$2"/kernel-*.bin >"$work/log" || fail "no kernel in $2"
}

echo "what is kept is in the user's cache, or in a directory of our own"
kept "$work/home/.cache/gst-vyre" "$work/home/.cache/gst-vyre"
own=$work/tmp/gst-vyre-$(id -u)
timeout -k 5 60 env -i TMPDIR="$work/tmp" VK_DRIVER_FILES="$driver" \
  "$bundle/run" gst-launch-1.0 -q audiotestsrc num-buffers=1 ! vyrefilter ! fakesink
kept "$own" "$own/gst-vyre"
rm -r "$own"
ln -s "$work/home" "$own"
if env -i TMPDIR="$work/tmp" "$bundle/run" true 2>"$work/errors"; then
  fail 'a registry where others might put one'
fi
grep -q 'Fix: ' "$work/errors" || fail 'no way out'

echo 'a bundle that grew too large is refused'
if "$maker" "$work/made/large.tar.gz" 1 "$1" 2>"$work/errors"; then
  fail 'more than 1 MB'
fi
grep -q 'bytes, 1 MB are allowed.* Fix: ' "$work/errors" || fail 'no reason for the refusal'
same 'what is left of it' '' "$(ls "$work/made")"
