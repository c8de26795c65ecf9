/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Waits without a deadline. Waiters of the library look at the clock from time to time, and so
 * survive a missing wake-up. With @patient set they wait for the wake-up alone: a missing one
 * hangs the test. The thread sanitizer has its own functions in the place of GLib's.
 */
#pragma once

#include <dlfcn.h>
#include <glib.h>

static gint patient;

#ifndef __SANITIZE_THREAD__
static gint n_patient; /* threads that wait for a wake-up */

gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end_time)
{
  static gboolean (*real) (GCond *, GMutex *, gint64);

  if (g_atomic_int_get (&patient)) {
    g_atomic_int_inc (&n_patient);
    g_cond_wait (cond, mutex);
    g_atomic_int_add (&n_patient, -1);
    return TRUE;
  }
  if (!real)
    real = (gboolean (*) (GCond *, GMutex *, gint64))dlsym (RTLD_NEXT, "g_cond_wait_until");
  return real (cond, mutex, end_time);
}
#endif

/* Waits until a thread waits for a wake-up. */
static inline void
patient_wait (void)
{
#ifndef __SANITIZE_THREAD__
  while (g_atomic_int_get (&n_patient) == 0)
    g_thread_yield ();
#endif
}
