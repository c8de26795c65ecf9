/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Residency: launches, parking, exhaustion, ends of life.
 */
#include "parked-common.h"
#include "kernel/state.h"

static void
run_nops (TestKernel *t, guint n)
{
  g_autoptr (VyrePlan) plan = test_plan (t, "nop", 0, 0, 0);
  VyrePayload nothing = { 0 };

  for (guint i = 0; i < n; i++)
    vyre_batch_free (test_run (t, plan, i, &nothing));
}

static void
test_launches (void)
{
  TestKernel t;
  VyreMegakernelParams params = test_params ();

  test_kernel_open (&t, &params);
  VyreMegakernelCounters before = test_counters (&t);
  run_nops (&t, 5000);
  VyreMegakernelCounters after = test_counters (&t);
  guint64 launches = after.launches - before.launches;
  g_assert_cmpuint (after.batches - before.batches, ==, 5000);
  g_assert_cmpuint (after.completed - before.completed, ==, 5000);
  if (vyre_megakernel_get_residency (t.kernel) == VYRE_RESIDENCY_DISPATCH)
    g_assert_cmpuint (launches, ==, 5000);
  else
    g_assert_cmpuint (launches, <, 500); /* how many depends on the speed of the machine */
  test_kernel_close (&t);
}

/* Publishes batches of changing content, many in flight: none is lost, and none has the results of
 * another. */
