/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A device that is lost under the runtime: every caller gets the error, and the kernel can be
 * taken down.
 */
#include <glib/gstdio.h>
#include <unistd.h>

#include "parked-common.h"
#include "lost.h"

/* The time that the last reference waits at most, and some more for a busy machine. */
#define TEARDOWN (2 * G_TIME_SPAN_SECOND)

/* Opens a kernel and waits until it is parked, so that the next batch needs a launch. */
static void
open_parked (TestKernel *t)
{
  VyreMegakernelParams params = test_params ();

  test_kernel_open (t, &params);
  vyre_megakernel_set_active (t->kernel, FALSE);
  test_wait_until_parked (t);
  vyre_megakernel_set_active (t->kernel, TRUE);
}

static void
close_in_time (TestKernel *t)
{
  gint64 start = g_get_monotonic_time ();

  test_kernel_close (t);
  g_assert_cmpint (g_get_monotonic_time () - start, <, TEARDOWN);
}

static void
assert_lost (GError **error, const char *call)
{
  g_assert_error (*error, VYRE_ERROR, VYRE_ERROR_DEVICE_LOST);
  g_assert_nonnull (strstr ((*error)->message, call));
  g_assert_nonnull (strstr ((*error)->message, "Fix: "));
  g_clear_error (error);
}

/* A device that is only reported lost goes on with its launches; waits until they are told to
 * leave. */
static void
wait_until_told_to_leave (TestKernel *t)
{
  const guint32 *door = (const guint32 *)t->kernel->door.data;
  gint64 end = g_get_monotonic_time () + TEST_DEADLINE;
  guint32 last;

  do {
    g_assert_cmpint (g_get_monotonic_time (), <, end);
    g_mutex_lock (&t->kernel->lock);
    last = t->kernel->launch_sequence;
    g_mutex_unlock (&t->kernel->lock);
    g_thread_yield ();
  } while (__atomic_load_n (&door[VYRE_DOOR_RETIRE], __ATOMIC_ACQUIRE) <= last);
}

static void
test_lost_in_a_launch (void)
{
  TestKernel t;
  gint released = 0;
  GError *error = NULL;
  VyrePayload payload = { .release = test_count_release, .owner = &released };

  open_parked (&t);
  g_autoptr (VyrePlan) plan = test_plan (&t, "nop", 0, 0, 0);
  gint64 end = g_get_monotonic_time () + TEST_DEADLINE;
  vyre_lost_arm ("vkQueueSubmit", 1, 1);
  VyreBatch *batch = vyre_megakernel_publish (t.kernel, plan, 1, &payload, end, &error);
  g_assert_no_error (error);
  g_assert_false (vyre_batch_wait (batch, end, &error));
  assert_lost (&error, "vkQueueSubmit");
  g_assert_null (vyre_megakernel_publish (t.kernel, plan, 2, &payload, end, &error));
  assert_lost (&error, "vkQueueSubmit");
  g_assert_false (vyre_megakernel_check (t.kernel, &error));
  assert_lost (&error, "vkQueueSubmit");
  g_assert_cmpint (g_atomic_int_get (&released), ==, 0);
  vyre_batch_free (batch);
  /* the owner of the payload may need it before the last reference to the kernel is gone */
  g_assert_cmpint (g_atomic_int_get (&released), ==, 1);
  close_in_time (&t);
  g_assert_cmpint (g_atomic_int_get (&released), ==, 1);
}

