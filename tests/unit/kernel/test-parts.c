/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Batches made from the ABI's bytes, on the real kernel: rings with priorities,
 * handlers of opcodes, requests to the host, and sizes that no batch has.
 */
#include "kernel-common.h"

#define OBS VYRE_CONTROL_OBSERVABLES
#define N_OBSERVABLES 64
#define N_SLOTS 40

static TestKernel t;

/* The four parts of one batch, before it runs and after. */
typedef struct {
  guint32 control[OBS + N_OBSERVABLES];
  guint32 ring[N_SLOTS * VYRE_SLOT_WORDS];
  guint32 log[VYRE_DEBUG_WORDS];
  guint32 io[VYRE_IO_WORDS];
  VyreParts parts;
} Batch;

static void
batch_init (Batch *b, guint n_slots)
{
  GError *error = NULL;

  memset (b, 0, sizeof *b);
  vyre_encode_control_into (b->control, sizeof b->control, N_OBSERVABLES, 2, FALSE, &error);
  g_assert_no_error (error);
  b->parts = (VyreParts){ .data = { b->control, b->ring, b->log, b->io },
    .size
    = { sizeof b->control, 4 * VYRE_SLOT_WORDS * (gsize)n_slots, sizeof b->log, sizeof b->io } };
}

static guint32 *
slot_of (Batch *b, guint slot)
{
  return &b->ring[slot * VYRE_SLOT_WORDS];
}

static void
put_slot (Batch *b, guint slot, guint32 opcode, guint32 a, guint32 second, guint32 third)
{
  guint32 words[] = { VYRE_STATUS_PUBLISHED, opcode, 0, VYRE_PRIORITY_NORMAL, a, second, third };

  memcpy (slot_of (b, slot), words, sizeof words);
}

static void
run (Batch *b)
{
  GError *error = NULL;
  VyrePayload nothing = { 0 };
  g_autoptr (VyrePlan) plan
      = vyre_plan_new_from_parts (&b->parts, 0, vyre_megakernel_get_workgroup (t.kernel), &error);
  g_assert_no_error (error);
  g_autoptr (VyreBatch) batch = test_run (&t, plan, 0, &nothing);
  const VyreLayout *layout = vyre_plan_get_layout (plan);
  void *parts[] = { b->control, b->ring, b->log, b->io };

  for (VyrePart part = 0; part < VYRE_N_PARTS; part++)
    memcpy (
        parts[part], vyre_batch_get_readback (batch) + layout->offset[part], layout->size[part]);
}

static guint32
status_of (Batch *b, guint slot)
{
  return slot_of (b, slot)[VYRE_SLOT_STATUS];
}

/* ---- sizes ---- */

static void
check_size (VyrePart part, gsize size, VyreError code)
{
  g_autoptr (GError) error = NULL;
  g_autofree guint8 *zeros = g_malloc0 (size + 1);
  Batch b;

  batch_init (&b, 4);
  b.parts.data[part] = zeros;
  b.parts.size[part] = size;
  g_assert_null (vyre_plan_new_from_parts (&b.parts, 0, 32, &error));
  g_assert_error (error, VYRE_ERROR, (gint)code);
  g_assert_nonnull (strstr (error->message, "Fix: "));
}

static void
test_sizes (void)
{
  check_size (VYRE_PART_CONTROL, 636, VYRE_ERROR_INVALID);
  check_size (VYRE_PART_CONTROL, 642, VYRE_ERROR_MISALIGNED);
  check_size (VYRE_PART_CONTROL, 4 * (OBS + (gsize)VYRE_MAX_OBSERVABLES + 1), VYRE_ERROR_TOO_LARGE);
  check_size (VYRE_PART_RING, 0, VYRE_ERROR_TOO_LARGE);
  check_size (VYRE_PART_RING, 65, VYRE_ERROR_INVALID);
  check_size (VYRE_PART_DEBUG_LOG, 1024, VYRE_ERROR_INVALID);
  check_size (VYRE_PART_IO_QUEUE, 32, VYRE_ERROR_INVALID);
}

/* A region of 2^32 bytes, whose length is 0 in the words that count tiles. */
static void
test_payload_limit (void)
{
  g_autoptr (GError) error = NULL;
  Batch b;

  batch_init (&b, 1);
  put_slot (&b, 0, VYRE_OP_U8_STATS, 0, G_MAXUINT32, 1);
  g_autoptr (VyrePlan) longest = vyre_plan_new_from_parts (&b.parts, G_MAXUINT32, 64, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (vyre_plan_get_region_bytes (longest), ==, G_MAXUINT32);
  put_slot (&b, 0, VYRE_OP_U8_STATS, 0, 65536, 65536);
  slot_of (&b, 0)[VYRE_SLOT_ARGS + VYRE_REGION_ARG_STRIDE] = 65536;
  g_assert_null (vyre_plan_new_from_parts (&b.parts, (gsize)G_MAXUINT32 + 1, 64, &error));
  g_assert_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE);
  g_assert_true (g_str_has_suffix (error->message, "Fix: send smaller buffers."));
}

