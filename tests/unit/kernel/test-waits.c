/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A driver that takes its time: a thread that waits for it holds up no other thread at the same
 * kernel. And one that refuses what it offers.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "base/wait.h"
#include "kernel-common.h"
#include "lost.h"
#include "vyre/import.h"
#include "kernel/reserve.h"
#include "kernel/state.h"
#include "kernel/types.h"

#define SIZE 65536

/* The limit of calls that take microseconds or, if they wait, the 10 s that a copy may take. */
#define PROMPT (5 * G_TIME_SPAN_SECOND)

/* Copies that take all places of the copy engine. */
#define N_COPIES (VYRE_MAX_TRANSFER_QUEUES * VYRE_COPY_ENGINE_COPIES)

static guint8 *
map_pages (gsize size)
{
  guint8 *pages = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  g_assert_true (pages != MAP_FAILED);
  memset (pages, 7, size);
  return pages;
}

static void
open_kernel (TestKernel *t, gboolean with_engine)
{
  VyreMegakernelParams params = test_params ();

  params.import_threshold = 1;
  if (with_engine) {
    vyre_lost_add_copy_engine ();
    params.placement = VYRE_PLACEMENT_COPY;
    params.residency = VYRE_RESIDENCY_DISPATCH; /* copies and launches share one queue */
  }
  test_kernel_open (t, &params);
}

typedef struct {
  TestKernel *t;
  guint8 *pages;
  VyreImport *import;
} Importer;

static gpointer
make_import (gpointer data)
{
  Importer *importer = data;
  GError *error = NULL;

  importer->import = vyre_import_new (importer->t->kernel, importer->pages, SIZE, &error);
  g_assert_no_error (error);
  return NULL;
}

/* The driver holds one import; others come and go meanwhile, with numbers of their own. */
static void
test_imports (void)
{
  guint8 *pages = map_pages (3 * SIZE);
  Importer importers[3];
  TestKernel t;

  open_kernel (&t, FALSE);
  if (!vyre_megakernel_imports_payload (t.kernel, SIZE)) {
    g_test_skip ("payloads are not imported here");
    test_kernel_close (&t);
    return;
  }
  alarm (60);
  for (guint i = 0; i < 3; i++)
    importers[i] = (Importer){ &t, pages + i * SIZE, NULL };
  make_import (&importers[0]);
  vyre_lost_hold_import (true);
  GThread *slow = g_thread_new ("slow", make_import, &importers[1]);
  vyre_lost_wait_import_held ();
  g_assert_true (vyre_import_unref (importers[0].import));
  make_import (&importers[2]);
  vyre_lost_hold_import (false);
  g_thread_join (slow);
  for (guint i = 1; i < 3; i++) {
    g_autoptr (VyrePlan) plan = test_plan (&t, "u8_stats payload -> s", SIZE, 0, 0);
    VyrePayload payload = { .data = importers[i].pages, .import = importers[i].import };
    g_autoptr (VyreBatch) batch = test_run (&t, plan, 1, &payload);
    g_assert_cmpuint (test_observable (batch, 1 + VYRE_U8_STATS_SUM), ==, 7 * SIZE);
  }
  for (guint i = 1; i < 3; i++)
    g_assert_true (vyre_import_unref (importers[i].import));
  alarm (0);
  test_kernel_close (&t);
  munmap (pages, 3 * SIZE);
}

static gpointer
drop_import (gpointer data)
{
  g_assert_true (vyre_import_unref (data));
  return NULL;
}

static guint
count_waiting (VyreMegakernel *kernel)
{
  g_mutex_lock (&kernel->lock);
  guint n = kernel->n_waiting;
  g_mutex_unlock (&kernel->lock);
  return n;
}

