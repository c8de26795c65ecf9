/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A batch as its owner sees it: waiting for it, reading what it says, freeing it.
 */
#include "base/fork.h"
#include "base/spin-lock.h"
#include "base/wait.h"
#include "kernel/completion.h"
#include "kernel/copies.h"
#include "kernel/lanes.h"
#include "kernel/state.h"
#include "kernel/stream-private.h"
#include "kernel/tickets.h"
#include "vyre/clock.h"

/* How often a waiting thread looks at failure and time, which take a lock and a clock, ns. */
#define CHECK_NS 50000

gboolean
vyre_batch_is_copied (const VyreBatch *batch)
{
  return batch->copied;
}

gboolean
vyre_batch_is_parked (VyreBatch *batch)
{
  if (vyre_is_inherited (batch->kernel->generation))
    return FALSE;
  vyre_batch_lock (batch);
  gboolean parked = batch->parked;
  vyre_lane_unlock (batch->lane, batch->plain);
  return parked;
}

void
vyre_batch_set_tenant (VyreBatch *batch, VyreTenant *tenant)
{
  VyreRelease release = { .tenant = NULL };

  if (vyre_is_inherited (batch->kernel->generation))
    return;
  vyre_tenant_note_published (tenant, 1);
  vyre_batch_lock (batch);
  batch->tenant = vyre_tenant_ref (tenant);
  if (atomic_load (&batch->done)) /* pairs with the store in vyre_batch_complete() */
    release = vyre_batch_take_release (batch);
  vyre_lane_unlock (batch->lane, batch->plain);
  vyre_release_run (&release);
}

/* Takes the batch out of flight if it has ended; returns whether it is through. */
static gboolean
batch_collect (VyreBatch *batch)
{
  VyreReleases releases;

  /* pairs with the store in vyre_batch_complete() */
  if (atomic_load_explicit (&batch->done, memory_order_acquire))
    return TRUE;
  if (!vyre_batch_is_completed (batch))
    return FALSE;
  releases.n = 0;
  vyre_batch_lock (batch);
  gboolean done = atomic_load_explicit (&batch->done, memory_order_relaxed); /* under the lock */
  /* the service thread may still be publishing a batch that runs again */
  if (!done && vyre_batch_has_ended (batch)) {
    vyre_batch_retire (batch, vyre_now (), &releases);
    done = atomic_load_explicit (&batch->done, memory_order_relaxed); /* under the lock */
  }
  vyre_lane_unlock (batch->lane, batch->plain);
  vyre_megakernel_note_room (batch->kernel);
  vyre_releases_run (&releases);
  return done;
}

/* Whether waiting is of no use, or too long. A batch that another thread took out of flight is done
 * before a failure can matter to it. */
static gboolean
batch_has_failed (VyreBatch *batch, VyreClock *clock, gint64 end_time, GError **error)
{
  VyreMegakernel *kernel = batch->kernel;
  gboolean failed = FALSE;

  if (vyre_megakernel_has_failed (kernel)) {
    vyre_batch_lock (batch);
    failed = !atomic_load (&batch->done); /* pairs with the store in vyre_batch_complete() */
    vyre_lane_unlock (batch->lane, batch->plain);
  }
  if (failed) {
    vyre_mutex_lock (&kernel->lock);
    vyre_megakernel_set_failure (kernel, error);
    g_mutex_unlock (&kernel->lock);
  }
  if (!failed && vyre_clock_now (clock) >= end_time) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_TIMEOUT,
        "%s: batch %u has not completed yet. Fix: wait longer.",
        vyre_device_get_name (kernel->device), batch->completion.tag);
    failed = TRUE;
  }
  return failed;
}

/* Counts the wait: pairs with the loads in kernel/getters.c, and orders nothing. */
static void
batch_count_wait (VyreLane *lane, const VyreWait *wait)
{
  if (wait->awake_time > 0)
    atomic_fetch_add_explicit (&lane->spin_time, (guint64)wait->awake_time, memory_order_relaxed);
  if (wait->slept)
    atomic_fetch_add_explicit (&lane->n_sleeps, 1, memory_order_relaxed);
}

/* For the next wait like it. Of what threads learn side by side, some may be lost. */
static void
batch_learn_wait (VyreLane *lane, gint64 took)
{
  gint64 usual = atomic_load_explicit (&lane->usual_wait, memory_order_relaxed);

  atomic_store_explicit (&lane->usual_wait, vyre_wait_learn (usual, took), memory_order_relaxed);
}

/* A GPU's answer is looked for so often between two readings of the clock, which take longer than
 * looks. A device that is the CPU gets the time instead. */
#define LOOKS 32

static gboolean
batch_look (VyreBatch *batch, guint n)
{
  gboolean done = FALSE;

  for (guint i = 0; i < n && !done; i++)
    done = batch_collect (batch);
  return done;
}

gboolean
vyre_batch_poll (VyreBatch *batch)
{
  if (vyre_is_inherited (batch->kernel->generation)) /* its done does not change any more */
    return atomic_load (&batch->done);
  return batch_collect (batch);
}

/* How many threads may be awake for this one to stay awake beside them. Streams that push as fast
 * as they can leave some places to live streams: a thread that has lost its core keeps its place,
 * and one that sleeps where all cores are wanted gets its core back after milliseconds. */
static guint
batch_most_awake (const VyreBatch *batch)
{
  guint most = batch->kernel->most_awake;

  return batch->live ? most : most - most / 4;
}

