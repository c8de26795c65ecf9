/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/completion.h"

#include "base/order.h"
#include "base/spin-lock.h"
#include "kernel/lanes.h"
#include "kernel/state.h"
#include "kernel/stream-private.h"
#include "kernel/tickets.h"
#include "kernel/turns.h"
#include "vyre/io-queue.h"
#include "vyre/parts.h"

/* The key of a batch that is not in flight: sequences start at 1. */
#define NO_COMPLETION_KEY 0

/* Lane's lock held. Chooses a number for the batch, by which its completion is told from what its
 * place in the answer says now: the number of the batch before it, or 0 if the place was never
 * used. The place itself is not read: the thread that waited last has it in its cache. */
static guint32
completion_next_sequence (VyreMegakernel *kernel, guint index)
{
  if (++kernel->sequences[index] == 0)
    kernel->sequences[index] = 1;
  return kernel->sequences[index];
}

/* Lane's lock held. Numbers the batch, which has its index, and puts both into one word for threads
 * that wait without the lock. */
void
vyre_completion_expect (VyreBatch *batch)
{
  batch->sequence = completion_next_sequence (batch->kernel, batch->index);
  /* pairs with the load in vyre_batch_is_completed(): the word is all there is to see */
  atomic_store_explicit (
      &batch->completion_key, (guint64)batch->index << 32 | batch->sequence, memory_order_relaxed);
}

/* Any thread. Whether the device has stored the batch's sequence. */
gboolean
vyre_batch_is_completed (const VyreBatch *batch)
{
  /* pairs with the stores in vyre_completion_expect() and vyre_batch_retire() */
  guint64 key = atomic_load_explicit (&batch->completion_key, memory_order_relaxed);
  const guint32 *word = (const guint32 *)batch->kernel->answer.data
                        + (gsize)(guint)(key >> 32) * VYRE_COMPLETION_WORDS;

  /* pairs with the store in complete_batch(), megakernel.comp */
  if (key == NO_COMPLETION_KEY || __atomic_load_n (word, __ATOMIC_RELAXED) != (guint32)key)
    return FALSE;
  vyre_order_loads (); /* pairs with the barrier in end_batch(), megakernel.comp */
  return TRUE;
}

/* Lane's lock held. Whether the batch's readback, and the report behind it, are there. */
static gboolean
completion_has_arrived (VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;

  return !kernel->traits->in_device_memory
         || vyre_readback_marks_is_whole (
             vyre_batch_readback (batch), batch->plan, &kernel->mark, &batch->arrived);
}

/* Lane's lock held. Whether the batch can be taken out of flight: its publishing thread is through
 * with it, and so is the device. */
gboolean
vyre_batch_has_ended (VyreBatch *batch)
{
  /* pairs with the stores in kernel/publish.c */
  return atomic_load_explicit (&batch->rung, memory_order_acquire)
         && vyre_batch_is_completed (batch) && completion_has_arrived (batch);
}

/* Unpins the files that the batch's table says are resident. */
static void
completion_drop_pins (VyreBatch *batch)
{
  for (guint i = 0; batch->pins && i < batch->plan->bound->n_resources; i++) {
    if (batch->pins[i])
      vyre_resident_files_unpin (batch->kernel->resident, batch->pins[i]);
  }
  g_clear_pointer (&batch->pins, g_free);
}

/* Frees what a single run needs. */
static void
completion_free_run (VyreBatch *batch)
{
  if (batch->work != VYRE_NOWHERE)
    vyre_store_free (batch->kernel->work, batch->work);
  batch->work = VYRE_NOWHERE;
  completion_drop_pins (batch);
}

/* Frees what the device alone needs. */
void
vyre_batch_free_memory (VyreBatch *batch)
{
  completion_free_run (batch);
  if (batch->stored_at != VYRE_NOWHERE)
    vyre_store_free (batch->kernel->payloads, batch->stored_at);
  batch->stored_at = VYRE_NOWHERE;
}

/* Locked. Takes from the batch what goes back once the device is through with it, or will never
 * be. */
