#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# inspect.sh VERSION: gst-inspect-1.0, the elements' manual page, prints the text that is checked in,
# with that version, and nothing is on the list of plugins that failed to load.
# shellcheck source-path=SCRIPTDIR
. "${0%/*}/common.sh"

timeout 60 gst-inspect-1.0 -b >"$work/blocked"
grep -q '^Total count: 0 ' "$work/blocked" || fail "$(cat "$work/blocked")"

# ours: of what gst-inspect-1.0 prints, the part that does not depend on GStreamer's version:
# without empty lines, flags of elements, and properties that base classes have got since 1.22.
ours() {
  sed -e 's|^\(  Filename  *\).*/|\1|' -e '/^ *$/d' -e '/^Element Flags:$/d' -e '/^  - [A-Z_]*$/d' \
    -e '/^  automatic-eos /,/Default: /d'
}

for element in vyrefilter vyresrc vyrereadbackparse; do
  # without a version it asks for that of GStreamer
  timeout 60 gst-inspect-1.0 --exists --atleast-version=0.1 $element || fail "$element is not there"
  timeout 60 gst-inspect-1.0 --no-colors $element | ours >"$work/inspect"
  sed "s/@version@/$1/" "${0%/*}/$element.inspect.txt" | ours >"$work/expected"
  [ "$(wc -l <"$work/expected")" -gt 40 ] || fail "$element has next to nothing to say"
  diff "$work/expected" "$work/inspect" || fail 'gst-inspect-1.0 says something else'
done
