/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Batches: publishing, completion, waiting.
 */
#include "vyre-megakernel-private.h"

#include <string.h>
#include <time.h>

/* Publishing waits for a free place in steps of this length: completions are
 * words in memory and wake nobody. */
#define ROOM_WAIT_US 200

static const guint32 *
completion_words (const VyreMegakernel *kernel, guint index)
{
  return (const guint32 *)kernel->answer.data + (gsize)index * VYRE_COMPLETION_WORDS;
}

/* The acquire pairs with the kernel's barrier before it stores the sequence:
 * the rest of the completion and the readback are there. */
static gboolean
is_completed (const VyreBatch *batch)
{
  const guint32 *words = completion_words (batch->kernel, batch->index);

  return __atomic_load_n (&words[VYRE_COMPLETION_SEQUENCE], __ATOMIC_ACQUIRE) == batch->sequence;
}

void
vyre_batch_destroy (VyreBatch *batch)
{
  if (!batch->stolen)
    vyre_store_free (batch->kernel->readbacks, batch->readback);
  vyre_plan_unref (batch->plan);
  g_free (batch);
}

/* Takes a completed batch out of flight. */
static void
retire_batch (VyreBatch *batch, gint64 now, VyreReleases *releases)
{
  VyreMegakernel *kernel = batch->kernel;
  const guint32 *words = completion_words (kernel, batch->index);

  batch->completion.faults = words[VYRE_COMPLETION_FAULTS];
  batch->completion.dropped_records = words[VYRE_COMPLETION_DROPPED];
  batch->completion.payload_bytes = vyre_read_word_pair (words, VYRE_COMPLETION_BYTES);
  batch->completion.latency = (guint64)(now - batch->published);
  g_queue_unlink (&kernel->in_flight, &batch->link);
  kernel->free_indices[kernel->n_free++] = batch->index;
  kernel->counters.completed++;
  kernel->last_activity = now;
  if (batch->payload.release)
    releases->list[releases->n++] = batch->payload;
  if (batch->orphaned)
    vyre_batch_destroy (batch);
  else
    atomic_store_explicit (&batch->done, true, memory_order_release);
}

/* Collects every completion. Called with the lock held; the caller runs the
 * releases after dropping it. */
void
vyre_megakernel_reap (VyreMegakernel *kernel, VyreReleases *releases)
{
  gint64 now = vyre_now ();
  gboolean any = FALSE;

  for (GList *l = kernel->in_flight.head, *next; l && releases->n < VYRE_MAX_BATCHES; l = next) {
    VyreBatch *batch = l->data;
    next = l->next;
    if (is_completed (batch)) {
      retire_batch (batch, now, releases);
      any = TRUE;
    }
  }
  if (any)
    g_cond_broadcast (&kernel->room);
}

void
vyre_releases_run (VyreReleases *releases)
{
  for (guint i = 0; i < releases->n; i++)
    releases->list[i].release (releases->list[i].owner);
}

/* Tickets in use reach from the oldest batch in flight to the tail. */
static gboolean
has_room (VyreMegakernel *kernel, guint n_tickets)
{
  VyreBatch *oldest = g_queue_peek_head (&kernel->in_flight);
  guint32 used = oldest ? kernel->tail - oldest->first_ticket : 0;

  return kernel->n_free > 0 && used + n_tickets <= VYRE_MAX_TICKETS;
}

static gboolean
set_busy (const VyreMegakernel *kernel, GError **error)
{
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_TIMEOUT,
      "%s: no room for another batch (%u in flight, %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT
      " readback bytes lent out). Fix: wait for results and free their readbacks.",
      vyre_device_get_name (kernel->device), g_queue_get_length ((GQueue *)&kernel->in_flight),
      vyre_store_get_used (kernel->readbacks), vyre_store_get_size (kernel->readbacks));
  return FALSE;
}

static gboolean
set_too_large (const VyreMegakernel *kernel, const VyrePlan *plan, GError **error)
{
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
      "A batch of %" G_GSIZE_FORMAT " bytes is larger than the %" G_GSIZE_FORMAT
      " bytes there are for readbacks. Fix: use fewer slots or observables.",
      plan->slice_size, vyre_store_get_size (kernel->readbacks));
  return FALSE;
}

static gboolean
set_failure (const VyreMegakernel *kernel, GError **error)
{
  if (error)
    *error = g_error_copy (kernel->failure);
  return FALSE;
}

/* Waits until a batch fits; the lock is held, and dropped while waiting. */
static gboolean
reserve (
    VyreMegakernel *kernel, const VyrePlan *plan, gint64 end_time, gsize *readback, GError **error)
{
  for (;;) {
    VyreReleases releases = { .n = 0 };
    if (kernel->failure)
      return set_failure (kernel, error);
    if (plan->slice_size > vyre_store_get_size (kernel->readbacks))
      return set_too_large (kernel, plan, error);
    if (has_room (kernel, plan->tickets->len)
        && vyre_store_alloc (kernel->readbacks, plan->slice_size, 0, readback))
      return TRUE;
    vyre_megakernel_reap (kernel, &releases);
    if (releases.n > 0) {
      g_mutex_unlock (&kernel->lock);
      vyre_releases_run (&releases);
      g_mutex_lock (&kernel->lock);
      continue;
    }
    gint64 now = g_get_monotonic_time ();
    if (has_room (kernel, plan->tickets->len)
        && vyre_store_alloc (kernel->readbacks, plan->slice_size, 0, readback))
      return TRUE;
    if (now >= end_time)
      return set_busy (kernel, error);
    g_cond_wait_until (&kernel->room, &kernel->lock, MIN (end_time, now + ROOM_WAIT_US));
  }
}

