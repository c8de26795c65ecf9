// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Pixels outside of the range of broadcasts, by luma or by chroma, which several of them may share:
// SAMPLE_RANGE. The walk is one over luma.

// The sample whose container starts at bit 0.
uint sample_in(uint container, uint word)
{
  if (VYRE_SAMPLES_SWAPPED(word) != 0u)
    container = (container & 0xFFu) << 8 | (container >> 8 & 0xFFu);
  return container >> VYRE_SAMPLES_SHIFT(word) & (1u << VYRE_SAMPLES_DEPTH(word)) - 1u;
}

// 1 for a sample outside of 16 to `most`, in units of 8 bits.
uint is_outside(uint x, uint most, uint unit) { return x < 16u * unit || x > most * unit ? 1u : 0u; }

void sample_range_tile(Region r)
{
  Samples s = samples_of(r);
  Walk w = walk_rows(r);
  uint u_word = slot_arg(VYRE_CHROMA_ARG_U_SAMPLES), v_word = slot_arg(VYRE_CHROMA_ARG_V_SAMPLES);
  uint stride = slot_arg(VYRE_CHROMA_ARG_STRIDE), shifts = slot_arg(VYRE_CHROMA_ARG_SHIFTS);
  uint first_u = ticket[VYRE_TICKET_PAYLOAD] + slot_arg(VYRE_CHROMA_ARG_U);
  uint first_v = ticket[VYRE_TICKET_PAYLOAD] + slot_arg(VYRE_CHROMA_ARG_V);
  uint unit = 1u << (VYRE_SAMPLES_DEPTH(r.operand) - 8u), count = 0u, bytes = 0u;
  while (w.index < w.total) {
    Containers c = next_containers(s, w);
    uint line = (ticket[VYRE_TICKET_ROW] + c.row >> VYRE_CHROMA_DOWN(shifts)) * stride;
    uint column = (c.from + uint(max(findLSB(c.starts), 0))) / s.apart;
    bytes += c.bytes;
    while (c.starts != 0u) {
      uint bit = uint(findLSB(c.starts)), at = column >> VYRE_CHROMA_ACROSS(shifts);
      uint u = load_bytes(first_u + line + at * VYRE_SAMPLES_APART(u_word), w.most).x;
      uint v = load_bytes(first_v + line + at * VYRE_SAMPLES_APART(v_word), w.most).x;
      count += is_outside(c.words[bit / 4u] >> 8u * (bit % 4u) + s.shift & s.mask, 235u, unit)
          | is_outside(sample_in(u, u_word), 240u, unit)
          | is_outside(sample_in(v, v_word), 240u, unit);
      c.starts &= c.starts - 1u;
      column++;
    }
  }
  join_below(r, count, bytes);
}

void sample_range_end(Region r) {}
