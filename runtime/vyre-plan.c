/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vyre-plan-private.h"
#include "vyre-alloc.h"

#include <string.h>

#include "vyre-bindings.h"
#include "vyre-control.h"
#include "vyre-opcodes.h"
#include "vyre-publish-private.h"

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

/* Steps of a LOCAL ticket take one workgroup's time, one after the other. */
#define LOCAL_COST_MAX (VYRE_COST_MAX / 2)

/* A batch may use half of the ticket ring, so that the next one can be queued
 * behind it. */
#define PLAN_MAX_TICKETS (VYRE_MAX_TICKETS / 2)

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
slot_word (const VyreImage *image, guint slot, guint word)
{
  return image->slots[slot * VYRE_SLOT_WORDS + word];
}

static guint32
slot_arg (const VyreImage *image, guint slot, guint arg)
{
  return slot_word (image, slot, VYRE_SLOT_ARGS + arg);
}

static guint
packed_byte (const VyreImage *image, guint slot, guint byte)
{
  return slot_arg (image, slot, byte / 4) >> (8 * (byte % 4)) & 0xFF;
}

static gboolean
is_payload_opcode (guint32 opcode)
{
  return opcode >= VYRE_OP_U8_STATS && opcode <= VYRE_OP_CRC32;
}

/* Words a MEMCPY of a packed slot copies: its third argument, when present. */
static guint32
packed_copy_words (const VyreImage *image, guint slot, guint ops, guint index)
{
  guint metadata = vyre_packed_metadata_words (ops);
  guint word = metadata + packed_byte (image, slot, 3 + 2 * index) + 2;
  guint end
      = index + 1 < ops ? packed_byte (image, slot, 5 + 2 * index) : packed_byte (image, slot, 1);

  return word < metadata + end && word < VYRE_SLOT_MAX_ARGS ? slot_arg (image, slot, word) : 0;
}

/* Sums up what a slot copies and whether it holds a fence. A copy longer than
 * the control buffer faults without copying. */
static void
scan_slot (const VyreImage *image, guint slot, guint64 *copy_words, guint *ops, gboolean *fence)
{
  guint32 opcode = slot_word (image, slot, VYRE_SLOT_OPCODE);
  gboolean packed = opcode == VYRE_OP_PACKED_SLOT;
  guint limit = image->n_observables + VYRE_CONTROL_OBSERVABLES;

  *ops = packed ? packed_byte (image, slot, 0) : 1;
  *copy_words = 0;
  *fence = FALSE;
  if (packed && 2 + 2 * *ops > 4 * VYRE_SLOT_MAX_ARGS)
    return; /* faults as a whole */
  for (guint i = 0; i < *ops; i++) {
    guint32 inner = packed ? packed_byte (image, slot, 2 + 2 * i) : opcode;
    guint32 words = packed ? packed_copy_words (image, slot, *ops, i) : slot_arg (image, slot, 2);
    *fence |= inner == VYRE_OP_BATCH_FENCE;
    if (inner == VYRE_OP_MEMCPY && words <= limit)
      *copy_words += words;
  }
}

/* Whether a slot can run at all, one that waits for its request included. */
static gboolean
may_run (const VyrePlan *plan, guint slot)
{
  guint32 status = slot_word (plan->image, slot, VYRE_SLOT_STATUS);

  return !plan->shut_down
         && (status == VYRE_STATUS_PUBLISHED
             || (status == VYRE_STATUS_WAIT_IO
                 && vyre_opcode_asks_host (slot_word (plan->image, slot, VYRE_SLOT_OPCODE))));
}

static SlotClass
classify (const VyrePlan *plan, guint slot)
{
  const VyreImage *image = plan->image;
  guint64 copy_words;
  guint ops;
  gboolean fence;

  if (!may_run (plan, slot))
    return SLOT_IDLE;
  scan_slot (image, slot, &copy_words, &ops, &fence);
  if (fence)
    return SLOT_FENCE;
  if (plan->schedule == VYRE_SCHEDULE_PRIORITY) /* whose passes find what can be scheduled */
    return slot_word (image, slot, VYRE_SLOT_STATUS) == VYRE_STATUS_WAIT_IO ? SLOT_LANE : SLOT_IDLE;
  if (is_payload_opcode (slot_word (image, slot, VYRE_SLOT_OPCODE)))
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

  scan_slot (plan->image, slot, &copy_words, &ops, &fence);
  return copy_words / plan->workgroup + (guint64)ops * (VYRE_COST_OP + handler_cost (plan)) + 1;
}

