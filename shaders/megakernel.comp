// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The megakernel: workgroups take tickets until they are retired, run out of
// budget, or (in a single dispatch) reach their limit. See kernel.h for the
// structures and docs/architecture.md for the reasons.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "abi.h"
#include "kernel.h"
#include "buffers.glsl"
#include "slots.glsl"
#include "control_ops.glsl"
#include "payload.glsl"
#include "u8_ops.glsl"
#include "crc32.glsl"

const uint LEAVE = 0u;
const uint WAIT = 1u;
const uint WORK = 2u;

bool flag(uint bit) { return (launch[VYRE_LAUNCH_FLAGS] & bit) != 0u; }

uint ticket_at(uint ticket)
{
  return VYRE_DOOR_TICKETS + ticket % VYRE_MAX_TICKETS * VYRE_TICKET_WORDS;
}

// The host retires launches by number; the difference is signed so that the
// numbers may wrap.
bool retired() { return int(door[VYRE_DOOR_RETIRE] - launch[VYRE_LAUNCH_SEQUENCE]) > 0; }

// On a device with few workers the extra workgroups go home when idle, and the
// last one does so to be relaunched with company when much work has come.
bool wants_company(uint backlog, uint served)
{
  return launch[VYRE_LAUNCH_BACKLOG] != 0u && served != 0u
      && backlog >= launch[VYRE_LAUNCH_BACKLOG] && state[VYRE_STATE_ALIVE] == 1u;
}

bool too_many_idle(uint idle)
{
  return gl_WorkGroupID.x != 0u && launch[VYRE_LAUNCH_LINGER] != 0u
      && idle >= launch[VYRE_LAUNCH_LINGER];
}

// Lane 0 looks for a ticket. A lost race counts as waiting.
uint take(uint spent, uint idle, uint served)
{
  uint budget = launch[VYRE_LAUNCH_BUDGET];
  if (spent >= budget || retired())
    return LEAVE;
  uint head = state[VYRE_STATE_HEAD];
  uint tail = flag(VYRE_FLAG_POLL) ? door[VYRE_DOOR_TAIL] : launch[VYRE_LAUNCH_LIMIT];
  uint backlog = tail - head;
  if (int(backlog) <= 0)
    return !flag(VYRE_FLAG_POLL) || too_many_idle(idle) ? LEAVE : WAIT;
  if (wants_company(backlog, served))
    return LEAVE;
  memoryBarrierBuffer(); // the tail is seen before what it announces is read
  // The ticket cannot be overwritten while it is the head; if it no longer is,
  // what we read is of no use and the exchange below fails.
  if (door[ticket_at(head) + VYRE_TICKET_COST] > budget - spent)
    return LEAVE;
  if (atomicCompSwap(state[VYRE_STATE_HEAD], head, head + 1u) != head)
    return WAIT;
  for (uint i = 0u; i < VYRE_TICKET_WORDS; i++)
    s_ticket[i] = door[ticket_at(head) + i];
  uint batch = VYRE_DOOR_BATCHES + s_ticket[VYRE_TICKET_BATCH] * VYRE_BATCH_WORDS;
  for (uint i = 0u; i < VYRE_BATCH_WORDS; i++)
    s_batch[i] = door[batch + i];
  return WORK;
}

// A workgroup signs off when it decides to leave. One whose loops the device
// ended never gets here, and the host misses it. (After the loop would be too
// late: a compiler may take it for granted that a loop ends by its own exit.)
void sign_off(uint idle_total)
{
  atomicAdd(state[VYRE_STATE_ALIVE], 0xFFFFFFFFu);
  uint before = atomicAdd(answer[VYRE_ANSWER_IDLE_POLLS], idle_total);
  if (before + idle_total < before)
    atomicAdd(answer[VYRE_ANSWER_IDLE_POLLS + 1], 1u);
  memoryBarrierBuffer();
  atomicAdd(answer[VYRE_ANSWER_EXITS], 1u);
}

// The loop is small on purpose and holds nothing but the search: a CPU device
// executes masked-off code too. The tail is looked at several times a round,
// since rounds are what such a device limits.
uint wait_for_ticket(inout uint spent, inout uint idle_total, uint served)
{
  uint decision = WAIT;
  for (uint idle = 0u; decision == WAIT; idle++) {
    decision = take(spent, idle, served);
    spent++;
    idle_total += decision == WAIT ? 1u : 0u;
  }
  if (decision == LEAVE)
    sign_off(idle_total);
  return decision;
}

uint payload_words(uint opcode)
{
  switch (opcode) {
    case VYRE_OP_U8_STATS:
      return VYRE_U8_STATS_WORDS;
    case VYRE_OP_U8_HISTOGRAM:
      return VYRE_U8_HISTOGRAM_WORDS;
    case VYRE_OP_U8_BELOW:
      return VYRE_U8_BELOW_WORDS;
    case VYRE_OP_CRC32:
      return VYRE_CRC32_WORDS;
    default:
      return 0u;
  }
}

bool payload_op_fits(uint opcode, Region r)
{
  uint words = payload_words(opcode);
  return words != 0u && region_fits(r) && observables_fit(r, words)
      && (opcode != VYRE_OP_CRC32 || region_is_linear(r));
}

