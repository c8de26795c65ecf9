// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A ring with priorities, divided by the offsets in its control words. It is run in
// passes. In each, worker i takes one slot: the i-th of the most urgent partition
// where that one can run. All workers are done with a partition before any looks at
// the next.

const uint NO_SLOT = 0xFFFFFFFFu;

// A tenant may have as many slots run as its quota says. Programs can move the table of masks
// to where one of any number is authorised, whose quota would lie outside of the batch.
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

// No two workers look at the same slot, unless the host had partitions overlap.
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

// Where a workgroup is in the passes; the same in all lanes.
struct Pass {
  bool more;
  uint number; // from 1
  uint last;
  uint level;
  uint first_level;
  bool lifted; // the urgent levels run although others starve
};

Pass begin_passes(uint passes)
{
  return Pass(true, 0u, passes, VYRE_PRIORITY_LEVELS, VYRE_PRIORITY_CRITICAL, false);
}

// After many urgent slots in a row a pass leaves those alone.
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
// says whether the worker has had its slot of this pass.
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

// A pass that found nothing is the last, unless it was one that left urgent slots
// alone: that was for others, and there are none, nor will there be.
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
