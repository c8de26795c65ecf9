// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Opcodes that touch only the control words and the debug log, and slots that pack several of them.
// An operation that would leave its buffer, or that has no handler, has no effect and returns
// false: its slot faults.

struct Op {
  uint opcode;
  uint a;
  uint b;
  uint c;
};

bool in_control(uint word) { return word < control_words(); }

bool range_in_control(uint first, uint count)
{
  return count <= control_words() && first <= control_words() - count;
}

bool memcpy_fits(Op op) { return op.c == 0u || (range_in_control(op.a, op.c) && range_in_control(op.b, op.c)); }

bool op_compare_swap(Op op)
{
  uint result = VYRE_CONTROL_OBSERVABLES + op.a;
  if (!in_control(op.a) || !in_control(result))
    return false;
  put(control_at(result), exchange(control_at(op.a), op.b, op.c));
  return true;
}

// One lane copies word by word, ascending: an overlap smears as in a plain loop.
bool op_memcpy_lane(Op op)
{
  if (!memcpy_fits(op))
    return false;
  for (uint i = 0u; i < op.c; i++)
    put(control_at(op.b + i), get(control_at(op.a + i)));
  return true;
}

bool op_batch_fence(Op op)
{
  if (!in_control(VYRE_CONTROL_OBSERVABLES))
    return false;
  add(control_at(VYRE_CONTROL_EPOCH), 1u);
  put(control_at(VYRE_CONTROL_OBSERVABLES), op.b);
  return true;
}

// Drops and counts a record that does not fit; the cursor never passes the end, so a full log stays
// readable. An exchange fails when another lane reserved a record, of which the log has 64.
bool op_printf(Op op, uint slot)
{
  const uint last = VYRE_DEBUG_WORDS - 1u - VYRE_DEBUG_RECORD_WORDS;
  uint cursor_at = debug_at();
  uint cursor = add(cursor_at, 0u);
  bool reserved = false;
  for (uint attempt = 0u; attempt <= VYRE_DEBUG_RECORDS && !reserved && cursor <= last; attempt++) {
    uint seen = exchange(cursor_at, cursor, cursor + VYRE_DEBUG_RECORD_WORDS);
    reserved = seen == cursor;
    cursor = reserved ? cursor : seen;
  }
  if (reserved) {
    uint record = cursor_at + 1u + cursor;
    put(record, op.a);
    put(record + 1u, op.b);
    put(record + 2u, op.c);
    put(record + 3u, slot * VYRE_SLOT_WORDS);
  } else {
    add(scratch_at(VYRE_SCRATCH_DROPPED), 1u);
  }
  return true;
}

// One lane runs a built-in operation; returns whether it could.
bool run_built_in(Op op, uint slot)
{
  switch (op.opcode) {
    case VYRE_OP_NOP:
      return true;
    case VYRE_OP_STORE_U32:
      if (!in_control(op.b))
        return false;
      put(control_at(op.b), op.a);
      return true;
    case VYRE_OP_ATOMIC_ADD:
      if (!in_control(op.b))
        return false;
      add(control_at(op.b), op.a);
      return true;
    case VYRE_OP_LOAD_U32:
      if (!in_control(op.a) || !in_control(VYRE_CONTROL_OBSERVABLES + op.b))
        return false;
      put(control_at(VYRE_CONTROL_OBSERVABLES + op.b), get(control_at(op.a)));
      return true;
    case VYRE_OP_COMPARE_SWAP:
      return op_compare_swap(op);
    case VYRE_OP_MEMCPY:
      return op_memcpy_lane(op);
    case VYRE_OP_BATCH_FENCE:
      return op_batch_fence(op);
    case VYRE_OP_PRINTF:
      return op_printf(op, slot);
    case VYRE_OP_SHUTDOWN:
      put(control_at(VYRE_CONTROL_SHUTDOWN), 1u);
      return true;
    default:
      return false;
  }
}

#include "ops/handlers.glsl"
#include "ops/io.glsl"
#include "loop/priority.glsl"

uint slot_arg(uint slot, uint index) { return get(slot_at(slot) + VYRE_SLOT_ARGS + index); }

uint packed_byte(uint slot, uint index)
{
  return (slot_arg(slot, index / 4u) >> (8u * (index % 4u))) & 0xFFu;
}

// The number of inner operations that a packed slot claims to have. VYRE_PACKED_FITS() tells if the
// metadata, two bytes and a pair for each of them, fits the arguments.
uint packed_ops(uint slot) { return packed_byte(slot, 0u); }

// An inner operation of a packed slot. Its arguments end where those of the next operation begin,
// and those of the last at the total in byte 1; arguments that it lacks are 0.
Op packed_op(uint slot, uint ops, uint index)
{
  uint first = packed_byte(slot, 3u + 2u * index);
  uint end = index + 1u < ops ? packed_byte(slot, 5u + 2u * index) : packed_byte(slot, 1u);
  uint metadata = VYRE_PACKED_METADATA_WORDS(ops);
  uint args[3];
  for (uint i = 0u; i < 3u; i++) {
    uint word = metadata + first + i;
    bool present = first + i < end && word < VYRE_SLOT_MAX_ARGS;
    args[i] = present ? slot_arg(slot, word) : 0u;
  }
  return Op(packed_byte(slot, 2u + 2u * index), args[0], args[1], args[2]);
}

Op slot_op(Slot s) { return Op(s.opcode, s.args[0], s.args[1], s.args[2]); }

