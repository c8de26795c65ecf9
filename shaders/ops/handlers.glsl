// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Opcodes that are not built in: a handler is straight-line code on registers, the first of which
// are the arguments of the slot.

struct Handler {
  uint at; // the next instruction
  uint end;
  uint registers[VYRE_HANDLER_REGISTERS];
};

// Finds the handler of an operation; false when it has none.
bool find_handler(Op op, uint slot, out Handler h)
{
  uint n = about[VYRE_ABOUT_HANDLERS], i = 0u;
  while (i < n && get(handlers_at() + i * VYRE_HANDLER_WORDS) != op.opcode)
    i++;
  h.at = h.end = 0u;
  if (i == n)
    return false;
  uint entry = handlers_at() + i * VYRE_HANDLER_WORDS;
  // an operation inside of a packed slot has three arguments at most
  bool whole = get(slot_at(slot) + VYRE_SLOT_OPCODE) == op.opcode;
  for (uint r = 0u; r < VYRE_HANDLER_REGISTERS; r++)
    h.registers[r] = whole && r < VYRE_SLOT_MAX_ARGS ? get(slot_at(slot) + VYRE_SLOT_ARGS + r) : 0u;
  h.registers[0] = op.a;
  h.registers[1] = op.b;
  h.registers[2] = op.c;
  h.at = handlers_at() + get(entry + 1u);
  h.end = h.at + get(entry + 2u) * VYRE_INSTRUCTION_WORDS;
  return true;
}

uint compute(uint operation, uint a, uint b, uint immediate)
{
  switch (operation) {
    case VYRE_DO_ADD:
      return a + b;
    case VYRE_DO_SUBTRACT:
      return a - b;
    case VYRE_DO_MULTIPLY:
      return a * b;
    case VYRE_DO_AND:
      return a & b;
    case VYRE_DO_OR:
      return a | b;
    case VYRE_DO_XOR:
      return a ^ b;
    case VYRE_DO_SHIFT_LEFT:
      return a << (b & 31u);
    case VYRE_DO_SHIFT_RIGHT:
      return a >> (b & 31u);
    default:
      return immediate;
  }
}

// Computes up to the next built-in operation and returns it; NOP behind the last.
Op next_built_in(inout Handler h)
{
  Op found = Op(VYRE_OP_NOP, 0u, 0u, 0u);
  for (bool searching = true; searching && h.at < h.end; h.at += VYRE_INSTRUCTION_WORDS) {
    uint code = get(h.at), immediate = get(h.at + 1u);
    uint result = (code >> 8) % VYRE_HANDLER_REGISTERS;
    uint a = h.registers[(code >> 16) % VYRE_HANDLER_REGISTERS];
    uint b = h.registers[(code >> 24) % VYRE_HANDLER_REGISTERS];
    if ((code & 0xFFu) == VYRE_DO_RUN) {
      found = Op(immediate, h.registers[result], a, b);
      searching = false;
    } else {
      h.registers[result] = compute(code & 0xFFu, a, b, immediate);
    }
  }
  return found;
}

// One lane runs an operation: a built-in one, or all those of a handler.
bool run_op(Op op, uint slot)
{
  Handler h;
  count_opcode(op.opcode);
  bool handled = RARE && find_handler(op, slot, h), fine;
  do {
    if (handled)
      op = next_built_in(h);
    fine = run_built_in(op, slot);
  } while (handled && fine && h.at < h.end);
  return fine;
}