VyreRelease
vyre_batch_take_release (VyreBatch *batch)
{
  VyreRelease release = { batch->let_go, batch->payload, g_steal_pointer (&batch->tenant),
    g_steal_pointer (&batch->stream), NULL, NULL };

  batch->let_go = NULL;
  batch->payload.release = NULL;
  batch->payload.import = NULL;
  if (release.stream)
    atomic_fetch_add (&batch->kernel->n_leaving, 1); /* pairs with the load in reserve_is_busy() */
  return release;
}

/* Locked. The same for a batch in flight that was freed, on a kernel that has failed. */
VyreRelease
vyre_batch_give_up (VyreBatch *batch)
{
  if (batch->follows)
    vyre_stream_stop_waiting (batch);
  return vyre_batch_take_release (batch);
}

/* Without the lock. */
void
vyre_release_run (const VyreRelease *release)
{
  if (release->next)
    release->stream->follow (release->next);
  if (release->stream) {
    VyreMegakernel *kernel = release->stream->kernel;
    vyre_stream_drop (release->stream, release->kept);
    vyre_stream_unref (release->stream);
    atomic_fetch_sub (&kernel->n_leaving, 1); /* the same */
  }
  if (release->let_go)
    release->let_go (&release->payload);
  if (!release->tenant)
    return;
  vyre_tenant_note_drained (release->tenant, 1, NULL); /* as many as were published */
  vyre_tenant_unref (release->tenant);
}

/* Without the lock. */
void
vyre_releases_run (VyreReleases *releases)
{
  for (guint i = 0; i < releases->n; i++)
    vyre_release_run (&releases->list[i]);
}

/* Lane's lock held. */
void
vyre_batch_destroy (VyreBatch *batch)
{
  vyre_batch_free_memory (batch);
  if (!batch->stolen && batch->readback != VYRE_NOWHERE)
    vyre_store_free (batch->kernel->readbacks, batch->readback);
  vyre_plan_unref (batch->plan);
  g_clear_error (&batch->io_error);
  g_clear_pointer (&batch->stream, vyre_stream_unref);
  g_free (batch->state);
  vyre_lane_give_record (batch);
}

/* Whether a request wants a file read ahead, for which its slot does not wait. The device may name
 * slots that are not there. */
static gboolean
completion_is_prefetch (const VyreBatch *batch, const VyreIoRequest *request)
{
  gsize status = batch->plan->layout.offset[VYRE_PART_RING] / 4
                 + (gsize)request->tag * VYRE_SLOT_WORDS + VYRE_SLOT_STATUS;

  return request->op == VYRE_IO_OP_READ && request->tag < batch->plan->bound->n_slots
         && vyre_read_word (vyre_batch_readback (batch), status) != VYRE_STATUS_WAIT_IO;
}

/* Takes the requests that no slot waits for out of the batch's queue, and has their files read. */
static void
completion_take_prefetches (VyreBatch *batch)
{
  const VyreBoundProgram *bound = batch->plan->bound;
  const VyreHostHooks *host = &batch->kernel->host;
  guint8 *queue = vyre_batch_get_io_queue (batch);
  VyreIoRequest requests[VYRE_IO_SLOTS];
  guint n;

  vyre_io_queue_poll (queue, batch->plan->layout.size[VYRE_PART_IO_QUEUE], requests, &n, NULL);
  for (guint i = 0; i < n; i++) {
    if (!completion_is_prefetch (batch, &requests[i]))
      continue;
    vyre_write_word (queue, (gsize)requests[i].slot * VYRE_IO_SLOT_WORDS + VYRE_IO_SLOT_STATUS,
        VYRE_STATUS_EMPTY);
    if (requests[i].source >= bound->n_resources
        || bound->resources[requests[i].source].kind != VYRE_RESOURCE_FILE)
      continue;
    VyreFileName name = vyre_plan_resource_name (batch->plan, requests[i].source);
    host->prefetch (host->data, &name);
  }
}

/* Hands a batch whose slots wait for the host to the service thread, which has it go on. FALSE: no
 * slot waits, or the batch was freed. */
