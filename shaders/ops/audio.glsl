// SPDX-License-Identifier: LGPL-2.1-or-later
//
// AUDIO_STATS: statistics of the samples of one channel. A sample is an integer of up to four bytes
// or a float, at any alignment. Its level is a signed integer, so sums are exact, and shares of
// tiles add up in any order. A sample belongs to the tile in which it starts.

// The level of a float: times 2^24, rounded to the nearest integer, ties to even. Levels beyond 32
// bits are the largest of their sign; a NaN has the level 0.
uint audio_level_of_float(uint word, out bool is_nan)
{
  uint exponent = word >> 23 & 0xFFu;
  uint mantissa = (word & 0x7FFFFFu) | 0x800000u; // not below 2^-126, whose level is 0 as well
  uint right = uint(clamp(126 - int(exponent), 1, 25));
  uint left = uint(clamp(int(exponent) - 126, 0, 7));
  uint rest = mantissa & (1u << right) - 1u, half_of = 1u << right - 1u;
  uint rounded = mantissa >> right;
  rounded += uint(rest > half_of || (rest == half_of && (rounded & 1u) != 0u));
  uint size = exponent < 126u ? rounded : mantissa << left;
  uint sign = word >> 31;
  is_nan = (word & 0x7FFFFFFFu) > 0x7F800000u;
  if (exponent > 133u)
    size = 0x7FFFFFFFu + sign;
  size = is_nan ? 0u : size;
  return sign != 0u ? 0u - size : size;
}

// The level of a sample in the lowest bytes of a word, in two's complement.
uint audio_level(uint how, uint word, out bool is_nan)
{
  uint bytes = VYRE_AUDIO_BYTES(how), unused = 32u - VYRE_AUDIO_DEPTH(how);
  uint swapped = word << 24 | (word & 0xFF00u) << 8 | (word >> 8 & 0xFF00u) | word >> 24;
  if (VYRE_AUDIO_SWAPPED(how) != 0u)
    word = swapped >> 32u - 8u * bytes;
  uint of_float = audio_level_of_float(word, is_nan);
  if (VYRE_AUDIO_KIND(how) == VYRE_AUDIO_FLOAT)
    return of_float;
  is_nan = false;
  uint level = word << unused;
  if (VYRE_AUDIO_KIND(how) == VYRE_AUDIO_UNSIGNED)
    level ^= 0x80000000u;
  return uint(int(level) >> unused);
}

// The four bytes from byte `at` of the source on, as far as the payload goes. Loads the granule
// behind only where `bytes` of them reach into it.
uint audio_word(Walk w, uint at, uint bytes)
{
  uint granule = min(at / VYRE_GRANULE, w.most), place = at % VYRE_GRANULE;
  uvec4 here = load_payload(granule);
  uint behind = 0u;
  if (place + bytes > VYRE_GRANULE)
    behind = load_payload(min(granule + 1u, w.most)).x;
  uint i = place / 4u, skew = 8u * (place % 4u);
  uint low = i == 0u ? here.x : i == 1u ? here.y : i == 2u ? here.z : here.w;
  uint high = i == 0u ? here.y : i == 1u ? here.z : i == 2u ? here.w : behind;
  return low >> skew | high << 1 << 31u - skew;
}

// Sums of a lane, which has VYRE_COST_TILE_LOOP_MAX samples at most: sums of 16 bits do not
// overflow. Of levels 2^31 is added, and taken off again at the end.
const uint AUDIO_COUNT = 0u;
const uint AUDIO_CLIPPED = 1u;
const uint AUDIO_CROSSINGS = 2u;
const uint AUDIO_NANS = 3u;
const uint AUDIO_SUM = 4u;     // 16 bits of levels in each, the lowest first
const uint AUDIO_SQUARES = 6u; // of squares
const uint AUDIO_N_SUMS = 10u;
// In s_bins, sums of a workgroup follow: so do 16 bits of these in each.
const uint AUDIO_JOINED_SUM = 4u;
const uint AUDIO_JOINED_SQUARES = 7u;
const uint AUDIO_MAX = 12u;         // of level + 2^31
const uint AUDIO_MAX_INVERSE = 13u; // of 2^31 - 1 - level
const uint AUDIO_N_JOINED = 14u;

struct AudioStats {
  uint sums[AUDIO_N_SUMS];
  uint most;
  uint most_inverse;
};

