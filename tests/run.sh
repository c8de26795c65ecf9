#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Installs what is missing, builds, and runs all tests. The last line printed is
# the sum over all of it.
set -eu
cd "$(dirname "$0")/.."

passed=0
failed=0
failures=
inside= # what meson is run by
making= # the process that makes what a later check runs in
packaging= # the process that builds the packages and tries them
# Tests at once. Where kernels leave the device, one more: some wait, for clocks and for each other.
processors=$(nproc)
jobs=$((processors + 1))
ended=

# The sum comes last, however this ends.
finish() {
  for process in $making $packaging; do
    kill "$process" 2>/dev/null || true
  done
  [ -n "$ended" ] || failed=$((failed + 1))
  [ -z "$failures" ] || printf '\nfailed:%s\n' "$failures"
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ] || exit 1
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

say() {
  printf '\n== %s\n' "$*"
}

# configure DIRECTORY OPTION...: the tests of a check build what they need.
configure() {
  directory=$1
  shift
  say "configuring $directory"
  if [ -f "$directory/build.ninja" ]; then
    $inside meson configure "$directory" "$@"
  else
    $inside meson setup "$directory" "$@" >"$directory.log" 2>&1 || {
      cat "$directory.log"
      exit 1
    }
    rm "$directory.log"
  fi
}

# build DIRECTORY OPTION...: everything.
build() {
  configure "$@"
  $inside meson compile -C "$1"
}

# sum FILE PATTERN: of the counts in meson's summary.
sum() {
  awk -v pattern="^($2): +[0-9]+ *\$" '$0 ~ pattern { n += $NF } END { print n + 0 }' "$1"
}

# check TITLE DIRECTORY ARGUMENT...: a run of meson test, counted.
check() {
  say "$1"
  title=$1
  directory=$2
  shift 2
  output=$directory/meson-logs/output.txt
  { $inside meson test -C "$directory" --num-processes "$jobs" --print-errorlogs "$@" 2>&1 || true; } </dev/null |
    tee "$output"
  ok=$(sum "$output" 'Ok|Expected Fail')
  bad=$(sum "$output" 'Fail|Unexpected Pass|Timeout')
  skipped=$(sum "$output" 'Skipped')
  # A machine that exists to run the tests has no excuse to skip one.
  [ "${CI:-}" != true ] || bad=$((bad + skipped))
  # A run without a single result has failed as well.
  [ $((ok + bad + skipped)) -gt 0 ] || bad=1
  passed=$((passed + ok))
  failed=$((failed + bad))
  [ "$bad" -eq 0 ] || failures="$failures
  $title: $(awk '$3 == "/" && $5 ~ /FAIL|TIMEOUT|ERROR|SKIP/ { print $4 }' "$output" | sort -u | tr '\n' ' ')"
}

tests/setup.sh tests

# A driver's machine code is the same for every build and set-up.
MESA_SHADER_CACHE_DIR=$PWD/build-tests/tests/cache
export MESA_SHADER_CACHE_DIR
build build-tests -Dwerror=true -Dtests=enabled
modules=-Dmodules-of=$PWD/build-tests
# Downloads, and packages that are unpacked one after the other, leave room for tests beside them.
tests/debian13.sh make >build-tests/debian13.log 2>&1 &
making=$! # the root of Debian 13
# The other compiler has no warnings either: it makes the packages, and fuzz targets below.
nice tests/packages.sh build-tests >build-tests/packages.log 2>&1 &
packaging=$!
check 'lavapipe' build-tests

say 'waiting for the packages'
if wait "$packaging"; then
  passed=$((passed + 1))
else
  tail -n 60 build-tests/packages.log
  failed=$((failed + 1))
  failures="$failures
  packages: they are not built, or not as good as docs/packages.md says"
fi
packaging=

# With every kernel, drivers go through its code for tenths of a second, most of the time of a test
# of the element. So from here on the tests of one program share a process, and a kernel; those that
# count on being its only users stay apart (tests/element/meson.build).
export CK_FORK=no
# The other set-ups run what is about the kernel and the data path.
check 'lavapipe, one launch per buffer' build-tests --setup=dispatch conformance fork forged import kernel \
  opcodes parts residency resources resource-sinks samples pictures ssim audio crc32c host-requests turns pipeline-film \
  element-failures element-import element-import-loss element-kernel element-loss \
  element-results element-slots element-slots-stream element-stream
check 'lavapipe, as a device with memory of its own' build-tests --setup=bar conformance forged kernel \
  lanes opcodes parts residency resources resource-sinks samples pictures audio crc32c loss host-requests turns \
  pipeline-film element-allocation element-failures element-files element-kernel element-loss element-results \
  element-stream
check 'lavapipe, long batches cut fine' build-tests --setup=turns import kernel opcodes parts \
  resources resource-sinks samples pictures audio crc32c element-files element-flush element-import element-loss \
  element-results element-slots element-slots-stream element-soak element-states element-stream
