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

// Samples as floats, whose differences are exact: 2^23 above their numbers.
vec4 as_floats(uvec4 samples) { return uintBitsToFloat(samples | 0x4B000000u); }

// All bits where y is further from both x and z than these are from each other, by more than a limit.
// Half of a sum, without its fraction, is above it by so much where the sum is above twice as much
// and 1: `twice` is twice the limit and 1. Processors and GPUs take absolute floats at no cost.
uvec4 stands_out(vec4 x, vec4 y, vec4 z, float twice)
{
  bvec4 out_there = greaterThan(abs(x - y) + abs(z - y) - 2.0 * abs(z - x), vec4(twice));
  return mix(uvec4(0u), uvec4(0xFFFFFFFFu), out_there);
}

// Sixteen bytes of each of five rows, from byte `at` of the first on, as by load_bytes().
uvec4[5] load_rows(uint at, uint stride, uint most)
{
  uint granules[VYRE_LOADS];
  uvec4 rows[5];
  [[unroll]] for (uint i = 0u; i < VYRE_LOADS; i++) {
    uint granule = (at + i / 2u * stride) / VYRE_GRANULE + i % 2u;
    granules[i] = min(granule & (0xFFFFFFFFu / VYRE_GRANULE), most);
  }
  uvec4 bytes[VYRE_LOADS] = load_payloads(granules);
  [[unroll]] for (uint i = 0u; i < 5u; i++)
    rows[i] = bytes_from(bytes[2u * i], bytes[2u * i + 1u], (at + i * stride) % VYRE_GRANULE);
  return rows;
}

// The containers of five rows, of which the third is that of `c`, so many columns away from those.
Containers[5] neighbouring_rows(Samples s, Containers c, Walk w, uint columns)
{
  Containers rows[5];
  uint away = columns * s.apart, by = mix(0u, away, s.packed), bits;
  uint row_at = w.start - s.column + (c.row - 2u) * w.stride + c.from;
  uint at = place_behind(row_at + away - by, int(by), bits);
  uvec4 words[5] = load_rows(at, w.stride, w.most);
  if (bits != 0u) {
    uvec4 behind[5] = load_rows(at + VYRE_GRANULE, w.stride, w.most);
    [[unroll]] for (uint i = 0u; i < 5u; i++)
      words[i] = samples_from(words[i], behind[i].x, bits);
  }
  [[unroll]] for (uint i = 0u; i < 5u; i++)
    rows[i] = Containers(in_order(s, words[i]), 0xFFFFu, c.bytes, c.row, c.from);
  return rows;
}

// The containers so many columns away from those of `c`, in their places, in which samples stand out
// from those one row above and below, and two rows.
uvec2 outliers(Samples s, Containers c, Walk w, uint columns, float twice)
{
  Containers rows[5] = neighbouring_rows(s, c, w, columns);
  uvec2 found = uvec2(0u);
  uint containers = 4u / s.bytes, i = 0u;
  do {
    vec4 y[5];
    uvec4 valid;
    [[unroll]] for (uint row = 0u; row < 5u; row++)
      y[row] = as_floats(samples_in(s, rows[row], i, valid));
    uint near = bits_of(stands_out(y[1], y[2], y[3], twice));
    uint far = bits_of(stands_out(y[0], y[2], y[4], twice));
    found |= uvec2(near, far) << i * s.bytes;
  } while (++i < containers);
  return found;
}

// The bit of the container that starts at byte `at` of the row, 0 where it is not in `c`.
uint bit_of(Containers c, uint at)
{
  return mix(0u, 1u << (at - c.from & 31u), at - c.from < VYRE_GRANULE);
}

void sample_outliers_tile(Region r)
{
  Samples s = samples_of(r);
  Walk w = walk_rows(r);
  uint count = 0u, bytes = 0u;
  uint last = place_of(s, s.first + (max(columns_of(s), 1u) - 1u) * s.apart);
  float twice = 2.0 * float(sample_limit()) + 1.0;
  // the columns to the left and to the right have all those of a granule in them, if they are near
  bool near = all(bvec2(s.apart <= VYRE_GRANULE / 2u, !s.packed));
  uint columns = mix(3u, 2u, near), away = mix(VYRE_GRANULE, s.apart, near);
  while (w.index < w.total) {
    Containers c = next_containers(s, w);
    uint above = ticket[VYRE_TICKET_ROW] + c.row, below = r.rows - 1u - above;
    uint distance = min(above, below), i = 0u;
    uvec2 beside = uvec2(0xFFFFFFFFu), here = uvec2(0u);
    do { // to the left, to the right, here
      uvec2 found = outliers(s, c, w, mix(2u - i, 0xFFFFFFFFu, i == 0u), twice);
      beside &= mix(found, uvec2(0xFFFFFFFFu), bvec2(i == 2u));
      here |= mix(mix(found << away, found >> away, bvec2(i == 0u)), found, bvec2(i == 2u));
    } while (++i < columns);
    uvec2 all_three = beside & here;
    bytes += c.bytes;
    c.starts &= all_three.x & (all_three.y | 0u - uint(distance < 2u)) & (0u - uint(distance > 0u));
    c.starts &= ~(bit_of(c, place_of(s, s.first)) | bit_of(c, last));
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
