#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# check.sh SPIN MODEL CC...: checks all states of a model. Its heading lists its variants, which have to
# be right as well as the model itself, and its faults: with each of them spin has to find an error.
set -eu
spin=$1
model=$(realpath "$2")
shift 2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work"
failed=0

complain() {
  echo "FAIL: ${model##*/}: $*" >&2
  failed=1
}

# defines NAMES: as options
defines() {
  for name in $1; do
    echo "-D$name"
  done
}

# search NAMES COMPILER...: makes the search and has it run, with the names defined.
search() {
  names=$1
  shift
  # shellcheck disable=SC2046 # one word is one option; -o3: every statement is a step by itself
  if ! {
    "$spin" -o3 $(defines "$names") -a "$model" &&
      "$@" -w -DSAFETY -DMEMLIM=1000 -o pan pan.c &&
      ./pan -m100000 -w22
  } >log 2>&1; then
    cat log >&2
    complain "$names: no search was made. Fix: look at the lines above."
    exit 1
  fi
}

# is_right NAMES COMPILER...: no error in any state, and each statement in use.
is_right() {
  search "$@" -O2
  echo "${model##*/} $1: $(sed -n 's/^ *\([0-9]*\) states, stored$/\1 states/p' log)"
  if ! grep -q 'errors: 0$' log ||
    grep -qE 'too small|Search not completed|reached -DMEMLIM' log; then
    sed -n '1,/^$/p' log >&2
    # shellcheck disable=SC2046
    [ ! -f "${model##*/}.trail" ] ||
      "$spin" -o3 $(defines "$1") -k "${model##*/}.trail" -p "$model" | tail -n 120 >&2
    complain "$1: an error, or states that were not looked at. Fix: follow the steps above."
  fi
  grep ', state [0-9]*, "' log | grep -v '"-end-"$' >unreached &&
    complain "$1: no state comes to these statements. Fix: leave them out, or let it.
$(cat unreached)"
  return 0
}

# is_wrong NAMES COMPILER...: the search ends at an error.
is_wrong() {
  search "$@" -O0
  grep -q 'errors: 1$' log || complain "the fault '$1' is not found. Fix: model what it breaks."
}

# heading KIND: the names of the variants, or of the faults, each with those that it needs.
heading() {
  sed -n "s|^ \* $1 \([A-Z_ ]*\): .*|\1|p" "$model"
}

heading variant >variants
heading fault >faults
[ -s faults ] || complain "it lists no faults. Fix: say what has to be found."
is_right MODEL "$@"
while read -r names; do
  is_right "$names" "$@"
done <variants
while read -r names; do
  is_wrong "$names" "$@"
done <faults
echo "${model##*/}: $(grep -c . faults) faults to find"
exit $failed
