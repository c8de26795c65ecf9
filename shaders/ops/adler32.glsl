// SPDX-License-Identifier: LGPL-2.1-or-later
//
// ADLER32 as zlib computes it (RFC 1950), exact although tiles run in parallel.
//
// Over n bytes d[0] to d[n - 1] it is two sums modulo 65521: a = 1 + sum of d[i], and
// b = n + sum of (n - i) * d[i]. A byte's weight depends only on its distance to the end of the
// data, so every lane adds up its own granules, and shares add up in any order.

const uint ADLER_MODULUS = 65521u; // 2^16 - 15

// A smaller number with the same remainder: less than 2^20.
uint adler_fold(uint x) { return (x & 0xFFFFu) + 15u * (x >> 16); }

uint adler_add(uint a, uint b) { return (a + b) % ADLER_MODULUS; }

uint adler_times(uint a, uint b) { return (a % ADLER_MODULUS) * (b % ADLER_MODULUS) % ADLER_MODULUS; }

uint adler_halves(uint x) { return (x & 0xFFFFu) + (x >> 16); }

// The sum of a granule's bytes, and the sum of each byte times its place in the granule, 0 to 15.
// An addition adds two bytes, as the halves of a word.
void adler_granule(uvec4 v, out uint sum, out uint placed)
{
  uvec4 even = v & 0x00FF00FFu, odd = (v >> 8) & 0x00FF00FFu;
  uint evens = even.x + even.y + even.z + even.w, odds = odd.x + odd.y + odd.z + odd.w;
  uvec4 words = even + odd;
  sum = adler_halves(evens + odds);
  placed = 4u * adler_halves(words.y + 2u * words.z + 3u * words.w)
      + (odds & 0xFFFFu) + 2u * (evens >> 16) + 3u * (odds >> 16);
}

// Adds a share to the slot's result. An exchange that fails has lost to the share of another tile,
// so the loop runs once for each tile that ends at the same time.
void adler_share(uint at, uint a, uint b)
{
  uint before, seen = get(at);
  do {
    before = seen;
    uint sum = adler_add(before & 0xFFFFu, a) | adler_add(before >> 16, b) << 16;
    seen = exchange(at, before, sum);
  } while (seen != before);
}

// The tile in hand is a run of bytes; its granules go around the lanes. Each granule of a lane lies
// WORKGROUP granules further from the end of the data than the lane's next one. `before` is the sum
// of a lane's bytes, each counted once for every granule of the lane behind it.
void adler32_tile(Region r, Walk w)
{
  uint first = w.start, end = first + w.width;
  uint base = first / VYRE_GRANULE;
  uint granules = w.width == 0u ? 0u : (end + VYRE_GRANULE - 1u) / VYRE_GRANULE - base;
  uint bytes = 0u, sum = 0u, before = 0u, placed = 0u, last = base;

  // The loop runs at most VYRE_COST_TILE_LOOP_MAX times: placed stays below 16 384 * 255 * 120, and
  // 2^20 + sum as well, which is less than 2^32.
  for (uint granule = lane(); granule < granules; granule += WORKGROUP) {
    uvec4 mask;
    uint granule_sum, granule_placed;
    last = base + granule;
    adler_granule(load_granule(last * VYRE_GRANULE, first, end, mask), granule_sum, granule_placed);
    before = adler_fold(before + sum);
    sum += granule_sum;
    placed += granule_placed;
    bytes += valid_bytes(mask);
  }

  uint data_end = ticket[VYRE_TICKET_PAYLOAD] + r.offset + r.width * r.rows;
  uint weighted = adler_times(data_end - last * VYRE_GRANULE, sum)
      + adler_times(VYRE_GRANULE * WORKGROUP, before) + ADLER_MODULUS - placed % ADLER_MODULUS;
  bytes = subgroupAdd(bytes);
  sum = subgroupAdd(sum % ADLER_MODULUS);
  weighted = subgroupAdd(weighted % ADLER_MODULUS);
  if (subgroupElect()) {
    atomicAdd(s_accumulator[0], bytes);
    atomicAdd(s_accumulator[1], sum);
    atomicAdd(s_accumulator[2], weighted);
  }
  barrier(); // all subgroups have added their share
  if (lane() != 0u)
    return;
  adler_share(observable_at(r, 0u), s_accumulator[1] % ADLER_MODULUS,
      s_accumulator[2] % ADLER_MODULUS);
  count_bytes(s_accumulator[0]);
}

void adler32_end(Region r)
{
  adler_share(observable_at(r, 0u), 1u, r.width * r.rows % ADLER_MODULUS);
}