/* A guess: whether batches wait for this one, or for others that streams publish one by one. The
 * plan itself may be replaced meanwhile. */
static gboolean
batch_has_followers (const VyreBatch *batch)
{
  return batch->in_row
         && atomic_load_explicit (&batch->kernel->n_following, memory_order_relaxed) > 0;
}

/* Whether a thread that waits for the batch stays awake for longer than for others: batches wait
 * for it, or a live stream for its copy, which takes about as long as a thread usually stays awake.
 */
static gboolean
batch_is_pressing (const VyreBatch *batch)
{
  return (batch->live && batch->copied) || batch_has_followers (batch);
}

gboolean
vyre_batch_wait (VyreBatch *batch, gint64 end_time, GError **error)
{
  VyreMegakernel *kernel = batch->kernel;

  if (vyre_is_inherited (kernel->generation)) /* its done does not change any more */
    return atomic_load (&batch->done) || vyre_check_own (kernel->generation, "batch", error);
  if (batch_collect (batch)) /* it was there already: no need to know the time */
    return TRUE;
  gint64 now = vyre_now (), checked = now;
  VyreClock clock = { 0 };
  VyreWait wait;
  gboolean done;
  gboolean on_gpu = !vyre_device_is_cpu (kernel->device);
  gboolean followed = batch_has_followers (batch);
  vyre_wait_begin (&wait, batch_most_awake (batch), on_gpu, now);
  if (!on_gpu && followed)
    vyre_wait_expect (&wait, atomic_load_explicit (&batch->lane->usual_wait, memory_order_relaxed));
  if (end_time < G_MAXINT64 / 1000)
    wait.end = 1000 * end_time;
  while (!(done = batch_look (batch, on_gpu ? LOOKS : 1))) {
    now = vyre_now ();
    if (now - checked > CHECK_NS || end_time == 0) {
      checked = now;
      if (batch_has_failed (batch, &clock, end_time, error))
        break;
    }
    vyre_wait_step (&wait, on_gpu && batch_is_pressing (batch), now);
  }
  vyre_wait_end (&wait, now);
  batch_count_wait (batch->lane, &wait);
  if (done && followed && wait.slept)
    batch_learn_wait (batch->lane, vyre_now () - wait.start);
  return done;
}

/* Locked. Ends a batch that waits for the one before it, and is freed. */
static VyreRelease
batch_withdraw (VyreBatch *batch)
{
  VyreKept *dropped = NULL;

  vyre_stream_leave (batch, &dropped); /* a batch that waits drops none */
  batch->lane->completed++;
  VyreRelease release = vyre_batch_take_release (batch);
  vyre_batch_destroy (batch);
  return release;
}

void
vyre_batch_free (VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;
  VyreLane *lane = batch->lane;
  gboolean plain = batch->plain; /* the batch may be no more at the end */
  VyreRelease release = { .tenant = NULL };

  if (vyre_is_inherited (kernel->generation))
    return;
  vyre_copies_wait (batch);
  vyre_batch_lock (batch);
  if (atomic_load (&batch->done)) { /* pairs with the store in vyre_batch_complete() */
    vyre_batch_destroy (batch);
  } else if (batch->follows && batch->early != VYRE_EARLY_RUNS) {
    release = batch_withdraw (batch);
  } else {
    batch->orphaned = TRUE;
    /* the thread that rings a batch looks at orphaned afterwards */
    if (vyre_megakernel_has_failed (kernel) && batch->rung)
      release = vyre_batch_give_up (batch);
    else if (batch->rung && !batch->parked)
      vyre_tickets_drop (batch);
  }
  vyre_lane_unlock (lane, plain);
  vyre_release_run (&release);
}

const VyreCompletion *
vyre_batch_get_completion (VyreBatch *batch)
{
  return &batch->completion;
}

gboolean
vyre_batch_check (VyreBatch *batch, GError **error)
{
  const VyrePlan *plan = batch->plan->origin ? batch->plan->origin : batch->plan;
  guint64 bytes = batch->completion.payload_bytes;
  guint64 planned = plan->region_bytes - (batch->spares_twins ? plan->twin_bytes : 0);

  if (bytes != planned) /* there may be slots that did not run */
    planned = vyre_plan_count_bytes_read (
        plan, vyre_batch_readback (batch), batch->missing, batch->spares_twins);
  if (bytes == planned)
    return TRUE;
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_STUCK,
      "The kernel processed %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
      " bytes of a batch. Fix: set residency=dispatch, and report the driver.",
      bytes, planned);
  return FALSE;
}

const guint8 *
vyre_batch_get_readback (VyreBatch *batch)
{
  return vyre_store_get_data (batch->kernel->readbacks) ? vyre_batch_readback (batch) : NULL;
}

gsize
vyre_batch_steal_readback (VyreBatch *batch)
{
  batch->stolen = TRUE;
  return batch->readback;
}

const guint32 *
vyre_batch_get_state (VyreBatch *batch, guint *n_words)
{
  *n_words = batch->state ? batch->plan->n_state : 0;
  return batch->state;
}

gboolean
vyre_batch_has_older (VyreBatch *batch, guint from)
{
  return (batch->missing >> from & 1) == 0;
}

gboolean
vyre_batch_is_reference (VyreBatch *batch)
{
  return batch->is_reference;
}

const GError *
vyre_batch_get_io_error (VyreBatch *batch)
{
  return batch->io_error;
}
