/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Rings that publishers, or anybody, wrote; their disassembly; and the plans of
 * batches made of them. A publisher does all or nothing, what it publishes passes the
 * check, and a plan gives every slot that may run to somebody, once.
 */
#include "fuzz.h"

#include "kernel.h"
#include "vyre/host-ring.h"
#include "program/opcodes.h"
#include "plan/plan-private.h"
#include "vyre/program.h"
#include "vyre/publish-slots.h"
#include "vyre/tenants.h"
#include "vyre/work-items.h"

#define SLOT_BYTES (4 * (gsize)VYRE_SLOT_WORDS)
#define MAX_OPS 25
#define MAX_ITEMS 6
#define MAX_COMMANDS 64

/* What a publisher is called with. */
typedef struct {
  guint32 start;
  guint32 tenant;
  guint32 tag;
  VyreOp ops[MAX_OPS];
  guint n_ops;
  guint32 args[256]; /* of all operations */
} Call;

static void
read_ops (FuzzInput *input, Call *call, guint max_ops)
{
  guint used = 0;

  call->n_ops = fuzz_choose (input, max_ops + 1);
  for (guint i = 0; i < call->n_ops; i++) {
    guint n_args = fuzz_choose (input, 14);
    n_args = MIN (n_args, G_N_ELEMENTS (call->args) - used);
    call->ops[i] = (VyreOp){ fuzz_number (input), call->args + used, n_args };
    fuzz_numbers (input, call->args + used, n_args);
    used += n_args;
  }
}

/* ---- publishers: each says how many slots it fills ---------------------- */

static gboolean
publish_slot (FuzzInput *input, FuzzBuffer *ring, Call *call, guint64 *n, GError **error)
{
  read_ops (input, call, 1);
  *n = 1;
  return vyre_publish_slot (ring->data, ring->size, call->start, call->tenant, call->ops, error);
}

static gboolean
publish_packed (FuzzInput *input, FuzzBuffer *ring, Call *call, guint64 *n, GError **error)
{
  read_ops (input, call, MAX_OPS);
  *n = 1;
  return vyre_publish_packed (
      ring->data, ring->size, call->start, call->tenant, call->ops, call->n_ops, error);
}

static gboolean
publish_batch (FuzzInput *input, FuzzBuffer *ring, Call *call, guint64 *n, GError **error)
{
  read_ops (input, call, MAX_ITEMS);
  *n = call->n_ops + 1;
  return vyre_publish_batch (
      ring->data, ring->size, call->start, call->tenant, call->ops, call->n_ops, call->tag, error);
}

static gboolean
publish_descriptors (FuzzInput *input, FuzzBuffer *ring, Call *call, guint64 *n, GError **error)
{
  VyreDescriptor descriptors[MAX_ITEMS];

  read_ops (input, call, MAX_OPS);
  *n = fuzz_choose (input, MAX_ITEMS + 1);
  for (guint i = 0; i < *n; i++) {
    guint how = fuzz_byte (input), first = MIN (i, call->n_ops);
    guint n_ops = how & 1 ? call->n_ops - first : (how & 2) == 0 && first < call->n_ops;
    descriptors[i] = (VyreDescriptor){ call->tenant, how & 1, call->ops + first, n_ops };
  }
  return vyre_publish_descriptors (
      ring->data, ring->size, call->start, descriptors, (guint)*n, error);
}

static gboolean
publish_window (FuzzInput *input, FuzzBuffer *ring, Call *call, guint64 *n, GError **error)
{
  VyreArgs args[MAX_ITEMS];
  guint32 opcode = fuzz_number (input);

  read_ops (input, call, MAX_ITEMS);
  for (guint i = 0; i < call->n_ops; i++)
    args[i] = (VyreArgs){ call->ops[i].args, call->ops[i].n_args };
  guint n_required = fuzz_choose (input, call->n_ops + 1);
  VyreWindow window = { call->tenant, opcode, call->tag, args, n_required, args + n_required,
    call->n_ops - n_required };
  *n = call->n_ops;
  return vyre_publish_window (ring->data, ring->size, call->start, &window, error);
}

static gboolean
publish_work_items (FuzzInput *input, FuzzBuffer *ring, Call *call, guint64 *n, GError **error)
{
  VyreWorkItem items[MAX_ITEMS];

  *n = fuzz_choose (input, MAX_ITEMS + 1);
  for (guint i = 0; i < *n; i++)
    fuzz_numbers (input, &items[i].op, 4);
  return vyre_publish_work_items (
      ring->data, ring->size, call->start, call->tenant, items, (guint)*n, error);
}

