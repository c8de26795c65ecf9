#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# inspect.sh VERSION [CACHE]: gst-inspect-1.0, the manual page of the elements, prints the text that is
# checked in, with that version, and nothing is on the list of plugins that failed to load. The cache,
# from which hotdoc makes pages, has the same properties.
# shellcheck source-path=SCRIPTDIR
. "${0%/*}/common.sh"

timeout 60 gst-inspect-1.0 -b >"$work/blocked"
grep -q '^Total count: 0 ' "$work/blocked" || fail "$(cat "$work/blocked")"

# ours: of what gst-inspect-1.0 prints, the part that does not depend on GStreamer's version
# nor on the folders of the build: without empty lines, flags of elements, the list of all raw
# formats, and properties that base classes have got since 1.22.
ours() {
  sed -E -e 's!^(  (Filename|Doc-uri)  *).*/!\1!' -e '/^ *$/d' -e '/^Element Flags:$/d' \
    -e '/^  - [A-Z_]*$/d' -e '/^  automatic-eos /,/Default: /d' -e '/ABGR64_LE/s/\{.*\}/all of them/'
}

# Without a version --exists asks for that of GStreamer.
scope=vyrescope # where it is built
gst-inspect-1.0 --exists --atleast-version=0.1 vyrescope || scope=
for element in vyrefilter vyresrc vyrereadbackparse $scope; do
  timeout 60 gst-inspect-1.0 --exists --atleast-version=0.1 $element || fail "$element is not there"
  timeout 60 gst-inspect-1.0 --no-colors $element | ours >"$work/inspect"
  sed "s/@version@/$1/" "${0%/*}/$element.inspect.txt" | ours >"$work/expected"
  [ "$(wc -l <"$work/expected")" -gt 40 ] || fail "$element has next to nothing to say"
  diff "$work/expected" "$work/inspect" || fail 'gst-inspect-1.0 says something else'
  [ -n "${2-}" ] || continue
  python3 -c 'import json, sys
for plugin in json.load(open(sys.argv[1])).values():
  for name in plugin["elements"].get(sys.argv[2], {"properties": []})["properties"]:
    print(name)' "$2" "$element" | sort >"$work/cached"
  sed -n -e '/^Element Properties/,$s/^  \([a-z][a-z0-9-]*\)  *: .*/\1/p' "$work/inspect" |
    grep -vxE 'name|parent|blocksize|disable-passthrough|do-timestamp|num-buffers|typefind' | sort >"$work/expected"
  diff "$work/expected" "$work/cached" || fail 'the cache for hotdoc has other properties'
done
