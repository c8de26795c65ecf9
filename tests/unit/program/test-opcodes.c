/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The opcodes that work on control words, on the real kernel: effects, faults,
 * counts, authorisation, packed slots, the debug log and the fence.
 */
#include "kernel-common.h"

static TestKernel t;

#define OBS VYRE_CONTROL_OBSERVABLES

typedef struct {
  VyreBatch *batch;
  VyrePlan *plan;
  const guint8 *control;
  const guint8 *ring;
  const guint8 *log;
} Run;

static Run
run (const char *text, guint observables)
{
  Run r = { 0 };
  VyrePayload nothing = { 0 };

  r.plan = test_plan (&t, text, 0, 0, observables);
  r.batch = test_run (&t, r.plan, 5, &nothing);
  r.control = vyre_batch_get_readback (r.batch);
  r.ring = r.control + vyre_plan_get_layout (r.plan)->offset[VYRE_PART_RING];
  r.log = r.control + vyre_plan_get_layout (r.plan)->offset[VYRE_PART_DEBUG_LOG];
  return r;
}

static void
run_clear (Run *r)
{
  vyre_batch_free (r->batch);
  vyre_plan_unref (r->plan);
}

static guint32
word (const Run *r, guint index)
{
  return vyre_read_word (r->control, index);
}

static guint32
status (const Run *r, guint slot)
{
  return vyre_read_word (r->ring, slot * VYRE_SLOT_WORDS + VYRE_SLOT_STATUS);
}

static void
test_store_add_load (void)
{
  Run r = run ("store_u32 7, 161; atomic_add 5, 162; atomic_add 6, 162; load_u32 2, 3", 8);

  g_assert_cmpuint (word (&r, OBS + 1), ==, 7);
  g_assert_cmpuint (word (&r, OBS + 2), ==, 11);
  g_assert_cmpuint (word (&r, OBS + 3), ==, VYRE_CONTROL_TENANT_MASKS);
  g_assert_cmpuint (word (&r, VYRE_CONTROL_DONE_COUNT), ==, 5);
  g_assert_cmpuint (word (&r, VYRE_CONTROL_METRICS + VYRE_OP_STORE_U32), ==, 1);
  g_assert_cmpuint (word (&r, VYRE_CONTROL_METRICS + VYRE_OP_ATOMIC_ADD), ==, 2);
  g_assert_cmpuint (word (&r, VYRE_CONTROL_METRICS + VYRE_OP_LOAD_U32), ==, 1);
  g_assert_cmpuint (word (&r, VYRE_CONTROL_METRICS + VYRE_OP_BATCH_FENCE), ==, 1);
  for (guint slot = 0; slot < 5; slot++)
    g_assert_cmpuint (status (&r, slot), ==, VYRE_STATUS_DONE);
  run_clear (&r);
}

static void
test_compare_swap (void)
{
  /* the target numbers the observable: word 2 reports to observable 2 */
  Run hit = run ("compare_swap 2, 3, 99", 8);
  g_assert_cmpuint (word (&hit, 2), ==, 99);
  g_assert_cmpuint (word (&hit, OBS + 2), ==, 3);
  run_clear (&hit);
  Run miss = run ("compare_swap 2, 4, 99", 8);
  g_assert_cmpuint (word (&miss, 2), ==, 3);
  g_assert_cmpuint (word (&miss, OBS + 2), ==, 3);
  run_clear (&miss);
}

static void
test_fence (void)
{
  Run r = run ("batch_fence 3, 1234; store_u32 9, 160; store_u32 1, 161; nop", 4);

  g_assert_cmpuint (word (&r, VYRE_CONTROL_EPOCH), ==, 1);
  g_assert_cmpuint (word (&r, OBS), ==, 1234); /* loads come after the store, wherever it stands */
  g_assert_cmpuint (word (&r, VYRE_CONTROL_DONE_COUNT), ==, 4);
  run_clear (&r);
  Run tag = run ("nop", 4);
  g_assert_cmpuint (word (&tag, OBS), ==, 5);
  run_clear (&tag);
}

static void
test_shutdown (void)
{
  Run r = run ("shutdown; store_u32 1, 161", 4);

  g_assert_cmpuint (word (&r, VYRE_CONTROL_SHUTDOWN), ==, 1);
  g_assert_cmpuint (word (&r, OBS + 1), ==, 1); /* takes effect at the next pass */
  g_assert_cmpuint (status (&r, 0), ==, VYRE_STATUS_DONE);
  run_clear (&r);
}

