/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A process that is stopped for longer than any of its waits may take. The device and the other
 * threads stood still meanwhile, so each wait goes on for the rest of its time.
 */
#include "kernel-common.h"
#include "lost.h"
#include "stop-common.h"
#include "kernel/types.h"

/* In seconds. */
#define STOP 3
#define DEADLINE 2

typedef struct {
  TestKernel kernel;
  VyrePlan *plan;
  VyreBatch *batches[2 * VYRE_MAX_BATCHES]; /* a launch that was leaving took the first of them */
  guint n_batches;
  VyreTenants *tenants;
  VyreTenant *tenant;
  gint64 end;
} Fixture;

/* Each of these waits for an event that never comes. */

static void
wait_for_batch (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (vyre_batch_wait (f->batches[f->n_batches - 1], f->end, &error));
  g_assert_error (error, VYRE_ERROR, VYRE_ERROR_TIMEOUT);
}

static void
wait_for_room (Fixture *f)
{
  const VyrePayload payload = { 0 };
  g_autoptr (GError) error = NULL;

  g_assert_null (vyre_megakernel_publish (f->kernel.kernel, f->plan, 1, &payload, f->end, &error));
  g_assert_error (error, VYRE_ERROR, VYRE_ERROR_TIMEOUT);
}

static void
wait_for_slice (Fixture *f)
{
  gsize offset;

  g_assert_false (
      vyre_store_alloc (vyre_megakernel_get_staging (f->kernel.kernel), 1, f->end, &offset));
}

static void
wait_for_quiet (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (vyre_tenant_quiesce (f->tenant, f->end, &error));
  g_assert_error (error, VYRE_ERROR, VYRE_ERROR_TIMEOUT);
}

typedef struct {
  Fixture *fixture;
  void (*wait) (Fixture *f);
  gint64 waited;
} Waiter;

static gpointer
run_waiter (gpointer data)
{
  Waiter *waiter = data;
  gint64 start = g_get_monotonic_time ();

  waiter->wait (waiter->fixture);
  waiter->waited = g_get_monotonic_time () - start;
  return NULL;
}

/* Publishes as many batches as there is room for, on a device that does nothing. */
static void
fixture_init (Fixture *f)
{
  VyreMegakernelParams params = test_params ();
  const VyrePayload payload = { 0 };
  VyreBatch *batch;
  gsize slice;

  *f = (Fixture){ .n_batches = 0 };
  params.residency = VYRE_RESIDENCY_RELAY; /* a launch that stays would go on with its batches */
  test_kernel_open (&f->kernel, &params);
  vyre_megakernel_set_active (f->kernel.kernel, FALSE);
  f->plan = test_plan (&f->kernel, "nop", 0, 0, 0);
  VyreStore *staging = vyre_megakernel_get_staging (f->kernel.kernel);
  g_assert_true (vyre_store_alloc (staging, vyre_store_get_size (staging), 0, &slice));
  f->tenants = vyre_tenants_new (VYRE_TENANT_LAST);
  f->tenant = vyre_tenants_register (f->tenants, "test", 1, NULL);
  vyre_tenant_note_published (f->tenant, 1);
  vyre_lost_stall (true);
  while ((batch = vyre_megakernel_publish (f->kernel.kernel, f->plan, 1, &payload, 0, NULL))) {
    g_assert_cmpuint (f->n_batches, <, G_N_ELEMENTS (f->batches));
    f->batches[f->n_batches++] = batch;
  }
  vyre_megakernel_set_active (f->kernel.kernel, TRUE);
}

static void
fixture_clear (Fixture *f)
{
  vyre_lost_stall (false);
  for (guint i = 0; i < f->n_batches; i++) {
    g_assert_true (vyre_batch_wait (f->batches[i], g_get_monotonic_time () + TEST_DEADLINE, NULL));
    vyre_batch_free (f->batches[i]);
  }
  vyre_tenant_unref (f->tenant);
  vyre_tenants_unref (f->tenants);
  vyre_plan_unref (f->plan);
  test_kernel_close (&f->kernel);
}

static void
test_waits_go_on (void)
{
  Fixture f;
  Waiter waiters[] = { { &f, wait_for_batch }, { &f, wait_for_room }, { &f, wait_for_slice },
    { &f, wait_for_quiet } };
  GThread *threads[G_N_ELEMENTS (waiters)];
  Stopper stopper;

  fixture_init (&f);
  stopper_start (&stopper, STOP);
  f.end = g_get_monotonic_time () + DEADLINE * G_TIME_SPAN_SECOND;
  for (guint i = 0; i < G_N_ELEMENTS (waiters); i++)
    threads[i] = g_thread_new ("waiter", run_waiter, &waiters[i]);
  stopper_stop (&stopper);
  for (guint i = 0; i < G_N_ELEMENTS (waiters); i++) {
    g_thread_join (threads[i]);
    g_test_message ("%u: %" G_GINT64_FORMAT " us", i, waiters[i].waited);
    g_assert_cmpint (waiters[i].waited, >, (2 * STOP + DEADLINE) * G_TIME_SPAN_SECOND / 2);
  }
  stopper_clear (&stopper);
  fixture_clear (&f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/stopped/waits-go-on", test_waits_go_on);
  return g_test_run ();
}