static void
write_batch (VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;
  const VyrePlan *plan = batch->plan;
  const VyreImage *image = plan->image;
  guint8 *slice = vyre_store_get_data (kernel->readbacks) + batch->readback;
  guint32 *door = (guint32 *)kernel->door.data;
  guint32 *words = door + VYRE_DOOR_BATCHES + batch->index * VYRE_BATCH_WORDS;

  memcpy (slice, plan->slice, plan->slice_size);
  if (image->sequence_slot >= 0) {
    guint32 *slot = (guint32 *)(slice + plan->layout.offset[VYRE_PART_RING])
                    + (gsize)image->sequence_slot * VYRE_SLOT_WORDS;
    slot[VYRE_SLOT_ARGS + 1] = GUINT32_TO_LE (batch->completion.tag);
  }
  words[VYRE_BATCH_BASE] = (guint32)(batch->readback / 4);
  words[VYRE_BATCH_CONTROL_WORDS] = VYRE_CONTROL_OBSERVABLES + image->n_observables;
  words[VYRE_BATCH_SLOTS] = image->n_slots;
  words[VYRE_BATCH_SCRATCH] = (guint32)((batch->readback + plan->scratch_offset) / 4);
  words[VYRE_BATCH_PAYLOAD_GRANULE] = (guint32)(batch->payload.offset / VYRE_GRANULE);
  words[VYRE_BATCH_PAYLOAD_BYTES] = (guint32)plan->payload_size;
  words[VYRE_BATCH_FENCE_FIRST] = plan->fence_first;
  words[VYRE_BATCH_FENCE_END] = plan->fence_end;
  words[VYRE_BATCH_SEQUENCE] = batch->sequence;
  for (guint i = 0; i < plan->tickets->len; i++) {
    guint32 *ticket
        = door + VYRE_DOOR_TICKETS + (kernel->tail + i) % VYRE_MAX_TICKETS * VYRE_TICKET_WORDS;
    memcpy (ticket, &g_array_index (plan->tickets, VyreTicket, i), sizeof (VyreTicket));
    ticket[VYRE_TICKET_BATCH] = batch->index;
  }
}

static void
publish_locked (VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;
  guint32 *door = (guint32 *)kernel->door.data;

  batch->index = kernel->free_indices[--kernel->n_free];
  if (++kernel->batch_sequence == 0)
    kernel->batch_sequence = 1; /* 0 is what a completion that was never used holds */
  batch->sequence = kernel->batch_sequence;
  batch->first_ticket = kernel->tail;
  write_batch (batch);
  batch->link.data = batch;
  g_queue_push_tail_link (&kernel->in_flight, &batch->link);
  kernel->counters.batches++;
  kernel->tail += batch->plan->tickets->len;
  batch->published = vyre_now ();
  /* The doorbell: a kernel that sees the tail sees the tickets, the descriptor,
   * the slice and the payload before it. The door may be write-combining memory,
   * which only a full fence orders and drains. */
  __atomic_thread_fence (__ATOMIC_SEQ_CST);
  __atomic_store_n (&door[VYRE_DOOR_TAIL], kernel->tail, __ATOMIC_RELEASE);
  __atomic_thread_fence (__ATOMIC_SEQ_CST);
  vyre_keeper_published (kernel);
}

/**
 * vyre_megakernel_publish:
 * @kernel: a megakernel
 * @plan: what to run; made for this kernel's workgroup size
 * @tag: what BATCH_FENCE writes to observable 0 unless the program says otherwise
 * @payload: the staged payload
 * @end_time: g_get_monotonic_time() at which to give up waiting for room; 0 not
 *   to wait
 * @error: return location
 *
 * Publishes one batch: writes it, then stores one doorbell word. The caller must
 * not change the payload until it is released, and frees the batch before it
 * drops its reference to @kernel.
 *
 * Returns: (transfer full) (nullable): the batch, or %NULL with
 *   %VYRE_ERROR_TOO_LARGE (it can never fit the readback store),
 *   %VYRE_ERROR_TIMEOUT (no room; nothing happened, the payload is
 *   still the caller's) or the error that ended the kernel
 */
