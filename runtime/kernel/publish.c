/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/publish.h"

#include "base/spin-lock.h"
#include "kernel/completion.h"
#include "kernel/copies.h"
#include "kernel/import-private.h"
#include "kernel/lanes.h"
#include "kernel/launcher.h"
#include "kernel/extras.h"
#include "kernel/reserve.h"
#include "kernel/slice.h"
#include "kernel/state.h"
#include "kernel/stream-private.h"
#include "kernel/tickets.h"
#include "kernel/turns.h"

/* Batches of a stream that wait for another and have an early run, at most: while that of one runs,
 * the device finds that of the next. */
#define MOST_EARLY 2

/* A lane whose last batch ended so long before the next is published serves a live stream, ns. */
#define LIVE_GAP_NS 200000

/* Locked. Takes a run of the batch into flight: from here on its tickets have numbers, and nothing
 * can go wrong but the device. FALSE: there is no room, after all. */
static gboolean
publish_enter (VyreBatch *batch)
{
  batch->by_copy_engine = vyre_batch_goes_by_copy_engine (batch);
  batch->rung = FALSE;
  batch->arrived = 0;
  if (!vyre_lane_enter (batch, vyre_tickets_count (batch)))
    return FALSE;
  vyre_completion_expect (batch);
  if (batch->by_copy_engine)
    vyre_copies_enter (batch);
  vyre_turns_entered (batch);
  return TRUE;
}

/* Without the lock. Everything but launching, by the CPU alone. */
static void
publish_store (VyreBatch *batch)
{
  vyre_slice_write (batch);
  if (batch->stored_at != VYRE_NOWHERE && !batch->resumed)
    vyre_slice_store_payload (batch);
  /* pairs with the barrier in take(), and with the addresses that look() depends on,
   * megakernel.comp: what tickets announce is there before them */
  vyre_buffer_flush ();
  vyre_tickets_write (batch);
  vyre_buffer_flush (); /* the doorbell rings now, not at some time; pairs with no load */
}

/* Without the lock. The same for a copy engine, which copies payload and tickets later. */
static void
publish_prepare_copy (VyreBatch *batch)
{
  vyre_slice_write (batch);
  vyre_tickets_write (batch);
  vyre_buffer_flush (); /* pairs with the submission in copies_submit() */
}

/* Lock held. The payload is on the device, or about to be stored there by the CPU: it can go back
 * at once. */
static VyreRelease
publish_take_payload (VyreBatch *batch)
{
  VyreRelease stored = { batch->let_go,
    { .release = batch->payload.release, .owner = batch->payload.owner }, NULL };

  batch->payload.release = NULL;
  if (!batch->payload.import)
    batch->let_go = NULL;
  return stored;
}

/* Any thread, for a batch in flight. It is rung: the thread that frees it now drops its tickets,
 * and it is dropped here if that came first. */
static void
publish_note_rung (VyreBatch *batch)
{
  vyre_mutex_lock (&batch->lane->lock);
  batch->started = batch->resumed = TRUE;
  if (batch->early == VYRE_EARLY_OVER)
    batch->early = VYRE_EARLY_NONE;
  /* pairs with the load in vyre_batch_has_ended() */
  atomic_store_explicit (&batch->rung, true, memory_order_release);
  if (batch->orphaned) /* meanwhile */
    vyre_tickets_drop (batch);
  g_mutex_unlock (&batch->lane->lock);
}

/* From here on the launcher launches for the batch, if no launch serves it. */
static void
publish_end_ringing (VyreBatch *batch)
{
  atomic_fetch_sub (&batch->lane->n_ringing, 1); /* pairs with launcher_has_orphans() */
}

/* Kernel's lock held on entry and exit, not while memory is written: other threads publish
 * meanwhile, since tickets may become visible in any order. A payload that the CPU stores becomes
 * @stored. */
