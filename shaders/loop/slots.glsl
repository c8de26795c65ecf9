// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The life of a slot: load, authorise, claim, count, finish.

// The words of a slot, loaded at once: on a GPU a cheap slot costs the latency of its loads alone.
struct Slot {
  uint status;
  uint opcode;
  uint tenant;
  uint tenant_base;
  uint verdict;
  uint args[VYRE_REGION_ARG_THRESHOLD + 1];
};

Slot load_slot(uint slot)
{
  Slot s;
  uint at = slot_at(slot);
  uint base_at = control_at(VYRE_CONTROL_TENANT_BASE);
  uint verdict_at = slot_scratch_at(slot) + VYRE_SCRATCH_SLOT_VERDICT;
  if (is_local()) {
    s.status = s_work[at + VYRE_SLOT_STATUS];
    s.opcode = s_work[at + VYRE_SLOT_OPCODE];
    s.tenant = s_work[at + VYRE_SLOT_TENANT];
    s.tenant_base = s_work[base_at];
    s.verdict = s_work[verdict_at];
    [[unroll]] for (uint i = 0u; i <= VYRE_REGION_ARG_THRESHOLD; i++)
      s.args[i] = s_work[at + VYRE_SLOT_ARGS + i];
  } else {
    s.status = work[at + VYRE_SLOT_STATUS];
    s.opcode = work[at + VYRE_SLOT_OPCODE];
    s.tenant = work[at + VYRE_SLOT_TENANT];
    s.tenant_base = work[base_at];
    s.verdict = work[verdict_at];
    [[unroll]] for (uint i = 0u; i <= VYRE_REGION_ARG_THRESHOLD; i++)
      s.args[i] = work[at + VYRE_SLOT_ARGS + i];
  }
  return s;
}

// The host marks the slots that hold a fence; they run last.
bool is_fence(Slot s) { return s.verdict == VYRE_VERDICT_FENCE; }

// TRUE when the mask word of a tenant is not zero. The table has 29 masks; a lookup
// outside of it authorises no tenant.
bool is_tenant_authorised(uint tenant_base, uint tenant)
{
  uint mask = tenant_base + tenant;
  if (mask < VYRE_CONTROL_TENANT_MASKS || mask >= VYRE_CONTROL_TENANT_MASKS_END)
    return false;
  return get(control_at(mask)) != 0u;
}

bool authorised(Slot s) { return is_tenant_authorised(s.tenant_base, s.tenant); }

bool asks_host(uint opcode)
{
  return false
#define VYRE_HOST_OPCODE(NAME, name, a, b, c, least, TARGET, TYPE, words, usage, effect) \
      || opcode == VYRE_OP_##NAME
#include "opcodes.def"
      ;
}

// TRUE for a slot that asked the host, and goes on now that its batch runs again.
bool is_waiting(Slot s)
{
  return RARE && s.status == VYRE_STATUS_WAIT_IO && asks_host(s.opcode);
}

// Claims a slot. No other lane sees a slot of a small batch, so it needs no exchange.
bool claim(uint slot, Slot s)
{
  if (!authorised(s) || (s.status != VYRE_STATUS_PUBLISHED && !is_waiting(s)))
    return false;
  return is_local()
      || exchange(slot_at(slot) + VYRE_SLOT_STATUS, s.status, VYRE_STATUS_CLAIMED) == s.status;
}

void count_opcode(uint opcode)
{
  if (opcode < VYRE_CONTROL_METRICS_COUNT)
    add(control_at(VYRE_CONTROL_METRICS + opcode), 1u);
}

// Ends a slot. Stores the status after the results and the count after the status: a reader that
// sees DONE sees the results, and the count never runs ahead of the statuses. A slot that waits for
// the host, or for its turn to ask it, has not ended and is not counted.
void finish(uint slot, uint status)
{
  order_writes();
  put(slot_at(slot) + VYRE_SLOT_STATUS, status);
  if (status == VYRE_STATUS_FAULT)
    add(scratch_at(VYRE_SCRATCH_FAULTS), 1u);
  order_writes();
  bool waits = RARE && (status == VYRE_STATUS_WAIT_IO || status == VYRE_STATUS_PUBLISHED);
  if (waits)
    add(scratch_at(VYRE_SCRATCH_WAITING), 1u);
  else
    add(control_at(VYRE_CONTROL_DONE_COUNT), 1u);
}

uint ran_to(bool fine) { return fine ? VYRE_STATUS_DONE : VYRE_STATUS_FAULT; }
