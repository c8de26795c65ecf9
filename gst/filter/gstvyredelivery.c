/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyredelivery.h"

#include "common/gstvyrememory.h"
#include "filter/gstvyreevents.h"
#include "filter/gstvyrelatency.h"
#include "filter/gstvyrelines.h"
#include "filter/gstvyremessages.h"
#include "filter/gstvyrepassthrough.h"
#include "filter/gstvyrereplay.h"
#include "filter/gstvyrestamp.h"
#include "filter/gstvyretaps.h"
#include "filter/gstvyrewatchdog.h"
#include "filter/gstvyrework.h"

#define GST_CAT_DEFAULT gst_vyre_debug

/* Returns a readback in memory of the system, NULL without memory. */
static GstBuffer *
delivery_copy_out (GstVyreFilter *self, GstVyreItem *item)
{
  const VyreLayout *layout = vyre_plan_get_layout (item->plan);
  GstMemory *whole = gst_allocator_alloc (NULL, layout->total, NULL);
  GstMapInfo map;

  if (!whole)
    return NULL;
  GstBuffer *buffer = gst_buffer_new ();
  gst_memory_map (whole, &map, GST_MAP_WRITE);
  memcpy (map.data, vyre_batch_get_readback (item->batch), layout->total);
  gst_memory_unmap (whole, &map);
  vyre_mutex_lock (&self->lock);
  self->stats.readback_copies++;
  g_mutex_unlock (&self->lock);
  GST_CAT_LOG_OBJECT (gst_vyre_performance_debug, self, "copied a readback out");
  gst_buffer_append_vyre_readback (buffer, whole, layout);
  return buffer;
}

/* TRUE if there is a pool for a readback of this layout. Only a layout that came twice in a row
 * gets a pool: in a stream of slots every buffer may have another. */
static gboolean
delivery_has_pool (GstVyreFilter *self, GstAllocator *allocator, const VyreLayout *layout)
{
  gboolean again = memcmp (&self->last_layout, layout, sizeof *layout) == 0;

  self->last_layout = *layout;
  if (self->readbacks && gst_vyre_readback_pool_is_for (self->readbacks, allocator, layout))
    return TRUE;
  if (!again)
    return FALSE;
  g_clear_pointer (&self->readbacks, gst_vyre_readback_pool_close);
  self->readbacks = gst_vyre_readback_pool_new (allocator, layout);
  return TRUE;
}

/* TRUE if downstream may keep the slice of the readback. */
static gboolean
delivery_can_lend (VyreStore *store, VyreBatch *batch)
{
  return vyre_store_can_spare (
      store, (gsize)(vyre_batch_get_readback (batch) - vyre_store_get_data (store)));
}

/* Returns the buffer that goes downstream. A slice in the first half of the store is lent; a slice
 * in the second half is copied, so that a sink that keeps buffers leaves room for the next
 * readback, however large. NULL without memory for it. */
static GstBuffer *
delivery_make_buffer (GstVyreFilter *self, GstVyreItem *item)
{
  VyreStore *store = vyre_megakernel_get_readbacks (item->shared->kernel);
  GstAllocator *allocator = item->shared->readback_allocator;
  const VyreLayout *layout = vyre_plan_get_layout (item->plan);

  if (!delivery_can_lend (store, item->batch))
    return delivery_copy_out (self, item);
  gsize slice = vyre_batch_steal_readback (item->batch);
  GstBuffer *buffer = delivery_has_pool (self, allocator, layout)
                          ? gst_vyre_readback_pool_take (self->readbacks, slice)
                          : NULL;
  if (!buffer) {
    buffer = gst_buffer_new ();
    gst_buffer_append_vyre_readback (
        buffer, gst_vyre_allocator_wrap (allocator, slice, layout->total), layout);
  }
  return buffer;
}

static void
delivery_follow_settings (GstVyreFilter *self)
{
  gst_vyre_state_follow_settings (self, &self->out_settings);
  gst_vyre_lines_follow (self);
}

