/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Cutting a batch into tickets: what each of its slots is to the kernel, what it costs at
 * most, and how much of it a ticket covers.
 */
#include "program/opcodes.h"
#include "base/alloc.h"
#include "plan/plan-private.h"
#include "abi/publish-each.h"

/* Bytes of a region one ticket covers, if that leaves few enough tickets: enough
 * work to hide the price of a ticket, little enough to spread a frame. On a CPU,
 * whose workgroups are small, a ticket costs 30 to 60 µs, because all of the kernel's
 * code runs by, and there are few cores. */
#define TILE_BYTES 65536u
#define CPU_TILE_BYTES 1048576u

/* Slots of one LANES ticket, in workgroups. */
#define LANE_ROUNDS 16u

/* And the most that they may cost together, if they are more than one round. */
#define LANE_COST_MAX (VYRE_COST_MAX / 2)

/* Tickets of a payload slot that is alone: they are published at once. */
#define TILED_TICKETS (VYRE_RUN_MAX_TICKETS / 2)

/* The most tickets of a batch, however often it is published: 48 MiB of them. */
#define PLAN_MAX_TICKETS (1u << 20)

/* Passes there can be until every slot of a ring with priorities has had its turn:
 * each worker takes one slot of each partition, and none twice. */
#define MAX_PASSES VYRE_PRIORITY_LEVELS

typedef enum {
  SLOT_IDLE, /* never runs */
  SLOT_LANE,
  SLOT_SOLO,
  SLOT_TILED,
  SLOT_FENCE,
} SlotClass;

static guint32
slot_arg (const VyreBoundProgram *bound, guint slot, guint arg)
{
  return vyre_plan_slot_word (bound, slot, VYRE_SLOT_ARGS + arg);
}

static guint
packed_byte (const VyreBoundProgram *bound, guint slot, guint byte)
{
  return slot_arg (bound, slot, byte / 4) >> (8 * (byte % 4)) & 0xFF;
}

/* Words a MEMCPY of a packed slot copies: its third argument, when present. */
static guint32
packed_copy_words (const VyreBoundProgram *bound, guint slot, guint ops, guint index)
{
  guint metadata = VYRE_PACKED_METADATA_WORDS (ops);
  guint word = metadata + packed_byte (bound, slot, 3 + 2 * index) + 2;
  guint end
      = index + 1 < ops ? packed_byte (bound, slot, 5 + 2 * index) : packed_byte (bound, slot, 1);

  return word < metadata + end && word < VYRE_SLOT_MAX_ARGS ? slot_arg (bound, slot, word) : 0;
}

/* Sums up what a slot copies and whether it holds a fence. A copy longer than
 * the control buffer faults without copying. */
static void
scan_slot (
    const VyreBoundProgram *bound, guint slot, guint64 *copy_words, guint *ops, gboolean *fence)
{
  guint32 opcode = vyre_plan_slot_word (bound, slot, VYRE_SLOT_OPCODE);
  gboolean packed = opcode == VYRE_OP_PACKED_SLOT;
  guint limit = bound->n_observables + VYRE_CONTROL_OBSERVABLES;

  *ops = packed ? packed_byte (bound, slot, 0) : 1;
  *copy_words = 0;
  *fence = FALSE;
  if (packed && !VYRE_PACKED_FITS (*ops))
    return; /* faults as a whole */
  for (guint i = 0; i < *ops; i++) {
    guint32 inner = packed ? packed_byte (bound, slot, 2 + 2 * i) : opcode;
    guint32 words = packed ? packed_copy_words (bound, slot, *ops, i) : slot_arg (bound, slot, 2);
    *fence |= inner == VYRE_OP_BATCH_FENCE;
    if (inner == VYRE_OP_MEMCPY && words <= limit)
      *copy_words += words;
  }
}

/* Whether a slot can run at all, one that waits for its request included. */
gboolean
vyre_plan_may_run (const VyrePlan *plan, guint slot)
{
  guint32 status = vyre_plan_slot_word (plan->bound, slot, VYRE_SLOT_STATUS);

  return !plan->shut_down
         && (status == VYRE_STATUS_PUBLISHED
             || (status == VYRE_STATUS_WAIT_IO
                 && vyre_opcode_asks_host (
                     vyre_plan_slot_word (plan->bound, slot, VYRE_SLOT_OPCODE))));
}

