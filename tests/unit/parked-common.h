/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Kernels without a launch on the device.
 */
#pragma once

#include "kernel-common.h"
#include "kernel/types.h"

/* Waits until no launch of the kernel is on the device. */
static inline void
test_wait_until_parked (TestKernel *t)
{
  gint64 end = g_get_monotonic_time () + TEST_DEADLINE;
  guint flying;

  do {
    g_assert_cmpint (g_get_monotonic_time (), <, end);
    g_mutex_lock (&t->kernel->lock);
    flying = t->kernel->pipeline.n_flying;
    g_mutex_unlock (&t->kernel->lock);
    g_thread_yield ();
  } while (flying > 0);
}
