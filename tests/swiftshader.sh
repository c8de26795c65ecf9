#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Prints the path of an ICD file of SwiftShader, the Vulkan driver on the CPU
# whose kernels may loop for ever. Debian ships it inside of chromium-common;
# only the driver is taken out of that package, and kept in the user's cache.
set -eu

cache=${XDG_CACHE_HOME:-$HOME/.cache}/gst-vyre/swiftshader
icd=$cache/icd.json

if [ ! -f "$icd" ]; then
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  cd "$scratch"
  apt-get -o APT::Sandbox::User=root download -qq chromium-common </dev/null >&2
  dpkg-deb --extract chromium-common_*.deb files
  mkdir -p "$cache"
  cp files/usr/lib/chromium/libvk_swiftshader.so "$cache"
  cat > icd.json <<END
{
  "file_format_version": "1.0.0",
  "ICD": { "library_path": "$cache/libvk_swiftshader.so", "api_version": "1.1.0" }
}
END
  mv icd.json "$icd"
fi
echo "$icd"
