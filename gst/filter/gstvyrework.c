/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyrework.h"

#include "filter/gstvyrecarry.h"
#include "filter/gstvyrepace.h"

/* Time between two looks of the task after a chain function that looks after the queue, in µs:
 * twice as long with each look that finds it at work, up to the greatest. The last buffers of a
 * burst wait up to twice as long. */
#define QUIET 200
#define LONGEST_QUIET 800

/* Time between two looks of the task at a late batch while it has nothing else to do, in µs: twice
 * as long with each look in vain, up to a slice. */
#define FIRST_LATE_PAUSE 1000

/* The lock is held. Makes the calling thread the worker, with the first item. */
static GstVyreItem *
work_take_first (GstVyreFilter *self, GQueue *items, gint64 until)
{
  GstVyreItem *item = g_queue_pop_head (items);

  item->epoch = self->epoch;
  item->until = until;
  item->is_behind_late = !g_queue_is_empty (&self->late);
  self->awaited = gst_vyre_item_is_batch (item) ? item->sequence : 0;
  self->worker = g_thread_self ();
  return item;
}

/* The lock is held. TRUE if the task looks after late batches. */
static gboolean
work_has_late (const GstVyreFilter *self)
{
  return !g_queue_is_empty ((GQueue *)&self->late) && gst_vyre_stream_is_open (self)
         && !self->worker;
}

/* The lock is held. The worker has no item any more: the task sees what is there for it. */
static void
work_let_go (GstVyreFilter *self)
{
  self->awaited = 0;
  self->worker = NULL;
  if (gst_vyre_stream_has_work (self) || work_has_late (self))
    gst_vyre_stream_wake_task (self);
}

/* The lock is held. Returns until when the task waits for the first late batch, in µs: for as long
 * as nothing has to leave. Past times: not now. */
static gint64
work_get_late_end (const GstVyreFilter *self, gint64 now)
{
  const GstVyreItem *next = g_queue_peek_head ((GQueue *)&self->items);

  if (next)
    return next->deadline;
  return now >= self->late_look ? now + 1 : 0;
}

/* The lock is held. Takes what the task handles next, or returns NULL. Results come in order:
 * behind a late one, others are waited for no longer than their buffers may wait. */
static GstVyreItem *
work_choose (GstVyreFilter *self)
{
  if (work_has_late (self)) {
    gint64 now = g_get_monotonic_time (), end = work_get_late_end (self, now);
    if (end > now)
      return work_take_first (self, &self->late, end);
  }
  if (!gst_vyre_stream_has_work (self))
    return NULL;
  const GstVyreItem *next = g_queue_peek_head (&self->items);
  return work_take_first (self, &self->items, next->deadline);
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
  if (work_has_late (self)) {
    self->task_state = GST_VYRE_TASK_SLEEPS;
    g_cond_wait_until (&self->work, &self->lock, self->late_look);
  } else if (self->is_busy || (gst_vyre_stream_has_next (self) && self->lent)) {
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
  while (self->source_active && !(item = work_choose (self)))
    work_await (self);
  if (item) {
    self->stats.handovers += item->batch && !item->is_late;
    if (item->queued > 0)
      gst_vyre_pace_note_handover (&self->pace, g_get_monotonic_time () - item->queued);
  }
  g_mutex_unlock (&self->lock);
  return item;
}

/* The lock is held. TRUE if nothing has to happen before the worker handles the batch @next: behind
 * late batches its buffer has to go on. */
static gboolean
work_may_go_on (const GstVyreFilter *self, const GstVyreItem *next)
{
  return g_queue_is_empty ((GQueue *)&self->late) || g_get_monotonic_time () >= next->deadline;
}

/* The lock is held. TRUE if the chain function has better things to do than to push the next batch:
 * batches with state run one after the other, and it begins the copies of those behind. */
static gboolean
work_is_the_tasks (const GstVyreItem *next)
{
  return next->carry && vyre_batch_is_copied (next->batch);
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
      && next->batch && self->n_undone == 0 && !work_is_the_tasks (next)
      && work_may_go_on (self, next) && gst_vyre_pace_is_quick (&self->pace)) {
    self->lent = g_queue_is_empty (&self->late);
    item = work_take_first (self, &self->items, next->deadline);
    *patience = gst_vyre_pace_get_patience (&self->pace, self->n_batches > 1);
  }
  g_mutex_unlock (&self->lock);
  return item;
}