static SlotClass
classify (const VyrePlan *plan, guint slot)
{
  const VyreBoundProgram *bound = plan->bound;
  guint64 copy_words;
  guint ops;
  gboolean fence;

  if (!vyre_plan_may_run (plan, slot))
    return SLOT_IDLE;
  scan_slot (bound, slot, &copy_words, &ops, &fence);
  if (fence)
    return SLOT_FENCE;
  if (plan->schedule == VYRE_SCHEDULE_PRIORITY) /* whose passes find what can be scheduled */
    return vyre_plan_slot_word (bound, slot, VYRE_SLOT_STATUS) == VYRE_STATUS_WAIT_IO ? SLOT_LANE
                                                                                      : SLOT_IDLE;
  if (vyre_opcode_reads_payload (vyre_plan_slot_word (bound, slot, VYRE_SLOT_OPCODE)))
    return SLOT_TILED;
  return copy_words > VYRE_LANE_MEMCPY_WORDS ? SLOT_SOLO : SLOT_LANE;
}

/* What looking for a handler and running the longest one adds to an operation. */
static guint
handler_cost (const VyrePlan *plan)
{
  if (plan->n_handlers == 0)
    return 0;
  return plan->n_handlers + VYRE_HANDLER_REGISTERS
         + VYRE_HANDLER_INSTRUCTIONS * VYRE_COST_INSTRUCTION;
}

/* Loop iterations of a slot run by the whole workgroup. */
static guint64
solo_cost (const VyrePlan *plan, guint slot)
{
  guint64 copy_words;
  guint ops;
  gboolean fence;

  scan_slot (plan->bound, slot, &copy_words, &ops, &fence);
  return copy_words / plan->workgroup + (guint64)ops * (VYRE_COST_OP + handler_cost (plan)) + 1;
}

gboolean
vyre_plan_add_ticket (VyrePlan *plan, guint64 cost, const VyreTicket *ticket, GError **error)
{
  VyreTicket planned = *ticket;

  cost += VYRE_COST_TICKET;
  if (cost > VYRE_COST_MAX || plan->tickets->len == PLAN_MAX_TICKETS) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
        "%u slots over %" G_GSIZE_FORMAT
        " payload bytes are too much work for one batch. Fix: send "
        "smaller buffers, or split the program over several elements.",
        plan->bound->n_slots, plan->payload_size);
    return FALSE;
  }
  planned.words[VYRE_TICKET_COST] = (guint32)cost;
  planned.words[VYRE_TICKET_SCRATCH] = (guint32)(plan->scratch_offset / 4);
  vyre_plan_append_ticket (plan, &planned);
  return TRUE;
}

/* Kinds of slots run by a lane: lanes that do different things wait for each other. */
typedef enum {
  LANE_PLAIN,
  LANE_PRINTF,
  LANE_ASKS,
  N_LANE_KINDS,
} LaneKind;

static LaneKind
lane_kind (guint32 opcode)
{
  if (opcode == VYRE_OP_PRINTF)
    return LANE_PRINTF;
  return vyre_opcode_asks_host (opcode) ? LANE_ASKS : LANE_PLAIN;
}

/* Words that a LOAD_WORDS copies. More than there is room for faults without copying, and so
 * does any if the runtime has loaded nothing. */
static guint32
loaded_words (const VyrePlan *plan, guint slot)
{
  guint32 words = slot_arg (plan->bound, slot, VYRE_RESOURCE_ARG_WORDS);

  return plan->served && words <= plan->bound->n_observables ? words : 0;
}

/* Loop iterations of a slot run by one lane: copies go word by word, a PRINTF may
 * have to try as often as there are records, and what asks the host looks at all requests,
 * for an answer and for room. */
static guint64
lane_cost (const VyrePlan *plan, guint slot)
{
  guint32 opcode = vyre_plan_slot_word (plan->bound, slot, VYRE_SLOT_OPCODE);
  guint64 copy_words;
  guint ops;
  gboolean fence;

  switch (lane_kind (opcode)) {
    case LANE_PRINTF:
      return VYRE_COST_LANE_OP + VYRE_DEBUG_RECORDS;
    case LANE_ASKS:
      copy_words = opcode == VYRE_OP_LOAD_WORDS ? loaded_words (plan, slot) : 0;
      return VYRE_COST_LANE_OP + 2 * VYRE_IO_SLOTS + copy_words;
    default:
      scan_slot (plan->bound, slot, &copy_words, &ops, &fence);
      return ops * (VYRE_COST_LANE_OP + handler_cost (plan)) + copy_words;
  }
}

