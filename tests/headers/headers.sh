#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# headers.sh HEADERS ABI COMPILER ARGUMENT...: every installed header, vyre/NAME, compiles alone, where
# only the installed headers are.
set -eu
export LC_ALL=C
headers=$1
abi=$2
shift 2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

mkdir -p "$work/vyre"
cp "$headers"/*.h "$abi" "${abi%/*}/opcodes.def" "$work/vyre/"
failed=0
number=0
for header in "$work"/vyre/*.h; do
  name=vyre/${header##*/}
  number=$((number + 1))
  # Twice, since a second inclusion changes nothing; and a declaration of its own, which ISO C wants.
  printf '#include <%s>\n#include <%s>\nextern int one_declaration;\n' "$name" "$name" >"$work/alone"
  "$@" -fsyntax-only -I"$work" - <"$work/alone" || {
    echo "FAIL: $name does not compile alone. Fix: include what it uses." >&2
    failed=1
  }
done
[ "$number" -gt 20 ] || {
  echo "FAIL: only $number headers in $headers" >&2
  exit 1
}
exit $failed
