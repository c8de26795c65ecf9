/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The order of the tickets of a plan whose batches follow one another: those that need nothing of
 * the batch before, the others, and those of second twins. Runs leave out the last, and may begin
 * with the first.
 */
#include "plan/plan-private.h"

/* Fewer early tickets run in the time that a run of their own costs. */
#define ORDER_LEAST_EARLY 32u

/* Slots read a payload again and again: of larger ones, those of three batches that run side by
 * side are more than the device's cache has room for. */
#define ORDER_MOST_EARLY_BYTES (8u << 20)

typedef enum {
  ORDER_EARLY,
  ORDER_LATE,
  ORDER_TWIN,
} OrderClass;

static OrderClass
order_class (const VyreTicket *ticket)
{
  guint32 reads = ticket->words[VYRE_TICKET_PAYLOAD];

  if (ticket->words[VYRE_TICKET_KIND] != VYRE_KIND_TILE)
    return ORDER_LATE;
  if ((reads & VYRE_TILE_OF_TWIN) != 0)
    return ORDER_TWIN;
  return (reads & VYRE_TILE_EARLY) != 0 ? ORDER_EARLY : ORDER_LATE;
}

/* On a GPU dear tickets come first: workgroups that are through early share the cheap ones out. */
static gint
order_compare (gconstpointer a, gconstpointer b, gpointer on_gpu)
{
  guint32 first = ((const VyreTicket *)a)->words[VYRE_TICKET_COST];
  guint32 second = ((const VyreTicket *)b)->words[VYRE_TICKET_COST];
  gint apart = (gint)order_class (a) - (gint)order_class (b);

  return apart != 0 || !on_gpu ? apart : (first < second) - (first > second);
}

/* The marks of a slot's tickets, in VYRE_TICKET_PAYLOAD. */
static guint32
order_find_marks (const VyrePlan *plan, guint slot)
{
  return (vyre_plan_is_twin (plan, slot) ? VYRE_TILE_OF_TWIN : 0)
         | (vyre_plan_is_early (plan, slot) ? VYRE_TILE_EARLY : 0);
}

/* Marks the tickets of tiles, of which those of a slot lie one behind the other, and tells the
 * first of twins where the second is. */
static void
order_mark (VyrePlan *plan)
{
  guint marked = G_MAXUINT;
  guint32 marks = 0;

  for (guint i = 0; i < plan->tickets->len; i++) {
    guint32 *words = g_array_index (plan->tickets, VyreTicket, i).words;
    guint slot = words[VYRE_TICKET_SLOT];
    if (words[VYRE_TICKET_KIND] != VYRE_KIND_TILE)
      continue;
    if (slot != marked)
      marks = order_find_marks (plan, slot);
    marked = slot;
    words[VYRE_TICKET_PAYLOAD] |= marks;
    words[VYRE_TICKET_SLOT] |= VYRE_TWIN_BEHIND (vyre_plan_twin_behind (plan, slot));
  }
}

/* Whether batches may have early runs, if they have enough early tickets. */
gboolean
vyre_plan_may_run_early (const VyrePlan *plan)
{
  return vyre_plan_follows (plan) && plan->workgroup > VYRE_CPU_WORKGROUP
         && plan->payload_size <= ORDER_MOST_EARLY_BYTES;
}

/* Orders the tickets, and counts those of each class. A CPU is busy with the batch before as long
 * as that runs: its batches have no early tickets. */
void
vyre_plan_order_tickets (VyrePlan *plan)
{
  gboolean on_gpu = plan->workgroup > VYRE_CPU_WORKGROUP;

  if (!vyre_plan_follows (plan))
    return;
  order_mark (plan);
  g_array_sort_with_data (plan->tickets, order_compare, GINT_TO_POINTER (on_gpu));
  for (guint i = 0; i < plan->tickets->len; i++) {
    const VyreTicket *ticket = &g_array_index (plan->tickets, VyreTicket, i);
    OrderClass class = order_class (ticket);
    guint32 cost = ticket->words[VYRE_TICKET_COST];
    plan->early_tickets += class == ORDER_EARLY;
    plan->early_cost += class == ORDER_EARLY ? cost : 0;
    plan->twin_tickets += class == ORDER_TWIN;
    plan->twin_cost += class == ORDER_TWIN ? cost : 0;
  }
  if (!vyre_plan_may_run_early (plan) || plan->early_tickets < ORDER_LEAST_EARLY)
    plan->early_tickets = 0;
}
