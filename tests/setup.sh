#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Installs the Debian packages that are missing: setup.sh demo|suite|tests,
# where the suite is what the set-ups of meson test need, without the suites models, pages and
# browser, and the tests are all of run.sh.
set -eu

packages='gcc libc6-dev meson ninja-build pkg-config glslc libvulkan-dev liburing-dev
  libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev gstreamer1.0-tools
  gstreamer1.0-plugins-base gstreamer1.0-plugins-good mesa-vulkan-drivers'

suite='gstreamer1.0-plugins-bad vulkan-validationlayers spirv-tools ffmpeg gzip libjson-glib-dev
  zlib1g-dev groff-base g++ python3-jsonschema libgirepository1.0-dev
  python3-gi gir1.2-gstreamer-1.0 valac gstreamer1.0-plugins-base-apps ges1.0-tools
  gir1.2-gst-rtsp-server-1.0 python3-gst-1.0 python3-numpy lua5.3 lua-lgi
  python3-pandas libcairo2-dev libpango1.0-dev libsoup-3.0-dev fonts-dejavu-core appstream'

tests='gtk-doc-tools spin mkdocs codespell clang libclang-rt-dev debootstrap dpkg-dev debhelper
  fakeroot lintian chromium chromium-driver'

case ${1:-} in
  demo) ;;
  suite) packages="$packages $suite" ;;
  tests) packages="$packages $suite $tests" ;;
  *)
    echo "usage: $0 demo|suite|tests" >&2
    exit 2
    ;;
esac

missing=
for package in $packages; do
  state=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) || state=
  [ "$state" = 'install ok installed' ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

root=
if [ "$(id -u)" -ne 0 ]; then
  root=sudo
  command -v sudo >/dev/null || {
    echo "setup.sh: missing packages:$missing. Fix: run it as root, or install sudo." >&2
    exit 1
  }
fi
echo "installing:$missing"
$root apt-get update -qq </dev/null
# shellcheck disable=SC2086 # one word is one package
$root env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends $missing </dev/null
