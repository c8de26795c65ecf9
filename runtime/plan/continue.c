/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The plan for the rest of a batch that waited for the host.
 */
#include <string.h>

#include "plan/plan-private.h"

/* Whether a ticket of lanes has a slot that has not ended, by the ring in @slice. */
static gboolean
continue_has_work (const VyrePlan *plan, const VyreTicket *ticket, const guint32 *slice)
{
  const guint32 *ring = slice + plan->layout.offset[VYRE_PART_RING] / 4;
  guint first = ticket->words[VYRE_TICKET_SLOT];

  if (ticket->words[VYRE_TICKET_KIND] != VYRE_KIND_LANES)
    return FALSE;
  for (guint slot = first; slot < first + ticket->words[VYRE_TICKET_COUNT]; slot++) {
    guint32 status = ring[(gsize)slot * VYRE_SLOT_WORDS + VYRE_SLOT_STATUS];
    if (status == VYRE_STATUS_PUBLISHED || status == VYRE_STATUS_WAIT_IO)
      return TRUE;
  }
  return FALSE;
}

static void
continue_inherit (VyrePlan *next, const VyrePlan *plan, VyrePlan *origin)
{
  next->origin = vyre_plan_ref (origin);
  next->access = origin->access ? vyre_access_ref (origin->access) : NULL;
  next->extras |= VYRE_EXTRA_RARE;
  next->older = origin->older;
  next->writes = origin->writes;
  next->writes_end = plan->writes_end;
  next->fence_first = origin->fence_first;
  next->fence_end = origin->fence_end;
  next->fence_cost = origin->fence_cost;
  next->fences_apart = origin->fences_apart;
}

/* The plan for the rest of a served batch of @plan, from its readback on: again those tickets
 * that have slots which have not ended. A payload slot that has not ended was refused, and stays
 * so. With @writes, more slots may ask for writes. NULL with %VYRE_ERROR_NO_SPACE. */
VyrePlan *
vyre_plan_continue (VyrePlan *plan, const guint8 *readback, gboolean writes, GError **error)
{
  VyrePlan *origin = plan->origin ? plan->origin : plan;
  VyrePlan *next = vyre_plan_alloc (vyre_bound_program_ref (origin->bound), origin->payload_size,
      origin->workgroup, NULL, TRUE, error);

  if (!next)
    return NULL;
  continue_inherit (next, plan, origin);
  memcpy (next->slice, origin->slice, origin->slice_size); /* for the marks of the fences */
  memcpy (next->slice, readback, origin->layout.total);
  if (writes)
    next->writes_end = vyre_plan_find_writes_end (next, next->slice, next->writes_end);
  for (guint i = 0; i < origin->tickets->len; i++) {
    const VyreTicket *ticket = &g_array_index (origin->tickets, VyreTicket, i);
    if (continue_has_work (next, ticket, next->slice))
      vyre_plan_append_ticket (next, ticket);
  }
  if (next->tickets->len == 0)
    vyre_plan_add_nothing (next, NULL);
  vyre_plan_write_scratch (next);
  return next;
}