static gboolean
completion_park (VyreBatch *batch, const guint8 *report)
{
  const VyreHostHooks *host = &batch->kernel->host;

  if (!batch->plan->served)
    return FALSE;
  batch->asked = vyre_read_word (report, VYRE_SCRATCH_ASKED) > 0;
  if (batch->asked)
    completion_take_prefetches (batch);
  if (batch->orphaned || vyre_read_word (report, VYRE_SCRATCH_WAITING) == 0)
    return FALSE;
  batch->parked = TRUE;
  completion_free_run (batch);
  host->park (host->data, batch);
  return TRUE;
}

/* Adds what the batch reports to what it reported when it was parked. */
static void
completion_read_report (VyreBatch *batch, const guint8 *report, gint64 now)
{
  VyreCompletion *completion = &batch->completion;

  completion->faults += vyre_read_word (report, VYRE_SCRATCH_FAULTS);
  completion->dropped_records += vyre_read_word (report, VYRE_SCRATCH_DROPPED);
  completion->payload_bytes += vyre_read_word_pair (report, VYRE_SCRATCH_BYTES);
  completion->latency = (guint64)(now - batch->published);
}

/* Locked. The batch is through, as far as it came. */
void
vyre_batch_complete (VyreBatch *batch, VyreReleases *releases)
{
  VyreKept *kept = NULL;
  VyreBatch *next = batch->stream ? vyre_stream_leave (batch, &kept) : NULL;

  batch->lane->completed++;
  vyre_batch_free_memory (batch);
  if (batch->plan->writes)
    vyre_megakernel_wake_host (batch->kernel); /* it may be the next batch's turn to write */
  if (batch->let_go || batch->tenant || batch->stream) {
    releases->list[releases->n] = vyre_batch_take_release (batch);
    releases->list[releases->n].kept = kept;
    releases->list[releases->n++].next = next;
  }
  if (batch->orphaned)
    vyre_batch_destroy (batch);
  else /* pairs with the acquire loads in kernel/batch.c */
    atomic_store_explicit (&batch->done, true, memory_order_release);
}

/* Locked. A release with a reference to a stream, and perhaps its next batch. */
VyreRelease
vyre_stream_release (VyreStream *stream, VyreBatch *next)
{
  atomic_fetch_add (&stream->kernel->n_leaving, 1); /* pairs with the load in reserve_is_busy() */
  return (VyreRelease){ .stream = vyre_stream_ref (stream), .next = next };
}

/* Locked. The early run of a batch has ended. The rest is published now if the one before has ended
 * and the thread that saw to that left it to this one. A batch that was freed has no rest. */
static void
completion_end_early (VyreBatch *batch, VyreReleases *releases)
{
  batch->early = VYRE_EARLY_OVER;
  batch->rung = FALSE;
  if (batch->due || (batch->follows && !batch->orphaned))
    return;
  if (batch->orphaned) {
    vyre_batch_complete (batch, releases);
    return;
  }
  batch->due = TRUE;
  releases->list[releases->n++] = vyre_stream_release (batch->stream, batch);
}

/* Locked. Takes a batch whose run has ended out of flight. */
void
vyre_batch_retire (VyreBatch *batch, gint64 now, VyreReleases *releases)
{
  const guint8 *report = vyre_batch_readback (batch) + batch->plan->scratch_offset;

  /* pairs with the load in vyre_batch_is_completed() */
  atomic_store_explicit (&batch->completion_key, NO_COMPLETION_KEY, memory_order_relaxed);
  if (batch->by_copy_engine) /* such a batch is not plain */
    batch->kernel->n_copied -= vyre_tickets_count (batch);
  vyre_lane_leave (batch, vyre_tickets_count (batch), now);
  vyre_turns_left (batch);
  if (batch->early == VYRE_EARLY_RUNS) {
    completion_end_early (batch, releases);
    return;
  }
  if (vyre_turns_go_on (batch, report))
    return;
  completion_read_report (batch, report, now);
  if (!completion_park (batch, report))
    vyre_batch_complete (batch, releases);
}

/* Kernel's lock held. Takes every batch of the lane that has ended out of flight, as far as there
 * is room for releases; returns whether there was one. */
