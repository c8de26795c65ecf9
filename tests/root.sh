# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# Sourced by scripts that run commands in a root of their own. Mounts are made in a namespace and go
# with the command. Where a container forbids that, the script says so and fails.

fail() {
  echo "${0##*/}: $*" >&2
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

# inside ROOT DIRECTORY COMMAND...: in that root, with the devices of this machine, in the directory,
# which is /src there
inside() {
  # shellcheck disable=SC2016 # of the inner shell
  apart sh -c '
    set -e
    mount --bind "$1" "$1" # a root may have roots in it
    for directory in dev proc sys; do
      mount --rbind "/$directory" "$1/$directory"
    done
    mkdir -p "$1/src"
    mount --bind "$2" "$1/src"
    root=$1
    shift 2
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

# bootstrap ROOT SUITE: a root of a release of Debian, with its essential packages.
bootstrap() {
  from=$(mirror)
  [ -n "$from" ] || fail 'apt has no mirror. Fix: name one in /etc/apt/sources.list.'
  proxy=$(apt-config dump --format '%v' Acquire::http::Proxy)
  $as_root rm -rf "$1.part"
  apart env ${proxy:+"http_proxy=$proxy"} debootstrap --variant=minbase \
    --include=ca-certificates "$2" "$1.part" "$from" >"$1.log" 2>&1 || {
    tail -n 20 "$1.log" >&2
    fail "debootstrap fails with $from. Fix: see $1.log."
  }
  rm "$1.log"
  copy_settings "$1.part"
  $as_root mv "$1.part" "$1"
}

apart true || fail 'mounts are forbidden here. Fix: give the container CAP_SYS_ADMIN.'
