/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/reserve.h"

#include "base/spin-lock.h"
#include "base/wait.h"
#include "kernel/completion.h"
#include "kernel/copies.h"
#include "kernel/lanes.h"
#include "kernel/state.h"
#include "kernel/stream-private.h"
#include "kernel/template.h"
#include "kernel/tickets.h"
#include "vyre/clock.h"

/* A thread that waits for room sleeps no longer than that at a time, ns. Copies end every 20 µs. */
#define LONGEST_SLEEP_NS 200000
#define LONGEST_SLEEP_COPY_NS 50000

/* Any thread. Whether a batch of @plan that is about to be published goes by copy engine, if that
 * can read @payload. Behind other batches of its lane, the host's time counts and not the batch's
 * own: a payload that a copy engine can read goes that way sooner. */
gboolean
vyre_lane_prefers_copy_engine (
    const VyreLane *lane, const VyrePlan *plan, const VyrePayload *payload)
{
  const VyreMegakernel *kernel = lane->kernel;
  gboolean readable = !payload->data || payload->import;
  gboolean behind
      = atomic_load_explicit (&lane->n_in_flight, memory_order_relaxed) > 0; /* a guess */

  return kernel->copy_engine.device && plan->payload_size > 0
         && plan->payload_size
                >= (readable && behind ? kernel->train_threshold : kernel->copy_threshold);
}

gboolean
vyre_batch_goes_by_copy_engine (const VyreBatch *batch)
{
  return batch->copied && !batch->resumed;
}

/* Both locks held. Whether there is a place in the answer, and numbers of tickets. */
static gboolean
reserve_has_room (const VyreBatch *batch)
{
  return vyre_lane_has_place (batch->lane)
         && vyre_lane_has_tickets (batch->lane, vyre_tickets_count (batch))
         && (!vyre_batch_goes_by_copy_engine (batch) || vyre_copies_have_room (batch));
}

/* Kernel's lock held. The same; batches of other threads may take the room. */
gboolean
vyre_batch_has_room (const VyreBatch *batch)
{
  vyre_mutex_lock (&batch->lane->lock);
  gboolean has = reserve_has_room (batch);
  g_mutex_unlock (&batch->lane->lock);
  return has;
}

static gboolean
reserve_set_busy (const VyreMegakernel *kernel, GError **error)
{
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_TIMEOUT,
      "%s: no room for another batch (%u in flight, %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT
      " readback bytes lent out). Fix: wait for results and free their readbacks.",
      vyre_device_get_name (kernel->device), vyre_lanes_count_in_flight (kernel),
      vyre_store_get_used (kernel->readbacks), vyre_store_get_size (kernel->readbacks));
  return FALSE;
}

/* Where loops are cut short, copying a readback out has to be bounded. */
static gboolean
reserve_is_too_long_to_copy (const VyreMegakernel *kernel, const VyrePlan *plan)
{
  return kernel->limited && kernel->traits->in_device_memory
         && plan->copy_cost > VYRE_COST_COPY_OUT_MAX;
}

static gboolean
reserve_set_too_large (const VyreMegakernel *kernel, const VyrePlan *plan, GError **error)
{
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
      "A batch of %" G_GSIZE_FORMAT " bytes is larger than the %" G_GSIZE_FORMAT
      " bytes there may be of a readback. Fix: use fewer slots or observables.",
      plan->slice_size,
      reserve_is_too_long_to_copy (kernel, plan)
          ? (gsize)VYRE_COST_COPY_OUT_MAX * plan->workgroup * VYRE_GRANULE
          : vyre_store_get_size (kernel->readbacks));
  return FALSE;
}

/* The memory for payloads that a batch needs: older ones stay until its end. */
static gsize
reserve_payload_bytes (const VyrePlan *plan)
{
  gboolean previous = plan->older >> VYRE_FROM_PREVIOUS & 1;
  gboolean reference = plan->older >> VYRE_FROM_REFERENCE & 1;

  return plan->payload_size * (1 + previous + reference);
}

static gboolean
reserve_set_payload_too_large (const VyreMegakernel *kernel, const VyrePlan *plan, GError **error)
{
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
      "%s of %" G_GSIZE_FORMAT " bytes is larger than the %" G_GSIZE_FORMAT
      " bytes there are for payloads. Fix: use staging memory of %" G_GSIZE_FORMAT
      " bytes or more.",
      plan->older != 0 ? "A payload with older ones" : "A payload", reserve_payload_bytes (plan),
      vyre_store_get_size (kernel->payloads), reserve_payload_bytes (plan));
  return FALSE;
}

/* Whether the plan's batches can run on a kernel that does nothing else. */
static gboolean
reserve_check (const VyreMegakernel *kernel, const VyrePlan *plan, GError **error)
{
  if (kernel->failure)
    return vyre_megakernel_set_failure (kernel, error);
  if (plan->slice_size > vyre_store_get_size (kernel->readbacks)
      || reserve_is_too_long_to_copy (kernel, plan))
    return reserve_set_too_large (kernel, plan, error);
  if (kernel->payloads && reserve_payload_bytes (plan) > vyre_store_get_size (kernel->payloads))
    return reserve_set_payload_too_large (kernel, plan, error);
  return TRUE;
}