static void
test_faults (void)
{
  static const char *const programs[]
      = { "store_u32 1, 168", "store_u32 1, 4294967295", "atomic_add 1, 168", "load_u32 168, 1",
          "load_u32 1, 8", "compare_swap 168, 0, 1", "compare_swap 8, 0, 1", "memcpy 160, 165, 4",
          "memcpy 165, 160, 4", "memcpy 4294967295, 160, 2", "memcpy 160, 161, 4294967295",
          "dfa_step 1, 2", "op 8", "op 31", "op 0x50000000", "op 0x80000002", "op 0xFFF0" };

  for (guint i = 0; i < G_N_ELEMENTS (programs); i++) {
    Run r = run (programs[i], 8);
    g_test_message ("%s", programs[i]);
    g_assert_cmpuint (status (&r, 0), ==, VYRE_STATUS_FAULT);
    g_assert_cmpuint (status (&r, 1), ==, VYRE_STATUS_DONE);
    g_assert_cmpuint (word (&r, VYRE_CONTROL_DONE_COUNT), ==, 2);
    g_assert_cmpuint (vyre_batch_get_completion (r.batch)->faults, ==, 1);
    for (guint index = 1; index < 8; index++)
      g_assert_cmpuint (word (&r, OBS + index), ==, 0);
    run_clear (&r);
  }
}

/* Unknown opcodes below 32 count in the metrics, as known ones do. */
static void
test_metrics_of_unknown (void)
{
  Run r = run ("op 30; op 31; op 32", 2);

  g_assert_cmpuint (word (&r, VYRE_CONTROL_METRICS + 30), ==, 1);
  g_assert_cmpuint (word (&r, VYRE_CONTROL_METRICS + 31), ==, 1);
  g_assert_cmpuint (word (&r, VYRE_CONTROL_EPOCH), ==, 1); /* opcode 32 has not raised it */
  run_clear (&r);
}

static void
naive_copy (guint32 *words, guint from, guint to, guint count)
{
  for (guint i = 0; i < count; i++)
    words[to + i] = words[from + i];
}

/* Short copies run on a lane, long ones on the whole workgroup; both smear as the ascending loop
 * does. */
static void
test_memcpy (void)
{
  static const struct {
    guint from, to, count;
  } copies[] = { { 160, 200, 8 }, { 160, 162, 20 }, { 162, 160, 20 }, { 160, 160, 30 },
    { 160, 1000, 700 }, { 160, 161, 700 }, { 160, 173, 999 }, { 175, 160, 999 }, { 160, 2000, 0 },
    { 2000, 160, 8160 }, { 160, 2000, 8160 }, { 4, 300, 100 } };

  for (guint i = 0; i < G_N_ELEMENTS (copies); i++) {
    g_autofree guint32 *words = g_new0 (guint32, OBS + 10000);
    g_autofree char *copy = g_strdup_printf (
        "no_fence; memcpy %u, %u, %u", copies[i].from, copies[i].to, copies[i].count);
    Run r = run (copy, 10000);
    vyre_encode_control_into (words, 4 * (OBS + 10000), 10000, 1, FALSE, NULL);
    words[VYRE_CONTROL_METRICS + VYRE_OP_MEMCPY] = 1;
    naive_copy (words, copies[i].from, copies[i].to, copies[i].count);
    words[VYRE_CONTROL_DONE_COUNT] = 1;
    g_assert_cmpuint (status (&r, 0), ==, VYRE_STATUS_DONE);
    g_assert_cmpmem (r.control, 4 * (OBS + 10000), words, 4 * (OBS + 10000));
    run_clear (&r);
  }
}

/* A copy of words that differ: words 2…31 hold the tenant table. */
static void
test_memcpy_smears_pattern (void)
{
  Run r = run ("no_fence; packed_slot { memcpy 0, 160, 96 | memcpy 160, 167, 4000 }", 5000);
  g_autofree guint32 *words = g_new0 (guint32, OBS + 5000);

  vyre_encode_control_into (words, 4 * (OBS + 5000), 5000, 1, FALSE, NULL);
  words[VYRE_CONTROL_METRICS + VYRE_OP_MEMCPY] = 1; /* as the first copy finds it */
  naive_copy (words, 0, 160, 96);
  naive_copy (words, 160, 167, 4000);
  g_assert_cmpuint (status (&r, 0), ==, VYRE_STATUS_DONE);
  g_assert_cmpmem (r.control + 4 * OBS, 4 * 5000, (const guint8 *)words + 4 * OBS, 4 * 5000);
  run_clear (&r);
}

