#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Runs a fuzz target on its corpus: fuzz.sh TARGET SOURCES [OPTION OF LIBFUZZER...]
#
# What is new goes to TARGET-found. To keep the part of it that reaches something:
#   TARGET -set_cover_merge=1 tests/fuzz/corpus/NAME TARGET-found
# An input that fails goes to TARGET-failed-…: TARGET with that file runs it again.
set -eu

target=$1
sources=$2
shift 2
name=${target##*/fuzz-}

set -- "$@" -timeout=10 -rss_limit_mb=1024 -len_control=10 -artifact_prefix="$target-failed-"
[ ! -f "$sources/$name.dict" ] || set -- "$@" -dict="$sources/$name.dict"
# Inputs are small and many: what was freed need not stay away for long.
export ASAN_OPTIONS=quarantine_size_mb=8:abort_on_error=1
export UBSAN_OPTIONS=print_stacktrace=1
mkdir -p "$target-found"
exec "$target" "$@" "$target-found" "$sources/corpus/$name"