static void
publish_ring (VyreBatch *batch, VyreRelease *stored)
{
  VyreMegakernel *kernel = batch->kernel;

  if (batch->stored_at != VYRE_NOWHERE && !batch->by_copy_engine && !batch->resumed)
    *stored = publish_take_payload (batch);
  g_mutex_unlock (&kernel->lock);
  if (batch->by_copy_engine)
    publish_prepare_copy (batch);
  else
    publish_store (batch);
  vyre_mutex_lock (&kernel->lock);
  if (batch->by_copy_engine)
    vyre_copies_submit (batch);
  publish_note_rung (batch);
  publish_end_ringing (batch);
  vyre_launcher_published (kernel, batch);
}

/* Kernel's lock held, and dropped on the way. Publishes a run of a batch, or does nothing, with
 * FALSE, if there is no room. Afterwards *@stored is a payload to give back, or nothing. */
static gboolean
publish_try (VyreBatch *batch, VyreRelease *stored)
{
  gboolean entered = FALSE;

  if (vyre_batch_has_room (batch)) {
    vyre_mutex_lock (&batch->lane->lock);
    entered = publish_enter (batch);
    g_mutex_unlock (&batch->lane->lock);
  }
  if (entered)
    publish_ring (batch, stored);
  return entered;
}

/* Kernel's lock held, and dropped on the way. Publishes a run of a batch that has its turn, and
 * puts the batch in the line, with FALSE, if batches of other threads took its room. Afterwards
 * *@stored is a payload to give back, or nothing. */
gboolean
vyre_batch_publish (VyreBatch *batch, VyreRelease *stored)
{
  if (vyre_copies_settle (batch))
    *stored = publish_take_payload (batch);
  gboolean entered = publish_try (batch, stored);
  if (!entered)
    vyre_turns_queue (batch);
  return entered;
}

/* As vyre_batch_publish(); but the batch goes to the end of the line if the device has no time for
 * it now. */
void
vyre_batch_publish_or_queue (VyreBatch *batch, VyreRelease *stored)
{
  if (vyre_turns_may_enter (batch))
    vyre_batch_publish (batch, stored);
  else
    vyre_turns_queue (batch);
}

/* Gives back a payload, and first the import that it lies in: its memory may be freed afterwards.
 */
static void
publish_let_go (const VyrePayload *payload)
{
  if (payload->import)
    vyre_import_unref (payload->import);
  if (payload->release)
    payload->release (payload->owner);
}

/* Lane's lock held. */
static VyreBatch *
publish_make_batch (VyreLane *lane, VyrePlan *plan, guint32 tag, const VyrePayload *payload)
{
  VyreBatch *batch = vyre_lane_take_record (lane);

  *batch = (VyreBatch){
    .kernel = lane->kernel,
    .lane = lane,
    .plan = vyre_plan_ref (plan),
    .in_row = vyre_plan_follows (plan),
    .payload = *payload,
    .let_go = payload->import || payload->release ? publish_let_go : NULL,
    .readback = VYRE_NOWHERE,
    .work = VYRE_NOWHERE,
    .stored_at = VYRE_NOWHERE,
    .missing = VYRE_ALL_MISSING,
    .completion.tag = tag,
  };
  if (payload->import)
    batch->payload.offset = (gsize)(payload->data - payload->import->base);
  return batch;
}

/* Notes the time at which a batch is published, before any other thread may see its end. */
static void
publish_note_time (VyreBatch *batch)
{
  /* a time, which orders nothing */
  gint64 last = atomic_load_explicit (&batch->lane->last_activity, memory_order_relaxed);

  batch->published = vyre_now ();
  batch->live = batch->published - last >= LIVE_GAP_NS;
}

/* Lane's lock held. Counts a batch that has its place. */
static void
publish_count (VyreBatch *batch)
{
  VyreLane *lane = batch->lane;
  gsize size = batch->plan->payload_size;

  if (batch->payload.import)
    vyre_import_ref (batch->payload.import);
  lane->batches++;
  if (vyre_batch_goes_by_copy_engine (batch))
    lane->copied_bytes += size;
  else if (batch->stored_at != VYRE_NOWHERE)
    lane->stored_bytes += size;
  else
    lane->in_place_bytes += size;
}