/* The launcher notices the loss, and every waiter gets the error. */
static void
test_lost_while_batches_run (void)
{
  enum { N = 20 };
  TestKernel t;
  gint released = 0;
  guint failed = 0;
  GError *error = NULL;
  VyreBatch *batches[N];
  VyrePayload payload = { .release = test_count_release, .owner = &released };

  open_parked (&t);
  g_autoptr (VyrePlan) plan = test_plan (&t, "u8_histogram payload -> h", 4 << 20, 0, 0);
  gint64 end = g_get_monotonic_time () + TEST_DEADLINE;
  vyre_lost_arm ("vkWaitForFences", 1, 1);
  for (guint i = 0; i < N; i++) {
    batches[i] = vyre_megakernel_publish (t.kernel, plan, i, &payload, end, &error);
    if (!batches[i])
      assert_lost (&error, "vk"); /* a launch may notice it before the launcher does */
  }
  for (guint i = 0; i < N; i++) {
    if (!batches[i] || vyre_batch_wait (batches[i], end, &error))
      continue;
    assert_lost (&error, "vk");
    failed++;
  }
  g_assert_cmpuint (failed, >, 0);
  wait_until_told_to_leave (&t);
  guint published = 0;
  for (guint i = 0; i < N; i++) {
    published += batches[i] != NULL;
    g_clear_pointer (&batches[i], vyre_batch_free);
  }
  close_in_time (&t);
  g_assert_cmpint (g_atomic_int_get (&released), ==, published);
}

/* The device is lost while batches wait for files, have just been given them, or run again. In
 * each case their waiters get the error, and no payload is kept. */
static void
check_lost_while_parked (guint after)
{
  enum { N = 24 };
  TestKernel t;
  gint released = 0, published = 0;
  GError *error = NULL;
  VyreBatch *batches[N];
  VyrePayload payload = { .release = test_count_release, .owner = &released };
  g_autofree char *path = NULL;

  g_close (g_file_open_tmp ("vyre-loss-XXXXXX", &path, NULL), NULL);
  g_autofree char *text = g_strdup_printf (
      "resource log = sink '%s'; append log, &a, 1; sync log; store_u32 1 -> a", path);
  open_parked (&t);
  g_autoptr (VyrePlan) plan = test_plan (&t, text, 0, 0, 0);
  gint64 end = g_get_monotonic_time () + TEST_COMPILE_DEADLINE;
  /* compiles the kernel with rare operations */
  vyre_batch_free (test_run (&t, plan, 0, &(VyrePayload){ 0 }));
  vyre_lost_arm ("vkWaitForFences", after, 1);
  for (guint i = 0; i < N; i++) {
    batches[i] = vyre_megakernel_publish (t.kernel, plan, i, &payload, end, &error);
    published += batches[i] != NULL;
    g_clear_error (&error);
  }
  for (guint i = 0; i < N; i++) {
    if (i % 4 == 3) /* these have no waiter */
      g_clear_pointer (&batches[i], vyre_batch_free);
    if (batches[i] && !vyre_batch_wait (batches[i], end, &error))
      assert_lost (&error, "vk");
    g_clear_pointer (&batches[i], vyre_batch_free);
  }
  vyre_lost_arm (NULL, 0, 0);
  close_in_time (&t);
  g_assert_cmpint (g_atomic_int_get (&released), ==, published);
  g_remove (path);
}

static void
test_lost_while_parked (void)
{
  for (guint after = 1; after <= test_times (6, 60); after++)
    check_lost_while_parked (after);
}

/* Opens a kernel on a device that does nothing, and publishes and frees @n batches. Each adds 1 to
 * @released when its payload goes back. */
static void
abandon_batches (TestKernel *t, guint n, gint *released)
{
  GError *error = NULL;
  VyrePayload payload = { .release = test_count_release, .owner = released };

  open_parked (t);
  g_autoptr (VyrePlan) plan = test_plan (t, "crc32 payload -> c", 1 << 20, 0, 0);
  vyre_lost_stall (true); /* otherwise a batch may end before the test goes on */
  for (guint i = 0; i < n; i++) {
    VyreBatch *batch
        = vyre_megakernel_publish (t->kernel, plan, 1, &payload, g_get_monotonic_time (), &error);
    g_assert_no_error (error);
    vyre_batch_free (batch);
  }
}

/* Waits until @device has no reference but the test's. */
static void
wait_until_let_go_of (VyreDevice *device)
{
  gint64 end = g_get_monotonic_time () + TEST_DEADLINE;

  while (!g_atomic_ref_count_compare (&device->refs, 1)) {
    g_assert_cmpint (g_get_monotonic_time (), <, end);
    g_thread_yield ();
  }
}

