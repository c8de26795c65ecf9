/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The queue between the pads, and the states of a stream: docs/states.md has the table. Every
 * transition is a function of this file or of gstvyrework.c and happens under the lock. The chain
 * function, the events and the activations of both pads may call any function at any time; only the
 * task and the chain function take items out of the queue and push them, one item at a time.
 */
#include "filter/gstvyrestream.h"

#include "filter/gstvyrepace.h"

/* TRUE for flows that stop a stream and are neither a flush nor its regular end. */
static gboolean
flow_is_failure (GstFlowReturn flow)
{
  return flow == GST_FLOW_NOT_LINKED || flow < GST_FLOW_EOS;
}

/* The lock is held. TRUE if there is an item, and items may flow. */
gboolean
gst_vyre_stream_has_next (const GstVyreFilter *self)
{
  return gst_vyre_stream_is_open (self) && !g_queue_is_empty ((GQueue *)&self->items);
}

/* The lock is held. TRUE if there is an item for the task. */
gboolean
gst_vyre_stream_has_work (const GstVyreFilter *self)
{
  return gst_vyre_stream_has_next (self) && !self->worker && !self->lent;
}

/* The lock is held. Wakes the task if it has to look at the stream. Without need it is free. */
void
gst_vyre_stream_wake_task (GstVyreFilter *self)
{
  if (self->task_state == GST_VYRE_TASK_RUNS)
    return;
  self->task_state = GST_VYRE_TASK_RUNS;
  g_cond_signal (&self->work);
}

/* The lock is held. Wakes the threads in gst_vyre_stream_sleep(). Without any it is free, unlike a
 * broadcast. */
void
gst_vyre_stream_wake_others (GstVyreFilter *self)
{
  if (self->n_sleeping > 0)
    g_cond_broadcast (&self->changed);
}

/* The lock is held. Has the task look after the queue. */
static void
stream_leave_to_task (GstVyreFilter *self)
{
  self->lent = FALSE;
  if (gst_vyre_stream_has_work (self))
    gst_vyre_stream_wake_task (self);
}

/* The lock is held. Waits for a change. Pairs with gst_vyre_stream_wake(). No thread that waits
 * here empties the queue, so the task does. */
void
gst_vyre_stream_sleep (GstVyreFilter *self)
{
  gst_vyre_stream_sleep_until (self, G_MAXINT64);
}

/* The same, until @end at most, in µs; G_MAXINT64: without an end. */
void
gst_vyre_stream_sleep_until (GstVyreFilter *self, gint64 end)
{
  stream_leave_to_task (self);
  self->n_sleeping++;
  if (end == G_MAXINT64)
    g_cond_wait (&self->changed, &self->lock);
  else
    g_cond_wait_until (&self->changed, &self->lock, end);
  self->n_sleeping--;
}

/* The lock is held. Wakes all threads that wait for a change. */
void
gst_vyre_stream_wake (GstVyreFilter *self)
{
  gst_vyre_stream_wake_others (self);
  gst_vyre_stream_wake_task (self);
}

/* ---- the gate ----------------------------------------------------------------- */

/* The lock is held. TRUE if items may flow: the source pad is active, no flush is under way, and
 * there is a kernel. An inactive sink pad lets nothing in by itself. */
gboolean
gst_vyre_stream_is_open (const GstVyreFilter *self)
{
  return self->source_active && !self->flushing && self->shared;
}

/* The lock is held. Returns the answer to a buffer that comes now. */
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

/* The lock is held. An item leaves without having been handled: pads readback_%u begin anew if a
 * stream begins there. */
void
gst_vyre_stream_note_dropped (GstVyreFilter *self, const GstVyreItem *item)
{
  if (gst_vyre_item_begins_stream (item))
    g_atomic_int_set (&self->drops_stream, TRUE);
}

/* The lock is held. Moves the late batches, and the items that wait behind them, to the front of
 * @dropped. */
static void
queue_detach_late (GstVyreFilter *self, GQueue *dropped)
{
  GstVyreItem *item;

  while ((item = g_queue_pop_tail (&self->late)))
    g_queue_push_head (dropped, item);
  for (const GList *l = dropped->head; l; l = l->next)
    gst_vyre_stream_note_dropped (self, l->data);
  self->n_late = 0;
}

/* The lock is held. Empties the queue into @dropped and makes the item of the worker stale. */
static void
queue_detach (GstVyreFilter *self, GQueue *dropped)
{
  *dropped = self->items;
  g_queue_init (&self->items);
  queue_detach_late (self, dropped);
  self->broken = TRUE;
  self->epoch++;
  self->n_batches = 0;
  self->n_undone = 0;
  self->awaited = 0;
  gst_vyre_stream_wake (self);
}

/* TRUE for sticky events that a pad keeps although they were never pushed: all but the segment,
 * which a flush resets, and EOS. */
static gboolean
outlives_flush (const GstEvent *event)
{
  return GST_EVENT_IS_STICKY (event) && GST_EVENT_TYPE (event) != GST_EVENT_SEGMENT
         && GST_EVENT_TYPE (event) != GST_EVENT_EOS;
}

