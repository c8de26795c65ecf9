// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Statistics of the samples of a component: SAMPLE_STATS, SAMPLE_BELOW and SAMPLE_HISTOGRAM. A
// sample is some bits of a container of 1, 2 or 4 bytes, and containers are so many bytes apart:
// planes of deep samples, planes that two components share, and packed pixels are all walked alike.
// A sample belongs to the tile in which its container starts.
//
// Packed samples lie three in a word: 16 bytes of a row are one container with up to 12 of them, and
// walked as 16 containers of a byte, where the bytes 0, 1 and 2 of a word stand for its samples. A
// kernel without the extra PACKED has no code for them.

// The description of a slot's samples, and facts about its rows.
struct Samples {
  uint apart;
  uint bytes;
  uint swapped;
  uint shift;
  uint mask;
  uint starts; // bit i: a container starts i bytes behind the start of a container, below 16
  uint room;   // bytes of a row in which a container may start
  uint step;   // bits from one container of a word to the next
  bool packed;
  uint numbers; // of a granule: packed samples of all components, or bytes
  uint first;   // of packed samples: the number of the first, below `apart`
  uint column;  // of the tile
};

// The byte that a container with a number starts at: the number itself, unless samples are packed.
uint place_of(Samples s, uint number) { return number + mix(0u, number / 3u, s.packed); }

Samples samples_of(Region r)
{
  Samples s;
  uint word = r.operand;
  s.apart = max(VYRE_SAMPLES_APART(word), 1u); // a CPU divides, masked off, by those of any slot
  s.packed = VYRE_SAMPLES_ARE_PACKED(word);
  s.bytes = mix(max(VYRE_SAMPLES_BYTES(word), 1u), 1u, s.packed);
  s.step = mix(8u * s.bytes, VYRE_PACKED_BITS, s.packed);
  s.first = mix(0u, VYRE_SAMPLES_SHIFT(word), s.packed);
  s.numbers = mix(VYRE_GRANULE, VYRE_PACKED_NUMBERS, s.packed);
  s.swapped = VYRE_SAMPLES_SWAPPED(word);
  s.shift = VYRE_SAMPLES_SHIFT(word) - s.first;
  s.mask = (1u << VYRE_SAMPLES_DEPTH(word)) - 1u;
  s.starts = 0u;
  for (uint at = s.first; at < s.numbers; at += s.apart)
    s.starts |= 1u << place_of(s, at);
  uint bytes = s.bytes + uint(s.packed); // of a container with a sample
  s.room = max(r.width + 1u, bytes) - bytes;
  s.column = ticket[VYRE_TICKET_COLUMN];
  return s;
}

// Sixteen bytes that start with a container, or with a part of one if none starts in them. Bit i of
// `starts`: a container of the tile starts at byte i.
struct Containers {
  uvec4 words;
  uint starts;
  uint bytes; // of the tile in the granule they were found in
  uint row;   // of the tile
  uint from;  // bytes from the start of the row to the words, or -1 to -15
};

// Words of containers, each in the order of the least byte first.
uvec4 in_order(Samples s, uvec4 words)
{
  uvec4 swapped = (words & 0x00FF00FFu) << 8 | (words >> 8 & 0x00FF00FFu);
  return mix(swapped, words, bvec4(s.swapped == 0u));
}

// A bit for each byte of a granule in front of byte `end`, which may lie outside of it.
uint bytes_below(uint end) { return (1u << uint(clamp(int(end), 0, int(VYRE_GRANULE)))) - 1u; }

// Sixteen bytes from byte `at` on of the 32 in a and b; `at` is 0 to 15. SwiftShader's time to
// compile doubles with branches in a row, so there is none.
uvec4 bytes_from(uvec4 a, uvec4 b, uint at)
{
  bvec4 eight = bvec4((at & 8u) != 0u), four = bvec4((at & 4u) != 0u);
  uint bits = 8u * (at & 3u);
  a = mix(a, uvec4(a.zw, b.xy), eight);
  b.xy = mix(b.xy, b.zw, eight.xy);
  uint behind = mix(b.x, b.y, four.x);
  a = mix(a, uvec4(a.yzw, b.x), four);
  return a >> bits | uvec4(a.yzw, behind) << 1 << (31u - bits);
}

