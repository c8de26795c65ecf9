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

// Bit 7 of each byte that is outside of 16 to `most`.
uvec4 bytes_outside(uvec4 v, uint most)
{
  return (bytes_less(v, 0x10101010u) | ~bytes_less(v, (most + 1u) * 0x01010101u)) & 0x80808080u;
}

// Bit i of the result is bit 7 of byte i.
uint bits_of_bytes(uvec4 v)
{
  v >>= 7;
  v = (v | v >> 7 | v >> 14 | v >> 21) & 0xFu;
  return v.x | v.y << 4 | v.z << 8 | v.w << 12;
}

// Each of the lower 16 bits twice.
uint bits_twice(uint v)
{
  v &= 0xFFFFu;
  v = (v | v << 8) & 0x00FF00FFu;
  v = (v | v << 4) & 0x0F0F0F0Fu;
  v = (v | v << 2) & 0x33333333u;
  v = (v | v << 1) & 0x55555555u;
  return v | v << 1;
}

// Where the chroma of a tile lies: the rows of both components, and the shifts between columns and
// rows.
struct Chroma {
  uint first_u; // byte of the source
  uint first_v;
  uint stride;
  uint shifts;
};

Chroma chroma_of_slot()
{
  uint payload = ticket[VYRE_TICKET_PAYLOAD];
  return Chroma(payload + slot_arg(VYRE_CHROMA_ARG_U), payload + slot_arg(VYRE_CHROMA_ARG_V),
      slot_arg(VYRE_CHROMA_ARG_STRIDE), slot_arg(VYRE_CHROMA_ARG_SHIFTS));
}

// The distance of the line of chroma that a row of the tile has a share in.
uint chroma_line(Chroma d, uint row)
{
  return (ticket[VYRE_TICKET_ROW] + row >> VYRE_CHROMA_DOWN(d.shifts)) * d.stride;
}

// Counts samples that are bytes side by side, as are those of chroma, sixteen at a time: the chroma
// of byte i is that of bit (i + from) >> across.
uint range_of_bytes(Samples s, Walk w, Chroma d, out uint bytes)
{
  uint count = 0u, across = VYRE_CHROMA_ACROSS(d.shifts);
  bytes = 0u;
  while (w.index < w.total) {
    Containers c = next_containers(s, w);
    uint at = chroma_line(d, c.row) + uint(int(c.from) >> across);
    uint outside = bits_of_bytes(bytes_outside(load_bytes(d.first_u + at, w.most), 240u)
        | bytes_outside(load_bytes(d.first_v + at, w.most), 240u));
    [[unroll]] for (uint i = 0u; i < VYRE_CHROMA_MAX_SHIFT; i++)
      outside = mix(outside, bits_twice(outside), i < across);
    outside = outside >> (c.from & (1u << across) - 1u) | bits_of_bytes(bytes_outside(c.words, 235u));
    count += bitCount(outside & c.starts);
    bytes += c.bytes;
  }
  return count;
}

// The same of samples that lie in any way.
uint range_of_samples(Samples s, Walk w, Chroma d, uint unit, out uint bytes)
{
  uint u_word = slot_arg(VYRE_CHROMA_ARG_U_SAMPLES), v_word = slot_arg(VYRE_CHROMA_ARG_V_SAMPLES);
  uint count = 0u;
  bytes = 0u;
  while (w.index < w.total) {
    Containers c = next_containers(s, w);
    uint line = chroma_line(d, c.row);
    uint column = column_at(s, c, uint(max(findLSB(c.starts), 0)));
    bytes += c.bytes;
    while (c.starts != 0u) { // sixteen bytes of chroma are for most or all of them
      uint at = column >> VYRE_CHROMA_ACROSS(d.shifts);
      uint from_u = place_in_row(at, u_word), from_v = place_in_row(at, v_word);
      uvec4 us = load_bytes(d.first_u + line + from_u, w.most);
      uvec4 vs = load_bytes(d.first_v + line + from_v, w.most);
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
        at = column >> VYRE_CHROMA_ACROSS(d.shifts);
        more = all(bvec3(
            c.starts != 0u, is_among(at, u_word, from_u), is_among(at, v_word, from_v)));
      }
    }
  }
  return count;
}

void sample_range_tile(Region r)
{
  const uint plain = VYRE_SAMPLES_ARE_BYTES;
  Samples s = samples_of(r);
  Walk w = walk_rows(r);
  Chroma d = chroma_of_slot();
  uint count, bytes, unit = 1u << (VYRE_SAMPLES_DEPTH(r.operand) - 8u);
  if (all(bvec3(r.operand == plain, slot_arg(VYRE_CHROMA_ARG_U_SAMPLES) == plain,
          slot_arg(VYRE_CHROMA_ARG_V_SAMPLES) == plain)))
    count = range_of_bytes(s, w, d, bytes);
  else
    count = range_of_samples(s, w, d, unit, bytes);
  join_below(r, count, bytes);
}

void sample_range_end(Region r) {}