/* Allocates in memory of the device what the batch needs there, or part of it. */
static gboolean
reserve_alloc_on_device (VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;
  const VyrePlan *plan = batch->plan;

  if (!batch->small && !vyre_store_alloc (kernel->work, plan->slice_size, 0, &batch->work)) {
    batch->work = VYRE_NOWHERE;
    return FALSE;
  }
  if (batch->resumed || plan->payload_size == 0
      || vyre_store_alloc (kernel->payloads, plan->payload_size, 0, &batch->stored_at))
    return TRUE;
  batch->stored_at = VYRE_NOWHERE;
  return FALSE;
}

/* Allocates all the memory that a batch needs, or nothing. */
static gboolean
reserve_alloc (VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;
  gboolean on_device = kernel->traits->in_device_memory;
  gsize size = on_device ? batch->plan->report_size : batch->plan->slice_size;

  if (!batch->resumed && !vyre_store_alloc (kernel->readbacks, size, 0, &batch->readback)) {
    batch->readback = VYRE_NOWHERE;
    return FALSE;
  }
  if (!on_device || reserve_alloc_on_device (batch))
    return TRUE;
  if (batch->resumed) /* its readback and payload stay */
    return FALSE;
  vyre_batch_unreserve (batch);
  return FALSE;
}

/* Kernel's lock held. */
static gboolean
reserve_try (VyreBatch *batch)
{
  return vyre_batch_has_room (batch) && reserve_alloc (batch);
}

/* Lane's lock held. Gives a batch its memory without asking the kernel for room, or does nothing:
 * the plan's template is there, or it needs none. */
gboolean
vyre_batch_reserve_now (VyreBatch *batch)
{
  const VyreMegakernel *kernel = batch->kernel;
  const VyrePlan *plan = batch->plan;

  batch->small = vyre_template_is_there (batch);
  if (!batch->small && kernel->traits->in_device_memory && plan->small)
    return FALSE; /* perhaps it can be made */
  return !reserve_is_too_long_to_copy (kernel, plan) && reserve_alloc (batch);
}

/* Locked. Undoes it. */
void
vyre_batch_unreserve (VyreBatch *batch)
{
  vyre_batch_free_memory (batch);
  vyre_store_free (batch->kernel->readbacks, batch->readback);
  batch->readback = VYRE_NOWHERE;
}

/* How long the batch may sleep at a time while it waits for room, ns. */
gint64
vyre_batch_longest_sleep (const VyreBatch *batch)
{
  return vyre_batch_goes_by_copy_engine (batch) ? LONGEST_SLEEP_COPY_NS : LONGEST_SLEEP_NS;
}

/* Kernel's lock held, and dropped on the way. Completions are words in memory and wake no thread,
 * so this one looks again after a sleep. */
static void
reserve_sleep (VyreMegakernel *kernel, VyreWait *wait, gint64 longest)
{
  gint64 latest = wait->start + 2 * longest; /* a sleep takes half of the wait so far */

  g_mutex_unlock (&kernel->lock);
  vyre_wait_step (wait, FALSE, MIN (vyre_now (), latest));
  vyre_mutex_lock (&kernel->lock);
}

/* Kernel's lock held. Takes what has ended out of flight. TRUE if the lock was dropped meanwhile.
 */
static gboolean
reserve_reap (VyreMegakernel *kernel)
{
  VyreReleases releases;

  vyre_megakernel_reap (kernel, &releases);
  if (releases.n == 0)
    return FALSE;
  g_mutex_unlock (&kernel->lock);
  vyre_releases_run (&releases);
  vyre_mutex_lock (&kernel->lock);
  return TRUE;
}

/* Kernel's lock held. Whether a batch is not through, or about to drop its stream: that may give
 * back what the stream keeps. */
static gboolean
reserve_is_busy (const VyreMegakernel *kernel)
{
  VyreMegakernelCounters counters = { 0 };

  for (const GList *l = kernel->lanes.head; l; l = l->next)
    vyre_lane_count (l->data, &counters);
  /* pairs with vyre_batch_take_release() and vyre_release_run() */
  return counters.batches != counters.completed || atomic_load (&kernel->n_leaving) > 0;
}

/* Whether a payload finds no room beside those that streams keep. */
static gboolean
reserve_keeps_out (VyreMegakernel *kernel, gsize size)
{
  /* pairs with vyre_stream_replace() */
  return kernel->payloads
         && atomic_load (&kernel->kept) + size > vyre_store_get_size (kernel->payloads);
}

/* Kernel's lock held. The same for payloads that streams keep until their next batches end, which
 * may have no room for theirs either. The last batch may have changed that when it was seen off. */
