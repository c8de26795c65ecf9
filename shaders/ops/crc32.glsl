// SPDX-License-Identifier: LGPL-2.1-or-later
//
// CRC32 as zlib, gzip and PNG use it, exact although tiles run in parallel.
//
// Bytes are polynomials over GF(2), reflected: bit 31 of a word is x^0. The CRC
// register without its initial and final inversion is linear in the data, so
// the data may be cut anywhere: a piece's remainder, times x^(8 * bytes behind
// it), is its share, and shares add up by xor. Leading zeros add nothing, which
// lets every lane start at the same granule; zeros read behind the end of the
// data are divided out again. Ref: P. Koopman's and M. Adler's notes on
// combining CRCs; the polynomial is that of ISO 3309.

const uint CRC_POLYNOMIAL = 0xEDB88320u;
const uint CRC_ONE = 0x80000000u; // x^0

// x^(8 * 2^i)
const uint CRC_X8_POWERS[32] = uint[32](
    0x00800000u, 0x00008000u, 0xedb88320u, 0xb1e6b092u, 0xa06a2517u, 0xed627daeu, 0x88d14467u, 0xd7bbfe6au,
    0xec447f11u, 0x8e7ea170u, 0x6427800eu, 0x4d47bae0u, 0x09fe548fu, 0x83852d0fu, 0x30362f1au, 0x7b5a9cc3u,
    0x31fec169u, 0x9fec022au, 0x6c8dedc4u, 0x15d6874du, 0x5fde7a4eu, 0xbad90e37u, 0x2e4e5eefu, 0x4eaba214u,
    0xa8a472c0u, 0x429a969eu, 0x148d302au, 0xc40ba6d0u, 0xc4e22c3cu, 0x40000000u, 0x20000000u, 0x08000000u);

// x^(32 - 8 * i): the register holds data * x^32, less i bytes of zeros read behind the data
const uint CRC_TAILS[16] = uint[16](
    0xedb88320u, 0x00000080u, 0x00008000u, 0x00800000u, 0x80000000u, 0x6567cb95u, 0xd7125358u, 0x1f81b6e1u,
    0x5b358fd3u, 0xeb21cebfu, 0x2ff880c5u, 0x97fc423cu, 0x2e9bb40bu, 0x2fb98a7du, 0xd6f6fa3cu, 0x2059d4a0u);

uint crc_times_x(uint a) { return (a >> 1) ^ (CRC_POLYNOMIAL & (0u - (a & 1u))); }

uint crc_multiply(uint a, uint b)
{
  uint product = 0u;
  [[dont_unroll]] for (uint step = 0u; step < 4u; step++) {
    [[unroll]] for (uint bit = 0u; bit < 8u; bit++) {
      product ^= b & (0u - (a >> 31));
      a <<= 1;
      b = crc_times_x(b);
    }
  }
  return product;
}

// a * x^(8 * bytes)
uint crc_shift(uint a, uint bytes)
{
  for (uint i = 0u; bytes != 0u; i++) {
    if ((bytes & 1u) != 0u)
      a = crc_multiply(a, CRC_X8_POWERS[i]);
    bytes >>= 1;
  }
  return a;
}

// The tile in hand is a run of bytes. A step folds each of a lane's four words over the distance of
// a whole workgroup: remainder * K + word.
void crc32_tile(Region r, Walk w)
{
  uint length = r.width * r.rows;
  uint column = ticket[VYRE_TICKET_COLUMN];
  uint width = ticket[VYRE_TICKET_WIDTH];
  uint first = ticket[VYRE_TICKET_PAYLOAD] + r.offset + column;
  uint end = first + width;
  uint base = first / VYRE_GRANULE;
  uint granules = width == 0u ? 0u : (end + VYRE_GRANULE - 1u) / VYRE_GRANULE - base;
  uint steps = (granules + WORKGROUP - 1u) / WORKGROUP;
  uint lead = steps * WORKGROUP - granules; // granules of zeros in front

  uint fold[32]; // K * x^bit, K = x^(8 * 16 * WORKGROUP)
  uint power = CRC_X8_POWERS[WORKGROUP_BITS + 4u];
  [[unroll]] for (int bit = 31; bit >= 0; bit--) {
    fold[bit] = power;
    power = crc_times_x(power);
  }

  uint bytes = 0u;
  uvec4 remainder = uvec4(0u);
  for (uint step = 0u; step < steps; step++) {
    uvec4 folded = uvec4(0u);
    [[unroll]] for (int bit = 0; bit < 32; bit++)
      folded ^= fold[bit] & (uvec4(0u) - ((remainder >> bit) & 1u));
    uint granule = step * WORKGROUP + lane();
    if (granule >= lead) {
      uvec4 mask;
      folded ^= load_granule((base + granule - lead) * VYRE_GRANULE, first, end, mask);
      bytes += valid_bytes(mask);
    }
    remainder = folded;
  }

  // Join the four words, then move the lane's share to the end of the tile.
  uint share = 0u;
  for (uint i = 0u; i < 4u; i++)
    share = crc_multiply(share, CRC_X8_POWERS[2]) ^ remainder[i];
  uint behind = WORKGROUP - 1u - lane(); // granules
  for (uint i = 0u; i < WORKGROUP_BITS; i++) {
    if (((behind >> i) & 1u) != 0u)
      share = crc_multiply(share, CRC_X8_POWERS[i + 4u]);
  }
  share = subgroupXor(share);
  bytes = subgroupAdd(bytes);
  if (subgroupElect()) {
    atomicXor(s_accumulator[0], share);
    atomicAdd(s_accumulator[1], bytes);
  }
  barrier(); // all subgroups have added their share
  if (lane() != 0u)
    return;
  share = crc_multiply(s_accumulator[0], CRC_TAILS[(0u - end) % VYRE_GRANULE]);
  flip(observable_at(r, 0u), crc_shift(share, length - column - width));
  count_bytes(s_accumulator[1]);
}

// Adds the inversions: the initial register, moved past all of the data, and the final one.
void crc32_end(Region r)
{
  uint initial = crc_shift(0xFFFFFFFFu, r.width * r.rows);
  flip(observable_at(r, 0u), initial ^ 0xFFFFFFFFu);
}
