/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/**
 * SECTION:clock
 * @title: Clock
 * @short_description: Time that does not pass while the process is stopped
 *
 * A process that is stopped by a signal or a debugger, whose container is paused or whose machine
 * sleeps finds every deadline passed when it goes on, although no thread had a chance to meet it.
 * So deadlines are kept by a clock that advances only while a thread looks at it.
 */

#include <glib.h>

G_BEGIN_DECLS

/**
 * VYRE_CLOCK_SLICE:
 *
 * The interval between two looks at a clock, in µs.
 */
#define VYRE_CLOCK_SLICE (20 * G_TIME_SPAN_MILLISECOND)

/**
 * VYRE_CLOCK_MOST:
 *
 * The most time that passes on a clock between two looks, in µs: a busy machine delays the looks.
 */
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
 * @monotonic: g_get_monotonic_time(), or a time in its place; never less than before
 *
 * Looks at a clock at a given time.
 *
 * Returns: µs, @monotonic at the first look; later the clock is behind by the time that passed
 *   beyond VYRE_CLOCK_MOST between two looks
 */
gint64 vyre_clock_at (VyreClock *clock, gint64 monotonic);

/**
 * vyre_clock_now:
 * @clock: a clock
 *
 * Looks at a clock. A deadline in the time of g_get_monotonic_time() may be compared with it: the
 * clock reaches the deadline later, by as long as the process stood still.
 *
 * Returns: µs, as of vyre_clock_at()
 */
gint64 vyre_clock_now (VyreClock *clock);

/**
 * vyre_clock_next:
 * @clock: a clock that was just looked at
 * @end_time: a deadline, in the time of the clock
 *
 * Computes the time of the next look.
 *
 * Returns: the g_get_monotonic_time() at which to look again: after VYRE_CLOCK_SLICE, or at the
 *   deadline if that is sooner
 */
gint64 vyre_clock_next (const VyreClock *clock, gint64 end_time);

G_END_DECLS
