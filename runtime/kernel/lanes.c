/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Lanes: the state that a producer has to itself. docs/architecture.md says why publishing is right
 * without the kernel's lock.
 *
 * The lock of a lane guards its fields and its plain batches. All other batches are guarded by the
 * kernel's lock, and the fields of their lane still by the lane's, which is taken second. A thread
 * that holds the kernel's lock may hold several lanes'; any other thread holds one at most.
 */
#include "kernel/lanes.h"

#include "base/fork.h"
#include "base/spin-lock.h"

/* Locks what guards @batch, and its lane. */
void
vyre_batch_lock (VyreBatch *batch)
{
  if (!batch->plain)
    vyre_mutex_lock (&batch->kernel->lock);
  vyre_mutex_lock (&batch->lane->lock);
}

/* After vyre_batch_lock() of a batch of the lane, which was @plain or not. */
void
vyre_lane_unlock (VyreLane *lane, gboolean plain)
{
  VyreMegakernel *kernel = lane->kernel;

  g_mutex_unlock (&lane->lock);
  if (!plain)
    g_mutex_unlock (&kernel->lock);
}

/* Adds a lane to those of the kernel, of which it takes no reference. */
VyreLane *
vyre_lanes_add (VyreMegakernel *kernel)
{
  VyreLane *lane = g_new0 (VyreLane, 1);

  g_atomic_ref_count_init (&lane->refs);
  lane->kernel = kernel;
  lane->link.data = lane;
  g_mutex_init (&lane->lock);
  g_queue_init (&lane->in_flight);
  lane->spare = g_ptr_array_new_with_free_func (g_free);
  lane->places = g_array_new (FALSE, FALSE, sizeof (guint));
  if (vyre_is_inherited (kernel->generation))
    return lane; /* of no use: publishing fails */
  vyre_mutex_lock (&kernel->lock);
  vyre_lanes_sweep (kernel);
  g_queue_push_tail_link (&kernel->lanes, &lane->link);
  g_mutex_unlock (&kernel->lock);
  return lane;
}

/* Adds what the lane counted to @counters. */
void
vyre_lane_count (VyreLane *lane, VyreMegakernelCounters *counters)
{
  vyre_mutex_lock (&lane->lock);
  counters->batches += lane->batches;
  counters->completed += lane->completed;
  counters->tickets += lane->tickets;
  counters->in_place_bytes += lane->in_place_bytes;
  counters->stored_bytes += lane->stored_bytes;
  counters->copied_bytes += lane->copied_bytes;
  g_mutex_unlock (&lane->lock);
  /* pair with batch_count_wait(), and order nothing */
  counters->spin_time += atomic_load_explicit (&lane->spin_time, memory_order_relaxed);
  counters->sleeps += atomic_load_explicit (&lane->n_sleeps, memory_order_relaxed);
}

/* Kernel's lock held. Frees a lane without batches, and keeps its counts. */
static void
lanes_destroy (VyreLane *lane)
{
  VyreMegakernel *kernel = lane->kernel;

  g_queue_unlink (&kernel->lanes, &lane->link);
  kernel->last_activity = MAX (kernel->last_activity, atomic_load (&lane->last_activity));
  g_array_append_vals (kernel->places, lane->places->data, lane->places->len);
  vyre_lane_count (lane, &kernel->counters);
  g_ptr_array_unref (lane->spare);
  g_array_unref (lane->places);
  g_mutex_clear (&lane->lock);
  g_free (lane);
}

/* Kernel's lock held. Frees lanes whose owners have gone, and whose batches, too. */
void
vyre_lanes_sweep (VyreMegakernel *kernel)
{
  for (GList *l = kernel->lanes.head, *next; l; l = next) {
    VyreLane *lane = l->data;
    next = l->next;
    vyre_mutex_lock (&lane->lock);
    gboolean over = lane->closed && lane->n_batches == 0;
    g_mutex_unlock (&lane->lock);
    if (over)
      lanes_destroy (lane);
  }
}

/* There is no reference to @lane any more: it goes when its last batch has. */
void
vyre_lanes_close (VyreLane *lane)
{
  VyreMegakernel *kernel = lane->kernel;

  vyre_mutex_lock (&kernel->lock);
  vyre_mutex_lock (&lane->lock);
  lane->closed = TRUE;
  g_mutex_unlock (&lane->lock);
  vyre_lanes_sweep (kernel);
  g_mutex_unlock (&kernel->lock);
}