// Operation i of a slot: the whole slot, or an inner operation of a packed slot.
Op nth_op(uint slot, Op whole, uint ops, uint i)
{
  if (whole.opcode == VYRE_OP_PACKED_SLOT)
    return packed_op(slot, ops, i);
  return whole;
}

// The number of operations of a slot; an unreadable packed slot has none.
uint count_ops(uint slot, Op whole, out bool readable)
{
  uint ops = whole.opcode == VYRE_OP_PACKED_SLOT ? packed_ops(slot) : 1u;
  readable = whole.opcode != VYRE_OP_PACKED_SLOT || VYRE_PACKED_FITS(ops);
  return readable ? ops : 0u;
}

// One lane runs all operations of a slot; returns whether it could run each of them.
bool run_ops(uint slot, Slot s)
{
  Op whole = slot_op(s);
  bool ran;
  uint ops = count_ops(slot, whole, ran);
  for (uint i = 0u; i < ops; i++)
    ran = run_op(nth_op(slot, whole, ops, i), slot) && ran;
  return ran;
}

// One lane runs a slot; returns the status that the slot ends with.
uint run_slot(uint slot, Slot s)
{
  uint status;
  if (RARE && asks_host(s.opcode))
    status = ask_host(slot, s);
  else
    status = ran_to(run_ops(slot, s));
  return status;
}

// Runs cheap slots, a lane each, or in @passes those of a ring with priorities. The host plans no
// payload slot among them and, outside of such a ring, no long copy.
void run_lanes(uint first, uint count, uint passes)
{
  bool ranked = RARE && passes != 0u;
  Pass pass = begin_passes(passes);
  do {
    if (ranked && pass.level >= VYRE_PRIORITY_LEVELS)
      next_pass(pass);
    for (uint i = lane(); pass.more && i < count; i += WORKGROUP) {
      uint slot = ranked ? ranked_slot(i, pass, count) : first + i;
      if (slot != NO_SLOT) {
        Slot s = load_slot(slot);
        bool mine = ranked ? claim_ranked(slot, s, pass.level) : !is_fence(s) && claim(slot, s);
        if (mine)
          finish(slot, run_slot(slot, s));
        if (mine && ranked)
          note_ranked(i, pass);
      }
    }
    if (ranked)
      end_level(pass);
  } while (ranked && pass.more);
}

// The first fence from a slot on, or the end. The search has a loop of its own: a CPU device runs
// the loops of an operation once for every slot of a loop around it.
uint find_fence(uint slot, uint end)
{
  while (slot < end
      && get(slot_scratch_at(slot) + VYRE_SCRATCH_SLOT_VERDICT) != VYRE_VERDICT_FENCE)
    slot++;
  return slot;
}

// One lane of the workgroup that finished the last ticket runs the fences, in the order of their
// slots, after all other slots of the batch. Where the host has the batch go on, fences wait for
// slots that wait; elsewhere the batch may never run again.
void run_fences()
{
  if (RARE && is_served() && get(scratch_at(VYRE_SCRATCH_WAITING)) != 0u)
    return;
  uint slot = about[VYRE_ABOUT_FENCE_FIRST], end = about[VYRE_ABOUT_FENCE_END];
  do {
    slot = find_fence(slot, end);
    if (slot < end) {
      Slot s = load_slot(slot);
      if (claim(slot, s))
        finish(slot, ran_to(run_ops(slot, s)));
    }
    slot++;
  } while (slot < end);
}

// The whole workgroup runs a MEMCPY, with the meaning of the ascending loop. Upward overlap: every
// word comes from the first `distance` words, which the copy never writes. Downward overlap: all
// lanes read a stride before any lane writes it.
bool op_memcpy_workgroup(Op op)
{
  if (!memcpy_fits(op))
    return false;
  bool upward = op.b > op.a && op.b - op.a < op.c;
  uint distance = upward ? op.b - op.a : op.c;
  for (uint i = 0u; i < op.c; i += WORKGROUP) {
    uint word = i + lane();
    bool mine = word < op.c;
    uint value = mine ? get(control_at(op.a + word % distance)) : 0u;
    barrier(); // all lanes have read the stride before any of it is written
    if (mine)
      put(control_at(op.b + word), value);
    publish_lanes(); // pairs with the loads of the next stride
  }
  return true;
}

// The whole workgroup runs a slot, its operations in order.
void run_solo(uint slot)
{
  Slot s = load_slot(slot);
  barrier(); // all lanes have loaded the slot as it was
  if (lane() == 0u)
    s_decision = claim(slot, s) ? 1u : 0u;
  barrier(); // s_decision is there for all lanes
  bool claimed = s_decision != 0u;
  if (!claimed)
    return;
  Op whole = slot_op(s);
  bool ran;
  uint ops = count_ops(slot, whole, ran);
  for (uint i = 0u; i < ops; i++) {
    Op op = nth_op(slot, whole, ops, i);
    bool fine;
    if (op.opcode == VYRE_OP_MEMCPY) {
      if (lane() == 0u)
        count_opcode(op.opcode);
      fine = op_memcpy_workgroup(op);
    } else {
      barrier(); // all lanes have read the s_decision of the operation before
      if (lane() == 0u)
        s_decision = run_op(op, slot) ? 1u : 0u;
      publish_lanes();
      fine = s_decision != 0u;
    }
    ran = ran && fine;
  }
  publish_lanes();
  if (lane() == 0u)
    finish(slot, ran_to(ran));
}
