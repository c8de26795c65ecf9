/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Imports: the kernel reads memory of others in place. It reads the right bytes at any start,
 * reads them again for each batch, and never reads pages that are gone.
 */
#include <sys/mman.h>

#include "kernel-common.h"
#include "device/device-private.h"
#include "kernel/import-private.h"

#define SMALLEST 4096

static TestKernel t;

/* The parameters of the element: imports of small sizes on, where the device has imports. */
static VyreMegakernelParams
set_up_params (void)
{
  VyreMegakernelParams params = test_params ();

  params.import_threshold = 1;
  params.copy_threshold = SMALLEST;
  params.staging_size = 8 << 20;
  return params;
}

static void
set_up (void)
{
  VyreMegakernelParams params = set_up_params ();

  test_kernel_open (&t, &params);
}

/* TRUE when the device has imports; otherwise skips the test. */
static gboolean
has_imports (void)
{
  if (vyre_megakernel_imports_payload (t.kernel, SMALLEST))
    return TRUE;
  g_test_skip ("payloads are not imported here");
  return FALSE;
}

static guint8 *
map_noise (gsize size, guint8 *at)
{
  guint8 *pages = mmap (
      at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | (at ? MAP_FIXED : 0), -1, 0);

  g_assert_true (pages != MAP_FAILED);
  for (gsize i = 0; i < size / 4; i++)
    ((guint32 *)pages)[i] = g_test_rand_int ();
  return pages;
}

static VyreImport *
import_new (guint8 *data, gsize size)
{
  GError *error = NULL;
  VyreImport *import = vyre_import_new (t.kernel, data, size, &error);

  g_assert_no_error (error);
  return import;
}

static VyreBatch *
publish (VyrePlan *plan, VyreImport *import, const guint8 *data)
{
  GError *error = NULL;
  VyrePayload payload = { .data = data, .import = import };
  VyreBatch *batch = vyre_megakernel_publish (
      t.kernel, plan, 1, &payload, g_get_monotonic_time () + TEST_DEADLINE, &error);

  g_assert_no_error (error);
  return batch;
}

static void
expect_crc (VyreBatch *batch, const guint8 *data, gsize size)
{
  GError *error = NULL;

  vyre_batch_wait (batch, g_get_monotonic_time () + TEST_COMPILE_DEADLINE, &error);
  g_assert_no_error (error);
  g_assert_cmphex (test_observable (batch, 1), ==, crc32 (0, data, (uInt)size));
  vyre_batch_free (batch);
}

static void
check_all_ops (VyreImport *import, const guint8 *data, gsize size)
{
  VyreRegion whole = { 0, (guint32)size, 1, (guint32)size };
  VyreRegion rows = { 5, 61, 40, 77 };
  const VyreRegion *regions[2] = { &whole, &rows };
  g_autoptr (VyrePlan) plan = test_plan (&t,
      "crc32 payload -> 1; u8_below payload, 100 -> 2; u8_histogram payload -> 3; "
      "u8_stats payload -> 260; u8_below region(5, 61, 40, 77), 100 -> 270; "
      "u8_stats region(5, 61, 40, 77) -> 271",
      size, 0, 300);
  g_autoptr (VyreBatch) batch = publish (plan, import, data);
  GError *error = NULL;

  vyre_batch_wait (batch, g_get_monotonic_time () + TEST_COMPILE_DEADLINE, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < 2; i++) {
    TestOracle o;
    test_oracle (&o, data, regions[i], 100);
    g_assert_cmpuint (test_observable (batch, i ? 270 : 2), ==, o.below);
    g_assert_cmpuint (test_observable (batch, i ? 271 : 260), ==, o.count);
    g_assert_cmpuint (vyre_read_word_pair (vyre_batch_get_readback (batch),
                          VYRE_CONTROL_OBSERVABLES + (i ? 271 : 260) + VYRE_U8_STATS_SUM),
        ==, o.sum);
    if (i > 0)
      continue;
    g_assert_cmphex (test_observable (batch, 1), ==, o.crc);
    for (guint bin = 0; bin < 256; bin++)
      g_assert_cmpuint (test_observable (batch, 3 + bin), ==, o.bins[bin]);
  }
  g_assert_cmpuint (
      vyre_batch_get_completion (batch)->payload_bytes, ==, vyre_plan_get_region_bytes (plan));
}

/* Below the threshold an import is not worth it, but possible: a caller without room for a copy
 * imports memory of any size. */
