/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Cutting the region of a payload slot into tiles, a ticket each.
 */
#include "plan/plan-private.h"
#include "program/opcodes.h"

/* Bytes of a region that one ticket covers, if that leaves few enough tickets: enough
 * work to hide the price of a ticket, little enough to spread a frame. On a CPU,
 * whose workgroups are small, a ticket costs 30 to 60 µs, because all of the kernel's
 * code runs by, and there are few cores. */
#define TILE_BYTES 65536u
#define TILE_CPU_BYTES 1048576u

/* The cost of a step at which a tile of a GPU has so many bytes; steps that cost more make smaller
 * tiles. */
#define TILE_COST 8u

/* Slots that wait for the batch before have tiles so many times as small, and as many times the
 * tickets: the rest of the batch runs before them, and the next batch behind them. */
#define TILE_LATE_PART 2u

/* Tickets of a payload slot that is alone: they are published at once. On a GPU they are so few
 * that other batches find free workgroups while a large payload is on its way: an H200 has 264. The
 * payloads of a stream most often come before their tickets: there each slot has so many. */
#define TILE_TICKETS 64u
#define TILE_CPU_TICKETS (VYRE_RUN_MAX_TICKETS / 2)

static VyreRegion
tile_region (const VyrePlan *plan, guint slot)
{
  return (VyreRegion){ vyre_plan_slot_arg (plan->bound, slot, VYRE_REGION_ARG_OFFSET),
    vyre_plan_slot_arg (plan->bound, slot, VYRE_REGION_ARG_WIDTH),
    vyre_plan_slot_arg (plan->bound, slot, VYRE_REGION_ARG_ROWS),
    vyre_plan_slot_arg (plan->bound, slot, VYRE_REGION_ARG_STRIDE) };
}

/* The work of a payload slot on its tiles. */
static const VyreTileWork *
tile_work (const VyrePlan *plan, guint slot)
{
  return &vyre_opcode_get (vyre_plan_slot_word (plan->bound, slot, VYRE_SLOT_OPCODE))->tile;
}

/* The bytes that a lane is through with at a step: a granule or, of a channel, a sample and those
 * of the other channels up to the next. */
static guint64
tile_step_bytes (const VyrePlan *plan, guint slot)
{
  guint32 opcode = vyre_plan_slot_word (plan->bound, slot, VYRE_SLOT_OPCODE);

  if (vyre_opcode_get (opcode)->operands[0] != VYRE_OPERAND_CHANNEL)
    return VYRE_GRANULE;
  return MAX (
      VYRE_AUDIO_APART (vyre_plan_slot_arg (plan->bound, slot, VYRE_REGION_ARG_THRESHOLD)), 1);
}

/* TRUE for a slot whose tiles are two runs of bytes, as are_runs() of the kernel finds out:
 * payloads start on a granule. */
static gboolean
tile_has_runs (const VyrePlan *plan, guint slot)
{
  const VyreOpcode *info
      = vyre_opcode_get (vyre_plan_slot_word (plan->bound, slot, VYRE_SLOT_OPCODE));
  VyreRegion r = tile_region (plan, slot);

  return info->opcode == VYRE_OP_SAMPLE_DIFFERENCE
         && vyre_plan_slot_arg (plan->bound, slot, VYRE_REGION_ARG_SAMPLES)
                == VYRE_SAMPLES_ARE_BYTES
         && vyre_plan_slot_arg (plan->bound, slot, VYRE_OTHER_ARG_SAMPLES) == VYRE_SAMPLES_ARE_BYTES
         && r.stride == r.width
         && vyre_plan_slot_arg (plan->bound, slot, VYRE_OTHER_ARG_STRIDE) == r.stride
         && (vyre_plan_slot_arg (plan->bound, slot, VYRE_OTHER_ARG_OFFSET) - r.offset)
                    % VYRE_GRANULE
                == 0;
}

/* TRUE for a slot of SAMPLE_RANGE whose samples are all bytes side by side, of which the kernel
 * takes sixteen at a time. */
