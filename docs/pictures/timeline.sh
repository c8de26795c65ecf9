#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeline.sh REPORT.html: the first timeline of a page of vyre-qc, as a picture of its own.
set -eu

style='text { font: 11px sans-serif } .frame { fill: none; stroke: #999 }'
style="$style .event { fill: #d33; opacity: .2 }"
sed -n -e '/<svg /,/<\/svg>/p' -e '/<\/svg>/q' "$1" |
  sed -e "s|<svg |<svg xmlns=\"http://www.w3.org/2000/svg\" |" -e "1a <style>$style</style>" \
    -e '1a <rect width="100%" height="100%" fill="#fff"/>'
