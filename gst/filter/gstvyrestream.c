/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The queue between the pads, and the states of a stream: docs/states.md has the table.
 * Every transition is a function of this file and happens under the lock. The chain
 * function, the events and the activations of both pads may call any of them at any
 * time; only the task takes items out, and nobody but the task pushes them.
 */
#include "filter/gstvyrestream.h"

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
  g_clear_pointer (&item->tenant, vyre_tenant_unref);
  g_clear_pointer (&item->event, gst_event_unref);
  g_clear_pointer (&item->plan, vyre_plan_unref);
  gst_clear_buffer (&item->buffer);
  g_free (item);
}

static gboolean
item_is_eos (const GstVyreItem *item)
{
  return item->event && GST_EVENT_TYPE (item->event) == GST_EVENT_EOS;
}

/* Flows that stop a stream and are neither a flush nor its regular end. */
static gboolean
flow_is_failure (GstFlowReturn flow)
{
  return flow == GST_FLOW_NOT_LINKED || flow < GST_FLOW_EOS;
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

/* ---- the gate ----------------------------------------------------------------- */

/* Whether items may flow: the source pad is active, no flush is under way, and there is a
 * kernel. An inactive sink pad lets nothing in by itself. The lock is held. */
gboolean
gst_vyre_stream_is_open (const GstVyreFilter *self)
{
  return self->source_active && !self->flushing && self->shared;
}

/* The answer to a buffer that came now. The lock is held. */
GstFlowReturn
gst_vyre_stream_get_flow (const GstVyreFilter *self)
{
  return gst_vyre_stream_is_open (self) ? self->flow : GST_FLOW_FLUSHING;
}

gboolean
gst_vyre_stream_is_flushing (GstVyreFilter *self)
{
  vyre_mutex_lock (&self->lock);
  gboolean open = gst_vyre_stream_is_open (self);
  g_mutex_unlock (&self->lock);
  return !open;
}

/* ---- dropping ------------------------------------------------------------------- */

/* Empties the queue into @dropped and makes the item in the task's hands stale. The lock
 * is held. */
static void
queue_detach (GstVyreFilter *self, GQueue *dropped)
{
  *dropped = self->items;
  g_queue_init (&self->items);
  self->epoch++;
  self->n_batches = 0;
  self->n_undone = 0;
  self->awaited = 0;
  gst_vyre_stream_wake (self);
}

/* Sticky events that a pad keeps although they were never pushed: all but the segment, which
 * a flush resets, and the end. */
static gboolean
outlives_flush (const GstEvent *event)
{
  return GST_EVENT_IS_STICKY (event) && GST_EVENT_TYPE (event) != GST_EVENT_SEGMENT
         && GST_EVENT_TYPE (event) != GST_EVENT_EOS;
}

/* Has downstream get @event, which will not be pushed, with what is. */
void
gst_vyre_stream_keep_sticky (GstVyreFilter *self, GstEvent *event)
{
  if (outlives_flush (event))
    gst_pad_store_sticky_event (self->srcpad, event);
}

/* Frees what was detached, without the lock. The kernel finishes batches that run, unseen.
 * With @keep_sticky downstream still gets the sticky events. */
static void
items_drop (GstVyreFilter *self, GQueue *dropped, gboolean keep_sticky)
{
  GstVyreItem *item;
  guint n = 0;

  while ((item = g_queue_pop_head (dropped))) {
    n += item->batch != NULL;
    if (keep_sticky && item->event)
      gst_vyre_stream_keep_sticky (self, item->event);
    gst_vyre_item_free (item);
  }
  vyre_mutex_lock (&self->lock);
  self->stats.flushed += n;
  g_mutex_unlock (&self->lock);
}

/* ---- activation, flushes -------------------------------------------------------- */

/* A stream that begins has neither ended nor failed. The lock is held. */
static void
flow_reset (GstVyreFilter *self)
{
  self->failed = FALSE;
  self->given_up = FALSE;
  self->eos = FALSE;
  self->flow = GST_FLOW_OK;
}

/* Whether this thread is the source pad's task, with an item in its hands. */
gboolean
gst_vyre_stream_is_task (GstVyreFilter *self)
{
  vyre_mutex_lock (&self->lock);
  gboolean is_task = self->worker == g_thread_self ();
  g_mutex_unlock (&self->lock);
  return is_task;
}

/* Opens or shuts the gate with the source pad. Shut, it lets the chain function and the task
 * go, whose end the caller waits for. */
void
gst_vyre_stream_activate_source (GstVyreFilter *self, gboolean active)
{
  GQueue dropped;

  vyre_mutex_lock (&self->lock);
  self->source_active = active;
  self->source_is_new = active;
  flow_reset (self);
  queue_detach (self, &dropped);
  g_mutex_unlock (&self->lock);
  items_drop (self, &dropped, FALSE);
}

/* Whether the source pad was activated since the last time that this was asked. */
gboolean
gst_vyre_stream_meets_new_source (GstVyreFilter *self)
{
  vyre_mutex_lock (&self->lock);
  gboolean is_new = self->source_is_new;
  self->source_is_new = FALSE;
  g_mutex_unlock (&self->lock);
  return is_new;
}

/* The beginning did not get into the queue: a flush came in between. */
void
gst_vyre_stream_forget_beginning (GstVyreFilter *self)
{
  vyre_mutex_lock (&self->lock);
  self->source_is_new = self->source_active;
  g_mutex_unlock (&self->lock);
}

/* Shuts the gate: all that wait go. */
void
gst_vyre_stream_shut (GstVyreFilter *self)
{
  vyre_mutex_lock (&self->lock);
  self->flushing = TRUE;
  gst_vyre_stream_wake (self);
  g_mutex_unlock (&self->lock);
}

/* FLUSH_START: shuts the gate, unless the sink pad came to be inactive or was activated again
 * since it let the event in: the FLUSH_STOP may then never come. */
void
gst_vyre_stream_start_flush (GstVyreFilter *self)
{
  vyre_mutex_lock (&self->lock);
  GST_OBJECT_LOCK (self->sinkpad);
  if (GST_PAD_IS_ACTIVE (self->sinkpad) && GST_PAD_IS_FLUSHING (self->sinkpad))
    self->flushing = TRUE;
  GST_OBJECT_UNLOCK (self->sinkpad);
  gst_vyre_stream_wake (self);
  g_mutex_unlock (&self->lock);
}

/* Waits until the task has nothing in its hands, so that nothing of before is pushed any
 * more. A flush has to reach downstream first, or the task may be blocked there. Does not
 * wait for itself: downstream may flush from the task's own thread. */
void
gst_vyre_stream_await_task (GstVyreFilter *self)
{
  vyre_mutex_lock (&self->lock);
  guint32 epoch = self->epoch;
  while (self->worker && self->worker != g_thread_self () && self->source_active
         && self->epoch == epoch)
    gst_vyre_stream_sleep (self);
  g_mutex_unlock (&self->lock);
}

/* Opens the gate to a stream that has nothing of before, except, with @keep_sticky, what
 * downstream has to know. Called with the sink pad's stream lock, so that no chain function
 * can take the gate for open that was to leave. */
void
gst_vyre_stream_reopen (GstVyreFilter *self, gboolean keep_sticky)
{
  GQueue dropped;

  vyre_mutex_lock (&self->lock);
  queue_detach (self, &dropped);
  g_mutex_unlock (&self->lock);
  items_drop (self, &dropped, keep_sticky);
  vyre_mutex_lock (&self->lock);
  self->flushing = FALSE;
  flow_reset (self);
  gst_vyre_stream_wake (self);
  g_mutex_unlock (&self->lock);
}

/* ---- the end of a stream ---------------------------------------------------------- */

static gboolean
stream_is_drained (const GstVyreFilter *self)
{
  return g_queue_is_empty ((GQueue *)&self->items)
         && (!self->worker || self->worker == g_thread_self ());
}

/* Waits until everything that was queued has left; FALSE when it cannot. */
gboolean
gst_vyre_stream_drain (GstVyreFilter *self)
{
  vyre_mutex_lock (&self->lock);
  while (gst_vyre_stream_get_flow (self) == GST_FLOW_OK && !stream_is_drained (self))
    gst_vyre_stream_sleep (self);
  gboolean drained = gst_vyre_stream_get_flow (self) == GST_FLOW_OK;
  g_mutex_unlock (&self->lock);
  return drained;
}

/* A new stream or segment takes an end back, ours, once the task has sent it, or one that
 * downstream declared. Called with the sink pad's stream lock. */
void
gst_vyre_stream_restart (GstVyreFilter *self)
{
  GQueue dropped = G_QUEUE_INIT;

  vyre_mutex_lock (&self->lock);
  while (self->eos && gst_vyre_stream_is_open (self) && !stream_is_drained (self))
    gst_vyre_stream_sleep (self);
  self->eos = FALSE;
  if (gst_vyre_stream_get_flow (self) == GST_FLOW_EOS) {
    queue_detach (self, &dropped);
    self->flow = GST_FLOW_OK;
  }
  g_mutex_unlock (&self->lock);
  items_drop (self, &dropped, TRUE);
}

/* RECONFIGURE: downstream was linked again, so the next buffer may arrive. */
void
gst_vyre_stream_relinked (GstVyreFilter *self)
{
  vyre_mutex_lock (&self->lock);
  if (self->flow == GST_FLOW_NOT_LINKED)
    flow_reset (self);
  g_mutex_unlock (&self->lock);
}

/* ---- the queue: the sink's end ------------------------------------------------------ */

static void
stream_count_taken (GstVyreFilter *self, const GstVyreItem *item, gboolean dropped)
{
  self->stats.buffers++;
  self->stats.payload_bytes += item->timing.size;
  self->stats.flushed += dropped;
}

/* The lock is held. */
static void
queue_append (GstVyreFilter *self, GstVyreItem *item)
{
  self->n_batches += item->batch != NULL;
  g_queue_push_tail (&self->items, item);
  g_atomic_int_inc (&self->n_pushed);
  gst_vyre_stream_wake (self);
}

/* Queues an item, which it takes, unless the stream has ended or failed. GST_VYRE_FLOW_AGAIN
 * says that the source pad is a new one, or the batch's kernel: those in the queue were counted
 * when it was replaced, and nobody would know of one more. A batch stays the caller's then. */
GstFlowReturn
gst_vyre_stream_push (GstVyreFilter *self, GstVyreItem *item)
{
  vyre_mutex_lock (&self->lock);
  GstFlowReturn flow = gst_vyre_stream_get_flow (self);
  if (flow == GST_FLOW_OK && (self->source_is_new || (item->batch && item->shared != self->shared)))
    flow = GST_VYRE_FLOW_AGAIN;
  if (item->batch && flow != GST_VYRE_FLOW_AGAIN)
    stream_count_taken (self, item, flow != GST_FLOW_OK);
  if (flow == GST_FLOW_OK)
    queue_append (self, item);
  g_mutex_unlock (&self->lock);
  if (flow != GST_FLOW_OK && (flow != GST_VYRE_FLOW_AGAIN || item->event))
    gst_vyre_item_free (item);
  return flow;
}

static GstVyreItem *
item_new_event (GstEvent *event)
{
  GstVyreItem *item = g_new0 (GstVyreItem, 1);

  item->event = event;
  return item;
}

GstFlowReturn
gst_vyre_stream_push_event (GstVyreFilter *self, GstEvent *event)
{
  return gst_vyre_stream_push (self, item_new_event (event));
}

/* Whether a failure has to be told by us, because no buffer comes to tell upstream by. The
 * lock is held. */
static gboolean
stream_is_untold (GstVyreFilter *self)
{
  gboolean untold = self->eos && flow_is_failure (self->flow) && !self->failed;

  self->failed |= untold;
  return untold;
}

/* Queues EOS, which alone passes a stream that downstream has ended or failed. Otherwise as
 * above. */
GstFlowReturn
gst_vyre_stream_push_eos (GstVyreFilter *self, GstEvent *event)
{
  GstVyreItem *item = item_new_event (event);
  GstFlowReturn flow = GST_FLOW_OK, failure = GST_FLOW_OK;

  vyre_mutex_lock (&self->lock);
  if (!gst_vyre_stream_is_open (self)) {
    flow = GST_FLOW_FLUSHING;
  } else if (self->source_is_new) {
    flow = GST_VYRE_FLOW_AGAIN;
  } else {
    self->eos = TRUE;
    failure = stream_is_untold (self) ? self->flow : GST_FLOW_OK;
    queue_append (self, item);
  }
  g_mutex_unlock (&self->lock);
  if (failure != GST_FLOW_OK)
    GST_ELEMENT_FLOW_ERROR (self, failure);
  if (flow != GST_FLOW_OK)
    gst_vyre_item_free (item);
  return flow;
}

/* ---- the queue: the task's end ---------------------------------------------------- */

static gboolean
stream_has_next (const GstVyreFilter *self)
{
  return gst_vyre_stream_is_open (self) && !g_queue_is_empty ((GQueue *)&self->items);
}

/* How long the task stays awake for the next buffer, in µs. */
#define AWAKE 60

/* Stays awake for a moment, the lock dropped: putting a thread to sleep and waking it
 * costs the other one more than a batch does. Not where the kernel wants the core. */
static void
queue_watch (GstVyreFilter *self)
{
  gint seen = g_atomic_int_get (&self->n_pushed);

  if (!self->shared || vyre_device_is_cpu (vyre_megakernel_get_device (self->shared->kernel)))
    return;
  g_mutex_unlock (&self->lock);
  gint64 end = g_get_monotonic_time () + AWAKE;
  while (g_atomic_int_get (&self->n_pushed) == seen && g_get_monotonic_time () < end)
    ;
  vyre_mutex_lock (&self->lock);
}

/* Puts the next item into the task's hands, NULL when the source pad is no longer active.
 * Through flushes, ends and failures the task waits here. */
GstVyreItem *
gst_vyre_stream_take (GstVyreFilter *self)
{
  GstVyreItem *item = NULL;

  vyre_mutex_lock (&self->lock);
  if (gst_vyre_stream_get_flow (self) == GST_FLOW_OK && g_queue_is_empty (&self->items))
    queue_watch (self);
  while (self->source_active && !stream_has_next (self))
    gst_vyre_stream_sleep (self);
  if (self->source_active) {
    item = g_queue_pop_head (&self->items);
    item->epoch = self->epoch;
    self->awaited = item->sequence;
    self->worker = g_thread_self ();
  }
  g_mutex_unlock (&self->lock);
  return item;
}

/* Moves all but an EOS from the queue to @useless; @item stays in the task's hands. The lock
 * is held. */
static void
queue_keep_eos (GstVyreFilter *self, const GstVyreItem *item, GQueue *useless)
{
  GstVyreItem *last = g_queue_peek_tail (&self->items);
  gboolean eos = last && item_is_eos (last);

  *useless = self->items;
  g_queue_init (&self->items);
  if (eos)
    g_queue_push_tail (&self->items, g_queue_pop_tail (useless));
  self->n_undone = 0;
  self->n_batches = item->sequence > 0;
}

/* The item in the task's hands came to @flow, which ends the stream: until a flush, a new
 * stream or an activation nothing but EOS passes. A stale item ends nothing. */
void
gst_vyre_stream_end (GstVyreFilter *self, const GstVyreItem *item, GstFlowReturn flow)
{
  GQueue useless = G_QUEUE_INIT;
  GstFlowReturn failure = GST_FLOW_OK;

  vyre_mutex_lock (&self->lock);
  if (item->epoch == self->epoch && gst_vyre_stream_get_flow (self) == GST_FLOW_OK) {
    self->flow = flow;
    queue_keep_eos (self, item, &useless);
    failure = stream_is_untold (self) ? flow : GST_FLOW_OK;
    gst_vyre_stream_wake (self);
  }
  g_mutex_unlock (&self->lock);
  GST_DEBUG_OBJECT (self, "%s", gst_flow_get_name (flow));
  items_drop (self, &useless, TRUE);
  if (failure != GST_FLOW_OK)
    GST_ELEMENT_FLOW_ERROR (self, failure);
}

/* The task's hands are empty. A chain function that waits is only woken at the number of
 * batches that it waits for. */
void
gst_vyre_stream_done (GstVyreFilter *self, const GstVyreItem *item)
{
  vyre_mutex_lock (&self->lock);
  if (item->epoch == self->epoch && item->sequence > 0)
    self->n_batches--;
  self->awaited = 0;
  self->worker = NULL;
  if (self->n_batches <= self->wake_at || !gst_vyre_stream_is_open (self))
    gst_vyre_stream_wake (self);
  g_mutex_unlock (&self->lock);
}

/* A reference to the kernel in use, for the item's next batch, which counts as the tenant's that
 * the element is there; NULL in NULL. The lock is held. */
GstVyreShared *
gst_vyre_stream_choose_kernel (GstVyreFilter *self, GstVyreItem *item)
{
  g_clear_pointer (&item->tenant, vyre_tenant_unref);
  if (self->tenant)
    item->tenant = vyre_tenant_ref (self->tenant);
  return self->shared ? gst_vyre_shared_ref (self->shared) : NULL;
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
  gst_vyre_state_post_error (self, error);
  g_error_free (error);
  return GST_FLOW_ERROR;
}

void
gst_vyre_stream_init (GstVyreFilter *self)
{
  self->wake_at = G_MAXUINT;
  g_queue_init (&self->items);
}