static void
test_below_threshold (void)
{
  VyreMegakernelParams params = test_params ();
  TestKernel usual = t;

  if (!has_imports ())
    return;
  params.import_threshold = G_MAXSIZE;
  params.staging_size = 8 << 20;
  test_kernel_open (&t, &params);
  gsize size = 70001;
  guint8 *pages = map_noise (2 * size, NULL);
  g_assert_false (vyre_megakernel_imports_payload (t.kernel, size));
  if (vyre_megakernel_can_import (t.kernel, size)) {
    VyreImport *import = import_new (pages, size);
    check_all_ops (import, pages, size);
    vyre_import_unref (import);
  }
  g_assert_cmpint (vyre_megakernel_can_import (t.kernel, size), ==,
      vyre_megakernel_get_placement (t.kernel) == VYRE_PLACEMENT_UNIFIED
          || size >= vyre_megakernel_get_copy_threshold (t.kernel));
  munmap (pages, 2 * size);
  test_kernel_close (&t);
  t = usual;
}

/* Payloads start and end anywhere in their pages. */
static void
test_alignments (void)
{
  gsize size = 256 * 1024;

  if (!has_imports ())
    return;
  guint8 *pages = map_noise (size, NULL);
  for (guint i = 0; i < 34; i++) {
    guint8 *data = pages + (i < 17 ? i : i * 4093 % 100000);
    VyreImport *import = import_new (data, 65536 + i);
    check_all_ops (import, data, 65536 + i);
    check_all_ops (import, data + 3, 65000);
    vyre_import_unref (import);
  }
  munmap (pages, size);
}

/* Opens a kernel that loads payloads granule by granule, each lane for itself. Texels would be
 * loaded for all lanes, also for those that have no granule left. */
static void
open_without_texels (void)
{
  VyreMegakernelParams params = set_up_params ();
  GError *error = NULL;

  t.device = vyre_device_open ("auto", &error);
  g_assert_no_error (error);
  t.device->properties.limits.maxTexelBufferElements = 0;
  t.kernel = vyre_megakernel_new (t.device, &params, &error);
  g_assert_no_error (error);
  vyre_megakernel_set_active (t.kernel, TRUE);
}

/* The kernel loads no granule behind a payload, where there may be no page. The import has a page
 * there that cannot be read; on a CPU device a load from it ends the process. */
static void
test_nothing_behind (void)
{
  /* the last rows end with the payload */
  static const char *const texts[] = { "crc32 payload -> 8", "crc32 bytes(9, 4087) -> 8",
    "u8_stats payload -> 8", "u8_below payload, 100 -> 8", "u8_histogram payload -> 8",
    "u8_stats region(16, 48, 64, 64) -> 8", "u8_below region(15, 49, 64, 64), 100 -> 8",
    "u8_histogram region(63, 1, 64, 64) -> 8", "u8_stats region(0, 2000, 2, 2096) -> 8" };

  if (!has_imports ())
    return;
  test_kernel_close (&t);
  open_without_texels ();
  guint8 *pages = map_noise (2 * SMALLEST, NULL);
  VyreImport *import = import_new (pages, 2 * SMALLEST);
  g_assert_cmpint (mprotect (pages + SMALLEST, SMALLEST, PROT_NONE), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (VyrePlan) plan = test_plan (&t, texts[i], SMALLEST, 0, 300);
    g_autoptr (VyreBatch) batch = publish (plan, import, pages);
    GError *error = NULL;
    g_test_message ("%s", texts[i]);
    vyre_batch_wait (batch, g_get_monotonic_time () + TEST_COMPILE_DEADLINE, &error);
    g_assert_no_error (error);
    g_assert_true (vyre_batch_check (batch, NULL));
  }
  vyre_import_unref (import);
  munmap (pages, 2 * SMALLEST);
  test_kernel_close (&t);
  set_up ();
}

static void
test_changes_are_seen (void)
{
  gsize size = 1 << 20;

  if (!has_imports ())
    return;
  g_autoptr (VyrePlan) plan = test_plan (&t, "crc32 payload -> 1", size, 0, 0);
  guint8 *pages = map_noise (size, NULL);
  VyreImport *import = import_new (pages, size);
  for (guint i = 0; i < 100; i++) {
    memset (pages + i * 10007 % size, (gint)i, 100);
    expect_crc (publish (plan, import, pages), pages, size);
  }
  vyre_import_unref (import);
  munmap (pages, size);
}

/* Several threads publish batches of imports and of the store, in flight together. Each launch is
 * bound to one source, and no batch waits for ever for a launch of another. */
