/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Counts, tables and flags of the control part that a program overwrites, in plain rings and in
 * rings with priorities. The batch ends, the counts that the program cannot reach are right, and
 * the next batch is not affected.
 */
#include "kernel-common.h"
#include "kernel/types.h"

#define OBS VYRE_CONTROL_OBSERVABLES
#define N_OBSERVABLES 96
#define N_WORDS (OBS + N_OBSERVABLES)
#define N_SLOTS 64

static TestKernel t;

/* A program has a slot over the payload refused, and stores any number as that of the slots which
 * ran. */
static void
test_done_count (void)
{
  g_autofree guint8 *data = g_malloc0 (5000);
  GError *error = NULL;

  for (guint claimed = 0; claimed < 8; claimed++) {
    g_autofree char *text = g_strdup_printf ("u8_stats payload -> stats @tenant=7\n"
                                             "crc32 bytes(0, 100) -> crc\n"
                                             "op 1, %u, %u",
        claimed, VYRE_CONTROL_DONE_COUNT);
    g_autoptr (VyreBatch) batch = test_run_text (&t, text, data, 5000);
    g_assert_cmpuint (vyre_batch_get_completion (batch)->payload_bytes, ==, 100);
    vyre_batch_check (batch, &error);
    g_assert_no_error (error);
  }
}

/* vyre_batch_check() fails a batch that read too few bytes, whatever the program stores. */
static void
test_check (void)
{
  static const char *const texts[]
      = { "u8_stats payload -> stats", "u8_stats payload -> stats; op 1, 77, 1" };
  g_autofree guint8 *data = g_malloc0 (5000);

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (VyreBatch) batch = test_run_text (&t, texts[i], data, 5000);
    g_assert_true (vyre_batch_check (batch, NULL));
    batch->completion.payload_bytes -= 16;
    g_assert_false (vyre_batch_check (batch, &error));
    g_assert_error (error, VYRE_ERROR, VYRE_ERROR_STUCK);
    g_assert_nonnull (strstr (error->message, "4984 of 5000"));
    g_assert_nonnull (strstr (error->message, "Fix: "));
  }
}

static guint32
random_word (void)
{
  static const guint32 edges[]
      = { 0, 1, 7, 31, 32, 159, N_WORDS - 1, N_WORDS, G_MAXINT32, G_MAXUINT32 };

  return g_test_rand_bit () ? edges[g_test_rand_int_range (0, G_N_ELEMENTS (edges))]
                            : (guint32)g_test_rand_int ();
}

/* A slot with a random operation on the control word @target; the test runs it for every word. */
static void
random_slot (guint32 *slot, guint32 target)
{
  static const guint32 opcodes[] = { VYRE_OP_STORE_U32, VYRE_OP_ATOMIC_ADD, VYRE_OP_COMPARE_SWAP,
    VYRE_OP_MEMCPY, VYRE_OP_LOAD_U32, VYRE_OP_PRINTF, VYRE_OP_LOAD_MISS, VYRE_OP_APPEND,
    VYRE_OP_SYNC, VYRE_OP_LOAD_WORDS, VYRE_OP_SHUTDOWN, VYRE_OP_BATCH_FENCE };
  guint pick = (guint)g_test_rand_int_range (0, 2 * G_N_ELEMENTS (opcodes));

  memset (slot, 0, 4 * VYRE_SLOT_WORDS);
  slot[VYRE_SLOT_STATUS] = VYRE_STATUS_PUBLISHED;
  slot[VYRE_SLOT_OPCODE] = opcodes[pick < G_N_ELEMENTS (opcodes) ? pick : pick % 4];
  slot[VYRE_SLOT_TENANT] = g_test_rand_int_range (0, 4) ? 0 : random_word ();
  slot[VYRE_SLOT_PRIORITY] = (guint32)g_test_rand_int_range (0, VYRE_PRIORITY_LEVELS);
  slot[VYRE_SLOT_ARGS] = random_word ();
  slot[VYRE_SLOT_ARGS + 1] = target;
  slot[VYRE_SLOT_ARGS + 2] = random_word ();
  if (slot[VYRE_SLOT_OPCODE] == VYRE_OP_COMPARE_SWAP)
    slot[VYRE_SLOT_ARGS] = target;
  if (slot[VYRE_SLOT_OPCODE] == VYRE_OP_MEMCPY) {
    slot[VYRE_SLOT_ARGS] %= OBS;
    slot[VYRE_SLOT_ARGS + 2] %= N_OBSERVABLES;
  }
}

static void
check_next (void)
{
  g_autoptr (VyreBatch) batch = test_run_text (&t, "store_u32 5 -> a; batch_fence", NULL, 0);

  g_assert_cmpuint (test_observable (batch, 1), ==, 5);
  g_assert_cmpuint (
      vyre_read_word (vyre_batch_get_readback (batch), VYRE_CONTROL_DONE_COUNT), ==, 2);
}

