// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Statistics of unsigned bytes: U8_STATS, U8_HISTOGRAM and U8_BELOW. A lane sums up its granules in
// registers, a workgroup its lanes in shared memory, and the tiles of a slot add their sums to its
// observables by atomics.

// Accumulators. A sum that the lanes of a workgroup may overflow together has one for each half.
const uint ACC_BYTES = 0u;
const uint ACC_SUM = 1u;
const uint ACC_SQUARES_LOW = 2u;
const uint ACC_SQUARES_HIGH = 3u;
const uint ACC_MAX = 4u;
const uint ACC_MAX_INVERSE = 5u;
const uint ACC_BELOW = 6u;
const uint ACC_OUTSIDE = 7u;

// Squares have four sums, since a CPU waits for every addition to a single one; and those are no
// vector, since llvmpipe copies a vector to and fro at every step of a loop.
struct Stats {
  uint bytes;
  uint sum;
  uint squares[4];
  uint most;
  uint least;
};

uint largest(uvec4 v) { return max(max(v.x, v.y), max(v.z, v.w)); }
uint smallest(uvec4 v) { return min(min(v.x, v.y), min(v.z, v.w)); }

// The bytes of each word of a granule.
struct Bytes {
  uvec4 b0;
  uvec4 b1;
  uvec4 b2;
  uvec4 b3;
};

Bytes bytes_of(uvec4 v) { return Bytes(v & 0xFFu, (v >> 8) & 0xFFu, (v >> 16) & 0xFFu, v >> 24); }

// Adds a granule. Bytes outside of `mask` are zero in v, which is neutral for the sums and the
// maximum, and count as 255 for the minimum.
void u8_stats_add(inout Stats stats, uvec4 v, uvec4 mask)
{
  Bytes b = bytes_of(v), n = bytes_of(v | ~mask);
  uvec4 sum = b.b0 + b.b1 + b.b2 + b.b3;
  stats.sum += sum.x + sum.y + sum.z + sum.w;
  uvec4 squares = b.b0 * b.b0 + b.b1 * b.b1 + b.b2 * b.b2 + b.b3 * b.b3;
  [[unroll]] for (uint i = 0u; i < 4u; i++)
    stats.squares[i] += squares[i];
  stats.most = max(stats.most, largest(max(max(b.b0, b.b1), max(b.b2, b.b3))));
  stats.least = min(stats.least, smallest(min(min(n.b0, n.b1), min(n.b2, n.b3))));
}

// All lanes. All joins stand before all atomics, so that they overlap.
void u8_stats_join(Stats stats)
{
  uvec4 squares = uvec4(stats.squares[0], stats.squares[1], stats.squares[2], stats.squares[3]);
  uvec4 low = squares & 0xFFFFu, high = squares >> 16;
  uint bytes = subgroupAdd(stats.bytes);
  uint sum = subgroupAdd(stats.sum);
  uint squares_low = subgroupAdd(low.x + low.y + low.z + low.w);
  uint squares_high = subgroupAdd(high.x + high.y + high.z + high.w);
  uint most = subgroupMax(stats.most);
  uint most_inverse = subgroupMax(255u - stats.least);
  if (subgroupElect()) {
    atomicAdd(s_accumulator[ACC_BYTES], bytes);
    atomicAdd(s_accumulator[ACC_SUM], sum);
    atomicAdd(s_accumulator[ACC_SQUARES_LOW], squares_low);
    atomicAdd(s_accumulator[ACC_SQUARES_HIGH], squares_high);
    atomicMax(s_accumulator[ACC_MAX], most);
    atomicMax(s_accumulator[ACC_MAX_INVERSE], most_inverse);
  }
}

