/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/publish.h"

#include <string.h>

#include "base/spin-lock.h"
#include "kernel/completion.h"
#include "kernel/import-private.h"
#include "kernel/launcher.h"
#include "kernel/rare-operations.h"
#include "kernel/reserve.h"
#include "kernel/state.h"
#include "kernel/tickets.h"
#include "kernel/turns.h"

/* Lock held. Takes a run of the batch into flight: from here on its tickets have numbers, and
 * nothing can go wrong but the device. */
static void
publish_enter (VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;

  batch->index = kernel->free_indices[--kernel->n_free];
  vyre_completion_expect (batch);
  batch->by_copy_engine = vyre_batch_goes_by_copy_engine (batch);
  if (batch->by_copy_engine)
    batch->copy = vyre_copy_engine_take (&kernel->copy_engine);
  batch->first_ticket = kernel->tail;
  kernel->tail += vyre_tickets_count (batch);
  batch->arrived = 0;
  batch->rung = FALSE;
  batch->link.data = batch;
  g_queue_push_tail_link (&kernel->in_flight, &batch->link);
  vyre_turns_entered (batch);
}

/* Tells the kernel which of the program's files are resident, and pins them. */
static void
publish_fill_table (VyreBatch *batch, guint32 *slice)
{
  const VyreBoundProgram *bound = batch->plan->bound;

  if (!batch->plan->served || bound->n_resources == 0)
    return;
  batch->pins = g_new0 (VyreResidentFile *, bound->n_resources);
  for (guint i = 0; i < bound->n_resources; i++) {
    guint32 *entry = slice + vyre_plan_resource_word (batch->plan, i), granule, bytes;
    if (bound->resources[i].kind != VYRE_RESOURCE_FILE)
      continue;
    VyreFileName name = vyre_plan_resource_name (batch->plan, i);
    batch->pins[i] = vyre_resident_files_pin (batch->kernel->resident, &name, &granule, &bytes);
    if (!batch->pins[i])
      continue;
    entry[VYRE_RESOURCE_GRANULE] = GUINT32_TO_LE (granule);
    entry[VYRE_RESOURCE_BYTES] = GUINT32_TO_LE (bytes);
  }
}

/* Writes the batch as it is before it runs. */
static void
publish_fill_slice (VyreBatch *batch, guint32 *slice)
{
  const VyrePlan *plan = batch->plan;
  gint64 tag_word = vyre_plan_tag_word (plan);

  if (batch->kernel->traits->in_device_memory) {
    vyre_buffer_store ((guint8 *)slice, plan->slice, plan->slice_size);
    /* keeps the tag behind what it replaces; pairs with no load */
    vyre_buffer_flush ();
  } else {
    memcpy (slice, plan->slice, plan->slice_size);
  }
  if (tag_word != VYRE_NO_TAG_WORD)
    slice[tag_word] = GUINT32_TO_LE (batch->completion.tag);
  publish_fill_table (batch, slice);
}

/* Writes the batch's own state, unless it starts from a template or goes on from the run before,
 * and marks where it will be read back. */
static void
publish_write_slice (VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;
  gboolean on_device = kernel->traits->in_device_memory;

  if (on_device)
    vyre_readback_marks_expect (vyre_batch_readback (batch), batch->plan, &kernel->mark);
  if (batch->small)
    return;
  guint32 *slice = on_device ? (guint32 *)(vyre_store_get_data (kernel->work) + batch->work)
                             : (guint32 *)vyre_batch_readback (batch);
  if (!batch->started)
    publish_fill_slice (batch, slice);
  if (batch->cut)
    vyre_plan_write_run (batch->plan, &batch->run, slice);
}

static void
publish_store_payload (const VyreBatch *batch)
{
  const VyreMegakernel *kernel = batch->kernel;
  const guint8 *data = batch->payload.data
                           ? batch->payload.data
                           : vyre_store_get_data (kernel->staging) + batch->payload.offset;

  vyre_buffer_store (
      vyre_store_get_data (kernel->payloads) + batch->stored_at, data, batch->plan->payload_size);
}

/* Without the lock. Everything but launching, by the CPU alone. */
static void
publish_store (VyreBatch *batch)
{
  publish_write_slice (batch);
  if (batch->stored_at != VYRE_NOWHERE && !batch->resumed)
    publish_store_payload (batch);
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
  publish_write_slice (batch);
  vyre_tickets_write (batch);
  vyre_buffer_flush (); /* pairs with the submission in publish_submit_copy() */
}

