/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyretaps.h"

#include <stdio.h>

#include "common/gstvyrefork.h"
#include "filter/gstvyrelatency.h"
#include "filter/gstvyrepartners.h"
#include "filter/gstvyreslots.h"

/* Those of the first buffer are among them. */
static GstStaticCaps taps_caps
    = GST_STATIC_CAPS ("application/x-vyre-readback, abi = (int) 1, "
                       "slot-count = (int) [ 1, " G_STRINGIFY (
                           GST_VYRE_MAX_SLOTS) " ], "
                                               "observable-slots = (int) [ 0, " G_STRINGIFY (
                                                   VYRE_MAX_OBSERVABLES) " ]");

/* Answers a CAPS query of a pad that readbacks leave. */
gboolean
gst_vyre_taps_answer_caps (GstPad *pad, GstQuery *query)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  GstCaps *filter;

  if (!caps)
    caps = gst_static_caps_get (&taps_caps);
  gst_query_parse_caps (query, &filter);
  if (filter)
    gst_caps_take (&caps, gst_caps_intersect_full (filter, caps, GST_CAPS_INTERSECT_FIRST));
  gst_query_set_caps_result (query, caps);
  return TRUE;
}

static gboolean
taps_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_LATENCY:
      return gst_vyre_latency_query (GST_VYRE_FILTER_CAST (parent), query);
    case GST_QUERY_CAPS:
      return gst_vyre_taps_answer_caps (pad, query);
    default:
      return gst_pad_query_default (pad, parent, query);
  }
}

/* Upstream gets seeks alone: QoS and RECONFIGURE events of a pad concern its readbacks, not the
 * buffers. */
static gboolean
taps_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_SEEK)
    return gst_vyre_partners_seek (GST_VYRE_FILTER_CAST (parent), event);
  gst_event_unref (event);
  return TRUE;
}

/* TRUE if there are pads. Any thread; without one this is all they cost. */
gboolean
gst_vyre_taps_are_there (const GstVyreFilter *self)
{
  return g_atomic_int_get (&self->n_taps) > 0;
}

/* Returns the pads, with references. */
static GList *
taps_get (GstVyreFilter *self)
{
  if (!gst_vyre_taps_are_there (self))
    return NULL;
  vyre_mutex_lock (&self->lock);
  GList *pads = g_list_copy_deep (self->taps, (GCopyFunc)(void (*) (void))gst_object_ref, NULL);
  g_mutex_unlock (&self->lock);
  return pads;
}

static void
taps_free (GList *pads)
{
  g_list_free_full (pads, gst_object_unref);
}

/* TRUE if somebody gets readbacks. */
gboolean
gst_vyre_taps_are_linked (GstVyreFilter *self)
{
  GList *pads = taps_get (self);
  gboolean linked = FALSE;

  for (GList *l = pads; l && !linked; l = l->next)
    linked = gst_pad_is_linked (l->data);
  taps_free (pads);
  return linked;
}

/* A request, in any state. */
GstPad *
gst_vyre_taps_add_pad (GstVyreFilter *self, GstPadTemplate *templ, const gchar *name)
{
  guint number;

  vyre_mutex_lock (&self->lock);
  if (!name || sscanf (name, GST_VYRE_TAPS_PADS, &number) != 1)
    number = self->next_tap;
  self->next_tap = MAX (self->next_tap, number + 1);
  g_mutex_unlock (&self->lock);
  g_autofree gchar *next = g_strdup_printf (GST_VYRE_TAPS_PADS, number);
  GstPad *pad = gst_pad_new_from_template (templ, name ? name : next);

  gst_pad_set_query_function (pad, taps_query);
  gst_pad_set_event_function (pad, taps_event);
  gst_pad_use_fixed_caps (pad);
  GST_OBJECT_LOCK (self);
  gboolean active = MAX (GST_STATE (self), GST_STATE_NEXT (self)) >= GST_STATE_PAUSED;
  GST_OBJECT_UNLOCK (self);
  if (active)
    gst_pad_set_active (pad, TRUE);
  if (!gst_element_add_pad (GST_ELEMENT_CAST (self), pad))
    return NULL;
  vyre_mutex_lock (&self->lock);
  self->taps = g_list_append (self->taps, gst_object_ref (pad));
  g_atomic_int_inc (&self->n_taps);
  g_mutex_unlock (&self->lock);
  return pad;
}

/* The pad is released. The worker may be about to push into it: that comes to nothing. */
void
gst_vyre_taps_remove_pad (GstVyreFilter *self, GstPad *pad)
{
  vyre_mutex_lock (&self->lock);
  GList *link = g_list_find (self->taps, pad);
  self->taps = g_list_remove_link (self->taps, link);
  if (link)
    g_atomic_int_add (&self->n_taps, -1);
  g_mutex_unlock (&self->lock);
  taps_free (link);
  gst_pad_set_active (pad, FALSE);
  gst_element_remove_pad (GST_ELEMENT_CAST (self), pad);
}

/* The worker. Begins the stream of a pad that has none, or one from before. */
static void
taps_begin (GstVyreFilter *self, GstPad *pad)
{
  GstEvent *event = gst_pad_get_sticky_event (pad, GST_EVENT_STREAM_START, 0);
  gboolean begun
      = event && GPOINTER_TO_UINT (gst_pad_get_element_private (pad)) == self->tap_stream;
  guint group;

  gst_clear_event (&event);
  if (begun)
    return;
  g_autofree gchar *id
      = gst_pad_create_stream_id (pad, GST_ELEMENT_CAST (self), GST_OBJECT_NAME (pad));
  GstEvent *start = gst_event_new_stream_start (id);
  event = gst_pad_get_sticky_event (self->sinkpad, GST_EVENT_STREAM_START, 0);
  if (event && gst_event_parse_group_id (event, &group))
    gst_event_set_group_id (start, group);
  gst_clear_event (&event);
  gst_pad_set_element_private (pad, GUINT_TO_POINTER (self->tap_stream));
  gst_pad_push_event (pad, start);
}

