/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vyre/clock.h"

gint64
vyre_clock_at (VyreClock *clock, gint64 monotonic)
{
  gint64 passed = clock->seen > 0 ? monotonic - clock->seen : 0;

  clock->lost += MAX (passed - VYRE_CLOCK_MOST, 0);
  clock->seen = monotonic;
  return monotonic - clock->lost;
}

gint64
vyre_clock_now (VyreClock *clock)
{
  return vyre_clock_at (clock, g_get_monotonic_time ());
}

gint64
vyre_clock_next (const VyreClock *clock, gint64 end_time)
{
  gint64 now = clock->seen - clock->lost;

  return clock->seen + (end_time > now ? MIN (end_time - now, VYRE_CLOCK_SLICE) : 0);
}