static gboolean
publish_can_import (VyreMegakernel *kernel, const VyrePlan *plan, const VyrePayload *payload)
{
  return plan->older == 0 && vyre_megakernel_can_import (kernel, plan->payload_size)
         && vyre_import_is_of (payload->import, kernel)
         && vyre_import_has (payload->import, payload->data, plan->payload_size);
}

/* Lane's lock held. Whether the kernel as a whole need not know of the batch: it asks nothing of
 * the host, goes by the CPU and waits for no turn. */
static gboolean
publish_is_plain (const VyreBatch *batch)
{
  const VyrePlan *plan = batch->plan;

  return vyre_extras_are_plain (batch->kernel, plan->extras) && !plan->served
         && !batch->payload.import && !vyre_batch_goes_by_copy_engine (batch)
         && vyre_turns_pass (batch);
}

/* Lane's lock held. Takes a plain batch into flight, if there is room without a wait. */
static gboolean
publish_enter_plain (VyreBatch *batch)
{
  vyre_turns_begin (batch);
  if (vyre_megakernel_has_failed (batch->kernel) || !publish_is_plain (batch)
      || !vyre_batch_reserve_now (batch))
    return FALSE;
  if (!publish_enter (batch)) {
    vyre_batch_unreserve (batch);
    return FALSE;
  }
  batch->plain = TRUE;
  publish_count (batch);
  return TRUE;
}

/* A plain batch in flight. One that no launch serves rings until the lock is taken: the launcher
 * would launch for it, too. */
static void
publish_ring_plain (VyreBatch *batch, VyreRelease *stored)
{
  VyreMegakernel *kernel = batch->kernel;

  if (batch->stored_at != VYRE_NOWHERE)
    *stored = publish_take_payload (batch);
  publish_note_time (batch);
  publish_store (batch);
  publish_note_rung (batch);
  gboolean served = vyre_launcher_serves (batch);
  if (served) {
    publish_end_ringing (batch);
    if (vyre_launcher_serves (batch)) /* after it has ended to ring: see docs/architecture.md */
      return;
  }
  vyre_mutex_lock (&kernel->lock);
  if (!served)
    publish_end_ringing (batch);
  vyre_launcher_published (kernel, batch);
  g_mutex_unlock (&kernel->lock);
}

/* Kernel's lock held, and dropped on the way. Writes the plan of a batch that is going to wait for
 * the one before it, and stores its payload, or begins to copy it: publishing does not take the
 * time for that when the other has ended. */
static void
publish_write_ahead (VyreBatch *batch, VyreRelease *stored)
{
  VyreMegakernel *kernel = batch->kernel;
  gboolean has_payload = batch->stored_at != VYRE_NOWHERE;
  gboolean stores = has_payload && !batch->copied;

  if (!batch->stream->running)
    return;
  if (has_payload && batch->copied)
    vyre_copies_begin_ahead (batch);
  if (stores)
    *stored = publish_take_payload (batch);
  g_mutex_unlock (&kernel->lock);
  vyre_slice_write_plan (batch);
  if (stores)
    vyre_slice_store_payload (batch);
  vyre_buffer_flush (); /* another thread may write the tickets; pairs as in publish_store() */
  vyre_mutex_lock (&kernel->lock);
  batch->resumed = batch->resumed || stores;
}

/* Kernel's lock held. Gives the batch its place in the order in which files are written. One that
 * waits for the end of another gets it when the wait is over, with the batches published then. */
static void
publish_number (VyreBatch *batch)
{
  batch->number = ++batch->kernel->n_published;
}

/* Kernel's lock held, and dropped on the way. Publishes the early run of a batch that waits for
 * another, if its payload has come. TRUE: it is in flight. */
