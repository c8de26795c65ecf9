/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Cutting a batch into tickets: each slot goes to lanes, to a workgroup, to tiles of its region,
 * or to the fences behind all of them.
 */
#include "base/alloc.h"
#include "plan/plan-private.h"
#include "program/opcodes.h"

/* Slots of one LANES ticket, in workgroups. */
#define CUT_LANE_ROUNDS 16u

/* The most that the slots of one LANES ticket cost together, if they are more than one round. */
#define CUT_LANE_COST_MAX (VYRE_COST_MAX / 2)

/* The most passes until every slot of a ring with priorities has had its turn: each worker takes
 * one slot of each partition, and none twice. */
#define CUT_MAX_PASSES VYRE_PRIORITY_LEVELS

typedef enum {
  SLOT_IDLE, /* never runs */
  SLOT_LANE,
  SLOT_SOLO,
  SLOT_TILED,
  SLOT_FENCE,
} SlotClass;

static SlotClass
cut_classify (const VyrePlan *plan, guint slot)
{
  const VyreBoundProgram *bound = plan->bound;

  if (!vyre_plan_may_run (plan, slot))
    return SLOT_IDLE;
  VyreSlotWork work = vyre_plan_scan_slot (bound, slot);
  if (work.fence)
    return SLOT_FENCE;
  if (plan->schedule == VYRE_SCHEDULE_PRIORITY) /* its passes find the slots to run */
    return vyre_plan_slot_word (bound, slot, VYRE_SLOT_STATUS) == VYRE_STATUS_WAIT_IO ? SLOT_LANE
                                                                                      : SLOT_IDLE;
  if (vyre_opcode_reads_payload (vyre_plan_slot_word (bound, slot, VYRE_SLOT_OPCODE)))
    return SLOT_TILED;
  return work.copy_words > VYRE_LANE_MEMCPY_WORDS ? SLOT_SOLO : SLOT_LANE;
}

/* The slots of one ticket from @first on, at most @most: fewer where they are dear. */
static guint
cut_count_lanes (const VyrePlan *plan, guint first, guint most)
{
  guint64 rounds = CUT_LANE_COST_MAX / MAX (vyre_plan_round_cost (plan, first, most), 1);

  return (guint)MIN (most, MAX (rounds, 1) * plan->workgroup);
}

static gboolean
cut_lanes (VyrePlan *plan, guint first, guint end, GError **error)
{
  guint most = CUT_LANE_ROUNDS * plan->workgroup;

  for (guint slot = first, count; slot < end; slot += count) {
    count = cut_count_lanes (plan, slot, MIN (most, end - slot));
    VyreTicket ticket = { .words = { [VYRE_TICKET_KIND] = VYRE_KIND_LANES,
                              [VYRE_TICKET_SLOT] = slot,
                              [VYRE_TICKET_COUNT] = count } };
    guint rounds = (count + plan->workgroup - 1) / plan->workgroup;
    guint64 cost = rounds * vyre_plan_round_cost (plan, slot, count);
    if (!vyre_plan_add_ticket (plan, cost, &ticket, error))
      return FALSE;
  }
  return TRUE;
}

/* Plans one ticket for the whole ring, because urgency is compared over all of it. A look at a
 * level costs as much as a slot without work, and one pass may be made twice, see end_level(). */
static gboolean
cut_passes (VyrePlan *plan, GError **error)
{
  guint n_slots = plan->bound->n_slots;
  guint passes = plan->max_passes > 0 ? MIN (plan->max_passes, CUT_MAX_PASSES) : CUT_MAX_PASSES;
  VyreTicket ticket = { .words = { [VYRE_TICKET_KIND] = VYRE_KIND_PASSES,
                            [VYRE_TICKET_COUNT] = n_slots,
                            [VYRE_TICKET_PASSES] = passes } };
  guint rounds = (n_slots + plan->workgroup - 1) / plan->workgroup;
  guint64 cost = (guint64)(passes + 1) * VYRE_PRIORITY_LEVELS * rounds * VYRE_COST_LANE_OP;

  for (guint slot = 0; slot < n_slots; slot++)
    cost += vyre_plan_lane_cost (plan, slot);
  return plan->shut_down || vyre_plan_add_ticket (plan, cost, &ticket, error);
}

static gboolean
cut_solo (VyrePlan *plan, guint slot, GError **error)
{
  VyreTicket ticket
      = { .words = { [VYRE_TICKET_KIND] = VYRE_KIND_SOLO, [VYRE_TICKET_SLOT] = slot } };

  return vyre_plan_add_ticket (plan, vyre_plan_solo_cost (plan, slot), &ticket, error);
}

static gboolean
cut_fence (VyrePlan *plan, guint slot, GError **error)
{
  gboolean solo;
  guint64 cost = vyre_plan_fence_cost (plan, slot, &solo);

  if (plan->fence_end == 0)
    plan->fence_first = slot;
  plan->fence_cost += cost + (plan->fence_end > 0 ? slot + 1 - plan->fence_end : 1);
  plan->fences_apart |= solo;
  plan->fence_end = slot + 1;
  plan->slice[vyre_plan_verdict_word (plan, slot)] = VYRE_VERDICT_FENCE;
  if (cost <= VYRE_COST_MAX - VYRE_COST_TICKET)
    return TRUE;
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
      "Slot %u, which has a fence, is too much work. Fix: let it copy fewer words.", slot);
  return FALSE;
}

/* Plans the slots outside of a ring with priorities, by their classes. */
static gboolean
cut_slots (VyrePlan *plan, const guint8 *classes, guint n_tiled, GError **error)
{
  guint n_slots = plan->bound->n_slots;

  for (guint slot = 0, end; slot < n_slots; slot = end) {
    end = slot + 1;
    gboolean fine = TRUE;
    if (classes[slot] == SLOT_LANE) {
      while (end < n_slots && classes[end] == SLOT_LANE)
        end++;
      fine = cut_lanes (plan, slot, end, error);
    } else if (classes[slot] == SLOT_SOLO) {
      fine = cut_solo (plan, slot, error);
    } else if (classes[slot] == SLOT_TILED) {
      fine = vyre_plan_add_tiles (plan, slot, n_tiled, error);
    }
    if (!fine)
      return FALSE;
  }
  return TRUE;
}

/* Fences that may cost too much for a ticket with work of its own run in runs behind all
 * tickets. */
gboolean
vyre_plan_cut (VyrePlan *plan, GError **error)
{
  guint n_slots = plan->bound->n_slots, n_tiled = 0;
  g_autofree guint8 *classes = vyre_alloc (n_slots, 1, error);

  if (!classes)
    return FALSE;
  for (guint slot = 0; slot < n_slots; slot++) {
    classes[slot] = (guint8)cut_classify (plan, slot);
    n_tiled += classes[slot] == SLOT_TILED;
    if (classes[slot] == SLOT_FENCE && !cut_fence (plan, slot, error))
      return FALSE;
  }
  if (plan->schedule == VYRE_SCHEDULE_PRIORITY && !cut_passes (plan, error))
    return FALSE;
  if (!vyre_plan_find_twins (plan, error) || !cut_slots (plan, classes, n_tiled, error))
    return FALSE;
  if (plan->tickets->len == 0 && !vyre_plan_add_nothing (plan, error))
    return FALSE;
  plan->fences_apart |= plan->dearest + plan->fence_cost > VYRE_COST_MAX;
  vyre_plan_order_tickets (plan);
  return TRUE;
}