// Until the last tile ends, the observable of the minimum has the maximum of 255 - x, for which its
// initial 0 is neutral.
void u8_stats_tile(Region r, Walk w)
{
  Stats stats = Stats(0u, 0u, uint[4](0u, 0u, 0u, 0u), 0u, 255u);
  uvec4 mask = uvec4(0xFFFFFFFFu);
  uint first = w.inner;
  while (walk_deep(w)) {
    [[unroll]] for (uint step = 0u; step < INNER_STEPS; step++)
      u8_stats_add(stats, walk_next(w), mask);
  }
  stats.bytes = walked_bytes(w, first);
  while (!walk_done(w)) {
    u8_stats_add(stats, next_granule(w, mask), mask);
    stats.bytes += valid_bytes(mask);
  }
  u8_stats_join(stats);
  barrier(); // all subgroups have joined
  if (lane() != 0u)
    return;
  uint high = s_accumulator[ACC_SQUARES_HIGH];
  uint carry;
  uint low = uaddCarry(s_accumulator[ACC_SQUARES_LOW], high << 16, carry);
  add_alone(observable_at(r, VYRE_U8_STATS_COUNT), s_accumulator[ACC_BYTES]);
  raise_alone(observable_at(r, VYRE_U8_STATS_MIN), s_accumulator[ACC_MAX_INVERSE]);
  raise_alone(observable_at(r, VYRE_U8_STATS_MAX), s_accumulator[ACC_MAX]);
  uint sum = s_accumulator[ACC_SUM], bytes = s_accumulator[ACC_BYTES];
  uint sum_at = observable_at(r, VYRE_U8_STATS_SUM);
  uint squares_at = observable_at(r, VYRE_U8_STATS_SUM_SQUARES);
  uint bytes_at = scratch_at(VYRE_SCRATCH_BYTES);
  uint sum_before = add_alone(sum_at, sum);
  uint squares_before = add_alone(squares_at, low);
  uint bytes_before = add_alone(bytes_at, bytes);
  carry_64(sum_at, sum_before, sum, 0u);
  carry_64(squares_at, squares_before, low, (high >> 16) + carry);
  carry_64(bytes_at, bytes_before, bytes, 0u);
}

void u8_stats_end(Region r)
{
  uint minimum = observable_at(r, VYRE_U8_STATS_MIN);
  put(minimum, 255u - get(minimum));
}

// All lanes.
void clear_bins(uint bins)
{
  for (uint i = lane(); i < bins; i += WORKGROUP)
    s_bins[i] = 0u;
  barrier(); // all bins are clear before a lane counts
}

// All lanes have counted into the bins. Bin 0 has `outside` too many of each lane.
void join_bins(Region r, uint bins, uint bytes, uint outside)
{
  bytes = subgroupAdd(bytes);
  outside = subgroupAdd(outside);
  if (subgroupElect()) {
    atomicAdd(s_accumulator[ACC_BYTES], bytes);
    atomicAdd(s_accumulator[ACC_OUTSIDE], outside);
  }
  barrier(); // all lanes have counted
  for (uint bin = lane(); bin < bins; bin += WORKGROUP) {
    uint times = s_bins[bin] - (bin == 0u ? s_accumulator[ACC_OUTSIDE] : 0u);
    if (times != 0u)
      add(observable_at(r, bin), times);
  }
  if (lane() == 0u)
    count_bytes(s_accumulator[ACC_BYTES]);
}

// TRUE on a CPU that runs batches where the host's memory is: its lanes are elements of vectors, and
// an array of a lane's own costs less there than atomics. A kernel without extras has no such array:
// a NOP would take a tenth longer.
bool counts_alone()
{
  const uint counting = VYRE_EXTRA_SAMPLES | VYRE_EXTRA_PICTURES;
  return !DISCRETE && all(bvec2(ON_CPU, (BUILT_WITH & counting) != 0u));
}

// How often each number occurs, as a lane of a CPU counts it alone until the tile ends. So many
// counts are cleared and joined at a step.
const uint COUNTS_AT_ONCE = 8u;
uint own_counts[VYRE_SAMPLE_HISTOGRAM_WORDS];

void clear_own_counts(uint n)
{
  for (uint i = 0u; i < n; i += COUNTS_AT_ONCE) {
    [[unroll]] for (uint j = 0u; j < COUNTS_AT_ONCE; j++)
      own_counts[i + j] = 0u;
  }
}

// All lanes have counted. Number 0 has `outside` too many of each lane.
void join_own_counts(Region r, uint n, uint bytes, uint outside)
{
  own_counts[0] -= outside;
  for (uint i = 0u; i < n; i += COUNTS_AT_ONCE) {
    uint times[COUNTS_AT_ONCE];
    [[unroll]] for (uint j = 0u; j < COUNTS_AT_ONCE; j++)
      times[j] = subgroupAdd(own_counts[i + j]);
    if (subgroupElect()) {
      [[unroll]] for (uint j = 0u; j < COUNTS_AT_ONCE; j++)
        add(observable_at(r, min(i + j, n - 1u)), times[j]);
    }
  }
  bytes = subgroupAdd(bytes);
  if (subgroupElect())
    count_bytes(bytes);
}

// Counts four numbers, in an array of the lane's `own` or in bins of the workgroup.
void count_four(uvec4 numbers, bool own)
{
  if (own) {
    own_counts[numbers.x]++;
    own_counts[numbers.y]++;
    own_counts[numbers.z]++;
    own_counts[numbers.w]++;
  } else {
    atomicAdd(s_bins[numbers.x], 1u);
    atomicAdd(s_bins[numbers.y], 1u);
    atomicAdd(s_bins[numbers.z], 1u);
    atomicAdd(s_bins[numbers.w], 1u);
  }
}