/* A lost kernel leaves the device without a waiter for its batches or for itself. */
static void
test_lost_with_batches_abandoned (void)
{
  TestKernel t;
  gint released = 0;

  abandon_batches (&t, 1, &released);
  vyre_lost_arm ("vkWaitForFences", 1, 1);
  wait_until_told_to_leave (&t);
  vyre_lost_stall (false);
  close_in_time (&t);
  g_assert_cmpint (g_atomic_int_get (&released), ==, 1);
}

/* The last reference does not wait for a device that hangs. Once the device goes on, the kernel
 * goes, and with it the payloads that the device might have read. */
static void
test_device_that_hangs (void)
{
  TestKernel t;
  gint released = 0;

  abandon_batches (&t, 4, &released);
  g_autoptr (VyreDevice) device = vyre_device_ref (t.device);
  gboolean stored = t.kernel->traits->in_device_memory; /* and released at once */
  g_test_expect_message ("vyre", G_LOG_LEVEL_WARNING, "*has not let go of a kernel*Fix: *");
  close_in_time (&t);
  g_test_assert_expected_messages ();
  g_assert_true (stored || g_atomic_int_get (&released) < 4);
  vyre_lost_stall (false);
  wait_until_let_go_of (device);
  g_assert_cmpint (g_atomic_int_get (&released), ==, 4);
}

static guint64
get_outstanding (VyreTenant *tenant)
{
  VyreTenantCounters counters;

  vyre_tenant_get_counters (tenant, &counters);
  g_assert_cmpuint (counters.published, ==, counters.drained + counters.outstanding);
  return counters.outstanding;
}

static VyreBatch *
publish_as (TestKernel *t, VyreTenant *tenant, VyrePlan *plan, gint *released)
{
  VyrePayload payload = { .release = released ? test_count_release : NULL, .owner = released };
  GError *error = NULL;
  VyreBatch *batch = vyre_megakernel_publish (
      t->kernel, plan, 1, &payload, g_get_monotonic_time () + TEST_DEADLINE, &error);

  g_assert_no_error (error);
  vyre_batch_set_tenant (batch, tenant);
  return batch;
}

/* A batch counts for its tenant until the kernel has completed it, with or without a waiter. */
static void
test_tenant_of_a_batch (void)
{
  g_autoptr (VyreTenants) tenants = vyre_tenants_new (VYRE_TENANT_LAST);
  g_autoptr (VyreTenant) tenant = vyre_tenants_register (tenants, "test", 1, NULL);
  VyreMegakernelCounters counters;
  GError *error = NULL;
  gint released = 0;
  TestKernel t;

  open_parked (&t);
  g_autoptr (VyrePlan) plan = test_plan (&t, "nop", 0, 0, 0);
  gint64 end = g_get_monotonic_time () + TEST_DEADLINE;
  vyre_lost_stall (true);
  VyreBatch *batch = publish_as (&t, tenant, plan, NULL);
  vyre_batch_free (publish_as (&t, tenant, plan, &released));
  g_assert_false (vyre_batch_wait (batch, 0, NULL));
  g_assert_cmpuint (get_outstanding (tenant), ==, 2);
  vyre_lost_stall (false);
  g_assert_true (vyre_batch_wait (batch, end, &error));
  do /* which has the service collect completions */
    vyre_megakernel_get_counters (t.kernel, &counters);
  while (counters.in_flight > 0 && g_get_monotonic_time () < end);
  g_assert_true (vyre_tenant_quiesce (tenant, end, &error));
  g_assert_cmpint (g_atomic_int_get (&released), ==, 1);
  vyre_batch_free (batch);
  g_assert_cmpuint (get_outstanding (tenant), ==, 0);
  close_in_time (&t);
}

