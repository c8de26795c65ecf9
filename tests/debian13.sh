#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# debian13.sh make: makes a root of Debian 13 in build-debian13-root/, from the mirror that this
#   machine's apt uses, with the packages that the tests want; what is there already is kept.
# debian13.sh run COMMAND...: runs it there, in this directory, which is /src.
#
# Mounts are made in a namespace and go with the command. Where a container forbids that, this
# says so and fails.
set -eu
export LC_ALL=C
cd "$(dirname "$0")/.."
root=$PWD/build-debian13-root

fail() {
  echo "debian13.sh: $*" >&2
  exit 1
}

as_root=
if [ "$(id -u)" -ne 0 ]; then
  as_root=sudo
  command -v sudo >/dev/null || fail 'chroot is for root alone. Fix: run it as root, or install sudo.'
fi

# apart COMMAND...: with mounts that nobody else sees
apart() {
  $as_root unshare --mount "$@"
}

# inside ROOT COMMAND...: in that root, with the devices of this machine and this directory
inside() {
  # shellcheck disable=SC2016 # of the inner shell
  apart sh -c '
    set -e
    for directory in dev proc sys; do
      mount --rbind "/$directory" "$1/$directory"
    done
    mkdir -p "$1/src"
    mount --bind . "$1/src"
    root=$1
    shift
    exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
      sh -c "cd /src && exec \"\$@\"" sh "$@"' sh "$@"
}

# The mirror: of what apt gets from Debian itself, the first.
mirror() {
  for filter in 'Label: Debian' 'Component: main'; do
    # shellcheck disable=SC2016 # fields of apt-get
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "$filter"
  done | sed 1q
}

# What this machine's apt was told of proxies and of the age of lists.
copy_settings() {
  apt-config dump | grep -E '^Acquire::(https?::|Check-)' |
    $as_root tee "$1/etc/apt/apt.conf.d/99host" >/dev/null || true
  echo force-unsafe-io | $as_root tee "$1/etc/dpkg/dpkg.cfg.d/fast" >/dev/null
}

bootstrap() {
  from=$(mirror)
  [ -n "$from" ] || fail 'apt has no mirror. Fix: name one in /etc/apt/sources.list.'
  proxy=$(apt-config dump --format '%v' Acquire::http::Proxy)
  $as_root rm -rf "$root.part"
  apart env ${proxy:+"http_proxy=$proxy"} debootstrap --variant=minbase \
    --include=ca-certificates trixie "$root.part" "$from" >"$root.log" 2>&1 || {
    tail -n 20 "$root.log" >&2
    fail "debootstrap fails with $from. Fix: see $root.log."
  }
  rm "$root.log"
  copy_settings "$root.part"
  $as_root mv "$root.part" "$root"
}

# GstAnalytics is in the root by its library. The package with its headers brings 170 MB of others.
add_analytics() {
  # shellcheck disable=SC2016 # of the inner shell
  inside "$root" sh -c '
    [ -d /usr/include/gstreamer-1.0/gst/analytics ] && exit
    cd "$(mktemp -d)"
    apt-get download -qq -o APT::Sandbox::User=root libgstreamer-plugins-bad1.0-dev
    dpkg-deb -x *.deb /'
}

apart true || fail 'mounts are forbidden here. Fix: give the container CAP_SYS_ADMIN.'
case ${1:-} in
  make)
    exec 9<tests
    flock 9 # one that was interrupted may have left a debootstrap behind, which holds the lock
    [ -d "$root" ] || bootstrap
    inside "$root" tests/setup.sh suite
    add_analytics
    ;;
  run)
    shift
    inside "$root" "$@"
    ;;
  *) fail 'usage: debian13.sh make|run COMMAND...' ;;
esac