/* Pushes @buffer, which it takes, out of the source pad. */
static GstFlowReturn
delivery_send (GstVyreFilter *self, GstVyreItem *item, GstBuffer *buffer)
{
  gst_vyre_spans_note (&item->spans, GST_VYRE_STAGE_PUSH);
  GstFlowReturn flow = gst_pad_push (self->srcpad, buffer);
  gst_vyre_spans_note (&item->spans, GST_VYRE_STAGE_RETURN);
  gst_vyre_spans_end (&item->spans, GST_ELEMENT_CAST (self), item->sequence);
  return flow;
}

/* Posts what is due of a completed batch. */
static GstFlowReturn
delivery_report (GstVyreFilter *self, GstVyreItem *item)
{
  const guint8 *readback = vyre_batch_get_readback (item->batch);
  GError *error = NULL;
  if (!vyre_batch_check (item->batch, &error))
    return gst_vyre_stream_fail (self, error);
  delivery_follow_settings (self);
  gboolean due = gst_vyre_messages_are_counters_due (self, &self->out_settings);
  gst_vyre_watchdog_batch (self, item, readback, due);
  gst_vyre_replay_record (self, item, readback);
  gst_vyre_events_batch (self, item, readback);
  gst_vyre_messages_batch (self, &self->out_settings, item->plan, readback,
      vyre_batch_get_completion (item->batch), &item->timing, due);
  return GST_FLOW_OK;
}

/* Returns the readback of the item, which is that of the last batch, with its place in the stream;
 * NULL: there was no memory for it, and the bus has been told. */
static GstBuffer *
delivery_make_readback (GstVyreFilter *self, GstVyreItem *item)
{
  GstBuffer *buffer = delivery_make_buffer (self, item);

  if (!buffer) {
    gst_vyre_stream_fail (self, gst_vyre_no_memory (vyre_plan_get_layout (item->plan)->total));
    return NULL;
  }
  gst_vyre_stamp (buffer, item);
  gst_buffer_set_vyre_event_states (buffer, self->last.states);
  return buffer;
}

/* Pushes the buffer of a completed batch, and its readback, if anybody wants it. */
static GstFlowReturn
delivery_push_both (GstVyreFilter *self, GstVyreItem *item, GstBuffer *readback)
{
  GstFlowReturn flow = delivery_send (self, item, gst_vyre_passthrough_take (self, item));

  if (!readback)
    return flow;
  GstFlowReturn taps = gst_vyre_taps_push (self, item, readback);
  return gst_vyre_taps_combine (flow, taps);
}

/* Pushes the readback of a completed batch. */
static GstFlowReturn
delivery_push_readback (GstVyreFilter *self, GstVyreItem *item, GstBuffer *readback)
{
  GstBuffer *beside = gst_vyre_taps_are_linked (self) ? gst_buffer_ref (readback) : NULL;

  gst_clear_buffer (&item->buffer); /* the pool of upstream may be small, and downstream slow */
  GstFlowReturn flow = delivery_send (self, item, readback);
  return beside ? gst_vyre_taps_combine (flow, gst_vyre_taps_push (self, item, beside)) : flow;
}

/* Posts what is due, and pushes the readback of a completed batch, or its buffer. */
GstFlowReturn
gst_vyre_delivery_push (GstVyreFilter *self, GstVyreItem *item)
{
  gboolean passes = gst_vyre_passthrough_is_on (self);
  gboolean wanted = !passes || gst_vyre_taps_are_linked (self);

  gst_vyre_spans_note (&item->spans, GST_VYRE_STAGE_COMPLETE);
  gst_vyre_latency_note_held (self, item);
  GstFlowReturn flow = delivery_report (self, item);
  GstBuffer *readback = flow == GST_FLOW_OK && wanted ? delivery_make_readback (self, item) : NULL;
  if (flow != GST_FLOW_OK || (wanted && !readback))
    return GST_FLOW_ERROR;
  return passes ? delivery_push_both (self, item, readback)
                : delivery_push_readback (self, item, readback);
}

/* Posts what is due of a late batch, whose buffer has gone on, and pushes its readback, if anybody
 * wants it. */
GstFlowReturn
gst_vyre_delivery_push_beside (GstVyreFilter *self, GstVyreItem *item)
{
  GstFlowReturn flow = delivery_report (self, item);

  if (flow != GST_FLOW_OK || !gst_vyre_taps_are_linked (self))
    return flow;
  GstBuffer *readback = delivery_make_readback (self, item);
  return readback ? gst_vyre_taps_combine (GST_FLOW_OK, gst_vyre_taps_push (self, item, readback))
                  : GST_FLOW_ERROR;
}