/* Of one round of lanes, at most. */
static guint64
round_cost (const VyrePlan *plan, guint first, guint count)
{
  guint64 dearest[N_LANE_KINDS] = { 0 };

  for (guint slot = first; slot < first + count; slot++) {
    guint64 *most = &dearest[lane_kind (vyre_plan_slot_word (plan->bound, slot, VYRE_SLOT_OPCODE))];
    *most = MAX (*most, lane_cost (plan, slot));
  }
  return dearest[LANE_PLAIN] + dearest[LANE_PRINTF] + dearest[LANE_ASKS];
}

/* Slots of one ticket from @first on, at most @most: fewer where they are dear. */
static guint
count_lanes (const VyrePlan *plan, guint first, guint most)
{
  guint64 rounds = LANE_COST_MAX / MAX (round_cost (plan, first, most), 1);

  return (guint)MIN (most, MAX (rounds, 1) * plan->workgroup);
}

static gboolean
plan_lanes (VyrePlan *plan, guint first, guint end, GError **error)
{
  guint most = LANE_ROUNDS * plan->workgroup;

  for (guint slot = first, count; slot < end; slot += count) {
    count = count_lanes (plan, slot, MIN (most, end - slot));
    VyreTicket ticket = { .words = { [VYRE_TICKET_KIND] = VYRE_KIND_LANES,
                              [VYRE_TICKET_SLOT] = slot,
                              [VYRE_TICKET_COUNT] = count } };
    guint rounds = (count + plan->workgroup - 1) / plan->workgroup;
    if (!vyre_plan_add_ticket (plan, rounds * round_cost (plan, slot, count), &ticket, error))
      return FALSE;
  }
  return TRUE;
}

/* One ticket for the whole ring: who is more urgent than whom is a question to all
 * of it. A look at a level costs what a slot without anything to do costs, whoever
 * finds something there; one pass may be made twice, see end_level(). */
static gboolean
plan_passes (VyrePlan *plan, GError **error)
{
  guint n_slots = plan->bound->n_slots;
  guint passes = plan->max_passes > 0 ? MIN (plan->max_passes, MAX_PASSES) : MAX_PASSES;
  VyreTicket ticket = { .words = { [VYRE_TICKET_KIND] = VYRE_KIND_PASSES,
                            [VYRE_TICKET_COUNT] = n_slots,
                            [VYRE_TICKET_PASSES] = passes } };
  guint rounds = (n_slots + plan->workgroup - 1) / plan->workgroup;
  guint64 cost = (guint64)(passes + 1) * VYRE_PRIORITY_LEVELS * rounds * VYRE_COST_LANE_OP;

  for (guint slot = 0; slot < n_slots; slot++)
    cost += lane_cost (plan, slot);
  return plan->shut_down || vyre_plan_add_ticket (plan, cost, &ticket, error);
}

static gboolean
plan_solo (VyrePlan *plan, guint slot, GError **error)
{
  VyreTicket ticket
      = { .words = { [VYRE_TICKET_KIND] = VYRE_KIND_SOLO, [VYRE_TICKET_SLOT] = slot } };

  return vyre_plan_add_ticket (plan, solo_cost (plan, slot), &ticket, error);
}

/* The work of a payload slot on its tiles. */
static const VyreTileWork *
tile_work (const VyrePlan *plan, guint slot)
{
  return &vyre_opcode_get (vyre_plan_slot_word (plan->bound, slot, VYRE_SLOT_OPCODE))->tile;
}

/* Loop iterations of a tile whose lanes have @granules each, at most. */
static guint64
tile_cost (const VyreTileWork *work, guint32 rows, guint64 granules)
{
  if (rows == 1 && work->deep > 1)
    return granules / work->deep + work->deep + 2; /* what is left, and the ends */
  return granules * work->cost;
}