static void
test_shut_down (void)
{
  Batch b;

  batch_init (&b, 2);
  put_slot (&b, 0, VYRE_OP_STORE_U32, 7, OBS + 1, 0);
  put_slot (&b, 1, VYRE_OP_BATCH_FENCE, 1, 5, 0);
  b.control[VYRE_CONTROL_SHUTDOWN] = 9;
  run (&b);
  g_assert_cmpuint (status_of (&b, 0), ==, VYRE_STATUS_PUBLISHED);
  g_assert_cmpuint (status_of (&b, 1), ==, VYRE_STATUS_PUBLISHED);
  g_assert_cmpuint (b.control[VYRE_CONTROL_SHUTDOWN], ==, 9);
  g_assert_cmpuint (b.control[VYRE_CONTROL_DONE_COUNT], ==, 0);
  g_assert_cmpuint (b.control[OBS + 1], ==, 0);
}

/* A batch starts from the parts that it is made from: here a second run goes on. */
static void
test_goes_on (void)
{
  Batch b;

  batch_init (&b, 1);
  for (guint i = 1; i <= 3; i++) {
    put_slot (&b, 0, VYRE_OP_ATOMIC_ADD, 10, OBS + 1, 0);
    slot_of (&b, 0)[VYRE_SLOT_TENANT] = 1;
    run (&b);
    g_assert_cmpuint (b.control[OBS + 1], ==, 10 * i);
    g_assert_cmpuint (b.control[VYRE_CONTROL_DONE_COUNT], ==, i);
  }
}

/* ---- priorities ---- */

static void
batch_init_ranked (Batch *b, guint n_slots)
{
  GError *error = NULL;

  batch_init (b, n_slots);
  b->parts.schedule = VYRE_SCHEDULE_PRIORITY;
  vyre_write_priority_offsets (b->control, sizeof b->control, n_slots, &error);
  g_assert_no_error (error);
}

static guint
logged_slot (const Batch *b, guint record)
{
  return b->log[1 + record * VYRE_DEBUG_RECORD_WORDS + 3] / VYRE_SLOT_WORDS;
}

/* PRINTF records the order: no slot of a partition runs before all slots of a more urgent
 * partition have ended. */
static void
test_urgent_first (void)
{
  Batch b;

  batch_init_ranked (&b, N_SLOTS);
  for (guint slot = 0; slot < N_SLOTS; slot++)
    put_slot (&b, slot, VYRE_OP_PRINTF, slot, 0, 0);
  b.parts.max_passes = 1;
  run (&b);
  /* every worker has a slot in CRITICAL, so the first pass ends with that level */
  g_assert_cmpuint (b.log[0], ==, N_SLOTS / 5 * VYRE_DEBUG_RECORD_WORDS);
  for (guint slot = 0; slot < N_SLOTS; slot++)
    g_assert_cmpuint (
        status_of (&b, slot), ==, slot < N_SLOTS / 5 ? VYRE_STATUS_DONE : VYRE_STATUS_PUBLISHED);
  b.parts.max_passes = 0;
  run (&b);
  g_assert_cmpuint (b.log[0], ==, N_SLOTS * VYRE_DEBUG_RECORD_WORDS);
  for (guint record = 0; record < N_SLOTS; record++)
    g_assert_cmpuint (logged_slot (&b, record) / (N_SLOTS / 5), ==, record / (N_SLOTS / 5));
  g_assert_cmpuint (b.control[VYRE_CONTROL_FAIRNESS], ==, N_SLOTS);
  for (guint level = 0; level < VYRE_PRIORITY_LEVELS; level++)
    g_assert_cmpuint (b.control[VYRE_CONTROL_PRIORITY_FAIRNESS + level], ==, N_SLOTS / 5);
}

/* Statuses that can be scheduled, and slots outside of all partitions. */
static void
test_schedulable (void)
{
  Batch b;

  batch_init_ranked (&b, 8);
  for (guint slot = 0; slot < 8; slot++) {
    put_slot (&b, slot, VYRE_OP_NOP, 0, 0, 0);
    slot_of (&b, slot)[VYRE_SLOT_STATUS] = slot;
  }
  for (guint i = 0; i <= VYRE_PRIORITY_LEVELS; i++)
    b.control[VYRE_CONTROL_PRIORITY_OFFSETS + i] = i < VYRE_PRIORITY_NORMAL ? 0 : 6;
  b.control[VYRE_CONTROL_PRIORITY_OFFSETS + 5] = 1000; /* beyond the ring */
  run (&b);
  for (guint slot = 0; slot < 8; slot++) {
    gboolean ran
        = slot == VYRE_STATUS_PUBLISHED || slot == VYRE_STATUS_YIELD || slot == VYRE_STATUS_REQUEUE;
    g_assert_cmpuint (status_of (&b, slot), ==, ran ? VYRE_STATUS_DONE : slot);
  }
}

