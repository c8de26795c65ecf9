# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# Sourced by the scripts here: a directory for their data, a bounded gst-launch,
# and what reads its messages.
set -eu
export LC_ALL=C

# shellcheck disable=SC2034 # used by the scripts
# The element under test, with the residency and placement that the run is about.
vyre="vyrefilter name=vyre residency=${VYRE_TEST_RESIDENCY:-auto}"
vyre="$vyre placement=${VYRE_TEST_PLACEMENT:-auto}"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

fail() {
  [ ! -f "$work/log" ] || grep -v '(st[a-z]*-[a-z]*)' "$work/log" | cut -c -1000 | tail -n 30 >&2
  [ ! -f "$work/errors" ] || tail -n 30 "$work/errors" >&2
  echo "FAIL: $*" >&2
  exit 1
}

# need TOOL...: a script whose tools are not there is skipped.
need() {
  for tool; do
    command -v "$tool" >/dev/null || {
      echo "SKIP: $tool is not installed"
      exit 77
    }
  done
}

# run SECONDS ARGUMENT...: gst-launch-1.0 -m, its status in $status, what it prints
# in $work/log and $work/errors.
run() {
  seconds=$1
  shift
  status=0
  timeout -k 5 "$seconds" gst-launch-1.0 --no-fault -m "$@" \
    >"$work/log" 2>"$work/errors" || status=$?
}

# launch STATUS SECONDS ARGUMENT...: the same, and it must end with STATUS.
launch() {
  expected=$1
  shift
  run "$@"
  [ "$status" -eq "$expected" ] || fail "status $status instead of $expected: gst-launch-1.0 $*"
}

# messages NAME: the fields of those element messages in the log, one message per
# line, as name=value words. Fields of nested structures become outer.inner=value.
messages() {
  sed -n "s/^Got message #[0-9]* from element \"vyre\" (element): $1, //p" "$work/log" |
    sed -e 's/\\//g' -e 's/([a-z0-9]*)//g' -e 's/;$//' |
    awk -F ', ' '{
      line = outer = ""
      for (i = 1; i <= NF; i++) {
        equals = index($i, "=")
        if (equals == 0)
          continue
        name = substr($i, 1, equals - 1)
        if ($i == name "=\"" name) {
          outer = name "."
          continue
        }
        last = sub(/;"$/, "", $i)
        gsub(/[" ]/, "", $i)
        line = line " " outer $i
        if (last)
          outer = ""
      }
      print substr(line, 2)
    }'
}

# field NAME: that field of each line of messages on standard input.
field() {
  tr ' ' '\n' | sed -n "s/^$1=//p"
}

# counter NAME: that field of the last vyre-counters message in the log.
counter() {
  messages vyre-counters | tail -n 1 | field "$1"
}

# same WHAT EXPECTED ACTUAL
same() {
  [ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"
}

# The CRC-32 of standard input, as gzip's trailer has it.
crc32() {
  gzip -1 -c | tail -c 8 | od -An -tu4 -N4 | tr -d ' '
}