/* Batches of a lost kernel do not count for their tenant, freed before the loss or after it. */
static void
test_tenant_of_a_lost_kernel (void)
{
  g_autoptr (VyreTenants) tenants = vyre_tenants_new (VYRE_TENANT_LAST);
  g_autoptr (VyreTenant) tenant = vyre_tenants_register (tenants, "test", 1, NULL);
  GError *error = NULL;
  TestKernel t;

  open_parked (&t);
  g_autoptr (VyrePlan) plan = test_plan (&t, "nop", 0, 0, 0);
  gint64 end = g_get_monotonic_time () + TEST_DEADLINE;
  vyre_lost_arm ("vkQueueSubmit", 1, 1);
  VyreBatch *batch = publish_as (&t, tenant, plan, NULL);
  g_assert_false (vyre_batch_wait (batch, end, &error));
  assert_lost (&error, "vkQueueSubmit");
  g_assert_cmpuint (get_outstanding (tenant), ==, 1);
  vyre_batch_free (batch);
  g_assert_cmpuint (get_outstanding (tenant), ==, 0);
  close_in_time (&t);
  open_parked (&t);
  vyre_lost_stall (true);
  g_autoptr (VyrePlan) again = test_plan (&t, "nop", 0, 0, 0);
  vyre_batch_free (publish_as (&t, tenant, again, NULL));
  vyre_lost_arm ("vkWaitForFences", 1, 1);
  wait_until_told_to_leave (&t);
  g_assert_cmpuint (get_outstanding (tenant), ==, 1);
  vyre_lost_stall (false);
  close_in_time (&t);
  g_assert_cmpuint (get_outstanding (tenant), ==, 0);
}

/* The first batch that needs rare operations is not published when the kernel with them cannot be
 * built. */
static void
test_lost_while_building (void)
{
  VyreParts parts = { .schedule = VYRE_SCHEDULE_PRIORITY };
  static const guint32 counts[VYRE_N_PARTS] = { 0, 1, VYRE_DEBUG_RECORDS, VYRE_IO_SLOTS };
  gint released = 0;
  VyrePayload payload = { .release = test_count_release, .owner = &released };
  GError *error = NULL;
  TestKernel t;

  open_parked (&t);
  for (VyrePart part = 0; part < VYRE_N_PARTS; part++) {
    parts.data[part] = vyre_encode_empty (part, counts[part], &parts.size[part], &error);
    g_assert_no_error (error);
  }
  g_autoptr (VyrePlan) plan
      = vyre_plan_new_from_parts (&parts, 0, vyre_megakernel_get_workgroup (t.kernel), &error);
  g_assert_no_error (error);
  /* a CPU's pipeline is tried on a device of its own first */
  vyre_lost_arm ("vkCreateComputePipelines", 1, vyre_device_is_cpu (t.device) ? 2 : 1);
  g_assert_null (vyre_megakernel_publish (
      t.kernel, plan, 1, &payload, g_get_monotonic_time () + TEST_DEADLINE, &error));
  assert_lost (&error, "vkCreateComputePipelines");
  g_assert_cmpint (g_atomic_int_get (&released), ==, 0);
  close_in_time (&t);
  for (VyrePart part = 0; part < VYRE_N_PARTS; part++)
    g_free ((void *)parts.data[part]);
}

/* A loss in the proof is an error, and no verdict about the device. */
static void
test_lost_in_the_proof (void)
{
  VyreMegakernelParams params = test_params ();
  GError *error = NULL;

  params.residency = VYRE_RESIDENCY_DISPATCH; /* the last residency to try */
  for (guint after = 1; after <= 3; after++) {
    g_autoptr (VyreDevice) device = vyre_device_open ("auto", &error);
    g_assert_no_error (error);
    vyre_lost_arm ("vkQueueSubmit", after, 1);
    g_assert_null (vyre_megakernel_new (device, &params, &error));
    assert_lost (&error, "vkQueueSubmit");
  }
}

/* Makes a kernel on @device, which hangs from its @n-th launch on. */
static VyreMegakernel *
hang_from (VyreDevice *device, guint n, GError **error)
{
  VyreMegakernelParams params = test_params ();

  /* the last residency to try: the kernel for another one waits a minute for its first launch */
  params.residency = VYRE_RESIDENCY_DISPATCH;
  vyre_lost_stall_after (n);
  VyreMegakernel *kernel = vyre_megakernel_new (device, &params, error);
  if (kernel) { /* the proof had fewer launches, or did not wait for that one */
    vyre_lost_stall_after (0);
    vyre_lost_stall (false);
  }
  return kernel;
}

