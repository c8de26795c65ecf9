/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vyrefilter's source pad: its task waits for batches and pushes readbacks.
 */
#include "filter/gstvyresourcepad.h"

#include "common/gstvyrememory.h"
#include "filter/gstvyrelatency.h"
#include "filter/gstvyremessages.h"
#include "filter/gstvyrerecovery.h"
#include "filter/gstvyrereplay.h"
#include "filter/gstvyrestamp.h"
#include "filter/gstvyrestream.h"
#include "filter/gstvyrewatchdog.h"

#define GST_CAT_DEFAULT gst_vyre_debug

/* A kernel that takes no ticket for so long is stuck. */
#define BATCH_DEADLINE (30 * G_TIME_SPAN_SECOND)

/* When a kernel was last seen to make progress */
typedef struct {
  guint64 tickets;
  gint64 moved;
  VyreClock clock; /* the clock of @moved */
} Progress;

/* Returns how long the kernel has made no progress, in µs that this thread saw pass. */
static gint64
source_measure_idle (Progress *progress, VyreMegakernel *kernel)
{
  gint64 now = vyre_clock_now (&progress->clock);
  VyreMegakernelCounters counters;

  vyre_megakernel_get_counters (kernel, &counters);
  guint64 tickets = counters.tickets + counters.progress;
  if (progress->moved == 0 || tickets != progress->tickets)
    progress->moved = now;
  progress->tickets = tickets;
  return now - progress->moved;
}

/* Waits for the batch. FALSE when flushing, without @error, or when it failed. */
static gboolean
source_wait_for_batch (GstVyreFilter *self, GstVyreItem *item, GError **error)
{
  Progress progress = { 0 };
  gint64 longest = 0;

  for (;;) {
    GError *reason = NULL;
    if (vyre_batch_wait (item->batch, g_get_monotonic_time () + GST_VYRE_WAIT_SLICE, &reason)) {
      gst_vyre_watchdog_completed (self, longest);
      return TRUE;
    }
    if (!g_error_matches (reason, VYRE_ERROR, VYRE_ERROR_TIMEOUT)) {
      g_propagate_error (error, reason);
      return FALSE;
    }
    g_error_free (reason);
    if (gst_vyre_stream_is_flushing (self))
      return FALSE;
    if (vyre_batch_is_parked (item->batch)) /* a slow file is no fault of the kernel */
      progress.moved = 0;
    gint64 idle = source_measure_idle (&progress, item->shared->kernel);
    longest = MAX (longest, idle);
    gst_vyre_watchdog_idle (self, item, idle);
    if (idle > BATCH_DEADLINE) {
      g_set_error (error, VYRE_ERROR, VYRE_ERROR_STUCK,
          "The kernel has made no progress for 30 s. Fix: send smaller buffers, or set "
          "residency=dispatch.");
      return FALSE;
    }
  }
}

/* TRUE if a completed batch counts as done: not if its kernel was replaced in the meantime, because
 * it was then counted as one to run again. */
static gboolean
source_is_done (GstVyreFilter *self, const GstVyreItem *item)
{
  vyre_mutex_lock (&self->lock);
  gboolean done = item->shared == self->shared;
  if (done)
    self->awaited = 0;
  g_mutex_unlock (&self->lock);
  return done;
}

/* Waits until the item has its result, on another kernel if its own is lost. */
static GstFlowReturn
source_finish_batch (GstVyreFilter *self, GstVyreItem *item)
{
  for (;;) {
    GError *error = NULL;
    GstFlowReturn flow = GST_VYRE_FLOW_AGAIN;
    gboolean completed = source_wait_for_batch (self, item, &error);
    if (completed && source_is_done (self, item))
      return GST_FLOW_OK;
    if (!completed)
      flow = error ? gst_vyre_recovery_handle (self, item->shared, error) : GST_FLOW_FLUSHING;
    while (flow == GST_VYRE_FLOW_AGAIN)
      flow = gst_vyre_recovery_rerun (self, item);
    if (flow != GST_FLOW_OK)
      return flow;
  }
}

