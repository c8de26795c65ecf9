/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A process that forks. A child gets errors for its parent's objects, and opens a kernel of its
 * own without one. Its parent goes on, whatever the child does with them.
 */
#include <sys/mman.h>

#include "fork-common.h"
#include "kernel-common.h"
#include "kernel/types.h"

#define SIZE 100000
#define SLOW "u8_histogram payload -> histogram"
#define SLOW_SIZE (8 << 20)

static void
assert_forked (GError **error)
{
  g_assert_error (*error, VYRE_ERROR, VYRE_ERROR_FORKED);
  g_assert_nonnull (strstr ((*error)->message, "Fix: "));
  g_clear_error (error);
}

/* Runs a batch whose result depends on @value. */
static void
check_run (TestKernel *t, guint8 value)
{
  g_autofree guint8 *data = g_malloc (SIZE);
  memset (data, value, SIZE);
  VyreBatch *batch
      = test_run_text (t, "u8_stats payload -> stats; crc32 payload -> crc", data, SIZE);
  const guint8 *readback = vyre_batch_get_readback (batch);

  g_assert_cmpuint (test_observable (batch, 1 + VYRE_U8_STATS_MAX), ==, value);
  g_assert_cmpuint (
      vyre_read_word_pair (readback, VYRE_CONTROL_OBSERVABLES + 1 + VYRE_U8_STATS_SUM), ==,
      (guint64)value * SIZE);
  vyre_batch_free (batch);
}

/* TRUE when the driver opens a device in a child of a process that has used it; otherwise the
 * error says so. */
static gboolean
may_open (void)
{
  GError *error = NULL;
  VyreDevice *device = vyre_device_open ("auto", &error);

  if (device)
    vyre_device_unref (device);
  else
    assert_forked (&error);
  return device != NULL;
}

static void
check_own_kernel (void)
{
  VyreMegakernelParams params = test_params ();
  TestKernel t;

  if (!may_open ())
    return;
  test_kernel_open (&t, &params);
  check_run (&t, 5);
  test_kernel_close (&t);
}

/* The objects that a parent may have. */
typedef struct {
  TestKernel kernel;
  VyrePlan *plan;
  VyreBatch *done;
  VyreBatch *running;
  gsize slice; /* of the payload of the running batch */
  VyreImport *import;
  guint8 *imported;
  VyreStore *store;
  VyreFileIo *file_io;
  VyreFileRead *read;
  int file;
} Parent;

static void
start_batch (Parent *p)
{
  gint64 end = g_get_monotonic_time () + TEST_DEADLINE;
  static gint released;
  GError *error = NULL;
  VyreStore *staging = vyre_megakernel_get_staging (p->kernel.kernel);

  p->plan = test_plan (&p->kernel, SLOW, SLOW_SIZE, 0, 0);
  g_assert_true (vyre_store_alloc (staging, SLOW_SIZE, 0, &p->slice));
  memset (vyre_store_get_data (staging) + p->slice, 9, SLOW_SIZE);
  VyrePayload payload = { .offset = p->slice, .release = test_count_release, .owner = &released };
  p->running = vyre_megakernel_publish (p->kernel.kernel, p->plan, 1, &payload, end, &error);
  g_assert_no_error (error);
}

static void
parent_init (Parent *p)
{
  VyreMegakernelParams params = test_params ();
  GError *error = NULL;

  *p = (Parent){ .slice = 0 };
  test_kernel_open (&p->kernel, &params);
  p->done = test_run_text (&p->kernel, "store_u32 77 -> seen", NULL, 0);
  p->imported = g_malloc0 (1 << 16);
  p->import = vyre_import_new (p->kernel.kernel, p->imported, 1 << 16, NULL);
  p->store = vyre_store_new (p->kernel.device, 1 << 16, VYRE_STORE_ALIGNMENT, &error);
  g_assert_no_error (error);
  p->file_io = vyre_file_io_new (NULL, 0, VYRE_READ_MODE_SINGLE_ISSUER);
  p->file = memfd_create ("file", 0);
  g_assert_cmpint (ftruncate (p->file, SIZE), ==, 0);
  p->read = vyre_file_io_start (p->file_io, p->file, 0, p->imported, 1000, &error);
  g_assert_no_error (error);
  start_batch (p);
}