/* Pushes the buffer of an item whose result is not there. */
GstFlowReturn
gst_vyre_delivery_push_missing (GstVyreFilter *self, GstVyreItem *item)
{
  gboolean is_batch = gst_vyre_item_is_batch (item);

  gst_vyre_latency_note_held (self, item);
  item->timing.late = TRUE;
  vyre_mutex_lock (&self->lock);
  self->stats.late_results += is_batch;
  self->stats.unseen += !is_batch;
  g_mutex_unlock (&self->lock);
  GstFlowReturn flow = delivery_send (self, item, gst_vyre_passthrough_take_missing (item));
  return flow != GST_FLOW_OK && gst_vyre_taps_are_linked (self)
             ? gst_vyre_taps_combine (flow, GST_FLOW_OK)
             : flow;
}

/* All results of a stream have been reported, behind which another one begins at @item. */
void
gst_vyre_delivery_end_stream (GstVyreFilter *self, const GstVyreItem *item)
{
  delivery_follow_settings (self);
  gst_vyre_events_end (self, item);
  gst_vyre_taps_begin_stream (self);
}

/* Pushes the event of the item. */
GstFlowReturn
gst_vyre_delivery_push_event (GstVyreFilter *self, GstVyreItem *item)
{
  GstEvent *event = g_steal_pointer (&item->event);
  gboolean eos = GST_EVENT_TYPE (event) == GST_EVENT_EOS;

  if (eos) {
    delivery_follow_settings (self);
    gst_vyre_events_end (self, item);
    gst_vyre_lines_end (self);
    gst_vyre_messages_eos (self);
    gst_vyre_taps_end (self, event);
  }
  gst_pad_push_event (self->srcpad, event);
  return eos ? GST_FLOW_EOS : GST_FLOW_OK;
}

/* The worker has taken @item. Results and events of a stream before a flush are no longer posted.
 */
void
gst_vyre_delivery_follow_epoch (GstVyreFilter *self, const GstVyreItem *item)
{
  if (item->epoch != self->out_epoch) {
    gst_vyre_messages_flush (self);
    gst_vyre_events_forget (self);
  }
  if (g_atomic_int_compare_and_exchange (&self->drops_stream, TRUE, FALSE))
    gst_vyre_taps_begin_stream (self);
  self->out_epoch = item->epoch;
}

/* The worker has done with @item, which ended with @flow, and gives it up. */
void
gst_vyre_delivery_close (GstVyreFilter *self, GstVyreItem *item, GstFlowReturn flow)
{
  if (flow != GST_FLOW_OK)
    gst_vyre_stream_end (self, item, flow);
  gst_vyre_item_forget_batch (item);
  gst_clear_buffer (&item->buffer); /* before a drain finds that it is done */
  gst_vyre_latency_note_ready (self);
  gst_vyre_work_done (self, item);
  gst_vyre_item_free (item);
}

/* Counts a batch that comes to nothing. */
void
gst_vyre_delivery_count_flushed (GstVyreFilter *self)
{
  vyre_mutex_lock (&self->lock);
  self->stats.flushed++;
  g_mutex_unlock (&self->lock);
}

/* The worker. The buffer of @item goes on without its result, which is reported when it comes. */
GstFlowReturn
gst_vyre_delivery_push_late (GstVyreFilter *self, GstVyreItem *item)
{
  GstFlowReturn flow = gst_vyre_delivery_push_missing (self, item);

  if (flow == GST_FLOW_OK) {
    gst_vyre_latency_note_ready (self);
    gst_vyre_work_keep (self, item);
    return flow;
  }
  gst_vyre_delivery_count_flushed (self);
  gst_vyre_delivery_close (self, item, flow);
  return flow;
}

/* The source pad is inactive, and there is no worker. Forgets the stream. */
void
gst_vyre_delivery_reset (GstVyreFilter *self)
{
  g_clear_pointer (&self->readbacks, gst_vyre_readback_pool_close);
  gst_vyre_events_forget (self);
  gst_vyre_messages_reset (self);
  gst_vyre_watchdog_reset (self);
  gst_vyre_replay_stop (self);
  gst_vyre_lines_stop (self);
}