static gboolean
plan_tile (VyrePlan *plan, guint slot, const VyreRegion *tile, GError **error)
{
  VyreTicket ticket = { .words = { [VYRE_TICKET_KIND] = VYRE_KIND_TILE,
                            [VYRE_TICKET_SLOT] = slot,
                            [VYRE_TICKET_ROW] = tile->offset,
                            [VYRE_TICKET_ROWS] = tile->rows,
                            [VYRE_TICKET_COLUMN] = tile->stride,
                            [VYRE_TICKET_WIDTH] = tile->width } };
  guint64 granules = (guint64)tile->rows * VYRE_ROW_GRANULES ((guint64)tile->width);
  guint32 *left = &plan->slice[vyre_plan_verdict_word (plan, slot) - VYRE_SCRATCH_SLOT_VERDICT
                               + VYRE_SCRATCH_SLOT_TILES_LEFT];

  (*left)++;
  guint64 cost = tile_cost (tile_work (plan, slot), tile->rows, granules / plan->workgroup + 1);
  return vyre_plan_add_ticket (plan, cost + VYRE_COST_TILE, &ticket, error);
}

/* Bytes per tile that keep a slot's share of the tickets, a tile's iterations and its
 * sums within their limits. */
static guint64
tile_bytes_for (const VyrePlan *plan, guint slot, guint64 bytes_read, guint n_tiled)
{
  guint64 share = TILED_TICKETS / n_tiled;
  guint64 least = plan->workgroup <= VYRE_CPU_WORKGROUP ? CPU_TILE_BYTES : TILE_BYTES;
  guint64 bytes = MAX (least, bytes_read / MAX (share, 1) + 1);
  guint64 steps = VYRE_COST_TILE_LOOP_MAX / tile_work (plan, slot)->cost - 4;

  bytes = MIN (bytes, steps * plan->workgroup * VYRE_GRANULE);
  return MIN (bytes, VYRE_TILE_MAX_BYTES) / VYRE_GRANULE * VYRE_GRANULE;
}

static VyreRegion
region_of (const VyrePlan *plan, guint slot)
{
  return (VyreRegion){ slot_arg (plan->bound, slot, VYRE_REGION_ARG_OFFSET),
    slot_arg (plan->bound, slot, VYRE_REGION_ARG_WIDTH),
    slot_arg (plan->bound, slot, VYRE_REGION_ARG_ROWS),
    slot_arg (plan->bound, slot, VYRE_REGION_ARG_STRIDE) };
}

/* Payload bytes that the slots read which have run, by the statuses in a readback. No
 * operation changes a status but its own slot's, by ending. */
guint64
vyre_plan_count_bytes_read (const VyrePlan *plan, const guint8 *readback)
{
  const guint8 *ring = readback + plan->layout.offset[VYRE_PART_RING];
  guint64 bytes = 0;

  for (guint slot = 0; slot < plan->bound->n_slots; slot++) {
    VyreRegion r = region_of (plan, slot);
    gsize status = (gsize)slot * VYRE_SLOT_WORDS + VYRE_SLOT_STATUS;
    if (vyre_opcode_reads_payload (vyre_plan_slot_word (plan->bound, slot, VYRE_SLOT_OPCODE))
        && vyre_plan_may_run (plan, slot) && vyre_read_word (ring, status) == VYRE_STATUS_DONE)
      bytes += (guint64)r.width * r.rows;
  }
  return bytes;
}

/* Cuts a region into tiles: runs of bytes where rows touch, else groups of rows
 * (rows wider than a tile are cut as well). */
static gboolean
plan_tiled (VyrePlan *plan, guint slot, guint n_tiled, GError **error)
{
  VyreRegion r = region_of (plan, slot), nothing = { 0 };
  guint32 size = (guint32)plan->payload_size; /* the limit is 4294967295 */

  if (!VYRE_REGION_FITS (size, r.offset, r.width, r.rows, r.stride)
      || VYRE_REGION_IS_EMPTY (r.width, r.rows))
    return plan_tile (plan, slot, &nothing, error);
  guint64 bytes = (guint64)r.width * r.rows;
  if (r.stride == r.width) {
    r.width = (guint32)bytes;
    r.rows = 1;
  }
  guint64 granules = VYRE_ROW_GRANULES ((guint64)r.width) * r.rows;
  guint64 tile_bytes = tile_bytes_for (plan, slot, granules * VYRE_GRANULE, n_tiled);
  guint32 width = (guint32)MIN (r.width, tile_bytes);
  guint32 rows
      = MAX ((guint32)(tile_bytes / (VYRE_ROW_GRANULES ((guint64)r.width) * VYRE_GRANULE)), 1);
  plan->region_bytes += bytes;
  for (guint32 row = 0; row < r.rows; row += MIN (rows, r.rows - row)) {
    for (guint32 column = 0; column < r.width; column += MIN (width, r.width - column)) {
      VyreRegion tile = { .offset = row,
        .rows = MIN (rows, r.rows - row),
        .stride = column,
        .width = MIN (width, r.width - column) };
      if (!plan_tile (plan, slot, &tile, error))
        return FALSE;
    }
  }
  return TRUE;
}