static gboolean
publish_as_tenant (FuzzInput *input, FuzzBuffer *ring, Call *call, guint64 *n, GError **error)
{
  g_autoptr (VyreTenants) tenants = vyre_tenants_new (1 + fuzz_choose (input, 4));
  g_autoptr (VyreTenant) tenant = vyre_tenants_register (tenants, "fuzz", 1, error);
  VyreTenantCounters counters;

  read_ops (input, call, 1);
  *n = 1;
  if (fuzz_choose (input, 8) == 7)
    vyre_tenants_unregister (tenants, vyre_tenant_get_id (tenant));
  gboolean ok = vyre_tenant_publish (tenant, ring->data, ring->size, call->start, call->ops, error);
  vyre_tenant_get_counters (tenant, &counters);
  g_assert_cmpuint (counters.outstanding, ==, ok);
  if (ok)
    g_assert_false (
        vyre_tenant_publish (tenant, ring->data, ring->size, call->start, call->ops, NULL));
  return ok;
}

typedef gboolean (*Publisher) (FuzzInput *, FuzzBuffer *, Call *, guint64 *, GError **);

/* ---- what every publisher promises -------------------------------------- */

static void
assert_free (const FuzzBuffer *ring, guint64 slot)
{
  guint32 status = vyre_read_word (ring->data + SLOT_BYTES * slot, VYRE_SLOT_STATUS);

  g_assert_true (status == VYRE_STATUS_EMPTY || status == VYRE_STATUS_DONE);
}

/* A slot that is PACKED_SLOT by its opcode alone has arguments that nobody looked at. */
static void
assert_published (const guint8 *slot, gboolean packed)
{
  g_assert_cmpuint (vyre_read_word (slot, VYRE_SLOT_STATUS), ==, VYRE_STATUS_PUBLISHED);
  g_assert_cmpuint (vyre_read_word (slot, VYRE_SLOT_PRIORITY), ==, VYRE_PRIORITY_NORMAL);
  if (packed || vyre_read_word (slot, VYRE_SLOT_OPCODE) != VYRE_OP_PACKED_SLOT)
    g_assert_true (vyre_slots_check (slot, SLOT_BYTES, NULL));
}

static void
try_publisher (FuzzInput *input, FuzzBuffer *ring, Publisher publish)
{
  Call call = { .start = fuzz_number (input), .tenant = fuzz_number (input) };
  g_auto (FuzzBuffer) before = fuzz_buffer_copy (ring);
  g_autoptr (GError) error = NULL;
  guint64 n;

  call.tag = fuzz_number (input);
  gboolean ok = publish (input, ring, &call, &n, &error);
  if (!ok && publish != publish_as_tenant)
    g_assert_error (error, VYRE_ERROR, VYRE_ERROR_QUEUE_FULL);
  if (fuzz_check (ok, &error) && n > 0) {
    g_assert_true (ring->size % SLOT_BYTES == 0 && call.start + n <= ring->size / SLOT_BYTES);
    for (guint64 slot = call.start; slot < call.start + n; slot++) {
      assert_free (&before, slot);
      assert_published (ring->data + SLOT_BYTES * slot, publish == publish_packed);
    }
    memcpy (before.data + SLOT_BYTES * call.start, ring->data + SLOT_BYTES * call.start,
        SLOT_BYTES * n);
  }
  g_assert_cmpmem (before.data, before.size, ring->data, ring->size);
}

/* Makes a new ring of work items, or again one of the last. */
static void
encode_ring (FuzzInput *input, FuzzBuffer *ring)
{
  gboolean again = fuzz_choose (input, 2);
  guint32 tenant = fuzz_number (input), n = fuzz_choose (input, MAX_ITEMS + 1);
  VyreWorkItem items[MAX_ITEMS];
  g_auto (FuzzBuffer) before = fuzz_buffer_copy (ring);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < n; i++)
    fuzz_numbers (input, &items[i].op, 4);
  gboolean ok = again ? vyre_reencode_work_items (ring->data, ring->size, tenant, items, n, &error)
                      : vyre_encode_work_items (ring->data, ring->size, tenant, items, n, &error);
  if (!fuzz_check (ok, &error))
    g_assert_cmpmem (before.data, before.size, ring->data, ring->size);
  for (guint i = 0; ok && i < ring->size / SLOT_BYTES; i++)
    g_assert_cmpuint (vyre_read_word (ring->data + SLOT_BYTES * i, VYRE_SLOT_STATUS), ==, i < n);
}

