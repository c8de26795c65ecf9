#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What an error says to set is there to be set: every NAME in "set NAME=" of the sources is a
# property of one of the elements.
# shellcheck source-path=SCRIPTDIR
. "${0%/*}/common.sh"

sources=${0%/*}/../..
for element in vyrefilter vyresrc; do
  timeout 60 gst-inspect-1.0 --no-colors $element
done | sed -n 's/^  \([a-z][a-z-]*\) *: .*/\1/p' | sort -u >"$work/properties"
grep -q '^staging-size$' "$work/properties" || fail 'gst-inspect-1.0 shows no properties'

# Texts are cut where lines end.
find "$sources/gst" "$sources/runtime" -name '*.c' | while read -r file; do
  tr -d '\n' <"$file" | sed 's/" *"//g' | grep -oE '\b(set|and) [a-z]+(-[a-z]+)+=|\bset [a-z]+=' || :
done | sed 's/^[a-z]* //; s/=$//' | sort -u >"$work/named"
grep -q '^staging-size$' "$work/named" || fail 'no source says what to set'
unknown=$(comm -13 "$work/properties" "$work/named")
[ -z "$unknown" ] || fail "there is no property $unknown"