static void
run_many (TestKernel *t, guint first, guint n)
{
  enum { DEPTH = 32, SIZE = 256 };
  VyreStore *staging = vyre_megakernel_get_staging (t->kernel);
  g_autoptr (VyrePlan) plan = test_plan (t, "u8_stats payload -> s", SIZE, 0, 0);
  gint64 end = g_get_monotonic_time () + 30 * TEST_DEADLINE;
  VyreBatch *flight[DEPTH] = { NULL };
  GError *error = NULL;
  gsize slices;

  g_assert_true (vyre_store_alloc (staging, DEPTH * SIZE, end, &slices));
  for (guint i = 0; i < n + DEPTH; i++) {
    VyrePayload payload = { .offset = slices + i % DEPTH * SIZE };
    VyreBatch **place = &flight[i % DEPTH];
    if (*place) {
      guint tag = first + i - DEPTH;
      vyre_batch_wait (*place, end, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (test_observable (*place, 0), ==, tag);
      g_assert_cmpuint (test_observable (*place, 1 + VYRE_U8_STATS_COUNT), ==, SIZE);
      g_assert_cmpuint (test_observable (*place, 1 + VYRE_U8_STATS_SUM), ==, tag % 251 * SIZE);
      g_clear_pointer (place, vyre_batch_free);
    }
    if (i >= n)
      continue;
    memset (vyre_store_get_data (staging) + payload.offset, (first + i) % 251, SIZE);
    *place = vyre_megakernel_publish (t->kernel, plan, first + i, &payload, end, &error);
    g_assert_no_error (error);
  }
  vyre_store_free (staging, slices);
}

static void
test_none_lost_none_stale (void)
{
  TestKernel t;
  VyreMegakernelParams params = test_params ();

  test_kernel_open (&t, &params);
  guint n = test_times (20000, 10000000);
  run_many (&t, 1, n);
  VyreMegakernelCounters c = test_counters (&t);
  g_assert_cmpuint (c.completed, ==, c.batches);
  g_assert_cmpuint (c.completed, >=, n);
  test_kernel_close (&t);
}

/* A kernel parks after the idle timeout and comes back for the next batch, many times. */
static void
test_park_and_resume (void)
{
  TestKernel t;
  VyreMegakernelParams params = test_params ();

  params.idle_timeout = 1000000;
  test_kernel_open (&t, &params);
  guint times = test_times (50, 100);
  for (guint i = 0; i < times; i++) {
    run_nops (&t, 3);
    test_wait_until_parked (&t);
  }
  if (vyre_megakernel_get_residency (t.kernel) != VYRE_RESIDENCY_DISPATCH)
    g_assert_cmpuint (test_counters (&t).parks, >=, times);
  test_kernel_close (&t);
}

static void
test_inactive_parks_at_once (void)
{
  TestKernel t;
  VyreMegakernelParams params = test_params ();

  params.idle_timeout = G_GINT64_CONSTANT (3600) * 1000000000;
  test_kernel_open (&t, &params);
  run_nops (&t, 1);
  vyre_megakernel_set_active (t.kernel, FALSE);
  test_wait_until_parked (&t);
  run_nops (&t, 1); /* still works, and parks again by itself */
  test_wait_until_parked (&t);
  vyre_megakernel_set_active (t.kernel, TRUE);
  test_kernel_close (&t);
}

/* Sets the last activity to @ns ago, so that the next batch comes after such a gap; a negative gap
 * is none. */
static void
set_gap (TestKernel *t, gint64 ns)
{
  g_mutex_lock (&t->kernel->lock);
  t->kernel->last_activity = t->kernel->lane->last_activity = vyre_now () - ns;
  g_mutex_unlock (&t->kernel->lock);
}

static gboolean
stays_after_gap (TestKernel *t, gint64 ns)
{
  set_gap (t, ns);
  run_nops (t, 1);
  g_mutex_lock (&t->kernel->lock);
  gboolean stays = t->kernel->stays;
  g_mutex_unlock (&t->kernel->lock);
  return stays;
}

static gboolean
run_after_gap (TestKernel *t, gint64 ns)
{
  test_wait_until_parked (t);
  return stays_after_gap (t, ns);
}

#define LONG (10 * G_GINT64_CONSTANT (1000000))
#define SHORT (-1000 * G_GINT64_CONSTANT (1000000))

/* On a CPU, a kernel with a batch now and then makes a launch for each, which does not wait for
 * the next batch; a kernel with a batch all the time stays. */
static void
test_gaps (void)
{
  enum { N = 20 };
  TestKernel t;
  VyreMegakernelParams params = test_params ();

  params.idle_timeout = VYRE_IDLE_TIMEOUT_AUTO;
  test_kernel_open (&t, &params);
  gboolean polls = vyre_megakernel_get_residency (t.kernel) != VYRE_RESIDENCY_DISPATCH;
  if (!vyre_device_is_cpu (t.device) || !polls) {
    g_test_skip ("no kernel of a CPU stays here");
    test_kernel_close (&t);
    return;
  }
  run_after_gap (&t, SHORT);
  g_assert_true (run_after_gap (&t, LONG)); /* a single long gap changes nothing */
  g_assert_false (run_after_gap (&t, LONG));
  test_wait_until_parked (&t);
  VyreMegakernelCounters before = test_counters (&t);
  for (guint i = 0; i < N; i++)
    g_assert_false (run_after_gap (&t, LONG));
  test_wait_until_parked (&t);
  VyreMegakernelCounters after = test_counters (&t);
  g_assert_cmpuint (after.launches - before.launches, ==, N);
  g_assert_cmpuint (after.parks - before.parks, ==, N);
  g_assert_cmpuint (after.idle_polls - before.idle_polls, <, 100 * N); /* 70 µs each at most */
  g_assert_true (run_after_gap (&t, SHORT));
  g_assert_true (run_after_gap (&t, LONG));
  run_nops (&t, 5000);
  g_assert_cmpuint (test_counters (&t).launches - after.launches, <, 500);
  test_kernel_close (&t);
}

/* A launch that still waits when long gaps have become a habit is told to leave. */
static void
test_gaps_end_a_stay (void)
{
  TestKernel t;
  VyreMegakernelParams params = test_params ();

  params.idle_timeout = VYRE_IDLE_TIMEOUT_AUTO;
  test_kernel_open (&t, &params);
  g_mutex_lock (&t.kernel->lock);
  gboolean follows = t.kernel->follows_gaps && t.kernel->residency != VYRE_RESIDENCY_DISPATCH;
  t.kernel->params.idle_timeout = 3600 * G_GUINT64_CONSTANT (1000000000); /* longer than the test */
  g_mutex_unlock (&t.kernel->lock);
  if (follows) {
    g_assert_true (stays_after_gap (&t, SHORT));
    g_assert_true (stays_after_gap (&t, LONG));
    g_assert_false (stays_after_gap (&t, LONG));
    test_wait_until_parked (&t);
  }
  test_kernel_close (&t);
}

/* An idle timeout that the caller sets holds on every device, whatever the gaps; so does the
 * default of a GPU. */
static void
test_timeouts_that_are_kept (void)
{
  static const guint64 timeouts[] = { 3600 * G_GUINT64_CONSTANT (1000000000),
    VYRE_IDLE_TIMEOUT_AUTO - 1, VYRE_IDLE_TIMEOUT_AUTO };
  VyreMegakernelParams params = test_params ();
  TestKernel t;

  for (guint i = 0; i < G_N_ELEMENTS (timeouts); i++) {
    params.idle_timeout = timeouts[i];
    test_kernel_open (&t, &params);
    gboolean polls = vyre_megakernel_get_residency (t.kernel) != VYRE_RESIDENCY_DISPATCH;
    gboolean is_auto = timeouts[i] == VYRE_IDLE_TIMEOUT_AUTO;
    if (!is_auto || !vyre_device_is_cpu (t.device)) {
      g_assert_cmpuint (t.kernel->params.idle_timeout, >=, is_auto ? 100000000 : timeouts[0]);
      for (guint j = 0; j < 5; j++) {
        g_assert_cmpint (stays_after_gap (&t, LONG), ==, polls);
      }
    }
    test_kernel_close (&t);
  }
}

static void
test_renewals (void)
{
  TestKernel t;
  VyreMegakernelParams params = test_params ();

  params.lease = 2000000;
  params.idle_timeout = G_GINT64_CONSTANT (3600) * 1000000000;
  test_kernel_open (&t, &params);
  if (vyre_megakernel_get_residency (t.kernel) != VYRE_RESIDENCY_PERSISTENT) {
    g_test_skip ("no persistent residency here");
  } else {
    gint64 end = g_get_monotonic_time () + TEST_DEADLINE;
    guint first = 1;
    while (test_counters (&t).renewals < test_times (20, 200)) {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      run_many (&t, first, 1000);
      first += 1000;
    }
  }
  test_kernel_close (&t);
}

/* A launch ends after some minutes at most: the counts that it keeps for itself wrap around. */
static void
test_no_launch_stays_for_ever (TestKernel *t)
{
  gint64 end = g_get_monotonic_time () + TEST_DEADLINE;

  g_mutex_lock (&t->kernel->lock);
  t->kernel->launched -= 120 * G_GINT64_CONSTANT (1000000000);
  g_mutex_unlock (&t->kernel->lock);
  while (test_counters (t).renewals == 0) {
    g_assert_cmpint (g_get_monotonic_time (), <, end);
    run_many (t, 1, 100);
  }
}

/* Workgroups of many launches work beside each other, and no launch has to be ended for a batch to
 * go on. SwiftShader stops a workgroup at a barrier for as long as another waits in the same
 * thread. */
static void
run_many_launches (TestKernel *t)
{
  gboolean stays = vyre_megakernel_get_residency (t->kernel) == VYRE_RESIDENCY_PERSISTENT;

  for (guint i = 0; i < (stays ? test_times (60, 600) : 1); i++) {
    vyre_megakernel_set_active (t->kernel, FALSE);
    test_wait_until_parked (t);
    vyre_megakernel_set_active (t->kernel, TRUE);
    run_many (t, 1 + 500 * i, 500);
  }
}

static void
test_no_lease (void)
{
  TestKernel t;
  VyreMegakernelParams params = test_params ();

  params.lease = 0;
  test_kernel_open (&t, &params);
  run_many_launches (&t);
  g_assert_cmpuint (test_counters (&t).renewals, ==, 0);
  if (vyre_megakernel_get_residency (t.kernel) == VYRE_RESIDENCY_PERSISTENT) {
    g_assert_cmpuint (t.kernel->budget, ==, G_MAXUINT32);
    test_no_launch_stays_for_ever (&t);
  }
  test_kernel_close (&t);
}

/* More batches than fit: publishing waits for room, and returns an error when it may not wait. */
static void
test_no_room (void)
{
  TestKernel t;
  VyreMegakernelParams params = test_params ();
  VyreBatch *batches[VYRE_MAX_BATCHES];
  VyrePayload nothing = { 0 };
  GError *error = NULL;
  guint n = 0;

  params.readback_size = 65536;
  test_kernel_open (&t, &params);
  g_autoptr (VyrePlan) plan = test_plan (&t, "nop", 0, 0, 0);
  gint64 end = g_get_monotonic_time () + TEST_DEADLINE;
  while ((batches[n] = vyre_megakernel_publish (t.kernel, plan, n, &nothing, 0, &error))) {
    vyre_batch_wait (batches[n++], end, &error);
    g_assert_no_error (error);
  }
  g_assert_error (error, VYRE_ERROR, VYRE_ERROR_TIMEOUT);
  g_assert_nonnull (strstr (error->message, "Fix: "));
  g_clear_error (&error);
  g_assert_cmpuint (n, ==, 65536 / 3968); /* slices of a nop batch: 3 968 bytes each */
  for (guint i = 0; i < n; i++)
    vyre_batch_free (batches[i]);
  run_nops (&t, 1);
  g_assert_cmpuint (vyre_store_get_used (vyre_megakernel_get_readbacks (t.kernel)), ==, 0);
  test_kernel_close (&t);
}

/* A batch that can never fit is refused at once, however long the caller would wait. */
static void
test_never_room (void)
{
  TestKernel t;
  VyreMegakernelParams params = test_params ();
  VyrePayload nothing = { 0 };
  GError *error = NULL;

  params.readback_size = 65536;
  test_kernel_open (&t, &params);
  g_autoptr (VyrePlan) plan = test_plan (&t, "nop", 0, 0, 20000);
  g_assert_null (vyre_megakernel_publish (t.kernel, plan, 0, &nothing, G_MAXINT64, &error));
  g_assert_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE);
  g_assert_nonnull (strstr (error->message, "Fix: "));
  g_clear_error (&error);
  test_kernel_close (&t);
}

