/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "library/gstvyretiming.h"

#include "library/gstvyrefields.h"

static GQuark timestamp_quark, stream_time_quark, running_time_quark, duration_quark;

/* Before any message. */
void
gst_vyre_timing_init (void)
{
  timestamp_quark = g_quark_from_static_string ("timestamp");
  stream_time_quark = g_quark_from_static_string ("stream-time");
  running_time_quark = g_quark_from_static_string ("running-time");
  duration_quark = g_quark_from_static_string ("duration");
}

/* @segment may be NULL. */
void
gst_vyre_timing_set (
    GstStructure *structure, const GstSegment *segment, GstClockTime pts, GstClockTime duration)
{
  gboolean timed = segment && segment->format == GST_FORMAT_TIME;
  guint64 stream_time = GST_CLOCK_TIME_NONE, running_time = GST_CLOCK_TIME_NONE;

  if (timed) {
    stream_time = gst_segment_to_stream_time (segment, GST_FORMAT_TIME, pts);
    running_time = gst_segment_to_running_time (segment, GST_FORMAT_TIME, pts);
  }
  gst_vyre_fields_set_number (structure, timestamp_quark, pts);
  gst_vyre_fields_set_number (structure, stream_time_quark, stream_time);
  gst_vyre_fields_set_number (structure, running_time_quark, running_time);
  gst_vyre_fields_set_number (structure, duration_quark, duration);
}
