/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The first batch that needs rare operations, where no pipeline is cached: it waits for their
 * build, and no other thread does.
 */
#include "cache-common.h"
#include "kernel-common.h"
#include "kernel/types.h"

/* The deadline of a caller that does not wait, also on a busy machine. */
#define AT_ONCE (2 * G_TIME_SPAN_SECOND)

static char *home;

/* A ring with priorities and one slot that does nothing. */
typedef struct {
  VyreParts parts;
  VyrePlan *plan;
} Ranked;

static void
ranked_init (Ranked *ranked, TestKernel *t)
{
  static const guint32 counts[VYRE_N_PARTS] = { 0, 1, VYRE_DEBUG_RECORDS, VYRE_IO_SLOTS };
  GError *error = NULL;

  *ranked = (Ranked){ .parts.schedule = VYRE_SCHEDULE_PRIORITY };
  for (VyrePart part = 0; part < VYRE_N_PARTS; part++) {
    ranked->parts.data[part]
        = vyre_encode_empty (part, counts[part], &ranked->parts.size[part], &error);
    g_assert_no_error (error);
  }
  ranked->plan = vyre_plan_new_from_parts (
      &ranked->parts, 0, vyre_megakernel_get_workgroup (t->kernel), &error);
  g_assert_no_error (error);
}

static void
ranked_clear (Ranked *ranked)
{
  vyre_plan_unref (ranked->plan);
  for (VyrePart part = 0; part < VYRE_N_PARTS; part++)
    g_free ((void *)ranked->parts.data[part]);
}

static VyreBatch *
publish (TestKernel *t, VyrePlan *plan, gint64 patience, GError **error)
{
  VyrePayload none = { 0 };
  gint64 end = patience > 0 ? g_get_monotonic_time () + patience : 0;

  return vyre_megakernel_publish (t->kernel, plan, 1, &none, end, error);
}

static void
run_patiently (TestKernel *t, VyrePlan *plan)
{
  GError *error = NULL;
  VyreBatch *batch = publish (t, plan, TEST_COMPILE_DEADLINE, &error);

  g_assert_no_error (error);
  vyre_batch_wait (batch, g_get_monotonic_time () + TEST_COMPILE_DEADLINE, &error);
  g_assert_no_error (error);
  vyre_batch_free (batch);
}

/* Opens a kernel with an empty pipeline cache. */
static void
open_cold (TestKernel *t)
{
  VyreMegakernelParams params = test_params ();

  test_remove (home);
  g_assert_cmpint (g_mkdir (home, 0700), ==, 0);
  test_kernel_open (t, &params);
}

typedef struct {
  TestKernel *t;
  VyrePlan *plan;
  gint64 took;
  gint over;
} Waiter;

static gpointer
wait_for_full (gpointer data)
{
  Waiter *waiter = data;
  gint64 start = g_get_monotonic_time ();

  run_patiently (waiter->t, waiter->plan);
  waiter->took = g_get_monotonic_time () - start;
  g_atomic_int_set (&waiter->over, TRUE);
  return NULL;
}

/* Two threads wait for the build while a third one publishes other batches. None of these takes
 * more than a small part of the time of the build. */
static void
test_others_go_on (void)
{
  TestKernel t;
  Ranked ranked;
  Waiter waiters[2];
  GThread *threads[2];
  gint64 longest = 0;
  guint n = 0;

  open_cold (&t);
  ranked_init (&ranked, &t);
  g_autoptr (VyrePlan) plain = test_plan (&t, "nop", 0, 0, 0);
  run_patiently (&t, plain);
  for (guint i = 0; i < 2; i++) {
    waiters[i] = (Waiter){ .t = &t, .plan = ranked.plan };
    threads[i] = g_thread_new ("waiter", wait_for_full, &waiters[i]);
  }
  while (!g_atomic_int_get (&waiters[0].over) || !g_atomic_int_get (&waiters[1].over)) {
    gint64 start = g_get_monotonic_time ();
    run_patiently (&t, plain);
    longest = MAX (longest, g_get_monotonic_time () - start);
    n++;
  }
  for (guint i = 0; i < 2; i++)
    g_thread_join (threads[i]);
  g_test_message ("%" G_GINT64_FORMAT
                  " us to wait for, %u batches meanwhile, the longest %" G_GINT64_FORMAT " us",
      waiters[0].took, n, longest);
  g_assert_cmpint (longest, <, MAX (waiters[0].took / 3, 100000));
  g_assert_cmpuint (n, >, 20);
  ranked_clear (&ranked);
  test_kernel_close (&t);
}

/* A caller without time to wait gets an error, and may try again. */
static void
test_time (void)
{
  TestKernel t;
  Ranked ranked;
  GError *error = NULL;
  VyreMegakernelParams params = test_params ();

  test_kernel_open (&t, &params);
  ranked_init (&ranked, &t);
  gint64 start = g_get_monotonic_time ();
  g_assert_null (publish (&t, ranked.plan, 0, &error));
  g_assert_cmpint (g_get_monotonic_time () - start, <, AT_ONCE);
  g_assert_error (error, VYRE_ERROR, VYRE_ERROR_TIMEOUT);
  g_assert_nonnull (strstr (error->message, "being compiled"));
  g_assert_nonnull (strstr (error->message, "Fix: "));
  g_clear_error (&error);
  run_patiently (&t, ranked.plan);
  run_patiently (&t, ranked.plan);
  ranked_clear (&ranked);
  test_kernel_close (&t);
}

/* The end of a kernel does not wait for a build that no batch will use. */
static void
test_given_up (void)
{
  TestKernel t;
  Ranked ranked;
  GError *error = NULL;

  open_cold (&t);
  ranked_init (&ranked, &t);
  g_assert_null (publish (&t, ranked.plan, 0, &error));
  g_assert_error (error, VYRE_ERROR, VYRE_ERROR_TIMEOUT);
  g_clear_error (&error);
  ranked_clear (&ranked);
  gint64 start = g_get_monotonic_time ();
  test_kernel_close (&t);
  g_assert_cmpint (g_get_monotonic_time () - start, <, AT_ONCE);
}

int
main (int argc, char **argv)
{
  home = test_cache_home ();
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rare-operations/others-go-on", test_others_go_on);
  g_test_add_func ("/rare-operations/time", test_time);
  g_test_add_func ("/rare-operations/given-up", test_given_up);
  int result = g_test_run ();
  test_remove (home);
  g_free (home);
  return result;
}