/* Lock held, for the queue's sake. A kernel that cannot be reached any more has failed. */
static void
publish_submit_copy (VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;
  VyreImport *import = batch->payload.import;
  VyreCopyJob job = {
    .from = import ? import->memory.buffer : vyre_store_get_buffer (kernel->staging),
    .to = vyre_store_get_buffer (kernel->payloads),
    .range = { .srcOffset = batch->payload.offset,
        .dstOffset = batch->stored_at,
        .size = batch->plan->payload_size },
  };
  GError *error = NULL;

  if (kernel->failure) /* of another copy, perhaps, whose place stays taken */
    return;
  if (!vyre_copy_engine_submit (&kernel->copy_engine, batch->copy, &job, kernel->door.buffer,
          batch->first_ticket, vyre_tickets_count (batch), &error)) {
    vyre_megakernel_fail (kernel, error);
  } else if (import) {
    guint64 *copied = &import->copied[batch->copy % kernel->device->n_transfer_queues];
    *copied = MAX (*copied, batch->copy + 1); /* later copies may have been submitted first */
  }
}

/* Lock held. The CPU stores the payload, so that it can go back at once. */
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

/* Lock held on entry and exit, not while memory is written: other threads publish meanwhile, since
 * tickets may become visible in any order. A payload that the CPU stores becomes @stored. */
static void
publish_ring (VyreBatch *batch, VyreRelease *stored)
{
  VyreMegakernel *kernel = batch->kernel;

  kernel->n_ringing++;
  if (batch->stored_at != VYRE_NOWHERE && !batch->by_copy_engine && !batch->resumed)
    *stored = publish_take_payload (batch);
  g_mutex_unlock (&kernel->lock);
  if (batch->by_copy_engine)
    publish_prepare_copy (batch);
  else
    publish_store (batch);
  vyre_mutex_lock (&kernel->lock);
  if (batch->by_copy_engine)
    publish_submit_copy (batch);
  kernel->n_ringing--;
  batch->rung = TRUE;
  batch->started = batch->resumed = TRUE;
  if (batch->orphaned) /* meanwhile */
    vyre_tickets_drop (batch);
  vyre_launcher_published (kernel, batch);
}

/* Lock held, and dropped on the way. Publishes a run of a batch that has a place and its turn. Once
 * it returns, *@stored is a payload to give back, or nothing. */
void
vyre_batch_publish (VyreBatch *batch, VyreRelease *stored)
{
  publish_enter (batch);
  publish_ring (batch, stored);
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

static VyreBatch *
publish_make_batch (VyreMegakernel *kernel, VyrePlan *plan, guint32 tag, const VyrePayload *payload)
{
  VyreBatch *batch = g_new (VyreBatch, 1);

  *batch = (VyreBatch){
    .kernel = kernel,
    .plan = vyre_plan_ref (plan),
    .payload = *payload,
    .let_go = payload->import || payload->release ? publish_let_go : NULL,
    .readback = VYRE_NOWHERE,
    .work = VYRE_NOWHERE,
    .stored_at = VYRE_NOWHERE,
    .completion.tag = tag,
  };
  if (payload->import)
    batch->payload.offset = (gsize)(payload->data - payload->import->base);
  return batch;
}

/* Lock held. Counts a batch that has its place. */
static void
publish_count (VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;
  VyreMegakernelCounters *counters = &kernel->counters;
  gsize size = batch->plan->payload_size;

  if (batch->payload.import)
    vyre_import_ref (batch->payload.import);
  counters->batches++;
  batch->number = ++kernel->n_published;
  batch->published = vyre_now ();
  if (vyre_batch_goes_by_copy_engine (batch))
    counters->copied_bytes += size;
  else if (batch->stored_at != VYRE_NOWHERE)
    counters->stored_bytes += size;
  else
    counters->in_place_bytes += size;
}

static gboolean
publish_can_import (VyreMegakernel *kernel, const VyrePlan *plan, const VyrePayload *payload)
{
  return vyre_megakernel_can_import (kernel, plan->payload_size)
         && vyre_import_is_of (payload->import, kernel)
         && vyre_import_has (payload->import, payload->data, plan->payload_size);
}

VyreBatch *
vyre_megakernel_publish (VyreMegakernel *kernel, VyrePlan *plan, guint32 tag,
    const VyrePayload *payload, gint64 end_time, GError **error)
{
  g_return_val_if_fail (payload->offset % VYRE_GRANULE == 0, NULL);
  g_return_val_if_fail (plan->workgroup == kernel->pipeline.workgroup, NULL);
  g_return_val_if_fail (!payload->data || payload->import
                            || vyre_megakernel_stores_payload (kernel, plan->payload_size),
      NULL);
  g_return_val_if_fail (!payload->import || publish_can_import (kernel, plan, payload), NULL);
  if (!vyre_check_own (kernel->generation, "kernel", error))
    return NULL;
  VyreBatch *batch = publish_make_batch (kernel, plan, tag, payload);
  VyreRelease stored = { NULL };
  vyre_mutex_lock (&kernel->lock);
  gboolean fits = !plan->rare || vyre_rare_wait (kernel, end_time, error);
  vyre_turns_begin (batch);
  fits = fits && vyre_batch_reserve (batch, end_time, error);
  if (fits) {
    publish_count (batch);
    vyre_batch_publish_or_queue (batch, &stored);
  }
  g_mutex_unlock (&kernel->lock);
  vyre_release_run (&stored);
  if (!fits) {
    vyre_batch_destroy (batch);
    return NULL;
  }
  return batch;
}
