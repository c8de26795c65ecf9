/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyrework.h"

#include "filter/gstvyrecarry.h"
#include "filter/gstvyrepace.h"

/* Time between two looks of the task after a chain function that looks after the queue, in µs:
 * twice as long with each look that finds it at work, up to the greatest. The last buffers of a
 * burst wait up to twice as long. */
#define QUIET 200
#define LONGEST_QUIET 800

/* The lock is held. Makes the calling thread the worker, with the first item. */
static GstVyreItem *
work_take_first (GstVyreFilter *self)
{
  GstVyreItem *item = g_queue_pop_head (&self->items);

  item->epoch = self->epoch;
  self->awaited = item->sequence;
  self->worker = g_thread_self ();
  return item;
}

/* The lock is held. The task looks a moment later whether the chain function was called. If not,
 * that has lost the queue. */
static void
work_watch (GstVyreFilter *self)
{
  gint seen = g_atomic_int_get (&self->n_visits);

  self->task_state = GST_VYRE_TASK_WATCHES;
  if (g_cond_wait_until (
          &self->work, &self->lock, g_get_monotonic_time () + MAX (self->quiet, QUIET)))
    return;
  self->is_busy = g_atomic_int_get (&self->n_visits) != seen;
  self->quiet = self->is_busy ? CLAMP (2 * self->quiet, QUIET, LONGEST_QUIET) : QUIET;
  self->lent = self->lent && self->is_busy;
}

/* The lock is held. The task waits for a change, but only watches a chain function that looks after
 * the queue, or is about to: waking the task whenever the queue was empty would cost that more. */
static void
work_await (GstVyreFilter *self)
{
  if (self->is_busy || (gst_vyre_stream_has_next (self) && self->lent)) {
    work_watch (self);
  } else {
    self->task_state = GST_VYRE_TASK_SLEEPS;
    self->quiet = QUIET;
    g_cond_wait (&self->work, &self->lock);
  }
  self->task_state = GST_VYRE_TASK_RUNS;
}

/* Returns the next item, which the task has from then on; NULL when the source pad is no longer
 * active. The task waits here through flushes, ends and failures. */
GstVyreItem *
gst_vyre_work_take (GstVyreFilter *self)
{
  GstVyreItem *item = NULL;

  vyre_mutex_lock (&self->lock);
  while (self->source_active && !gst_vyre_stream_has_work (self))
    work_await (self);
  if (self->source_active) {
    item = work_take_first (self);
    self->stats.handovers += item->batch != NULL;
    if (item->queued > 0)
      gst_vyre_pace_note_handover (&self->pace, g_get_monotonic_time () - item->queued);
  }
  g_mutex_unlock (&self->lock);
  return item;
}

/* Returns the next batch if more than @most are in the queue and the chain function is to push it,
 * and for how long to wait for it, in µs; NULL: there is none, or the task pushes it. */
GstVyreItem *
gst_vyre_work_take_over (GstVyreFilter *self, guint most, gint64 *patience)
{
  GstVyreItem *item = NULL;

  vyre_mutex_lock (&self->lock);
  const GstVyreItem *next = g_queue_peek_head (&self->items);
  if (gst_vyre_stream_get_flow (self) == GST_FLOW_OK && !self->worker && self->n_batches > most
      && next->batch && self->n_undone == 0 && gst_vyre_pace_is_quick (&self->pace)) {
    self->lent = TRUE;
    item = work_take_first (self);
    *patience = gst_vyre_pace_get_patience (&self->pace, self->n_batches > 1);
  }
  g_mutex_unlock (&self->lock);
  return item;
}

/* The worker gives an item, whose batch has not come, back to the queue, unless it is stale. */
void
gst_vyre_work_put_back (GstVyreFilter *self, GstVyreItem *item)
{
  vyre_mutex_lock (&self->lock);
  gboolean stale = item->epoch != self->epoch;
  self->stats.flushed += stale;
  if (!stale)
    g_queue_push_head (&self->items, item);
  self->awaited = 0;
  self->worker = NULL;
  gst_vyre_stream_wake_others (self);
  if (gst_vyre_stream_has_work (self))
    gst_vyre_stream_wake_task (self);
  g_mutex_unlock (&self->lock);
  if (stale)
    gst_vyre_item_free (item);
}

/* TRUE if a completed batch counts as done: not if its kernel was replaced in the meantime, because
 * it was then counted as one to run again. */
gboolean
gst_vyre_work_accept (GstVyreFilter *self, GstVyreItem *item)
{
  g_auto (GstVyreOlder) former = { { NULL } }; /* goes without the lock */

  vyre_mutex_lock (&self->lock);
  gboolean done = item->shared == self->shared;
  if (done)
    self->awaited = 0;
  if (done && item->carry)
    item->reference = gst_vyre_carry_note (
        item->carry, item->plan, item->batch, item->buffer, item->timing.position, &former);
  g_mutex_unlock (&self->lock);
  return done;
}

/* The chain function begins with a buffer. */
void
gst_vyre_work_enter (GstVyreFilter *self)
{
  g_atomic_int_inc (&self->n_visits);
  gst_vyre_pace_note_buffer (&self->pace, g_get_monotonic_time ());
}

/* TRUE if the queue of a chain function that leaves may wait for the next buffer. */
static gboolean
work_may_wait_for_chain (const GstVyreFilter *self)
{
  const GstVyreItem *next = g_queue_peek_head ((GQueue *)&self->items);

  return next && next->batch && self->n_undone == 0 && gst_vyre_pace_is_quick (&self->pace);
}

/* The chain function returns. If it is quick it takes what is in the queue when it comes back, and
 * the task only watches that it does. */
void
gst_vyre_work_leave (GstVyreFilter *self)
{
  gint64 now = g_get_monotonic_time ();

  gst_vyre_pace_note_return (&self->pace, now);
  vyre_mutex_lock (&self->lock);
  self->lent = work_may_wait_for_chain (self);
  if (gst_vyre_stream_has_next (self) && !self->worker
      && (!self->lent || self->task_state == GST_VYRE_TASK_SLEEPS)) {
    if (self->task_state == GST_VYRE_TASK_SLEEPS && !self->lent)
      ((GstVyreItem *)g_queue_peek_head (&self->items))->queued = now;
    gst_vyre_stream_wake_task (self);
  }
  g_mutex_unlock (&self->lock);
}

/* The worker has no item any more. A waiting chain function is only woken at the number of batches
 * that it waits for. */
void
gst_vyre_work_done (GstVyreFilter *self, const GstVyreItem *item)
{
  vyre_mutex_lock (&self->lock);
  if (item->epoch == self->epoch && item->sequence > 0) {
    self->n_batches--;
    gst_vyre_pace_note_done (&self->pace);
  }
  self->awaited = 0;
  self->worker = NULL;
  if (self->n_batches <= self->wake_at || !gst_vyre_stream_is_open (self))
    gst_vyre_stream_wake_others (self);
  if (gst_vyre_stream_has_work (self))
    gst_vyre_stream_wake_task (self);
  g_mutex_unlock (&self->lock);
}
