// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The structural similarity of two components: SAMPLE_SSIM. Windows of 8 by 8 samples lie 4 apart
// either way. A window belongs to the tile in which its first sample starts, and may reach into
// those to the right and below. A lane takes strips of windows, one below the other, and adds up
// each block of 4 rows once for the two windows that have it.

const uint SSIM_STRIP = 8u; // windows of a strip at most
const uint SSIM_ONE = 1u << VYRE_SSIM_BITS;

const uint SSIM_COUNT = 0u;
const uint SSIM_SUM = 1u; // the lowest 16 bits of sums of lanes, the next 16 bits, the rest

// Numbers of 64 bits, the low word first.
uvec2 wide_add(uvec2 a, uvec2 b)
{
  uint carry, low = uaddCarry(a.x, b.x, carry);
  return uvec2(low, a.y + b.y + carry);
}

uvec2 wide_subtract(uvec2 a, uvec2 b)
{
  uint borrow, low = usubBorrow(a.x, b.x, borrow);
  return uvec2(low, a.y - b.y - borrow);
}

uvec2 wide_product(uint a, uint b)
{
  uint high, low;
  umulExtended(a, b, high, low);
  return uvec2(low, high);
}

// By 1 to 31 bits.
uvec2 wide_shift(uvec2 a, uint bits) { return uvec2(a.x << bits, a.y << bits | a.x >> (32u - bits)); }

uvec2 wide_halves(uint low, uint high) { return wide_add(uvec2(low, 0u), uvec2(high << 16, high >> 16)); }

bool is_negative(uvec2 a) { return a.y >> 31 != 0u; }

float wide_float(uvec2 a) { return float(a.y) * 4294967296.0 + float(a.x); }

// The next 10 bits of a quotient. The rest is less than the divisor, which has 46 bits at most, and
// so is the new rest. Floating point guesses, and is wrong by 1 at most; whole numbers decide, so
// that all devices agree.
uint quotient_bits(inout uvec2 rest, uvec2 divisor)
{
  rest = wide_shift(rest, 10u);
  uint bits = uint(wide_float(rest) / max(wide_float(divisor), 1.0));
  uvec2 product = wide_product(bits, divisor.x);
  rest = wide_subtract(rest, uvec2(product.x, product.y + bits * divisor.y));
  bool above = is_negative(rest);
  bits -= above ? 1u : 0u;
  rest = wide_add(rest, above ? divisor : uvec2(0u));
  bool below = !is_negative(wide_subtract(rest, divisor));
  bits += below ? 1u : 0u;
  rest = wide_subtract(rest, below ? divisor : uvec2(0u));
  return bits;
}

// part / whole, which is 1 at most, in units of 2^-30 without their fraction.
uint ratio(uvec2 part, uvec2 whole)
{
  uvec2 rest = part;
  uint bits = quotient_bits(rest, whole) << 20;
  bits += quotient_bits(rest, whole) << 10;
  bits += quotient_bits(rest, whole);
  return part == whole ? SSIM_ONE : bits;
}

// Sums over samples of both components. Those of squares and products have one for the lower halves
// and one for the upper ones; 64 samples overflow none.
struct Sums {
  uint a;
  uint b;
  uint squares_low; // of both
  uint squares_high;
  uint products_low;
  uint products_high;
};

Sums join_sums(Sums s, Sums t)
{
  return Sums(s.a + t.a, s.b + t.b, s.squares_low + t.squares_low, s.squares_high + t.squares_high,
      s.products_low + t.products_low, s.products_high + t.products_high);
}

// Both constants of the definition, rounded: 64 * (0.01 * most)^2 and 64 * 63 * (0.03 * most)^2.
struct Stabilizers {
  uvec2 mean;
  uvec2 variance;
};

Stabilizers stabilizers_of(uint most)
{
  uint whole = most * most / 625u, rest = most * most % 625u;
  return Stabilizers(uvec2(4u * whole + (4u * rest + 312u) / 625u, 0u),
      wide_add(wide_product(2268u, whole), uvec2((2268u * rest + 312u) / 625u, 0u)));
}

