#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# installed.sh BUILD HEADERS MAP EXAMPLE COMPILER...: the library gstreamer-vyre-1.0 as a user has it.
# What it exports, what the map lists and what the headers declare are the same functions; each
# header compiles alone; and the example, which is built by pkg-config, prints what it computes.
set -eu
export LC_ALL=C
build=$1 headers=$2 map=$3 example=$4
shift 4

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

fail() {
  echo "FAIL: $*" >&2
  exit 1
}

DESTDIR=$work/root meson install -C "$build" --no-rebuild --quiet --tags devel,runtime >"$work/log" 2>&1 ||
  fail "$(cat "$work/log")"
pc=$(find "$work/root" -name gstreamer-vyre-1.0.pc)
[ -n "$pc" ] || fail 'gstreamer-vyre-1.0.pc is not installed'
prefix=$(sed -n 's/^prefix=//p' "$pc")
sed -i "s|^prefix=.*|prefix=$work/root$prefix|" "${pc%/*}"/*.pc
export PKG_CONFIG_PATH="${pc%/*}"
! grep -E 'vulkan|liburing' "${pc%/*}"/*.pc || fail 'applications are to have what no header includes'
flags=$(pkg-config --cflags gstreamer-vyre-1.0)
libs=$(pkg-config --libs gstreamer-vyre-1.0)
library=$(find "$work/root" -name 'libgstvyre-1.0.so')

nm -D --defined-only "$library" | sed -n 's/.* T \([a-z0-9_]*\).*/\1/p' | sort >"$work/exported"
sed -n 's/^ *\(gst_vyre_[a-z0-9_]*\);$/\1/p' "$map" | sort >"$work/listed"
cat "$headers"/*.h | grep -v '^ \*' | grep -o '\bgst_vyre_[a-z0-9_]* (' | tr -d ' (' | sort -u >"$work/declared"
[ -s "$work/listed" ] || fail "$map lists nothing"
diff "$work/listed" "$work/exported" || fail 'the library exports other functions than the map lists'
diff "$work/listed" "$work/declared" || fail 'the headers declare other functions than the map lists'

for header in "$headers"/*.h; do
  name=gst/vyre/${header##*/}
  printf '#include <%s>\n#include <%s>\nextern int one_declaration;\n' "$name" "$name" >"$work/alone.c"
  # shellcheck disable=SC2086 # one word is one flag
  "$@" -Wall -Wextra -Werror -fsyntax-only $flags "$work/alone.c" || fail "$name does not compile alone"
done

# shellcheck disable=SC2086
"$@" -Wall -Werror "$example" $flags $libs -o "$work/example" || fail 'the example does not compile'
LD_LIBRARY_PATH=${library%/*} timeout -k 5 60 "$work/example" >"$work/said" || fail 'the example fails'
printf '1: 235 levels\n2: 235 levels\n3: 235 levels\n' >"$work/expected"
diff "$work/expected" "$work/said" || fail 'the example says something else'
