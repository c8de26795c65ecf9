/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vyre/clock.h"

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
gint64
vyre_clock_at (VyreClock *clock, gint64 monotonic)
{
  gint64 passed = clock->seen > 0 ? monotonic - clock->seen : 0;

  clock->lost += MAX (passed - VYRE_CLOCK_MOST, 0);
  clock->seen = monotonic;
  return monotonic - clock->lost;
}

/**
 * vyre_clock_now:
 * @clock: a clock
 *
 * Looks at a clock. Times of it may be compared with those of g_get_monotonic_time() that
 * lie ahead: a deadline is reached later by as long as the process stood still.
 *
 * Returns: µs, as of vyre_clock_at()
 */
gint64
vyre_clock_now (VyreClock *clock)
{
  return vyre_clock_at (clock, g_get_monotonic_time ());
}

/**
 * vyre_clock_next:
 * @clock: a clock that was just looked at
 * @end_time: a deadline, as of the clock
 *
 * Returns: the g_get_monotonic_time() at which to look again: after VYRE_CLOCK_SLICE, or when
 *   the deadline is due if that is sooner
 */
gint64
vyre_clock_next (const VyreClock *clock, gint64 end_time)
{
  gint64 now = clock->seen - clock->lost;

  return clock->seen + (end_time > now ? MIN (end_time - now, VYRE_CLOCK_SLICE) : 0);
}
