/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Batches that are freed, and kernels whose last reference goes with a full ring: the device does
 * not run their work.
 */
#include "kernel-common.h"

/* The time that the last reference waits at most, and some more for a busy machine. */
#define BOUND (2 * G_TIME_SPAN_SECOND)

/* So many batches take a CPU many seconds. */
#define N_BATCHES 64
#define SIZE (1 << 20)
#define N_HISTOGRAMS 16

typedef struct {
  TestKernel t;
  VyrePlan *plan;
  gsize slice;
  VyrePayload payload;
  gint released;
  VyreBatch *batches[N_BATCHES];
} Dear;

static void
dear_open (Dear *dear)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree guint8 *bytes = g_malloc0 (SIZE);
  VyreMegakernelParams params = test_params ();

  for (guint i = 0; i < N_HISTOGRAMS; i++)
    g_string_append_printf (text, "u8_histogram payload -> h%u\n", i);
  *dear = (Dear){ .released = 0 };
  test_kernel_open (&dear->t, &params);
  dear->plan = test_plan (&dear->t, text->str, SIZE, 0, 0);
  dear->payload = test_stage (&dear->t, bytes, SIZE, 0, &dear->slice);
  dear->payload.release = test_count_release;
  dear->payload.owner = &dear->released;
}

static void
dear_publish (Dear *dear)
{
  GError *error = NULL;

  for (guint i = 0; i < N_BATCHES; i++) {
    dear->batches[i] = vyre_megakernel_publish (dear->t.kernel, dear->plan, i, &dear->payload,
        g_get_monotonic_time () + TEST_DEADLINE, &error);
    g_assert_no_error (error);
  }
}

static void
dear_drop (Dear *dear)
{
  for (guint i = 0; i < N_BATCHES; i++)
    vyre_batch_free (dear->batches[i]);
}

static void
wait_until_through (TestKernel *t)
{
  gint64 end = g_get_monotonic_time () + BOUND;

  while (test_counters (t).in_flight > 0) {
    g_assert_cmpint (g_get_monotonic_time (), <, end);
    g_thread_yield ();
  }
}

static void
dear_close (Dear *dear)
{
  vyre_store_free (vyre_megakernel_get_staging (dear->t.kernel), dear->slice);
  vyre_plan_unref (dear->plan);
  test_kernel_close (&dear->t);
}

/* TRUE, and skips the test, on a GPU, which may have run all batches before they are dropped. */
static gboolean
skip_unless_slow (const Dear *dear)
{
  if (vyre_device_is_cpu (dear->t.device))
    return FALSE;
  g_test_skip ("the device is too fast");
  return TRUE;
}

static void
test_last_reference (void)
{
  Dear dear;

  dear_open (&dear);
  if (skip_unless_slow (&dear)) {
    dear_close (&dear);
    return;
  }
  dear_publish (&dear);
  gint64 start = g_get_monotonic_time ();
  dear_drop (&dear);
  dear_close (&dear);
  g_assert_cmpint (g_get_monotonic_time () - start, <, BOUND);
  g_assert_cmpint (g_atomic_int_get (&dear.released), ==, N_BATCHES);
}

/* Freed batches that have not begun do not run, as many as a busy machine has left. Each payload is
 * released once, and a batch of another owner runs as ever. */
static void
test_others_go_on (void)
{
  Dear dear;
  static const guint8 data[] = "what somebody wants";

  dear_open (&dear);
  if (skip_unless_slow (&dear)) {
    dear_close (&dear);
    return;
  }
  for (guint round = 1; round <= 3; round++) {
    guint64 dropped = test_counters (&dear.t).dropped, tickets = test_counters (&dear.t).tickets;
    dear_publish (&dear);
    dear_drop (&dear);
    VyreBatch *batch
        = test_run_text (&dear.t, "crc32 payload -> c\nu8_stats payload -> s", data, sizeof data);
    g_assert_cmphex (test_observable (batch, 1), ==, crc32 (0, data, sizeof data));
    g_assert_cmpuint (vyre_batch_get_completion (batch)->payload_bytes, ==, 2 * sizeof data);
    vyre_batch_free (batch);
    wait_until_through (&dear.t); /* another workgroup may have begun one of the batches */
    g_assert_cmpint (g_atomic_int_get (&dear.released), ==, N_BATCHES * (gint)round);
    dropped = test_counters (&dear.t).dropped - dropped;
    tickets = test_counters (&dear.t).tickets - tickets;
    g_test_message (
        "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " tickets not run", dropped, tickets);
    g_assert_cmpuint (dropped, >, 0);
    g_assert_cmpuint (dropped, <, tickets);
  }
  dear_close (&dear);
}

/* A batch that is kept runs whole between batches that are freed. */
static void
test_kept_among_dropped (void)
{
  Dear dear;
  GError *error = NULL;
  VyreBatch *kept;

  dear_open (&dear);
  if (skip_unless_slow (&dear)) {
    dear_close (&dear);
    return;
  }
  dear_publish (&dear);
  for (guint i = 0; i < N_BATCHES; i++) {
    if (i != N_BATCHES / 2)
      vyre_batch_free (dear.batches[i]);
  }
  kept = dear.batches[N_BATCHES / 2];
  vyre_batch_wait (kept, g_get_monotonic_time () + TEST_DEADLINE, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (
      vyre_batch_get_completion (kept)->payload_bytes, ==, N_HISTOGRAMS * (guint64)SIZE);
  for (guint i = 0; i < N_HISTOGRAMS; i++)
    g_assert_cmpuint (test_observable (kept, 1 + 256 * i), ==, SIZE);
  vyre_batch_free (kept);
  dear_close (&dear);
  g_assert_cmpint (g_atomic_int_get (&dear.released), ==, N_BATCHES);
}

/* Some of many small batches end while they are freed: none is lost, and none has the results of
 * another. */
static void
test_small_batches (void)
{
  TestKernel t;
  VyreMegakernelParams params = test_params ();
  guint8 bytes[1000] = { 0 };
  GError *error = NULL;
  gsize slice;

  test_kernel_open (&t, &params);
  g_autoptr (VyrePlan) plan = test_plan (&t, "u8_stats payload -> s", sizeof bytes, 0, 0);
  VyrePayload payload = test_stage (&t, bytes, sizeof bytes, 0, &slice);
  for (guint i = 0; i < 5000; i++) {
    VyreBatch *batch = vyre_megakernel_publish (
        t.kernel, plan, i, &payload, g_get_monotonic_time () + TEST_DEADLINE, &error);
    g_assert_no_error (error);
    if (i % 3 == 0) {
      vyre_batch_wait (batch, g_get_monotonic_time () + TEST_DEADLINE, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (test_observable (batch, 0), ==, i);
      g_assert_cmpuint (test_observable (batch, 1 + VYRE_U8_STATS_COUNT), ==, sizeof bytes);
    }
    vyre_batch_free (batch);
  }
  wait_until_through (&t);
  vyre_store_free (vyre_megakernel_get_staging (t.kernel), slice);
  test_kernel_close (&t);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/teardown/last-reference", test_last_reference);
  g_test_add_func ("/teardown/others-go-on", test_others_go_on);
  g_test_add_func ("/teardown/kept-among-dropped", test_kept_among_dropped);
  g_test_add_func ("/teardown/small-batches", test_small_batches);
  return g_test_run ();
}