// 1 more than the similarity of a window, in units of 2^-30. Its two factors are in those units,
// and so is their product, each without its fraction.
uint similarity(Sums s, Stabilizers c)
{
  uvec2 means = wide_shift(wide_product(s.a, s.b), 1u);
  uvec2 powers = wide_add(wide_product(s.a, s.a), wide_product(s.b, s.b));
  uvec2 squares = wide_shift(wide_halves(s.squares_low, s.squares_high), 6u);
  uvec2 products = wide_shift(wide_halves(s.products_low, s.products_high), 7u);
  uvec2 covariance = wide_add(wide_subtract(products, means), c.variance);
  bool opposed = is_negative(covariance);
  covariance = opposed ? wide_subtract(uvec2(0u), covariance) : covariance;
  uint luminance = ratio(wide_add(means, c.mean), wide_add(powers, c.mean));
  uint structure = ratio(covariance, wide_add(wide_subtract(squares, powers), c.variance));
  uvec2 product = wide_shift(wide_product(luminance, structure), 32u - VYRE_SSIM_BITS);
  return opposed ? SSIM_ONE - product.y : SSIM_ONE + product.y;
}

// How many samples, 1, 2, 4 or 8, a lane takes out of 16 bytes. The last of packed ones is in them
// even if the first is the third of its word.
uint samples_at_once(Samples s)
{
  return min(1u << uint(findMSB(max(s.numbers / s.apart, 1u))), 8u);
}

// Sixteen bytes with the sample of a column of the row that starts at byte `row` of the source, which
// is container `skip` of them.
uvec4 load_column(Samples s, uint row, uint column, uint most, out uint skip)
{
  uint at = s.first + column * s.apart;
  skip = mix(0u, at % 3u, s.packed);
  return load_bytes(row + place_of(s, at - skip), most);
}

uint container_in(Samples s, uvec4 words, uint at)
{
  at = place_of(s, at);
  return words[at / 4u & 3u] >> mix(8u, VYRE_PACKED_BITS, s.packed) * (at % 4u);
}

// Four samples from number `first` on, of 16 bytes in which the first container is number `skip`,
// and which have n.
uvec4 samples_from(Samples s, uvec4 words, uint skip, uint first, uint n)
{
  uvec4 numbers = first + uvec4(0u, 1u, 2u, 3u), at = skip + numbers * s.apart;
  uvec4 containers = uvec4(container_in(s, words, at.x), container_in(s, words, at.y),
      container_in(s, words, at.z), container_in(s, words, at.w));
  if (s.swapped != 0u)
    containers = (containers & 0xFFu) << 8 | (containers >> 8 & 0xFFu);
  return containers >> s.shift & s.mask & uvec4(ivec4(numbers - n) >> 31);
}

void sums_add(inout Sums sums, uvec4 a, uvec4 b)
{
  uvec4 a_squares = a * a, b_squares = b * b, products = a * b;
  sums.a += total(a);
  sums.b += total(b);
  sums.squares_low += total((a_squares & 0xFFFFu) + (b_squares & 0xFFFFu));
  sums.squares_high += total((a_squares >> 16) + (b_squares >> 16));
  sums.products_low += total(products & 0xFFFFu);
  sums.products_high += total(products >> 16);
}

// The sums over 8 samples of 4 rows, from a column on. The first of the rows start at byte `a` of the
// source, and at byte `b`.
Sums block_sums(Samples s, Other o, uint a, uint stride, uint a_most, uint b, uint column)
{
  Sums sums = Sums(0u, 0u, 0u, 0u, 0u, 0u);
  uint n = samples_at_once(s), loads = 8u / n;
  for (uint i = 0u; i < 4u * loads; i++) {
    uint row = i / loads, at = column + i % loads * n, x_skip, y_skip;
    uvec4 x = load_column(s, a + row * stride, at, a_most, x_skip);
    uvec4 y = load_column(o.samples, b + row * o.stride, at, o.most, y_skip);
    [[unroll]] for (uint first = 0u; first < 8u; first += 4u)
      sums_add(sums, samples_from(s, x, x_skip, first, n),
          samples_from(o.samples, y, y_skip, first, n));
  }
  return sums;
}

