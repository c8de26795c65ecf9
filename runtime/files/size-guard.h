/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A write past RLIMIT_FSIZE ends the process with SIGXFSZ, and one into a pipe without a reader
 * with SIGPIPE. A guard holds both signals back in the calling thread: the write then fails with
 * EFBIG or EPIPE.
 */
#pragma once

#include <glib.h>
#include <signal.h>

typedef struct {
  sigset_t before;
  sigset_t raised; /* those of the two that a write may raise: they were not pending before */
} VyreSizeGuard;

void vyre_size_guard_begin (VyreSizeGuard *guard);
void vyre_size_guard_end (const VyreSizeGuard *guard);
