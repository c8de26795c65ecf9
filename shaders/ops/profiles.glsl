// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Means of rows and of columns: SAMPLE_ROWS and SAMPLE_COLUMNS. A tile of the one has whole rows, a
// tile of the other whole columns, VYRE_CUT_MAX_LINES at most of VYRE_CUT_MAX_SAMPLES at most: the
// planner sees to that. So each has a bin for its sum, which does not overflow.

const uint PROFILES_BYTES = 0u;
const uint PROFILES_COUNT = 1u;
const uint PROFILES_BEGIN_INVERSE = 2u;
const uint PROFILES_END = 3u;

// All lanes, which have added to the bins: bin i has the sum of `samples` samples of line first + i
// of `lines`. Until the last tile ends, the observable of the first line has the maximum of
// lines - x, for which its initial 0 is neutral.
void join_lines(Region r, uint bins, uint samples, uint first, uint lines, uint bytes)
{
  uint limit = sample_limit(), count = 0u, begin_inverse = 0u, end = 0u;
  barrier(); // all lanes have added
  for (uint bin = lane(); bin < bins; bin += WORKGROUP) {
    bool above = s_bins[bin] / max(samples, 1u) > limit;
    count += above ? 1u : 0u;
    begin_inverse = max(begin_inverse, above ? lines - first - bin : 0u);
    end = max(end, above ? first + bin + 1u : 0u);
  }
  bytes = subgroupAdd(bytes);
  count = subgroupAdd(count);
  begin_inverse = subgroupMax(begin_inverse);
  end = subgroupMax(end);
  if (subgroupElect()) {
    atomicAdd(s_accumulator[PROFILES_BYTES], bytes);
    atomicAdd(s_accumulator[PROFILES_COUNT], count);
    atomicMax(s_accumulator[PROFILES_BEGIN_INVERSE], begin_inverse);
    atomicMax(s_accumulator[PROFILES_END], end);
  }
  barrier(); // all subgroups have joined
  if (lane() != 0u)
    return;
  add_alone(observable_at(r, VYRE_BOUNDS_COUNT), s_accumulator[PROFILES_COUNT]);
  raise_alone(observable_at(r, VYRE_BOUNDS_BEGIN), s_accumulator[PROFILES_BEGIN_INVERSE]);
  raise_alone(observable_at(r, VYRE_BOUNDS_END), s_accumulator[PROFILES_END]);
  count_bytes(s_accumulator[PROFILES_BYTES]);
}

void end_lines(Region r, uint lines)
{
  uint begin = observable_at(r, VYRE_BOUNDS_BEGIN);
  put(begin, lines - get(begin));
}

// Columns of a row that start in front of its byte `at`.
uint columns_before(Samples s, uint at)
{
  uint whole = (at + VYRE_GRANULE - 1u) & ~(VYRE_GRANULE - 1u); // 16 bytes belong together
  uint room = min(mix(at, whole, s.packed), s.room);
  uint numbers = number_at(s, room) - min(number_at(s, room), s.first);
  return (numbers + s.apart - 1u) / s.apart;
}

uint columns_of(Samples s) { return columns_before(s, s.room); }

void sample_rows_tile(Region r)
{
  Samples s = samples_of(r);
  Walk w = walk_rows(r);
  uint rows = ticket[VYRE_TICKET_ROWS], bytes = 0u, containers = 4u / s.bytes;
  clear_bins(rows);
  while (w.index < w.total) {
    Containers c = next_containers(s, w);
    uint sum = 0u;
    uint i = 0u;
    do {
      uvec4 valid;
      sum += total(samples_in(s, c, i, valid));
    } while (++i < containers);
    atomicAdd(s_bins[c.row], sum);
    bytes += c.bytes;
  }
  join_lines(r, rows, columns_of(s), ticket[VYRE_TICKET_ROW], r.rows, bytes);
}

void sample_rows_end(Region r) { end_lines(r, r.rows); }

// Sixteen bytes across of all rows of a tile, which start with a container: the sums of its columns,
// in the order of samples_in().
struct Strip {
  Containers containers;
  uvec4 sums[4];
};

// A strip of the tile, from byte `from` of the rows on.
Strip strip_at(Samples s, uint from)
{
  Strip p;
  uint width = ticket[VYRE_TICKET_WIDTH], behind = from % s.apart;
  uint next = behind == 0u ? 0u : s.apart - behind;
  uint starts = next < VYRE_GRANULE ? s.starts << next : 0u;
  uint inside = bytes_below(s.column + width - from) & ~bytes_below(s.column - from);
  uint together = (0u - (inside & 1u)) & s.starts; // 16 bytes of packed samples
  starts = mix(starts & inside, together, s.packed) & bytes_below(s.room - from);
  p.containers = Containers(uvec4(0u), starts, bitCount(inside), 0u, from);
  p.sums = uvec4[4](uvec4(0u), uvec4(0u), uvec4(0u), uvec4(0u));
  return p;
}

// Adds the columns of a strip to their bins; the tile has those from column `first` on.
void add_strip(Samples s, Strip p, uint first)
{
  uint starts = p.containers.starts;
  uint column = columns_before(s, max(p.containers.from, s.column)) - first;
  [[unroll]] for (uint i = 0u; i < 4u; i++) {
    uvec4 places = uvec4(0u, 4u, 8u, 12u) + i * s.bytes;
    [[unroll]] for (uint j = 0u; j < 4u; j++) {
      uint before = bitCount(starts & bytes_below(places[j]));
      uint there = 0u - (starts >> min(places[j], 31u) & uint(i * s.bytes < 4u));
      atomicAdd(s_bins[column + before & there], p.sums[i][j] & there);
    }
  }
}

// A lane takes a strip, or some of its rows where there are more lanes than strips.
void sample_columns_tile(Region r)
{
  Samples s = samples_of(r);
  Walk w = walk_rows(r);
  uint first = columns_before(s, s.column), end = columns_before(s, s.column + w.width);
  uint from = s.column / VYRE_GRANULE, rows = ticket[VYRE_TICKET_ROWS], bytes = 0u;
  uint strips = (s.column + w.width + VYRE_GRANULE - 1u) / VYRE_GRANULE - from;
  uint shares = max(WORKGROUP / max(strips, 1u), 1u); // of rows
  clear_bins(end - first);
  for (uint i = lane(); i < strips * shares; i += WORKGROUP) {
    Strip p = strip_at(s, (from + i % strips) * VYRE_GRANULE);
    for (uint row = i / strips; row < rows; row += shares) {
      uint at = w.start - s.column + row * w.stride + p.containers.from;
      p.containers.words = in_order(s, load_bytes(at, w.most));
      [[unroll]] for (uint c = 0u; c < 4u; c++) {
        uvec4 valid;
        p.sums[c] += samples_in(s, p.containers, c * s.bytes < 4u ? c : 0u, valid);
      }
      bytes += p.containers.bytes;
    }
    add_strip(s, p, first);
  }
  join_lines(r, end - first, r.rows, first, columns_of(s), bytes);
}

void sample_columns_end(Region r) { end_lines(r, columns_of(samples_of(r))); }
