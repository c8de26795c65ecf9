/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Small batches: one LOCAL ticket whose steps are all tickets of the plan.
 */
#include <string.h>

#include "plan/plan-private.h"

/* The steps of a LOCAL ticket take one workgroup's time, one after the other. */
#define SMALL_COST_MAX (VYRE_COST_MAX / 2)

/* The word of the slice that holds a batch's own tag. */
gint64
vyre_plan_tag_word (const VyrePlan *plan)
{
  gint slot = plan->bound->sequence_slot;

  if (slot < 0)
    return VYRE_NO_TAG_WORD;
  return (gint64)(plan->layout.offset[VYRE_PART_RING] / 4) + (gint64)slot * VYRE_SLOT_WORDS
         + VYRE_SLOT_ARGS + 1;
}

/* Appends the tickets to the slice as steps. */
static void
small_write_steps (VyrePlan *plan)
{
  guint32 *step = plan->slice + plan->slice_size / 4;

  for (guint i = 0; i < plan->tickets->len; i++, step += VYRE_STEP_WORDS) {
    const guint32 *from = g_array_index (plan->tickets, VyreTicket, i).words;
    step[VYRE_STEP_KIND] = from[VYRE_TICKET_KIND];
    memcpy (step + VYRE_STEP_SLOT, from + VYRE_TICKET_SLOT, 4 * (VYRE_STEP_WORDS - 1));
  }
}

/* Makes the plan small, if it fits into shared memory and into one ticket's time. A served batch
 * has a table of its own, one with state starts from words of its own, one with older
 * payloads has several, and fences that are apart have runs of their own: none of these is small.
 */
void
vyre_plan_make_small (VyrePlan *plan)
{
  guint steps = plan->tickets->len;
  gsize words = plan->slice_size / 4 + (gsize)steps * VYRE_STEP_WORDS;
  guint64 cost = plan->cost + steps + plan->fence_cost + 3 * (words / plan->workgroup + 1);

  if (plan->served || vyre_plan_follows (plan) || plan->fences_apart)
    return;
  if (words > VYRE_LOCAL_WORDS || steps > VYRE_LOCAL_STEPS || plan->region_bytes > VYRE_LOCAL_BYTES
      || cost > SMALL_COST_MAX)
    return;
  plan->small = TRUE;
  plan->small_size = 4 * words;
  plan->slice = g_realloc (plan->slice, plan->small_size);
  small_write_steps (plan);
  guint32 *ticket = plan->small_ticket.words;
  ticket[VYRE_TICKET_KIND] = VYRE_KIND_LOCAL;
  ticket[VYRE_TICKET_COST] = (guint32)cost + VYRE_COST_LOCAL;
  ticket[VYRE_TICKET_SCRATCH] = (guint32)(plan->scratch_offset / 4);
  ticket[VYRE_TICKET_LOCAL_WORDS] = (guint32)words;
  ticket[VYRE_TICKET_STEPS] = steps;
  ticket[VYRE_TICKET_TAG_WORD] = (guint32)vyre_plan_tag_word (plan);
}
