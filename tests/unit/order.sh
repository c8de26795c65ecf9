#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# order.sh CLANG INCLUDES: how stores are ordered on processors that the tests do not run on, as
# a compiler for them sees it; and that there is no library where nobody knows how.
set -eu
clang=$1
includes=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat > "$work/order.c" <<'END'
#include "base/order.h"
void flush (void) { vyre_order_flush (); }
void loads (void) { vyre_order_loads (); }
void quarters (uint32_t *to, const uint32_t *from) { vyre_order_store_quarters (to, from, 1, 1); }
END

build() {
  "$clang" --target="$1" -ffreestanding -O2 -S -I"$includes" $2 -o "$work/order.s" "$work/order.c" \
    2> "$work/errors"
}

# The lines of a function's assembly.
body() {
  sed -n "/^$1:/,/^\.Lfunc_end/p" "$work/order.s"
}

fail() {
  echo "$1" >&2
  cat "$work/errors" "$work/order.s" >&2
  exit 1
}

if ! build aarch64-linux-gnu ""; then
  grep -q "No available targets\|unable to create target" "$work/errors" && exit 77
  fail "it does not compile for ARM64"
fi
body flush | grep -q "dsb[[:space:]]*st$" || fail "flushing is no DSB"
body loads | grep -q "dmb[[:space:]]*oshld$" || fail "loads are not ordered"
# the mark, and it alone, is stored behind the barrier
body quarters | sed '1,/dmb[[:space:]]*oshst/d' | grep -q "st[rp]" || fail "no mark follows"
test "$(body quarters | sed '1,/dmb[[:space:]]*oshst/d' | grep -c "st[rp]")" = 1 || fail "more follows"
body quarters | sed '/dmb/,$d' | grep -q "\[x0\]$" && fail "the mark comes first"

for other in "riscv64-linux-gnu" "i386-linux-gnu -mno-sse2"; do
  # shellcheck disable=SC2086
  set -- $other
  if build "$1" "${2:-}"; then
    fail "it compiles for $other"
  fi
  grep -q "Fix: " "$work/errors" || fail "nobody says what to do on $other"
done
