# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# Sourced by scripts that have fail().

# pattern: the line on standard input as an expression for grep -E, for any numbers and spaces.
pattern() {
  sed -e 's/[][\\.*^$(){}?+|/]/\\&/g' -e 's/[0-9][0-9]*/[0-9]+/g' -e 's/  */ +/g'
}

# follow COMMAND...: runs the blocks of the page on standard input in their order, with the name of
# the file of each, in this directory, behind the command. They print the lines that the page says,
# whatever their numbers are. Sets commands and promises to how many were there.
follow() {
  # Each block in a file of its own, in the order of the page: 01.sh, 02.text, …
  awk '/^```/ {
      if (!inside)
        name = sprintf("%02d.%s", ++n, substr($0, 4))
      inside = !inside
      next
    }
    inside { print >name }'
  commands=0
  promises=0
  for block in [0-9][0-9].*; do
    case $block in
      *.sh)
        commands=$((commands + 1))
        "$@" "$block" >output 2>&1 </dev/null || true
        ;;
      *.text)
        while IFS= read -r line; do
          promises=$((promises + 1))
          grep -qE -e "$(printf '%s\n' "$line" | pattern)" output || {
            cut -c -1000 output | tail -n 30 >&2
            fail "the page promises a line that is not printed: $line"
          }
        done <"$block"
        ;;
      *) fail "the page has a block that is neither sh nor text: $block" ;;
    esac
  done
}