/* Stores a sticky @event that will not be pushed: downstream gets it before the next push. */
void
gst_vyre_stream_keep_sticky (GstVyreFilter *self, GstEvent *event)
{
  if (outlives_flush (event))
    gst_pad_store_sticky_event (self->srcpad, event);
}

/* Frees the detached items, without the lock. The kernel finishes batches that run. With
 * @keep_sticky downstream still gets the sticky events. */
static void
items_drop (GstVyreFilter *self, GQueue *dropped, gboolean keep_sticky)
{
  GstVyreItem *item;
  guint n = 0;

  while ((item = g_queue_pop_head (dropped))) {
    n += gst_vyre_item_is_batch (item);
    if (keep_sticky && item->event)
      gst_vyre_stream_keep_sticky (self, item->event);
    gst_vyre_item_free (item);
  }
  vyre_mutex_lock (&self->lock);
  self->stats.flushed += n;
  g_mutex_unlock (&self->lock);
}

/* ---- activation, flushes -------------------------------------------------------- */

/* The lock is held. A stream that begins has neither ended nor failed. */
static void
flow_reset (GstVyreFilter *self)
{
  self->failed = FALSE;
  self->given_up = FALSE;
  self->eos = FALSE;
  self->flow = GST_FLOW_OK;
  gst_vyre_pace_reset (&self->pace);
}

/* TRUE if this thread has an item. */
gboolean
gst_vyre_stream_is_worker (GstVyreFilter *self)
{
  vyre_mutex_lock (&self->lock);
  gboolean is_worker = self->worker == g_thread_self ();
  g_mutex_unlock (&self->lock);
  return is_worker;
}

/* Opens or shuts the gate with the source pad. A shut gate lets the chain function and the task
 * return, whose end the caller waits for. */
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

/* TRUE if the source pad was activated since the last call. */
gboolean
gst_vyre_stream_meets_new_source (GstVyreFilter *self)
{
  vyre_mutex_lock (&self->lock);
  gboolean is_new = self->source_is_new;
  self->source_is_new = FALSE;
  g_mutex_unlock (&self->lock);
  return is_new;
}

/* The beginning of the stream did not get into the queue because of a flush: the next call of
 * gst_vyre_stream_meets_new_source() is TRUE again. */
void
gst_vyre_stream_forget_beginning (GstVyreFilter *self)
{
  vyre_mutex_lock (&self->lock);
  self->source_is_new = self->source_active;
  g_mutex_unlock (&self->lock);
}

/* Shuts the gate: all waiting threads go on. */
void
gst_vyre_stream_shut (GstVyreFilter *self)
{
  vyre_mutex_lock (&self->lock);
  self->flushing = TRUE;
  gst_vyre_stream_wake (self);
  g_mutex_unlock (&self->lock);
}

/* FLUSH_START: shuts the gate, unless the sink pad has become inactive, or was activated again,
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

/* Waits until no thread has an item, so that nothing from before the flush is pushed any more. Call
 * it after the flush has reached downstream: the worker may be blocked there. The worker itself
 * does not wait: downstream may flush from its thread. */
void
gst_vyre_stream_await_worker (GstVyreFilter *self)
{
  vyre_mutex_lock (&self->lock);
  guint32 epoch = self->epoch;
  while (self->worker && self->worker != g_thread_self () && self->source_active
         && self->epoch == epoch)
    gst_vyre_stream_sleep (self);
  g_mutex_unlock (&self->lock);
}

/* The source pad is going inactive, and the caller is not the worker. Waits until no thread has an
 * item: the fields of the worker are the caller's then. */
void
gst_vyre_stream_await_hands (GstVyreFilter *self)
{
  vyre_mutex_lock (&self->lock);
  while (self->worker)
    gst_vyre_stream_sleep (self);
  g_mutex_unlock (&self->lock);
}

/* The sink pad's stream lock is held, so that no chain function that should return takes the gate
 * for open. Opens the gate to a stream without a past; with @keep_sticky downstream still gets the
 * sticky events. */
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

/* The lock is held. TRUE if the caller has no items to wait for. The worker, whom downstream may
 * ask in the middle of its push, has none: they leave when it returns. */
static gboolean
stream_is_drained (const GstVyreFilter *self)
{
  return self->worker ? self->worker == g_thread_self ()
                      : g_queue_is_empty ((GQueue *)&self->items);
}

/* Waits until all queued items have left; FALSE when they cannot. */
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

/* The same, and until the results of late batches are there, which hold memory of upstream. */
gboolean
gst_vyre_stream_drain_late (GstVyreFilter *self)
{
  vyre_mutex_lock (&self->lock);
  while (gst_vyre_stream_get_flow (self) == GST_FLOW_OK
         && !(stream_is_drained (self) && (g_queue_is_empty (&self->late) || self->worker)))
    gst_vyre_stream_sleep (self);
  gboolean drained = gst_vyre_stream_get_flow (self) == GST_FLOW_OK;
  g_mutex_unlock (&self->lock);
  return drained;
}