/* Before other threads know the kernel. */
void
vyre_lanes_init (VyreMegakernel *kernel)
{
  kernel->places = g_array_sized_new (FALSE, FALSE, sizeof (guint), VYRE_MAX_BATCHES);
  for (guint i = 0; i < VYRE_MAX_BATCHES; i++) {
    guint place = VYRE_MAX_BATCHES - 1 - i;
    g_array_append_val (kernel->places, place);
    /* apart, so that batches that start at the same time are told by their sequences, too */
    kernel->sequences[i] = i << 16;
  }
  g_queue_init (&kernel->lanes);
  /* the number of the first ticket is 0 */
  atomic_init (&kernel->ticket_limit, VYRE_MAX_TICKETS);
  kernel->lane = vyre_lanes_add (kernel);
}

/* When no thread uses the kernel any more, and it has no batches. */
void
vyre_lanes_clear (VyreMegakernel *kernel)
{
  VyreLane *lane;

  while ((lane = g_queue_peek_head (&kernel->lanes)))
    lanes_destroy (lane);
  g_array_unref (kernel->places);
}

/* Kernel's lock held. Batches in flight, of which lanes may take some out, or publish others, at
 * the same time. */
guint
vyre_lanes_count_in_flight (const VyreMegakernel *kernel)
{
  guint n = 0;

  for (const GList *l = kernel->lanes.head; l; l = l->next)
    n += atomic_load (&((VyreLane *)l->data)->n_in_flight); /* pairs with vyre_lane_enter() */
  return n;
}

/* Kernel's lock held. Batches whose publishing threads are about to see to a launch. */
guint
vyre_lanes_count_ringing (const VyreMegakernel *kernel)
{
  guint n = 0;

  for (const GList *l = kernel->lanes.head; l; l = l->next)
    n += atomic_load (&((VyreLane *)l->data)->n_ringing); /* pairs with publish_ring_plain() */
  return n;
}

/* Kernel's lock held. The time of the last doorbell or completion, ns. */
gint64
vyre_lanes_last_activity (const VyreMegakernel *kernel)
{
  gint64 last = kernel->last_activity;

  for (const GList *l = kernel->lanes.head; l; l = l->next) {
    VyreLane *lane = l->data;
    /* a time, which orders nothing */
    last = MAX (last, atomic_load_explicit (&lane->last_activity, memory_order_relaxed));
  }
  return last;
}

/* Both locks held. Moves half of the places of @from to @lane, and VYRE_LANE_STEP at most. Two
 * lanes that took all places would take the same ones from each other with every batch. */
static gboolean
lanes_move_places (VyreLane *lane, GArray *from)
{
  guint n = MIN ((from->len + 1) / 2, VYRE_LANE_STEP);

  if (n == 0)
    return FALSE;
  g_array_append_vals (lane->places, &g_array_index (from, guint, from->len - n), n);
  g_array_set_size (from, from->len - n);
  return TRUE;
}

/* Both locks held. Whether a batch of the lane has a place, perhaps one that another lane does not
 * need now. */
gboolean
vyre_lane_has_place (VyreLane *lane)
{
  VyreMegakernel *kernel = lane->kernel;

  if (lane->places->len > 0 || lanes_move_places (lane, kernel->places))
    return TRUE;
  for (GList *l = kernel->lanes.head; l && lane->places->len == 0; l = l->next) {
    VyreLane *other = l->data;
    if (other == lane)
      continue;
    vyre_mutex_lock (&other->lock);
    lanes_move_places (lane, other->places);
    g_mutex_unlock (&other->lock);
  }
  return lane->places->len > 0;
}

/* Whether @n tickets from @tail on have places in the ring. */
static gboolean
lanes_is_below_limit (VyreMegakernel *kernel, guint32 tail, guint n)
{
  /* pairs with the store in lanes_raise_limit(): a limit stays valid once it is stored */
  return (gint32)(atomic_load (&kernel->ticket_limit) - (tail + n)) >= 0;
}

