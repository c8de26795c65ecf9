#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# build.sh DIRECTORY [TARBALL]: builds the Debian packages of the commit that is checked out, or of a
# tarball of these sources, for the Debian that this runs on, into DIRECTORY, with the tarball that
# they are made of; lintian has no complaint. It takes dpkg-dev, lintian, and what
# .packages/debian/control names: `apt-get build-dep ./.packages` installs that. Words of
# MESON_OPTIONS are options of the build beside those of .packages/debian/rules.
set -eu
export LC_ALL=C.UTF-8

[ $# -eq 1 ] || [ $# -eq 2 ] || {
  echo 'build.sh: usage: build.sh DIRECTORY [TARBALL]. Fix: name the directory of the packages.' >&2
  exit 2
}
mkdir -p "$1"
output=$(cd "$1" && pwd)
tarball=${2:+$(realpath "$2")}
cd "$(dirname "$0")/.."
[ -n "$tarball" ] || git diff --quiet HEAD || {
  echo 'build.sh: there are changes beside the commit. Fix: commit them, or put them away.' >&2
  exit 1
}
version=$(sed -n "s/^  version: '\(.*\)',/\1/p" meson.build)
name=gst-vyre-$version
packaged=$(sed -n '1s/.*(\(.*\)-[^-]*).*/\1/p' .packages/debian/changelog)
[ "$packaged" = "$version" ] || {
  echo "build.sh: the changelog is of $packaged, and meson.build of $version. Fix: add an entry." >&2
  exit 1
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
if [ -n "$tarball" ]; then
  cp "$tarball" "$work/gst-vyre_$version.orig.tar.gz"
else # the same commit makes the same bytes
  git -c tar.umask=0002 -c core.autocrlf=false archive --prefix="$name/" HEAD |
    gzip -n9 >"$work/gst-vyre_$version.orig.tar.gz"
fi
tar -C "$work" -xf "$work/gst-vyre_$version.orig.tar.gz"
cp -r .packages/debian "$work/$name/debian"
(cd "$work/$name" && dpkg-buildpackage -us -uc)
find "$work" -maxdepth 1 -type f -exec mv -t "$output" {} +
ls -l "$output"
lintian --fail-on error,warning --tag-display-limit 0 "$output/gst-vyre_$packaged"*.changes