static gboolean
add_ticket (VyrePlan *plan, guint64 cost, const VyreTicket *ticket, GError **error)
{
  VyreTicket planned = *ticket;

  cost += VYRE_COST_TICKET + plan->fence_cost;
  if (cost > VYRE_COST_MAX || plan->tickets->len == PLAN_MAX_TICKETS) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
        "%u slots over %" G_GSIZE_FORMAT
        " payload bytes are too much work for one batch. Fix: send "
        "smaller buffers, or split the program over several elements.",
        plan->image->n_slots, plan->payload_size);
    return FALSE;
  }
  planned.words[VYRE_TICKET_COST] = (guint32)cost;
  planned.words[VYRE_TICKET_SCRATCH] = (guint32)(plan->scratch_offset / 4);
  g_array_append_val (plan->tickets, planned);
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

/* Loop iterations of a slot run by one lane: copies go word by word, a PRINTF may
 * have to try as often as there are records, and what asks the host looks at all requests,
 * for an answer and for room. */
static guint64
lane_cost (const VyrePlan *plan, guint slot)
{
  guint32 opcode = slot_word (plan->image, slot, VYRE_SLOT_OPCODE);
  guint64 copy_words;
  guint ops;
  gboolean fence;

  switch (lane_kind (opcode)) {
    case LANE_PRINTF:
      return VYRE_COST_LANE_OP + VYRE_DEBUG_RECORDS;
    case LANE_ASKS:
      copy_words = opcode == VYRE_OP_LOAD_WORDS
                       ? slot_arg (plan->image, slot, VYRE_RESOURCE_ARG_WORDS)
                       : 0;
      return VYRE_COST_LANE_OP + 2 * VYRE_IO_SLOTS + copy_words;
    default:
      scan_slot (plan->image, slot, &copy_words, &ops, &fence);
      return ops * (VYRE_COST_LANE_OP + handler_cost (plan)) + copy_words;
  }
}

