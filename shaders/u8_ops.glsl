// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Statistics of unsigned bytes: U8_STATS, U8_HISTOGRAM and U8_BELOW. Each lane
// sums up its granules in registers, the workgroup in shared memory, and the
// tiles of a slot by atomics on its observables.

// Sums that a workgroup's lanes may overflow together are kept as halves.
const uint ACC_BYTES = 0u;
const uint ACC_SUM = 1u;
const uint ACC_SQUARES_LOW = 2u;
const uint ACC_SQUARES_HIGH = 3u;
const uint ACC_MAX = 4u;
const uint ACC_MAX_INVERSE = 5u;
const uint ACC_BELOW = 6u;
const uint ACC_OUTSIDE = 7u;

struct Stats {
  uint bytes;
  uint sum;
  uint squares;
  uint most;
  uint most_inverse;
};

uint largest(uvec4 v) { return max(max(v.x, v.y), max(v.z, v.w)); }

// Bytes outside of `mask` are zero in v: neutral for the sums and the maximum.
// So is a zero in ~v & mask, whose maximum is 255 less the minimum.
void u8_stats_add(inout Stats stats, uvec4 v, uvec4 mask)
{
  uvec4 b0 = v & 0xFFu, b1 = (v >> 8) & 0xFFu, b2 = (v >> 16) & 0xFFu, b3 = v >> 24;
  uvec4 sum = b0 + b1 + b2 + b3;
  uvec4 squares = b0 * b0 + b1 * b1 + b2 * b2 + b3 * b3;
  uvec4 n = ~v & mask;
  stats.bytes += valid_bytes(mask);
  stats.sum += sum.x + sum.y + sum.z + sum.w;
  stats.squares += squares.x + squares.y + squares.z + squares.w;
  stats.most = max(stats.most, largest(max(max(b0, b1), max(b2, b3))));
  stats.most_inverse = max(stats.most_inverse,
      largest(max(max(n & 0xFFu, (n >> 8) & 0xFFu), max((n >> 16) & 0xFFu, n >> 24))));
}

// While tiles are still running the minimum is kept as the maximum of 255 - x,
// for which the observable's initial 0 is neutral.
void u8_stats_tile(Region r)
{
  Stats stats = Stats(0u, 0u, 0u, 0u, 0u);
  uvec4 mask;
  clear_accumulators();
  Walk w = walk_begin(r);
  while (walk_inside(w)) {
    [[unroll]] for (uint step = 0u; step < VYRE_INNER_STEPS; step++) {
      uvec4 v = walk_next(w, mask);
      u8_stats_add(stats, v, mask);
    }
  }
  for (; w.index < w.total; walk_advance(w)) {
    uvec4 v = walk_load(w, mask);
    u8_stats_add(stats, v, mask);
  }
  accumulate(ACC_BYTES, stats.bytes);
  accumulate(ACC_SUM, stats.sum);
  accumulate(ACC_SQUARES_LOW, stats.squares & 0xFFFFu);
  accumulate(ACC_SQUARES_HIGH, stats.squares >> 16);
  accumulate_max(ACC_MAX, stats.most);
  accumulate_max(ACC_MAX_INVERSE, stats.most_inverse);
  barrier();
  if (lane() != 0u)
    return;
  uint high = s_accumulator[ACC_SQUARES_HIGH];
  uint carry;
  uint low = uaddCarry(s_accumulator[ACC_SQUARES_LOW], high << 16, carry);
  add(observable_at(r, VYRE_U8_STATS_COUNT), s_accumulator[ACC_BYTES]);
  raise(observable_at(r, VYRE_U8_STATS_MIN), s_accumulator[ACC_MAX_INVERSE]);
  raise(observable_at(r, VYRE_U8_STATS_MAX), s_accumulator[ACC_MAX]);
  atomic_add_64(observable_at(r, VYRE_U8_STATS_SUM), s_accumulator[ACC_SUM], 0u);
  atomic_add_64(observable_at(r, VYRE_U8_STATS_SUM_SQUARES), low, (high >> 16) + carry);
  count_bytes(s_accumulator[ACC_BYTES]);
}