/* Batches that are freed while they run still end, their payloads are released, and the kernel may
 * be freed right after. */
static void
test_abandoned_batches (void)
{
  TestKernel t;
  VyreMegakernelParams params = test_params ();
  gint released = 0;
  GError *error = NULL;

  for (guint round = 0; round < 3; round++) {
    test_kernel_open (&t, &params);
    g_autoptr (VyrePlan) plan = test_plan (&t, "crc32 payload -> c", 1 << 20, 0, 0);
    VyrePayload payload = { .release = test_count_release, .owner = &released };
    for (guint i = 0; i < 20; i++) {
      VyreBatch *batch = vyre_megakernel_publish (
          t.kernel, plan, i, &payload, g_get_monotonic_time () + TEST_DEADLINE, &error);
      g_assert_no_error (error);
      vyre_batch_free (batch);
    }
    test_kernel_close (&t);
    g_assert_cmpint (g_atomic_int_get (&released), ==, 20 * ((gint)round + 1));
  }
}

static gpointer
run_in_thread (gpointer data)
{
  TestKernel *t = data;
  guint8 bytes[1000];
  gsize slice;
  guint value = GPOINTER_TO_UINT (g_thread_self ()) >> 4 & 0xFF;

  memset (bytes, (int)value, sizeof bytes);
  g_autoptr (VyrePlan) plan = test_plan (t, "u8_stats payload -> 1", sizeof bytes, 0, 0);
  VyrePayload payload = test_stage (t, bytes, sizeof bytes, 0, &slice);
  for (guint i = 0; i < 1000; i++) {
    VyreBatch *batch = test_run (t, plan, i, &payload);
    g_assert_cmpuint (test_observable (batch, 0), ==, i);
    g_assert_cmpuint (test_observable (batch, 1 + VYRE_U8_STATS_SUM), ==, 1000 * value);
    vyre_batch_free (batch);
  }
  vyre_store_free (vyre_megakernel_get_staging (t->kernel), slice);
  return NULL;
}