/* Any slot, here and in the slots behind it. */
static void
write_slots (FuzzInput *input, FuzzBuffer *ring)
{
  guint32 n_slots = (guint32)(ring->size / SLOT_BYTES), words[VYRE_SLOT_WORDS];
  guint32 first = fuzz_number (input), n = 1;

  fuzz_slot (input, words);
  if (fuzz_choose (input, 8) == 7)
    n += fuzz_number (input);
  for (guint32 i = 0; i < n && first < n_slots && i < n_slots - first; i++)
    vyre_host_ring_publish (ring->data, ring->size, first + i, words, sizeof words, NULL);
}

static void
write_word (FuzzInput *input, FuzzBuffer *ring)
{
  gsize word = fuzz_choose (input, 16) + VYRE_SLOT_WORDS * (gsize)fuzz_number (input);

  if (ring->size >= 4)
    vyre_write_word (ring->data, word % (ring->size / 4), fuzz_number (input));
}

static void
write_ring (FuzzInput *input, FuzzBuffer *ring)
{
  static const Publisher publishers[] = { publish_slot, publish_packed, publish_batch,
    publish_descriptors, publish_window, publish_work_items, publish_as_tenant };

  for (guint i = 0; i < MAX_COMMANDS && input->left > 0; i++) {
    guint command = fuzz_choose (input, G_N_ELEMENTS (publishers) + 5);
    if (command < G_N_ELEMENTS (publishers))
      try_publisher (input, ring, publishers[command]);
    else if (command == G_N_ELEMENTS (publishers))
      encode_ring (input, ring);
    else if (command == G_N_ELEMENTS (publishers) + 1)
      write_word (input, ring);
    else if (command == G_N_ELEMENTS (publishers) + 2)
      return;
    else
      write_slots (input, ring);
  }
}

/* ---- disassembly --------------------------------------------------------- */

/* PUBLISHED slots with priorities that there are, and then EMPTY ones. */
static gboolean
makes_a_program (const guint32 *slots, guint n_slots)
{
  guint n = n_slots;

  while (n > 0 && slots[(n - 1) * VYRE_SLOT_WORDS + VYRE_SLOT_STATUS] == VYRE_STATUS_EMPTY)
    n--;
  for (guint i = 0; i < n; i++) {
    if (slots[i * VYRE_SLOT_WORDS + VYRE_SLOT_STATUS] != VYRE_STATUS_PUBLISHED
        || slots[i * VYRE_SLOT_WORDS + VYRE_SLOT_PRIORITY] >= VYRE_PRIORITY_LEVELS)
      return FALSE;
  }
  return n > 0;
}

static void
try_disassembly (const guint32 *slots, guint n_slots)
{
  g_autofree char *text = vyre_disassemble (slots, n_slots);
  g_autoptr (VyreProgram) program = NULL;
  g_autoptr (VyreBoundProgram) bound = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (g_str_has_suffix (text, "\n"));
  if (!makes_a_program (slots, n_slots) || n_slots > 4096)
    return;
  program = vyre_program_assemble (text, &error);
  g_assert_no_error (error);
  bound = vyre_program_bind (program, NULL, 1000, n_slots, 0, &error);
  g_assert_no_error (error);
  /* what EMPTY slots hold is not part of a program */
  guint n = bound->n_used;
  g_assert_cmpmem (bound->slots, n * SLOT_BYTES, slots, n * SLOT_BYTES);
  for (; n < n_slots; n++)
    g_assert_cmpuint (slots[n * VYRE_SLOT_WORDS + VYRE_SLOT_STATUS], ==, VYRE_STATUS_EMPTY);
}

/* ---- plans --------------------------------------------------------------- */

static const guint32 *
get_verdict (const VyrePlan *plan, guint slot)
{
  return &plan->slice[plan->scratch_offset / 4 + VYRE_SCRATCH_SLOTS + slot * VYRE_SCRATCH_SLOT_WORDS
                      + VYRE_SCRATCH_SLOT_VERDICT];
}

static gboolean
is_fence (const VyrePlan *plan, guint slot)
{
  return *get_verdict (plan, slot) == VYRE_VERDICT_FENCE;
}

