#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# gst-inspect-1.0, the elements' manual page, says what is checked in, and nothing
# is on the list of plugins that failed to load.
# shellcheck source-path=SCRIPTDIR
. "${0%/*}/common.sh"

timeout 60 gst-inspect-1.0 -b >"$work/blocked"
grep -q '^Total count: 0 ' "$work/blocked" || fail "$(cat "$work/blocked")"
for element in vyrefilter vyresrc; do
  # without a version it asks for that of GStreamer
  timeout 60 gst-inspect-1.0 --exists --atleast-version=0.1 $element || fail "$element is not there"
  timeout 60 gst-inspect-1.0 --no-colors $element |
    sed -e 's|^\(  Filename  *\).*/|\1|' >"$work/inspect"
  diff "${0%/*}/$element.inspect.txt" "$work/inspect" || fail 'gst-inspect-1.0 says something else'
done
