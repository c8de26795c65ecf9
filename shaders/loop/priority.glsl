// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A ring with priorities, divided into partitions by the offsets in its control words. The kernel
// runs it in passes. In a pass worker i takes one slot: the i-th of the most urgent partition in
// which the i-th slot can run. All workers are through with a partition before any of them looks at
// the next.

const uint NO_SLOT = 0xFFFFFFFFu;

// TRUE when a tenant has quota left for a slot. A program can move the table of masks so that a
// tenant of any number is authorised; a tenant whose quota would lie outside of the batch has none.
bool may_spend(uint tenant)
{
  if (!in_control(VYRE_CONTROL_QUOTAS + tenant))
    return false;
  uint spent_at = control_at(VYRE_CONTROL_FAIRNESS + tenant % VYRE_CONTROL_FAIRNESS_COUNT);
  if (add(spent_at, 1u) < get(control_at(VYRE_CONTROL_QUOTAS + tenant)))
    return true;
  add(spent_at, 0xFFFFFFFFu);
  return false;
}

// Claims a slot. Two workers look at the same slot only where partitions overlap.
bool claim_ranked(uint slot, Slot s, uint level)
{
  uint status_at = slot_at(slot) + VYRE_SLOT_STATUS;
  if (is_fence(s) || !VYRE_IS_SCHEDULABLE(s.status) || !authorised(s)
      || exchange(status_at, s.status, VYRE_STATUS_CLAIMED) != s.status)
    return false;
  if (!may_spend(s.tenant)) {
    put(status_at, s.status);
    return false;
  }
  add(control_at(VYRE_CONTROL_PRIORITY_FAIRNESS + level), 1u);
  if (level < VYRE_PRIORITY_NORMAL)
    add(control_at(VYRE_CONTROL_STARVATION), 1u);
  else
    put(control_at(VYRE_CONTROL_STARVATION), 0u);
  return true;
}

// The place of a workgroup in the passes; all lanes have the same.
struct Pass {
  bool more;
  uint number; // from 1
  uint last;
  uint level;
  uint first_level;
  bool lifted; // the urgent levels run although other levels starve
};

Pass begin_passes(uint passes)
{
  return Pass(true, 0u, passes, VYRE_PRIORITY_LEVELS, VYRE_PRIORITY_CRITICAL, false);
}

// Begins a pass. After many urgent slots in a row the pass leaves the urgent levels alone.
void next_pass(inout Pass pass)
{
  barrier(); // all lanes have read s_decision of the pass before
  if (lane() == 0u)
    s_decision = 0u;
  bool starved = get(control_at(VYRE_CONTROL_STARVATION)) >= VYRE_STARVATION_LIMIT;
  pass.more = get(control_at(VYRE_CONTROL_SHUTDOWN)) == 0u;
  pass.number++;
  pass.first_level = starved && !pass.lifted ? VYRE_PRIORITY_NORMAL : VYRE_PRIORITY_CRITICAL;
  pass.level = pass.first_level;
  barrier(); // all lanes have read these words before a slot of this pass changes them
}

// The slot that a worker may run now, or NO_SLOT. The scratch of the slot with the worker's number
// has the number of the last pass in which the worker had a slot.
uint ranked_slot(uint worker, Pass pass, uint slots)
{
  uint first = get(control_at(VYRE_CONTROL_PRIORITY_OFFSETS + pass.level));
  uint end = get(control_at(VYRE_CONTROL_PRIORITY_OFFSETS + pass.level + 1u));
  uint slot = first + worker;
  bool there = worker < end - first && slot >= first && slot < slots;
  return there && get(slot_scratch_at(worker) + VYRE_SCRATCH_SLOT_PASS) != pass.number ? slot
                                                                                   : NO_SLOT;
}

void note_ranked(uint worker, Pass pass)
{
  put(slot_scratch_at(worker) + VYRE_SCRATCH_SLOT_PASS, pass.number);
  s_decision = 1u;
}

// Ends a level, and with the last level the pass. A pass that found no slot is the last, unless it
// left the urgent levels alone: then the other levels have no slot to run, and get none.
void end_level(inout Pass pass)
{
  publish_lanes();
  pass.level++;
  if (pass.level < VYRE_PRIORITY_LEVELS)
    return;
  bool found = s_decision != 0u;
  bool lift = !found && pass.first_level != VYRE_PRIORITY_CRITICAL;
  if (lift) {
    pass.lifted = true;
    pass.number--;
  }
  pass.more = pass.more && (found || lift) && pass.number < pass.last;
}
