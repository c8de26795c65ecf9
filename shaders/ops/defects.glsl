// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Defects of a component: SAMPLE_OUTLIERS counts samples that stand out from those above and below,
// SAMPLE_REPEATS rows that repeat another one.

// The containers of the row and the column so far away, in the place of `c`. Those outside of the
// component have any value.
Containers neighbours(Samples s, Containers c, Walk w, uint rows, uint columns)
{
  uint away = columns * s.apart, by = mix(0u, away, s.packed);
  uint at = w.start - s.column + (c.row + rows) * w.stride + c.from + away - by;
  c.words = in_order(s, load_samples(at, int(by), w.most));
  return c;
}

// Bits 0, 4, 8 and 12 of a result, where words have all bits.
uint bits_of(uvec4 v)
{
  v &= uvec4(1u, 16u, 256u, 4096u);
  return v.x | v.y | v.z | v.w;
}

// All bits where y is further from both x and z than these are from each other, by more than the
// limit; x, y and z are the containers of three rows.
uvec4 stands_out(Samples s, Containers x, Containers y, Containers z, uint i, uint limit)
{
  uvec4 valid;
  ivec4 a = ivec4(samples_in(s, x, i, valid)), b = ivec4(samples_in(s, y, i, valid)),
        c = ivec4(samples_in(s, z, i, valid));
  ivec4 further = (abs(a - b) + abs(c - b) >> 1) - abs(c - a);
  return uvec4((ivec4(int(limit)) - further) >> 31);
}

// The containers of `c` in whose column, and in those beside it, samples stand out from the rows
// that are so far above and below.
uint outliers(Samples s, Containers c, Walk w, uint rows, uint limit)
{
  uint found = c.starts, containers = 4u / s.bytes;
  for (uint column = 0u; column < 3u; column++) {
    Containers x = neighbours(s, c, w, 0u - rows, column - 1u);
    Containers y = neighbours(s, c, w, 0u, column - 1u);
    Containers z = neighbours(s, c, w, rows, column - 1u);
    uint out_here = 0u;
    for (uint i = 0u; i < containers; i++)
      out_here |= bits_of(stands_out(s, x, y, z, i, limit)) << (i * s.bytes);
    found &= out_here;
  }
  return found;
}

// The bit of the container that starts at byte `at` of the row, 0 where it is not in `c`.
uint bit_of(Containers c, uint at) { return at - c.from < VYRE_GRANULE ? 1u << (at - c.from) : 0u; }

void sample_outliers_tile(Region r)
{
  Samples s = samples_of(r);
  Walk w = walk_rows(r);
  uint limit = sample_limit(), count = 0u, bytes = 0u;
  uint last = place_of(s, s.first + (max(columns_of(s), 1u) - 1u) * s.apart);
  while (w.index < w.total) {
    Containers c = next_containers(s, w);
    uint above = ticket[VYRE_TICKET_ROW] + c.row, below = r.rows - 1u - above;
    bytes += c.bytes;
    c.starts &= ~(bit_of(c, s.first) | bit_of(c, last));
    if (min(above, below) == 0u)
      c.starts = 0u;
    for (uint rows = 2u; rows > 0u; rows--) {
      uint found = outliers(s, c, w, rows, limit);
      if (min(above, below) >= rows)
        c.starts = found;
    }
    count += bitCount(c.starts);
  }
  join_below(r, count, bytes);
}

void sample_outliers_end(Region r) {}

void sample_repeats_tile(Region r)
{
  Samples s = samples_of(r);
  Walk w = walk_rows(r);
  uint rows = ticket[VYRE_TICKET_ROWS], first = ticket[VYRE_TICKET_ROW];
  uint distance = slot_arg(VYRE_REPEATS_ARG_DISTANCE), limit = slot_arg(VYRE_REPEATS_ARG_LIMIT);
  uint columns = columns_of(s), bytes = 0u, count = 0u, containers = 4u / s.bytes;
  clear_bins(rows);
  while (w.index < w.total) {
    Containers c = next_containers(s, w), d = neighbours(s, c, w, 0u - distance, 0u);
    uint sum = 0u;
    for (uint i = 0u; i < containers; i++) {
      uvec4 valid;
      uvec4 a = samples_in(s, c, i, valid), b = samples_in(s, d, i, valid);
      sum += total(max(a, b) - min(a, b));
    }
    atomicAdd(s_bins[c.row], sum);
    bytes += c.bytes;
  }
  barrier(); // all lanes have added
  for (uint row = lane(); row < rows; row += WORKGROUP)
    count += first + row >= distance && s_bins[row] / max(columns, 1u) < limit ? 1u : 0u;
  join_below(r, columns == 0u ? 0u : count, bytes);
}

void sample_repeats_end(Region r) {}
