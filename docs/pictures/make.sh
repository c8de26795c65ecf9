#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# make.sh VYRE-QC FOLDER: makes the pictures of docs/gallery.md in the folder, with vyre-qc and the
# plugins that GStreamer finds. The film of the timeline is that of docs/tutorial.md.
set -eu
vyre_qc=$1
folder=$2
here=$(realpath "${0%/*}")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
"$here/vyrescope.sh" film "$folder/vyrescope.png"
"$here/vyrescope.sh" sound "$folder/sound.png"
"$here/live-page.sh" "$vyre_qc" "$folder/live-page.png"
awk '/^```/ { if (text ~ /filesink location=black.webm/) print text; text = ""; next } { text = text $0 "\n" }' \
  "$here/../tutorial.md" >"$work/film.sh"
(cd "$work" && sh film.sh)
"$vyre_qc" --html "$work/report.html" "$work/black.webm" >"$work/findings" || [ $? -eq 1 ] # it has some
"$here/timeline.sh" "$work/report.html" >"$folder/black-frames.svg"
