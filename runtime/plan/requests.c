/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Slots that ask the host for something: which there are, and which may ask now.
 */
#include "plan/plan-private.h"
#include "program/opcodes.h"

static gboolean
request_is_write (guint32 opcode)
{
  return opcode == VYRE_OP_APPEND || opcode == VYRE_OP_SYNC;
}

/* Whether a slot can run at all; a slot that waits for its request can. */
gboolean
vyre_plan_may_run (const VyrePlan *plan, guint slot)
{
  guint32 status = vyre_plan_slot_word (plan->bound, slot, VYRE_SLOT_STATUS);

  return !plan->shut_down
         && (status == VYRE_STATUS_PUBLISHED
             || (status == VYRE_STATUS_WAIT_IO
                 && vyre_opcode_asks_host (
                     vyre_plan_slot_word (plan->bound, slot, VYRE_SLOT_OPCODE))));
}

/* The extras that the plan needs its kernel to have. */
guint32
vyre_plan_find_extras (const VyrePlan *plan)
{
  gboolean is_rare = plan->n_handlers > 0 || plan->schedule == VYRE_SCHEDULE_PRIORITY;
  guint32 extras = is_rare ? VYRE_EXTRA_RARE : 0;

  for (guint slot = 0; slot < plan->bound->n_slots; slot++) {
    const guint32 *words = &plan->bound->slots[slot * VYRE_SLOT_WORDS];
    if (vyre_plan_may_run (plan, slot))
      extras |= vyre_opcode_get_extras (words[VYRE_SLOT_OPCODE], words + VYRE_SLOT_ARGS);
  }
  return extras;
}

/* Whether the kernel may write to the debug log or the io queue; a handler may run a PRINTF,
 * and a packed slot cannot. */
gboolean
vyre_plan_writes_queues (const VyrePlan *plan)
{
  gboolean writes = plan->n_handlers > 0;

  for (guint slot = 0; slot < plan->bound->n_slots && !writes; slot++) {
    guint32 opcode = vyre_plan_slot_word (plan->bound, slot, VYRE_SLOT_OPCODE);
    writes = opcode == VYRE_OP_PRINTF || vyre_opcode_asks_host (opcode);
  }
  return writes;
}

/* Whether the host has something to serve: reads, or writes. */
void
vyre_plan_find_requests (const VyreBoundProgram *bound, gboolean *reads, gboolean *writes)
{
  *reads = *writes = FALSE;
  for (guint slot = 0; slot < bound->n_used; slot++) {
    guint32 opcode = vyre_plan_slot_word (bound, slot, VYRE_SLOT_OPCODE);
    *writes |= request_is_write (opcode);
    *reads |= vyre_opcode_asks_host (opcode) && !request_is_write (opcode);
  }
}

/* The end of the slots that may ask for writes together: as many from @first on as the io queue
 * has room for, by the ring in @slice. */
guint
vyre_plan_find_writes_end (const VyrePlan *plan, const guint32 *slice, guint first)
{
  const guint32 *ring = slice + plan->layout.offset[VYRE_PART_RING] / 4;
  guint slot = first;

  for (guint n = 0; slot < plan->bound->n_slots && n < VYRE_IO_SLOTS; slot++) {
    const guint32 *words = ring + (gsize)slot * VYRE_SLOT_WORDS;
    n += request_is_write (words[VYRE_SLOT_OPCODE])
         && words[VYRE_SLOT_STATUS] == VYRE_STATUS_PUBLISHED;
  }
  return slot;
}