static void
test_quota (void)
{
  Batch b;

  batch_init_ranked (&b, 20);
  for (guint slot = 0; slot < 20; slot++) {
    put_slot (&b, slot, VYRE_OP_ATOMIC_ADD, 1, OBS + 1 + slot % 2, 0);
    slot_of (&b, slot)[VYRE_SLOT_TENANT] = slot % 2;
  }
  b.control[VYRE_CONTROL_QUOTAS] = 3;
  run (&b);
  g_assert_cmpuint (b.control[OBS + 1], ==, 3);
  g_assert_cmpuint (b.control[OBS + 2], ==, 10);
  g_assert_cmpuint (b.control[VYRE_CONTROL_FAIRNESS], ==, 3);
  g_assert_cmpuint (b.control[VYRE_CONTROL_FAIRNESS + 1], ==, 10);
  g_assert_cmpuint (b.control[VYRE_CONTROL_DONE_COUNT], ==, 13);
  guint left = 0;
  for (guint slot = 0; slot < 20; slot++)
    left += status_of (&b, slot) == VYRE_STATUS_PUBLISHED;
  g_assert_cmpuint (left, ==, 7);
}

/* After 16 urgent slots the slots of other levels go first; without such slots the urgent ones go
 * on. */
static void
test_starvation (void)
{
  Batch b;

  batch_init_ranked (&b, 5);
  for (guint slot = 0; slot < 5; slot++)
    put_slot (&b, slot, VYRE_OP_PRINTF, 0, 0, 0);
  b.control[VYRE_CONTROL_STARVATION] = 16;
  run (&b);
  static const guint order[] = { 2, 0, 1, 3, 4 };
  for (guint i = 0; i < 5; i++)
    g_assert_cmpuint (logged_slot (&b, i), ==, order[i]);

  batch_init_ranked (&b, 5);
  put_slot (&b, 1, VYRE_OP_STORE_U32, 7, OBS + 1, 0);
  b.control[VYRE_CONTROL_STARVATION] = 16;
  b.parts.max_passes = 1;
  run (&b);
  g_assert_cmpuint (b.control[OBS + 1], ==, 7);
  g_assert_cmpuint (b.control[VYRE_CONTROL_STARVATION], ==, 17);
}

/* A fence runs last, whatever partition it lies in, and SHUTDOWN ends the passes. */
static void
test_ranked_ends (void)
{
  Batch b;

  batch_init_ranked (&b, 10);
  put_slot (&b, 0, VYRE_OP_BATCH_FENCE, 1, 77, 0);
  put_slot (&b, 8, VYRE_OP_LOAD_U32, VYRE_CONTROL_EPOCH, 1, 0);
  run (&b);
  g_assert_cmpuint (b.control[OBS], ==, 77);
  g_assert_cmpuint (b.control[OBS + 1], ==, 0);
  g_assert_cmpuint (b.control[VYRE_CONTROL_EPOCH], ==, 1);

  batch_init_ranked (&b, 10);
  put_slot (&b, 0, VYRE_OP_SHUTDOWN, 0, 0, 0);
  put_slot (&b, 2, VYRE_OP_STORE_U32, 7, OBS + 1, 0);
  put_slot (&b, 3, VYRE_OP_STORE_U32, 7, OBS + 2, 0);
  run (&b);
  g_assert_cmpuint (status_of (&b, 2), ==, VYRE_STATUS_PUBLISHED); /* its worker's second slot */
  g_assert_cmpuint (b.control[OBS + 2], ==, 7);
}

/* ---- requests to the host ---- */

static void
answer (Batch *b, guint io_slot, guint32 status)
{
  VyreIoRequest request[VYRE_IO_SLOTS];
  VyreIoCompletion completion = { .slot = io_slot, .success = status == VYRE_IO_STATUS_OK };
  GError *error = NULL;
  guint n = G_N_ELEMENTS (request);

  vyre_io_queue_claim (b->io, sizeof b->io, request, &n, &error);
  g_assert_no_error (error);
  vyre_io_queue_complete (b->io, sizeof b->io, &completion, 1, &error);
  g_assert_no_error (error);
}