/* Of one round of lanes, at most. */
static guint64
round_cost (const VyrePlan *plan, guint first, guint count)
{
  guint64 dearest[N_LANE_KINDS] = { 0 };

  for (guint slot = first; slot < first + count; slot++) {
    guint64 *most = &dearest[lane_kind (slot_word (plan->image, slot, VYRE_SLOT_OPCODE))];
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
    if (!add_ticket (plan, rounds * round_cost (plan, slot, count), &ticket, error))
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
  guint n_slots = plan->image->n_slots;
  guint passes = plan->max_passes > 0 ? MIN (plan->max_passes, MAX_PASSES) : MAX_PASSES;
  VyreTicket ticket = { .words = { [VYRE_TICKET_KIND] = VYRE_KIND_PASSES,
                            [VYRE_TICKET_COUNT] = n_slots,
                            [VYRE_TICKET_PASSES] = passes } };
  guint rounds = (n_slots + plan->workgroup - 1) / plan->workgroup;
  guint64 cost = (guint64)(passes + 1) * VYRE_PRIORITY_LEVELS * rounds * VYRE_COST_LANE_OP;

  for (guint slot = 0; slot < n_slots; slot++)
    cost += lane_cost (plan, slot);
  return plan->shut_down || add_ticket (plan, cost, &ticket, error);
}

static gboolean
plan_solo (VyrePlan *plan, guint slot, GError **error)
{
  VyreTicket ticket
      = { .words = { [VYRE_TICKET_KIND] = VYRE_KIND_SOLO, [VYRE_TICKET_SLOT] = slot } };

  return add_ticket (plan, solo_cost (plan, slot), &ticket, error);
}

/* Whether the region lies in the payload; 64-bit, so nothing wraps. */
static gboolean
region_fits (const VyrePlan *plan, const VyreRegion *r)
{
  if (r->width == 0 || r->rows == 0)
    return r->offset <= plan->payload_size;
  return (r->rows == 1 || r->stride >= r->width)
         && r->offset + (guint64)(r->rows - 1) * r->stride + r->width <= plan->payload_size;
}

/* Loop iterations of a tile for each granule of a lane, at most. */
static guint64
step_cost (const VyrePlan *plan, guint slot)
{
  return slot_word (plan->image, slot, VYRE_SLOT_OPCODE) == VYRE_OP_U8_HISTOGRAM
             ? VYRE_COST_HISTOGRAM_STEP
             : 1;
}

/* Those of a tile whose lanes have @granules each. */
static guint64
tile_cost (const VyrePlan *plan, guint slot, guint32 rows, guint64 granules)
{
  guint32 opcode = slot_word (plan->image, slot, VYRE_SLOT_OPCODE);

  if (rows == 1 && (opcode == VYRE_OP_U8_STATS || opcode == VYRE_OP_U8_BELOW))
    return granules / VYRE_INNER_STEPS + VYRE_INNER_STEPS + 2; /* what is left, and the ends */
  return granules * step_cost (plan, slot);
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
  guint32 *left = &plan->slice[plan->scratch_offset / 4 + VYRE_SCRATCH_SLOTS
                               + slot * VYRE_SCRATCH_SLOT_WORDS + VYRE_SCRATCH_SLOT_TILES_LEFT];

  (*left)++;
  guint64 cost = tile_cost (plan, slot, tile->rows, granules / plan->workgroup + 1);
  return add_ticket (plan, cost + VYRE_COST_TILE, &ticket, error);
}

/* Bytes per tile that keep a slot's share of the tickets, a tile's iterations and its
 * sums within their limits. */
static guint64
tile_bytes_for (const VyrePlan *plan, guint slot, guint64 bytes_read, guint n_tiled)
{
  guint64 share = PLAN_MAX_TICKETS / 2 / n_tiled;
  guint64 least = plan->workgroup <= VYRE_CPU_WORKGROUP ? CPU_TILE_BYTES : TILE_BYTES;
  guint64 bytes = MAX (least, bytes_read / MAX (share, 1) + 1);
  guint64 steps = VYRE_COST_TILE_LOOP_MAX / step_cost (plan, slot) - 4;

  bytes = MIN (bytes, steps * plan->workgroup * VYRE_GRANULE);
  return MIN (bytes, VYRE_TILE_MAX_BYTES) / VYRE_GRANULE * VYRE_GRANULE;
}

/* Cuts a region into tiles: runs of bytes where rows touch, else groups of rows
 * (rows wider than a tile are cut as well). */
static gboolean
plan_tiled (VyrePlan *plan, guint slot, guint n_tiled, GError **error)
{
  VyreRegion r = { slot_arg (plan->image, slot, VYRE_REGION_ARG_OFFSET),
    slot_arg (plan->image, slot, VYRE_REGION_ARG_WIDTH),
    slot_arg (plan->image, slot, VYRE_REGION_ARG_ROWS),
    slot_arg (plan->image, slot, VYRE_REGION_ARG_STRIDE) };
  VyreRegion nothing = { 0 };

  if (!region_fits (plan, &r) || r.width == 0 || r.rows == 0)
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

static guint
find_fences (VyrePlan *plan, const guint8 *classes, GError **error)
{
  guint64 cost = 0;
  guint n_tiled = 0;

  for (guint slot = 0; slot < plan->image->n_slots; slot++) {
    n_tiled += classes[slot] == SLOT_TILED;
    if (classes[slot] != SLOT_FENCE)
      continue;
    if (plan->fence_end == 0)
      plan->fence_first = slot;
    plan->fence_end = slot + 1;
    plan->slice[plan->scratch_offset / 4 + VYRE_SCRATCH_SLOTS + slot * VYRE_SCRATCH_SLOT_WORDS
                + VYRE_SCRATCH_SLOT_VERDICT]
        = VYRE_VERDICT_FENCE;
    cost += lane_cost (plan, slot);
  }
  cost += plan->fence_end - plan->fence_first;
  if (cost > VYRE_COST_MAX) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
        "The program's fence slots are too much work. Fix: use fewer slots or fewer fences.");
    return G_MAXUINT;
  }
  plan->fence_cost = (guint)cost;
  return n_tiled;
}

