/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * When frames are due that come at a rate of their own, whatever the rate of the results. A frame
 * is due once the results reach beyond its middle: results that come at the same rate, with times
 * that are rounded, make a frame each.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct {
  gint rate_n, rate_d; /* frames a second; of 0 frames results make one each */
  GstClockTime start;  /* time of frame 0; GST_CLOCK_TIME_NONE before it is known */
  guint64 n;           /* the next frame */
} GstVyreTicks;

void gst_vyre_ticks_init (GstVyreTicks *ticks, gint rate_n, gint rate_d);
gboolean gst_vyre_ticks_follow (GstVyreTicks *ticks, GstClockTime time);
gboolean gst_vyre_ticks_take (
    GstVyreTicks *ticks, GstClockTime end, GstClockTime *time, GstClockTime *duration);
GstClockTime gst_vyre_ticks_get_next (const GstVyreTicks *ticks);

G_END_DECLS
