/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/slice.h"

#include <string.h>

#include "device/wide-store.h"
#include "kernel/state.h"

/* Tells the kernel which of the program's files are resident, and pins them. */
static void
slice_fill_table (VyreBatch *batch, guint32 *slice)
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

/* Tells the kernel where older payloads are. */
static void
slice_fill_older (VyreBatch *batch, guint32 *slice)
{
  G_STATIC_ASSERT (VYRE_FROM_OWN == 0);
  batch->older[VYRE_FROM_OWN]
      = batch->stored_at != VYRE_NOWHERE ? batch->stored_at : batch->payload.offset;
  vyre_plan_write_payloads (batch->plan, batch->older, VYRE_N_OLDER, slice);
  vyre_plan_empty_regions (batch->plan, batch->missing, slice);
}

/* Where the batch runs, unless it starts from a template. */
static guint32 *
slice_get_slice (const VyreBatch *batch)
{
  const VyreMegakernel *kernel = batch->kernel;

  return kernel->traits->in_device_memory
             ? (guint32 *)(vyre_store_get_data (kernel->work) + batch->work)
             : (guint32 *)vyre_batch_readback (batch);
}

/* Without the lock. Writes the plan of a batch as it is before it runs, unless it starts from a
 * template or goes on from the run before, and marks where it will be read back. */
void
vyre_slice_write_plan (VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;
  const VyrePlan *plan = batch->plan;
  gboolean fills = !batch->small && !batch->started;

  batch->is_written = TRUE;
  if (!kernel->traits->in_device_memory) {
    if (fills)
      memcpy (slice_get_slice (batch), plan->slice, plan->slice_size);
    return;
  }
  vyre_readback_marks_expect (vyre_batch_readback (batch), plan, &kernel->mark);
  if (!fills)
    return;
  vyre_wide_store (slice_get_slice (batch), plan->slice, plan->slice_size);
  vyre_buffer_flush (); /* keeps what differs behind what it replaces; pairs with no load */
}

/* Writes in which words the batch differs from its plan. */
static void
slice_fill_slice (VyreBatch *batch, guint32 *slice)
{
  gint64 tag_word = vyre_plan_tag_word (batch->plan);

  if (tag_word != VYRE_NO_TAG_WORD)
    slice[tag_word] = GUINT32_TO_LE (batch->completion.tag);
  slice_fill_table (batch, slice);
}

/* Writes what the batch before decides. */
static void
slice_fill_inherited (VyreBatch *batch, guint32 *slice)
{
  const VyrePlan *plan = batch->plan;

  if (plan->older != 0)
    slice_fill_older (batch, slice);
  if (batch->state && !plan->origin) /* the rest of a batch goes on with what is there */
    vyre_plan_write_state (plan, batch->state, slice);
}

/* Writes the batch as it is before this run. */
void
vyre_slice_write (VyreBatch *batch)
{
  if (!batch->is_written)
    vyre_slice_write_plan (batch);
  batch->is_written = FALSE;
  if (batch->small)
    return;
  if (!batch->started)
    slice_fill_slice (batch, slice_get_slice (batch));
  if (batch->early == VYRE_EARLY_OVER || (!batch->started && batch->early == VYRE_EARLY_NONE))
    slice_fill_inherited (batch, slice_get_slice (batch));
  if (batch->cut || batch->spares_twins || batch->early != VYRE_EARLY_NONE)
    vyre_plan_write_run (batch->plan, &batch->run, slice_get_slice (batch));
}

void
vyre_slice_store_payload (const VyreBatch *batch)
{
  const VyreMegakernel *kernel = batch->kernel;
  const guint8 *data = batch->payload.data
                           ? batch->payload.data
                           : vyre_store_get_data (kernel->staging) + batch->payload.offset;

  vyre_wide_store (
      vyre_store_get_data (kernel->payloads) + batch->stored_at, data, batch->plan->payload_size);
}
