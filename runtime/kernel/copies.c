/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/copies.h"

#include "base/spin-lock.h"
#include "kernel/state.h"
#include "kernel/tickets.h"

/* How long a thread that frees a batch sleeps at a time until its payload has been copied, µs. */
#define WAIT_STEP_US 20

/* Kernel's lock held, as in what follows. Whether another copy may begin: a workgroup that holds
 * the ticket of a copy waits until the copy has ended, and some have to be there for batches that
 * come meanwhile. How many tickets the new copy has is of no account, lest small copies keep large
 * ones out. */
gboolean
vyre_copies_have_room (const VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;
  const VyreStream *stream = batch->stream;

  if (stream && stream->running && stream->running != batch)
    return TRUE; /* its tickets come later */
  return kernel->n_copied < kernel->most_copied
         && (batch->ahead ? vyre_copy_engine_has_room_behind (&kernel->copy_engine, batch->copy)
                          : vyre_copy_engine_has_room (&kernel->copy_engine));
}

/* Takes a place among the copies for a batch that goes into flight. One whose payload is under way
 * sends its tickets behind that. */
void
vyre_copies_enter (VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;

  batch->copy = batch->ahead ? vyre_copy_engine_take_behind (&kernel->copy_engine, batch->copy)
                             : vyre_copy_engine_take (&kernel->copy_engine);
  kernel->n_copied += vyre_tickets_count (batch);
}

/* Submits a copy of the payload, unless that is under way, and of @n_tickets tickets. A kernel that
 * cannot be reached any more has failed; the place of another copy stays taken then. */
static void
copies_submit (VyreBatch *batch, guint n_tickets)
{
  VyreMegakernel *kernel = batch->kernel;
  VyreImport *import = batch->payload.import;
  VyreCopyJob job = {
    .from = import ? import->memory.buffer : vyre_store_get_buffer (kernel->staging),
    .steps = vyre_store_get_steps (kernel->staging),
    .to = vyre_store_get_buffer (kernel->payloads),
    .range = { .srcOffset = batch->payload.offset,
        .dstOffset = batch->stored_at,
        .size = batch->ahead ? 0 : batch->plan->payload_size },
  };
  GError *error = NULL;

  if (kernel->failure)
    return;
  if (!vyre_copy_engine_submit (&kernel->copy_engine, batch->copy, &job, kernel->door.buffer,
          batch->first_ticket, n_tickets, &error)) {
    vyre_megakernel_fail (kernel, error);
  } else if (import) {
    guint64 *copied = &import->copied[batch->copy % kernel->device->n_transfer_queues];
    *copied = MAX (*copied, batch->copy + 1); /* later copies may have been submitted first */
  }
}

/* The tickets are in the host's image of the ring. */
void
vyre_copies_submit (VyreBatch *batch)
{
  copies_submit (batch, vyre_tickets_count (batch));
}

/* Begins to copy the payload of a batch that is going to wait for the one before it, if there is
 * room. */
void
vyre_copies_begin_ahead (VyreBatch *batch)
{
  VyreCopyEngine *engine = &batch->kernel->copy_engine;

  if (!vyre_copy_engine_has_room (engine))
    return;
  batch->copy = vyre_copy_engine_take (engine);
  copies_submit (batch, 0);
  batch->ahead = TRUE;
}

/* TRUE if the payload has come ahead: its tickets need no copy engine, and its source is free. */
gboolean
vyre_copies_settle (VyreBatch *batch)
{
  if (!batch->ahead || batch->resumed
      || !vyre_copy_engine_has_ended (&batch->kernel->copy_engine, batch->copy))
    return FALSE;
  batch->resumed = TRUE;
  return TRUE;
}

/* Without a lock, for the batch's owner. Waits until no copy that began ahead reads the payload, or
 * the kernel has failed: the batch may be freed then, however far it came. */
void
vyre_copies_wait (VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;
  /* pairs with the store in vyre_batch_complete(): its tickets came behind the copy */
  gboolean ended = !batch->ahead || atomic_load_explicit (&batch->done, memory_order_acquire);

  while (!ended) {
    vyre_mutex_lock (&kernel->lock);
    ended = kernel->failure || vyre_copy_engine_has_ended (&kernel->copy_engine, batch->copy);
    g_mutex_unlock (&kernel->lock);
    if (!ended)
      g_usleep (WAIT_STEP_US);
  }
}