static gboolean
completion_reap_lane (VyreLane *lane, VyreReleases *releases)
{
  gboolean any = FALSE;

  /* pairs with vyre_lane_enter(): a batch that is missed is as good as later */
  if (atomic_load (&lane->n_in_flight) == 0)
    return FALSE;
  vyre_mutex_lock (&lane->lock);
  gint64 now = vyre_now (); /* under the lock: behind the time that any batch was published */
  for (GList *l = lane->in_flight.head, *next; l && releases->n < VYRE_MOST_RELEASES; l = next) {
    VyreBatch *batch = l->data;
    next = l->next;
    if (vyre_batch_has_ended (batch)) {
      vyre_batch_retire (batch, now, releases);
      any = TRUE;
    }
  }
  g_mutex_unlock (&lane->lock);
  return any;
}

/* Any thread. There may be room for threads that wait for it; one that is about to wait looks again
 * soon. */
void
vyre_megakernel_note_room (VyreMegakernel *kernel)
{
  if (atomic_load_explicit (&kernel->n_waiting, memory_order_relaxed) > 0)
    g_cond_broadcast (&kernel->room);
}

/* Kernel's lock held. Takes every batch that has ended out of flight; the caller runs the releases
 * after it drops the lock. */
void
vyre_megakernel_reap (VyreMegakernel *kernel, VyreReleases *releases)
{
  gboolean any = FALSE;

  releases->n = 0;
  for (GList *l = kernel->lanes.head; l; l = l->next)
    any |= completion_reap_lane (l->data, releases);
  if (any)
    vyre_megakernel_note_room (kernel);
}

/* Kernel's lock held, and dropped on the way: releases take as long as an owner or the device
 * takes. */
void
vyre_megakernel_collect (VyreMegakernel *kernel)
{
  VyreReleases releases;

  kernel->collect = FALSE;
  vyre_lanes_sweep (kernel);
  vyre_megakernel_reap (kernel, &releases);
  if (releases.n == 0)
    return;
  kernel->n_releasing += releases.n;
  g_mutex_unlock (&kernel->lock);
  vyre_releases_run (&releases);
  vyre_mutex_lock (&kernel->lock);
  kernel->n_releasing -= releases.n;
}

static gboolean
completion_has_older_writer (const GQueue *batches, const VyreBatch *than)
{
  gboolean found = FALSE;

  for (const GList *l = batches->head; l && !found; l = l->next) {
    const VyreBatch *other = l->data;
    found = other->plan->writes && (gint32)(other->number - than->number) < 0;
  }
  return found;
}

/* Kernel's lock held. The same of batches in flight; those that write are not plain. */
static gboolean
completion_has_older_writer_in_flight (const VyreMegakernel *kernel, const VyreBatch *than)
{
  gboolean found = FALSE;

  for (GList *l = kernel->lanes.head; l && !found; l = l->next) {
    VyreLane *lane = l->data;
    vyre_mutex_lock (&lane->lock);
    found = completion_has_older_writer (&lane->in_flight, than);
    g_mutex_unlock (&lane->lock);
  }
  return found;
}

/* TRUE once no older batch, in flight or in the line, can still write to a file. */
gboolean
vyre_batch_may_write (VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;
  VyreReleases releases;

  vyre_mutex_lock (&kernel->lock);
  vyre_megakernel_reap (kernel, &releases); /* no thread may be waiting for the older one */
  gboolean may = !completion_has_older_writer_in_flight (kernel, batch)
                 && !completion_has_older_writer (&kernel->turns, batch);
  g_mutex_unlock (&kernel->lock);
  vyre_releases_run (&releases);
  return may;
}

/* Completes a parked batch as it is: the slots that wait never run. */
void
vyre_batch_end (VyreBatch *batch)
{
  VyreLane *lane = batch->lane; /* a batch that was freed is no more when it is complete */
  VyreReleases releases;

  releases.n = 0;
  vyre_batch_lock (batch);
  batch->parked = FALSE;
  vyre_batch_complete (batch, &releases);
  vyre_lane_unlock (lane, FALSE); /* plain batches are never parked */
  vyre_releases_run (&releases);
}