/* The last reference to an import waits for the copy from it, and the kernel goes on. */
static void
test_import_under_copy (void)
{
  guint8 *pages = map_pages (SIZE);
  Importer importer;
  TestKernel t;

  open_kernel (&t, TRUE);
  importer = (Importer){ &t, pages, NULL };
  make_import (&importer);
  vyre_lost_hold_copies (true);
  g_autoptr (VyrePlan) plan = test_plan (&t, "u8_stats payload -> s", SIZE, 0, 0);
  VyrePayload payload = { .data = pages, .import = importer.import };
  VyreBatch *batch = test_run (&t, plan, 1, &payload);
  g_assert_cmpuint (test_observable (batch, 1 + VYRE_U8_STATS_SUM), ==, 7 * SIZE);
  vyre_batch_free (batch);
  gint64 start = g_get_monotonic_time ();
  GThread *dropper = g_thread_new ("dropper", drop_import, importer.import);
  while (count_waiting (t.kernel) == 0)
    g_assert_cmpint (g_get_monotonic_time () - start, <, PROMPT);
  g_assert_true (vyre_megakernel_check (t.kernel, NULL));
  g_assert_cmpint (g_get_monotonic_time () - start, <, PROMPT);
  vyre_lost_hold_copies (false);
  g_thread_join (dropper);
  test_kernel_close (&t);
  munmap (pages, SIZE);
}

/* A batch that finds all places for copies taken waits for room, for as long as its publisher
 * likes, and no other thread waits. */
static void
test_places_for_copies (void)
{
  TestKernel t;
  GError *error = NULL;
  guint8 bytes[SIZE];
  gsize slice;

  open_kernel (&t, TRUE);
  memset (bytes, 3, sizeof bytes);
  g_autoptr (VyrePlan) plan = test_plan (&t, "u8_stats payload -> s", SIZE, 0, 0);
  VyrePayload payload = test_stage (&t, bytes, SIZE, 0, &slice);
  vyre_lost_hold_copies (true);
  for (guint i = 0; i < N_COPIES; i++)
    vyre_batch_free (test_run (&t, plan, i, &payload));
  for (guint i = 0; i < 3; i++) {
    gint64 end = g_get_monotonic_time () + 10 * G_TIME_SPAN_MILLISECOND;
    g_assert_null (vyre_megakernel_publish (t.kernel, plan, 1, &payload, end, &error));
    g_assert_error (error, VYRE_ERROR, VYRE_ERROR_TIMEOUT);
    g_clear_error (&error);
  }
  g_assert_true (vyre_megakernel_check (t.kernel, &error));
  vyre_lost_hold_copies (false);
  for (guint i = 0; i < 2 * N_COPIES; i++) {
    VyreBatch *batch = test_run (&t, plan, i, &payload);
    g_assert_cmpuint (test_observable (batch, 1 + VYRE_U8_STATS_SUM), ==, 3 * SIZE);
    vyre_batch_free (batch);
  }
  vyre_store_free (vyre_megakernel_get_staging (t.kernel), slice);
  test_kernel_close (&t);
}

static guint
count_copied (VyreMegakernel *kernel)
{
  g_mutex_lock (&kernel->lock);
  guint n = kernel->n_copied;
  g_mutex_unlock (&kernel->lock);
  return n;
}

static void
wait_for_copy (TestKernel *t, VyreBatch *batch)
{
  gint64 start = g_get_monotonic_time ();

  while (!vyre_batch_poll (batch)) {
    g_assert_cmpuint (count_copied (t->kernel), <=, 1);
    g_assert_cmpint (g_get_monotonic_time () - start, <, TEST_DEADLINE);
  }
  vyre_batch_free (batch);
}

/* A copy waits while as many tickets as the kernel allows are behind copies, so that workgroups are
 * left for batches without. */