bool audio_is_clipped(uint how, uint level)
{
  bool is_float = VYRE_AUDIO_KIND(how) == VYRE_AUDIO_FLOAT;
  int full = int(1u << VYRE_AUDIO_FULL_SCALE_BITS(how));
  int most = is_float ? full : full - 1, least = 0 - full;
  return int(level) >= most || int(level) <= least;
}

void audio_stats_add(inout AudioStats stats, uint how, uint level, bool is_nan)
{
  uint raised = level ^ 0x80000000u;
  uint size = int(level) < 0 ? 0u - level : level, high, low;
  umulExtended(size, size, high, low);
  stats.sums[AUDIO_COUNT]++;
  stats.sums[AUDIO_CLIPPED] += uint(audio_is_clipped(how, level));
  stats.sums[AUDIO_NANS] += uint(is_nan);
  stats.sums[AUDIO_SUM] += raised & 0xFFFFu;
  stats.sums[AUDIO_SUM + 1u] += raised >> 16;
  stats.sums[AUDIO_SQUARES] += low & 0xFFFFu;
  stats.sums[AUDIO_SQUARES + 1u] += low >> 16;
  stats.sums[AUDIO_SQUARES + 2u] += high & 0xFFFFu;
  stats.sums[AUDIO_SQUARES + 3u] += high >> 16;
  stats.most = max(stats.most, raised);
  stats.most_inverse = max(stats.most_inverse, ~raised);
}

// All lanes. Afterwards s_bins has the sums of the workgroup, which do not overflow: each lane adds
// less than 2^17.
void audio_stats_join(AudioStats stats)
{
  uint joined[AUDIO_N_JOINED - 2u];
  [[unroll]] for (uint i = 0u; i < AUDIO_SUM; i++)
    joined[i] = stats.sums[i];
  [[unroll]] for (uint i = AUDIO_JOINED_SUM; i < AUDIO_N_JOINED - 2u; i++)
    joined[i] = 0u;
  [[unroll]] for (uint i = 0u; i < AUDIO_SQUARES - AUDIO_SUM; i++) {
    joined[AUDIO_JOINED_SUM + i] += stats.sums[AUDIO_SUM + i] & 0xFFFFu;
    joined[AUDIO_JOINED_SUM + i + 1u] += stats.sums[AUDIO_SUM + i] >> 16;
  }
  [[unroll]] for (uint i = 0u; i < AUDIO_N_SUMS - AUDIO_SQUARES; i++) {
    joined[AUDIO_JOINED_SQUARES + i] += stats.sums[AUDIO_SQUARES + i] & 0xFFFFu;
    joined[AUDIO_JOINED_SQUARES + i + 1u] += stats.sums[AUDIO_SQUARES + i] >> 16;
  }
  [[unroll]] for (uint i = 0u; i < AUDIO_N_JOINED - 2u; i++)
    joined[i] = subgroupAdd(joined[i]);
  uint most = subgroupMax(stats.most), most_inverse = subgroupMax(stats.most_inverse);
  if (subgroupElect()) {
    [[unroll]] for (uint i = 0u; i < AUDIO_N_JOINED - 2u; i++)
      atomicAdd(s_bins[i], joined[i]);
    atomicMax(s_bins[AUDIO_MAX], most);
    atomicMax(s_bins[AUDIO_MAX_INVERSE], most_inverse);
  }
  barrier(); // all subgroups have joined
}

// Lane 0. Adds words to a sum of three. A carry is exact, as in carry_64().
void audio_add_squares(uint at)
{
  const uint i = AUDIO_JOINED_SQUARES;
  uint carry, low = uaddCarry(s_bins[i], s_bins[i + 1u] << 16, carry);
  uint sum = (s_bins[i + 1u] >> 16) + s_bins[i + 2u] + carry;
  uint middle = uaddCarry(sum, s_bins[i + 3u] << 16, carry);
  uint high = (s_bins[i + 3u] >> 16) + s_bins[i + 4u] + carry;
  uint before = add_alone(at, low);
  middle = uaddCarry(middle, uint(before + low < before), carry);
  high += carry;
  carry_64(at + 1u, add_alone(at + 1u, middle), middle, high);
}