static gboolean
plan_tickets (VyrePlan *plan, GError **error)
{
  guint n_slots = plan->image->n_slots;
  g_autofree guint8 *classes = vyre_alloc (n_slots, 1, error);

  if (!classes)
    return FALSE;
  for (guint slot = 0; slot < n_slots; slot++)
    classes[slot] = (guint8)classify (plan, slot);
  guint n_tiled = find_fences (plan, classes, error);
  if (n_tiled == G_MAXUINT)
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
  return plan->tickets->len > 0 || add_ticket (plan, 0, &nothing, error);
}

static gsize
align_up (gsize size, gsize alignment)
{
  return (size + alignment - 1) / alignment * alignment;
}

/* Whether it has anything that a kernel does without unless it is needed. */
static gboolean
needs_full (const VyrePlan *plan)
{
  gboolean asks = FALSE;

  for (guint slot = 0; slot < plan->image->n_slots; slot++)
    asks |= vyre_opcode_asks_host (slot_word (plan->image, slot, VYRE_SLOT_OPCODE))
            && may_run (plan, slot);
  return asks || plan->n_handlers > 0 || plan->schedule == VYRE_SCHEDULE_PRIORITY;
}

/* The word of the slice where the table entry of a resource is, the last of all. */
gsize
vyre_plan_resource_word (const VyrePlan *plan, guint resource)
{
  return plan->slice_size / 4
         - (gsize)VYRE_RESOURCE_TABLE_WORDS * (plan->image->n_resources - resource);
}

static void
write_scratch (VyrePlan *plan)
{
  guint32 *scratch = &plan->slice[plan->scratch_offset / 4];
  guint32 *about = scratch + VYRE_SCRATCH_ABOUT;

  scratch[VYRE_SCRATCH_TICKETS_LEFT] = plan->tickets->len;
  about[VYRE_ABOUT_CONTROL_WORDS] = VYRE_CONTROL_OBSERVABLES + plan->image->n_observables;
  about[VYRE_ABOUT_SLOTS] = plan->image->n_slots;
  about[VYRE_ABOUT_PAYLOAD_BYTES] = (guint32)plan->payload_size;
  about[VYRE_ABOUT_FENCE_FIRST] = plan->fence_first;
  about[VYRE_ABOUT_FENCE_END] = plan->fence_end;
  about[VYRE_ABOUT_HANDLERS] = plan->n_handlers;
  about[VYRE_ABOUT_HANDLER_WORDS] = plan->handler_words;
  about[VYRE_ABOUT_COPIED] = (guint32)plan->copied_granules;
  if (!plan->served)
    return;
  scratch[VYRE_SCRATCH_SERVED] = VYRE_SERVED (plan->image->n_resources, plan->writes_end);
  for (guint i = 0; i < plan->image->n_resources; i++)
    plan->slice[vyre_plan_resource_word (plan, i) + VYRE_RESOURCE_BYTES] = VYRE_NOT_RESIDENT;
}

static guint64
steps_cost (const VyrePlan *plan)
{
  guint64 cost = 0;

  for (guint i = 0; i < plan->tickets->len; i++)
    cost += g_array_index (plan->tickets, VyreTicket, i).words[VYRE_TICKET_COST] + 1;
  return cost;
}

/* The word of the slice where a batch's own tag goes. */
gint64
vyre_plan_tag_word (const VyrePlan *plan)
{
  gint slot = plan->image->sequence_slot;

  if (slot < 0)
    return VYRE_NO_TAG_WORD;
  return (gint64)(plan->layout.offset[VYRE_PART_RING] / 4) + (gint64)slot * VYRE_SLOT_WORDS
         + VYRE_SLOT_ARGS + 1;
}