/* Returns a readback in memory of the system, NULL without memory. */
static GstBuffer *
source_copy_out (GstVyreFilter *self, GstVyreItem *item)
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
source_has_pool (GstVyreFilter *self, GstAllocator *allocator, const VyreLayout *layout)
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
source_can_lend (VyreStore *store, VyreBatch *batch)
{
  return vyre_store_can_spare (
      store, (gsize)(vyre_batch_get_readback (batch) - vyre_store_get_data (store)));
}

/* Returns the buffer that goes downstream. A slice in the first half of the store is lent; a slice
 * in the second half is copied, so that a sink that keeps buffers leaves room for the next
 * readback, however large. NULL without memory for it. */
static GstBuffer *
source_make_buffer (GstVyreFilter *self, GstVyreItem *item)
{
  VyreStore *store = vyre_megakernel_get_readbacks (item->shared->kernel);
  GstAllocator *allocator = item->shared->readback_allocator;
  const VyreLayout *layout = vyre_plan_get_layout (item->plan);

  if (!source_can_lend (store, item->batch))
    return source_copy_out (self, item);
  gsize slice = vyre_batch_steal_readback (item->batch);
  GstBuffer *buffer = source_has_pool (self, allocator, layout)
                          ? gst_vyre_readback_pool_take (self->readbacks, slice)
                          : NULL;
  if (!buffer) {
    buffer = gst_buffer_new ();
    gst_buffer_append_vyre_readback (
        buffer, gst_vyre_allocator_wrap (allocator, slice, layout->total), layout);
  }
  return buffer;
}

static GstFlowReturn
source_push_batch (GstVyreFilter *self, GstVyreItem *item)
{
  GstFlowReturn flow = source_finish_batch (self, item);
  if (flow != GST_FLOW_OK) {
    vyre_mutex_lock (&self->lock);
    self->stats.flushed += flow == GST_FLOW_FLUSHING;
    g_mutex_unlock (&self->lock);
    return flow;
  }
  gst_vyre_latency_note_held (self, item);
  const guint8 *readback = vyre_batch_get_readback (item->batch);
  GError *error = NULL;
  if (!vyre_batch_check (item->batch, &error))
    return gst_vyre_stream_fail (self, error);
  gst_vyre_state_follow_settings (self, &self->task_settings);
  gboolean due = gst_vyre_messages_are_counters_due (self, &self->task_settings);
  gst_vyre_watchdog_batch (self, item, readback, due);
  gst_vyre_replay_record (self, item, readback);
  gst_vyre_messages_batch (self, &self->task_settings, item->plan, readback,
      vyre_batch_get_completion (item->batch), &item->timing, due);
  GstBuffer *buffer = source_make_buffer (self, item);
  if (!buffer)
    return gst_vyre_stream_fail (
        self, gst_vyre_no_memory (vyre_plan_get_layout (item->plan)->total));
  gst_vyre_stamp (buffer, item);
  gst_clear_buffer (&item->buffer); /* the pool of upstream may be small, and downstream slow */
  return gst_pad_push (self->srcpad, buffer);
}

static GstFlowReturn
source_push_item_event (GstVyreFilter *self, GstVyreItem *item)
{
  GstEvent *event = g_steal_pointer (&item->event);
  gboolean eos = GST_EVENT_TYPE (event) == GST_EVENT_EOS;

  if (eos)
    gst_vyre_messages_eos (self);
  gst_pad_push_event (self->srcpad, event);
  return eos ? GST_FLOW_EOS : GST_FLOW_OK;
}

/* Results of a stream before a flush are no longer posted. */
static void
source_follow_epoch (GstVyreFilter *self, const GstVyreItem *item)
{
  if (item->epoch != self->task_epoch)
    gst_vyre_messages_flush (self);
  self->task_epoch = item->epoch;
}

