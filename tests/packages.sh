#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# packages.sh MODULES_OF: builds the Debian packages of these sources as they are, with the kernel
# modules of a build and with clang, which has no warnings; lintian has none either. A bare root of
# the Debian that this runs on has the packages, and nothing else of these sources, and follows the
# section of docs/packages.md that leads from them to a picture.
set -eu
export LC_ALL=C
cd "$(dirname "$0")/.."
. tests/root.sh
. tests/pipelines/follow.sh

[ $# -eq 1 ] || fail 'usage: packages.sh MODULES_OF. Fix: name the directory of a build.'
modules=$(realpath "$1")
page=$PWD/docs/packages.md
work=$(mktemp -d)
root=$work/root
making=
# Mounts are in namespaces that have ended, and not in the root.
trap '[ -z "$making" ] || kill "$making" 2>/dev/null || true; $as_root rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# pin: what the packages recommend for films of other formats than those here is 120 MB.
pin() {
  printf 'Package: gstreamer1.0-libav\nPin: version *\nPin-Priority: -1\n' |
    $as_root tee "$root/etc/apt/preferences.d/without" >/dev/null
}

# shellcheck source=/dev/null
bootstrap "$root" "$(. /etc/os-release && echo "$VERSION_CODENAME")" &
making=$!

# The sources as they are here, without what was built.
version=$(sed -n "s/^  version: '\(.*\)',/\1/p" meson.build)
tar --exclude-vcs --exclude='./build*' --exclude=__pycache__ --transform="s|^\.|gst-vyre-$version|" \
  -czf "$work/sources.tar.gz" . || [ $? -eq 1 ] # folders change: tests run, and roots are made
# All other builds of the libraries, plugins and tools are of gcc. A compiler finds what it warns of
# before it optimises.
CC=clang DEB_CFLAGS_APPEND=-g0 MESON_OPTIONS="-Dmodules-of=$modules -Dwerror=true" \
  DEB_BUILD_OPTIONS="noautodbgsym noopt parallel=$(nproc)" \
  .packages/build.sh "$work/user/packages" "$work/sources.tar.gz" >"$work/log" 2>&1 || {
  tail -n 40 "$work/log" >&2
  fail 'the packages are not built, or clang or lintian complains'
}

wait "$making" || fail 'there is no root to install the packages in'
making=
pin

# step FILE: runs it in the root.
step() {
  inside "$root" "$work/user" timeout -k 5 600 env DEBIAN_FRONTEND=noninteractive sh -e "$1"
}

cd "$work/user"
sed -n '/^## From the packages to a picture/,/^## /p' "$page" >"$work/section"
follow step <"$work/section"
[ "$commands" -ge 7 ] && [ "$promises" -ge 9 ] || fail "only $commands commands and $promises promises were found"
[ "$(od -A n -t u1 -j 16 -N 8 scope.png)" = '   0   0   3 192   0   0   2  28' ] || fail 'scope.png is not 960 x 540'
[ "$(wc -c <scope.png)" -gt 10000 ] || fail 'scope.png has no panels' # of one colour it has 3 KB
grep -q '<svg' report.html || fail 'report.html has no timeline'