/* The tickets once more, as steps of one that runs a small batch as a whole. */
static void
plan_local (VyrePlan *plan)
{
  guint steps = plan->tickets->len;
  gsize words = plan->slice_size / 4 + (gsize)steps * VYRE_STEP_WORDS;
  guint64 copies = 3 * (words / plan->workgroup + 1);

  if (plan->served) /* every batch has a table of its own */
    return;
  if (words > VYRE_LOCAL_WORDS || steps > VYRE_LOCAL_STEPS || plan->region_bytes > VYRE_LOCAL_BYTES
      || steps_cost (plan) + copies > LOCAL_COST_MAX)
    return;
  plan->local = TRUE;
  plan->local_size = 4 * words;
  plan->slice = g_realloc (plan->slice, plan->local_size);
  for (guint i = 0; i < steps; i++) {
    const guint32 *from = g_array_index (plan->tickets, VyreTicket, i).words;
    guint32 *step = plan->slice + plan->slice_size / 4 + (gsize)i * VYRE_STEP_WORDS;
    step[VYRE_STEP_KIND] = from[VYRE_TICKET_KIND];
    memcpy (step + VYRE_STEP_SLOT, from + VYRE_TICKET_SLOT, 4 * (VYRE_STEP_WORDS - 1));
  }
  guint32 *ticket = plan->local_ticket.words;
  ticket[VYRE_TICKET_KIND] = VYRE_KIND_LOCAL;
  ticket[VYRE_TICKET_COST] = (guint32)(steps_cost (plan) + copies) + VYRE_COST_LOCAL;
  ticket[VYRE_TICKET_SCRATCH] = (guint32)(plan->scratch_offset / 4);
  ticket[VYRE_TICKET_LOCAL_WORDS] = (guint32)words;
  ticket[VYRE_TICKET_STEPS] = steps;
  ticket[VYRE_TICKET_TAG_WORD] = (guint32)vyre_plan_tag_word (plan);
}

/* Takes @image. A plan that is @served has a table of its program's resources. NULL with
 * %VYRE_ERROR_NO_SPACE. */
static VyrePlan *
plan_alloc (VyreImage *image, gsize payload_size, guint workgroup, const VyreExtensions *extensions,
    gboolean served, GError **error)
{
  VyrePlan *plan = g_new0 (VyrePlan, 1);
  gsize slot_words = VYRE_SCRATCH_SLOT_WORDS * (gsize)image->n_slots;
  gsize table_words = served ? VYRE_RESOURCE_TABLE_WORDS * (gsize)image->n_resources : 0;

  g_atomic_ref_count_init (&plan->refs);
  plan->image = image;
  plan->payload_size = payload_size;
  plan->workgroup = workgroup;
  plan->n_handlers = vyre_extensions_count (extensions);
  plan->handler_words = vyre_extensions_words (extensions);
  plan->tickets = g_array_new (FALSE, FALSE, sizeof (VyreTicket));
  vyre_layout_init (&plan->layout, image->n_observables, image->n_slots);
  plan->scratch_offset = align_up (plan->layout.total, VYRE_GRANULE);
  plan->report_size = plan->scratch_offset + 4 * VYRE_SCRATCH_REPORT_WORDS;
  plan->slice_size = plan->scratch_offset
                     + 4 * (VYRE_SCRATCH_SLOTS + slot_words + plan->handler_words + table_words);
  plan->served = served;
  plan->slice = vyre_alloc0 (1, plan->slice_size, error);
  if (!plan->slice) {
    vyre_plan_unref (plan);
    return NULL;
  }
  vyre_extensions_write (
      extensions, &plan->slice[plan->scratch_offset / 4 + VYRE_SCRATCH_SLOTS + slot_words]);
  return plan;
}

/* Whether the kernel may write to the debug log or the io queue; a handler may have
 * PRINTF done, and a packed slot cannot. */
