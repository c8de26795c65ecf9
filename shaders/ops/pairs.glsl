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

void sample_difference_tile(Region r)
{
  Samples s = samples_of(r);
  Other o = other_of(s);
  Walk w = walk_rows(r);
  SampleStats stats = SampleStats(0u, 0u, 0u, 0u, 0u, 0xFFFFFFFFu);
  uint limit = sample_limit(), above = 0u, bytes = 0u, containers = 4u / s.bytes;
  while (w.index < w.total) {
    Containers c = next_containers(s, w), d = other_containers(o, s, c);
    stats.count += bitCount(c.starts);
    bytes += c.bytes;
    uint i = 0u;
    do {
      uvec4 valid;
      uvec4 a = samples_in(s, c, i, valid), b = samples_in(o.samples, d, i, valid);
      uvec4 apart = max(a, b) - min(a, b);
      sample_stats_add(stats, apart, valid);
      above += total((limit - apart) >> 31); // the difference is negative
    } while (++i < containers);
  }
  sample_stats_join(stats, s.mask, bytes);
  above = subgroupAdd(above);
  if (subgroupElect())
    atomicAdd(s_accumulator[SAMPLES_ABOVE], above);
  barrier(); // all subgroups have joined
  if (lane() != 0u)
    return;
  add_alone(observable_at(r, VYRE_DIFFERENCE_ABOVE), s_accumulator[SAMPLES_ABOVE]);
  sample_stats_store(r);
}

void sample_difference_end(Region r) { sample_stats_end(r); }
