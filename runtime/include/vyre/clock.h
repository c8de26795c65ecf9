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

/**
 * vyre_clock_at:
 * @clock: a clock
 * @monotonic: g_get_monotonic_time(), or what is to stand for it; never less than before
 *
 * Looks at a clock at a given time.
 *
 * Returns: µs, @monotonic at the first look; later it is behind by what passed beyond
 *   VYRE_CLOCK_MOST between two looks
 */
gint64 vyre_clock_at (VyreClock *clock, gint64 monotonic);

/**
 * vyre_clock_now:
 * @clock: a clock
 *
 * Looks at a clock. Times of it may be compared with those of g_get_monotonic_time() that
 * lie ahead: a deadline is reached later by as long as the process stood still.
 *
 * Returns: µs, as of vyre_clock_at()
 */
gint64 vyre_clock_now (VyreClock *clock);

/**
 * vyre_clock_next:
 * @clock: a clock that was just looked at
 * @end_time: a deadline, as of the clock
 *
 * Returns: the g_get_monotonic_time() at which to look again: after VYRE_CLOCK_SLICE, or when
 *   the deadline is due if that is sooner
 */
gint64 vyre_clock_next (const VyreClock *clock, gint64 end_time);

G_END_DECLS
