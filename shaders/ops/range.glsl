// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Pixels outside of the range of broadcasts, by luma or by chroma, which several of them may share:
// SAMPLE_RANGE. The walk is one over luma.

// The sample whose container starts at bit 0.
uint sample_in(uint container, uint word)
{
  if (VYRE_SAMPLES_SWAPPED(word) != 0u)
    container = (container & 0xFFu) << 8 | (container >> 8 & 0xFFu);
  uint shift = mix(VYRE_SAMPLES_SHIFT(word), 0u, VYRE_SAMPLES_ARE_PACKED(word));
  return container >> shift & (1u << VYRE_SAMPLES_DEPTH(word)) - 1u;
}

// The byte of its row at which the container of a column starts.
uint place_in_row(uint column, uint word)
{
  uint at = column * VYRE_SAMPLES_APART(word), number = at + VYRE_SAMPLES_SHIFT(word);
  return mix(at, number / 3u * 4u, VYRE_SAMPLES_ARE_PACKED(word));
}

// The sample of a column, of sixteen bytes that start `place` bytes in front of its container.
uint sample_of_column(uvec4 bytes, uint place, uint column, uint word)
{
  uint number = column * VYRE_SAMPLES_APART(word) + VYRE_SAMPLES_SHIFT(word);
  uint bits = mix(0u, number % 3u * VYRE_PACKED_BITS, VYRE_SAMPLES_ARE_PACKED(word));
  return sample_in(bytes_from(bytes, uvec4(0u), place).x >> bits, word);
}

// TRUE if the container of a column ends inside of sixteen bytes of its row.
bool is_among(uint column, uint word, uint first)
{
  uint bytes = mix(VYRE_SAMPLES_BYTES(word), 4u, VYRE_SAMPLES_ARE_PACKED(word));
  return place_in_row(column, word) - first + bytes <= VYRE_GRANULE;
}

// 1 for a sample outside of 16 to `most`, in units of 8 bits.
uint is_outside(uint x, uint most, uint unit)
{
  return uint(x < 16u * unit) | uint(x > most * unit);
}

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
    uint column = column_at(s, c, uint(max(findLSB(c.starts), 0)));
    bytes += c.bytes;
    while (c.starts != 0u) { // sixteen bytes of chroma are for most or all of them
      uint at = column >> VYRE_CHROMA_ACROSS(shifts);
      uint from_u = place_in_row(at, u_word), from_v = place_in_row(at, v_word);
      uvec4 us = load_bytes(first_u + line + from_u, w.most);
      uvec4 vs = load_bytes(first_v + line + from_v, w.most);
      bool more = true;
      while (more) { // behind a do loop SwiftShader gives lanes that left it early wrong values
        uint bit = uint(findLSB(c.starts));
        uint y_at = mix(8u, VYRE_PACKED_BITS, s.packed) * (bit % 4u) + s.shift;
        uint u = sample_of_column(us, place_in_row(at, u_word) - from_u, at, u_word);
        uint v = sample_of_column(vs, place_in_row(at, v_word) - from_v, at, v_word);
        count += is_outside(c.words[bit / 4u] >> y_at & s.mask, 235u, unit)
            | is_outside(u, 240u, unit) | is_outside(v, 240u, unit);
        c.starts &= c.starts - 1u;
        column++;
        at = column >> VYRE_CHROMA_ACROSS(shifts);
        more = all(bvec3(
            c.starts != 0u, is_among(at, u_word, from_u), is_among(at, v_word, from_v)));
      }
    }
  }
  join_below(r, count, bytes);
}

void sample_range_end(Region r) {}