static gboolean
tile_ranges_bytes (const VyrePlan *plan, guint slot)
{
  return vyre_plan_slot_word (plan->bound, slot, VYRE_SLOT_OPCODE) == VYRE_OP_SAMPLE_RANGE
         && vyre_plan_slot_arg (plan->bound, slot, VYRE_REGION_ARG_SAMPLES)
                == VYRE_SAMPLES_ARE_BYTES
         && vyre_plan_slot_arg (plan->bound, slot, VYRE_CHROMA_ARG_U_SAMPLES)
                == VYRE_SAMPLES_ARE_BYTES
         && vyre_plan_slot_arg (plan->bound, slot, VYRE_CHROMA_ARG_V_SAMPLES)
                == VYRE_SAMPLES_ARE_BYTES;
}

/* Loop iterations of a lane for each of its steps, at most. */
static guint
tile_step_cost (const VyrePlan *plan, guint slot)
{
  if (tile_has_runs (plan, slot) || tile_ranges_bytes (plan, slot))
    return 1;
  return tile_work (plan, slot)->cost;
}

/* Loop iterations of a tile of @slot whose lanes have so many @steps each, at most. */
static guint64
tile_cost (const VyrePlan *plan, guint slot, guint32 rows, guint64 steps)
{
  const VyreTileWork *work = tile_work (plan, slot);
  guint64 around = VYRE_COST_TILE + (work->linear ? VYRE_COST_TILE_LINEAR : 0)
                   + (work->apart ? VYRE_COST_TILE_SAMPLES : 0);

  if (rows == 1 && work->deep > 1)
    return around + steps / work->deep + work->deep + 2; /* the rest, and the ends */
  return around + steps * tile_step_cost (plan, slot);
}

/* Adds the ticket of one tile: @tile has the first row in its offset and the first column in its
 * stride. */
static gboolean
tile_add (VyrePlan *plan, guint slot, const VyreRegion *tile, GError **error)
{
  VyreTicket ticket = { .words = { [VYRE_TICKET_KIND] = VYRE_KIND_TILE,
                            [VYRE_TICKET_PAYLOAD] = vyre_plan_tile_reads (plan, slot),
                            [VYRE_TICKET_SLOT] = slot,
                            [VYRE_TICKET_ROW] = tile->offset,
                            [VYRE_TICKET_ROWS] = tile->rows,
                            [VYRE_TICKET_COLUMN] = tile->stride,
                            [VYRE_TICKET_WIDTH] = tile->width } };
  guint64 step = tile_step_bytes (plan, slot);
  guint64 steps = step == VYRE_GRANULE
                      ? (guint64)tile->rows * VYRE_ROW_GRANULES ((guint64)tile->width)
                      : tile->width / step + 1;
  guint32 *left = &plan->slice[vyre_plan_verdict_word (plan, slot) - VYRE_SCRATCH_SLOT_VERDICT
                               + VYRE_SCRATCH_SLOT_TILES_LEFT];

  (*left)++;
  guint64 cost = tile_cost (plan, slot, tile->rows, steps / plan->workgroup + 1);
  return vyre_plan_add_ticket (plan, cost, &ticket, error);
}

/* The bytes of the smallest tile of a region: a whole row or, of columns, a strip that is not
 * aligned, whose rows have two granules each. */
static guint64
tile_least_bytes (const VyrePlan *plan, guint slot, const VyreRegion *r)
{
  guint64 granules = 0;

  if (tile_work (plan, slot)->cut == VYRE_CUT_ROWS)
    granules = VYRE_ROW_GRANULES ((guint64)r->width);
  else if (tile_work (plan, slot)->cut == VYRE_CUT_COLUMNS)
    granules = 2 * (guint64)r->rows;
  return granules * VYRE_GRANULE;
}

