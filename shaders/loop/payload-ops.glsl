// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The dispatch of payload opcodes, by their rows: a check of the operands of a slot, and the calls of
// the code for a tile and for the end.

// Kinds of operand b, as the rows have them.
const uint OPERAND_NONE = 0u;
const uint OPERAND_VALUE = 1u;
const uint OPERAND_OTHER = 2u;
const uint OPERAND_CELLS = 3u;
const uint OPERAND_CHROMA = 4u;

// Observables of the grid of a slot; 0 for one that does not fit.
uint grid_words(uint slot)
{
  uint at = slot_at(slot) + VYRE_SLOT_ARGS;
  uint columns = get(at + VYRE_GRID_ARG_COLUMNS), rows = get(at + VYRE_GRID_ARG_ROWS);
  return VYRE_GRID_FITS(columns, rows) ? columns * rows * VYRE_GRID_CELL_WORDS : 0u;
}

// Observables of a payload opcode; 0 for any other opcode.
uint payload_words(uint slot, uint opcode)
{
  switch (opcode) {
#define VYRE_PICTURE_OPCODE(NAME, name, b, c, TYPE, words, CUT, cost, usage, effect) \
    case VYRE_OP_##NAME: return PICTURES && OPERAND_##b == OPERAND_CELLS ? grid_words(slot) : words;
#define VYRE_PAYLOAD_OPCODE(NAME, name, b, TYPE, words, SHAPE, cost, deep, usage, effect) \
    case VYRE_OP_##NAME: return words;
#define VYRE_SAMPLE_OPCODE(NAME, name, b, TYPE, words, cost, BYTES, usage, effect) \
    case VYRE_OP_##NAME: return words;
#define VYRE_EXTRA_OPCODE(NAME, name, EXTRA, a, b, TYPE, words, SHAPE, cost, deep, usage, effect) \
    case VYRE_OP_##NAME: return words;
#include "opcodes.def"
    default: return 0u;
  }
}

