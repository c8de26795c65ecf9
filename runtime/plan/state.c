/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a batch has of those before it: observables, which are kept apart from it in the order in
 * which the program declares them, one word behind the other; and regions of older payloads.
 */
#include "plan/plan-private.h"
#include "program/opcodes.h"

guint
vyre_plan_count_state (const VyreBoundProgram *bound)
{
  guint n = 0;

  for (guint i = 0; i < bound->n_states; i++)
    n += bound->states[i].n_words;
  return n;
}

/* Writes the words that a batch starts from to its slice. */
void
vyre_plan_write_state (const VyrePlan *plan, const guint32 *words, guint32 *slice)
{
  for (guint i = 0; i < plan->bound->n_states; i++) {
    const VyreWords *state = &plan->bound->states[i];
    for (guint word = 0; word < state->n_words; word++)
      slice[VYRE_CONTROL_OBSERVABLES + state->observable + word] = GUINT32_TO_LE (*words++);
  }
}

void
vyre_plan_read_state (const VyrePlan *plan, const guint8 *readback, guint32 *words)
{
  for (guint i = 0; i < plan->bound->n_states; i++) {
    const VyreWords *state = &plan->bound->states[i];
    for (guint word = 0; word < state->n_words; word++)
      *words++ = vyre_read_word (readback, VYRE_CONTROL_OBSERVABLES + state->observable + word);
  }
}

/* The payload that the region of a slot is of, VYRE_FROM_OWN for a slot without a region. */
guint32
vyre_plan_region_from (const VyrePlan *plan, guint slot)
{
  if (!vyre_opcode_reads_payload (vyre_plan_slot_word (plan->bound, slot, VYRE_SLOT_OPCODE)))
    return VYRE_FROM_OWN;
  return VYRE_REGION_FROM (vyre_plan_slot_arg (plan->bound, slot, VYRE_REGION_ARG_OBSERVABLE));
}

/* The older payloads that slots read, as VyrePlan.older. */
guint
vyre_plan_find_older (const VyrePlan *plan)
{
  guint older = 0;

  for (guint slot = 0; slot < plan->bound->n_slots; slot++) {
    if (vyre_plan_may_run (plan, slot))
      older |= 1u << vyre_plan_region_from (plan, slot);
  }
  return older & VYRE_ALL_MISSING;
}

/* Empties the regions of payloads that are @missing, in the slice of a batch. */
void
vyre_plan_empty_regions (const VyrePlan *plan, guint missing, guint32 *slice)
{
  guint32 *ring = slice + plan->layout.offset[VYRE_PART_RING] / 4;

  for (guint slot = 0; slot < plan->bound->n_slots; slot++) {
    guint32 *args = ring + (gsize)slot * VYRE_SLOT_WORDS + VYRE_SLOT_ARGS;
    if ((missing >> vyre_plan_region_from (plan, slot) & 1) == 0)
      continue;
    args[VYRE_REGION_ARG_WIDTH] = args[VYRE_REGION_ARG_STRIDE] = 0;
    args[VYRE_REGION_ARG_ROWS] = GUINT32_TO_LE (1);
  }
}

guint
vyre_plan_get_older (const VyrePlan *plan)
{
  return plan->older;
}

guint
vyre_plan_get_state_words (const VyrePlan *plan)
{
  return plan->n_state;
}