VyreBatch *
vyre_megakernel_publish (VyreMegakernel *kernel, VyrePlan *plan, guint32 tag,
    const VyrePayload *payload, gint64 end_time, GError **error)
{
  gsize readback;

  g_return_val_if_fail (payload->offset % VYRE_GRANULE == 0, NULL);
  g_return_val_if_fail (plan->workgroup == kernel->pipeline.workgroup, NULL);
  g_mutex_lock (&kernel->lock);
  if (!reserve (kernel, plan, end_time, &readback, error)) {
    g_mutex_unlock (&kernel->lock);
    return NULL;
  }
  VyreBatch *batch = g_new0 (VyreBatch, 1);
  batch->kernel = kernel;
  batch->plan = vyre_plan_ref (plan);
  batch->readback = readback;
  batch->payload = *payload;
  batch->completion.tag = tag;
  publish_locked (batch);
  g_mutex_unlock (&kernel->lock);
  return batch;
}

/* Awake at first, then asleep for ever longer. There is no sched_yield() step:
 * with a CPU device it hands our core to the polling kernel for a whole time
 * slice, while a sleeper is woken on whichever core is free. Times in ns. */
#define SPIN_NS 60000

static void
back_off (gint64 waited)
{
  if (waited >= SPIN_NS)
    nanosleep (&(struct timespec){ .tv_nsec = CLAMP (waited / 4, 20000, 500000) }, NULL);
}

static gboolean
collect (VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;
  VyreReleases releases = { .n = 0 };

  if (atomic_load_explicit (&batch->done, memory_order_acquire))
    return TRUE;
  if (!is_completed (batch))
    return FALSE;
  g_mutex_lock (&kernel->lock);
  vyre_megakernel_reap (kernel, &releases);
  g_mutex_unlock (&kernel->lock);
  vyre_releases_run (&releases);
  return TRUE;
}

/* The index of a batch that others reaped may belong to another one by now, so
 * `done` is looked at first and last. */
static gboolean
has_failed (VyreBatch *batch, gint64 end_time, GError **error)
{
  VyreMegakernel *kernel = batch->kernel;
  gboolean failed;

  g_mutex_lock (&kernel->lock);
  failed = kernel->failure != NULL && !atomic_load (&batch->done);
  if (failed)
    set_failure (kernel, error);
  g_mutex_unlock (&kernel->lock);
  if (!failed && g_get_monotonic_time () >= end_time) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_TIMEOUT,
        "%s: batch %u has not completed yet. Fix: wait longer.",
        vyre_device_get_name (kernel->device), batch->completion.tag);
    failed = TRUE;
  }
  return failed;
}

/**
 * vyre_batch_wait:
 * @batch: a batch
 * @end_time: g_get_monotonic_time() at which to give up
 * @error: return location
 *
 * Waits for the kernel to complete a batch. One thread at a time may wait for
 * the same batch.
 *
 * Returns: whether it completed; otherwise %VYRE_ERROR_TIMEOUT (wait again if
 *   you like) or the error that ended the kernel
 */
gboolean
vyre_batch_wait (VyreBatch *batch, gint64 end_time, GError **error)
{
  VyreMegakernel *kernel = batch->kernel;
  gint64 start = vyre_now (), checked = start, awake = 0;
  gboolean done;

  while (!(done = collect (batch))) {
    gint64 now = vyre_now ();
    awake = MIN (now - start, SPIN_NS);
    /* failure and time are looked at seldom: both take a lock or a clock */
    if (now - checked > 50000 || end_time == 0) {
      checked = now;
      if (has_failed (batch, end_time, error))
        break;
    }
    back_off (now - start);
  }
  atomic_fetch_add_explicit (&kernel->spin_time, (guint64)awake, memory_order_relaxed);
  return done;
}

/**
 * vyre_batch_free:
 * @batch: (transfer full): a batch; one still running is finished by the kernel
 *   and then dropped; of a kernel that has failed, nobody will see what it makes
 *   of the payload, which is released at once
 */
void
vyre_batch_free (VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;
  VyrePayload payload = { .release = NULL };

  g_mutex_lock (&kernel->lock);
  if (atomic_load (&batch->done)) {
    vyre_batch_destroy (batch);
  } else {
    batch->orphaned = TRUE;
    if (kernel->failure) {
      payload = batch->payload;
      batch->payload.release = NULL;
    }
  }
  g_mutex_unlock (&kernel->lock);
  if (payload.release)
    payload.release (payload.owner);
}

/**
 * vyre_batch_get_completion:
 * @batch: a completed batch
 *
 * Returns: (transfer none): what the kernel and the clock say of it
 */
const VyreCompletion *
vyre_batch_get_completion (VyreBatch *batch)
{
  return &batch->completion;
}

/**
 * vyre_batch_get_readback:
 * @batch: a completed batch
 *
 * Returns: (transfer none): its four parts, laid out as its plan's layout says
 */
const guint8 *
vyre_batch_get_readback (VyreBatch *batch)
{
  return vyre_store_get_data (batch->kernel->readbacks) + batch->readback;
}

/**
 * vyre_batch_steal_readback:
 * @batch: a completed batch
 *
 * Makes the caller the owner of the readback: it outlives the batch until
 * vyre_store_free() of the readback store.
 *
 * Returns: its offset in the readback store, in bytes
 */
gsize
vyre_batch_steal_readback (VyreBatch *batch)
{
  batch->stolen = TRUE;
  return batch->readback;
}
