/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The tickets of a plan, and the limits that all of them keep.
 */
#include "plan/plan-private.h"

/* The most tickets of a batch, however often it is published: 48 MiB of them. */
#define PLAN_MAX_TICKETS (1u << 20)

void
vyre_plan_append_ticket (VyrePlan *plan, const VyreTicket *ticket)
{
  g_array_append_vals (plan->tickets, ticket, 1);
  plan->cost += ticket->words[VYRE_TICKET_COST];
  if (ticket->words[VYRE_TICKET_KIND] == VYRE_KIND_LANES)
    plan->lane_cost += ticket->words[VYRE_TICKET_COST];
  plan->dearest = MAX (plan->dearest, ticket->words[VYRE_TICKET_COST]);
}

/* Completes @ticket, whose work costs @cost, and appends it. */
gboolean
vyre_plan_add_ticket (VyrePlan *plan, guint64 cost, const VyreTicket *ticket, GError **error)
{
  VyreTicket planned = *ticket;

  cost += VYRE_COST_TICKET;
  if (cost > VYRE_COST_MAX || plan->tickets->len == PLAN_MAX_TICKETS) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
        "%u slots over %" G_GSIZE_FORMAT
        " payload bytes are too much work for one batch. Fix: send "
        "smaller buffers, or split the program.",
        plan->bound->n_slots, plan->payload_size);
    return FALSE;
  }
  planned.words[VYRE_TICKET_COST] = (guint32)cost;
  planned.words[VYRE_TICKET_SCRATCH] = (guint32)(plan->scratch_offset / 4);
  vyre_plan_append_ticket (plan, &planned);
  return TRUE;
}

/* Adds a ticket without work: a batch of nothing but fences still needs a workgroup that runs
 * them. */
gboolean
vyre_plan_add_nothing (VyrePlan *plan, GError **error)
{
  VyreTicket nothing = { .words = { [VYRE_TICKET_KIND] = VYRE_KIND_LANES } };

  return vyre_plan_add_ticket (plan, 0, &nothing, error);
}