static gpointer
mix (gpointer data)
{
  enum { N = 3, SIZE = 100000 };
  g_autoptr (VyrePlan) plan = test_plan (&t, "crc32 payload -> 1", SIZE, 0, 0);
  VyreBatch *batches[2 * N];
  guint8 *pages[N];
  VyreImport *imports[N];
  gsize slice;

  for (guint i = 0; i < N; i++) {
    pages[i] = map_noise (SIZE, NULL);
    imports[i] = import_new (pages[i], SIZE);
  }
  for (guint round = 0; round < test_times (60, 1000); round++) {
    VyrePayload staged = test_stage (&t, pages[round % N], SIZE, 0, &slice);
    for (guint i = 0; i < 2 * N; i++) {
      GError *error = NULL;
      batches[i] = i % 2 ? vyre_megakernel_publish (
                       t.kernel, plan, 1, &staged, g_get_monotonic_time () + TEST_DEADLINE, &error)
                         : publish (plan, imports[i / 2], pages[i / 2]);
      g_assert_no_error (error);
    }
    for (guint i = 0; i < 2 * N; i++)
      expect_crc (batches[i], i % 2 ? pages[round % N] : pages[i / 2], SIZE);
    vyre_store_free (vyre_megakernel_get_staging (t.kernel), slice);
  }
  for (guint i = 0; i < N; i++) {
    vyre_import_unref (imports[i]);
    munmap (pages[i], SIZE);
  }
  return NULL;
}