// Windows of the tile in hand: their numbers in the picture.
struct Windows {
  uint column;
  uint columns;
  uint row;
  uint rows;
};

// Windows that start in the lines from `first` to `end`, of a picture that has so many.
uvec2 windows_in(uint first, uint end, uint lines)
{
  uint most = max(lines / 4u, 1u) - 1u;
  first = min((first + 3u) / 4u, most);
  return uvec2(first, min((end + 3u) / 4u, most) - first);
}

Windows windows_of(Region r, Samples s)
{
  uint row = ticket[VYRE_TICKET_ROW], end = s.column + ticket[VYRE_TICKET_WIDTH];
  uvec2 across = windows_in(columns_before(s, s.column), columns_before(s, end), columns_of(s));
  uvec2 down = windows_in(row, row + ticket[VYRE_TICKET_ROWS], r.rows);
  return Windows(across.x, across.y, down.x, down.y);
}

// All lanes. The bytes of the tile count if no lane has left a window out.
void join_windows(Region r, Windows w, uint count, uvec2 sum)
{
  count = subgroupAdd(count);
  uint low = subgroupAdd(sum.x & 0xFFFFu), middle = subgroupAdd(sum.x >> 16);
  uint high = subgroupAdd(sum.y);
  if (subgroupElect()) {
    atomicAdd(s_accumulator[SSIM_COUNT], count);
    atomicAdd(s_accumulator[SSIM_SUM], low);
    atomicAdd(s_accumulator[SSIM_SUM + 1u], middle);
    atomicAdd(s_accumulator[SSIM_SUM + 2u], high);
  }
  barrier(); // all subgroups have joined
  if (lane() != 0u)
    return;
  count = s_accumulator[SSIM_COUNT];
  sum = wide_halves(s_accumulator[SSIM_SUM], s_accumulator[SSIM_SUM + 1u]);
  sum.y += s_accumulator[SSIM_SUM + 2u];
  sum = wide_subtract(sum, wide_product(count, SSIM_ONE));
  uint sum_at = observable_at(r, VYRE_SSIM_SUM);
  add_alone(observable_at(r, VYRE_SSIM_COUNT), count);
  carry_64(sum_at, add_alone(sum_at, sum.x), sum.x, sum.y);
  if (count == w.columns * w.rows)
    count_bytes(ticket[VYRE_TICKET_ROWS] * ticket[VYRE_TICKET_WIDTH]);
}

void sample_ssim_tile(Region r)
{
  Samples s = samples_of(r);
  Other o = other_of(s);
  Windows w = windows_of(r, s);
  Stabilizers c = stabilizers_of(s.mask);
  uint payload = ticket[VYRE_TICKET_PAYLOAD], most = last_granule(payload), count = 0u;
  uint columns = max(w.columns, 1u), strips = (w.rows + SSIM_STRIP - 1u) / SSIM_STRIP * w.columns;
  uvec2 sum = uvec2(0u);
  for (uint strip = lane(); strip < strips; strip += WORKGROUP) {
    uint first = strip / columns * SSIM_STRIP, end = min(first + SSIM_STRIP, w.rows);
    uint column = (w.column + strip % columns) * 4u;
    Sums above;
    for (uint row = first; row <= end; row++) {
      uint line = (w.row + row) * 4u;
      Sums here = block_sums(s, o, payload + r.offset + line * r.stride, r.stride, most,
          o.first + (line - ticket[VYRE_TICKET_ROW]) * o.stride, column);
      uint found = row > first ? 1u : 0u;
      sum = wide_add(sum, uvec2(found * similarity(join_sums(above, here), c), 0u));
      count += found;
      above = here;
    }
  }
  join_windows(r, w, count, sum);
}

void sample_ssim_end(Region r) {}