static void
taps_send_caps (GstPad *pad, GstCaps *caps)
{
  g_autoptr (GstCaps) current = gst_pad_get_current_caps (pad);

  if (!current || !gst_caps_is_equal (current, caps))
    gst_pad_push_event (pad, gst_event_new_caps (caps));
}

static void
taps_send_segment (GstPad *pad, const GstSegment *segment)
{
  g_autoptr (GstEvent) event = gst_pad_get_sticky_event (pad, GST_EVENT_SEGMENT, 0);
  const GstSegment *current = NULL;

  if (event)
    gst_event_parse_segment (event, &current);
  if (!current || !gst_segment_is_equal (current, segment))
    gst_pad_push_event (pad, gst_event_new_segment (segment));
}

/* The worker. Returns the answer of one pad to a readback. */
static GstFlowReturn
taps_push_one (GstVyreFilter *self, const GstVyreItem *item, GstPad *pad, GstBuffer *buffer)
{
  if (!gst_pad_is_linked (pad) || !item->caps)
    return GST_FLOW_NOT_LINKED;
  taps_begin (self, pad);
  taps_send_caps (pad, item->caps);
  if (item->timing.segment.format != GST_FORMAT_UNDEFINED)
    taps_send_segment (pad, &item->timing.segment);
  GstFlowReturn flow = gst_pad_push (pad, gst_buffer_ref (buffer));
  return flow == GST_FLOW_FLUSHING ? GST_FLOW_NOT_LINKED : flow; /* a branch that starts or ends */
}

/* The worker. Pushes the readback of the item, which it takes, into every pad: each gets a
 * reference. Returns the failure of a pad, or OK if one takes more, or EOS if one has enough. */
GstFlowReturn
gst_vyre_taps_push (GstVyreFilter *self, const GstVyreItem *item, GstBuffer *buffer)
{
  GList *pads = taps_get (self);
  GstFlowReturn result = GST_FLOW_NOT_LINKED;

  for (GList *l = pads; l; l = l->next) {
    GstFlowReturn flow = taps_push_one (self, item, l->data, buffer);
    if (flow < GST_FLOW_EOS || result == GST_FLOW_NOT_LINKED
        || (flow == GST_FLOW_OK && result == GST_FLOW_EOS))
      result = flow;
  }
  taps_free (pads);
  gst_buffer_unref (buffer);
  return result;
}

/* Returns what the answer of the source pad, and that of the pads, mean for the stream: it goes on
 * as long as one of them takes what comes, and fails with any of them. */
GstFlowReturn
gst_vyre_taps_combine (GstFlowReturn flow, GstFlowReturn taps)
{
  if (taps < GST_FLOW_EOS)
    return taps;
  if (flow == GST_FLOW_NOT_LINKED || (flow == GST_FLOW_EOS && taps == GST_FLOW_OK))
    return taps;
  return flow;
}

/* Any thread. Sends a flush, which it does not take, out of every pad. */
void
gst_vyre_taps_send (GstVyreFilter *self, GstEvent *event)
{
  GList *pads = taps_get (self);

  for (GList *l = pads; l; l = l->next)
    gst_pad_push_event (l->data, gst_event_ref (event));
  taps_free (pads);
}

/* Has downstream of @pad flush if it has not: a sink in PAUSED would keep the worker, and the
 * FLUSH_STOP behind it. */
static void
taps_ensure_flush (GstPad *pad, const GstEvent *stop)
{
  g_autoptr (GstPad) peer = gst_pad_get_peer (pad);

  if (!peer || !gst_pad_is_active (pad)) /* the FLUSH_STOP will not get out of it */
    return;
  GST_OBJECT_LOCK (peer);
  gboolean flushes = GST_PAD_IS_FLUSHING (peer);
  GST_OBJECT_UNLOCK (peer);
  if (flushes)
    return;
  GstEvent *start = gst_event_new_flush_start ();
  gst_event_set_seqnum (start, gst_event_get_seqnum ((GstEvent *)stop));
  gst_pad_push_event (pad, start);
}

/* Does so for the source pad and all others. */
void
gst_vyre_taps_ensure_flush (GstVyreFilter *self, const GstEvent *stop)
{
  GList *pads = taps_get (self);

  taps_ensure_flush (self->srcpad, stop);
  for (GList *l = pads; l; l = l->next)
    taps_ensure_flush (l->data, stop);
  taps_free (pads);
}

/* The worker. What comes next belongs to another stream. */
void
gst_vyre_taps_begin_stream (GstVyreFilter *self)
{
  self->tap_stream++;
}

/* The worker. Ends the streams of all pads. */
void
gst_vyre_taps_end (GstVyreFilter *self, GstEvent *eos)
{
  GList *pads = taps_get (self);

  for (GList *l = pads; l; l = l->next) {
    taps_begin (self, l->data);
    gst_pad_push_event (l->data, gst_event_ref (eos));
  }
  taps_free (pads);
}

/* The element goes, with its pads. */
void
gst_vyre_taps_leave (GstVyreFilter *self)
{
  taps_free (g_steal_pointer (&self->taps));
}

/* In a child. */
void
gst_vyre_taps_become_inherited (GstVyreFilter *self)
{
  for (GList *l = self->taps; l; l = l->next)
    gst_vyre_fork_forget_thread (l->data);
}