// Lane 0. Adds what the workgroup has found.
void audio_stats_share(Region r, uint samples, uint bytes)
{
  add_alone(observable_at(r, VYRE_AUDIO_STATS_COUNT), s_bins[AUDIO_COUNT]);
  add_alone(observable_at(r, VYRE_AUDIO_STATS_CLIPPED), s_bins[AUDIO_CLIPPED]);
  add_alone(observable_at(r, VYRE_AUDIO_STATS_CROSSINGS), s_bins[AUDIO_CROSSINGS]);
  add_alone(observable_at(r, VYRE_AUDIO_STATS_NANS), s_bins[AUDIO_NANS]);
  raise_alone(observable_at(r, VYRE_AUDIO_STATS_MIN), s_bins[AUDIO_MAX_INVERSE]);
  raise_alone(observable_at(r, VYRE_AUDIO_STATS_MAX), s_bins[AUDIO_MAX]);
  add_sum(observable_at(r, VYRE_AUDIO_STATS_SUM), s_bins[AUDIO_JOINED_SUM],
      s_bins[AUDIO_JOINED_SUM + 1u], s_bins[AUDIO_JOINED_SUM + 2u]);
  audio_add_squares(observable_at(r, VYRE_AUDIO_STATS_SUM_SQUARES));
  // a loop that the device ended early has left samples out
  count_bytes(s_bins[AUDIO_COUNT] == samples ? bytes : 0u);
}

// The number of samples that start in front of byte `end` of a channel of `length` bytes.
uint audio_samples_below(uint how, uint length, uint end)
{
  uint apart = max(VYRE_AUDIO_APART(how), 1u), bytes = VYRE_AUDIO_BYTES(how);
  uint whole = length < bytes ? 0u : (length - bytes) / apart + 1u;
  return min(end / apart + uint(end % apart != 0u), whole);
}

// A lane has a run of samples, and looks at the one in front of it first, for its sign alone.
void audio_stats_tile(Region r, Walk w)
{
  uint how = r.operand, length = r.width * r.rows;
  uint column = ticket[VYRE_TICKET_COLUMN], width = ticket[VYRE_TICKET_WIDTH];
  uint begin = ticket[VYRE_TICKET_PAYLOAD] + r.offset;
  uint first = audio_samples_below(how, length, column);
  uint samples = audio_samples_below(how, length, column + width) - first;
  uint run = (samples + WORKGROUP - 1u) / WORKGROUP, done = lane() * run;
  uint next = first + done;
  bool was_negative = false;
  AudioStats stats;
  [[unroll]] for (uint sum = 0u; sum < AUDIO_N_SUMS; sum++)
    stats.sums[sum] = 0u;
  stats.most = stats.most_inverse = 0u;
  clear_bins(AUDIO_N_JOINED);
  for (uint step = 0u; samples != 0u && step <= run; step++) {
    uint i = next + step - 1u;
    bool is_nan;
    uint word = audio_word(w, begin + i * VYRE_AUDIO_APART(how), VYRE_AUDIO_BYTES(how));
    uint level = audio_level(how, word, is_nan);
    bool is_negative = int(level) < 0;
    if (step != 0u && i - first < samples) {
      audio_stats_add(stats, how, level, is_nan);
      stats.sums[AUDIO_CROSSINGS] += uint(is_negative != was_negative && i != 0u);
    }
    was_negative = is_negative;
  }
  audio_stats_join(stats);
  if (lane() == 0u)
    audio_stats_share(r, samples, width);
}

// Until now the observables of the extremes have maximums, for which their initial 0 is neutral,
// and the sum has 2^31 more for each sample.
void audio_stats_end(Region r)
{
  uint count = get(observable_at(r, VYRE_AUDIO_STATS_COUNT));
  uint min_at = observable_at(r, VYRE_AUDIO_STATS_MIN);
  uint max_at = observable_at(r, VYRE_AUDIO_STATS_MAX);
  uint sum_at = observable_at(r, VYRE_AUDIO_STATS_SUM);
  int least = count == 0u ? 0 : int(0x7FFFFFFFu - get(min_at));
  int most = count == 0u ? 0 : int(get(max_at) ^ 0x80000000u);
  uint low = get(sum_at), borrow;
  put(min_at, uint(least));
  put(max_at, uint(most));
  put(observable_at(r, VYRE_AUDIO_STATS_PEAK), max(uint(max(most, 0)), 0u - uint(min(least, 0))));
  put(sum_at, usubBorrow(low, count << 31, borrow));
  put(sum_at + 1u, get(sum_at + 1u) - (count >> 1) - borrow);
  put(observable_at(r, VYRE_AUDIO_STATS_FULL_SCALE),
      1u << VYRE_AUDIO_FULL_SCALE_BITS(r.operand));
}