void u8_stats_end(Region r)
{
  uint minimum = observable_at(r, VYRE_U8_STATS_MIN);
  put(minimum, 255u - get(minimum));
}

// The next granule of this lane, inner or cut.
bool next_granule(inout Walk w, out uvec4 v, out uvec4 mask)
{
  bool inside = walk_inside(w);
  if (!inside && w.index >= w.total)
    return false;
  v = inside ? walk_next(w, mask) : walk_load(w, mask);
  if (!inside)
    walk_advance(w);
  return true;
}

// Atomics dwarf everything else here, so there is one place that has them: some
// compilers take long over many. Bytes outside of the mask are counted as zeros,
// and taken off later.
void u8_histogram_tile(Region r)
{
  uint bytes = 0u, counted = 0u;
  uvec4 v, mask;
  clear_accumulators();
  for (uint i = lane(); i < VYRE_U8_HISTOGRAM_WORDS; i += WORKGROUP)
    s_bins[i] = 0u;
  barrier();
  Walk w = walk_begin(r);
  while (next_granule(w, v, mask)) {
    [[dont_unroll]] for (uint shift = 0u; shift < 32u; shift += 8u) {
      uvec4 bins = (v >> shift) & 0xFFu;
      atomicAdd(s_bins[bins.x], 1u);
      atomicAdd(s_bins[bins.y], 1u);
      atomicAdd(s_bins[bins.z], 1u);
      atomicAdd(s_bins[bins.w], 1u);
    }
    bytes += valid_bytes(mask);
    counted += VYRE_GRANULE;
  }
  accumulate(ACC_BYTES, bytes);
  accumulate(ACC_OUTSIDE, counted - bytes);
  barrier();
  for (uint bin = lane(); bin < VYRE_U8_HISTOGRAM_WORDS; bin += WORKGROUP) {
    uint total = s_bins[bin] - (bin == 0u ? s_accumulator[ACC_OUTSIDE] : 0u);
    if (total != 0u)
      add(observable_at(r, bin), total);
  }
  if (lane() == 0u)
    count_bytes(s_accumulator[ACC_BYTES]);
}

uint count_below(uvec4 v, uvec4 mask, uint threshold)
{
  uvec4 t = uvec4(threshold);
  uvec4 hits = uvec4(lessThan(v & 0xFFu, t)) & mask;
  hits += uvec4(lessThan((v >> 8) & 0xFFu, t)) & (mask >> 8);
  hits += uvec4(lessThan((v >> 16) & 0xFFu, t)) & (mask >> 16);
  hits += uvec4(lessThan(v >> 24, t)) & (mask >> 24);
  return hits.x + hits.y + hits.z + hits.w;
}

void u8_below_tile(Region r)
{
  uint bytes = 0u, below = 0u;
  uvec4 mask;
  clear_accumulators();
  Walk w = walk_begin(r);
  while (walk_inside(w)) {
    [[unroll]] for (uint step = 0u; step < VYRE_INNER_STEPS; step++) {
      uvec4 v = walk_next(w, mask);
      below += count_below(v, mask, r.threshold);
      bytes += valid_bytes(mask);
    }
  }
  for (; w.index < w.total; walk_advance(w)) {
    uvec4 v = walk_load(w, mask);
    below += count_below(v, mask, r.threshold);
    bytes += valid_bytes(mask);
  }
  accumulate(ACC_BYTES, bytes);
  accumulate(ACC_BELOW, below);
  barrier();
  if (lane() == 0u) {
    add(observable_at(r, 0u), s_accumulator[ACC_BELOW]);
    count_bytes(s_accumulator[ACC_BYTES]);
  }
}
