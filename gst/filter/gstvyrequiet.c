/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyrequiet.h"

/* Copies the words of the result that an event of quiet samples names. */
void
gst_vyre_quiet_read (const VyreEvent *event, const guint8 *readback, guint32 *words)
{
  for (guint i = 0; i < VYRE_LOUD_WORDS; i++)
    words[i] = vyre_read_word (readback, VYRE_CONTROL_OBSERVABLES + event->loud + i);
}

/* How many quiet samples make an event. */
guint64
gst_vyre_quiet_count_samples (const VyreEvent *event)
{
  return gst_util_uint64_scale_ceil (event->time, event->rate, GST_SECOND);
}

/* How long so many samples last. */
GstClockTime
gst_vyre_quiet_get_time (const VyreEvent *event, guint32 samples)
{
  return gst_util_uint64_scale (samples, GST_SECOND, event->rate);
}