// The containers that start in this lane's next granule; the lane has one left. Containers are
// aligned in their row, not in memory, so a container may end in the next granule.
Containers next_containers(Samples s, inout Walk w)
{
  Containers c;
  uint first = w.start + w.row * w.stride, end = first + w.width;
  uint base = first - s.column; // where the row starts
  uint granule = first / VYRE_GRANULE + w.column, at = granule * VYRE_GRANULE;
  uint behind = (at + VYRE_GRANULE * s.apart - base) % s.apart;
  uint next = behind == 0u ? 0u : s.apart - behind;
  uint starts = next < VYRE_GRANULE ? s.starts << next : 0u;
  uint inside = bytes_below(end - at) & ~bytes_below(first - at);
  uint skew = base & (mix(s.bytes, VYRE_GRANULE, s.packed) - 1u);
  c.row = w.row;
  c.from = at + skew - base;
  c.bytes = bitCount(inside);
  c.starts = (starts & inside & bytes_below(min(base + s.room, end) - at)) >> skew;
  uint together = (0u - (inside >> skew & 1u)) & s.starts & bytes_below(s.room - c.from);
  c.starts = mix(c.starts, together, s.packed); // 16 bytes belong together
  c.words = load_payload(min(granule, w.most));
  if (skew != 0u) {
    uvec4 behind = load_payload(min(granule + 1u, w.most));
    uint bits = 8u * (skew & 3u);
    uvec4 words = c.words >> bits | uvec4(c.words.yzw, behind.x) << (32u - bits);
    c.words = mix(words, bytes_from(c.words, behind, skew), bvec4(s.packed));
  }
  c.words = in_order(s, c.words);
  walk_advance(w);
  return c;
}

// The samples of one container in each word; there are 4 / bytes of them. `valid` has all bits of a
// sample that is there, and a sample that is not is 0. Loops over them look at their end: llvmpipe
// runs a body once more, masked off, where the look stands in front.
uvec4 samples_in(Samples s, Containers c, uint container, out uvec4 valid)
{
  uint at = container * s.bytes;
  valid = uvec4(ivec4(uvec4(c.starts) << (uvec4(31u, 27u, 23u, 19u) - at)) >> 31);
  return c.words >> (s.step * container + s.shift) & s.mask & valid;
}

// The number of the container that starts at byte `at`.
uint number_at(Samples s, uint at) { return at - mix(0u, at / 4u, s.packed); }

// The column of the container that starts at byte `bit` of `c`.
uint column_at(Samples s, Containers c, uint bit)
{
  return (number_at(s, c.from + bit) - s.first) / s.apart;
}

// Accumulators. A sum that the lanes of a workgroup may overflow together has one for each half.
const uint SAMPLES_BYTES = 0u;
const uint SAMPLES_COUNT = 1u;
const uint SAMPLES_SUM_LOW = 2u;
const uint SAMPLES_SUM_HIGH = 3u;
const uint SAMPLES_SQUARES = 4u; // the lowest 16 bits of squares, the next 16 bits, the rest
const uint SAMPLES_MAX = 7u;
const uint SAMPLES_MAX_INVERSE = 8u;
const uint SAMPLES_ABOVE = 9u;

// Sums of a lane: at a cost of 8 it has at most VYRE_COST_TILE_LOOP_MAX / 8 granules, which are
// 16 384 samples of 16 bits or 32 768 of 8 bits, so none overflows.
struct SampleStats {
  uint count;
  uint sum;
  uint squares_low; // sums of the lower halves of squares, and of the upper ones
  uint squares_high;
  uint most;
  uint least;
};

uint total(uvec4 v) { return v.x + v.y + v.z + v.w; }

void sample_stats_add(inout SampleStats stats, uvec4 samples, uvec4 valid)
{
  uvec4 squares = samples * samples;
  stats.sum += total(samples);
  stats.squares_low += total(squares & 0xFFFFu);
  stats.squares_high += total(squares >> 16);
  stats.most = max(stats.most, largest(samples));
  stats.least = min(stats.least, smallest(samples | ~valid));
}

// All lanes. All joins stand before all atomics, so that they overlap.
void sample_stats_join(SampleStats stats, uint mask, uint bytes)
{
  uint count = subgroupAdd(stats.count);
  uint sum_low = subgroupAdd(stats.sum & 0xFFFFu), sum_high = subgroupAdd(stats.sum >> 16);
  uint low = subgroupAdd(stats.squares_low & 0xFFFFu);
  uint middle = subgroupAdd((stats.squares_low >> 16) + (stats.squares_high & 0xFFFFu));
  uint high = subgroupAdd(stats.squares_high >> 16);
  uint most = subgroupMax(stats.most);
  uint most_inverse = subgroupMax(mask - min(stats.least, mask));
  bytes = subgroupAdd(bytes);
  if (subgroupElect()) {
    atomicAdd(s_accumulator[SAMPLES_BYTES], bytes);
    atomicAdd(s_accumulator[SAMPLES_COUNT], count);
    atomicAdd(s_accumulator[SAMPLES_SUM_LOW], sum_low);
    atomicAdd(s_accumulator[SAMPLES_SUM_HIGH], sum_high);
    atomicAdd(s_accumulator[SAMPLES_SQUARES], low);
    atomicAdd(s_accumulator[SAMPLES_SQUARES + 1u], middle);
    atomicAdd(s_accumulator[SAMPLES_SQUARES + 2u], high);
    atomicMax(s_accumulator[SAMPLES_MAX], most);
    atomicMax(s_accumulator[SAMPLES_MAX_INVERSE], most_inverse);
  }
}