static void
test_threads (void)
{
  TestKernel t;
  VyreMegakernelParams params = test_params ();
  GThread *threads[4];

  test_kernel_open (&t, &params);
  for (guint i = 0; i < 4; i++)
    threads[i] = g_thread_new ("producer", run_in_thread, &t);
  for (guint i = 0; i < 4; i++)
    g_thread_join (threads[i]);
  test_kernel_close (&t);
}

static void
test_forced_residency_that_fails (void)
{
  GError *error = NULL;
  g_autoptr (VyreDevice) device = vyre_device_open ("auto", &error);
  VyreMegakernelParams params = test_params ();

  g_assert_no_error (error);
  params.residency = VYRE_RESIDENCY_PERSISTENT;
  g_autoptr (VyreMegakernel) kernel = vyre_megakernel_new (device, &params, &error);
  if (kernel) {
    g_test_skip ("persistent works here");
    return;
  }
  g_assert_error (error, VYRE_ERROR, VYRE_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "residency persistent"));
  g_assert_nonnull (strstr (error->message, "Fix: "));
  g_clear_error (&error);
}

/* A forced placement works or is an error; no other placement takes its place. */
static void
test_forced_placement (void)
{
  GError *error = NULL;
  g_autoptr (VyreDevice) device = vyre_device_open ("auto", &error);

  g_assert_no_error (error);
  for (VyrePlacement p = VYRE_PLACEMENT_UNIFIED; p <= VYRE_PLACEMENT_SPLIT; p++) {
    VyreMegakernelParams params = test_params ();
    params.placement = p;
    params.copy_threshold = 65536;
    params.residency = VYRE_RESIDENCY_AUTO;
    VyreMegakernel *kernel = vyre_megakernel_new (device, &params, &error);
    if (kernel) {
      g_assert_cmpint (vyre_megakernel_get_placement (kernel), ==, p);
      if (p == VYRE_PLACEMENT_SPLIT)
        g_assert_cmpuint (vyre_megakernel_get_copy_threshold (kernel), ==, 65536);
      vyre_megakernel_unref (kernel);
      continue;
    }
    g_test_message ("%s", error->message);
    g_assert_error (error, VYRE_ERROR, VYRE_ERROR_UNSUPPORTED);
    g_assert_nonnull (strstr (error->message, vyre_placement_name (p)));
    g_assert_nonnull (strstr (error->message, "Fix: "));
    g_clear_error (&error);
  }
}