/* The part of a tile that one of @slot has on a GPU. */
static guint
tile_part (const VyrePlan *plan, guint slot)
{
  return vyre_plan_may_run_early (plan) && !vyre_plan_is_early (plan, slot) ? TILE_LATE_PART : 1;
}

/* A slot's share of the tickets, beside the others of @n_tiled. */
static guint64
tile_share (const VyrePlan *plan, guint slot, guint n_tiled)
{
  if (plan->workgroup <= VYRE_CPU_WORKGROUP)
    return MAX (TILE_CPU_TICKETS / n_tiled, 1);
  if (vyre_plan_follows (plan))
    return TILE_TICKETS * tile_part (plan, slot);
  return MAX (TILE_TICKETS / n_tiled, 1);
}

/* The least bytes of a tile that hide the price of its ticket. */
static guint64
tile_worth_bytes (const VyrePlan *plan, guint slot)
{
  gboolean cpu = plan->workgroup <= VYRE_CPU_WORKGROUP;
  guint64 steps = (cpu ? TILE_CPU_BYTES : TILE_BYTES) / VYRE_GRANULE;

  if (!cpu)
    steps
        = steps * TILE_COST / MAX (tile_step_cost (plan, slot), TILE_COST) / tile_part (plan, slot);
  return steps * tile_step_bytes (plan, slot);
}

/* Bytes per tile that keep a slot's share of the tickets, a tile's iterations and its
 * sums within their limits. */
static guint64
tile_bytes (const VyrePlan *plan, guint slot, const VyreRegion *r, guint n_tiled)
{
  guint64 bytes_read = VYRE_ROW_GRANULES ((guint64)r->width) * r->rows * VYRE_GRANULE;
  guint64 bytes
      = MAX (tile_worth_bytes (plan, slot), bytes_read / tile_share (plan, slot, n_tiled) + 1);
  bytes = MAX (bytes, tile_least_bytes (plan, slot, r));
  guint64 steps = VYRE_COST_TILE_LOOP_MAX / tile_step_cost (plan, slot) - 4;

  bytes = MIN (bytes, steps * plan->workgroup * tile_step_bytes (plan, slot));
  return MIN (bytes, VYRE_TILE_MAX_BYTES) / VYRE_GRANULE * VYRE_GRANULE;
}

/* Adds the tickets of a region in tiles of at most @bytes: groups of rows, or parts of rows that
 * are wider than a tile. */
static gboolean
tile_cut (VyrePlan *plan, guint slot, const VyreRegion *r, guint64 bytes, GError **error)
{
  guint32 width = (guint32)MIN (r->width, bytes);
  guint64 row_bytes = VYRE_ROW_GRANULES ((guint64)r->width) * VYRE_GRANULE;
  guint32 rows = MAX ((guint32)(bytes / row_bytes), 1);

  for (guint32 row = 0; row < r->rows; row += MIN (rows, r->rows - row)) {
    for (guint32 column = 0; column < r->width; column += MIN (width, r->width - column)) {
      VyreRegion tile = { .offset = row,
        .rows = MIN (rows, r->rows - row),
        .stride = column,
        .width = MIN (width, r->width - column) };
      if (!tile_add (plan, slot, &tile, error))
        return FALSE;
    }
  }
  return TRUE;
}

/* Refuses a region whose rows or columns are more than a tile can have as a whole. */
static gboolean
tile_set_too_long (const VyrePlan *plan, guint slot, const VyreRegion *r, GError **error)
{
  const VyreOpcode *info
      = vyre_opcode_get (vyre_plan_slot_word (plan->bound, slot, VYRE_SLOT_OPCODE));

  g_set_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
      "Slot %u: %s cannot take %u rows of %u bytes, whose %s are more than a workgroup sums up. "
      "Fix: name a smaller part of the component with samples(...).",
      slot, info->name, r->rows, r->width, info->tile.cut == VYRE_CUT_ROWS ? "rows" : "columns");
  return FALSE;
}

