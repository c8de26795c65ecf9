/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Runs: what of a batch is published at a time. Most batches are one. What would hold the
 * device for long is several, each of which lets others in behind it; and fences that one
 * ticket cannot be asked to run have runs of their own, since nothing but the end of a run
 * orders what different workgroups do.
 */
#include <string.h>

#include "plan/plan-private.h"

/* The tickets of a batch in front of its fences. */
static guint
run_count_tickets (const VyrePlan *plan, const VyreRun *run)
{
  return plan->tickets->len - (run->spares_twins ? plan->twin_tickets : 0);
}

static gboolean
run_is_fence (const VyrePlan *plan, guint slot)
{
  return plan->slice[vyre_plan_verdict_word (plan, slot)] == VYRE_VERDICT_FENCE;
}

static guint
run_find_fence (const VyrePlan *plan, guint slot)
{
  while (slot < plan->fence_end && !run_is_fence (plan, slot))
    slot++;
  return slot;
}

/* Of those behind the last run, as many as one lane may run together, or one that takes a
 * workgroup. What lies between two is looked at by the lane. */
static gboolean
run_next_fences (const VyrePlan *plan, VyreRun *run)
{
  guint slot = run_find_fence (plan, MAX (run->fence_end, plan->fence_first));
  gboolean solo;

  if (slot >= plan->fence_end)
    return FALSE;
  guint64 cost = vyre_plan_fence_cost (plan, slot, &solo);
  *run = (VyreRun){ run->spares_twins, run_count_tickets (plan, run), 1, slot, slot + 1, solo,
    cost };
  if (solo)
    run->fence_first = run->fence_end; /* the ticket runs it, and nobody else */
  while (!solo && (slot = run_find_fence (plan, run->fence_end)) < plan->fence_end) {
    cost = vyre_plan_fence_cost (plan, slot, &solo) + slot + 1 - run->fence_end;
    if (solo || run->cost + cost > VYRE_FENCES_COST_MAX)
      break;
    run->fence_end = slot + 1;
    run->cost += cost;
  }
  run->cost += VYRE_COST_TICKET + 1;
  return TRUE;
}

/* What a ticket costs where that of lanes takes the @lane_part-th part of the time. */
static guint32
run_weigh_ticket (const VyrePlan *plan, guint index, guint lane_part)
{
  const guint32 *words = g_array_index (plan->tickets, VyreTicket, index).words;
  gboolean lanes = words[VYRE_TICKET_KIND] == VYRE_KIND_LANES;

  return words[VYRE_TICKET_COST] / (lanes ? lane_part : 1);
}

/* As many tickets as cost no more than @limit, and one at least. */
static void
run_next_tickets (const VyrePlan *plan, guint first, guint64 limit, guint lane_part, VyreRun *run)
{
  guint64 all = plan->cost - plan->lane_cost + plan->lane_cost / lane_part
                - (run->spares_twins ? plan->twin_cost : 0);
  guint n = run_count_tickets (plan, run), most = MIN (n - first, VYRE_RUN_MAX_TICKETS);

  *run = (VyreRun){ .spares_twins = run->spares_twins, .ticket = first };
  if (first == 0 && all <= limit && most == n) {
    run->n_tickets = most;
    run->cost = all;
  }
  for (; run->n_tickets < most; run->n_tickets++) {
    guint32 cost = run_weigh_ticket (plan, first + run->n_tickets, lane_part);
    if (run->n_tickets > 0 && run->cost + cost > limit)
      break;
    run->cost += cost;
  }
  if (first + run->n_tickets < n || plan->fences_apart)
    return;
  run->fence_first = plan->fence_first;
  run->fence_end = plan->fence_end;
}

/* The early tickets of a batch as a run of their own. FALSE: there are none, or too many. */
gboolean
vyre_plan_early_run (const VyrePlan *plan, VyreRun *run)
{
  if (plan->early_tickets == 0 || plan->early_tickets > VYRE_RUN_MAX_TICKETS || plan->fences_apart)
    return FALSE;
  *run = (VyreRun){ .n_tickets = plan->early_tickets, .cost = plan->early_cost };
  return TRUE;
}

/* The run behind @run that ends a batch without tickets left: one without work. */
void
vyre_plan_end_run (const VyrePlan *plan, VyreRun *run)
{
  *run = (VyreRun){ run->spares_twins, run_count_tickets (plan, run), 1, plan->fence_first,
    plan->fence_end, FALSE, VYRE_COST_TICKET + 1 + plan->fence_cost };
}

/* Finds the run after @run, which is zero before the first one but for spares_twins: tickets that
 * cost no more than @limit, that of lanes counted by the @lane_part-th part. FALSE: none. */
gboolean
vyre_plan_next_run (const VyrePlan *plan, guint64 limit, guint lane_part, VyreRun *run)
{
  guint first = run->ticket + run->n_tickets;

  if (first < run_count_tickets (plan, run)) {
    run_next_tickets (plan, first, limit, lane_part, run);
    return TRUE;
  }
  return plan->fences_apart && run_next_fences (plan, run);
}

/* Whether @run has the last of the tickets, fences that are run behind them aside. */
gboolean
vyre_plan_is_last_run (const VyrePlan *plan, const VyreRun *run)
{
  return run->ticket + run->n_tickets >= run_count_tickets (plan, run);
}

/* Whether a batch is through with this run, its first one. */
gboolean
vyre_plan_runs_at_once (const VyrePlan *plan, const VyreRun *run)
{
  return run->n_tickets == run_count_tickets (plan, run) && !plan->fences_apart;
}

/* Has the batch in @slice end with this run, fences and all. */
void
vyre_plan_write_run (const VyrePlan *plan, const VyreRun *run, guint32 *slice)
{
  guint32 *scratch = slice + plan->scratch_offset / 4;
  guint32 *about = scratch + VYRE_SCRATCH_ABOUT;

  scratch[VYRE_SCRATCH_TICKETS_LEFT] = GUINT32_TO_LE (run->n_tickets);
  about[VYRE_ABOUT_FENCE_FIRST] = GUINT32_TO_LE (run->fence_first);
  about[VYRE_ABOUT_FENCE_END] = GUINT32_TO_LE (run->fence_end);
}

/* Writes what a ticket of a run has that does not depend on the batch. Whichever is the last
 * to end runs the fences. */
void
vyre_plan_write_ticket (const VyrePlan *plan, const VyreRun *run, guint index, guint32 *words)
{
  guint number = run->ticket + index;

  if (number < run_count_tickets (plan, run)) {
    memcpy (words, g_array_index (plan->tickets, VyreTicket, number).words, sizeof (VyreTicket));
    if (!run->spares_twins)
      words[VYRE_TICKET_SLOT] = VYRE_SLOT_OF (words[VYRE_TICKET_SLOT]);
    words[VYRE_TICKET_COST] += run->fence_end > 0 ? (guint32)plan->fence_cost : 0;
    return;
  }
  memset (words, 0, sizeof (VyreTicket));
  words[VYRE_TICKET_KIND] = run->solo ? VYRE_KIND_SOLO : VYRE_KIND_LANES;
  words[VYRE_TICKET_SLOT] = run->solo ? run->fence_end - 1 : 0;
  words[VYRE_TICKET_COST] = (guint32)run->cost;
  words[VYRE_TICKET_SCRATCH] = (guint32)(plan->scratch_offset / 4);
}