check 'lavapipe under the validation layer' build-tests --setup=validation cache conformance \
  import kernel opcodes parts residency resources resource-sinks samples pictures audio crc32c pipeline-film \
  pipeline-validation element-allocation element-failures element-flush element-import element-kernel element-results \
  element-stream element-swap

# What reads, and what depends on how.
restricted='file-io file-io-refusals faults resources resource-sinks resource-faults element-allocation
  element-cut element-failures element-faults element-files element-messages element-results element-src
  pipeline-errors pipeline-film'
# shellcheck disable=SC2086 # one word is one test
check 'io_uring forbidden' build-tests --setup=seccomp $restricted
# shellcheck disable=SC2086
check 'hardly any memory to be locked' build-tests --setup=memlock $restricted

# SwiftShader keeps nothing of what it compiled, seconds of it whenever a kernel is
# opened.
VK_DRIVER_FILES=$(tests/swiftshader.sh)
export VK_DRIVER_FILES
VYRE_TEST_RESIDENCY=persistent
export VYRE_TEST_RESIDENCY
check 'SwiftShader, a kernel that stays' build-tests --num-processes "$processors" --setup=given conformance import kernel leases \
  opcodes parts samples pictures audio element-results
unset VK_DRIVER_FILES VYRE_TEST_RESIDENCY

# Newer packages of everything: the compiler, GStreamer, GLib, liburing, and a lavapipe whose
# kernels stay.
say 'waiting for the root of Debian 13'
wait "$making" && root=yes || root=
making=
if [ -n "$root" ]; then
  inside='tests/debian13.sh run env CK_FORK=no'
  build build-debian13 -Dwerror=true -Dtests=enabled -Ddebug=false
  # Models, pages, and kernels that are about to wrap, know no Debian; its lavapipe ends no loop; and
  # one browser is enough.
  check 'Debian 13' build-debian13 --num-processes "$processors" --no-suite models --no-suite pages --no-suite old \
    --no-suite costs --no-suite browser
  inside=
else
  tail -n 20 build-tests/debian13.log
fi
if [ -z "$root" ] && [ "${CI:-}" = true ]; then # as a test that is skipped
  failed=$((failed + 1))
  failures="$failures
  Debian 13: there is no root to run it in"
fi

# The builds below take the kernel modules of the first one: a C compiler has no part in them. Less
# optimisation halves the time of a compiler that adds checks, and few of the tests run longer for it.
build build-asan -Dwerror=true -Dtests=enabled -Dbenchmarks=disabled -Db_sanitize=address,undefined \
  -Db_lundef=false -Doptimization=1 "$modules"
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export ASAN_OPTIONS=abort_on_error=1:strict_string_checks=1:detect_leaks=1
LSAN_OPTIONS=suppressions=$PWD/tests/lsan.supp:print_suppressions=0
export LSAN_OPTIONS
check 'address and undefined behaviour sanitizers' build-asan --suite host --suite kernel --no-suite oracles
# GLib and the plugins of others leak by design; the leaks tracer is for these
# tests. A scanner in a process of its own would not have the sanitizers.
export ASAN_OPTIONS=abort_on_error=1:strict_string_checks=1:detect_leaks=0
export GST_REGISTRY_FORK=no
check 'sanitizers, the element' build-asan --suite element --no-suite models --no-suite compiling

# 20 seconds for each target. Built apart, with clang, and without the device's side.
export CC=clang
build build-fuzz -Dwerror=true -Dtests=disabled -Dfuzzers=true
unset CC
check 'fuzzing' build-fuzz --num-processes "$processors" # none of them waits

# GLib recycles memory behind the sanitizer's back unless told not to. Fences,
# which this sanitizer does not know, are there for the device, not for threads. It takes a block of
# thread-local storage at a certain place in its page for one of an old glibc, and ends: there are
# none with this model.
configure build-tsan -Dwerror=true -Dtests=enabled -Dbenchmarks=disabled -Db_sanitize=thread \
  -Db_lundef=false "$modules" '-Dc_args=-Wno-tsan -ftls-model=initial-exec'
export TSAN_OPTIONS=halt_on_error=1:suppressions=$PWD/tests/tsan.supp G_SLICE=always-malloc
# It does not see the locks of GLib, on which a server of libsoup stands.
check 'thread sanitizer' build-tsan --suite host --suite kernel --no-suite oracles --no-suite served
# The order in which GStreamer takes its locks is its own.
TSAN_OPTIONS=$TSAN_OPTIONS:detect_deadlocks=0
# Plugins of others are looked at first, without it; and what has forked may not have threads, so it
# takes the shared process, too.
TSAN_OPTIONS=report_bugs=0 GST_CHECKS=none \
  meson test -C build-tsan element-turmoil >/dev/null 2>&1 </dev/null || true
check 'thread sanitizer, the element' build-tsan element-turmoil element-many element-churn

ended=yes
