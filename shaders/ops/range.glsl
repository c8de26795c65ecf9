// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Pixels outside of the range of broadcasts, by luma or by chroma, which several of them may share:
// SAMPLE_RANGE. The walk is one over luma.

// A component of chroma.
struct Chroma {
  Samples samples;
  uint first; // byte of the source where its first row starts
};

Chroma chroma_of(Region luma, uint offset, uint word)
{
  luma.operand = word;
  return Chroma(samples_of(luma), ticket[VYRE_TICKET_PAYLOAD] + offset);
}

// Bit i: the sample of the container at byte i is outside of 16 to `most`, in units of 8 bits.
uint outside(Samples s, uvec4 words, uint most, uint unit)
{
  Containers c = Containers(words, 0xFFFFu, 0u, 0u, 0u);
  uint found = 0u;
  [[unroll]] for (uint i = 0u; i < 4u; i++) {
    uvec4 valid, samples = samples_in(s, c, i * s.bytes < 4u ? i : 0u, valid);
    uvec4 beyond = (samples - 16u * unit) | (most * unit - samples);
    if (i * s.bytes < 4u)
      found |= bits_of(uvec4(ivec4(beyond) >> 31)) << i * s.bytes;
  }
  return found;
}

// The same of a component of chroma, from byte `line` and its sample `at` on.
uint chroma_outside(Chroma c, uint line, uint at, uint last, uint unit)
{
  uvec4 words = load_bytes(c.first + line + at * c.samples.apart, last);
  return outside(c.samples, in_order(c.samples, words), 240u, unit);
}

void sample_range_tile(Region r)
{
  Samples s = samples_of(r);
  Walk w = walk_rows(r);
  Chroma u = chroma_of(r, slot_arg(VYRE_CHROMA_ARG_U), slot_arg(VYRE_CHROMA_ARG_U_SAMPLES));
  Chroma v = chroma_of(r, slot_arg(VYRE_CHROMA_ARG_V), slot_arg(VYRE_CHROMA_ARG_V_SAMPLES));
  uint stride = slot_arg(VYRE_CHROMA_ARG_STRIDE), shifts = slot_arg(VYRE_CHROMA_ARG_SHIFTS);
  uint across = VYRE_CHROMA_ACROSS(shifts), part = 65536u / s.apart + 1u;
  uint unit = 1u << (VYRE_SAMPLES_DEPTH(r.operand) - 8u), count = 0u, bytes = 0u;
  while (w.index < w.total) {
    Containers c = next_containers(s, w);
    uint line = (ticket[VYRE_TICKET_ROW] + c.row >> VYRE_CHROMA_DOWN(shifts)) * stride;
    uint found = outside(s, c.words, 235u, unit), left = c.starts;
    do { // as many as have their chroma in 16 bytes
      uint bit = uint(max(findLSB(left), 0)), column = (c.from + bit) / s.apart, at = column >> across;
      uint u_found = chroma_outside(u, line, at, w.most, unit);
      uint v_found = chroma_outside(v, line, at, w.most, unit);
      uint reached = 0u;
      [[unroll]] for (uint i = 0u; i < 4u; i++) {
        uvec4 places = uvec4(0u, 4u, 8u, 12u) + i;
        uvec4 number = (column + ((places - bit) * part >> 16) >> across) - at;
        uvec4 u_places = min(number * u.samples.apart, VYRE_GRANULE);
        uvec4 v_places = min(number * v.samples.apart, VYRE_GRANULE);
        uvec4 is_outside = (uvec4(u_found) >> u_places) | (uvec4(v_found) >> v_places);
        uvec4 is_reached = uvec4(lessThan(max(u_places, v_places), uvec4(VYRE_GRANULE)));
        found |= bits_of(0u - (is_outside & is_reached & 1u)) << i & left;
        reached |= bits_of(0u - is_reached) << i;
      }
      left &= ~reached;
    } while (left != 0u);
    count += bitCount(found & c.starts);
    bytes += c.bytes;
  }
  join_below(r, count, bytes);
}

void sample_range_end(Region r) {}
