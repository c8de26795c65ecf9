/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scope/gstvyreticks.h"

void
gst_vyre_ticks_init (GstVyreTicks *ticks, gint rate_n, gint rate_d)
{
  *ticks = (GstVyreTicks){ rate_n, rate_d, GST_CLOCK_TIME_NONE, 0 };
}

static GstClockTime
ticks_find (const GstVyreTicks *ticks, guint64 n)
{
  return ticks->start
         + gst_util_uint64_scale (n, GST_SECOND * (guint64)ticks->rate_d, (guint64)ticks->rate_n);
}

/* Returns how far results may be from the next frame: its middle is half a frame behind it. */
static GstClockTime
ticks_find_farthest (const GstVyreTicks *ticks)
{
  return MAX (GST_SECOND,
      gst_util_uint64_scale (2 * GST_SECOND, (guint64)ticks->rate_d, (guint64)ticks->rate_n));
}

/* Returns the time of the next frame. */
GstClockTime
gst_vyre_ticks_get_next (const GstVyreTicks *ticks)
{
  return GST_CLOCK_TIME_IS_VALID (ticks->start) ? ticks_find (ticks, ticks->n) : 0;
}

/* Begins anew at the @time of results that are far from the next frame; TRUE then. */
gboolean
gst_vyre_ticks_follow (GstVyreTicks *ticks, GstClockTime time)
{
  GstClockTime next = gst_vyre_ticks_get_next (ticks), farthest = ticks_find_farthest (ticks);

  if (GST_CLOCK_TIME_IS_VALID (ticks->start) && time + farthest >= next && time <= next + farthest)
    return FALSE;
  ticks->start = time;
  ticks->n = 0;
  return TRUE;
}

/* Takes the next frame where it is due: results reach to @end. None is before the first results. */
gboolean
gst_vyre_ticks_take (
    GstVyreTicks *ticks, GstClockTime end, GstClockTime *time, GstClockTime *duration)
{
  if (!GST_CLOCK_TIME_IS_VALID (ticks->start))
    return FALSE;
  *time = ticks_find (ticks, ticks->n);
  *duration = ticks_find (ticks, ticks->n + 1) - *time;
  if (*time + *duration / 2 > end)
    return FALSE;
  ticks->n++;
  return TRUE;
}