static gboolean
reserve_is_kept_full (VyreMegakernel *kernel, gsize size)
{
  return reserve_keeps_out (kernel, size) && !reserve_is_busy (kernel)
         && reserve_keeps_out (kernel, size);
}

static gboolean
reserve_set_kept_full (VyreMegakernel *kernel, gsize size, GError **error)
{
  gsize kept = atomic_load (&kernel->kept); /* the same */

  g_set_error (error, VYRE_ERROR, VYRE_ERROR_NO_SPACE,
      "%s: a payload of %" G_GSIZE_FORMAT " bytes does not fit beside the %" G_GSIZE_FORMAT
      " bytes that programs with older payloads keep, in %" G_GSIZE_FORMAT
      " bytes. Fix: set staging-size=%" G_GSIZE_FORMAT
      " or more, or kernel-group=NAME for kernels of their own.",
      vyre_device_get_name (kernel->device), size, kept, vyre_store_get_size (kernel->payloads),
      kept + size);
  return FALSE;
}

/* Kernel's lock held. Gives back what the batch's stream keeps in vain. TRUE if the lock was
 * dropped meanwhile. */
static gboolean
reserve_drop_useless (const VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;
  VyreKept *dropped = NULL;

  vyre_stream_drop_useless (batch, &dropped);
  if (!dropped)
    return FALSE;
  g_mutex_unlock (&kernel->lock);
  vyre_stream_drop (batch->stream, dropped);
  vyre_mutex_lock (&kernel->lock);
  return TRUE;
}

static gboolean
reserve_wait (VyreBatch *batch, VyreWait *wait, gint64 end_time, GError **error)
{
  VyreMegakernel *kernel = batch->kernel;
  VyreClock clock = { 0 };

  for (;;) {
    if (!reserve_check (kernel, batch->plan, error))
      return FALSE;
    batch->small = vyre_template_find (batch);
    if (reserve_try (batch))
      return TRUE;
    if (reserve_reap (kernel) || reserve_drop_useless (batch))
      continue;
    if (reserve_try (batch))
      return TRUE;
    if (!batch->resumed && reserve_is_kept_full (kernel, batch->plan->payload_size))
      return reserve_set_kept_full (kernel, batch->plan->payload_size, error);
    if (vyre_clock_now (&clock) >= end_time)
      return reserve_set_busy (kernel, error);
    reserve_sleep (kernel, wait, vyre_batch_longest_sleep (batch));
  }
}

/* Kernel's lock held. Waits until the batch has a place. The lock is dropped while it waits. */
gboolean
vyre_batch_reserve (VyreBatch *batch, gint64 end_time, GError **error)
{
  VyreWait wait;

  vyre_wait_begin (&wait, 0, !vyre_device_is_cpu (batch->kernel->device), vyre_now ());
  gboolean has = reserve_wait (batch, &wait, end_time, error);
  vyre_wait_end (&wait, vyre_now ());
  return has;
}

static gboolean
reserve_set_payload_busy (VyreMegakernel *kernel, gsize size, GError **error)
{
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_TIMEOUT,
      "%s: no room for an older payload of %" G_GSIZE_FORMAT " bytes (%" G_GSIZE_FORMAT
      " of %" G_GSIZE_FORMAT " bytes are in use). Fix: wait for results.",
      vyre_device_get_name (kernel->device), size, vyre_store_get_used (kernel->payloads),
      vyre_store_get_size (kernel->payloads));
  return FALSE;
}

static gboolean
reserve_wait_for_payload (VyreMegakernel *kernel, gsize size, VyreWait *wait, gint64 end_time,
    gsize *offset, GError **error)
{
  VyreClock clock = { 0 };

  for (;;) {
    if (kernel->failure)
      return vyre_megakernel_set_failure (kernel, error);
    if (vyre_store_alloc (kernel->payloads, size, 0, offset))
      return TRUE;
    if (reserve_reap (kernel))
      continue;
    if (reserve_is_kept_full (kernel, size))
      return reserve_set_kept_full (kernel, size, error);
    if (vyre_clock_now (&clock) >= end_time)
      return reserve_set_payload_busy (kernel, size, error);
    reserve_sleep (kernel, wait, LONGEST_SLEEP_NS);
  }
}

/* Without the lock. Waits for room on the device for a payload that no batch brings. */
gboolean
vyre_megakernel_reserve_payload (
    VyreMegakernel *kernel, gsize size, gint64 end_time, gsize *offset, GError **error)
{
  VyreWait wait;

  vyre_wait_begin (&wait, 0, !vyre_device_is_cpu (kernel->device), vyre_now ());
  vyre_mutex_lock (&kernel->lock);
  gboolean has = reserve_wait_for_payload (kernel, size, &wait, end_time, offset, error);
  g_mutex_unlock (&kernel->lock);
  vyre_wait_end (&wait, vyre_now ());
  return has;
}
