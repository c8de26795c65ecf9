// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Two components of the same shape, sample by sample: SAMPLE_DIFFERENCE. The walk is one over the
// first component; the containers of the other lie as far from the start of their row.

// The component that the slot in hand has beside its region.
struct Other {
  Samples samples;
  uint first; // byte of the source where the tile's first row starts
  uint stride;
  uint most; // the last granule of its payload
};

// The byte of the source where the payload of the other component starts. A ticket has that of the
// first component.
uint other_payload()
{
  uint word = slot_arg(VYRE_REGION_ARG_OBSERVABLE), from = VYRE_OTHER_FROM(word);
  if (VYRE_REGION_FROM(word) == VYRE_FROM_OWN && from == VYRE_FROM_OWN)
    return ticket[VYRE_TICKET_PAYLOAD];
  return get(scratch_at(VYRE_SCRATCH_PAYLOADS + from));
}

Other other_of(Samples s)
{
  Other o;
  uint word = slot_arg(VYRE_OTHER_ARG_SAMPLES), payload = other_payload();
  o.samples = s;
  o.samples.swapped = VYRE_SAMPLES_SWAPPED(word);
  o.samples.first = mix(0u, VYRE_SAMPLES_SHIFT(word), s.packed);
  o.samples.shift = VYRE_SAMPLES_SHIFT(word) - o.samples.first;
  o.stride = slot_arg(VYRE_OTHER_ARG_STRIDE);
  o.first = payload + slot_arg(VYRE_OTHER_ARG_OFFSET) + ticket[VYRE_TICKET_ROW] * o.stride;
  o.most = last_granule(payload);
  return o;
}

// Sixteen bytes of the source from byte `at` on, which may lie up to 15 bytes in front of it. Bytes
// outside of the payload have any value.
uvec4 load_bytes(uint at, uint most)
{
  uint granule = at / VYRE_GRANULE, behind = (granule + 1u) & (0xFFFFFFFFu / VYRE_GRANULE);
  uvec4 a = load_payload(min(granule, most)), b = load_payload(min(behind, most));
  return bytes_from(a, b, at % VYRE_GRANULE);
}

// The byte of the word with the sample `by` samples of any component, -12 to 12, behind the first of
// the word at byte `at`, and the bits in front of it. Samples that are not packed are 0 behind.
uint place_behind(uint at, int by, out uint bits)
{
  uint number = uint(by + int(VYRE_PACKED_NUMBERS));
  bits = number % 3u * VYRE_PACKED_BITS;
  return at + number / 3u * 4u - VYRE_GRANULE;
}

// Packed samples from some bits of the first word on, of four words and the one behind.
uvec4 samples_from(uvec4 words, uint behind, uint bits)
{
  return (words & 0x3FFFFFFFu) >> bits | uvec4(words.yzw, behind) << (30u - bits);
}

// Sixteen bytes whose first sample is so many samples behind that at byte `at` of the source.
uvec4 load_samples(uint at, int by, uint most)
{
  uint bits, place = place_behind(at, by, bits);
  uvec4 words = load_bytes(place, most);
  if (bits != 0u)
    words = samples_from(words, load_bytes(place + VYRE_GRANULE, most).x, bits);
  return words;
}

// The containers of the other component in the place of `c`.
Containers other_containers(Other o, Samples s, Containers c)
{
  int by = int(o.samples.first) - int(s.first);
  uvec4 words = load_samples(o.first + c.row * o.stride + c.from, by, o.most);
  c.words = in_order(o.samples, words);
  return c;
}

// The sums of a lane over the differences of a tile.
struct Differences {
  SampleStats stats;
  uint above;
  uint bytes;
};

Differences no_differences()
{
  return Differences(SampleStats(0u, 0u, 0u, 0u, 0u, 0xFFFFFFFFu), 0u, 0u);
}

// The differences of samples that lie in any way.
Differences differences_of_rows(Samples s, Other o, Walk w, uint limit)
{
  Differences d = no_differences();
  uint containers = 4u / s.bytes;
  while (w.index < w.total) {
    Containers c = next_containers(s, w), e = other_containers(o, s, c);
    d.stats.count += bitCount(c.starts);
    d.bytes += c.bytes;
    uint i = 0u;
    do {
      uvec4 valid;
      uvec4 a = samples_in(s, c, i, valid), b = samples_in(o.samples, e, i, valid);
      uvec4 apart = max(a, b) - min(a, b);
      sample_stats_add(d.stats, apart, valid);
      d.above += total((limit - apart) >> 31); // the difference is negative
    } while (++i < containers);
  }
  return d;
}