/* Loop iterations of a fence at the end of its batch: by one lane, or by a workgroup if that
 * would take too long. */
guint64
vyre_plan_fence_cost (const VyrePlan *plan, guint slot, gboolean *solo)
{
  guint64 cost = lane_cost (plan, slot);

  *solo = cost > VYRE_FENCES_COST_MAX;
  return *solo ? solo_cost (plan, slot) : cost;
}

static gboolean
add_fence (VyrePlan *plan, guint slot, GError **error)
{
  gboolean solo;
  guint64 cost = vyre_plan_fence_cost (plan, slot, &solo);

  if (plan->fence_end == 0)
    plan->fence_first = slot;
  plan->fence_cost += cost + (plan->fence_end > 0 ? slot + 1 - plan->fence_end : 1);
  plan->fences_apart |= solo;
  plan->fence_end = slot + 1;
  plan->slice[vyre_plan_verdict_word (plan, slot)] = VYRE_VERDICT_FENCE;
  if (cost <= VYRE_COST_MAX - VYRE_COST_TICKET)
    return TRUE;
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
      "Slot %u, which has a fence, is too much work. Fix: let it copy fewer words.", slot);
  return FALSE;
}

/* Fences that may be too much for a ticket that has something to do are run behind all of
 * them. */
static gboolean
find_fences (VyrePlan *plan, const guint8 *classes, GError **error)
{
  for (guint slot = 0; slot < plan->bound->n_slots; slot++) {
    if (classes[slot] == SLOT_FENCE && !add_fence (plan, slot, error))
      return FALSE;
  }
  return TRUE;
}

static guint
count_tiled (const guint8 *classes, guint n_slots)
{
  guint n_tiled = 0;

  for (guint slot = 0; slot < n_slots; slot++)
    n_tiled += classes[slot] == SLOT_TILED;
  return n_tiled;
}

gboolean
vyre_plan_cut (VyrePlan *plan, GError **error)
{
  guint n_slots = plan->bound->n_slots;
  g_autofree guint8 *classes = vyre_alloc (n_slots, 1, error);

  if (!classes)
    return FALSE;
  for (guint slot = 0; slot < n_slots; slot++)
    classes[slot] = (guint8)classify (plan, slot);
  guint n_tiled = count_tiled (classes, n_slots);
  if (!find_fences (plan, classes, error))
    return FALSE;
  if (plan->schedule == VYRE_SCHEDULE_PRIORITY && !plan_passes (plan, error))
    return FALSE;
  for (guint slot = 0, end; slot < n_slots; slot = end) {
    end = slot + 1;
    gboolean fine = TRUE;
    if (classes[slot] == SLOT_LANE) {
      while (end < n_slots && classes[end] == SLOT_LANE)
        end++;
      fine = plan_lanes (plan, slot, end, error);
    } else if (classes[slot] == SLOT_SOLO) {
      fine = plan_solo (plan, slot, error);
    } else if (classes[slot] == SLOT_TILED) {
      fine = plan_tiled (plan, slot, n_tiled, error);
    }
    if (!fine)
      return FALSE;
  }
  /* A batch with nothing but fences still needs somebody to run them. */
  VyreTicket nothing = { .words = { [VYRE_TICKET_KIND] = VYRE_KIND_LANES } };
  if (plan->tickets->len == 0 && !vyre_plan_add_ticket (plan, 0, &nothing, error))
    return FALSE;
  plan->fences_apart |= plan->dearest + plan->fence_cost > VYRE_COST_MAX;
  return TRUE;
}