// Lane 0. Adds low + middle * 2^16 + high * 2^32 to a sum of two words.
void add_sum(uint at, uint low, uint middle, uint high)
{
  uint carry;
  uint sum = uaddCarry(low, middle << 16, carry);
  carry_64(at, add_alone(at, sum), sum, high + (middle >> 16) + carry);
}

// Lane 0, when all lanes have joined. Until the last tile ends, the observable of the minimum has the
// maximum of mask - x, for which its initial 0 is neutral.
void sample_stats_store(Region r)
{
  add_alone(observable_at(r, VYRE_U8_STATS_COUNT), s_accumulator[SAMPLES_COUNT]);
  raise_alone(observable_at(r, VYRE_U8_STATS_MIN), s_accumulator[SAMPLES_MAX_INVERSE]);
  raise_alone(observable_at(r, VYRE_U8_STATS_MAX), s_accumulator[SAMPLES_MAX]);
  add_sum(observable_at(r, VYRE_U8_STATS_SUM), s_accumulator[SAMPLES_SUM_LOW],
      s_accumulator[SAMPLES_SUM_HIGH], 0u);
  add_sum(observable_at(r, VYRE_U8_STATS_SUM_SQUARES), s_accumulator[SAMPLES_SQUARES],
      s_accumulator[SAMPLES_SQUARES + 1u], s_accumulator[SAMPLES_SQUARES + 2u]);
}

void sample_stats_tile(Region r)
{
  Samples s = samples_of(r);
  Walk w = walk_rows(r);
  SampleStats stats = SampleStats(0u, 0u, 0u, 0u, 0u, 0xFFFFFFFFu);
  uint bytes = 0u, containers = 4u / s.bytes;
  while (w.index < w.total) {
    Containers c = next_containers(s, w);
    stats.count += bitCount(c.starts);
    bytes += c.bytes;
    uint i = 0u;
    do {
      uvec4 valid;
      uvec4 samples = samples_in(s, c, i, valid);
      sample_stats_add(stats, samples, valid);
    } while (++i < containers);
  }
  sample_stats_join(stats, s.mask, bytes);
  barrier(); // all subgroups have joined
  if (lane() != 0u)
    return;
  sample_stats_store(r);
  count_bytes(s_accumulator[SAMPLES_BYTES]);
}

void sample_stats_end(Region r)
{
  uint minimum = observable_at(r, VYRE_U8_STATS_MIN);
  put(minimum, (1u << VYRE_SAMPLES_DEPTH(r.operand)) - 1u - get(minimum));
}

// An argument of the slot in hand.
uint slot_arg(uint arg) { return get(slot_at(ticket[VYRE_TICKET_SLOT]) + VYRE_SLOT_ARGS + arg); }

// The limit of the slot in hand; a sample has 16 bits at most.
uint sample_limit() { return min(slot_arg(VYRE_REGION_ARG_LIMIT), 0x10000u); }

void sample_below_tile(Region r)
{
  Samples s = samples_of(r);
  Walk w = walk_rows(r);
  uint limit = sample_limit();
  uint below = 0u, bytes = 0u, containers = 4u / s.bytes;
  while (w.index < w.total) {
    Containers c = next_containers(s, w);
    bytes += c.bytes;
    uint i = 0u;
    do {
      uvec4 valid;
      uvec4 samples = samples_in(s, c, i, valid);
      below += total((samples - limit) >> 31 & valid); // the difference is negative
    } while (++i < containers);
  }
  join_below(r, below, bytes);
}

void sample_below_end(Region r) {}

// Samples that are not there are 0, and the end takes them off again.
Counted sample_histogram_count(Samples s, Walk w, uint dropped, bool own)
{
  Counted n = Counted(0u, 0u);
  uint containers = 4u / s.bytes;
  while (w.index < w.total) {
    Containers c = next_containers(s, w);
    n.bytes += c.bytes;
    n.outside += 4u * containers - bitCount(c.starts);
    uint i = 0u;
    do {
      uvec4 valid;
      count_four(samples_in(s, c, i, valid) >> dropped, own);
    } while (++i < containers);
  }
  return n;
}

void sample_histogram_tile(Region r)
{
  Samples s = samples_of(r);
  Walk w = walk_rows(r);
  uint depth = VYRE_SAMPLES_DEPTH(r.operand);
  uint dropped = depth - min(depth, VYRE_SAMPLE_HISTOGRAM_BITS), bins = 1u << (depth - dropped);
  if (counts_alone()) {
    clear_own_counts(bins);
    Counted n = sample_histogram_count(s, w, dropped, true);
    join_own_counts(r, bins, n.bytes, n.outside);
  } else {
    clear_bins(bins);
    Counted n = sample_histogram_count(s, w, dropped, false);
    join_bins(r, bins, n.bytes, n.outside);
  }
}

void sample_histogram_end(Region r) {}