static void
test_packed (void)
{
  Run r = run ("packed_slot { store_u32 7, 161 | atomic_add 2, 162 | atomic_add 3, 162 | load_u32 "
               "161, 3 } ; packed_slot { nop | nop | nop | nop | nop | store_u32 4, 164 }",
      8);

  g_assert_cmpuint (word (&r, OBS + 1), ==, 7);
  g_assert_cmpuint (word (&r, OBS + 2), ==, 5);
  g_assert_cmpuint (word (&r, OBS + 3), ==, 7);
  g_assert_cmpuint (word (&r, OBS + 4), ==, 4);
  g_assert_cmpuint (word (&r, VYRE_CONTROL_METRICS + VYRE_OP_NOP), ==, 5);
  g_assert_cmpuint (word (&r, VYRE_CONTROL_METRICS + VYRE_OP_STORE_U32), ==, 2);
  g_assert_cmpuint (word (&r, VYRE_CONTROL_DONE_COUNT), ==, 3);
  run_clear (&r);
}

static void
test_packed_fault (void)
{
  Run r = run ("packed_slot { store_u32 7, 161 | store_u32 8, 9999 | store_u32 9, 162 }", 8);

  g_assert_cmpuint (status (&r, 0), ==, VYRE_STATUS_FAULT);
  g_assert_cmpuint (word (&r, OBS + 1), ==, 7);
  g_assert_cmpuint (word (&r, OBS + 2), ==, 9);
  run_clear (&r);
  Run bad = run ("op 0x80000001, 0xFF", 8); /* 255 operations cannot fit */
  g_assert_cmpuint (status (&bad, 0), ==, VYRE_STATUS_FAULT);
  run_clear (&bad);
}

/* A fence inside a packed slot runs last, too. */
static void
test_packed_fence (void)
{
  /* one inner op (7), two argument words from word 1 on: count 0, tag 42 */
  Run r = run ("no_fence; op 0x80000001, 0x00070201, 0, 42; store_u32 9, 160", 8);

  g_assert_cmpuint (word (&r, OBS), ==, 42);
  g_assert_cmpuint (word (&r, VYRE_CONTROL_EPOCH), ==, 1);
  run_clear (&r);
}

static void
test_tenants (void)
{
  /* only tenant 0 is authorised; 29 would look into the quotas */
  Run r = run ("store_u32 1, 161 @tenant=1; store_u32 1, 162 @tenant=29; store_u32 1, 163 "
               "@tenant=4294967295; store_u32 1, 164; u8_stats payload -> 5 @tenant=3",
      16);

  for (guint slot = 0; slot < 3; slot++)
    g_assert_cmpuint (status (&r, slot), ==, VYRE_STATUS_PUBLISHED);
  g_assert_cmpuint (status (&r, 3), ==, VYRE_STATUS_DONE);
  g_assert_cmpuint (status (&r, 4), ==, VYRE_STATUS_PUBLISHED);
  g_assert_cmpuint (word (&r, OBS + 1), ==, 0);
  g_assert_cmpuint (word (&r, OBS + 2), ==, 0);
  g_assert_cmpuint (word (&r, OBS + 3), ==, 0);
  g_assert_cmpuint (word (&r, OBS + 4), ==, 1);
  g_assert_cmpuint (word (&r, VYRE_CONTROL_DONE_COUNT), ==, 2);
  run_clear (&r);
}

