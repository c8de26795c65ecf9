// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Code that all payload opcodes share: the region and its check, the walk of a workgroup over the
// tile in hand, edge masks, and the count of bytes.

struct Region {
  uint offset;
  uint width;
  uint rows;
  uint stride;
  uint observable;
  uint operand; // the argument behind it: a threshold, or how samples lie
};

Region region_of(Slot s)
{
  return Region(s.args[VYRE_REGION_ARG_OFFSET], s.args[VYRE_REGION_ARG_WIDTH],
      s.args[VYRE_REGION_ARG_ROWS], s.args[VYRE_REGION_ARG_STRIDE],
      VYRE_REGION_OBSERVABLE(s.args[VYRE_REGION_ARG_OBSERVABLE]), s.args[VYRE_REGION_ARG_THRESHOLD]);
}

// How many slots the work of the ticket in hand is for.
uint with_twin() { return twin != 0u ? 2u : 1u; }

// The region of the twin of the slot in hand, over two components: other observables.
Region twin_region(Region r)
{
  uint at = slot_at(ticket[VYRE_TICKET_SLOT] + twin) + VYRE_SLOT_ARGS;
  r.observable = VYRE_PAIR_OBSERVABLE(get(at + VYRE_REGION_ARG_OBSERVABLE));
  return r;
}

bool region_is_linear(Region r) { return VYRE_REGION_IS_LINEAR(r.width, r.rows, r.stride); }

bool region_fits(Region r)
{
  uint size = about[VYRE_ABOUT_PAYLOAD_BYTES];
  return VYRE_REGION_FITS(size, r.offset, r.width, r.rows, r.stride);
}

bool observables_fit(Region r, uint words)
{
  uint room = control_words() - VYRE_CONTROL_OBSERVABLES;
  return words <= room && r.observable <= room - words;
}

uint observable_at(Region r, uint word)
{
  return control_at(VYRE_CONTROL_OBSERVABLES + r.observable + word);
}

// The walk of a workgroup over its tile. A tile of one row has `inner` granules, which lie in it as
// a whole and which a lane loads INNER_STEPS at a time, and up to two granules that its ends cut.
// In a tile of several rows the walk cuts every granule to its row. Several loads at a time hide
// the latency of memory; a CPU hides it by itself, and has registers for two at most.
const uint INNER_STEPS = DISCRETE ? 4u : VYRE_INNER_STEPS;

struct Walk {
  uint inner; // granule of the source
  uint inner_end;
  uint start; // byte of the source where the tile's first row starts
  uint most;  // the last granule of the payload: an import may end with it
  uint width; // bytes per row of the tile
  uint stride;
  uint granules; // cut granules per row
  uint ahead;    // bytes from the start of a row's first granule to its first cut granule
  uint apart;    // bytes from one cut granule of a row to the next
  uint total;    // cut granules of the tile
  uint index;    // of this lane's next cut granule
  uint row;      // of that granule
  uint column;   // and its number in the row
  uint row_step; // WORKGROUP granules are so many rows
  uint column_step; // and so many columns
};

// The last granule of a payload of the batch's size from a byte of the source on; the first one of an
// empty payload.
uint last_granule(uint payload)
{
  return (payload + max(about[VYRE_ABOUT_PAYLOAD_BYTES], 1u) - 1u) / VYRE_GRANULE;
}

// The walk over `rows` of `width` bytes from the first byte of the tile on; a `single` row has inner
// granules.
Walk walk_of(Region r, uint rows, uint width, bool single)
{
  Walk w;
  w.start = ticket[VYRE_TICKET_PAYLOAD] + r.offset + ticket[VYRE_TICKET_ROW] * r.stride
      + ticket[VYRE_TICKET_COLUMN];
  w.most = last_granule(ticket[VYRE_TICKET_PAYLOAD]);
  w.width = width;
  w.stride = r.stride;
  uint end = w.start + w.width;
  uint first = w.start / VYRE_GRANULE;
  uint last = w.width == 0u ? first : (end - 1u) / VYRE_GRANULE;
  bool cut_first = w.start % VYRE_GRANULE != 0u;
  bool cut_last = end % VYRE_GRANULE != 0u;
  uint cuts = first == last ? uint(cut_first || cut_last) : uint(cut_first) + uint(cut_last);
  w.inner = first + uint(cut_first) + lane();
  w.inner_end = single ? end / VYRE_GRANULE : 0u;
  w.granules = single ? max(cuts, 1u) : VYRE_ROW_GRANULES(w.width);
  w.ahead = single && !cut_first ? (last - first) * VYRE_GRANULE : 0u;
  w.apart = single ? (last - first) * VYRE_GRANULE : VYRE_GRANULE;
  w.total = w.width == 0u ? 0u : single ? cuts : w.granules * rows;
  w.index = lane();
  w.row = 0u;
  w.column = lane();
  w.row_step = 0u;
  w.column_step = 0u;
  if (!single) { // divisions are slow, and two cut granules need no steps
    w.row = w.index / w.granules;
    w.column = w.index % w.granules;
    w.row_step = WORKGROUP / w.granules;
    w.column_step = WORKGROUP % w.granules;
  }
  return w;
}