static void
check_load_miss (VyreSchedule schedule, guint32 how, guint32 wanted)
{
  VyreIoRequest request;
  GError *error = NULL;
  guint32 status;
  Batch b;

  batch_init (&b, 3);
  b.parts.schedule = schedule;
  vyre_write_priority_offsets (b.control, sizeof b.control, 3, NULL);
  put_slot (&b, 0, VYRE_OP_STORE_U32, 7, OBS + 1, 0);
  put_slot (&b, 2, VYRE_OP_LOAD_MISS, 1234, 0, 0);
  run (&b);
  g_assert_cmpuint (status_of (&b, 2), ==, VYRE_STATUS_WAIT_IO);
  g_assert_cmpuint (b.control[VYRE_CONTROL_DONE_COUNT], ==, 1);
  vyre_io_queue_inspect (b.io, sizeof b.io, 0, &status, &request, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (status, ==, VYRE_STATUS_PUBLISHED);
  g_assert_cmpuint (request.op, ==, VYRE_IO_OP_READ);
  g_assert_cmpuint (request.source, ==, 1234);
  g_assert_cmpuint (request.tag, ==, 2);

  run (&b); /* without an answer the slot goes on waiting, and asks no second time */
  g_assert_cmpuint (status_of (&b, 2), ==, VYRE_STATUS_WAIT_IO);
  g_assert_cmpuint (b.io[VYRE_IO_SLOT_WORDS + VYRE_IO_SLOT_STATUS], ==, VYRE_STATUS_EMPTY);

  answer (&b, 0, how);
  run (&b);
  g_assert_cmpuint (status_of (&b, 2), ==, wanted);
  g_assert_cmpuint (b.io[VYRE_IO_SLOT_STATUS], ==, VYRE_STATUS_EMPTY);
  g_assert_cmpuint (b.control[VYRE_CONTROL_DONE_COUNT], ==, 2);
}

static void
test_load_miss (void)
{
  for (VyreSchedule s = VYRE_SCHEDULE_SLOTS; s <= VYRE_SCHEDULE_PRIORITY; s++) {
    check_load_miss (s, VYRE_IO_STATUS_OK, VYRE_STATUS_DONE);
    check_load_miss (s, VYRE_IO_STATUS_ERROR, VYRE_STATUS_FAULT);
  }
}

/* Slots also ask for answers that only the runtime has: another owner of the readback may give
 * them, but for words, which it cannot copy anywhere. */
static void
check_asks (guint32 opcode, const VyreIoRequest *wanted, guint32 when_served)
{
  static const guint32 answers[] = { VYRE_IO_STATUS_OK, VYRE_IO_STATUS_ERROR };

  for (guint i = 0; i < G_N_ELEMENTS (answers); i++) {
    VyreIoRequest request;
    guint32 status;
    Batch b;

    batch_init (&b, 1);
    put_slot (&b, 0, opcode, 5, OBS + 1, 2);
    run (&b);
    g_assert_cmpuint (status_of (&b, 0), ==, VYRE_STATUS_WAIT_IO);
    vyre_io_queue_inspect (b.io, sizeof b.io, 0, &status, &request, NULL);
    g_assert_cmpuint (status, ==, VYRE_STATUS_PUBLISHED);
    g_assert_cmpmem (&request, sizeof request, wanted, sizeof *wanted);
    answer (&b, 0, answers[i]);
    run (&b);
    g_assert_cmpuint (status_of (&b, 0), ==, i == 0 ? when_served : VYRE_STATUS_FAULT);
    g_assert_cmpuint (b.io[VYRE_IO_SLOT_STATUS], ==, VYRE_STATUS_EMPTY);
    g_assert_cmpuint (b.control[VYRE_CONTROL_DONE_COUNT], ==, 1);
  }
}

static void
test_asks (void)
{
  const VyreIoRequest words = { .op = VYRE_IO_OP_READ, .source = 5 };
  const VyreIoRequest append
      = { .op = VYRE_IO_OP_WRITE, .destination = 5, .offset = 4 * (OBS + 1), .n_bytes = 8 };
  const VyreIoRequest sync = { .op = VYRE_IO_OP_FENCE, .destination = 5 };

  check_asks (VYRE_OP_LOAD_WORDS, &words, VYRE_STATUS_FAULT);
  check_asks (VYRE_OP_APPEND, &append, VYRE_STATUS_DONE);
  check_asks (VYRE_OP_SYNC, &sync, VYRE_STATUS_DONE);
}

/* More slots ask than there are io slots: the rest stay PUBLISHED until there is room. */
static void
test_load_miss_room (void)
{
  guint waiting = 0, published = 0, seen = 0;
  Batch b;

  batch_init (&b, N_SLOTS);
  for (guint slot = 0; slot < N_SLOTS; slot++)
    put_slot (&b, slot, VYRE_OP_LOAD_MISS, slot, 0, 0);
  for (guint i = 10; i < VYRE_IO_SLOTS; i++)
    b.io[i * VYRE_IO_SLOT_WORDS + VYRE_IO_SLOT_STATUS] = VYRE_STATUS_CLAIMED;
  run (&b);
  for (guint slot = 0; slot < N_SLOTS; slot++) {
    waiting += status_of (&b, slot) == VYRE_STATUS_WAIT_IO;
    published += status_of (&b, slot) == VYRE_STATUS_PUBLISHED;
  }
  g_assert_cmpuint (waiting, ==, 10);
  g_assert_cmpuint (published, ==, N_SLOTS - 10);
  for (guint i = 0; i < 10; i++) {
    const guint32 *io = &b.io[i * VYRE_IO_SLOT_WORDS];
    g_assert_cmpuint (status_of (&b, io[VYRE_IO_SLOT_TAG]), ==, VYRE_STATUS_WAIT_IO);
    g_assert_cmpuint (io[VYRE_IO_SLOT_SOURCE], ==, io[VYRE_IO_SLOT_TAG]);
    seen++;
  }
  g_assert_cmpuint (seen, ==, 10);
}

/* ---- handlers ---- */

static void
check_refused (guint32 opcode, const VyreInstruction *code, guint n, VyreError wanted)
{
  g_autoptr (VyreHandlers) handlers = vyre_handlers_new ();
  g_autoptr (GError) error = NULL;

  g_assert_false (vyre_handlers_register (handlers, opcode, code, n, &error));
  g_assert_error (error, VYRE_ERROR, (gint)wanted);
  g_assert_nonnull (strstr (error->message, "Fix: "));
}

static void
test_refused_handlers (void)
{
  VyreInstruction nothing[VYRE_MAX_INSTRUCTIONS + 1] = { 0 };
  VyreInstruction unknown = { .operation = VYRE_OPERATION_RUN + 1 };
  VyreInstruction bad_register = { .operation = VYRE_OPERATION_ADD, .b = VYRE_REGISTERS };
  VyreInstruction copies = { .operation = VYRE_OPERATION_RUN, .immediate = VYRE_OP_MEMCPY };
  g_autoptr (VyreHandlers) handlers = vyre_handlers_new ();
  g_autoptr (GError) error = NULL;

  static const guint32 taken[] = { VYRE_OP_NOP, VYRE_OP_DFA_STEP, VYRE_OP_LOAD_MISS,
    VYRE_OP_PACKED_SLOT, VYRE_OP_CRC32, 0xFFF0, 0x80000000, 0xFFFFFFFE };
  for (guint i = 0; i < G_N_ELEMENTS (taken); i++)
    check_refused (taken[i], nothing, 1, VYRE_ERROR_INVALID);
  check_refused (100, nothing, 0, VYRE_ERROR_TOO_LARGE);
  check_refused (100, nothing, VYRE_MAX_INSTRUCTIONS + 1, VYRE_ERROR_TOO_LARGE);
  check_refused (100, &unknown, 1, VYRE_ERROR_INVALID);
  check_refused (100, &bad_register, 1, VYRE_ERROR_INVALID);
  check_refused (100, &copies, 1, VYRE_ERROR_INVALID);
  for (guint i = 0; i < VYRE_MAX_HANDLERS; i++)
    g_assert_true (vyre_handlers_register (handlers, 100 + i, nothing, 1, NULL));
  g_assert_false (vyre_handlers_register (handlers, 100, nothing, 1, &error));
  g_assert_error (error, VYRE_ERROR, VYRE_ERROR_INVALID);
  g_clear_error (&error);
  g_assert_false (vyre_handlers_register (handlers, 99, nothing, 1, &error));
  g_assert_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE);
}

