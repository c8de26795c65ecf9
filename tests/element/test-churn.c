/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Elements that are made, stream, and go while others run on the same kernel leave nothing behind:
 * no lane, tenant, thread, file, memory of the process, or memory of the kernel. VYRE_TEST_ELEMENTS
 * says how many come and go, VYRE_TEST_STREAMS while how many run.
 */
#include <malloc.h>

#include "../unit/proc-common.h"
#include "lost.h"
#include "soaker.h"

#define N_ELEMENTS 300
#define N_STREAMS 30
#define N_BUFFERS 5

/* As many elements fill pools and caches. */
#define WARM_UP 30

/* What the C library and GStreamer keep of so many streams is less, however many elements came. */
#define NOISE(n_streams) (64 * 1024 + 4096 * (n_streams))

static struct {
  guint32 seed;
  guint n_streams;
  Soaker **streams;
  GstElement *holder; /* of the kernel */
} churn;

/* Bytes that the process has allocated; 0 under a sanitizer, which has an allocator of its own. */
static gsize
count_bytes (void)
{
  struct mallinfo2 info = mallinfo2 ();

  return info.uordblks + info.hblkhd;
}

static void
hold_kernel (void)
{
  churn.holder = filter_make (NULL);
  soaker_tighten (churn.holder);
  gst_element_set_state (churn.holder, GST_STATE_READY);
}

static guint
number_of_elements (void)
{
  return (guint)soaker_pick_number ("VYRE_TEST_ELEMENTS", N_ELEMENTS);
}

/* Elements open files with their first readbacks. */
static void
wait_for_readbacks (Soaker *stream)
{
  for (guint i = 0; i < PATIENCE * 500 && soaker_count_received (stream) < N_BUFFERS; i++)
    g_usleep (2000);
  fail_unless (soaker_count_received (stream) >= N_BUFFERS);
}

static void
start_streams (void)
{
  churn.streams = g_new (Soaker *, churn.n_streams);
  for (guint i = 0; i < churn.n_streams; i++)
    churn.streams[i] = soaker_new (i, churn.seed, G_MAXUINT64, SOAKER_LIVE | SOAKER_TIGHT);
  for (guint i = 0; i < churn.n_streams; i++)
    soaker_start (churn.streams[i]);
  for (guint i = 0; i < churn.n_streams; i++)
    wait_for_readbacks (churn.streams[i]);
}

static void
stop_streams (void)
{
  for (guint i = 0; i < churn.n_streams; i++)
    soaker_stop (churn.streams[i]);
  for (guint i = 0; i < churn.n_streams; i++) {
    soaker_join (churn.streams[i]);
    soaker_free (churn.streams[i]);
  }
  g_free (churn.streams);
}

/* An element comes, has its buffers checked, and goes. */
static void
let_one_pass (guint index)
{
  Soaker *one = soaker_new (index, churn.seed, N_BUFFERS, SOAKER_TIGHT);

  soaker_start (one);
  soaker_join (one);
  soaker_free (one);
}

/* Threads that have ended may still be counted, for a moment. */
static void
wait_for_threads (guint most)
{
  for (guint i = 0; i < PATIENCE * 500 && count_entries (PROC_THREADS) > most; i++)
    g_usleep (2000);
  fail_unless (count_entries (PROC_THREADS) <= most, "%u threads, at first %u",
      count_entries (PROC_THREADS), most);
}

/* While the streams run. */
static void
let_all_pass (guint n)
{
  guint64 lanes = stat_of (churn.holder, "lanes");
  guint files = 0, threads = 0;

  for (guint i = 0; i < n; i++) {
    let_one_pass (churn.n_streams + i);
    fail_unless_equals_uint64 (stat_of (churn.holder, "lanes"), lanes);
    fail_unless_equals_uint64 (stat_of (churn.holder, "kernel-tenants"), 1 + churn.n_streams);
    guint n_files = count_entries (PROC_FILES);
    if (i < WARM_UP) {
      files = MAX (files, n_files);
      threads = MAX (threads, count_entries (PROC_THREADS));
    }
    fail_unless (n_files <= files, "%u files, at first %u", n_files, files);
  }
  wait_for_threads (threads);
  g_print ("%u elements beside %u streams: %u threads, %u files\n", n, churn.n_streams,
      count_entries (PROC_THREADS), files);
}

/* A payload that takes all of the staging memory finds room, so nothing of it is taken: a device
 * without imports reads payloads nowhere else. */
static void
fill_staging (void)
{
  GstElement *element = filter_make ("u8_stats payload -> stats");
  soaker_tighten (element);
  GstHarness *h = filter_wrap (element);
  guint64 size = stat_of (element, "staging-size");

  fail_unless_equals_uint64 (size, SOAKER_STAGING_SIZE);
  gst_harness_set_drop_buffers (h, TRUE);
  filter_start (h, NULL);
  filter_push (h, numbered_buffer (1, size));
  filter_push_eos (h);
  filter_wait_eos (h);
  fail_unless_equals_uint64 (stat_of (h->element, "cpu-bounce-bytes"), size);
  fail_unless_equals_uint64 (stat_of (h->element, "processed-bytes"), size);
  fail_unless_equals_uint64 (stat_of (h->element, "readback-copies"), 0);
  filter_finish (h);
}

GST_START_TEST (elements_that_come_and_go_leave_nothing)
{
  churn.seed = soaker_prepare ();
  vyre_lost_forbid_import ();
  hold_kernel ();
  guint64 lanes = stat_of (churn.holder, "lanes");
  for (guint i = 0; i < WARM_UP; i++)
    let_one_pass (i);
  gsize before = count_bytes ();
  churn.n_streams = (guint)soaker_pick_number ("VYRE_TEST_STREAMS", N_STREAMS);
  start_streams ();
  let_all_pass (number_of_elements ());
  stop_streams ();
  fail_unless_equals_uint64 (stat_of (churn.holder, "lanes"), lanes);
  fail_unless_equals_uint64 (stat_of (churn.holder, "kernel-tenants"), 1);
  gsize after = count_bytes ();
  g_print ("%" G_GSIZE_FORMAT " bytes, at first %" G_GSIZE_FORMAT "\n", after, before);
  fail_unless (after <= before + NOISE (churn.n_streams));
  fill_staging ();
  gst_element_set_state (churn.holder, GST_STATE_NULL);
  gst_object_unref (churn.holder);
}
GST_END_TEST;

static Suite *
churn_suite (void)
{
  Suite *s = suite_create ("churn");
  TCase *tc = tcase_create ("churn");

  suite_add_tcase (s, tc);
  tcase_set_timeout (tc, PATIENCE * 10 + number_of_elements ());
  tcase_add_test (tc, elements_that_come_and_go_leave_nothing);
  return s;
}

GST_CHECK_MAIN (churn);
