/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyrepassthrough.h"

#include "common/gstvyreresults.h"
#include "filter/gstvyreanalytics.h"
#include "filter/gstvyrecarry.h"
#include "filter/gstvyremessages.h"
#include "filter/gstvyretensors.h"

#define GST_CAT_DEFAULT gst_vyre_debug

/* Has the mode follow its property, unless the element streams or is about to. */
void
gst_vyre_passthrough_follow (GstVyreFilter *self)
{
  GST_OBJECT_LOCK (self);
  if (MAX (GST_STATE (self), GST_STATE_NEXT (self)) < GST_STATE_PAUSED)
    g_atomic_int_set (&self->passes, self->output_mode == GST_VYRE_OUTPUT_PASSTHROUGH);
  GST_OBJECT_UNLOCK (self);
}

/* READY to PAUSED. Fixes the mode. */
void
gst_vyre_passthrough_start (GstVyreFilter *self)
{
  GST_OBJECT_LOCK (self);
  g_atomic_int_set (&self->passes, self->output_mode == GST_VYRE_OUTPUT_PASSTHROUGH);
  GST_OBJECT_UNLOCK (self);
}

/* Any thread. */
gboolean
gst_vyre_passthrough_is_on (const GstVyreFilter *self)
{
  return g_atomic_int_get (&self->passes);
}

/* Without another side any caps will do, or those that are asked for. */
static void
passthrough_answer_alone (GstQuery *query)
{
  GstCaps *filter;

  if (GST_QUERY_TYPE (query) == GST_QUERY_ACCEPT_CAPS) {
    gst_query_set_accept_caps_result (query, TRUE);
    return;
  }
  gst_query_parse_caps (query, &filter);
  g_autoptr (GstCaps) caps = filter ? gst_caps_ref (filter) : gst_caps_new_any ();
  gst_query_set_caps_result (query, caps);
}

/* Any thread. Answers a CAPS or ACCEPT_CAPS query of @pad as the other side does. */
gboolean
gst_vyre_passthrough_answer (GstVyreFilter *self, GstPad *pad, GstQuery *query)
{
  if (!gst_pad_peer_query (pad == self->sinkpad ? self->srcpad : self->sinkpad, query))
    passthrough_answer_alone (query);
  return TRUE;
}

/* Pools have as many buffers more as the element holds: those in the queue, late batches as many as
 * have room, and older payloads. */
static void
passthrough_add_held (GstVyreFilter *self, GstQuery *query)
{
  GST_OBJECT_LOCK (self);
  gboolean may_be_late = GST_CLOCK_TIME_IS_VALID (self->settings.max_latency);
  guint held = self->settings.max_in_flight * (may_be_late ? 2 : 1) + GST_VYRE_N_OLDER;
  GST_OBJECT_UNLOCK (self);
  for (guint i = 0; i < gst_query_get_n_allocation_pools (query); i++) {
    GstBufferPool *pool;
    guint size, least, most;
    gst_query_parse_nth_allocation_pool (query, i, &pool, &size, &least, &most);
    gst_query_set_nth_allocation_pool (
        query, i, pool, size, least + held, most > 0 ? most + held : 0);
    gst_clear_object (&pool);
  }
}

/* Sink pad's stream lock held, the caps sent on. Has downstream answer an ALLOCATION query: its
 * buffers stay its own, and nothing is promised in its name. */
gboolean
gst_vyre_passthrough_allocate (GstVyreFilter *self, GstQuery *query)
{
  if (!gst_vyre_stream_drain (self) || !gst_pad_peer_query (self->srcpad, query))
    return FALSE;
  passthrough_add_held (self, query);
  return TRUE;
}

/* Returns when a buffer that comes @now has to go on, in µs; G_MAXINT64: when its result is there.
 */
gint64
gst_vyre_passthrough_get_deadline (
    const GstVyreFilter *self, const GstVyreSettings *settings, gint64 now)
{
  if (!gst_vyre_passthrough_is_on (self) || !GST_CLOCK_TIME_IS_VALID (settings->max_latency))
    return G_MAXINT64;
  return now + (gint64)(settings->max_latency / GST_USECOND);
}

/* Returns what is known of a buffer whose results are not there. */
static GstStructure *
passthrough_new_missing (const GstVyreItem *item)
{
  GstStructure *structure = gst_structure_new ("vyre-results", "missing", G_TYPE_BOOLEAN, TRUE,
      "complete", G_TYPE_BOOLEAN, FALSE, "sequence", G_TYPE_UINT64, (guint64)item->sequence,
      "offset", G_TYPE_UINT64, item->timing.offset, "payload-bytes", G_TYPE_UINT64,
      (guint64)item->timing.size, NULL);

  gst_vyre_messages_set_timing (structure, &item->timing);
  return structure;
}

/* Takes the buffer that goes on out of @item, whose payload stays if it is @needed. */
static GstBuffer *
passthrough_take_own (GstVyreItem *item, gboolean needed)
{
  GstBuffer *payload = needed ? gst_buffer_ref (item->buffer) : g_steal_pointer (&item->buffer);

  if (!item->passing)
    return payload;
  gst_buffer_unref (payload);
  return g_steal_pointer (&item->passing);
}

/* The worker. Returns the buffer of the item, without results. A batch in flight, or one that has
 * to run again, keeps its memory: the buffer that goes on is another one of the same memory, which
 * nobody writes to before there is a single reference. */
GstBuffer *
gst_vyre_passthrough_take_missing (GstVyreItem *item)
{
  GstBuffer *buffer
      = gst_buffer_make_writable (passthrough_take_own (item, gst_vyre_item_is_batch (item)));

  gst_buffer_take_vyre_results (buffer, passthrough_new_missing (item));
  return buffer;
}

/* The worker. Takes the buffer that goes on out of the item, with the results of the last batch,
 * which is that of the item. Without other users it is the buffer that came; otherwise one of the
 * same memory. */
GstBuffer *
gst_vyre_passthrough_take (GstVyreFilter *self, GstVyreItem *item)
{
  gst_vyre_item_forget_batch (item); /* it may have a reference to the buffer */
  GstBuffer *buffer = gst_buffer_make_writable (passthrough_take_own (item, FALSE));
  gst_buffer_take_vyre_results (buffer, gst_vyre_messages_new_results (self));
  gst_vyre_analytics_label (self, buffer);
  gst_vyre_tensors_attach (self, buffer);
  return buffer;
}