/* A handler stores the result of an operation on its first two arguments to the word that the
 * third names. */
static void
test_arithmetic (void)
{
  static const struct {
    VyreOperation operation;
    guint32 result;
  } cases[] = { { VYRE_OPERATION_SET, 99 }, { VYRE_OPERATION_ADD, 0xF000000Fu + 36 },
    { VYRE_OPERATION_SUBTRACT, 0xF000000Fu - 36 }, { VYRE_OPERATION_MULTIPLY, 0xF000000Fu * 36 },
    { VYRE_OPERATION_AND, 0xF000000Fu & 36 }, { VYRE_OPERATION_OR, 0xF000000Fu | 36 },
    { VYRE_OPERATION_XOR, 0xF000000Fu ^ 36 }, { VYRE_OPERATION_SHIFT_LEFT, 0xF000000Fu << 4 },
    { VYRE_OPERATION_SHIFT_RIGHT, 0xF000000Fu >> 4 } };
  g_autoptr (VyreHandlers) handlers = vyre_handlers_new ();
  Batch b;

  batch_init (&b, G_N_ELEMENTS (cases));
  b.parts.handlers = handlers;
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    VyreInstruction code[] = {
      { cases[i].operation, .result = 15, .a = 0, .b = 1, .immediate = 99 },
      { VYRE_OPERATION_RUN, .result = 15, .a = 2, .immediate = VYRE_OP_STORE_U32 },
      { VYRE_OPERATION_RUN, .result = 15, .a = 11, .immediate = VYRE_OP_ATOMIC_ADD },
    };
    g_assert_true (vyre_handlers_register (handlers, 100 + i, code, 3, NULL));
    put_slot (&b, i, 100 + i, 0xF000000Fu, 36, OBS + 2 * i);
    slot_of (&b, i)[VYRE_SLOT_ARGS + 11] = OBS + 2 * i + 1;
  }
  run (&b);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_assert_cmpuint (status_of (&b, i), ==, VYRE_STATUS_DONE);
    g_assert_cmpuint (b.control[OBS + 2 * i], ==, cases[i].result);
    g_assert_cmpuint (b.control[OBS + 2 * i + 1], ==, cases[i].result);
  }
}

/* In a packed slot a handler has three arguments. Where one of its operations fails, it ends and
 * the slot faults. */
