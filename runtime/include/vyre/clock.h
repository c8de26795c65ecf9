/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A clock that stands still while its process does. A process that a signal or a debugger stops,
 * whose container is paused or whose machine sleeps finds all its deadlines passed when it goes
 * on, although nothing had a chance to meet them. This clock counts only the time around looks at
 * it, so deadlines are kept by it.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* µs between two looks at a clock, and the most that counts between them on a busy machine. */
#define VYRE_CLOCK_SLICE (20 * G_TIME_SPAN_MILLISECOND)
#define VYRE_CLOCK_MOST (5 * VYRE_CLOCK_SLICE)

/**
 * VyreClock:
 * @seen: private: g_get_monotonic_time() of the last look, 0 before the first
 * @lost: private: µs that did not count
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
 * @monotonic: g_get_monotonic_time(), or a time in its place; never less than before
 *
 * Looks at a clock at a given time.
 *
 * Returns: µs, @monotonic at the first look; later less, by the time beyond VYRE_CLOCK_MOST that
 *   passed between two looks
 */
gint64 vyre_clock_at (VyreClock *clock, gint64 monotonic);

/**
 * vyre_clock_now:
 * @clock: a clock
 *
 * Looks at a clock. Its times may be compared with later times of g_get_monotonic_time(): a
 * deadline is reached later by the time that the process stood still.
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