static gboolean
writes_queues (const VyrePlan *plan)
{
  gboolean writes = plan->n_handlers > 0;

  for (guint slot = 0; slot < plan->image->n_slots && !writes; slot++) {
    guint32 opcode = slot_word (plan->image, slot, VYRE_SLOT_OPCODE);
    writes = opcode == VYRE_OP_PRINTF || vyre_opcode_asks_host (opcode);
  }
  return writes;
}

/* How much of a readback the kernel stores where it does not run in it. */
static void
plan_copy (VyrePlan *plan)
{
  const VyreLayout *layout = &plan->layout;
  gsize changing = writes_queues (plan) ? layout->total : layout->offset[VYRE_PART_DEBUG_LOG];

  plan->copied_granules = align_up (changing, VYRE_GRANULE) / VYRE_GRANULE;
  plan->copy_cost
      = (guint)((plan->copied_granules + VYRE_SCRATCH_REPORT_WORDS) / plan->workgroup) + 1;
}

/* The rest, once the slice holds the four parts. */
static VyrePlan *
plan_finish (VyrePlan *plan, GError **error)
{
  if (!plan_tickets (plan, error)) {
    vyre_plan_unref (plan);
    return NULL;
  }
  plan->full = needs_full (plan);
  plan_copy (plan);
  write_scratch (plan);
  plan_local (plan);
  return plan;
}

static gboolean
is_write (guint32 opcode)
{
  return opcode == VYRE_OP_APPEND || opcode == VYRE_OP_SYNC;
}

/* Whether the host has something to serve: to read, or to write. */
static void
find_requests (const VyreImage *image, gboolean *reads, gboolean *writes)
{
  *reads = *writes = FALSE;
  for (guint slot = 0; slot < image->n_used; slot++) {
    guint32 opcode = slot_word (image, slot, VYRE_SLOT_OPCODE);
    *writes |= is_write (opcode);
    *reads |= vyre_opcode_asks_host (opcode) && !is_write (opcode);
  }
}

/* The slot before which those from @first on may ask for writes, all at once, that have not:
 * by the ring as it is in @slice. */
static guint
find_writes_end (const VyrePlan *plan, const guint32 *slice, guint first)
{
  const guint32 *ring = slice + plan->layout.offset[VYRE_PART_RING] / 4;
  guint n = 0, slot;

  for (slot = first; slot < plan->image->n_slots && n < VYRE_IO_SLOTS; slot++) {
    const guint32 *words = ring + (gsize)slot * VYRE_SLOT_WORDS;
    n += is_write (words[VYRE_SLOT_OPCODE]) && words[VYRE_SLOT_STATUS] == VYRE_STATUS_PUBLISHED;
  }
  return slot;
}

/**
 * vyre_plan_new:
 * @image: a bound program; the plan takes a reference of its own
 * @payload_size: bytes of the payload it was bound to
 * @workgroup: invocations per workgroup of the megakernel that will run it
 * @error: return location
 *
 * What such a batch asks the host for is served by the megakernel.
 *
 * Returns: (transfer full) (nullable): the plan, or %NULL with
 *   %VYRE_ERROR_TOO_LARGE when no batch can hold so much work, or %VYRE_ERROR_NO_SPACE
 */
VyrePlan *
vyre_plan_new (VyreImage *image, gsize payload_size, guint workgroup, GError **error)
{
  gboolean reads, writes;
  find_requests (image, &reads, &writes);
  VyrePlan *plan
      = plan_alloc (vyre_image_ref (image), payload_size, workgroup, NULL, reads || writes, error);
  if (!plan)
    return NULL;
  const VyreLayout *layout = &plan->layout;

  plan->writes = writes;
  if (!vyre_encode_control_into (
          plan->slice, plan->slice_size, image->n_observables, 1, FALSE, error)) {
    vyre_plan_unref (plan);
    return NULL;
  }
  memcpy (
      &plan->slice[layout->offset[VYRE_PART_RING] / 4], image->slots, layout->size[VYRE_PART_RING]);
  if (writes && !reads)
    plan->writes_end = find_writes_end (plan, plan->slice, 0);
  return plan_finish (plan, error);
}