static void
test_packed_handlers (void)
{
  static const VyreInstruction twice[] = {
    { VYRE_OPERATION_RUN, .result = 0, .a = 1, .immediate = VYRE_OP_ATOMIC_ADD },
    { VYRE_OPERATION_RUN, .result = 3, .a = 1, .immediate = VYRE_OP_ATOMIC_ADD },
    { VYRE_OPERATION_RUN, .result = 0, .a = 2, .immediate = VYRE_OP_ATOMIC_ADD },
  };
  const guint32 good[] = { 5, OBS + 1, OBS + 2 }, bad[] = { 5, OBS + 3, 100000 };
  const VyreOp ops[] = { { 9, good, 3 }, { 9, bad, 3 }, { VYRE_OP_STORE_U32, good, 2 } };
  g_autoptr (VyreHandlers) handlers = vyre_handlers_new ();
  GError *error = NULL;
  Batch b;

  g_assert_true (vyre_handlers_register (handlers, 9, twice, 3, NULL));
  batch_init (&b, 2);
  b.parts.handlers = handlers;
  vyre_publish_packed (b.ring, b.parts.size[VYRE_PART_RING], 0, 0, ops, 1, &error);
  g_assert_no_error (error);
  vyre_publish_packed (b.ring, b.parts.size[VYRE_PART_RING], 1, 0, ops + 1, 2, &error);
  g_assert_no_error (error);
  run (&b);
  g_assert_cmpuint (status_of (&b, 0), ==, VYRE_STATUS_DONE);
  g_assert_cmpuint (status_of (&b, 1), ==, VYRE_STATUS_FAULT);
  g_assert_cmpuint (b.control[OBS + 2], ==, 5);
  g_assert_cmpuint (b.control[OBS + 3], ==, 5);
  g_assert_cmpuint (b.control[VYRE_CONTROL_METRICS + 9], ==, 2);
  g_assert_cmpuint (b.control[VYRE_CONTROL_METRICS + VYRE_OP_ATOMIC_ADD], ==, 0);
}

/* ---- a kernel built without rare operations ---- */

typedef struct {
  TestKernel *kernel;
  VyrePlan *plan;
  gint stop; /* atomic */
  guint n;
} Producer;

static gpointer
produce (gpointer data)
{
  Producer *producer = data;
  VyrePayload nothing = { 0 };

  while (!g_atomic_int_get (&producer->stop)) {
    g_autoptr (VyreBatch) batch
        = test_run (producer->kernel, producer->plan, ++producer->n, &nothing);
    g_assert_cmpuint (test_observable (batch, 0), ==, producer->n);
  }
  return NULL;
}

/* The first batch with rare operations has the kernel with them take over. Threads that use the
 * old kernel meanwhile do not notice. */
static void
test_takes_over (void)
{
  VyreMegakernelParams params = test_params ();
  VyrePayload nothing = { 0 };
  GError *error = NULL;
  TestKernel fresh;
  Batch b;

  test_kernel_open (&fresh, &params);
  Producer producer = { .kernel = &fresh, .plan = test_plan (&fresh, "nop; batch_fence", 0, 0, 2) };
  GThread *thread = g_thread_new ("producer", produce, &producer);
  batch_init_ranked (&b, 5);
  put_slot (&b, 3, VYRE_OP_STORE_U32, 7, OBS + 1, 0);
  g_autoptr (VyrePlan) ranked = vyre_plan_new_from_parts (
      &b.parts, 0, vyre_megakernel_get_workgroup (fresh.kernel), &error);
  g_assert_no_error (error);
  for (guint i = 0; i < 50; i++) {
    g_autoptr (VyreBatch) batch = test_run (&fresh, ranked, 0, &nothing);
    g_assert_cmpuint (test_observable (batch, 1), ==, 7);
  }
  g_atomic_int_set (&producer.stop, TRUE);
  g_thread_join (thread);
  g_assert_cmpuint (producer.n, >, 0);
  vyre_plan_unref (producer.plan);
  test_kernel_close (&fresh);
}

/* ---- fences ---- */

/* A control word that only fences change; COMPARE_SWAP on it reports to an observable. */
#define COUNT_WORD 20

/* Publishes a fence that takes effect only if @n other fences have run: it compares their number
 * and counts on. Its tag is @n, too. */
static void
put_fence (guint32 *slot, guint32 n)
{
  const guint32 tag[] = { 0, n }, count[] = { COUNT_WORD, n, n + 1 };
  const VyreOp ops[] = { { VYRE_OP_BATCH_FENCE, tag, 2 }, { VYRE_OP_COMPARE_SWAP, count, 3 } };

  g_assert_true (
      vyre_publish_packed (slot, 4 * VYRE_SLOT_WORDS, 0, 0, ops, G_N_ELEMENTS (ops), NULL));
}

/* TRUE when the device can run such a ring: where loops are cut short and readbacks are copied
 * out, a readback has 1 MiB at most. */
static gboolean
can_run (guint n_slots)
{
  return vyre_megakernel_get_placement (t.kernel) == VYRE_PLACEMENT_UNIFIED
         || !strstr (vyre_megakernel_get_verdict (t.kernel), "at most") || n_slots <= 8192;
}

