/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * State that a batch takes over: observables, which are kept apart from it in the order in which
 * the program declares them, one word behind the other; and regions of older payloads.
 */
#include "plan/plan-private.h"
#include "program/decisions.h"
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
    const VyreState *state = &plan->bound->states[i];
    for (guint word = 0; word < state->n_words; word++)
      slice[VYRE_CONTROL_OBSERVABLES + state->observable + word] = GUINT32_TO_LE (*words++);
  }
}

/* Reads the words that the next batch starts from. */
void
vyre_plan_read_state (const VyrePlan *plan, const guint8 *readback, guint faults, guint32 *words)
{
  const VyreBoundProgram *bound = plan->bound;
  guint32 *at = words;

  for (guint i = 0; i < bound->n_states; i++) {
    const VyreState *state = &bound->states[i];
    for (guint word = 0; word < state->n_words; word++)
      *at++ = vyre_read_word (readback, VYRE_CONTROL_OBSERVABLES + state->source + word);
  }
  if (faults == 0 && vyre_read_word (readback, VYRE_CONTROL_DONE_COUNT) == bound->n_used)
    vyre_states_calculate (bound, readback, words);
}

/* The payload that the region of a slot is of, VYRE_FROM_OWN for a slot without a region. */
static guint32
state_find_from (const VyrePlan *plan, guint slot)
{
  if (!vyre_opcode_reads_payload (vyre_plan_slot_word (plan->bound, slot, VYRE_SLOT_OPCODE)))
    return VYRE_FROM_OWN;
  return VYRE_REGION_FROM (vyre_plan_slot_arg (plan->bound, slot, VYRE_REGION_ARG_OBSERVABLE));
}

/* The payloads that a slot reads, as bits by VYRE_FROM_... */
static guint
state_find_payloads (const VyrePlan *plan, guint slot)
{
  const VyreOpcode *info
      = vyre_opcode_get (vyre_plan_slot_word (plan->bound, slot, VYRE_SLOT_OPCODE));
  guint payloads = 1u << state_find_from (plan, slot);

  if (info && vyre_opcode_takes_other (info))
    payloads |= 1u << VYRE_OTHER_FROM (
                    vyre_plan_slot_arg (plan->bound, slot, VYRE_REGION_ARG_OBSERVABLE));
  return payloads;
}

/* Whether a slot writes to words that the batch before decides. */
static gboolean
state_takes_result (const VyrePlan *plan, guint slot, const VyreOpcode *info)
{
  const VyreBoundProgram *bound = plan->bound;
  const guint32 *args = bound->slots + (gsize)slot * VYRE_SLOT_WORDS + VYRE_SLOT_ARGS;
  guint32 word = args[VYRE_REGION_ARG_OBSERVABLE];
  guint64 first = vyre_opcode_takes_other (info) ? VYRE_PAIR_OBSERVABLE (word)
                                                 : VYRE_REGION_OBSERVABLE (word);
  guint64 end = first + vyre_opcode_count_words (info, args);

  for (guint i = 0; i < bound->n_states; i++) {
    const VyreState *state = &bound->states[i];
    if (first < (guint64)state->observable + state->n_words && state->observable < end)
      return TRUE;
  }
  return FALSE;
}

/* Whether the tiles of a slot need nothing of the batch before. */
gboolean
vyre_plan_is_early (const VyrePlan *plan, guint slot)
{
  const VyreOpcode *info
      = vyre_opcode_get (vyre_plan_slot_word (plan->bound, slot, VYRE_SLOT_OPCODE));

  return !plan->served && state_find_payloads (plan, slot) == 1u << VYRE_FROM_OWN
         && !state_takes_result (plan, slot, info);
}

/* VYRE_TILE_READS() of the tiles of a slot. */
guint32
vyre_plan_tile_reads (const VyrePlan *plan, guint slot)
{
  return VYRE_TILE_READS (
      state_find_from (plan, slot), state_find_payloads (plan, slot) & VYRE_ALL_MISSING);
}

/* TRUE for a slot that reads a payload of those that are @missing: it reads nothing. */
gboolean
vyre_plan_lacks_payload (const VyrePlan *plan, guint slot, guint missing)
{
  return (missing & state_find_payloads (plan, slot)) != 0;
}

/* The older payloads that slots read, as VyrePlan.older. */
guint
vyre_plan_find_older (const VyrePlan *plan)
{
  guint older = 0;

  for (guint slot = 0; slot < plan->bound->n_slots; slot++) {
    if (vyre_plan_may_run (plan, slot))
      older |= state_find_payloads (plan, slot);
  }
  return older & VYRE_ALL_MISSING;
}

static void
state_empty_region (guint32 *args)
{
  args[VYRE_REGION_ARG_WIDTH] = args[VYRE_REGION_ARG_STRIDE] = 0;
  args[VYRE_REGION_ARG_ROWS] = GUINT32_TO_LE (1);
}

/* Empties all regions of slots that read a payload that is @missing, in the slice of a batch. */
void
vyre_plan_empty_regions (const VyrePlan *plan, guint missing, guint32 *slice)
{
  guint32 *ring = slice + plan->layout.offset[VYRE_PART_RING] / 4;

  for (guint slot = 0; slot < plan->bound->n_slots; slot++) {
    guint32 *args = ring + (gsize)slot * VYRE_SLOT_WORDS + VYRE_SLOT_ARGS;
    const VyreOpcode *info
        = vyre_opcode_get (vyre_plan_slot_word (plan->bound, slot, VYRE_SLOT_OPCODE));
    if (!info || !vyre_plan_lacks_payload (plan, slot, missing))
      continue;
    state_empty_region (args);
    if (vyre_opcode_takes_other (info))
      state_empty_region (args + VYRE_OTHER_ARG_OFFSET);
  }
}

/* Writes where payloads start, by VYRE_FROM_..., to the slice of a batch. */
void
vyre_plan_write_payloads (const VyrePlan *plan, const gsize *payloads, guint n, guint32 *slice)
{
  guint32 *words = slice + plan->scratch_offset / 4 + VYRE_SCRATCH_PAYLOADS;

  for (guint from = 0; from < n; from++)
    words[from] = GUINT32_TO_LE ((guint32)payloads[from]);
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