// TRUE for a payload opcode that cannot skip the padding of rows.
bool is_linear(uint opcode)
{
  return false
#define VYRE_PAYLOAD_OPCODE(NAME, name, b, TYPE, words, SHAPE, cost, deep, usage, effect) \
      || (VYRE_SHAPE_##SHAPE == VYRE_SHAPE_LINEAR && opcode == VYRE_OP_##NAME)
#define VYRE_EXTRA_OPCODE(NAME, name, EXTRA, a, b, TYPE, words, SHAPE, cost, deep, usage, effect) \
      || (EXTRA && VYRE_SHAPE_##SHAPE == VYRE_SHAPE_LINEAR && opcode == VYRE_OP_##NAME)
#include "opcodes.def"
      ;
}

// TRUE for an opcode whose region is one of samples.
bool takes_samples(uint opcode)
{
  return false
#define VYRE_SAMPLE_OPCODE(NAME, name, b, TYPE, words, cost, BYTES, usage, effect) \
      || (SAMPLES && opcode == VYRE_OP_##NAME)
#define VYRE_PICTURE_OPCODE(NAME, name, b, c, TYPE, words, CUT, cost, usage, effect) \
      || (PICTURES && opcode == VYRE_OP_##NAME)
#include "opcodes.def"
      ;
}

// TRUE for an opcode whose region is a channel of audio.
bool takes_channel(uint opcode)
{
  return false
#define VYRE_EXTRA_OPCODE(NAME, name, EXTRA, a, b, TYPE, words, SHAPE, cost, deep, usage, effect) \
      || (EXTRA && VYRE_WORKS_ON_##a == VYRE_WORKS_ON_CHANNEL && opcode == VYRE_OP_##NAME)
#include "opcodes.def"
      ;
}

// TRUE for an opcode over two components.
bool takes_other(uint opcode)
{
  return false
#define VYRE_PICTURE_OPCODE(NAME, name, b, c, TYPE, words, CUT, cost, usage, effect) \
      || (PICTURES && OPERAND_##b == OPERAND_OTHER && opcode == VYRE_OP_##NAME)
#include "opcodes.def"
      ;
}

// TRUE if the other component of a slot lies in the payload and has the shape of the first.
bool other_fits(uint slot, Region r)
{
  uint at = slot_at(slot) + VYRE_SLOT_ARGS;
  uint word = get(at + VYRE_OTHER_ARG_SAMPLES);
  Region other = Region(get(at + VYRE_OTHER_ARG_OFFSET), get(at + VYRE_OTHER_ARG_WIDTH),
      get(at + VYRE_OTHER_ARG_ROWS), get(at + VYRE_OTHER_ARG_STRIDE), 0u, word);
  uint apart = max(VYRE_SAMPLES_APART(word), 1u); // a CPU divides, masked off, by those of any slot
  word |= apart;
  return region_fits(other) && VYRE_SAMPLES_FIT(other.operand)
      && VYRE_SAMPLES_ARE_ALIKE(r.operand, other.operand) && r.rows == other.rows
      && VYRE_SAMPLES_IN(r.width, r.operand | apart) == VYRE_SAMPLES_IN(other.width, word);
}

// TRUE for an opcode over luma and its chroma.
bool takes_chroma(uint opcode)
{
  return false
#define VYRE_PICTURE_OPCODE(NAME, name, b, c, TYPE, words, CUT, cost, usage, effect) \
      || (PICTURES && OPERAND_##b == OPERAND_CHROMA && opcode == VYRE_OP_##NAME)
#include "opcodes.def"
      ;
}

// TRUE if a component of chroma with so many columns and rows lies in the payload, from the argument
// `offset` on, and goes with luma.
bool chroma_fits(uint slot, Region r, uint columns, uint rows, uint offset, uint samples)
{
  uint at = slot_at(slot) + VYRE_SLOT_ARGS, word = get(at + samples);
  return VYRE_CHROMA_FITS(r.operand, word)
      && region_fits(Region(get(at + offset), VYRE_SAMPLES_SPAN(columns, word), rows,
             get(at + VYRE_CHROMA_ARG_STRIDE), 0u, word));
}

// TRUE if both components of chroma of a slot fit its luma.
bool all_chroma_fits(uint slot, Region r)
{
  uint shifts = get(slot_at(slot) + VYRE_SLOT_ARGS + VYRE_CHROMA_ARG_SHIFTS);
  uint across = VYRE_CHROMA_ACROSS(shifts), down = VYRE_CHROMA_DOWN(shifts);
  uint columns = VYRE_SAMPLES_IN(r.width, r.operand | max(VYRE_SAMPLES_APART(r.operand), 1u));
  uint u_columns = VYRE_CHROMA_LINES(columns, across & VYRE_CHROMA_MAX_SHIFT);
  uint u_rows = VYRE_CHROMA_LINES(r.rows, down & VYRE_CHROMA_MAX_SHIFT);
  return max(across, down) <= VYRE_CHROMA_MAX_SHIFT && max(columns, r.rows) <= VYRE_CHROMA_MAX_LINES
      && chroma_fits(slot, r, u_columns, u_rows, VYRE_CHROMA_ARG_U, VYRE_CHROMA_ARG_U_SAMPLES)
      && chroma_fits(slot, r, u_columns, u_rows, VYRE_CHROMA_ARG_V, VYRE_CHROMA_ARG_V_SAMPLES);
}

bool payload_op_fits(uint slot, uint opcode, Region r)
{
  uint words = payload_words(slot, opcode);
  return words != 0u && region_fits(r) && observables_fit(r, words)
      && (!is_linear(opcode) || region_is_linear(r))
      && (!takes_samples(opcode) || VYRE_SAMPLES_FIT(r.operand))
      && (!takes_channel(opcode) || VYRE_AUDIO_FIT(r.operand))
      && (!takes_other(opcode) || other_fits(slot, r))
      && (!takes_chroma(opcode) || all_chroma_fits(slot, r));
}

void run_payload_op(uint opcode, Region r)
{
  Walk w = walk_begin(r);
  switch (opcode) {
#define VYRE_PAYLOAD_OPCODE(NAME, name, b, TYPE, words, SHAPE, cost, deep, usage, effect) \
    case VYRE_OP_##NAME: name##_tile(r, w); break;
#define VYRE_SAMPLE_OPCODE(NAME, name, b, TYPE, words, cost, BYTES, usage, effect) \
    case VYRE_OP_##NAME: if (SAMPLES) name##_tile(r); break;
#define VYRE_PICTURE_OPCODE(NAME, name, b, c, TYPE, words, CUT, cost, usage, effect) \
    case VYRE_OP_##NAME: if (PICTURES) name##_tile(r); break;
#define VYRE_EXTRA_OPCODE(NAME, name, EXTRA, a, b, TYPE, words, SHAPE, cost, deep, usage, effect) \
    case VYRE_OP_##NAME: if (EXTRA) name##_tile(r, w); break;
#include "opcodes.def"
  }
}

void end_payload_op(uint opcode, Region r)
{
  switch (opcode) {
#define VYRE_PAYLOAD_OPCODE(NAME, name, b, TYPE, words, SHAPE, cost, deep, usage, effect) \
    case VYRE_OP_##NAME: name##_end(r); break;
#define VYRE_SAMPLE_OPCODE(NAME, name, b, TYPE, words, cost, BYTES, usage, effect) \
    case VYRE_OP_##NAME: if (SAMPLES) name##_end(r); break;
#define VYRE_PICTURE_OPCODE(NAME, name, b, c, TYPE, words, CUT, cost, usage, effect) \
    case VYRE_OP_##NAME: if (PICTURES) name##_end(r); break;
#define VYRE_EXTRA_OPCODE(NAME, name, EXTRA, a, b, TYPE, words, SHAPE, cost, deep, usage, effect) \
    case VYRE_OP_##NAME: if (EXTRA) name##_end(r); break;
#include "opcodes.def"
  }
}