static gboolean
may_run (const VyrePlan *plan, const guint32 *slot)
{
  return !plan->shut_down
         && (slot[VYRE_SLOT_STATUS] == VYRE_STATUS_PUBLISHED
             || (slot[VYRE_SLOT_STATUS] == VYRE_STATUS_WAIT_IO
                 && vyre_opcode_asks_host (slot[VYRE_SLOT_OPCODE])));
}

/* Adds up what the tickets give to each slot: lanes and workgroups, and tiles apart. */
static void
add_up_tickets (const VyrePlan *plan, guint *runs, guint *tiles, guint64 *areas)
{
  for (guint i = 0; i < plan->tickets->len; i++) {
    const guint32 *ticket = g_array_index (plan->tickets, VyreTicket, i).words;
    guint kind = ticket[VYRE_TICKET_KIND], slot = VYRE_SLOT_OF (ticket[VYRE_TICKET_SLOT]);
    guint count = kind == VYRE_KIND_LANES ? ticket[VYRE_TICKET_COUNT] : 1;

    g_assert_cmpuint (ticket[VYRE_TICKET_COST], <=, VYRE_COST_MAX);
    g_assert_cmpuint (ticket[VYRE_TICKET_SCRATCH], ==, plan->scratch_offset / 4);
    g_assert_true (kind != VYRE_KIND_PASSES || plan->schedule == VYRE_SCHEDULE_PRIORITY);
    if (kind == VYRE_KIND_PASSES)
      continue;
    g_assert_true (slot <= plan->bound->n_slots && count <= plan->bound->n_slots - slot);
    for (guint s = slot; kind != VYRE_KIND_TILE && s < slot + count; s++)
      runs[s]++;
    if (kind == VYRE_KIND_TILE) {
      tiles[slot]++;
      areas[slot] += (guint64)ticket[VYRE_TICKET_ROWS] * ticket[VYRE_TICKET_WIDTH];
    }
  }
}

/* The tiles of a region that lies in the payload cover it, and the others nothing. */
static void
check_tiled (const VyrePlan *plan, guint slot, guint tiles, guint64 area)
{
  const guint32 *args = plan->bound->slots + slot * VYRE_SLOT_WORDS + VYRE_SLOT_ARGS;
  guint64 width = args[VYRE_REGION_ARG_WIDTH], rows = args[VYRE_REGION_ARG_ROWS];
  guint64 stride = args[VYRE_REGION_ARG_STRIDE], offset = args[VYRE_REGION_ARG_OFFSET];
  gboolean inside = width > 0 && rows > 0 && (rows == 1 || stride >= width)
                    && offset + (rows - 1) * stride + width <= plan->payload_size;

  g_assert_cmpuint (area, ==, inside ? width * rows : 0);
  g_assert_cmpuint (tiles, ==,
      plan->slice[plan->scratch_offset / 4 + VYRE_SCRATCH_SLOTS + slot * VYRE_SCRATCH_SLOT_WORDS
                  + VYRE_SCRATCH_SLOT_TILES_LEFT]);
}

static void
check_slots (const VyrePlan *plan)
{
  guint n_slots = plan->bound->n_slots;
  g_autofree guint *runs = g_new0 (guint, n_slots), *tiles = g_new0 (guint, n_slots);
  g_autofree guint64 *areas = g_new0 (guint64, n_slots);

  add_up_tickets (plan, runs, tiles, areas);
  for (guint slot = 0; slot < n_slots; slot++) {
    const guint32 *words = plan->bound->slots + slot * VYRE_SLOT_WORDS;
    gboolean runs_alone = may_run (plan, words) && !is_fence (plan, slot);
    if (is_fence (plan, slot))
      g_assert_true (slot >= plan->fence_first && slot < plan->fence_end);
    if (plan->schedule == VYRE_SCHEDULE_PRIORITY)
      continue;
    g_assert_cmpuint (runs[slot] + (tiles[slot] > 0), ==, runs_alone);
    if (tiles[slot] > 0)
      check_tiled (plan, slot, tiles[slot], areas[slot]);
  }
}