static void
test_workgroups_for_others (void)
{
  VyreBatch *batches[32];
  TestKernel t;
  GError *error = NULL;
  guint8 bytes[SIZE];
  gsize slice;

  open_kernel (&t, TRUE);
  t.kernel->most_copied = 1;
  memset (bytes, 3, sizeof bytes);
  g_autoptr (VyrePlan) plan = test_plan (&t, "u8_stats payload -> s", SIZE, 0, 0);
  VyrePayload payload = test_stage (&t, bytes, SIZE, 0, &slice);
  for (guint i = 0; i < G_N_ELEMENTS (batches); i++) {
    gint64 end = g_get_monotonic_time () + TEST_DEADLINE;
    batches[i] = vyre_megakernel_publish (t.kernel, plan, i, &payload, end, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (count_copied (t.kernel), <=, 1);
  }
  for (guint i = 0; i < G_N_ELEMENTS (batches); i++)
    wait_for_copy (&t, batches[i]);
  g_assert_cmpuint (count_copied (t.kernel), ==, 0);
  vyre_store_free (vyre_megakernel_get_staging (t.kernel), slice);
  test_kernel_close (&t);
}

/* Waits for @n batches that come so many ns after the last; returns how long the thread was awake.
 */
static guint64
wait_awake (TestKernel *t, guint n, gint64 gap)
{
  guint64 before = test_counters (t).spin_time;
  g_autoptr (VyrePlan) plan = test_plan (t, "nop", 0, 0, 0);
  GError *error = NULL;

  for (guint i = 0; i < n; i++) {
    gint64 end = g_get_monotonic_time () + TEST_DEADLINE;
    atomic_store (&t->kernel->lane->last_activity, vyre_now () - gap);
    VyreBatch *batch
        = vyre_megakernel_publish (t->kernel, plan, i, &(VyrePayload){ 0 }, end, &error);
    g_assert_no_error (error);
    g_assert_true (vyre_batch_wait (batch, end, &error));
    vyre_batch_free (batch);
  }
  return test_counters (t).spin_time - before;
}

/* Where other threads take most places for those that wait awake, the rest is for live streams. */
static void
test_places_for_live_streams (void)
{
  VyreWait others[3];
  TestKernel t;

  open_kernel (&t, FALSE);
  t.kernel->most_awake = 4;
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    vyre_wait_begin (&others[i], 4, FALSE, 0);
  g_assert_cmpuint (wait_awake (&t, 20, -G_TIME_SPAN_SECOND), ==, 0);
  g_assert_cmpuint (wait_awake (&t, 20, G_TIME_SPAN_SECOND), >, 0);
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    vyre_wait_end (&others[i], 0);
  test_kernel_close (&t);
}

/* A copy engine still moves payloads if the device refuses to import the memory they are staged in.
 */
static void
test_refused_imports (void)
{
  TestKernel t;
  VyrePayload payload = { 0 };

  vyre_lost_refuse_imports (true);
  open_kernel (&t, TRUE);
  VyreStore *staging = vyre_megakernel_get_staging (t.kernel);
  g_autoptr (VyrePlan) plan = test_plan (&t, "u8_stats payload -> s", SIZE, 0, 0);
  VyreMegakernelCounters before = test_counters (&t);
  g_assert_true (vyre_store_alloc (staging, SIZE, 0, &payload.offset));
  memset (vyre_store_get_data (staging) + payload.offset, 3, SIZE);
  VyreBatch *batch = test_run (&t, plan, 1, &payload);
  g_assert_cmpuint (test_observable (batch, 1 + VYRE_U8_STATS_SUM), ==, 3 * SIZE);
  vyre_batch_free (batch);
  g_assert_cmpuint (test_counters (&t).copied_bytes - before.copied_bytes, ==, SIZE);
  vyre_store_free (staging, payload.offset);
  test_kernel_close (&t);
  vyre_lost_refuse_imports (false);
}

/* Only copies end so soon that a thread which waits for room behind them sleeps short. */
static void
test_longest_sleep (void)
{
  const VyreBatch copied = { .copied = TRUE }, stored = { 0 };
  const VyreBatch resumed = { .copied = TRUE, .resumed = TRUE };

  g_assert_cmpint (vyre_batch_longest_sleep (&copied), ==, 50 * 1000);
  g_assert_cmpint (vyre_batch_longest_sleep (&stored), ==, 200 * 1000);
  g_assert_cmpint (vyre_batch_longest_sleep (&resumed), ==, 200 * 1000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/waits/imports", test_imports);
  g_test_add_func ("/waits/import-under-copy", test_import_under_copy);
  g_test_add_func ("/waits/places-for-copies", test_places_for_copies);
  g_test_add_func ("/waits/workgroups-for-others", test_workgroups_for_others);
  g_test_add_func ("/waits/places-for-live-streams", test_places_for_live_streams);
  g_test_add_func ("/waits/refused-imports", test_refused_imports);
  g_test_add_func ("/waits/longest-sleep", test_longest_sleep);
  return g_test_run ();
}