uvec4 distance_of(uvec4 a, uvec4 b) { return uvec4(abs(ivec4(a) - ivec4(b))); }

// Adds the differences of the bytes of two granules, both cut to the mask. Squares go to the lower of
// their sums, which has room for those of some granules.
void add_distances(inout Differences d, uvec4 a, uvec4 b, uvec4 mask, uint limit)
{
  Bytes x = bytes_of(a), y = bytes_of(b), outside = bytes_of(~mask);
  uvec4 d0 = distance_of(x.b0, y.b0), d1 = distance_of(x.b1, y.b1);
  uvec4 d2 = distance_of(x.b2, y.b2), d3 = distance_of(x.b3, y.b3);
  d.stats.sum += total(d0 + d1 + d2 + d3);
  d.stats.squares_low += total(d0 * d0 + d1 * d1 + d2 * d2 + d3 * d3);
  d.stats.most = max(d.stats.most, largest(max(max(d0, d1), max(d2, d3))));
  d.stats.least = min(d.stats.least,
      smallest(min(min(d0 | outside.b0, d1 | outside.b1), min(d2 | outside.b2, d3 | outside.b3))));
  d.above += total((limit - d0 >> 31) + (limit - d1 >> 31)); // the difference is negative
  d.above += total((limit - d2 >> 31) + (limit - d3 >> 31));
}

// Adds the differences of some granules.
void join_distances(inout Differences d, Differences some)
{
  d.stats.sum += some.stats.sum;
  d.stats.squares_low += some.stats.squares_low & 0xFFFFu;
  d.stats.squares_high += some.stats.squares_low >> 16;
  d.stats.most = max(d.stats.most, some.stats.most);
  d.stats.least = min(d.stats.least, some.stats.least);
  d.above += some.above;
}

// TRUE for a tile whose samples are bytes side by side, in one run, and lie alike in the granules of
// both components.
bool are_runs(Region r, Other o)
{
  const uint bytes = VYRE_SAMPLES_ARE_BYTES;
  uint first = ticket[VYRE_TICKET_PAYLOAD] + r.offset + ticket[VYRE_TICKET_ROW] * r.stride;
  bool alike = all(bvec3(r.operand == bytes, slot_arg(VYRE_OTHER_ARG_SAMPLES) == bytes,
      (o.first - first) % VYRE_GRANULE == 0u));
  return all(bvec3(alike, rows_touch(r.stride), rows_touch(o.stride)));
}

// The differences of a tile that is two runs of bytes.
Differences differences_of_runs(Other o, Walk w, uint limit)
{
  Differences d = no_differences();
  uint there = o.first + ticket[VYRE_TICKET_COLUMN], first = w.inner;
  uint behind = there / VYRE_GRANULE - w.start / VYRE_GRANULE; // or in front, and wraps
  uvec4 mask = uvec4(0xFFFFFFFFu);
  while (walk_deep(w)) {
    Differences some = no_differences();
    [[unroll]] for (uint step = 0u; step < INNER_STEPS; step++) {
      uvec4 b = load_payload(w.inner + behind);
      add_distances(some, walk_next(w), b, mask, limit);
    }
    join_distances(d, some);
  }
  d.bytes = walked_bytes(w, first);
  while (!walk_done(w)) {
    Differences some = no_differences();
    uint at = next_place(w, mask);
    uvec4 b = load_payload(min(at + behind, o.most));
    add_distances(some, load_payload(at) & mask, b & mask, mask, limit);
    join_distances(d, some);
    d.bytes += valid_bytes(mask);
  }
  d.stats.count = d.bytes;
  return d;
}

void sample_difference_tile(Region r)
{
  Samples s = samples_of(r);
  Other o = other_of(s);
  Differences d;
  if (are_runs(r, o))
    d = differences_of_runs(o, walk_run(r), sample_limit());
  else
    d = differences_of_rows(s, o, walk_rows(r), sample_limit());
  sample_stats_join(d.stats, s.mask, d.bytes);
  uint above = subgroupAdd(d.above);
  if (subgroupElect())
    atomicAdd(s_accumulator[SAMPLES_ABOVE], above);
  barrier(); // all subgroups have joined
  if (lane() != 0u)
    return;
  count_bytes(s_accumulator[SAMPLES_BYTES]);
  for (uint n = with_twin(); n > 0u; n--) {
    add_alone(observable_at(r, VYRE_DIFFERENCE_ABOVE), s_accumulator[SAMPLES_ABOVE]);
    sample_stats_store(r);
    if (n > 1u)
      r = twin_region(r);
  }
}

void sample_difference_end(Region r) { sample_stats_end(r); }