static void
check_plan (const VyrePlan *plan, const VyreParts *parts)
{
  const VyreLayout *layout = vyre_plan_get_layout (plan);

  for (VyrePart part = 0; part < VYRE_N_PARTS; part++)
    g_assert_cmpmem ((const guint8 *)plan->slice + layout->offset[part], layout->size[part],
        parts->data[part], parts->size[part]);
  fuzz_check_runs (plan);
  g_assert_cmpuint (plan->slice[plan->scratch_offset / 4], ==, plan->tickets->len);
  check_slots (plan);
  if (!plan->small)
    return;
  g_assert_cmpuint (plan->small_size, <=, 4 * VYRE_LOCAL_WORDS);
  g_assert_cmpuint (
      plan->small_size, ==, plan->slice_size + 4 * VYRE_STEP_WORDS * plan->tickets->len);
  g_assert_cmpuint (plan->small_ticket.words[VYRE_TICKET_COST], <=, VYRE_COST_MAX);
}

static VyreHandlers *
read_extensions (FuzzInput *input)
{
  VyreHandlers *handlers = vyre_handlers_new ();
  VyreInstruction instructions[3];
  g_autoptr (GError) error = NULL;

  for (guint n = fuzz_choose (input, VYRE_MAX_HANDLERS + 2); n > 0; n--) {
    guint32 opcode = fuzz_number (input) + n;
    for (guint i = 0; i < G_N_ELEMENTS (instructions); i++)
      instructions[i] = (VyreInstruction){ fuzz_choose (input, 11), fuzz_choose (input, 17),
        fuzz_choose (input, 17), fuzz_choose (input, 17), fuzz_number (input) };
    fuzz_check (vyre_handlers_register (handlers, opcode, instructions,
                    fuzz_choose (input, G_N_ELEMENTS (instructions) + 1), &error),
        &error);
  }
  return handlers;
}

static void
try_plan (FuzzInput *input, const FuzzBuffer *ring)
{
  guint how = fuzz_byte (input), workgroup = 1u << fuzz_choose (input, 11);
  guint64 payload_size = fuzz_number (input) + (how & 2 ? (guint64)fuzz_byte (input) << 32 : 0);
  g_autoptr (VyreHandlers) handlers = how & 4 ? read_extensions (input) : NULL;
  VyrePart wrong = fuzz_choose (input, 4 * VYRE_N_PARTS);
  FuzzBuffer buffers[VYRE_N_PARTS];
  VyreParts parts = { .schedule = how & 1, .max_passes = how >> 5, .handlers = handlers };
  g_autoptr (GError) error = NULL;

  parts.size[VYRE_PART_CONTROL] = 4 * (VYRE_CONTROL_OBSERVABLES + fuzz_number (input) % 2048);
  parts.size[VYRE_PART_DEBUG_LOG] = 4 * VYRE_DEBUG_WORDS;
  parts.size[VYRE_PART_IO_QUEUE] = 4 * VYRE_IO_WORDS;
  if (wrong < VYRE_N_PARTS)
    parts.size[wrong] = fuzz_number (input) % 4096;
  for (VyrePart part = 0; part < VYRE_N_PARTS; part++) {
    buffers[part] = part == VYRE_PART_RING ? fuzz_buffer_copy (ring)
                                           : fuzz_buffer_new (input, parts.size[part]);
    parts.size[part] = buffers[part].size;
    parts.data[part] = buffers[part].data;
    if (part != VYRE_PART_RING)
      fuzz_buffer_fill (&buffers[part], input);
  }
  g_autoptr (VyrePlan) plan = vyre_plan_new_from_parts (&parts, payload_size, workgroup, &error);
  if (fuzz_check (plan != NULL, &error))
    check_plan (plan, &parts);
  for (VyrePart part = 0; part < VYRE_N_PARTS; part++)
    fuzz_buffer_clear (&buffers[part]);
}

static gsize
read_ring_size (FuzzInput *input)
{
  static const gsize large[] = { 127, 255, 320, 1024 };
  guint byte = fuzz_byte (input);
  gsize slots = byte < 240 ? byte % 64 : large[byte % G_N_ELEMENTS (large)];

  return SLOT_BYTES * slots + (fuzz_choose (input, 32) == 31 ? fuzz_choose (input, 64) : 0);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  FuzzInput input = { data, size };
  g_auto (FuzzBuffer) ring = fuzz_buffer_new (&input, read_ring_size (&input));

  write_ring (&input, &ring);
  guint n_slots = (guint)(ring.size / SLOT_BYTES);
  g_autofree guint32 *slots = g_memdup2 (ring.data, n_slots * SLOT_BYTES);
  try_disassembly (slots, n_slots);
  try_plan (&input, &ring);
  return 0;
}
