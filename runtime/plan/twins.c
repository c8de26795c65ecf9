/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Twins: slots that differ only in which of the previous and the reference payload they read, and
 * in where their results go. Where the two payloads are one, the work of the first slot is for
 * both.
 */
#include "base/alloc.h"
#include "plan/plan-private.h"
#include "program/opcodes.h"

/* The most slots from a twin to the other. */
#define TWINS_MOST_APART 16u

/* In the place of a slot that is the second of twins. */
#define TWINS_SECOND 0x8000u

G_STATIC_ASSERT (TWINS_MOST_APART <= VYRE_MAX_TWIN_BEHIND);

/* The word with the observable and the payloads of a slot, without the observable, and with the
 * previous payload in the place of the reference. */
static guint32
twins_find_payloads (const VyreBoundProgram *bound, guint slot)
{
  guint32 word = vyre_plan_slot_arg (bound, slot, VYRE_REGION_ARG_OBSERVABLE);
  guint32 from = VYRE_REGION_FROM (word), other = VYRE_OTHER_FROM (word);

  from = from == VYRE_FROM_REFERENCE ? VYRE_FROM_PREVIOUS : from;
  other = other == VYRE_FROM_REFERENCE ? VYRE_FROM_PREVIOUS : other;
  return from | other << 2;
}

/* Whether a slot may be one of twins: only SAMPLE_DIFFERENCE stores its results twice. */
static gboolean
twins_may_be (const VyrePlan *plan, guint slot)
{
  return vyre_plan_slot_word (plan->bound, slot, VYRE_SLOT_OPCODE) == VYRE_OP_SAMPLE_DIFFERENCE
         && vyre_plan_may_run (plan, slot)
         && VYRE_PAIR_OBSERVABLE (
                vyre_plan_slot_arg (plan->bound, slot, VYRE_REGION_ARG_OBSERVABLE))
                    + VYRE_DIFFERENCE_WORDS
                <= plan->bound->n_observables;
}

static gboolean
twins_are (const VyrePlan *plan, guint a, guint b)
{
  const VyreBoundProgram *bound = plan->bound;
  guint observable = VYRE_SLOT_ARGS + VYRE_REGION_ARG_OBSERVABLE;

  if (twins_find_payloads (bound, a) != twins_find_payloads (bound, b) || !twins_may_be (plan, a))
    return FALSE;
  for (guint word = 0; word < VYRE_SLOT_WORDS; word++) {
    if (word != observable
        && vyre_plan_slot_word (bound, a, word) != vyre_plan_slot_word (bound, b, word))
      return FALSE;
  }
  return TRUE;
}

/* Makes a slot that reads an older payload the second of twins, if there is a first one close in
 * front of it. */
static void
twins_look (VyrePlan *plan, guint slot)
{
  guint most = MIN (slot, TWINS_MOST_APART);

  if (!twins_may_be (plan, slot) || twins_find_payloads (plan->bound, slot) == 0)
    return;
  for (guint apart = 1; apart <= most; apart++) {
    guint first = slot - apart;
    if (plan->twins[first] == 0 && twins_are (plan, first, slot)) {
      plan->twins[first] = (guint16)apart;
      plan->twins[slot] = TWINS_SECOND;
      return;
    }
  }
}

/* Finds the twins of a plan that reads both payloads. FALSE with %VYRE_ERROR_NO_SPACE. */
gboolean
vyre_plan_find_twins (VyrePlan *plan, GError **error)
{
  guint both = 1u << VYRE_FROM_PREVIOUS | 1u << VYRE_FROM_REFERENCE;

  if ((plan->older & both) != both)
    return TRUE;
  plan->twins = vyre_alloc0 (plan->bound->n_slots, sizeof *plan->twins, error);
  if (!plan->twins)
    return FALSE;
  for (guint slot = 1; slot < plan->bound->n_slots; slot++)
    twins_look (plan, slot);
  return TRUE;
}

/* How far behind a slot its twin is, or 0. */
guint
vyre_plan_twin_behind (const VyrePlan *plan, guint slot)
{
  return plan->twins && plan->twins[slot] != TWINS_SECOND ? plan->twins[slot] : 0;
}

/* Whether a slot is the second of twins. */
gboolean
vyre_plan_is_twin (const VyrePlan *plan, guint slot)
{
  return plan->twins && plan->twins[slot] == TWINS_SECOND;
}
