// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Sums of the samples in each cell of a grid: SAMPLE_GRID. All cells have as many columns and rows,
// but the last ones, which have what is left, and may be empty.

struct Grid {
  uint columns; // cells in a row
  uint rows;
  uint wide; // samples in a row of a cell
  uint high;
};

uint cell_length(uint lines, uint cells) { return max((lines + cells - 1u) / cells, 1u); }

Grid grid_of(Region r, Samples s)
{
  uint columns = max(slot_arg(VYRE_GRID_ARG_COLUMNS), 1u);
  uint rows = max(slot_arg(VYRE_GRID_ARG_ROWS), 1u);
  return Grid(columns, rows, cell_length(columns_of(s), columns), cell_length(r.rows, rows));
}

// Adds a part of a row to the bins of its cell: the lower 8 bits, and the rest. A tile has at most
// 2^24 bytes, so neither sum overflows.
void add_to_cell(uint cell, uint sum)
{
  atomicAdd(s_bins[2u * cell], sum & 0xFFu);
  atomicAdd(s_bins[2u * cell + 1u], sum >> 8);
}

// Returns how many of `lines` rows or columns lie in cell `cell`, where cells have `length` each.
uint cell_lines(uint cell, uint length, uint lines)
{
  return min(length, lines - min(cell * length, lines));
}

// All lanes. The tile in the corner has the counts, which are known from the places of cells.
void join_cells(Region r, Samples s, Grid g)
{
  bool counts = (ticket[VYRE_TICKET_ROW] | ticket[VYRE_TICKET_COLUMN]) == 0u;
  barrier(); // all lanes have added
  for (uint cell = lane(); cell < g.columns * g.rows; cell += WORKGROUP) {
    uint at = observable_at(r, cell * VYRE_GRID_CELL_WORDS);
    uint low = s_bins[2u * cell], high = s_bins[2u * cell + 1u], carry;
    uint count = cell_lines(cell % g.columns, g.wide, columns_of(s))
        * cell_lines(cell / g.columns, g.high, r.rows);
    low = uaddCarry(low, high << 8, carry);
    high = (high >> 24) + carry;
    if (counts)
      add_alone(at + VYRE_GRID_CELL_COUNT, count);
    if ((low | high) != 0u)
      carry_64(at + VYRE_GRID_CELL_SUM, add_alone(at + VYRE_GRID_CELL_SUM, low), low, high);
  }
}

// The bits of `starts` in all bits of the samples of container i.
uvec4 kept_by(Samples s, uint starts, uint i)
{
  return ~((uvec4(starts) >> uvec4(0u, 4u, 8u, 12u) + i * s.bytes & 1u) - 1u);
}

void sample_grid_tile(Region r)
{
  Samples s = samples_of(r);
  Walk w = walk_rows(r);
  Grid g = grid_of(r, s);
  uint bytes = 0u, containers = 4u / s.bytes;
  clear_bins(2u * g.columns * g.rows);
  while (w.index < w.total) {
    Containers c = next_containers(s, w);
    uint line = (ticket[VYRE_TICKET_ROW] + c.row) / g.high * g.columns;
    uvec4 samples[4], valid;
    [[unroll]] for (uint i = 0u; i < 4u; i++)
      samples[i] = i < containers ? samples_in(s, c, min(i, containers - 1u), valid) : uvec4(0u);
    bytes += c.bytes;
    while (c.starts != 0u) { // a part of the granule for each cell
      uint bit = uint(findLSB(c.starts)), column = column_at(s, c, bit);
      uint cell = column / g.wide;
      uint left = min((cell + 1u) * g.wide - column, VYRE_GRANULE);
      uint part = c.starts & bytes_below(place_of(s, number_at(s, bit) + left * s.apart));
      uvec4 sum = uvec4(0u);
      [[unroll]] for (uint i = 0u; i < 4u; i++)
        sum += samples[i] & kept_by(s, part, i);
      add_to_cell(line + cell, total(sum));
      c.starts &= ~part;
    }
  }
  bytes = subgroupAdd(bytes);
  if (subgroupElect())
    atomicAdd(s_accumulator[SAMPLES_BYTES], bytes);
  join_cells(r, s, g);
  if (lane() == 0u)
    count_bytes(s_accumulator[SAMPLES_BYTES]);
}

void sample_grid_end(Region r) {}