/* A payload that publishing stores into device memory may lie anywhere, and is released at once. */
static void
test_payload_from_anywhere (void)
{
  enum { SIZE = 5000 };
  TestKernel t;
  VyreMegakernelParams params = test_params ();
  g_autofree guint8 *bytes = g_malloc (SIZE);
  GError *error = NULL;
  gint released = 0;

  test_kernel_open (&t, &params);
  if (!vyre_megakernel_stores_payload (t.kernel, SIZE)) {
    g_test_skip ("payloads of this size are not stored by the CPU here");
    test_kernel_close (&t);
    return;
  }
  memset (bytes, 9, SIZE);
  g_autoptr (VyrePlan) plan = test_plan (&t, "u8_stats payload -> s", SIZE, 0, 0);
  VyrePayload payload = { .data = bytes, .release = test_count_release, .owner = &released };
  VyreMegakernelCounters before = test_counters (&t);
  gint64 end = g_get_monotonic_time () + TEST_DEADLINE;
  VyreBatch *batch = vyre_megakernel_publish (t.kernel, plan, 1, &payload, end, &error);
  g_assert_no_error (error);
  g_assert_cmpint (released, ==, 1);
  memset (bytes, 0, SIZE); /* too late to change a result */
  g_assert_true (vyre_batch_wait (batch, end, &error));
  g_assert_cmpuint (test_observable (batch, 1 + VYRE_U8_STATS_SUM), ==, 9 * SIZE);
  vyre_batch_free (batch);
  VyreMegakernelCounters after = test_counters (&t);
  g_assert_cmpuint (after.stored_bytes - before.stored_bytes, ==, SIZE);
  g_assert_cmpuint (
      after.copied_bytes + after.in_place_bytes, ==, before.copied_bytes + before.in_place_bytes);
  g_assert_cmpuint (vyre_store_get_used (vyre_megakernel_get_staging (t.kernel)), ==, 0);
  test_kernel_close (&t);
}