/* Expects that all objects of the parent work as before, and frees them. */
static void
parent_clear (Parent *p)
{
  GError *error = NULL;
  gsize n;

  g_assert_true (
      vyre_batch_wait (p->running, g_get_monotonic_time () + TEST_COMPILE_DEADLINE, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (test_observable (p->running, 1 + 9), ==, SLOW_SIZE);
  g_assert_cmpuint (test_observable (p->done, 1), ==, 77);
  check_run (&p->kernel, 8);
  g_assert_true (vyre_file_io_finish (p->file_io, p->read, &n, &error));
  g_assert_cmpuint (n, ==, 1000);
  g_assert_true (vyre_file_io_read (p->file_io, p->file, 0, p->imported, 1000, &n, &error));
  vyre_batch_free (p->running);
  vyre_batch_free (p->done);
  vyre_store_free (vyre_megakernel_get_staging (p->kernel.kernel), p->slice);
  if (p->import)
    vyre_import_unref (p->import);
  g_free (p->imported);
  vyre_plan_unref (p->plan);
  vyre_store_unref (p->store);
  vyre_file_io_free (p->file_io);
  close (p->file);
  test_kernel_close (&p->kernel);
}

static void
check_kernel_is_refused (Parent *p)
{
  gint64 end = g_get_monotonic_time () + TEST_DEADLINE;
  VyreMegakernelParams params = test_params ();
  const VyrePayload payload = { .offset = p->slice };
  VyreMegakernel *kernel = p->kernel.kernel;
  VyreMegakernelCounters counters;
  VyreResourceCounters resources;
  GError *error = NULL;

  g_assert_null (vyre_megakernel_publish (kernel, p->plan, 1, &payload, end, &error));
  assert_forked (&error);
  g_assert_false (vyre_megakernel_check (kernel, &error));
  assert_forked (&error);
  g_assert_null (vyre_megakernel_new (p->kernel.device, &params, &error));
  assert_forked (&error);
  g_assert_null (vyre_import_new (kernel, p->imported, 1 << 16, &error));
  assert_forked (&error);
  vyre_megakernel_get_counters (kernel, &counters);
  g_assert_cmpuint (counters.batches, ==, 0);
  vyre_megakernel_get_resource_counters (kernel, &resources);
  vyre_megakernel_set_active (kernel, FALSE);
  g_assert_nonnull (vyre_device_get_name (p->kernel.device));
}

static void
check_batches_are_refused (Parent *p)
{
  gint64 end = g_get_monotonic_time () + TEST_DEADLINE;
  g_autoptr (VyreTenants) tenants = vyre_tenants_new (1);
  g_autoptr (VyreTenant) tenant = vyre_tenants_register (tenants, "child", 1, NULL);
  GError *error = NULL;

  if (!vyre_batch_wait (p->running, end, &error))
    assert_forked (&error);
  g_assert_false (vyre_batch_is_parked (p->running));
  vyre_batch_set_tenant (p->running, tenant);
  g_assert_true (vyre_batch_wait (p->done, end, &error));
  const guint8 *readback = vyre_batch_get_readback (p->done);
  if (vyre_device_is_cpu (p->kernel.device))
    g_assert_nonnull (readback);
  if (readback)
    g_assert_cmpuint (test_observable (p->done, 1), ==, 77);
}

static void
check_memory_is_refused (Parent *p)
{
  VyreStore *stores[] = { p->store, vyre_megakernel_get_staging (p->kernel.kernel) };
  gint64 end = g_get_monotonic_time () + TEST_DEADLINE;
  VyreFileIoCounters counters;
  GError *error = NULL;
  gsize offset;

  for (guint i = 0; i < G_N_ELEMENTS (stores); i++) {
    g_assert_false (vyre_store_alloc (stores[i], 1, end, &offset));
    g_assert_cmpuint (vyre_store_get_used (stores[i]), ==, 0);
  }
  g_assert_null (vyre_store_get_data (stores[1]));
  vyre_store_free (stores[1], p->slice);
  g_assert_null (vyre_store_new (p->kernel.device, 4096, VYRE_STORE_ALIGNMENT, &error));
  assert_forked (&error);
  g_assert_false (vyre_file_io_finish (p->file_io, p->read, NULL, &error));
  assert_forked (&error);
  g_assert_false (vyre_file_io_read (p->file_io, p->file, 0, p->imported, 10, NULL, &error));
  assert_forked (&error);
  vyre_file_io_get_counters (p->file_io, &counters);
  g_assert_cmpuint (counters.reads_submitted, ==, 0);
}

static void
free_all (Parent *p)
{
  vyre_batch_free (p->running);
  vyre_batch_free (p->done);
  if (p->import)
    g_assert_true (vyre_import_unref (p->import));
  vyre_plan_unref (p->plan);
  vyre_store_unref (p->store);
  vyre_file_io_free (p->file_io);
  vyre_megakernel_unref (p->kernel.kernel);
  vyre_device_unref (p->kernel.device);
}

static void
use_nothing (gpointer data)
{
}

static void
use_what_is_inherited (gpointer data)
{
  check_kernel_is_refused (data);
  check_batches_are_refused (data);
  check_memory_is_refused (data);
  free_all (data);
}

static void
use_an_own_kernel (gpointer data)
{
  check_own_kernel ();
}

static void
use_both (gpointer data)
{
  check_own_kernel ();
  use_what_is_inherited (data);
  check_own_kernel ();
}

static void
fork_again (gpointer data)
{
  use_what_is_inherited (data);
  g_assert_cmpint (fork_and_run (use_an_own_kernel, data, exit), ==, 0);
}

static void
test_child (gconstpointer data)
{
  void (*use) (gpointer) = (void (*) (gpointer))data;
  Parent p;

  parent_init (&p);
  g_assert_cmpint (fork_and_run (use, &p, exit), ==, 0);
  parent_clear (&p);
}

/* A child of a parent with two devices leaves by exit(): drivers register exit handlers for each
 * device. */
static void
test_two_devices (void)
{
  TestKernel second;
  Parent p;

  parent_init (&p);
  VyreMegakernelParams params = test_params ();
  test_kernel_open (&second, &params);
  g_assert_cmpint (fork_and_run (use_nothing, &p, exit), ==, 0);
  g_assert_cmpint (fork_and_run (use_what_is_inherited, &p, exit), ==, 0);
  test_kernel_close (&second);
  parent_clear (&p);
}

/* A thread that uses the kernel while its process forks. */
typedef struct {
  TestKernel *t;
  gint started;
  gint stop;
} User;

static gpointer
lock_kernel (gpointer data)
{
  User *user = data;

  g_mutex_lock (&user->t->kernel->lock);
  g_atomic_int_set (&user->started, TRUE);
  while (!g_atomic_int_get (&user->stop))
    g_thread_yield ();
  g_mutex_unlock (&user->t->kernel->lock);
  return NULL;
}

static gpointer
stream (gpointer data)
{
  User *user = data;

  for (guint i = 1; !g_atomic_int_get (&user->stop); i++) {
    check_run (user->t, (guint8)(i % 256));
    g_atomic_int_set (&user->started, TRUE);
  }
  return NULL;
}

/* Forks @n times while another thread runs @use. */
static void
check_forks_beside (GThreadFunc use, guint n)
{
  Parent p;

  parent_init (&p);
  User user = { .t = &p.kernel };
  GThread *thread = g_thread_new ("user", use, &user);
  while (!g_atomic_int_get (&user.started))
    g_thread_yield ();
  for (guint i = 1; i <= n; i++)
    g_assert_cmpint (fork_and_run (i % 4 ? use_what_is_inherited : use_both, &p, exit), ==, 0);
  g_atomic_int_set (&user.stop, TRUE);
  g_thread_join (thread);
  parent_clear (&p);
}

static void
test_locked (void)
{
  check_forks_beside (lock_kernel, 1);
}

static void
test_streaming (void)
{
  check_forks_beside (stream, test_times (20, 1000));
}

static void
use_tenants (gpointer data)
{
  VyreTenant *tenant = data;

  vyre_tenant_note_published (tenant, 1);
  g_assert_true (vyre_tenant_note_drained (tenant, 1, NULL));
  vyre_tenant_unref (tenant);
}

/* A registry of tenants is plain memory: a child has a copy that works. */
static void
test_tenants (void)
{
  VyreTenants *tenants = vyre_tenants_new (1);
  VyreTenant *tenant = vyre_tenants_register (tenants, "parent", 1, NULL);

  vyre_tenants_unref (tenants);
  g_assert_cmpint (fork_and_run (use_tenants, tenant, exit), ==, 0);
  use_tenants (tenant);
}

typedef struct {
  VyreTenant *tenant;
  gint stop; /* atomic */
} Busy;

static gpointer
count_tenant (gpointer data)
{
  Busy *busy = data;
  VyreTenantCounters counters;

  while (!g_atomic_int_get (&busy->stop))
    vyre_tenant_get_counters (busy->tenant, &counters);
  return NULL;
}

static void
drop_tenant (gpointer data)
{
  vyre_tenant_unref (data);
}

/* A child frees a tenant that a thread of its parent was looking at. */
static void
test_busy_tenant (void)
{
  VyreTenants *tenants = vyre_tenants_new (1);
  Busy busy = { .tenant = vyre_tenants_register (tenants, "parent", 1, NULL) };
  GThread *thread = g_thread_new ("counter", count_tenant, &busy);

  vyre_tenants_unref (tenants);
  for (guint i = 0; i < 50; i++)
    g_assert_cmpint (fork_and_run (drop_tenant, busy.tenant, _exit), ==, 0);
  g_atomic_int_set (&busy.stop, TRUE);
  g_thread_join (thread);
  vyre_tenant_unref (busy.tenant);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/fork/nothing", use_nothing, test_child);
  g_test_add_data_func ("/fork/inherited", use_what_is_inherited, test_child);
  g_test_add_data_func ("/fork/own", use_an_own_kernel, test_child);
  g_test_add_data_func ("/fork/both", use_both, test_child);
  g_test_add_data_func ("/fork/again", fork_again, test_child);
  g_test_add_func ("/fork/two-devices", test_two_devices);
  g_test_add_func ("/fork/locked", test_locked);
  if (FORKS_WITH_THREADS) {
    g_test_add_func ("/fork/streaming", test_streaming);
    g_test_add_func ("/fork/busy-tenant", test_busy_tenant);
  }
  g_test_add_func ("/fork/tenants", test_tenants);
  return g_test_run ();
}