static void
test_mixed_sources (void)
{
  GThread *threads[3];

  if (!has_imports ())
    return;
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("mix", mix, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

static void
assert_refused (guint8 *data, gsize size, const char *why)
{
  GError *error = NULL;

  g_assert_null (vyre_import_new (t.kernel, data, size, &error));
  g_assert_error (error, VYRE_ERROR, VYRE_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, why));
  g_assert_nonnull (strstr (error->message, "Fix: "));
  g_error_free (error);
}

/* Small memories share pages, and each is imported by itself. */
static void
test_shared_pages (void)
{
  static const gsize starts[] = { 0, 100, 9000, 17000, 20001, 30001 };
  VyreImport *imports[G_N_ELEMENTS (starts)];

  if (!has_imports ())
    return;
  guint8 *pages = map_noise (64 * 1024, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (starts); i++)
    imports[i] = import_new (pages + starts[i], 8000);
  g_autoptr (VyrePlan) plan = test_plan (&t, "crc32 payload -> 1", 8000, 0, 0);
  for (guint i = 0; i < G_N_ELEMENTS (starts); i++) {
    expect_crc (publish (plan, imports[i], pages + starts[i]), pages + starts[i], 8000);
    vyre_import_unref (imports[i]);
  }
  munmap (pages, 64 * 1024);
}

/* An import covers its own pages, and no memory that begins before them or ends behind them. */
static void
test_bounds (void)
{
  static const struct {
    gint64 start;
    gsize size;
    gboolean has;
  } parts[] = { { 0, 8192, TRUE }, { 8191, 1, TRUE }, { 8192, 0, TRUE }, { 4096, 4096, TRUE },
    { 0, 8193, FALSE }, { 1, 8192, FALSE }, { 8191, 2, FALSE }, { 8192, 1, FALSE },
    { -1, 1, FALSE }, { -1, 8193, FALSE }, { 4096, G_MAXSIZE, FALSE } };

  if (!has_imports ())
    return;
  guint8 *pages = map_noise (3 * 4096, NULL), *start = pages + 4096;
  VyreImport *import = import_new (start + 100, 5000);
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    g_assert_cmpint (
        vyre_import_has (import, start + parts[i].start, parts[i].size), ==, parts[i].has);
  vyre_import_unref (import);
  munmap (pages, 3 * 4096);
}

/* Numbers of imports wrap around, and no new import gets the number of one that exists. */
static void
test_numbers (void)
{
  if (!has_imports ())
    return;
  guint8 *pages = map_noise (3 * 4096, NULL);
  VyreImport *imports[3] = { import_new (pages, 4096) };
  for (guint i = 1; i < G_N_ELEMENTS (imports); i++) {
    t.kernel->imports->last_number = (imports[0]->number + VYRE_MAX_SOURCES - 2) % VYRE_MAX_SOURCES;
    imports[i] = import_new (pages + i * 4096, 4096);
    g_assert_cmpuint (imports[i]->number, !=, imports[0]->number);
  }
  g_assert_cmpuint (imports[1]->number, !=, imports[2]->number);
  for (guint i = 0; i < G_N_ELEMENTS (imports); i++)
    vyre_import_unref (imports[i]);
  munmap (pages, 3 * 4096);
}

static void
test_too_many (void)
{
  VyreImport *imports[VYRE_MAX_SOURCES];
  gsize size = (VYRE_MAX_SOURCES + 1) * 4096;

  if (!has_imports ())
    return;
  guint8 *pages = map_noise (size, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (imports); i++)
    imports[i] = import_new (pages + i * 4096, 4096);
  assert_refused (pages + VYRE_MAX_SOURCES * 4096, 4096, "too much memory");
  g_autoptr (VyrePlan) plan = test_plan (&t, "crc32 payload -> 1", 4096, 0, 0);
  for (guint i = 0; i < G_N_ELEMENTS (imports); i += 93)
    expect_crc (publish (plan, imports[i], pages + i * 4096), pages + i * 4096, 4096);
  for (guint i = 0; i < G_N_ELEMENTS (imports); i++)
    vyre_import_unref (imports[i]);
  expect_crc (publish (plan, imports[0] = import_new (pages, 4096), pages), pages, 4096);
  vyre_import_unref (imports[0]);
  munmap (pages, size);
}

static void
unmap (gpointer data)
{
  munmap (data, 1 << 20);
}

/* A batch holds its import without help of the owner, and its pages may go once it has released
 * them. */
static void
test_batches_hold_imports (void)
{
  gsize size = 1 << 20;
  GError *error = NULL;

  if (!has_imports ())
    return;
  g_autoptr (VyrePlan) plan = test_plan (&t, "crc32 payload -> 1", size, 0, 0);
  for (guint i = 0; i < 50; i++) {
    guint8 *pages = map_noise (size, NULL);
    g_autofree guint8 *copy = g_memdup2 (pages, size);
    VyreImport *import = import_new (pages, size);
    VyrePayload payload = { .data = pages, .import = import, .release = unmap, .owner = pages };
    VyreBatch *batch = vyre_megakernel_publish (
        t.kernel, plan, 1, &payload, g_get_monotonic_time () + TEST_DEADLINE, &error);
    g_assert_no_error (error);
    vyre_import_unref (import);
    if (i % 3 == 0)
      vyre_batch_free (batch); /* the launcher releases them, or the next thread that publishes */
    else
      expect_crc (batch, copy, size);
  }
}

/* Pages come and go at the same addresses, with other bytes in them. */
static void
test_addresses_are_used_again (void)
{
  enum { PAGES = 64, HELD = 8 };
  VyreImport *imports[HELD] = { NULL };
  guint8 *at[HELD];
  gsize size[HELD];
  guint n = test_times (10000, 100000);

  if (!has_imports ())
    return;
  guint8 *range = map_noise (PAGES * 4096 * HELD, NULL);
  for (guint i = 0; i < n; i++) {
    guint k = g_test_rand_int_range (0, HELD);
    if (imports[k] && g_test_rand_int_range (0, 2) == 0) {
      vyre_import_unref (imports[k]);
      imports[k] = NULL;
      munmap (range + k * PAGES * 4096, PAGES * 4096);
    }
    if (!imports[k]) {
      at[k] = range + k * PAGES * 4096 + 4096 * g_test_rand_int_range (0, 16);
      size[k] = (gsize)g_test_rand_int_range (SMALLEST, 4 * SMALLEST);
      map_noise (PAGES * 512, at[k]);
      imports[k] = import_new (at[k], size[k]);
    }
    at[k][g_test_rand_int_range (0, SMALLEST)] ^= (guint8)i;
    g_autoptr (VyrePlan) plan = test_plan (&t, "crc32 payload -> 1", size[k], 0, 0);
    expect_crc (publish (plan, imports[k], at[k]), at[k], size[k]);
  }
  for (guint k = 0; k < HELD; k++)
    g_clear_pointer (&imports[k], vyre_import_unref);
  munmap (range, PAGES * 4096 * HELD);
}

/* An import of a kernel that is gone keeps no other object alive. */
static void
test_kernel_goes_first (void)
{
  if (!has_imports ())
    return;
  guint8 *pages = map_noise (65536, NULL);
  VyreImport *import = import_new (pages, 65536);
  test_kernel_close (&t);
  munmap (pages, 65536);
  set_up ();
  g_assert_false (vyre_import_is_of (import, t.kernel));
  vyre_import_unref (import);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  set_up ();
  g_test_add_func ("/import/below-threshold", test_below_threshold);
  g_test_add_func ("/import/alignments", test_alignments);
  g_test_add_func ("/import/nothing-behind", test_nothing_behind);
  g_test_add_func ("/import/changes-are-seen", test_changes_are_seen);
  g_test_add_func ("/import/mixed-sources", test_mixed_sources);
  g_test_add_func ("/import/shared-pages", test_shared_pages);
  g_test_add_func ("/import/bounds", test_bounds);
  g_test_add_func ("/import/numbers", test_numbers);
  g_test_add_func ("/import/too-many", test_too_many);
  g_test_add_func ("/import/batches-hold-imports", test_batches_hold_imports);
  g_test_add_func ("/import/addresses-are-used-again", test_addresses_are_used_again);
  g_test_add_func ("/import/kernel-goes-first", test_kernel_goes_first);
  int result = g_test_run ();
  test_kernel_close (&t);
  return result;
}
