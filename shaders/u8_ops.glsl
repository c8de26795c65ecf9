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

// While tiles are still running the minimum is kept as the maximum of 255 - x,
// for which the observable's initial 0 is neutral.
void u8_stats_tile(Region r)
{
  uint bytes = 0u, sum = 0u, squares = 0u, most = 0u, most_inverse = 0u;
  clear_accumulators();
  for (Walk w = walk_begin(r); w.index < w.total; walk_advance(w)) {
    uvec4 mask;
    uvec4 v = walk_load(w, mask);
    uvec4 b0 = v & 0xFFu, b1 = (v >> 8) & 0xFFu, b2 = (v >> 16) & 0xFFu, b3 = v >> 24;
    uvec4 s = b0 + b1 + b2 + b3;
    sum += s.x + s.y + s.z + s.w;
    uvec4 q = b0 * b0 + b1 * b1 + b2 * b2 + b3 * b3;
    squares += q.x + q.y + q.z + q.w;
    uvec4 m = max(max(b0, b1), max(b2, b3));
    most = max(most, max(max(m.x, m.y), max(m.z, m.w)));
    uvec4 n = ~v & mask;
    m = max(max(n & 0xFFu, (n >> 8) & 0xFFu), max((n >> 16) & 0xFFu, n >> 24));
    most_inverse = max(most_inverse, max(max(m.x, m.y), max(m.z, m.w)));
    bytes += valid_bytes(mask);
  }
  atomicAdd(s_accumulator[ACC_BYTES], bytes);
  atomicAdd(s_accumulator[ACC_SUM], sum);
  atomicAdd(s_accumulator[ACC_SQUARES_LOW], squares & 0xFFFFu);
  atomicAdd(s_accumulator[ACC_SQUARES_HIGH], squares >> 16);
  atomicMax(s_accumulator[ACC_MAX], most);
  atomicMax(s_accumulator[ACC_MAX_INVERSE], most_inverse);
  barrier();
  if (lane() != 0u)
    return;
  uint high = s_accumulator[ACC_SQUARES_HIGH];
  uint carry;
  uint low = uaddCarry(s_accumulator[ACC_SQUARES_LOW], high << 16, carry);
  atomicAdd(work[observable_at(r, VYRE_U8_STATS_COUNT)], s_accumulator[ACC_BYTES]);
  atomicMax(work[observable_at(r, VYRE_U8_STATS_MIN)], s_accumulator[ACC_MAX_INVERSE]);
  atomicMax(work[observable_at(r, VYRE_U8_STATS_MAX)], s_accumulator[ACC_MAX]);
  atomic_add_64(observable_at(r, VYRE_U8_STATS_SUM), s_accumulator[ACC_SUM], 0u);
  atomic_add_64(observable_at(r, VYRE_U8_STATS_SUM_SQUARES), low, (high >> 16) + carry);
  count_bytes(s_accumulator[ACC_BYTES]);
}

void u8_stats_end(Region r)
{
  uint minimum = observable_at(r, VYRE_U8_STATS_MIN);
  work[minimum] = 255u - work[minimum];
}

void u8_histogram_tile(Region r)
{
  uint bytes = 0u, invalid = 0u;
  clear_accumulators();
  for (uint bin = lane(); bin < VYRE_U8_HISTOGRAM_WORDS; bin += WORKGROUP)
    s_bins[bin] = 0u;
  barrier();
  for (Walk w = walk_begin(r); w.index < w.total; walk_advance(w)) {
    uvec4 mask;
    uvec4 v = walk_load(w, mask);
    [[unroll]] for (uint byte = 0u; byte < 4u; byte++) {
      uvec4 b = (v >> (8u * byte)) & 0xFFu;
      atomicAdd(s_bins[b.x], 1u);
      atomicAdd(s_bins[b.y], 1u);
      atomicAdd(s_bins[b.z], 1u);
      atomicAdd(s_bins[b.w], 1u);
    }
    uint valid = valid_bytes(mask);
    bytes += valid;
    invalid += VYRE_GRANULE - valid; // these were counted as zeros
  }
  atomicAdd(s_accumulator[ACC_BYTES], bytes);
  atomicAdd(s_bins[0], 0u - invalid);
  barrier();
  for (uint bin = lane(); bin < VYRE_U8_HISTOGRAM_WORDS; bin += WORKGROUP) {
    if (s_bins[bin] != 0u)
      atomicAdd(work[observable_at(r, bin)], s_bins[bin]);
  }
  if (lane() == 0u)
    count_bytes(s_accumulator[ACC_BYTES]);
}

void u8_below_tile(Region r)
{
  uint bytes = 0u, below = 0u;
  clear_accumulators();
  for (Walk w = walk_begin(r); w.index < w.total; walk_advance(w)) {
    uvec4 mask;
    uvec4 v = walk_load(w, mask);
    uvec4 hits = uvec4(lessThan(v & 0xFFu, uvec4(r.threshold))) & mask;
    hits += uvec4(lessThan((v >> 8) & 0xFFu, uvec4(r.threshold))) & (mask >> 8);
    hits += uvec4(lessThan((v >> 16) & 0xFFu, uvec4(r.threshold))) & (mask >> 16);
    hits += uvec4(lessThan(v >> 24, uvec4(r.threshold))) & (mask >> 24);
    below += hits.x + hits.y + hits.z + hits.w;
    bytes += valid_bytes(mask);
  }
  atomicAdd(s_accumulator[ACC_BYTES], bytes);
  atomicAdd(s_accumulator[ACC_BELOW], below);
  barrier();
  if (lane() == 0u) {
    atomicAdd(work[observable_at(r, 0u)], s_accumulator[ACC_BELOW]);
    count_bytes(s_accumulator[ACC_BYTES]);
  }
}