static gboolean
publish_early (VyreBatch *batch, VyreRelease *stored)
{
  VyreMegakernel *kernel = batch->kernel; /* the batch may end */

  if (kernel->failure || batch->early != VYRE_EARLY_NONE || batch->plan->early_tickets == 0)
    return FALSE;
  if (vyre_copies_settle (batch))
    *stored = publish_take_payload (batch);
  if ((batch->stored_at != VYRE_NOWHERE && !batch->resumed) || !vyre_turns_begin_early (batch))
    return FALSE;
  batch->early = VYRE_EARLY_RUNS;
  if (vyre_turns_may_enter (batch) && publish_try (batch, stored)) {
    kernel->n_early++;
    return TRUE;
  }
  batch->early = VYRE_EARLY_NONE;
  vyre_turns_begin (batch);
  return FALSE;
}

/* Kernel's lock held, and dropped on the way. Publishes the early runs of the first batches that
 * wait in a stream. */
static void
publish_early_runs (const VyreStream *stream, VyreReleases *releases)
{
  for (guint i = 0; i < MOST_EARLY; i++) {
    VyreBatch *batch = vyre_stream_peek (stream, i); /* others may have come and gone */
    VyreRelease stored = { NULL };
    if (!batch)
      return;
    if (publish_early (batch, &stored) && batch->orphaned && stream->kernel->failure)
      releases->list[releases->n++] = vyre_batch_give_up (batch);
    releases->list[releases->n++] = stored;
  }
}

/* Both locks held. Ends what is in flight of a batch whose turn has come, and what is not of one
 * that was freed. TRUE: there is a batch to go on with. */
static gboolean
publish_is_ready (VyreBatch *batch, VyreReleases *releases)
{
  batch->due = FALSE;
  if (batch->early == VYRE_EARLY_RUNS) {
    if (vyre_batch_has_ended (batch))
      vyre_batch_retire (batch, vyre_now (), releases); /* comes back here */
    return FALSE;
  }
  if (!batch->orphaned)
    return TRUE;
  vyre_batch_complete (batch, releases);
  return FALSE;
}

/* Kernel's lock held, and dropped on the way. Publishes all of a batch, or what its early run has
 * left, and the early runs of the next ones. */
static void
publish_go_on (VyreBatch *batch, VyreReleases *releases)
{
  VyreMegakernel *kernel = batch->kernel;
  VyreStream *stream = batch->stream; /* the batch may end */
  VyreRelease stored = { NULL };

  releases->list[releases->n++] = vyre_stream_release (stream, NULL);
  publish_number (batch);
  vyre_stream_begin (batch);
  if (batch->early == VYRE_EARLY_OVER)
    vyre_turns_go_behind (batch);
  vyre_batch_publish_or_queue (batch, &stored);
  if (batch->orphaned && kernel->failure && batch->rung)
    releases->list[releases->n++] = vyre_batch_give_up (batch);
  releases->list[releases->n++] = stored;
  publish_early_runs (stream, releases);
}

/* Without a lock: VyreStream.follow. Goes on with a batch, as the one before it has ended; its
 * owner may free it at the same time. */
static void
publish_follow (VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;
  VyreLane *lane = batch->lane; /* the batch may be no more at the end */
  VyreReleases releases;

  releases.n = 0;
  vyre_mutex_lock (&kernel->lock);
  vyre_mutex_lock (&lane->lock);
  gboolean ready = publish_is_ready (batch, &releases);
  g_mutex_unlock (&lane->lock);
  if (ready)
    publish_go_on (batch, &releases);
  g_mutex_unlock (&kernel->lock);
  vyre_releases_run (&releases);
}

/* Kernel's lock held, and dropped on the way. Publishes a batch that has its place, behind the one
 * before it if it has a stream. */
static void
publish_admit (VyreBatch *batch, VyreRelease *stored)
{
  if (batch->stream) {
    if (!batch->stream->follow) /* threads read it without the lock once a batch waits */
      batch->stream->follow = publish_follow;
    publish_write_ahead (batch, stored);
    if (!vyre_stream_enter (batch)) {
      if (vyre_stream_waits_among (batch, MOST_EARLY))
        publish_early (batch, stored);
      return;
    }
    vyre_stream_begin (batch);
  }
  publish_number (batch);
  vyre_batch_publish_or_queue (batch, stored);
}

