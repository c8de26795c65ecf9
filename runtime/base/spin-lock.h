/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Locks that two threads take several times for every batch, for tens of nanoseconds each time. A
 * GMutex that is taken puts the other thread to sleep at once, which costs microseconds on both
 * sides.
 */
#pragma once

#include <glib.h>

/* Tries before the sleep: some microseconds, as long as the sleep itself costs. */
#define VYRE_MUTEX_TRIES 100

/* Between two looks of a thread that stays awake: leaves the core's other thread more of it. */
static inline void
vyre_relax (void)
{
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause ();
#endif
}

/* Takes @mutex, after VYRE_MUTEX_TRIES tries with a sleep. */
static inline void
vyre_mutex_lock (GMutex *mutex)
{
  for (guint i = 0; i < VYRE_MUTEX_TRIES; i++) {
    if (g_mutex_trylock (mutex))
      return;
    vyre_relax ();
  }
  g_mutex_lock (mutex);
}
