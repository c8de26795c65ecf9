/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The tracer "vyretracer" (GST_TRACERS=vyretracer): a record for each buffer of vyrefilter, with the times of
 * the stages that it went through. Elements keep the times in GstVyreSpans. Without a tracer each
 * note is one branch.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef enum {
  GST_VYRE_STAGE_ARRIVE,   /* the chain function has the buffer */
  GST_VYRE_STAGE_PUBLISH,  /* it has a turn; its payload is staged from here on */
  GST_VYRE_STAGE_DOORBELL, /* the kernel has its batch */
  GST_VYRE_STAGE_COMPLETE, /* the worker has its result */
  GST_VYRE_STAGE_PUSH,     /* messages are posted, and downstream gets its readback, or itself */
  GST_VYRE_STAGE_RETURN,   /* downstream has returned */
  GST_VYRE_N_STAGES
} GstVyreStage;

/* ns on the clock of gst_util_get_timestamp(): the last time, where a stage came again after a
 * loss; 0 where a buffer went on without it */
typedef struct {
  GstClockTime times[GST_VYRE_N_STAGES];
} GstVyreSpans;

extern gint gst_vyre_traces; /* from the first tracer on; atomic */

gboolean gst_vyre_tracer_register (GstPlugin *plugin);
void gst_vyre_tracer_record (GstElement *element, guint sequence, const GstVyreSpans *spans);

/* Any thread, no lock. */
static inline void
gst_vyre_spans_note (GstVyreSpans *spans, GstVyreStage stage)
{
  if (G_UNLIKELY (g_atomic_int_get (&gst_vyre_traces)))
    spans->times[stage] = gst_util_get_timestamp ();
}

/* Any thread, no lock. Downstream has returned: the buffer is through. */
static inline void
gst_vyre_spans_end (GstVyreSpans *spans, GstElement *element, guint sequence)
{
  if (G_UNLIKELY (g_atomic_int_get (&gst_vyre_traces)))
    gst_vyre_tracer_record (element, sequence, spans);
}

G_END_DECLS