// The work of a lane that counts: bytes of the tile, and numbers that are none of it.
struct Counted {
  uint bytes;
  uint outside;
};

// Atomics take nearly all of the time, and stand in one place: some compilers take long over many.
// The loop counts bytes outside of the mask as zeros, and the end takes them off again.
Counted u8_histogram_count(Walk w)
{
  Counted n = Counted(0u, 0u);
  uvec4 mask;
  while (!walk_done(w)) {
    uvec4 v = next_granule(w, mask);
    uint bytes = valid_bytes(mask);
    [[dont_unroll]] for (uint shift = 0u; shift < 32u; shift += 8u)
      count_four(v >> shift & 0xFFu, false);
    n.bytes += bytes;
    n.outside += VYRE_GRANULE - bytes;
  }
  return n;
}

// Counts the bytes of a granule in an array of the lane's own.
void count_granule_alone(uvec4 v)
{
  [[unroll]] for (uint shift = 0u; shift < 32u; shift += 8u)
    count_four(v >> shift & 0xFFu, true);
}

// The same in arrays of the lanes' own. The walk begins here, behind the barriers of the operations
// before: llvmpipe works out at each step of a loop what a barrier lies in front of.
Counted u8_histogram_count_alone(Region r)
{
  Walk w = walk_begin(r);
  Counted n = Counted(0u, 0u);
  uint first = w.inner;
  while (walk_inside(w))
    count_granule_alone(walk_next(w));
  n.bytes = walked_bytes(w, first);
  while (w.index < w.total) {
    uvec4 mask;
    count_granule_alone(next_granule(w, mask));
    uint bytes = valid_bytes(mask);
    n.bytes += bytes;
    n.outside += VYRE_GRANULE - bytes;
  }
  return n;
}

void u8_histogram_tile(Region r, Walk w)
{
  if (counts_alone()) {
    clear_own_counts(VYRE_U8_HISTOGRAM_WORDS);
    Counted n = u8_histogram_count_alone(r);
    join_own_counts(r, VYRE_U8_HISTOGRAM_WORDS, n.bytes, n.outside);
  } else {
    clear_bins(VYRE_U8_HISTOGRAM_WORDS);
    Counted n = u8_histogram_count(w);
    join_bins(r, VYRE_U8_HISTOGRAM_WORDS, n.bytes, n.outside);
  }
}

void u8_histogram_end(Region r) {}

// Bit 7 of each byte of v that is below the threshold, which `thresholds` has in all bytes. Compares
// the four bytes of a word at once: bit 7 of `rest` tells how the lower seven bits compare, and the
// highest bits of v and t decide where they differ.
uvec4 bytes_less(uvec4 v, uint thresholds)
{
  uvec4 t = uvec4(thresholds);
  uvec4 rest = (v | 0x80808080u) - (t & 0x7F7F7F7Fu);
  return (~v & t) | (~(v ^ t) & ~rest);
}

// Counts the bytes of v inside of the mask that are below the threshold, 255 at most.
uint count_below(uvec4 v, uvec4 mask, uint thresholds)
{
  return valid_bytes((bytes_less(v, thresholds) >> 7) & mask);
}

// All lanes.
void join_below(Region r, uint below, uint bytes)
{
  bytes = subgroupAdd(bytes);
  below = subgroupAdd(below);
  if (subgroupElect()) {
    atomicAdd(s_accumulator[ACC_BYTES], bytes);
    atomicAdd(s_accumulator[ACC_BELOW], below);
  }
  barrier(); // all subgroups have added their share
  if (lane() == 0u) {
    add_alone(observable_at(r, 0u), s_accumulator[ACC_BELOW]);
    count_bytes(s_accumulator[ACC_BYTES]);
  }
}

void u8_below_tile(Region r, Walk w)
{
  uint below = 0u;
  uint thresholds = min(r.operand, 255u) * 0x01010101u;
  uvec4 mask = uvec4(0xFFFFFFFFu);
  uint first = w.inner;
  while (walk_deep(w)) {
    [[unroll]] for (uint step = 0u; step < INNER_STEPS; step++)
      below += count_below(walk_next(w), mask, thresholds);
  }
  uint bytes = walked_bytes(w, first);
  while (!walk_done(w)) {
    below += count_below(next_granule(w, mask), mask, thresholds);
    bytes += valid_bytes(mask);
  }
  if (r.operand > 255u)
    below = bytes;
  join_below(r, below, bytes);
}

void u8_below_end(Region r) {}
