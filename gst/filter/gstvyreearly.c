/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyreearly.h"

#include "filter/gstvyrestream.h"

void
gst_vyre_early_drop (GstVyreFilter *self, gboolean keep_sticky)
{
  GstEvent *event;

  while ((event = g_queue_pop_head (&self->early))) {
    if (keep_sticky)
      gst_vyre_stream_keep_sticky (self, event);
    gst_event_unref (event);
  }
}

/* TRUE if @event has to wait. The first buffer decides the output caps, which precede the segment:
 * from the segment on, events wait for caps. A stream-start never waits. */
gboolean
gst_vyre_early_waits (GstVyreFilter *self, GstEvent *event)
{
  if (self->out_caps || GST_EVENT_TYPE (event) == GST_EVENT_STREAM_START)
    return FALSE;
  return GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT || !g_queue_is_empty (&self->early);
}

/* Only the last of several gaps in a row waits. */
void
gst_vyre_early_keep (GstVyreFilter *self, GstEvent *event)
{
  GstEvent *last = g_queue_peek_tail (&self->early);

  if (last && GST_EVENT_TYPE (last) == GST_EVENT_GAP && GST_EVENT_TYPE (event) == GST_EVENT_GAP)
    gst_event_unref (g_queue_pop_tail (&self->early));
  g_queue_push_tail (&self->early, event);
}

/* The beginning of a stream for a new source pad; @lost: it did not get into the queue */
typedef struct {
  GstVyreFilter *self;
  gboolean lost;
} Beginning;

static gboolean
early_send_again (GstPad *pad, GstEvent **event, gpointer data)
{
  Beginning *beginning = data;
  GstVyreFilter *self = beginning->self;

  if (GST_EVENT_TYPE (*event) == GST_EVENT_STREAM_START)
    beginning->lost = gst_vyre_stream_push_event (self, gst_event_ref (*event)) != GST_FLOW_OK;
  else if (GST_EVENT_TYPE (*event) != GST_EVENT_CAPS && GST_EVENT_TYPE (*event) != GST_EVENT_EOS)
    gst_vyre_early_keep (self, gst_event_ref (*event));
  return TRUE;
}

/* Repeats the beginning of the stream for a new source pad: one that was activated while the sink
 * pad stayed active. @starts says that a stream-start is about to follow anyway. */
void
gst_vyre_early_follow_source (GstVyreFilter *self, gboolean is_new, gboolean starts)
{
  Beginning beginning = { .self = self };

  if (!is_new)
    return;
  gst_vyre_early_drop (self, FALSE);
  gst_caps_replace (&self->out_caps, NULL);
  self->plan_stale = TRUE;
  if (!starts)
    gst_pad_sticky_events_foreach (self->sinkpad, early_send_again, &beginning);
  if (beginning.lost)
    gst_vyre_stream_forget_beginning (self);
}

GstFlowReturn
gst_vyre_early_push (GstVyreFilter *self)
{
  GstFlowReturn flow = GST_FLOW_OK;
  GstEvent *event;

  while ((event = g_queue_pop_head (&self->early))) {
    if (flow == GST_FLOW_OK)
      flow = gst_vyre_stream_push_event (self, event);
    else
      gst_event_unref (event);
  }
  return flow;
}

/* Begins a stream of its own for a buffer that comes before its stream-start, as when upstream runs
 * while this pad is activated: no caps go downstream without a stream. The stream-start that
 * upstream has yet to send then replaces it in order. */
GstFlowReturn
gst_vyre_early_begin_stream (GstVyreFilter *self)
{
  GstEvent *event = gst_pad_get_sticky_event (self->sinkpad, GST_EVENT_STREAM_START, 0);

  if (event) {
    gst_event_unref (event);
    return GST_FLOW_OK;
  }
  guint group = gst_util_group_id_next ();
  g_autofree gchar *id = g_strdup_printf ("%s-%u", GST_OBJECT_NAME (self), group);
  event = gst_event_new_stream_start (id);
  gst_event_set_group_id (event, group);
  return gst_vyre_stream_push_event (self, event);
}