/* TRUE if no batch is under way: not even in the hands of the worker, or behind it. */
gboolean
gst_vyre_stream_is_idle (GstVyreFilter *self)
{
  vyre_mutex_lock (&self->lock);
  gboolean idle
      = g_queue_is_empty (&self->items) && g_queue_is_empty (&self->late) && self->awaited == 0;
  g_mutex_unlock (&self->lock);
  return idle;
}

/* The sink pad's stream lock is held. A new stream or segment takes an end back: EOS, once the task
 * has sent it, or an end that downstream declared. */
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
    gst_vyre_pace_reset (&self->pace);
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

/* The lock is held. An event is the task's at once; whose a batch is, the chain function says when
 * it leaves. */
static void
queue_append (GstVyreFilter *self, GstVyreItem *item)
{
  self->n_batches += item->sequence > 0;
  if (item->event)
    item->arrival = self->stats.arrived;
  if (gst_vyre_item_is_eos (item)) /* waits for late batches */
    item->deadline = G_MAXINT64;
  g_queue_push_tail (&self->items, item);
  if (item->event)
    stream_leave_to_task (self);
}

/* The lock is held. A batch of the chain function is on the kernel in use, behind those that ran
 * again: nothing of the stream needs a lost one. */
static void
stream_settle (GstVyreFilter *self)
{
  if (!self->settling)
    return;
  self->settling = FALSE;
  gst_vyre_stream_wake_others (self);
}

/* Queues an item, which it takes, unless the stream has ended or failed. GST_VYRE_FLOW_AGAIN: the
 * source pad or the kernel of the batch was replaced. Replacing it counted the batches in the
 * queue, and this one was not among them. The caller keeps the batch then. */
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
  if (flow == GST_FLOW_OK && item->batch)
    stream_settle (self);
  g_mutex_unlock (&self->lock);
  if (flow != GST_FLOW_OK && (flow != GST_VYRE_FLOW_AGAIN || item->event))
    gst_vyre_item_free (item);
  return flow;
}

GstFlowReturn
gst_vyre_stream_push_event (GstVyreFilter *self, GstEvent *event)
{
  return gst_vyre_stream_push (self, gst_vyre_item_new_event (event));
}

/* The lock is held. TRUE if the bus has to be told of a failure because no further buffer comes
 * that upstream could get it with. */
static gboolean
stream_is_untold (GstVyreFilter *self)
{
  gboolean untold = self->eos && flow_is_failure (self->flow) && !self->failed;

  self->failed |= untold;
  return untold;
}

/* Queues EOS, which alone passes a stream that downstream has ended or failed. Returns as
 * gst_vyre_stream_push(). */
GstFlowReturn
gst_vyre_stream_push_eos (GstVyreFilter *self, GstEvent *event)
{
  GstVyreItem *item = gst_vyre_item_new_event (event);
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

/* ---- the end that downstream declares ------------------------------------------------ */

/* The lock is held. Moves all items but an EOS from the queue to @useless; the worker keeps @item.
 */
static void
queue_keep_eos (GstVyreFilter *self, const GstVyreItem *item, GQueue *useless)
{
  GstVyreItem *last = g_queue_peek_tail (&self->items);
  gboolean eos = last && gst_vyre_item_is_eos (last);

  *useless = self->items;
  g_queue_init (&self->items);
  self->broken = TRUE;
  if (eos)
    g_queue_push_tail (&self->items, g_queue_pop_tail (useless));
  queue_detach_late (self, useless);
  self->n_undone = 0;
  self->awaited = 0;
  self->n_batches = item->sequence > 0 && !item->is_late;
  self->n_late = item->sequence > 0 && item->is_late;
}

/* The item of the worker ended with @flow, which ends the stream: until a flush, a new stream or an
 * activation only EOS passes. A stale item ends nothing. */
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

/* The lock is held. Returns a reference to the kernel in use, NULL in NULL, for the next batch of
 * the item, which has none, and which counts for the tenant that the element is there. */
GstVyreShared *
gst_vyre_stream_choose_kernel (GstVyreFilter *self, GstVyreItem *item)
{
  g_clear_pointer (&item->tenant, vyre_tenant_unref);
  if (!self->shared)
    return NULL;
  item->lane = vyre_lane_ref (self->lane);
  if (self->tenant)
    item->tenant = vyre_tenant_ref (self->tenant);
  return gst_vyre_shared_ref (self->shared);
}

/* Returns the error of a stream that finds no memory for a buffer. */
GError *
gst_vyre_no_memory (gsize size)
{
  return g_error_new (VYRE_ERROR, VYRE_ERROR_NO_SPACE,
      "There is no memory for %" G_GSIZE_FORMAT " bytes. Fix: free memory, or raise its limit.",
      size);
}

/* Posts @error, which it takes, as an error message. */
GstFlowReturn
gst_vyre_stream_fail (GstVyreFilter *self, GError *error)
{
  vyre_mutex_lock (&self->lock);
  self->failed = TRUE;
  gst_vyre_stream_wake_others (self);
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
  g_queue_init (&self->late);
  gst_vyre_pace_init (&self->pace);
}