static gboolean
check_parts (const VyreParts *parts, gsize payload_size, GError **error)
{
  gsize n_slots = parts->size[VYRE_PART_RING] / (4 * VYRE_SLOT_WORDS);

  if (!vyre_readback_validate (parts->size, VYRE_N_PARTS, (guint32)n_slots, NULL, error))
    return FALSE;
  if (n_slots == 0 || n_slots > VYRE_ENCODE_MAX
      || parts->size[VYRE_PART_CONTROL] / 4 > VYRE_CONTROL_OBSERVABLES + VYRE_MAX_OBSERVABLES) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
        "A batch of %" G_GSIZE_FORMAT " slots and %" G_GSIZE_FORMAT
        " control bytes cannot run. Fix: have 1 to %u slots and at most %u observables.",
        n_slots, parts->size[VYRE_PART_CONTROL], VYRE_ENCODE_MAX, VYRE_MAX_OBSERVABLES);
    return FALSE;
  }
  if (parts->size[VYRE_PART_IO_QUEUE] != 4 * VYRE_IO_WORDS) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
        "An io queue of %" G_GSIZE_FORMAT
        " bytes cannot run. Fix: give the kernel all 64 io slots, 2048 bytes.",
        parts->size[VYRE_PART_IO_QUEUE]);
    return FALSE;
  }
  if (payload_size > G_MAXUINT32) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
        "The payload has %" G_GSIZE_FORMAT " bytes and the limit is 4294967295. Fix: send smaller "
        "buffers.",
        payload_size);
    return FALSE;
  }
  return TRUE;
}

/**
 * vyre_plan_new_from_parts:
 * @parts: the batch before it runs; copied
 * @payload_size: bytes of the payload that its payload slots refer to, at most 4 GiB - 1
 * @workgroup: invocations per workgroup of the megakernel that will run it
 * @error: return location
 *
 * Plans a batch from the ABI's bytes as they are: other tenants than the first,
 * slots that ran before, counters that do not start at 0. A LOAD_MISS slot that is
 * WAIT_IO goes on when the io queue has its request completed. When SHUTDOWN is set
 * nothing runs. Payload opcodes cannot run under %VYRE_SCHEDULE_PRIORITY and fault.
 *
 * Returns: (transfer full) (nullable): the plan, or %NULL with
 *   %VYRE_ERROR_MISALIGNED, %VYRE_ERROR_INVALID (sizes that no batch has),
 *   %VYRE_ERROR_TOO_LARGE (more work than a batch can hold) or %VYRE_ERROR_NO_SPACE
 */
VyrePlan *
vyre_plan_new_from_parts (
    const VyreParts *parts, gsize payload_size, guint workgroup, GError **error)
{
  if (!check_parts (parts, payload_size, error))
    return NULL;
  VyreImage *image = vyre_image_new_from_ring (parts->data[VYRE_PART_RING],
      (guint)(parts->size[VYRE_PART_RING] / (4 * VYRE_SLOT_WORDS)),
      (guint)(parts->size[VYRE_PART_CONTROL] / 4 - VYRE_CONTROL_OBSERVABLES), error);
  VyrePlan *plan
      = image ? plan_alloc (image, payload_size, workgroup, parts->extensions, FALSE, error) : NULL;
  if (!plan)
    return NULL;
  for (VyrePart part = 0; part < VYRE_N_PARTS; part++)
    memcpy (&plan->slice[plan->layout.offset[part] / 4], parts->data[part], parts->size[part]);
  plan->schedule = parts->schedule;
  plan->max_passes = parts->max_passes;
  plan->shut_down = plan->slice[VYRE_CONTROL_SHUTDOWN] != 0;
  return plan_finish (plan, error);
}

/* Whether a ticket of lanes has a slot that is not through, by the ring in @slice. */
static gboolean
has_work (const VyrePlan *plan, const VyreTicket *ticket, const guint32 *slice)
{
  const guint32 *ring = slice + plan->layout.offset[VYRE_PART_RING] / 4;
  guint first = ticket->words[VYRE_TICKET_SLOT];

  if (ticket->words[VYRE_TICKET_KIND] != VYRE_KIND_LANES)
    return FALSE;
  for (guint slot = first; slot < first + ticket->words[VYRE_TICKET_COUNT]; slot++) {
    guint32 status = ring[(gsize)slot * VYRE_SLOT_WORDS + VYRE_SLOT_STATUS];
    if (status == VYRE_STATUS_PUBLISHED || status == VYRE_STATUS_WAIT_IO)
      return TRUE;
  }
  return FALSE;
}