/* Runs a ring of @n_slots. The slots whose number @every divides, and the last one, are fences;
 * the others count. */
static void
check_fences (guint n_slots, guint every)
{
  g_autofree guint32 *ring = g_new0 (guint32, (gsize)n_slots * VYRE_SLOT_WORDS);
  const guint32 one[] = { VYRE_STATUS_PUBLISHED, VYRE_OP_ATOMIC_ADD, 0, 0, 1, OBS + 2 };
  GError *error = NULL;
  guint n_fences = 0;
  Batch b;

  batch_init (&b, 0);
  for (guint slot = 0; slot < n_slots; slot++) {
    if (slot % every == 0 || slot == n_slots - 1)
      put_fence (&ring[slot * VYRE_SLOT_WORDS], n_fences++);
    else
      memcpy (&ring[slot * VYRE_SLOT_WORDS], one, sizeof one);
  }
  b.parts.data[VYRE_PART_RING] = ring;
  b.parts.size[VYRE_PART_RING] = (gsize)n_slots * 4 * VYRE_SLOT_WORDS;
  g_autoptr (VyrePlan) plan
      = vyre_plan_new_from_parts (&b.parts, 0, vyre_megakernel_get_workgroup (t.kernel), &error);
  g_assert_no_error (error);
  g_autoptr (VyreBatch) batch = test_run (&t, plan, 0, &(VyrePayload){ 0 });
  const guint8 *control = vyre_batch_get_readback (batch);
  g_assert_cmpuint (test_observable (batch, 0), ==, n_fences - 1);
  g_assert_cmpuint (vyre_read_word (control, COUNT_WORD), ==, n_fences);
  g_assert_cmpuint (test_observable (batch, 2), ==, n_slots - n_fences);
  g_assert_cmpuint (vyre_read_word (control, VYRE_CONTROL_EPOCH), ==, n_fences);
  g_assert_cmpuint (vyre_read_word (control, VYRE_CONTROL_DONE_COUNT), ==, n_slots);
}

static void
test_fences (void)
{
  static const guint rings[][2]
      = { { 2, 1 }, { 30002, 30001 }, { 100000, 33333 }, { 256, 1 }, { 4096, 2 } };

  for (guint i = 0; i < G_N_ELEMENTS (rings); i++) {
    if (can_run (rings[i][0]))
      check_fences (rings[i][0], rings[i][1]);
  }
}

/* A fence among others copies more than a lane may. */
static void
test_dear_fences (void)
{
  const guint words = 30000, n_slots = 6, n_observables = 2 * words + 8;
  g_autofree guint32 *control = g_new0 (guint32, OBS + n_observables);
  const guint32 tag[] = { 0, 7 }, copy[] = { OBS + 4, OBS + 4 + words, words };
  const VyreOp ops[] = { { VYRE_OP_BATCH_FENCE, tag, 2 }, { VYRE_OP_MEMCPY, copy, 3 } };
  GError *error = NULL;
  Batch b;

  batch_init (&b, n_slots);
  g_assert_true (vyre_encode_control_into (
      control, 4 * (OBS + (gsize)n_observables), n_observables, 1, FALSE, NULL));
  put_slot (&b, 0, VYRE_OP_STORE_U32, 5, OBS + 4, 0);
  put_fence (slot_of (&b, 1), 0);
  g_assert_true (vyre_publish_packed (
      slot_of (&b, 2), 4 * VYRE_SLOT_WORDS, 0, 0, ops, G_N_ELEMENTS (ops), NULL));
  put_fence (slot_of (&b, 3), 1);
  put_slot (&b, 5, VYRE_OP_STORE_U32, 6, OBS + 3 + words, 0);
  b.parts.data[VYRE_PART_CONTROL] = control;
  b.parts.size[VYRE_PART_CONTROL] = 4 * (OBS + (gsize)n_observables);
  g_autoptr (VyrePlan) plan
      = vyre_plan_new_from_parts (&b.parts, 0, vyre_megakernel_get_workgroup (t.kernel), &error);
  g_assert_no_error (error);
  g_autoptr (VyreBatch) batch = test_run (&t, plan, 0, &(VyrePayload){ 0 });
  g_assert_cmpuint (test_observable (batch, 0), ==, 1);
  g_assert_cmpuint (vyre_read_word (vyre_batch_get_readback (batch), COUNT_WORD), ==, 2);
  g_assert_cmpuint (test_observable (batch, 4 + words), ==, 5);
  g_assert_cmpuint (test_observable (batch, 3 + 2 * words), ==, 6);
  g_assert_cmpuint (vyre_read_word (vyre_batch_get_readback (batch), VYRE_CONTROL_EPOCH), ==, 3);
}

/* ---- costs ---- */

/* The planner works out beforehand how much a device that cuts loops short may get at a time. Runs
 * as many dear slots as the planner takes: the device may cut none. */