Walk walk_begin(Region r)
{
  uint rows = ticket[VYRE_TICKET_ROWS];
  return walk_of(r, rows, ticket[VYRE_TICKET_WIDTH], rows <= 1u);
}

// A walk that cuts every granule to its row.
Walk walk_rows(Region r)
{
  return walk_of(r, ticket[VYRE_TICKET_ROWS], ticket[VYRE_TICKET_WIDTH], false);
}

// TRUE if the rows of the tile touch where they are so far apart.
bool rows_touch(uint stride)
{
  return any(bvec2(ticket[VYRE_TICKET_ROWS] <= 1u, ticket[VYRE_TICKET_WIDTH] == stride));
}

// A walk over rows that touch, as over a single one.
Walk walk_run(Region r)
{
  return walk_of(r, 1u, ticket[VYRE_TICKET_ROWS] * ticket[VYRE_TICKET_WIDTH], true);
}

bool walk_inside(Walk w) { return w.inner < w.inner_end; }

// TRUE while this lane has INNER_STEPS inner granules left.
bool walk_deep(Walk w) { return w.inner + (INNER_STEPS - 1u) * WORKGROUP < w.inner_end; }

// The next inner granule of this lane, which has one left.
uvec4 walk_next(inout Walk w)
{
  uvec4 bytes = load_payload(w.inner);
  w.inner += WORKGROUP;
  return bytes;
}

// Bytes that this lane has read since `first` was its next inner granule.
uint walked_bytes(Walk w, uint first) { return (w.inner - first) / WORKGROUP * VYRE_GRANULE; }

void walk_advance(inout Walk w)
{
  w.index += WORKGROUP;
  w.row += w.row_step;
  w.column += w.column_step;
  if (w.column >= w.granules) {
    w.column -= w.granules;
    w.row++;
  }
}

// A mask of a granule, with 0xFF in each of the first `end` bytes.
uvec4 mask_below(int end)
{
  uvec4 bits = 4u * uvec4(clamp(ivec4(end) - ivec4(0, 4, 8, 12), 0, 4)); // half of a word's
  return ((uvec4(1u) << bits) << bits) - 1u;
}

// The mask of the granule at byte `at` of the source, cut to [first, end).
uvec4 granule_mask(uint at, uint first, uint end)
{
  return mask_below(int(end - at)) & ~mask_below(int(first - at));
}

// The granule at byte `at` of the source (a multiple of 16) cut to [first, end).
uvec4 load_granule(uint at, uint first, uint end, out uvec4 mask)
{
  mask = granule_mask(at, first, end);
  return load_payload(at / VYRE_GRANULE) & mask;
}

// The place of this lane's next cut granule, and its mask. A row may have one granule less than the
// walk gives it: the mask of the granule behind it is zero.
uint walk_cut(Walk w, out uvec4 mask)
{
  uint first = w.start + w.row * w.stride;
  uint at = first / VYRE_GRANULE * VYRE_GRANULE + w.ahead + w.column * w.apart;
  mask = granule_mask(at, first, first + w.width);
  return min(at / VYRE_GRANULE, w.most);
}

uint valid_bytes(uvec4 mask)
{
  uvec4 ones = mask & 0x01010101u;
  uint sum = ones.x + ones.y + ones.z + ones.w; // at most 4 in each byte
  return (sum * 0x01010101u) >> 24;
}

// All accumulators are zero when a tile starts. The lanes of a subgroup join their results among
// themselves, subgroups join theirs by atomics.
void clear_accumulators()
{
  for (uint i = lane(); i < VYRE_N_ACCUMULATORS; i += WORKGROUP)
    s_accumulator[i] = 0u;
}

bool walk_done(Walk w) { return !walk_inside(w) && w.index >= w.total; }

// The place of the next granule of this lane, inner or cut, and its mask; the lane has one left.
uint next_place(inout Walk w, out uvec4 mask)
{
  uint granule = w.inner;
  mask = uvec4(0xFFFFFFFFu);
  if (walk_inside(w)) {
    w.inner += WORKGROUP;
  } else {
    granule = walk_cut(w, mask);
    walk_advance(w);
  }
  return granule;
}

// The granule, cut to its mask.
uvec4 next_granule(inout Walk w, out uvec4 mask)
{
  uint granule = next_place(w, mask);
  return load_payload(granule) & mask;
}

// Counts bytes that were read; the host compares the sum to the bytes that it asked for.
void count_bytes(uint bytes)
{
  uint at = scratch_at(VYRE_SCRATCH_BYTES);
  carry_64(at, add_alone(at, bytes), bytes, 0u);
}
