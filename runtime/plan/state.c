/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The observables of a batch that live from batch to batch, apart from it: in the order in which
 * the program declares them, one word behind the other.
 */
#include "plan/plan-private.h"

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

guint
vyre_plan_get_state_words (const VyrePlan *plan)
{
  return plan->n_state;
}
