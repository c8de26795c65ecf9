/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The cost of slots that lanes or one workgroup run: upper bounds of their loop iterations.
 */
#include "plan/plan-private.h"
#include "program/opcodes.h"

/* Kinds of slots run by a lane: lanes that do different things wait for each other. */
typedef enum {
  COST_PLAIN,
  COST_PRINTF,
  COST_ASKS,
  N_COST_KINDS,
} CostKind;

static guint
cost_packed_byte (const VyreBoundProgram *bound, guint slot, guint byte)
{
  return vyre_plan_slot_arg (bound, slot, byte / 4) >> (8 * (byte % 4)) & 0xFF;
}

/* The words that a MEMCPY in a packed slot copies: its third argument, or 0 without one. */
static guint32
cost_packed_copy (const VyreBoundProgram *bound, guint slot, guint ops, guint index)
{
  guint metadata = VYRE_PACKED_METADATA_WORDS (ops);
  guint word = metadata + cost_packed_byte (bound, slot, 3 + 2 * index) + 2;
  guint end = index + 1 < ops ? cost_packed_byte (bound, slot, 5 + 2 * index)
                              : cost_packed_byte (bound, slot, 1);

  return word < metadata + end && word < VYRE_SLOT_MAX_ARGS ? vyre_plan_slot_arg (bound, slot, word)
                                                            : 0;
}

/* Counts the operations of a slot and the words that they copy, and finds out whether one is a
 * fence. A copy longer than the control buffer faults without copying. */
VyreSlotWork
vyre_plan_scan_slot (const VyreBoundProgram *bound, guint slot)
{
  guint32 opcode = vyre_plan_slot_word (bound, slot, VYRE_SLOT_OPCODE);
  gboolean packed = opcode == VYRE_OP_PACKED_SLOT;
  guint limit = bound->n_observables + VYRE_CONTROL_OBSERVABLES;
  VyreSlotWork work = { .ops = packed ? cost_packed_byte (bound, slot, 0) : 1 };

  if (packed && !VYRE_PACKED_FITS (work.ops))
    return work; /* the slot faults as a whole */
  for (guint i = 0; i < work.ops; i++) {
    guint32 inner = packed ? cost_packed_byte (bound, slot, 2 + 2 * i) : opcode;
    guint32 words = packed ? cost_packed_copy (bound, slot, work.ops, i)
                           : vyre_plan_slot_arg (bound, slot, 2);
    work.fence |= inner == VYRE_OP_BATCH_FENCE;
    if (inner == VYRE_OP_MEMCPY && words <= limit)
      work.copy_words += words;
  }
  return work;
}

/* The cost that finding a handler and running the longest one adds to an operation. */
static guint
cost_of_handler (const VyrePlan *plan)
{
  if (plan->n_handlers == 0)
    return 0;
  return plan->n_handlers + VYRE_HANDLER_REGISTERS
         + VYRE_HANDLER_INSTRUCTIONS * VYRE_COST_INSTRUCTION;
}

/* The cost of a slot run by the whole workgroup. */
guint64
vyre_plan_solo_cost (const VyrePlan *plan, guint slot)
{
  VyreSlotWork work = vyre_plan_scan_slot (plan->bound, slot);

  return work.copy_words / plan->workgroup
         + (guint64)work.ops * (VYRE_COST_OP + cost_of_handler (plan)) + 1;
}

static CostKind
cost_kind (guint32 opcode)
{
  if (opcode == VYRE_OP_PRINTF)
    return COST_PRINTF;
  return vyre_opcode_asks_host (opcode) ? COST_ASKS : COST_PLAIN;
}

/* The words that a LOAD_WORDS copies. More than there is room for faults without copying, and so
 * does any where the runtime has loaded nothing. */
static guint32
cost_loaded_words (const VyrePlan *plan, guint slot)
{
  guint32 words = vyre_plan_slot_arg (plan->bound, slot, VYRE_RESOURCE_ARG_WORDS);

  return plan->served && words <= plan->bound->n_observables ? words : 0;
}

/* The cost of a slot run by one lane: it copies word by word, a PRINTF may have to try as often as
 * there are records, and a slot that asks the host looks at all requests, for an answer and for
 * room. */
guint64
vyre_plan_lane_cost (const VyrePlan *plan, guint slot)
{
  guint32 opcode = vyre_plan_slot_word (plan->bound, slot, VYRE_SLOT_OPCODE);
  CostKind kind = cost_kind (opcode);

  if (kind == COST_PRINTF)
    return VYRE_COST_LANE_OP + VYRE_DEBUG_RECORDS;
  if (kind == COST_ASKS)
    return VYRE_COST_LANE_OP + 2 * VYRE_IO_SLOTS
           + (opcode == VYRE_OP_LOAD_WORDS ? cost_loaded_words (plan, slot) : 0);
  VyreSlotWork work = vyre_plan_scan_slot (plan->bound, slot);
  return work.ops * (guint64)(VYRE_COST_LANE_OP + cost_of_handler (plan)) + work.copy_words;
}

/* The most that one round of lanes over some of these slots costs. */
guint64
vyre_plan_round_cost (const VyrePlan *plan, guint first, guint count)
{
  guint64 dearest[N_COST_KINDS] = { 0 };

  for (guint slot = first; slot < first + count; slot++) {
    guint64 *most = &dearest[cost_kind (vyre_plan_slot_word (plan->bound, slot, VYRE_SLOT_OPCODE))];
    *most = MAX (*most, vyre_plan_lane_cost (plan, slot));
  }
  return dearest[COST_PLAIN] + dearest[COST_PRINTF] + dearest[COST_ASKS];
}

/* The cost of a fence at the end of its batch: by one lane or, if that would take too long, by a
 * workgroup, which sets @solo. */
guint64
vyre_plan_fence_cost (const VyrePlan *plan, guint slot, gboolean *solo)
{
  guint64 cost = vyre_plan_lane_cost (plan, slot);

  *solo = cost > VYRE_FENCES_COST_MAX;
  return *solo ? vyre_plan_solo_cost (plan, slot) : cost;
}
