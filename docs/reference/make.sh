#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# make.sh MODULE HEADERS BOOK MAP OUTPUT: makes the API reference of a library, OUTPUT/html, of the
# headers in the folder HEADERS, in the order of BOOK. MODULE is its name for gtk-doc. A warning of gtk-doc is an error, and so is an exported function of
# MAP, a header or any other symbol without a description.
set -eu
export LC_ALL=C.UTF-8
module=$1
headers=$(realpath "$2")
book=$(realpath "$3")
map=$(realpath "$4")
output=$5

command -v gtkdoc-mkhtml >/dev/null || {
  echo 'make.sh: the API reference takes gtk-doc. Fix: apt-get install gtk-doc-tools' >&2
  exit 1
}
rm -rf "$output"
mkdir -p "$output/html"
cd "$output"
cp "$book" "$module-docs.xml"

fail() {
  echo "make.sh: $*" >&2
  exit 1
}

# step COMMAND...: one of gtk-doc's, which must not print a warning.
step() {
  "$@" >log 2>&1 || {
    cat log >&2
    fail "$1 failed"
  }
  ! grep -iE 'warning|error:' log >&2 || fail "$1 warns. Fix: mend the comments that it names."
}

step gtkdoc-scan --module="$module" --source-dir="$headers"
step gtkdoc-mkdb --module="$module" --source-dir="$headers" --output-format=xml --sgml-mode

for list in "$module-undeclared.txt" "$module-unused.txt"; do
  [ ! -s "$list" ] || fail "these have no declaration and description that match: $(cat "$list")"
done
# Behind the counts; vyre.h only includes the others.
undocumented=$(sed -e '1,/^$/d' -e '/^vyre:/d' "$module-undocumented.txt" | tr -s '\n' ' ')
[ "${undocumented# }" = '' ] ||
  fail "these have no description in a header: ${undocumented# }. Fix: write one above them."
for page in xml/*.xml; do
  grep -q '^<refentry' "$page" || continue
  grep -q "\"$page\"" "$module-docs.xml" || fail "no chapter of the book has $page. Fix: add it there."
done
exported=$(sed -n 's/^ *\([a-z][a-z0-9_]*\);$/\1/p' "$map")
[ -n "$exported" ] || fail "$map exports no function"
for name in $exported; do
  grep -q "^<NAME>$name</NAME>\$" "$module-decl.txt" ||
    fail "$name is exported and in no header. Fix: declare and describe it in one."
done

(cd html && step gtkdoc-mkhtml "$module" "../$module-docs.xml" && rm log)
deep=$(find html -mindepth 2)
[ "$deep" = '' ] || fail "a title has a slash, and so has its page: $deep. Fix: take another title."
# Names of GLib and GStreamer, which the reference does not link to.
cat >>"$module-sections.txt" <<END
<SECTION>
<FILE>glib</FILE>
<SUBSECTION Private>
$(printf '%s\n' FALSE GDestroyNotify GError GValue G_MAXSIZE G_MAXUINT64 G_VALUE_INIT NULL TRUE \
  g_free g_get_monotonic_time g_value_unset GstBuffer GstCaps GstMessage GstSegment GstStructure \
  gst_structure_free gst_structure_from_string gst_structure_to_string)
</SECTION>
END
step gtkdoc-fixxref --module="$module" --module-dir=html --html-dir=none