/* Adds the tickets of a region in tiles of whole rows or columns, of at most @bytes. */
static gboolean
tile_cut_lines (VyrePlan *plan, guint slot, const VyreRegion *r, guint64 bytes, GError **error)
{
  guint32 samples = vyre_plan_slot_arg (plan->bound, slot, VYRE_REGION_ARG_SAMPLES);
  gboolean rows = tile_work (plan, slot)->cut == VYRE_CUT_ROWS;
  guint64 granules = bytes / VYRE_GRANULE, apart = MAX (VYRE_SAMPLES_APART (samples), 1);
  guint64 lines = granules / (rows ? VYRE_ROW_GRANULES ((guint64)r->width) : r->rows);
  guint64 length = rows ? (r->width - 1) / apart + 1 : r->rows;

  if (lines <= (rows ? 0 : 1) || length > VYRE_CUT_MAX_SAMPLES)
    return tile_set_too_long (plan, slot, r, error);
  if (rows)
    lines = MIN (lines, VYRE_CUT_MAX_LINES);
  else /* a strip that is not aligned touches one granule more */
    lines = MIN ((lines - 1) * VYRE_GRANULE, VYRE_CUT_MAX_LINES * apart);
  for (guint32 at = 0, end = rows ? r->rows : r->width; at < end;) {
    guint32 n = (guint32)MIN (lines, end - at);
    VyreRegion tile = rows ? (VyreRegion){ at, r->width, n, 0 } : (VyreRegion){ 0, n, r->rows, at };
    if (!tile_add (plan, slot, &tile, error))
      return FALSE;
    at += n;
  }
  return TRUE;
}

/* Plans a payload slot, one of @n_tiled: runs of bytes where rows touch, else rectangles. */
gboolean
vyre_plan_add_tiles (VyrePlan *plan, guint slot, guint n_tiled, GError **error)
{
  VyreRegion r = tile_region (plan, slot), nothing = { 0 };
  guint32 size = (guint32)plan->payload_size; /* the limit is 4294967295 */

  if (!VYRE_REGION_FITS (size, r.offset, r.width, r.rows, r.stride)
      || VYRE_REGION_IS_EMPTY (r.width, r.rows))
    return tile_add (plan, slot, &nothing, error);
  guint64 bytes = (guint64)r.width * r.rows;
  if (r.stride == r.width && !tile_work (plan, slot)->apart) {
    r.width = (guint32)bytes;
    r.rows = 1;
  }
  plan->region_bytes += bytes;
  plan->twin_bytes += vyre_plan_is_twin (plan, slot) ? bytes : 0;
  guint64 most = tile_bytes (plan, slot, &r, n_tiled);
  if (tile_work (plan, slot)->cut != VYRE_CUT_TILES)
    return tile_cut_lines (plan, slot, &r, most, error);
  return tile_cut (plan, slot, &r, most, error);
}

/* The payload bytes that slots have read, by the statuses in a readback. A slot's status changes
 * only when the slot ends. Regions of payloads that were @missing were empty, and second twins that
 * were spared have read nothing. */
guint64
vyre_plan_count_bytes_read (
    const VyrePlan *plan, const guint8 *readback, guint missing, gboolean spares_twins)
{
  const guint8 *ring = readback + plan->layout.offset[VYRE_PART_RING];
  guint64 bytes = 0;

  for (guint slot = 0; slot < plan->bound->n_slots; slot++) {
    VyreRegion r = tile_region (plan, slot);
    gsize status = (gsize)slot * VYRE_SLOT_WORDS + VYRE_SLOT_STATUS;
    if (vyre_opcode_reads_payload (vyre_plan_slot_word (plan->bound, slot, VYRE_SLOT_OPCODE))
        && !vyre_plan_lacks_payload (plan, slot, missing) && vyre_plan_may_run (plan, slot)
        && !(spares_twins && vyre_plan_is_twin (plan, slot))
        && vyre_read_word (ring, status) == VYRE_STATUS_DONE)
      bytes += (guint64)r.width * r.rows;
  }
  return bytes;
}
