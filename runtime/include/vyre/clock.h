/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Time that somebody watched. A process that is stopped by a signal or a debugger, whose
 * container is paused or whose machine sleeps finds all its deadlines passed when it goes
 * on, although nothing had a chance to meet them. So deadlines are kept by a clock that
 * stands still while nobody looks at it.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* How often to look, in µs, and the most that passes between two looks: a machine may be busy. */
#define VYRE_CLOCK_SLICE (20 * G_TIME_SPAN_MILLISECOND)
#define VYRE_CLOCK_MOST (5 * VYRE_CLOCK_SLICE)

/**
 * VyreClock:
 * @seen: private: g_get_monotonic_time() of the last look, 0 before the first
 * @lost: private: µs that do not count
 *
 * A clock of one wait and one thread. All zero, it starts with the first look.
 */
typedef struct {
  gint64 seen;
  gint64 lost;
} VyreClock;

gint64 vyre_clock_at (VyreClock *clock, gint64 monotonic);
gint64 vyre_clock_now (VyreClock *clock);
gint64 vyre_clock_next (const VyreClock *clock, gint64 end_time);

G_END_DECLS
