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
    for (uint i = 0u; i < containers; i++) {
      uvec4 valid;
      sum += total(samples_in(s, c, i, valid));
    }
    atomicAdd(s_bins[c.row], sum);
    bytes += c.bytes;
  }
  join_lines(r, rows, columns_of(s), ticket[VYRE_TICKET_ROW], r.rows, bytes);
}

void sample_rows_end(Region r) { end_lines(r, r.rows); }

void sample_columns_tile(Region r)
{
  Samples s = samples_of(r);
  Walk w = walk_rows(r);
  uint first = columns_before(s, s.column), end = columns_before(s, s.column + w.width);
  uint bytes = 0u, containers = 4u / s.bytes;
  clear_bins(end - first);
  while (w.index < w.total) {
    Containers c = next_containers(s, w);
    uint column = column_at(s, c, uint(max(findLSB(c.starts), 0))) - first;
    for (uint i = 0u; i < containers; i++) {
      uvec4 valid;
      uvec4 samples = samples_in(s, c, i, valid);
      uvec4 before = (uvec4(1u) << uvec4(0u, 4u, 8u, 12u) + i * s.bytes) - 1u;
      uvec4 bins = uvec4(bitCount(c.starts & before)) + column & valid;
      atomicAdd(s_bins[bins.x], samples.x);
      atomicAdd(s_bins[bins.y], samples.y);
      atomicAdd(s_bins[bins.z], samples.z);
      atomicAdd(s_bins[bins.w], samples.w);
    }
    bytes += c.bytes;
  }
  join_lines(r, end - first, r.rows, first, columns_of(s), bytes);
}

void sample_columns_end(Region r) { end_lines(r, columns_of(samples_of(r))); }
