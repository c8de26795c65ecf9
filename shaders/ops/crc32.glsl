// SPDX-License-Identifier: LGPL-2.1-or-later
//
// CRC32 as zlib, gzip and PNG use it, and CRC32C as iSCSI, SCTP and ext4 do, exact although tiles
// run in parallel.
//
// Bytes are polynomials over GF(2), reflected: bit 31 of a word is x^0. The CRC
// register without its initial and final inversion is linear in the data, so
// the data may be cut anywhere: a piece's remainder, times x^(8 * bytes behind
// it), is its share, and shares add up by xor. Leading zeros add nothing, which
// lets every lane start at the same granule; zeros read behind the end of the
// data are divided out again. Ref: P. Koopman's and M. Adler's notes on
// combining CRCs; the polynomials are those of ISO 3309 and, Castagnoli's, of RFC 3720.
//
// Functions say by `c` which polynomial they mean, TRUE for Castagnoli's. It is a constant wherever
// they are called, so that each opcode has code of its own.

// x^(8 * 2^i)
const uint CRC_X8_POWERS[32] = uint[32](
    0x00800000u, 0x00008000u, 0xedb88320u, 0xb1e6b092u, 0xa06a2517u, 0xed627daeu, 0x88d14467u, 0xd7bbfe6au,
    0xec447f11u, 0x8e7ea170u, 0x6427800eu, 0x4d47bae0u, 0x09fe548fu, 0x83852d0fu, 0x30362f1au, 0x7b5a9cc3u,
    0x31fec169u, 0x9fec022au, 0x6c8dedc4u, 0x15d6874du, 0x5fde7a4eu, 0xbad90e37u, 0x2e4e5eefu, 0x4eaba214u,
    0xa8a472c0u, 0x429a969eu, 0x148d302au, 0xc40ba6d0u, 0xc4e22c3cu, 0x40000000u, 0x20000000u, 0x08000000u);
const uint CRC32C_X8_POWERS[32] = uint[32](
    0x00800000u, 0x00008000u, 0x82f63b78u, 0x6ea2d55cu, 0x18b8ea18u, 0x510ac59au, 0xb82be955u, 0xb8fdb1e7u,
    0x88e56f72u, 0x74c360a4u, 0xe4172b16u, 0x0d65762au, 0x35d73a62u, 0x28461564u, 0xbf455269u, 0xe2ea32dcu,
    0xfe7740e6u, 0xf946610bu, 0x3c204f8fu, 0x538586e3u, 0x59726915u, 0x734d5309u, 0xbc1ac763u, 0x7d0722ccu,
    0xd289cabeu, 0xe94ca9bcu, 0x05b74f3fu, 0xa51e1f42u, 0x40000000u, 0x20000000u, 0x08000000u, 0x00800000u);

// x^(32 - 8 * i): the register holds data * x^32, less i bytes of zeros read behind the data
const uint CRC_TAILS[16] = uint[16](
    0xedb88320u, 0x00000080u, 0x00008000u, 0x00800000u, 0x80000000u, 0x6567cb95u, 0xd7125358u, 0x1f81b6e1u,
    0x5b358fd3u, 0xeb21cebfu, 0x2ff880c5u, 0x97fc423cu, 0x2e9bb40bu, 0x2fb98a7du, 0xd6f6fa3cu, 0x2059d4a0u);
const uint CRC32C_TAILS[16] = uint[16](
    0x82f63b78u, 0x00000080u, 0x00008000u, 0x00800000u, 0x80000000u, 0xfde39562u, 0xbef0965eu, 0xdd36fbfcu,
    0xd610d67eu, 0xd16a78e5u, 0xb241a332u, 0x54d1fbb0u, 0xe67cce65u, 0x5e3bd2d5u, 0x28eef10fu, 0x7c1c66a8u);

uint crc_x8_power(bool c, uint i) { return c ? CRC32C_X8_POWERS[i] : CRC_X8_POWERS[i]; }

uint crc_times_x(bool c, uint a)
{
  return (a >> 1) ^ ((c ? 0x82F63B78u : 0xEDB88320u) & (0u - (a & 1u)));
}

uint crc_multiply(bool c, uint a, uint b)
{
  uint product = 0u;
  [[dont_unroll]] for (uint step = 0u; step < 4u; step++) {
    [[unroll]] for (uint bit = 0u; bit < 8u; bit++) {
      product ^= b & (0u - (a >> 31));
      a <<= 1;
      b = crc_times_x(c, b);
    }
  }
  return product;
}

// a * x^(8 * bytes)
uint crc_shift(bool c, uint a, uint bytes)
{
  for (uint i = 0u; bytes != 0u; i++) {
    if ((bytes & 1u) != 0u)
      a = crc_multiply(c, a, crc_x8_power(c, i));
    bytes >>= 1;
  }
  return a;
}

// The tile in hand is a run of bytes. A step folds each of a lane's four words over the distance of
// a whole workgroup: remainder * K + word.
void crc_tile(bool c, Region r)
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
  uint power = crc_x8_power(c, WORKGROUP_BITS + 4u);
  [[unroll]] for (int bit = 31; bit >= 0; bit--) {
    fold[bit] = power;
    power = crc_times_x(c, power);
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
    share = crc_multiply(c, share, crc_x8_power(c, 2u)) ^ remainder[i];
  uint behind = WORKGROUP - 1u - lane(); // granules
  for (uint i = 0u; i < WORKGROUP_BITS; i++) {
    if (((behind >> i) & 1u) != 0u)
      share = crc_multiply(c, share, crc_x8_power(c, i + 4u));
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
  uint tail = (0u - end) % VYRE_GRANULE;
  share = crc_multiply(c, s_accumulator[0], c ? CRC32C_TAILS[tail] : CRC_TAILS[tail]);
  flip(observable_at(r, 0u), crc_shift(c, share, length - column - width));
  count_bytes(s_accumulator[1]);
}

// Adds the inversions: the initial register, moved past all of the data, and the final one.
void crc_end(bool c, Region r)
{
  uint initial = crc_shift(c, 0xFFFFFFFFu, r.width * r.rows);
  flip(observable_at(r, 0u), initial ^ 0xFFFFFFFFu);
}

void crc32_tile(Region r, Walk w) { crc_tile(false, r); }
void crc32_end(Region r) { crc_end(false, r); }
void crc32c_tile(Region r, Walk w) { crc_tile(true, r); }
void crc32c_end(Region r) { crc_end(true, r); }
