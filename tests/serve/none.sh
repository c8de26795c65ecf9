#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# none.sh PROGRAM: a server that is built without libsoup fails, with a remedy.
set -eu

if said=$("$1" '' 2>&1 </dev/null); then
  echo "it serves: $said" >&2
  exit 1
fi
case $said in
  'This build serves no page. Fix: build it with libsoup 3 '*.) ;;
  *)
    echo "it says: $said" >&2
    exit 1
    ;;
esac
