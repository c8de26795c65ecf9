/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A write past RLIMIT_FSIZE ends the process with SIGXFSZ. A guard holds the signal back in the
 * calling thread: the write then fails with EFBIG.
 */
#pragma once

#include <glib.h>
#include <signal.h>

typedef struct {
  sigset_t before;
  gboolean was_pending;
} VyreSizeGuard;

void vyre_size_guard_begin (VyreSizeGuard *guard);
void vyre_size_guard_end (const VyreSizeGuard *guard);