/* The plan for the rest of a batch of @plan, which was served, from its readback on: those
 * tickets once more that have slots which are not through. Slots over payloads were refused,
 * if they were not through, and stay so. With @writes, more slots may ask for those. NULL with
 * %VYRE_ERROR_NO_SPACE. */
VyrePlan *
vyre_plan_continue (VyrePlan *plan, const guint8 *readback, gboolean writes, GError **error)
{
  VyrePlan *origin = plan->origin ? plan->origin : plan;
  VyrePlan *next = plan_alloc (
      vyre_image_ref (origin->image), origin->payload_size, origin->workgroup, NULL, TRUE, error);
  if (!next)
    return NULL;
  VyreTicket nothing = { .words = { [VYRE_TICKET_KIND] = VYRE_KIND_LANES } };

  next->origin = vyre_plan_ref (origin);
  next->full = TRUE;
  next->writes = origin->writes;
  next->writes_end = plan->writes_end;
  next->fence_first = origin->fence_first;
  next->fence_end = origin->fence_end;
  next->fence_cost = origin->fence_cost;
  memcpy (next->slice, origin->slice, origin->slice_size); /* for the marks of the fences */
  memcpy (next->slice, readback, origin->layout.total);
  if (writes)
    next->writes_end = find_writes_end (next, next->slice, next->writes_end);
  for (guint i = 0; i < origin->tickets->len; i++) {
    const VyreTicket *ticket = &g_array_index (origin->tickets, VyreTicket, i);
    if (has_work (next, ticket, next->slice))
      g_array_append_vals (next->tickets, ticket, 1);
  }
  if (next->tickets->len == 0)
    add_ticket (next, 0, &nothing, NULL); /* somebody has to run the fences */
  plan_copy (next);
  write_scratch (next);
  return next;
}

/**
 * vyre_plan_ref:
 * @plan: a plan
 *
 * Returns: (transfer full): @plan with one more reference
 */
VyrePlan *
vyre_plan_ref (VyrePlan *plan)
{
  g_atomic_ref_count_inc (&plan->refs);
  return plan;
}

/**
 * vyre_plan_unref:
 * @plan: (transfer full): a plan
 */
void
vyre_plan_unref (VyrePlan *plan)
{
  if (!g_atomic_ref_count_dec (&plan->refs))
    return;
  if (plan->template)
    plan->template_free (plan->template);
  vyre_image_unref (plan->image);
  g_clear_pointer (&plan->origin, vyre_plan_unref);
  g_array_unref (plan->tickets);
  g_free (plan->slice);
  g_free (plan);
}

/**
 * vyre_plan_get_image:
 * @plan: a plan
 *
 * Returns: (transfer none): the bound program it was made from
 */
const VyreImage *
vyre_plan_get_image (const VyrePlan *plan)
{
  return plan->image;
}

/**
 * vyre_plan_get_layout:
 * @plan: a plan
 *
 * Returns: (transfer none): where the parts of its readbacks lie
 */
const VyreLayout *
vyre_plan_get_layout (const VyrePlan *plan)
{
  return &plan->layout;
}

/**
 * vyre_plan_get_payload_size:
 * @plan: a plan
 *
 * Returns: bytes of the payload that a batch needs; 0 when it needs none
 */
gsize
vyre_plan_get_payload_size (const VyrePlan *plan)
{
  return plan->payload_size;
}

/**
 * vyre_plan_get_region_bytes:
 * @plan: a plan
 *
 * Returns: payload bytes its slots read when all of them run, a byte counted as
 *   often as it is read
 */
guint64
vyre_plan_get_region_bytes (const VyrePlan *plan)
{
  return plan->region_bytes;
}
