#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# spelling.sh SOURCES: codespell finds no misspelt word in the pages and in the sources, but for the
# words of spelling.txt: names, and words of other languages and of code. Each of these is in use.
set -eu
export LC_ALL=C.UTF-8
exceptions=$(realpath "${0%/*}/spelling.txt")
cd "$1"

spell() {
  codespell --check-hidden --ignore-words="$exceptions" --skip='*/corpus,*/vectors' "$@"
}

fail() {
  echo "FAIL: $*" >&2
  exit 1
}

command -v codespell >/dev/null || fail 'there is no codespell. Fix: apt-get install codespell'
! printf 'they reci%s a buffer\n' eve | spell - >/dev/null || fail 'codespell finds no fault where there is one'
places=$(find . -mindepth 1 -maxdepth 1 ! -name .git ! -name .cache ! -name 'build*' ! -name '*.swp')
# shellcheck disable=SC2086 # a word is a place
spell $places || fail 'words are misspelt. Fix: mend them; a name goes into tests/texts/spelling.txt'
while read -r word; do
  # shellcheck disable=SC2086
  grep -rqiw --exclude=spelling.txt --exclude-dir=corpus -e "$word" $places ||
    fail "$word is nowhere. Fix: delete it from tests/texts/spelling.txt"
done <"$exceptions"
