#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Runs a fuzz target on its corpus: fuzz.sh TARGET SOURCES [OPTION OF LIBFUZZER...]
# What it finds new goes to the directory TARGET-found, an input that fails to
# TARGET-failed-…: run the target with that file to see it fail again.
set -eu

target=$1
sources=$2
shift 2
name=${target##*/fuzz-}

set -- "$@" -timeout=10 -len_control=10 -rss_limit_mb=1024 -artifact_prefix="$target-failed-"
[ ! -f "$sources/$name.dict" ] || set -- "$@" -dict="$sources/$name.dict"
# Inputs are small and many: what was freed need not stay away for long.
export ASAN_OPTIONS=quarantine_size_mb=8:abort_on_error=1
export UBSAN_OPTIONS=print_stacktrace=1
mkdir -p "$target-found"
exec "$target" "$@" "$target-found" "$sources/corpus/$name"
