/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Several threads at one kernel or at two: a plan's template belongs to one kernel, and a thread
 * that reads counters does not wait for others.
 */
#include "kernel-common.h"
#include "kernel/types.h"

/* Two kernels. The second publishes the plan after the first has looked for a template of it, and
 * before the first keeps its own. */
typedef struct {
  TestKernel peers[2];
  VyrePlan *plan;
  gsize all; /* the memory for batches of the first kernel */
} Pair;

static void
run_on (Pair *pair, guint peer, guint32 tag)
{
  g_autoptr (VyreBatch) batch = test_run (&pair->peers[peer], pair->plan, tag, &(VyrePayload){ 0 });

  g_assert_cmpuint (test_observable (batch, 0), ==, tag);
  g_assert_cmpuint (test_observable (batch, 1), ==, 77);
}

/* The first kernel has no room for its template. Before the room is freed, the second kernel keeps
 * its own. */
static gboolean
publish_meanwhile (gpointer data)
{
  Pair *pair = data;
  VyreStore *work = pair->peers[0].kernel->work;

  if (pair->all == VYRE_NOWHERE)
    return FALSE;
  run_on (pair, 1, 1);
  vyre_store_free (work, pair->all);
  pair->all = VYRE_NOWHERE;
  return TRUE;
}

/* The template of a plan belongs to the kernel that keeps one first, also while the other is about
 * to keep its own. Results are right on both, and no memory of it is left in the end. */
static void
test_plan_of_two (void)
{
  VyreMegakernelParams params = test_params ();
  Pair pair;

  params.placement = VYRE_PLACEMENT_BAR;
  params.residency = VYRE_RESIDENCY_DISPATCH;
  for (guint i = 0; i < 2; i++) {
    test_kernel_open (&pair.peers[i], &params);
    g_assert_cmpuint (vyre_store_get_used (pair.peers[i].kernel->work), ==, 0);
  }
  VyreStore *work = pair.peers[0].kernel->work;
  pair.plan = test_plan (&pair.peers[0], "store_u32 77 -> a; batch_fence", 0, 0, 0);
  g_assert_true (vyre_store_alloc (work, vyre_store_get_size (work), 0, &pair.all));
  vyre_store_set_reclaim (work, publish_meanwhile, &pair);
  for (guint i = 0; i < 4; i++)
    run_on (&pair, i % 2, 2 + i);
  g_assert_cmpuint (pair.all, ==, VYRE_NOWHERE); /* the second kernel did come in between */
  vyre_store_set_reclaim (work, NULL, NULL);
  vyre_plan_unref (pair.plan);
  for (guint i = 0; i < 2; i++) {
    g_assert_cmpuint (vyre_store_get_used (pair.peers[i].kernel->work), ==, 0);
    test_kernel_close (&pair.peers[i]);
  }
}

typedef struct {
  gint released;
  GThread *by;
} Owner;

static void
note_release (gpointer data)
{
  Owner *owner = data;

  owner->by = g_thread_self ();
  g_atomic_int_set (&owner->released, 1);
}

/* Threads of the kernel release payloads, not the thread that reads the counters: the owner of a
 * payload, and the device that an import waits for, may take their time. */
static void
test_counters_wait_for_nobody (void)
{
  VyreMegakernelParams params = test_params ();
  gint64 end = g_get_monotonic_time () + TEST_DEADLINE;
  VyreMegakernelCounters counters;
  GError *error = NULL;
  TestKernel t;

  test_kernel_open (&t, &params);
  g_autoptr (VyrePlan) plan = test_plan (&t, "nop", 0, 0, 0);
  for (guint i = 0; i < 200; i++) {
    Owner owner = { 0 };
    VyrePayload payload = { .release = note_release, .owner = &owner };
    VyreBatch *batch = vyre_megakernel_publish (t.kernel, plan, i, &payload, end, &error);
    g_assert_no_error (error);
    while (!g_atomic_int_get (&owner.released)) {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      vyre_megakernel_get_counters (t.kernel, &counters);
    }
    if (!t.kernel->traits->in_device_memory) /* otherwise publishing stores and releases it */
      g_assert_true (owner.by != g_thread_self ());
    g_assert_true (vyre_batch_wait (batch, end, &error));
    vyre_batch_free (batch);
  }
  test_kernel_close (&t);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/kernels/plan-of-two", test_plan_of_two);
  g_test_add_func ("/kernels/counters-wait-for-nobody", test_counters_wait_for_nobody);
  return g_test_run ();
}