/* A device that begins to hang in the proof is an error within the time that a kernel has to
 * leave, and a thread waits for it in the background. The number of launches of a proof depends on
 * its findings: the test looks for the last one. */
static void
test_hangs_in_the_proof (void)
{
  GError *error = NULL;
  VyreMegakernel *kernel = NULL;
  g_autoptr (VyreDevice) device = vyre_device_open ("auto", &error);

  g_assert_no_error (error);
  alarm (240);
  for (guint n = 4; n > 1 && (kernel = hang_from (device, n, &error)); n--)
    vyre_megakernel_unref (kernel);
  g_assert_null (kernel);
  g_assert_error (error, VYRE_ERROR, VYRE_ERROR_STUCK);
  g_assert_nonnull (strstr (error->message, "hangs"));
  g_assert_nonnull (strstr (error->message, "Fix: "));
  g_clear_error (&error);
  vyre_lost_stall (false);
  wait_until_let_go_of (device);
  alarm (0);
}

typedef struct {
  TestKernel t;
  GThread *thread;
} Tenant;

static gpointer
publish_many (gpointer data)
{
  Tenant *tenant = data;
  g_autoptr (VyrePlan) plan = test_plan (&tenant->t, "nop", 0, 0, 0);

  for (guint i = 0; i < 100; i++)
    vyre_batch_free (test_run (&tenant->t, plan, i, &(VyrePayload){ 0 }));
  return NULL;
}

/* Kernels of one device share its queues, and use each of them one after the other. */
static void
test_kernels_share_queues (void)
{
  VyreMegakernelParams params = test_params ();
  GError *error = NULL;
  Tenant tenants[2] = { 0 };
  g_autoptr (VyreDevice) device = vyre_device_open ("auto", &error);

  g_assert_no_error (error);
  params.residency = VYRE_RESIDENCY_DISPATCH; /* a launch for each batch */
  for (guint i = 0; i < 2; i++) {
    tenants[i].t.device = device;
    tenants[i].t.kernel = vyre_megakernel_new (device, &params, &error);
    g_assert_no_error (error);
    vyre_megakernel_set_active (tenants[i].t.kernel, TRUE);
  }
  guint before = vyre_lost_count_collisions ();
  vyre_lost_dawdle (true);
  for (guint i = 0; i < 2; i++)
    tenants[i].thread = g_thread_new ("tenant", publish_many, &tenants[i]);
  for (guint i = 0; i < 2; i++)
    g_thread_join (tenants[i].thread);
  vyre_lost_dawdle (false);
  g_assert_cmpuint (vyre_lost_count_collisions (), ==, before);
  for (guint i = 0; i < 2; i++)
    vyre_megakernel_unref (tenants[i].t.kernel);
}

static void
test_lost_before_it_is_open (void)
{
  GError *error = NULL;

  vyre_lost_arm ("vkCreateDevice", 1, 1);
  g_assert_null (vyre_device_open ("auto", &error));
  assert_lost (&error, "vkCreateDevice");
  g_autoptr (VyreDevice) device = vyre_device_open ("auto", &error);
  g_assert_no_error (error);
  g_assert_nonnull (device);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/loss/in-a-launch", test_lost_in_a_launch);
  g_test_add_func ("/loss/while-batches-run", test_lost_while_batches_run);
  g_test_add_func ("/loss/while-parked", test_lost_while_parked);
  g_test_add_func ("/loss/with-batches-abandoned", test_lost_with_batches_abandoned);
  g_test_add_func ("/loss/tenant-of-a-batch", test_tenant_of_a_batch);
  g_test_add_func ("/loss/tenant-of-a-lost-kernel", test_tenant_of_a_lost_kernel);
  g_test_add_func ("/loss/device-that-hangs", test_device_that_hangs);
  g_test_add_func ("/loss/while-building", test_lost_while_building);
  g_test_add_func ("/loss/in-the-proof", test_lost_in_the_proof);
  g_test_add_func ("/loss/hangs-in-the-proof", test_hangs_in_the_proof);
  g_test_add_func ("/loss/kernels-share-queues", test_kernels_share_queues);
  g_test_add_func ("/loss/before-it-is-open", test_lost_before_it_is_open);
  return g_test_run ();
}
