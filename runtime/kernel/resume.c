/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/resume.h"

#include "base/spin-lock.h"
#include "kernel/completion.h"
#include "kernel/lanes.h"
#include "kernel/publish.h"
#include "kernel/reserve.h"
#include "kernel/state.h"
#include "kernel/turns.h"

/* How long a batch waits for a place before the line gets a chance to make one. */
#define RESERVE_STEP_US (20 * G_TIME_SPAN_MILLISECOND)

/* Lane's lock held. Leaves a batch that a failed kernel will not go on with to the thread that
 * waits for it, or to the kernel's end. */
static void
resume_leave (VyreBatch *batch)
{
  batch->rung = TRUE; /* no thread publishes it */
  batch->link.data = batch;
  g_queue_push_tail_link (&batch->lane->in_flight, &batch->link);
  atomic_fetch_add (&batch->lane->n_in_flight, 1); /* for its counters: the kernel has failed */
}

/* Kernel's lock held. Ends a batch that will not go on. One that was freed, on a kernel that works,
 * is complete and lets in the one behind it. */
static void
resume_give_up (VyreBatch *batch, VyreReleases *releases)
{
  VyreLane *lane = batch->lane; /* the batch may be no more at the end */

  vyre_mutex_lock (&lane->lock);
  if (!batch->orphaned) {
    resume_leave (batch);
  } else if (batch->kernel->failure) {
    releases->list[releases->n++] = vyre_batch_take_release (batch);
    vyre_batch_destroy (batch);
  } else {
    vyre_batch_complete (batch, releases);
  }
  g_mutex_unlock (&lane->lock);
}

/* Lock held. Drops batches in the line that were freed, and all of them if the kernel has failed.
 */
static void
resume_drop_unwanted (VyreMegakernel *kernel, VyreReleases *releases)
{
  for (GList *l = kernel->turns.head, *next; l && releases->n < VYRE_MOST_RELEASES; l = next) {
    VyreBatch *batch = l->data;
    next = l->next;
    if (!kernel->failure && !batch->orphaned)
      continue;
    vyre_turns_unqueue (batch);
    resume_give_up (batch, releases);
  }
}

/* Lock held, and dropped on the way. Publishes each batch whose turn it is. */
static void
resume_publish_next (VyreMegakernel *kernel, VyreReleases *releases)
{
  VyreBatch *batch;

  while (releases->n < VYRE_MOST_RELEASES - 1 && !kernel->failure
         && (batch = vyre_turns_peek (kernel)) && vyre_batch_has_room (batch)) {
    VyreRelease stored = { NULL };
    vyre_turns_unqueue (batch);
    gboolean published = vyre_batch_publish (batch, &stored);
    releases->list[releases->n++] = stored;
    if (!published)
      return;
    vyre_turns_note (batch);
    if (batch->orphaned && kernel->failure)
      releases->list[releases->n++] = vyre_batch_take_release (batch);
  }
}

/* Goes on with what waits in the line. Returns whether to call it again soon. */
gboolean
vyre_turns_proceed (VyreMegakernel *kernel)
{
  VyreReleases releases;

  releases.n = 0;
  vyre_mutex_lock (&kernel->lock);
  /* completions wake no thread, and the owners of batches may not look */
  if (!vyre_turns_are_over (kernel) || kernel->collect)
    vyre_megakernel_collect (kernel);
  resume_drop_unwanted (kernel, &releases);
  resume_publish_next (kernel, &releases);
  gboolean over = vyre_turns_are_over (kernel);
  g_mutex_unlock (&kernel->lock);
  vyre_releases_run (&releases);
  return !over;
}

/* Empties the line when the service thread stops: the owners of its batches have freed them. */
void
vyre_turns_end (VyreMegakernel *kernel)
{
  while (!g_queue_is_empty (&kernel->turns))
    vyre_turns_proceed (kernel);
}

/* Lock held, and dropped on the way. Waits for a place for the rest of a batch. FALSE: the batch
 * was freed, or the kernel has failed. */
static gboolean
resume_reserve (VyreBatch *batch)
{
  while (!batch->orphaned && !batch->kernel->failure) {
    if (vyre_batch_reserve (batch, g_get_monotonic_time () + RESERVE_STEP_US, NULL))
      return TRUE;
    g_mutex_unlock (&batch->kernel->lock);
    vyre_turns_proceed (batch->kernel); /* a batch in the line may be what takes the room */
    vyre_mutex_lock (&batch->kernel->lock);
  }
  return FALSE;
}

/* Lock held, and dropped on the way. Publishes the rest of a batch, which may be freed meanwhile;
 * what it gives back then goes to @releases. */
static void
resume_publish (VyreBatch *batch, VyreReleases *releases)
{
  VyreRelease stored = { NULL };

  vyre_turns_begin (batch);
  if (!resume_reserve (batch)) {
    resume_give_up (batch, releases);
    return;
  }
  batch->parked = FALSE;
  vyre_batch_publish_or_queue (batch, &stored); /* its payload has been stored: that stays empty */
  if (batch->orphaned && batch->kernel->failure && batch->rung)
    releases->list[releases->n++] = vyre_batch_take_release (batch);
}

/* Has a parked batch, whose requests were answered in its readback, go on from there. With
 * @writes, its slots may ask for those. */
void
vyre_batch_resume (VyreBatch *batch, gboolean writes)
{
  VyreMegakernel *kernel = batch->kernel;
  GError *error = NULL;
  VyreReleases releases;
  VyrePlan *rest = vyre_plan_continue (batch->plan, vyre_batch_readback (batch), writes, &error);

  if (!rest) {
    if (batch->io_error)
      g_error_free (error);
    else
      batch->io_error = error;
    vyre_batch_end (batch);
    return;
  }
  releases.n = 0;
  vyre_mutex_lock (&kernel->lock);
  vyre_plan_unref (batch->plan);
  batch->plan = rest;
  resume_publish (batch, &releases);
  g_mutex_unlock (&kernel->lock);
  vyre_releases_run (&releases);
}
