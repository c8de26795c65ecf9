#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# make.sh OUTPUT.tar.gz MEGABYTES PLUGIN PROGRAM...: packs the plugin, the programs,
# what is needed of GStreamer, and all libraries of these into the directory OUTPUT
# and an archive of it. More than MEGABYTES in the directory are an error.
set -eu
export LC_ALL=C

# GStreamer's own plugins: what the pipelines of the README, of vyre-qc, the tests and
# the benchmarks are made of. The second list may be missing.
plugins='app audioconvert audiotestsrc compositor coreelements coretracers level matroska playback
  typefindfunctions videoconvertscale videotestsrc vpx'
more_plugins='videosignal'

fail() {
  echo "make.sh: $*" >&2
  exit 1
}

[ $# -ge 3 ] || fail 'usage: make.sh OUTPUT.tar.gz MEGABYTES PLUGIN PROGRAM...'
case $1 in
  *.tar.gz) output=$1 ;;
  *) fail "'$1' does not end in .tar.gz. Fix: name the archive that way." ;;
esac
limit=$2 plugin=$3
shift 3

here=$(cd "$(dirname "$0")" && pwd)
name=$(basename "$output" .tar.gz)
directory=${output%.tar.gz}
part=$output.part
bundle=$part/$name
rm -rf "$part"
trap 'rm -rf "$part"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$bundle/bin" "$bundle/lib/gstreamer-1.0" "$bundle/libexec" "$bundle/licences"

# gstreamer VARIABLE: where this machine has it
gstreamer() {
  pkg-config --variable="$1" gstreamer-1.0
}

# take FILE DIRECTORY: copies it without what only debuggers read, and prints it
take() {
  cp -L "$1" "$bundle/$2"
  strip --strip-unneeded "$bundle/$2/$(basename "$1")"
  echo "$1"
}

pack_programs() {
  tools=$(gstreamer toolsdir)
  for program in "$tools/gst-launch-1.0" "$tools/gst-inspect-1.0" "$@"; do
    take "$program" bin
  done
  take "$(gstreamer pluginscannerdir)/gst-plugin-scanner" libexec
}

pack_plugins() {
  take "$plugin" lib/gstreamer-1.0
  from=$(gstreamer pluginsdir)
  for stem in $plugins $more_plugins; do
    file=$from/libgst$stem.so
    if [ -f "$file" ]; then
      take "$file" lib/gstreamer-1.0
      continue
    fi
    case " $more_plugins " in
      *" $stem "*) ;;
      *) fail "$file is missing. Fix: run tests/setup.sh tests." ;;
    esac
  done
}

# Names of the libraries of glibc, which belong to the host: they fit its kernel,
# its loader and its drivers.
glibc='ld-linux.*|linux-vdso|libc|libm|libmvec|libdl|librt|libpthread|libresolv|libutil|libanl'

pack_libraries() {
  while read -r file; do
    ldd "$file" || fail "ldd cannot read $file. Fix: build for this machine."
  done <"$part/files" >"$part/ldd"
  if grep 'not found' "$part/ldd" >&2; then
    fail 'a library is missing. Fix: run tests/setup.sh tests, and build again.'
  fi
  awk '$2 == "=>" { print $1, $3 }' "$part/ldd" | sort -u | grep -Ev "^($glibc)\.so" |
    while read -r soname path; do
      cp -L "$path" "$bundle/lib/$soname"
      strip --strip-unneeded "$bundle/lib/$soname"
      echo "$path" >>"$part/files"
    done
}

# The packages that the files are of, at one reading of all lists. A file may be listed where it lay
# before /lib was merged into /usr/lib; those of this build are of no package.
packages_of_files() {
  while read -r file; do
    path=$(readlink -f "$file")
    printf '%s\n%s\n' "$path" "${path#/usr}"
  done | { xargs dpkg-query -S 2>/dev/null || true; } | sed 's/:.*//' | sort -u
}

# Whoever hands the bundle on has to hand on these.
pack_licences() {
  packages_of_files <"$part/files" >"$part/packages"
  while read -r package; do
    cp -L "/usr/share/doc/$package/copyright" "$bundle/licences/$package"
    # shellcheck disable=SC2016 # fields of dpkg-query
    dpkg-query -W -f '${source:Package} ${source:Version} ${Package}\n' "$package"
  done <"$part/packages" >"$bundle/licences/SOURCES"
  cp "$here/../../COPYING" "$bundle/licences/gst-vyre"
}

pack_programs "$@" >"$part/files"
pack_plugins >>"$part/files"
pack_libraries
pack_licences
cp "$here/run" "$bundle/run"
cp "$here/../../docs/bundle.md" "$bundle/README.md"
chmod -R u+w,go-w,a+rX "$bundle"
chmod a+x "$bundle/run"

size=$(du -s -b "$bundle" | cut -f 1)
if [ "$size" -gt $((limit * 1000000)) ]; then
  (cd "$bundle" && find . -type f -printf '%s %P\n') | sort -rn | head -n 5 >&2
  fail "the bundle has $size bytes, $limit MB are allowed. Fix: leave out some of what is the" \
    "largest in it, see above."
fi
tar -c -z -f "$part/archive" -C "$part" --owner=0 --group=0 --sort=name "$name"
rm -rf "$directory"
mv "$bundle" "$directory"
mv "$part/archive" "$output"
echo "$output has $(wc -c <"$output") bytes, unpacked $size"