static void
test_printf (void)
{
  Run r = run ("nop; printf 10, 20, 30; printf 11", 2);
  VyreDebugRecord records[VYRE_DEBUG_RECORDS];
  GError *error = NULL;
  guint n, seen = 0;

  vyre_read_debug_log (r.log, 4 * VYRE_DEBUG_WORDS, records, VYRE_DEBUG_RECORDS, &n, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (n, ==, 2);
  for (guint i = 0; i < n; i++) {
    const guint32 *w = records[i].words;
    if (w[0] == 10 && w[1] == 20 && w[2] == 30 && w[3] == 16)
      seen |= 1;
    if (w[0] == 11 && w[1] == 0 && w[2] == 0 && w[3] == 32)
      seen |= 2;
  }
  g_assert_cmpuint (seen, ==, 3);
  run_clear (&r);
}

/* A full log keeps its 64 records and stays readable; the others are counted. */
static void
test_printf_overflow (void)
{
  GString *text = g_string_new (NULL);
  VyreDebugRecord records[VYRE_DEBUG_RECORDS];
  gboolean seen[100] = { 0 };
  GError *error = NULL;
  guint n;

  for (guint i = 0; i < 100; i++)
    g_string_append_printf (text, "printf %u, %u, 3\n", i, 2 * i);
  Run r = run (text->str, 2);
  vyre_read_debug_log (r.log, 4 * VYRE_DEBUG_WORDS, records, VYRE_DEBUG_RECORDS, &n, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (n, ==, VYRE_DEBUG_RECORDS);
  for (guint i = 0; i < n; i++) {
    guint32 id = records[i].words[0];
    g_assert_cmpuint (id, <, 100);
    g_assert_false (seen[id]);
    seen[id] = TRUE;
    g_assert_cmpuint (records[i].words[1], ==, 2 * id);
  }
  g_assert_cmpuint (vyre_batch_get_completion (r.batch)->dropped_records, ==, 36);
  g_assert_cmpuint (word (&r, VYRE_CONTROL_DONE_COUNT), ==, 101);
  run_clear (&r);
  g_string_free (text, TRUE);
}

static void
test_many_slots (void)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < 5000; i++)
    g_string_append (text, i % 7 ? "atomic_add 1, 161\n" : "atomic_add 3, 162\n");
  Run r = run (text->str, 4);
  g_assert_cmpuint (word (&r, OBS + 1), ==, 5000 - 715);
  g_assert_cmpuint (word (&r, OBS + 2), ==, 715 * 3);
  g_assert_cmpuint (word (&r, VYRE_CONTROL_DONE_COUNT), ==, 5001);
  run_clear (&r);
  g_string_free (text, TRUE);
}

/* A plan with too much work for one batch is refused. */
static void
test_refusal (void)
{
  GError *error = NULL;
  g_autoptr (VyreProgram) program = vyre_program_assemble (
      "packed_slot { memcpy 160, 161, 1000000 | memcpy 160, 161, 1000000 | memcpy 160, 161, "
      "1000000 }",
      &error);
  g_assert_no_error (error);
  g_autoptr (VyreSymbols) symbols = vyre_symbols_new ();
  g_autoptr (VyreBoundProgram) bound
      = vyre_program_bind (program, symbols, 0, 0, VYRE_MAX_OBSERVABLES, &error);
  g_assert_no_error (error);
  g_assert_null (vyre_plan_new (bound, 0, 8, NULL, &error));
  g_assert_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE);
  g_assert_nonnull (strstr (error->message, "Fix: "));
  g_clear_error (&error);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  VyreMegakernelParams params = test_params ();
  test_kernel_open (&t, &params);
  g_test_add_func ("/opcodes/store-add-load", test_store_add_load);
  g_test_add_func ("/opcodes/compare-swap", test_compare_swap);
  g_test_add_func ("/opcodes/fence-comes-last", test_fence);
  g_test_add_func ("/opcodes/shutdown", test_shutdown);
  g_test_add_func ("/opcodes/faults-have-no-effect", test_faults);
  g_test_add_func ("/opcodes/metrics-of-unknown", test_metrics_of_unknown);
  g_test_add_func ("/opcodes/memcpy", test_memcpy);
  g_test_add_func ("/opcodes/memcpy-smears-pattern", test_memcpy_smears_pattern);
  g_test_add_func ("/opcodes/packed", test_packed);
  g_test_add_func ("/opcodes/packed-fault", test_packed_fault);
  g_test_add_func ("/opcodes/packed-fence-comes-last", test_packed_fence);
  g_test_add_func ("/opcodes/tenants", test_tenants);
  g_test_add_func ("/opcodes/printf", test_printf);
  g_test_add_func ("/opcodes/printf-overflow", test_printf_overflow);
  g_test_add_func ("/opcodes/many-slots", test_many_slots);
  g_test_add_func ("/opcodes/refusal", test_refusal);
  int result = g_test_run ();
  test_kernel_close (&t);
  return result;
}