/* The host may see the completion of a batch before its readback, which the kernel copies out. */
static void
test_late_readback (void)
{
  TestKernel t;
  VyreMegakernelParams params = test_params ();
  VyrePayload nothing = { 0 };
  GError *error = NULL;

  test_kernel_open (&t, &params);
  if (!t.kernel->traits->in_device_memory) {
    g_test_skip ("batches run in their readbacks here");
    test_kernel_close (&t);
    return;
  }
  g_autoptr (VyrePlan) plan = test_plan (&t, "nop", 0, 0, 0);
  gint64 end = g_get_monotonic_time () + TEST_DEADLINE;
  VyreBatch *batch = vyre_megakernel_publish (t.kernel, plan, 7, &nothing, end, &error);
  g_assert_no_error (error);
  VyreMark *granule = (VyreMark *)(vyre_store_get_data (t.kernel->readbacks) + batch->readback);
  g_mutex_lock (&batch->lane->lock); /* no other thread takes it out of flight meanwhile */
  while (!vyre_readback_marks_is_whole ((guint8 *)granule, plan, &t.kernel->mark, &(gsize){ 0 }))
    g_assert_cmpint (g_get_monotonic_time (), <, end);
  VyreMark stored = *granule;
  *granule = t.kernel->mark; /* as if it had not arrived yet */
  g_mutex_unlock (&batch->lane->lock);
  g_assert_false (vyre_batch_wait (batch, g_get_monotonic_time () + 20000, &error));
  g_assert_error (error, VYRE_ERROR, VYRE_ERROR_TIMEOUT);
  g_clear_error (&error);
  g_assert_cmpuint (test_counters (&t).in_flight, ==, 1);
  *granule = stored;
  g_assert_true (vyre_batch_wait (batch, end, &error));
  g_assert_cmpuint (test_observable (batch, 0), ==, 7);
  vyre_batch_free (batch);
  test_kernel_close (&t);
}

static void
test_device_selection (void)
{
  static const char *const none[] = { "no such device", "99", "00000000-0000-0000-0000-00000000" };
  GError *error = NULL;
  g_autoptr (VyreDevice) any = vyre_device_open ("auto", &error);

  g_assert_no_error (error);
  g_autoptr (VyreDevice) by_index = vyre_device_open ("0", &error);
  g_assert_no_error (error);
  g_assert_nonnull (by_index);
  g_autoptr (VyreDevice) by_uuid = vyre_device_open (vyre_device_get_uuid (any), &error);
  g_assert_no_error (error);
  g_assert_cmpstr (vyre_device_get_uuid (by_uuid), ==, vyre_device_get_uuid (any));
  g_autofree char *part = g_ascii_strup (vyre_device_get_name (any), 6);
  g_autoptr (VyreDevice) by_name = vyre_device_open (part, &error);
  g_assert_no_error (error);
  g_assert_nonnull (by_name);
  for (guint i = 0; i < G_N_ELEMENTS (none); i++) {
    g_assert_null (vyre_device_open (none[i], &error));
    g_assert_error (error, VYRE_ERROR, VYRE_ERROR_NO_DEVICE);
    g_assert_nonnull (strstr (error->message, "Fix: "));
    g_clear_error (&error);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/residency/device-selection", test_device_selection);
  g_test_add_func ("/residency/launches", test_launches);
  g_test_add_func ("/residency/none-lost-none-stale", test_none_lost_none_stale);
  g_test_add_func ("/residency/leases/park-and-resume", test_park_and_resume);
  g_test_add_func ("/residency/inactive-parks-at-once", test_inactive_parks_at_once);
  g_test_add_func ("/residency/gaps/of-a-stream", test_gaps);
  g_test_add_func ("/residency/gaps/end-a-stay", test_gaps_end_a_stay);
  g_test_add_func ("/residency/gaps/timeouts-that-are-kept", test_timeouts_that_are_kept);
  g_test_add_func ("/residency/leases/renewals", test_renewals);
  g_test_add_func ("/residency/leases/none", test_no_lease);
  g_test_add_func ("/residency/no-room", test_no_room);
  g_test_add_func ("/residency/never-room", test_never_room);
  g_test_add_func ("/residency/abandoned-batches", test_abandoned_batches);
  g_test_add_func ("/residency/threads", test_threads);
  g_test_add_func ("/residency/forced-placement", test_forced_placement);
  g_test_add_func ("/residency/late-readback", test_late_readback);
  g_test_add_func ("/residency/payload-from-anywhere", test_payload_from_anywhere);
  g_test_add_func ("/residency/forced-residency-that-fails", test_forced_residency_that_fails);
  return g_test_run ();
}
