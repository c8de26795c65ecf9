/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/tickets.h"

#include <string.h>

#include "base/order.h"
#include "kernel/template.h"

/* The tickets of the run that is in flight, or will be next. */
guint
vyre_tickets_count (const VyreBatch *batch)
{
  return batch->small ? 1 : batch->run.n_tickets;
}

/* Where ticket @number lies in the ring that the device reads. */
static guint8 *
tickets_line (const VyreMegakernel *kernel, guint32 number)
{
  return kernel->door.data + VYRE_DOOR_TICKETS * VYRE_GRANULE
         + (gsize)(number % VYRE_MAX_TICKETS) * VYRE_TICKET_BYTES;
}

/* Fills in the run of a plan; returns the offset that slots of the batch are relative to. */
static gsize
tickets_fill_work (const VyreBatch *batch, guint index, guint32 *words)
{
  const VyrePlan *plan = batch->plan;

  if (batch->small) {
    VyreTemplatePlace template = vyre_template_get_place (batch);
    memcpy (words, plan->small_ticket.words, sizeof (VyreTicket));
    words[VYRE_TICKET_TAG] = batch->completion.tag;
    words[VYRE_TICKET_TEMPLATE] = template.id;
    return template.offset;
  }
  vyre_plan_write_ticket (plan, &batch->run, index, words);
  if (batch->work == VYRE_NOWHERE)
    return batch->readback;
  /* the last ticket to end copies the readback out, and any may be the last */
  words[VYRE_TICKET_COST] += MIN (plan->copy_cost, VYRE_COST_COPY_OUT_MAX);
  return batch->work;
}

/* Puts in the place of what a ticket's tile reads where that is; has it read nothing if it reads an
 * older payload that is missing. */
static void
tickets_fill_payload (const VyreBatch *batch, guint32 own, guint32 *words)
{
  guint32 reads = words[VYRE_TICKET_PAYLOAD], from = VYRE_TILE_FROM (reads);

  words[VYRE_TICKET_PAYLOAD] = own;
  if ((VYRE_TILE_OLDER (reads) & batch->missing) != 0)
    memset (&words[VYRE_TICKET_ROW], 0, 4 * (VYRE_TICKET_WORDS - VYRE_TICKET_ROW));
  else if (from != VYRE_FROM_OWN)
    words[VYRE_TICKET_PAYLOAD] = (guint32)batch->older[from];
}

static void
tickets_fill (const VyreBatch *batch, guint index, guint32 *words)
{
  const VyreImport *import = batch->payload.import;
  gsize payload = batch->stored_at != VYRE_NOWHERE ? batch->stored_at : batch->payload.offset;
  gsize base = tickets_fill_work (batch, index, words);

  words[VYRE_TICKET_KIND] |= VYRE_KIND_INDEX (batch->index) | VYRE_KIND_NEEDS (batch->plan->extras);
  if (import && batch->kernel->traits->payloads == VYRE_PAYLOADS_IN_PLACE)
    words[VYRE_TICKET_KIND] |= VYRE_KIND_SOURCE (import->number);
  words[VYRE_TICKET_BASE] = (guint32)(base / 4);
  tickets_fill_payload (batch, (guint32)payload, words);
  words[VYRE_TICKET_SEQUENCE] = batch->sequence;
  words[VYRE_TICKET_READBACK] = (guint32)(batch->readback / VYRE_GRANULE);
}

/* Without the lock, for a batch in flight. Writes its tickets, each a cache line whose quarters
 * start with the ticket's mark: into the ring, or into the image that a copy engine copies there.
 */
void
vyre_tickets_write (const VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;
  gboolean by_copy_engine = batch->by_copy_engine;

  for (guint i = 0; i < vyre_tickets_count (batch); i++) {
    guint32 number = batch->first_ticket + i, words[VYRE_TICKET_WORDS];
    guint32 line[VYRE_TICKET_BYTES / 4] __attribute__ ((aligned (64)));
    tickets_fill (batch, i, words);
    for (guint quarter = 0; quarter < VYRE_TICKET_GRANULES; quarter++) {
      line[4 * quarter] = VYRE_TICKET_MARK (number);
      memcpy (&line[4 * quarter + 1], &words[3 * quarter], 12);
    }
    guint8 *place = by_copy_engine ? vyre_copy_engine_ticket (&kernel->copy_engine, number)
                                   : tickets_line (kernel, number);
    /* pairs with the loads in look() and read_ticket(), megakernel.comp */
    vyre_order_store_quarters ((guint32 *)place, line, VYRE_TICKET_GRANULES,
        !by_copy_engine && kernel->traits->in_device_memory);
  }
}

/* Stores the word behind the mark of a ticket's first quarter. */
static void
tickets_store_kind (guint8 *line, guint32 kind)
{
  G_STATIC_ASSERT (VYRE_TICKET_KIND == 0);
  /* pairs with the loads in look() and read_ticket(), megakernel.comp, which may miss it */
  __atomic_store_n ((guint32 *)line + 1, kind, __ATOMIC_RELAXED);
}

/* Lock held, for a batch in flight that was freed. Has the kernel take its tickets without
 * running them, as far as it has not begun to: the mark may arrive at any time. The batch completes
 * as others do, so all it holds stays until nothing on the device reads it. While the batch is in
 * flight, no other has its places in the ring. */
void
vyre_tickets_drop (const VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;

  for (guint i = 0; i < vyre_tickets_count (batch); i++) {
    guint32 number = batch->first_ticket + i, words[VYRE_TICKET_WORDS];
    tickets_fill (batch, i, words);
    words[VYRE_TICKET_KIND] |= VYRE_KIND_DROPPED;
    if (kernel->copy_engine.device) /* its copy may still be under way */
      tickets_store_kind (
          vyre_copy_engine_ticket (&kernel->copy_engine, number), words[VYRE_TICKET_KIND]);
    tickets_store_kind (tickets_line (kernel, number), words[VYRE_TICKET_KIND]);
  }
  /* before the lock is dropped: then other tickets may have the places; pairs with nothing */
  vyre_buffer_flush ();
}
