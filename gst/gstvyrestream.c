/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The queue between the pads, and the life of a stream.
 */
#include "gstvyrestream.h"

/* The batch goes before the kernel it runs on. */
void
gst_vyre_item_forget_batch (GstVyreItem *item)
{
  g_clear_pointer (&item->batch, vyre_batch_free);
  g_clear_pointer (&item->shared, gst_vyre_shared_unref);
}

void
gst_vyre_item_free (GstVyreItem *item)
{
  gst_vyre_item_forget_batch (item);
  g_clear_pointer (&item->event, gst_event_unref);
  g_clear_pointer (&item->plan, vyre_plan_unref);
  gst_clear_buffer (&item->buffer);
  g_free (item);
}

/* What stops a stream and is not a flush or its regular end. */
gboolean
gst_vyre_flow_is_failure (GstFlowReturn flow)
{
  return flow == GST_FLOW_NOT_LINKED || flow < GST_FLOW_EOS;
}

gboolean
gst_vyre_stream_is_flushing (GstVyreFilter *self)
{
  vyre_mutex_lock (&self->lock);
  gboolean flushing = self->flushing;
  g_mutex_unlock (&self->lock);
  return flushing;
}

static void
count_taken (GstVyreFilter *self, const GstVyreItem *item, gboolean flushing)
{
  self->stats.buffers++;
  self->stats.payload_bytes += item->timing.size;
  self->stats.flushed += flushing;
}

/* Queues an item, which it takes, unless the stream has ended or failed. Only a
 * batch whose kernel was replaced meanwhile stays the caller's: those in the queue
 * were counted then, and nobody would know of one more. */
GstFlowReturn
gst_vyre_stream_push (GstVyreFilter *self, GstVyreItem *item)
{
  vyre_mutex_lock (&self->lock);
  GstFlowReturn flow = self->flushing ? GST_FLOW_FLUSHING : self->flow;
  if (flow == GST_FLOW_OK && item->batch && item->shared != self->shared)
    flow = GST_VYRE_FLOW_AGAIN;
  if (item->batch && flow != GST_VYRE_FLOW_AGAIN)
    count_taken (self, item, flow == GST_FLOW_FLUSHING);
  if (flow == GST_FLOW_OK) {
    self->n_batches += item->batch != NULL;
    g_queue_push_tail (&self->items, item);
    g_atomic_int_inc (&self->n_pushed);
    gst_vyre_stream_wake (self);
  }
  g_mutex_unlock (&self->lock);
  if (flow != GST_FLOW_OK && flow != GST_VYRE_FLOW_AGAIN)
    gst_vyre_item_free (item);
  return flow;
}

GstFlowReturn
gst_vyre_stream_push_event (GstVyreFilter *self, GstEvent *event)
{
  GstVyreItem *item = g_new0 (GstVyreItem, 1);

  item->event = event;
  return gst_vyre_stream_push (self, item);
}

/* What a pad remembers although it was never pushed: all but the segment, which
 * a flush resets, and the end. */
static gboolean
outlives_flush (const GstEvent *event)
{
  return GST_EVENT_IS_STICKY (event) && GST_EVENT_TYPE (event) != GST_EVENT_SEGMENT
         && GST_EVENT_TYPE (event) != GST_EVENT_EOS;
}

/* Drops what is queued; with @keep_sticky, downstream still gets the sticky
 * events. Batches that run are finished by the kernel, unseen. The task is
 * paused. */
void
gst_vyre_stream_drop (GstVyreFilter *self, gboolean keep_sticky)
{
  GstVyreItem *item;

  vyre_mutex_lock (&self->lock);
  GQueue dropped = self->items;
  g_queue_init (&self->items);
  self->n_batches = 0;
  self->n_undone = 0;
  gst_vyre_stream_wake (self);
  g_mutex_unlock (&self->lock);
  guint n = 0;
  GstEvent *early;
  while ((early = g_queue_pop_head (&self->early))) {
    if (keep_sticky && outlives_flush (early))
      gst_pad_store_sticky_event (self->srcpad, early);
    gst_event_unref (early);
  }
  while ((item = g_queue_pop_head (&dropped))) {
    n += item->batch != NULL;
    if (keep_sticky && item->event && outlives_flush (item->event))
      gst_pad_store_sticky_event (self->srcpad, item->event);
    gst_vyre_item_free (item);
  }
  vyre_mutex_lock (&self->lock);
  self->stats.flushed += n;
  g_mutex_unlock (&self->lock);
}

/* What a stream ends with when memory for a buffer is not to be had. */
GError *
gst_vyre_no_memory (gsize size)
{
  return g_error_new (VYRE_ERROR, VYRE_ERROR_NO_SPACE,
      "There is no memory for %" G_GSIZE_FORMAT " bytes. Fix: free memory, or raise its limit.",
      size);
}

/* Reports @error, which it takes, on the bus. */
GstFlowReturn
gst_vyre_stream_fail (GstVyreFilter *self, GError *error)
{
  vyre_mutex_lock (&self->lock);
  self->failed = TRUE;
  g_mutex_unlock (&self->lock);
  gst_vyre_filter_post_error (self, error);
  g_error_free (error);
  return GST_FLOW_ERROR;
}

/* Waits for something to change; the lock is held. */
void
gst_vyre_stream_sleep (GstVyreFilter *self)
{
  self->n_sleeping++;
  g_cond_wait (&self->changed, &self->lock);
  self->n_sleeping--;
}

/* The other half. Without anybody to wake it is free, unlike a broadcast. */
void
gst_vyre_stream_wake (GstVyreFilter *self)
{
  if (self->n_sleeping > 0)
    g_cond_broadcast (&self->changed);
}

void
gst_vyre_stream_init (GstVyreFilter *self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->wake_at = G_MAXUINT;
  g_queue_init (&self->items);
  g_queue_init (&self->early);
  gst_vyre_sink_init (self);
  gst_vyre_source_init (self);
  gst_vyre_stream_reset (self);
}

/* Forgets the stream; the pads are inactive. */
void
gst_vyre_stream_reset (GstVyreFilter *self)
{
  gst_vyre_stream_drop (self, FALSE);
  self->failed = FALSE;
  self->given_up = FALSE;
  g_clear_pointer (&self->lost_bytes, vyre_store_unref);
  self->eos = FALSE;
  self->flow = GST_FLOW_OK;
  self->buffer_duration = 0;
  gst_vyre_geometry_clear (&self->geometry);
  self->caps_failed = FALSE;
  gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
  self->position = 0;
  g_clear_pointer (&self->readbacks, gst_vyre_readback_pool_close);
  g_clear_pointer (&self->plan, vyre_plan_unref);
  g_clear_pointer (&self->plan_program, vyre_program_unref);
  gst_caps_replace (&self->out_caps, NULL);
  self->sequence = 0;
}

void
gst_vyre_stream_clear (GstVyreFilter *self)
{
  gst_vyre_stream_reset (self);
  g_clear_pointer (&self->geometry.bindings, vyre_bindings_free);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
}
