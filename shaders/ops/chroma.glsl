// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Histograms of saturation and hue, of the two components of chroma: SAMPLE_SATURATION and
// SAMPLE_HUE. Both look at the distances of u and v from the middle, where there is no colour.
// Floating point only guesses; whole numbers decide, so that all devices agree.

// The tangent of each degree up to 45, times 2^31.
const uint TANGENTS[46] = uint[46](
    0u, 37484467u, 74991781u, 112544849u, 150166685u, 187880474u, 225709627u, 263677837u,
    301809144u, 340127996u, 378659308u, 417428535u, 456461740u, 495785665u, 535427809u, 575416509u,
    615781027u, 656551639u, 697759735u, 739437919u, 781620126u, 824341738u, 867639713u, 911552727u,
    956121321u, 1001388071u, 1047397759u, 1094197571u, 1141837310u, 1190369624u, 1239850262u,
    1290338354u, 1341896715u, 1394592187u, 1448496010u, 1503684239u, 1560238198u, 1618245000u,
    1677798107u, 1738997970u, 1801952737u, 1866779055u, 1933602962u, 2002560899u, 2073800853u,
    2147483648u);

// The table again, where lanes find a tangent of their own: a GPU gives each lane a copy of a constant
// array that is indexed by a variable.
shared uint s_tangents[46];

// All lanes.
void load_tangents()
{
  for (uint i = lane(); i < 46u; i += WORKGROUP)
    s_tangents[i] = TANGENTS[i];
}

// The root of u * u + v * v, without its fraction.
uvec4 saturation_of(ivec4 u, ivec4 v)
{
  uvec4 square = uvec4(u * u + v * v); // at most 2^31
  uvec4 root = uvec4(sqrt(vec4(square)));
  root -= uvec4(greaterThan(root * root, square));
  return root + uvec4(lessThanEqual((root + 1u) * (root + 1u), square));
}

// 1 where the angle of a triangle with such legs has that many degrees, or more. The product of 48
// bits is taken in halves.
uvec4 has_degrees(uvec4 opposite, uvec4 adjacent, uvec4 degrees)
{
  uvec4 tangents = uvec4(s_tangents[degrees.x], s_tangents[degrees.y], s_tangents[degrees.z],
      s_tangents[degrees.w]);
  uvec4 low = adjacent * (tangents & 0xFFFFu);
  uvec4 high = adjacent * (tangents >> 16) + (low >> 16);
  high += uvec4(notEqual(low & 0xFFFFu, uvec4(0u)));
  return uvec4(greaterThanEqual(opposite << 15, high));
}

// The angle of the point (-v, -u) in degrees, without its fraction; 180 where both are 0.
uvec4 hue_of(ivec4 u, ivec4 v)
{
  uvec4 x = uvec4(abs(v)), y = uvec4(abs(u));
  uvec4 shorter = min(x, y), longer = max(max(x, y), 1u);
  uvec4 steep = uvec4(greaterThan(y, x)), left = uvec4(greaterThan(v, ivec4(0))),
        below = uvec4(greaterThan(u, ivec4(0)));
  // the degrees, or one more: a device may be wrong by 0.02 degrees
  uvec4 guess = min(uvec4(degrees(atan(vec4(shorter) / vec4(longer))) + 0.03), 45u);
  uvec4 angle = guess + has_degrees(shorter, longer, guess) - 1u; // from the nearer axis
  // behind which the angle lies, or in front of it: then a fraction counts as a whole degree
  uvec4 whole = uvec4(equal(shorter, uvec4(0u))) | uvec4(equal(shorter, longer));
  uvec4 axis = steep * (90u + 180u * below)
      + (1u - steep) * (180u * left + 360u * below * (1u - left));
  uvec4 before = (steep + left + below) & 1u;
  uvec4 hue = axis + (1u - before) * angle - before * (angle + 1u - whole);
  return hue + 180u * uvec4(equal(x | y, uvec4(0u)));
}

// Samples that are not there count as 0, and the end takes them off again.
Counted chroma_count(Region r, Samples s, Other o, uint dropped, bool is_hue, bool own)
{
  Walk w = walk_rows(r);
  Counted n = Counted(0u, 0u);
  uint containers = 4u / s.bytes;
  ivec4 middle = ivec4(1 << (VYRE_SAMPLES_DEPTH(r.operand) - 1u));
  while (w.index < w.total) {
    Containers c = next_containers(s, w), d = other_containers(o, s, c);
    n.bytes += c.bytes;
    n.outside += 4u * containers - bitCount(c.starts);
    uint i = 0u;
    do {
      uvec4 valid;
      ivec4 u = ivec4(samples_in(s, c, i, valid)) - middle;
      ivec4 v = ivec4(samples_in(o.samples, d, i, valid)) - middle;
      count_four((is_hue ? hue_of(u, v) : saturation_of(u, v) >> dropped) & valid, own);
    } while (++i < containers);
  }
  return n;
}

void chroma_tile(Region r, bool is_hue)
{
  Samples s = samples_of(r);
  Other o = other_of(s);
  uint depth = VYRE_SAMPLES_DEPTH(r.operand);
  uint dropped = depth - min(depth, VYRE_SAMPLE_HISTOGRAM_BITS);
  uint bins = is_hue ? VYRE_HUE_WORDS : 1u << (depth - dropped);
  load_tangents();
  if (counts_alone()) {
    barrier(); // the tangents are there
    clear_own_counts(bins);
    Counted n = chroma_count(r, s, o, dropped, is_hue, true);
    join_own_counts(r, bins, n.bytes, n.outside);
  } else {
    clear_bins(bins); // with a barrier behind which the tangents are there
    Counted n = chroma_count(r, s, o, dropped, is_hue, false);
    join_bins(r, bins, n.bytes, n.outside);
  }
}

void sample_saturation_tile(Region r) { chroma_tile(r, false); }
void sample_saturation_end(Region r) {}

void sample_hue_tile(Region r) { chroma_tile(r, true); }
void sample_hue_end(Region r) {}
