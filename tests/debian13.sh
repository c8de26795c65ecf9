#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# debian13.sh make: makes a root of Debian 13 in build-debian13-root/, from the mirror that this
#   machine's apt uses, with the packages that the tests want; what is there already is kept.
# debian13.sh run COMMAND...: runs it there, in this directory, which is /src.
set -eu
export LC_ALL=C
cd "$(dirname "$0")/.."
root=$PWD/build-debian13-root
. tests/root.sh

# GstAnalytics is in the root by its library. The package with its headers brings 170 MB of others.
add_analytics() {
  # shellcheck disable=SC2016 # of the inner shell
  inside "$root" . sh -c '
    [ -d /usr/include/gstreamer-1.0/gst/analytics ] && exit
    cd "$(mktemp -d)"
    apt-get download -qq -o APT::Sandbox::User=root libgstreamer-plugins-bad1.0-dev
    dpkg-deb -x *.deb /'
}

case ${1:-} in
  make)
    exec 9<tests
    flock 9 # one that was interrupted may have left a debootstrap behind, which holds the lock
    [ -d "$root" ] || bootstrap "$root" trixie
    inside "$root" . tests/setup.sh suite
    add_analytics
    ;;
  run)
    shift
    inside "$root" . "$@"
    ;;
  *) fail 'usage: debian13.sh make|run COMMAND...' ;;
esac