/* Kernel's lock held. Tickets of batches in flight keep their places: finds how far numbers may
 * go. The tail is read first, so a lane that is not seen to be in flight takes numbers from there
 * on. */
static void
lanes_raise_limit (VyreMegakernel *kernel)
{
  guint32 tail = atomic_load (&kernel->tail), oldest = tail;

  for (GList *l = kernel->lanes.head; l; l = l->next) {
    VyreLane *lane = l->data;
    /* both pair with the stores in vyre_lane_enter() */
    if (atomic_load (&lane->n_in_flight) == 0)
      continue;
    guint32 first = atomic_load (&lane->oldest);
    if ((gint32)(first - oldest) < 0)
      oldest = first;
  }
  atomic_store (&kernel->ticket_limit, oldest + VYRE_MAX_TICKETS);
}

/* Both locks held. Whether there are numbers for @n tickets now. */
gboolean
vyre_lane_has_tickets (VyreLane *lane, guint n)
{
  VyreMegakernel *kernel = lane->kernel;

  if (lanes_is_below_limit (kernel, atomic_load (&kernel->tail), n))
    return TRUE;
  lanes_raise_limit (kernel);
  return lanes_is_below_limit (kernel, atomic_load (&kernel->tail), n);
}

/* Lane's lock held. Takes @n numbers. What the lane says is in flight covers them before they are
 * taken: see lanes_raise_limit(). */
static gboolean
lanes_take_tickets (VyreLane *lane, guint n, guint32 *first)
{
  VyreMegakernel *kernel = lane->kernel;
  guint32 tail = atomic_load (&kernel->tail);

  do {
    if (g_queue_is_empty (&lane->in_flight))
      atomic_store (&lane->oldest, tail);
    if (!lanes_is_below_limit (kernel, tail, n))
      return FALSE;
  } while (!atomic_compare_exchange_weak (&kernel->tail, &tail, tail + n));
  *first = tail;
  return TRUE;
}

/* Lane's lock held. Takes a batch into flight: from here on its tickets have numbers. FALSE: there
 * is no place, or no number. */
gboolean
vyre_lane_enter (VyreBatch *batch, guint n_tickets)
{
  VyreLane *lane = batch->lane;

  if (lane->places->len == 0)
    return FALSE;
  atomic_fetch_add (&lane->n_ringing, 1);
  /* pairs with the loads in lanes_raise_limit(), and with vyre_launcher_park() */
  atomic_fetch_add (&lane->n_in_flight, 1);
  if (!lanes_take_tickets (lane, n_tickets, &batch->first_ticket)) {
    atomic_fetch_sub (&lane->n_in_flight, 1);
    atomic_fetch_sub (&lane->n_ringing, 1);
    return FALSE;
  }
  batch->index = g_array_index (lane->places, guint, lane->places->len - 1);
  g_array_set_size (lane->places, lane->places->len - 1);
  batch->link.data = batch;
  g_queue_push_tail_link (&lane->in_flight, &batch->link);
  return TRUE;
}

/* Lane's lock held. Takes a batch out of flight. */
void
vyre_lane_leave (VyreBatch *batch, guint n_tickets, gint64 now)
{
  VyreLane *lane = batch->lane;

  g_queue_unlink (&lane->in_flight, &batch->link);
  g_array_append_val (lane->places, batch->index);
  lane->tickets += n_tickets;
  /* a time, which orders nothing */
  atomic_store_explicit (&lane->last_activity, now, memory_order_relaxed);
  const VyreBatch *oldest = g_queue_peek_head (&lane->in_flight);
  /* both pair with the loads in lanes_raise_limit() */
  if (oldest)
    atomic_store (&lane->oldest, oldest->first_ticket);
  atomic_fetch_sub (&lane->n_in_flight, 1);
}

/* Lane's lock held. Returns memory for a batch. */
VyreBatch *
vyre_lane_take_record (VyreLane *lane)
{
  lane->n_batches++;
  if (lane->spare->len == 0)
    return g_new (VyreBatch, 1);
  return g_ptr_array_steal_index_fast (lane->spare, lane->spare->len - 1);
}

/* Lane's lock held. Takes it back. */
void
vyre_lane_give_record (VyreBatch *batch)
{
  batch->lane->n_batches--;
  g_ptr_array_add (batch->lane->spare, batch);
}