static void
run_many (const VyreHandlers *handlers, VyreSchedule schedule, const guint32 *words, guint n)
{
  g_autofree guint32 *ring = g_new0 (guint32, (gsize)n * VYRE_SLOT_WORDS);
  g_autoptr (VyrePlan) plan = NULL;
  VyrePayload nothing = { 0 };
  Batch b;

  batch_init (&b, 0);
  for (guint slot = 0; slot < n; slot++)
    memcpy (&ring[slot * VYRE_SLOT_WORDS], words, 4 * VYRE_SLOT_WORDS);
  b.parts.data[VYRE_PART_RING] = ring;
  b.parts.schedule = schedule;
  b.parts.handlers = handlers;
  for (; plan == NULL; n -= MAX (n / 8, 1)) {
    g_assert_cmpuint (n, >, 0);
    b.parts.size[VYRE_PART_RING] = (gsize)n * 4 * VYRE_SLOT_WORDS;
    vyre_write_priority_offsets (b.control, sizeof b.control, n, NULL);
    plan = vyre_plan_new_from_parts (&b.parts, 0, vyre_megakernel_get_workgroup (t.kernel), NULL);
  }
  g_test_message (
      "0x%x: %u slots", words[VYRE_SLOT_OPCODE], vyre_plan_get_bound_program (plan)->n_slots);
  for (guint i = 0; i < test_times (4, 20); i++)
    vyre_batch_free (test_run (&t, plan, 0, &nothing));
}

static void
test_costs (void)
{
  VyreInstruction code[VYRE_MAX_INSTRUCTIONS];
  const VyreOp packed = { .opcode = 9 };
  VyreOp ops[VYRE_PACKED_MAX_OPS];
  const guint32 long_copy[] = { 100, 100, 100 }; /* onto itself, by the whole workgroup */
  guint32 slots[5][VYRE_SLOT_WORDS]
      = { { VYRE_STATUS_PUBLISHED, 9 }, { VYRE_STATUS_PUBLISHED, VYRE_OP_PRINTF },
          { VYRE_STATUS_PUBLISHED, VYRE_OP_LOAD_MISS }, { 0 } };
  g_autoptr (VyreHandlers) handlers = vyre_handlers_new ();

  for (guint i = 0; i < VYRE_MAX_INSTRUCTIONS; i++)
    code[i] = (VyreInstruction){ VYRE_OPERATION_RUN, .immediate = VYRE_OP_NOP };
  for (guint i = 1; i < VYRE_MAX_HANDLERS; i++)
    g_assert_true (vyre_handlers_register (handlers, 100 + i, code, 1, NULL));
  g_assert_true (vyre_handlers_register (handlers, 9, code, VYRE_MAX_INSTRUCTIONS, NULL));
  for (guint i = 0; i < VYRE_PACKED_MAX_OPS; i++)
    ops[i] = packed;
  g_assert_true (
      vyre_publish_packed (slots[3], sizeof slots[3], 0, 0, ops, VYRE_PACKED_MAX_OPS, NULL));
  ops[0] = (VyreOp){ VYRE_OP_MEMCPY, long_copy, 3 };
  g_assert_true (vyre_publish_packed (slots[4], sizeof slots[4], 0, 0, ops, 16, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (slots); i++) {
    run_many (handlers, VYRE_SCHEDULE_SLOTS, slots[i], 4096);
    run_many (handlers, VYRE_SCHEDULE_PRIORITY, slots[i], 4096);
  }
}

int
main (int argc, char **argv)
{
  VyreMegakernelParams params = test_params ();

  g_test_init (&argc, &argv, NULL);
  test_kernel_open (&t, &params);
  g_test_add_func ("/parts/sizes", test_sizes);
  g_test_add_func ("/parts/payload-limit", test_payload_limit);
  g_test_add_func ("/parts/shut-down", test_shut_down);
  g_test_add_func ("/parts/goes-on", test_goes_on);
  g_test_add_func ("/parts/priority/urgent-first", test_urgent_first);
  g_test_add_func ("/parts/priority/schedulable", test_schedulable);
  g_test_add_func ("/parts/priority/quota", test_quota);
  g_test_add_func ("/parts/priority/starvation", test_starvation);
  g_test_add_func ("/parts/priority/ends", test_ranked_ends);
  g_test_add_func ("/parts/load-miss/answers", test_load_miss);
  g_test_add_func ("/parts/load-miss/room", test_load_miss_room);
  g_test_add_func ("/parts/asks", test_asks);
  g_test_add_func ("/parts/handlers/refused", test_refused_handlers);
  g_test_add_func ("/parts/handlers/arithmetic", test_arithmetic);
  g_test_add_func ("/parts/handlers/packed", test_packed_handlers);
  if (test_has_another_kernel ())
    g_test_add_func ("/parts/takes-over", test_takes_over);
  g_test_add_func ("/parts/fences", test_fences);
  g_test_add_func ("/parts/dear-fences", test_dear_fences);
  g_test_add_func ("/parts/costs", test_costs);
  int result = g_test_run ();
  test_kernel_close (&t);
  return result;
}