void run_payload_op(uint opcode, Region r)
{
  switch (opcode) {
    case VYRE_OP_U8_STATS:
      u8_stats_tile(r);
      break;
    case VYRE_OP_U8_HISTOGRAM:
      u8_histogram_tile(r);
      break;
    case VYRE_OP_U8_BELOW:
      u8_below_tile(r);
      break;
    case VYRE_OP_CRC32:
      crc32_tile(r);
      break;
  }
}

void end_payload_op(uint opcode, Region r)
{
  if (opcode == VYRE_OP_U8_STATS)
    u8_stats_end(r);
  else if (opcode == VYRE_OP_CRC32)
    crc32_end(r);
}

// Whether the slot runs is decided once, by whichever of its tiles comes first:
// a change of the tenant table in the same batch cannot split a slot.
bool slot_verdict(uint slot)
{
  uint at = slot_scratch_at(slot) + VYRE_SCRATCH_SLOT_VERDICT;
  if (work[at] == VYRE_VERDICT_OPEN) {
    uint verdict = authorised(slot) ? VYRE_VERDICT_RUN : VYRE_VERDICT_REFUSED;
    if (atomicCompSwap(work[at], VYRE_VERDICT_OPEN, verdict) == VYRE_VERDICT_OPEN
        && verdict == VYRE_VERDICT_RUN)
      work[slot_at(slot) + VYRE_SLOT_STATUS] = VYRE_STATUS_CLAIMED;
  }
  return work[at] == VYRE_VERDICT_RUN;
}

// One tile; the last tile of its slot ends the slot.
void run_tile(uint slot)
{
  if (lane() == 0u)
    s_decision = slot_verdict(slot) ? 1u : 0u;
  barrier();
  bool authorised_slot = s_decision != 0u;
  uint opcode = slot_op(slot).opcode;
  Region r = region_of(slot);
  bool fits = payload_op_fits(opcode, r);
  if (authorised_slot && fits)
    run_payload_op(opcode, r);
  publish_lanes();
  if (lane() != 0u || !authorised_slot)
    return;
  if (atomicAdd(work[slot_scratch_at(slot) + VYRE_SCRATCH_SLOT_TILES_LEFT], 0xFFFFFFFFu) != 1u)
    return;
  memoryBarrierBuffer();
  if (fits)
    end_payload_op(opcode, r);
  finish(slot, fits);
}

// The completion's sequence number is stored last: a host that sees it sees the
// whole batch.
void complete_batch()
{
  uint at = ticket[VYRE_TICKET_BATCH] * VYRE_COMPLETION_WORDS;
  answer[at + VYRE_COMPLETION_FAULTS] = work[scratch_at(VYRE_SCRATCH_FAULTS)];
  answer[at + VYRE_COMPLETION_DROPPED] = work[scratch_at(VYRE_SCRATCH_DROPPED)];
  answer[at + VYRE_COMPLETION_BYTES] = work[scratch_at(VYRE_SCRATCH_BYTES)];
  answer[at + VYRE_COMPLETION_BYTES + 1u] = work[scratch_at(VYRE_SCRATCH_BYTES + 1u)];
  memoryBarrierBuffer();
  answer[at + VYRE_COMPLETION_SEQUENCE] = batch[VYRE_BATCH_SEQUENCE];
}

// Whether this was the last ticket of its batch.
bool end_ticket()
{
  publish_lanes();
  if (lane() == 0u) {
    uint left = atomicAdd(work[scratch_at(VYRE_SCRATCH_TICKETS_LEFT)], 0xFFFFFFFFu);
    s_decision = left == 1u ? 1u : 0u;
    memoryBarrierBuffer();
  }
  barrier();
  return s_decision != 0u;
}

// The workgroup that finishes the last ticket of a batch completes the batch.
uint run_ticket()
{
  [[unroll]] for (uint i = 0u; i < VYRE_TICKET_WORDS; i++)
    ticket[i] = s_ticket[i];
  [[unroll]] for (uint i = 0u; i <= VYRE_BATCH_SEQUENCE; i++)
    batch[i] = s_batch[i];
  uint slot = ticket[VYRE_TICKET_SLOT];
  uint kind = ticket[VYRE_TICKET_KIND];
  uint cost = ticket[VYRE_TICKET_COST];

  if (kind == VYRE_KIND_LANES)
    run_lanes(slot, ticket[VYRE_TICKET_COUNT]);
  else if (kind == VYRE_KIND_SOLO)
    run_solo(slot);
  else
    run_tile(slot);
  if (end_ticket() && lane() == 0u) {
    run_fences();
    complete_batch();
  }
  return cost;
}

// Counts loop iterations and leaves the sum, if the device lets it get there.
void probe()
{
  uint counted = 0u;
  while (counted < launch[VYRE_LAUNCH_BUDGET]) {
    counted++;
    if (retired())
      break;
  }
  answer[VYRE_ANSWER_PROBE] = counted;
}

void main()
{
  if (flag(VYRE_FLAG_PROBE)) {
    if (lane() == 0u)
      probe();
    return;
  }
  if (lane() == 0u)
    atomicAdd(state[VYRE_STATE_ALIVE], 1u);
  uint spent = 0u, idle_total = 0u, served = 0u;
  while (true) {
    if (lane() == 0u)
      s_next = wait_for_ticket(spent, idle_total, served);
    barrier();
    if (s_next == LEAVE)
      break;
    spent += run_ticket();
    barrier(); // every lane is done with the ticket, and has read what was next
    served = 1u;
  }
}
