/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Writing past RLIMIT_FSIZE ends a process by SIGXFSZ, unless that is held back: then it is an
 * error like others, EFBIG. A guard holds it back in the calling thread.
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