static void
source_loop (gpointer data)
{
  GstVyreFilter *self = GST_VYRE_FILTER_CAST (GST_PAD_PARENT (GST_PAD (data)));

  gst_vyre_latency_note_ready (self);
  GstVyreItem *item = gst_vyre_stream_take (self);

  if (!item) {
    gst_pad_pause_task (self->srcpad); /* until it is stopped */
    return;
  }
  source_follow_epoch (self, item);
  GstFlowReturn flow
      = item->event ? source_push_item_event (self, item) : source_push_batch (self, item);
  if (flow != GST_FLOW_OK)
    gst_vyre_stream_end (self, item, flow);
  gst_vyre_item_forget_batch (item);
  gst_vyre_stream_done (self, item);
  gst_vyre_item_free (item);
}

/* Forgets the stream. There is no task. */
static void
source_reset (GstVyreFilter *self)
{
  g_clear_pointer (&self->readbacks, gst_vyre_readback_pool_close);
  gst_vyre_messages_reset (self);
  gst_vyre_watchdog_reset (self);
  gst_vyre_replay_stop (self);
}

/* TRUE if the pad was not deactivated since this activation began. */
static gboolean
source_is_still_wanted (GstVyreFilter *self)
{
  GST_OBJECT_LOCK (self->srcpad);
  gboolean wanted = GST_PAD_MODE (self->srcpad) == GST_PAD_MODE_PUSH;
  GST_OBJECT_UNLOCK (self->srcpad);
  return wanted;
}

static gboolean
source_start_task (GstVyreFilter *self)
{
  if (!source_is_still_wanted (self) || !gst_vyre_replay_start (self))
    return FALSE;
  gst_vyre_stream_activate_source (self, TRUE);
  return gst_pad_start_task (self->srcpad, source_loop, self->srcpad, NULL);
}

static gboolean
source_stop_task (GstVyreFilter *self)
{
  gst_vyre_stream_activate_source (self, FALSE);
  if (!gst_pad_stop_task (self->srcpad))
    return FALSE;
  source_reset (self);
  return TRUE;
}

/* The task runs as long as the pad is active, and waits through every state of a stream. GStreamer
 * lets one activation in at a time, but lets the next one in while gst_pad_stop_task() waits for
 * the task: hence the lock. The task itself can neither start nor stop a task, because that waits
 * for the task. */
static gboolean
source_activate (GstPad *pad, GstObject *parent, GstPadMode mode, gboolean active)
{
  GstVyreFilter *self = GST_VYRE_FILTER_CAST (parent);

  if (mode != GST_PAD_MODE_PUSH || gst_vyre_stream_is_task (self))
    return FALSE;
  g_mutex_lock (&self->activation);
  gboolean done = active ? source_start_task (self) : source_stop_task (self);
  g_mutex_unlock (&self->activation);
  return done;
}

/* Downstream was linked again: the next buffer may arrive. */
static gboolean
source_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_RECONFIGURE)
    gst_vyre_stream_relinked (GST_VYRE_FILTER_CAST (parent));
  return gst_pad_event_default (pad, parent, event);
}

static gboolean
source_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  if (GST_QUERY_TYPE (query) == GST_QUERY_LATENCY)
    return gst_vyre_latency_query (GST_VYRE_FILTER_CAST (parent), query);
  return gst_pad_query_default (pad, parent, query);
}

void
gst_vyre_source_pad_init (GstVyreFilter *self)
{
  gst_pad_set_query_function (self->srcpad, source_query);
  gst_pad_set_event_function (self->srcpad, source_event);
  gst_pad_set_activatemode_function (self->srcpad, source_activate);
}

/* The pad is inactive. */
void
gst_vyre_source_pad_clear (GstVyreFilter *self)
{
  gst_vyre_stream_activate_source (self, FALSE);
  source_reset (self);
}
