/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Locks that two threads take several times for every batch. What they guard takes
 * tens of nanoseconds, and a GMutex that is taken puts the other thread to sleep at
 * once, which costs microseconds on both sides.
 */
#pragma once

#include <glib.h>

/* Tries before going to sleep: some microseconds, as long as that would take. */
#define VYRE_MUTEX_TRIES 100

static inline void
vyre_mutex_lock (GMutex *mutex)
{
  for (guint i = 0; i < VYRE_MUTEX_TRIES; i++) {
    if (g_mutex_trylock (mutex))
      return;
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause ();
#endif
  }
  g_mutex_lock (mutex);
}
