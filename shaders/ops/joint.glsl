// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The joint histogram of two components: SAMPLE_JOINT. The levels of each are rounded to as many
// parts of their range, whatever their depth, and a bin counts the samples of one part of both.

// Chroma without a colour is the middle of a part, so that noise around it does not fall apart.
uvec4 parts_of(uvec4 levels, uint depth)
{
  uvec4 parts = (levels << VYRE_JOINT_BITS) + (1u << depth >> 1) >> depth;
  return min(parts, (1u << VYRE_JOINT_BITS) - 1u);
}

// Samples that are not there are 0 in both, and the end takes them off again.
Counted joint_count(Region r, Samples s, Other o, bool own)
{
  Walk w = walk_rows(r);
  Counted n = Counted(0u, 0u);
  uint containers = 4u / s.bytes, depth = VYRE_SAMPLES_DEPTH(r.operand);
  while (w.index < w.total) {
    Containers c = next_containers(s, w), d = other_containers(o, s, c);
    n.bytes += c.bytes;
    n.outside += 4u * containers - bitCount(c.starts);
    uint i = 0u;
    do {
      uvec4 valid;
      uvec4 columns = parts_of(samples_in(s, c, i, valid), depth);
      uvec4 rows = parts_of(samples_in(o.samples, d, i, valid), depth);
      count_four(rows << VYRE_JOINT_BITS | columns, own);
    } while (++i < containers);
  }
  return n;
}

// Beside this code, that of all other opcodes over pictures is slower by 4 % on an H200.
void sample_joint_tile(Region r)
{
  if (!JOINT)
    return;
  Samples s = samples_of(r);
  Other o = other_of(s);
  if (counts_alone()) {
    clear_own_counts(VYRE_JOINT_WORDS);
    Counted n = joint_count(r, s, o, true);
    join_own_counts(r, VYRE_JOINT_WORDS, n.bytes, n.outside);
  } else {
    clear_bins(VYRE_JOINT_WORDS);
    Counted n = joint_count(r, s, o, false);
    join_bins(r, VYRE_JOINT_WORDS, n.bytes, n.outside);
  }
}

void sample_joint_end(Region r) {}