static void
run_random (VyreSchedule schedule, guint32 target)
{
  guint32 control[N_WORDS], ring[N_SLOTS * VYRE_SLOT_WORDS];
  guint32 log[VYRE_DEBUG_WORDS] = { 0 }, io[VYRE_IO_WORDS] = { 0 };
  GError *error = NULL;
  VyreTelemetry telemetry;
  VyreRuntimeCounters counters;

  vyre_encode_control_into (control, sizeof control, N_OBSERVABLES, 2, FALSE, &error);
  g_assert_no_error (error);
  vyre_write_priority_offsets (control, sizeof control, N_SLOTS, NULL);
  for (guint slot = 0; slot < N_SLOTS; slot++)
    random_slot (&ring[slot * VYRE_SLOT_WORDS], slot % 4 ? random_word () % N_WORDS : target);
  VyreParts parts = { .data = { control, ring, log, io },
    .size = { sizeof control, sizeof ring, sizeof log, sizeof io },
    .schedule = schedule };
  g_autoptr (VyrePlan) plan
      = vyre_plan_new_from_parts (&parts, 0, vyre_megakernel_get_workgroup (t.kernel), &error);
  g_assert_no_error (error);
  g_autoptr (VyreBatch) batch = test_run (&t, plan, 0, &(VyrePayload){ 0 });
  const guint8 *readback = vyre_batch_get_readback (batch);
  const VyreLayout *layout = vyre_plan_get_layout (plan);
  vyre_batch_check (batch, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (vyre_batch_get_completion (batch)->payload_bytes, ==, 0);
  vyre_telemetry_read (&telemetry, readback, layout->size[VYRE_PART_CONTROL],
      readback + layout->offset[VYRE_PART_RING], layout->size[VYRE_PART_RING], &error);
  g_assert_no_error (error);
  vyre_telemetry_count (&telemetry, &counters);
  g_assert_cmpuint (counters.n_slots, ==, N_SLOTS);
  g_assert_cmpuint (counters.n_faults, ==, vyre_batch_get_completion (batch)->faults);
}

static void
test_every_word (void)
{
  for (guint i = 0; i < test_times (1, 20); i++) {
    for (guint32 word = 0; word < N_WORDS; word++) {
      run_random (VYRE_SCHEDULE_SLOTS, word);
      run_random (VYRE_SCHEDULE_PRIORITY, word);
    }
    check_next ();
  }
}

/* With the table of masks moved, a tenant of any number is authorised, and the place of its quota
 * lies outside of the table. It has no quota. */
static void
test_moved_table (void)
{
  guint32 control[N_WORDS], ring[2 * VYRE_SLOT_WORDS] = { 0 };
  guint32 log[VYRE_DEBUG_WORDS] = { 0 }, io[VYRE_IO_WORDS] = { 0 };
  GError *error = NULL;

  vyre_encode_control_into (control, sizeof control, N_OBSERVABLES, 2, FALSE, &error);
  g_assert_no_error (error);
  vyre_write_priority_offsets (control, sizeof control, 2, NULL);
  const guint32 tenant = 0x10000;
  control[VYRE_CONTROL_TENANT_BASE] = VYRE_CONTROL_TENANT_MASKS - tenant;
  for (guint slot = 0; slot < 2; slot++) {
    const guint32 words[] = { VYRE_STATUS_PUBLISHED, VYRE_OP_NOP, tenant };
    memcpy (&ring[slot * VYRE_SLOT_WORDS], words, sizeof words);
  }
  VyreParts parts = { .data = { control, ring, log, io },
    .size = { sizeof control, sizeof ring, sizeof log, sizeof io },
    .schedule = VYRE_SCHEDULE_PRIORITY };
  g_autoptr (VyrePlan) plan
      = vyre_plan_new_from_parts (&parts, 0, vyre_megakernel_get_workgroup (t.kernel), &error);
  g_assert_no_error (error);
  /* words behind the batch that would be a quota */
  VyreStore *store = vyre_megakernel_get_readbacks (t.kernel);
  if (vyre_megakernel_get_placement (t.kernel) == VYRE_PLACEMENT_UNIFIED)
    memset (vyre_store_get_data (store), 1, vyre_store_get_size (store) / 2);
  g_autoptr (VyreBatch) batch = test_run (&t, plan, 0, &(VyrePayload){ 0 });
  g_assert_cmpuint (
      vyre_read_word (vyre_batch_get_readback (batch), VYRE_CONTROL_DONE_COUNT), ==, 0);
}

int
main (int argc, char **argv)
{
  VyreMegakernelParams params = test_params ();

  g_test_init (&argc, &argv, NULL);
  test_kernel_open (&t, &params);
  g_test_add_func ("/forged/done-count", test_done_count);
  g_test_add_func ("/forged/check", test_check);
  g_test_add_func ("/forged/every-word", test_every_word);
  g_test_add_func ("/forged/moved-table", test_moved_table);
  int result = g_test_run ();
  test_kernel_close (&t);
  return result;
}
