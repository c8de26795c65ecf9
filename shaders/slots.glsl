// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The life of a slot: authorise, claim, count, finish.

// A tenant is authorised by a non-zero mask word. The table has 29 masks; a
// lookup outside of it never authorises.
bool authorised(uint slot)
{
  uint mask = get(control_at(VYRE_CONTROL_TENANT_BASE)) + get(slot_at(slot) + VYRE_SLOT_TENANT);
  if (mask < VYRE_CONTROL_TENANT_MASKS || mask >= VYRE_CONTROL_TENANT_MASKS_END)
    return false;
  return get(control_at(mask)) != 0u;
}

bool claim(uint slot)
{
  return authorised(slot)
      && exchange(slot_at(slot) + VYRE_SLOT_STATUS, VYRE_STATUS_PUBLISHED, VYRE_STATUS_CLAIMED)
      == VYRE_STATUS_PUBLISHED;
}

void count_opcode(uint opcode)
{
  if (opcode < VYRE_CONTROL_METRICS_COUNT)
    add(control_at(VYRE_CONTROL_METRICS + opcode), 1u);
}

// The status comes after the results, the count after the status: whoever sees
// DONE sees the results, and the count never runs ahead of the statuses.
void finish(uint slot, bool ran)
{
  order_writes();
  put(slot_at(slot) + VYRE_SLOT_STATUS, ran ? VYRE_STATUS_DONE : VYRE_STATUS_FAULT);
  if (!ran)
    add(scratch_at(VYRE_SCRATCH_FAULTS), 1u);
  order_writes();
  add(control_at(VYRE_CONTROL_DONE_COUNT), 1u);
}

// The host marks the slots that hold a fence; they run last.
bool slot_scratch_is_fence(uint slot)
{
  return get(slot_scratch_at(slot) + VYRE_SCRATCH_SLOT_VERDICT) == VYRE_VERDICT_FENCE;
}
