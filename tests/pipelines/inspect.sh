#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# gst-inspect-1.0, the element's manual page, says what is checked in, and nothing
# is on the list of plugins that failed to load.
# shellcheck source-path=SCRIPTDIR
. "${0%/*}/common.sh"

# Without a version, gst-inspect-1.0 asks for that of GStreamer.
timeout 60 gst-inspect-1.0 --exists --atleast-version=0.1 vyrefilter || fail 'vyrefilter is not there'
timeout 60 gst-inspect-1.0 -b >"$work/blocked"
grep -q '^Total count: 0 ' "$work/blocked" || fail "$(cat "$work/blocked")"
timeout 60 gst-inspect-1.0 --no-colors vyrefilter |
  sed -e 's|^\(  Filename  *\).*/|\1|' >"$work/inspect"
diff "${0%/*}/vyrefilter.inspect.txt" "$work/inspect" || fail 'gst-inspect-1.0 says something else'