/* Publishes a batch that is not plain, or has to wait for room. */
static gboolean
publish_in_turn (VyreBatch *batch, gint64 end_time, VyreRelease *stored, GError **error)
{
  VyreMegakernel *kernel = batch->kernel;

  vyre_mutex_lock (&kernel->lock);
  vyre_launcher_make_up (kernel);
  gboolean fits = vyre_extras_wait (kernel, batch->plan->extras, end_time, error);
  vyre_turns_begin (batch);
  fits = fits && vyre_batch_reserve (batch, end_time, error);
  if (fits) {
    kernel->counters.locked++;
    vyre_mutex_lock (&batch->lane->lock);
    publish_count (batch);
    g_mutex_unlock (&batch->lane->lock);
    publish_note_time (batch);
    publish_admit (batch, stored);
  }
  g_mutex_unlock (&kernel->lock);
  return fits;
}

/* Without a lock. TRUE if a copy engine moves the payload, for which the device may have to pin
 * more of the staging store. */
static gboolean
publish_wants_copy (VyreLane *lane, const VyrePlan *plan, const VyrePayload *payload)
{
  VyreSteps *steps = vyre_store_get_steps (lane->kernel->staging);
  g_autoptr (GError) error = NULL;

  if (!vyre_lane_prefers_copy_engine (lane, plan, payload))
    return FALSE;
  if (!steps || payload->data
      || vyre_steps_import (steps, payload->offset, plan->payload_size, &error))
    return TRUE;
  g_info ("%s", error->message);
  return FALSE;
}

/* Publishes a batch, behind the one before it if it has a @stream. */
static VyreBatch *
publish_batch (VyreLane *lane, VyreStream *stream, VyrePlan *plan, guint32 tag,
    const VyrePayload *payload, gint64 end_time, GError **error)
{
  VyreMegakernel *kernel = lane->kernel;

  g_return_val_if_fail (payload->offset % VYRE_GRANULE == 0, NULL);
  g_return_val_if_fail (plan->workgroup == kernel->pipeline.workgroup, NULL);
  g_return_val_if_fail (!payload->data || payload->import
                            || vyre_megakernel_stores_payload (kernel, plan->payload_size),
      NULL);
  g_return_val_if_fail (!payload->import || publish_can_import (kernel, plan, payload), NULL);
  if (!vyre_check_own (kernel->generation, "kernel", error))
    return NULL;
  VyreRelease stored = { NULL };
  gboolean copied = publish_wants_copy (lane, plan, payload);
  vyre_mutex_lock (&lane->lock);
  VyreBatch *batch = publish_make_batch (lane, plan, tag, payload);
  batch->copied = copied;
  gboolean fits = !stream || vyre_stream_join (stream, batch, error);
  gboolean plain = !stream && publish_enter_plain (batch);
  g_mutex_unlock (&lane->lock);
  if (plain) {
    publish_ring_plain (batch, &stored);
  } else if (!fits || !publish_in_turn (batch, end_time, &stored, error)) {
    vyre_mutex_lock (&lane->lock);
    vyre_batch_destroy (batch);
    g_mutex_unlock (&lane->lock);
    return NULL;
  }
  vyre_release_run (&stored);
  return batch;
}

VyreBatch *
vyre_lane_publish (VyreLane *lane, VyrePlan *plan, guint32 tag, const VyrePayload *payload,
    gint64 end_time, GError **error)
{
  return publish_batch (lane, NULL, plan, tag, payload, end_time, error);
}

VyreBatch *
vyre_stream_publish (VyreStream *stream, VyrePlan *plan, guint32 tag, const VyrePayload *payload,
    gint64 end_time, GError **error)
{
  g_return_val_if_fail (!stream->words || plan->n_state == stream->n_words, NULL);
  return publish_batch (stream->lane, stream, plan, tag, payload, end_time, error);
}

VyreBatch *
vyre_megakernel_publish (VyreMegakernel *kernel, VyrePlan *plan, guint32 tag,
    const VyrePayload *payload, gint64 end_time, GError **error)
{
  return vyre_lane_publish (kernel->lane, plan, tag, payload, end_time, error);
}