/* The lock is held. The task looks for late batches after a pause, which it makes longer. */
static void
work_put_off_late (GstVyreFilter *self)
{
  self->late_look = g_get_monotonic_time () + self->late_pause;
  self->late_pause = MIN (2 * self->late_pause, GST_VYRE_WAIT_SLICE);
}

/* The worker gives an item, whose batch has not come, back to the queue, unless it is stale. The
 * task sees to it that its buffer does not wait past its deadline. */
void
gst_vyre_work_put_back (GstVyreFilter *self, GstVyreItem *item)
{
  vyre_mutex_lock (&self->lock);
  gboolean stale = item->epoch != self->epoch;
  self->stats.flushed += stale;
  if (!stale)
    g_queue_push_head (item->is_late ? &self->late : &self->items, item);
  if (!stale && item->is_late)
    work_put_off_late (self);
  self->lent = self->lent && item->deadline == G_MAXINT64;
  gst_vyre_stream_wake_others (self);
  work_let_go (self);
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
    item->reference = gst_vyre_carry_note (item->carry, item->plan, item->batch, item->buffer,
        item->timing.position, &former, &item->previous);
  g_mutex_unlock (&self->lock);
  return done;
}

/* The chain function begins with a buffer, which came at @now. */
void
gst_vyre_work_enter (GstVyreFilter *self, gint64 now)
{
  g_atomic_int_inc (&self->n_visits);
  gst_vyre_pace_note_buffer (&self->pace, now);
}

/* TRUE if the queue of a chain function that leaves may wait for the next buffer. */
static gboolean
work_may_wait_for_chain (const GstVyreFilter *self)
{
  const GstVyreItem *next = g_queue_peek_head ((GQueue *)&self->items);

  return next && next->batch && next->deadline == G_MAXINT64 && self->n_undone == 0
         && g_queue_is_empty ((GQueue *)&self->late) && !work_is_the_tasks (next)
         && gst_vyre_pace_is_quick (&self->pace);
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

/* The lock is held. Counts the item of the worker no longer. */
static void
work_uncount (GstVyreFilter *self, const GstVyreItem *item)
{
  if (item->epoch != self->epoch || item->sequence == 0)
    return;
  if (item->is_late) {
    self->n_late--;
    self->late_pause = FIRST_LATE_PAUSE;
    self->late_look = 0;
  } else {
    self->n_batches--;
    gst_vyre_pace_note_done (&self->pace);
  }
}

/* The worker has sent on what leaves now of @item: the rest, a batch or the end of a stream, waits
 * behind the batches that are late already. */
void
gst_vyre_work_keep (GstVyreFilter *self, GstVyreItem *item)
{
  vyre_mutex_lock (&self->lock);
  gboolean stale = item->epoch != self->epoch;
  work_uncount (self, item);
  item->is_late = TRUE;
  if (!stale) {
    if (g_queue_is_empty (&self->late)) {
      self->late_pause = FIRST_LATE_PAUSE;
      work_put_off_late (self);
    }
    g_queue_push_tail (&self->late, item);
    self->n_late += item->sequence > 0;
    self->lent = FALSE;
  } else {
    gst_vyre_stream_note_dropped (self, item);
  }
  self->stats.flushed += stale && item->sequence > 0;
  gst_vyre_stream_wake_others (self);
  work_let_go (self);
  g_mutex_unlock (&self->lock);
  if (stale)
    gst_vyre_item_free (item);
}

/* The worker has no item any more. A waiting chain function is only woken at the number of batches
 * that it waits for. */
void
gst_vyre_work_done (GstVyreFilter *self, const GstVyreItem *item)
{
  vyre_mutex_lock (&self->lock);
  work_uncount (self, item);
  if (item->is_late || self->n_batches <= self->wake_at || !gst_vyre_stream_is_open (self))
    gst_vyre_stream_wake_others (self);
  work_let_go (self);
  g_mutex_unlock (&self->lock);
}
