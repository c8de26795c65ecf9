/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Elements that are made, stream, and go while others run on the same kernel leave nothing behind:
 * no lane, tenant, thread, file, memory of the process, or memory of the kernel. VYRE_TEST_ELEMENTS
 * says how many come and go, VYRE_TEST_STREAMS while how many run.
 */
#include <malloc.h>

#include "../unit/proc-common.h"
#include "soaker.h"

#define N_ELEMENTS 100
#define N_STREAMS 10
#define N_BUFFERS 5

/* Of the elements, the first so many fill pools and caches. */
#define WARM_UP(n) ((n) / 5)

/* Of the rounds that are measured, the least of so many first and last ones count: whatever is in
 * flight in the others comes on top. */
#define SAMPLES(n) ((n) / 5)

/* What the C library and GStreamer keep differs by less. */
#define NOISE (384 * 1024)
#define NOISE_PER_ELEMENT 512

typedef struct {
  gsize bytes; /* allocated in the process */
  guint threads;
  guint files;
} Usage;

static struct {
  guint32 seed;
  guint n_elements;
  guint n_streams;
  Soaker **streams;
  GstElement *holder; /* of the kernel */
} churn;

/* Returns 0 bytes under a sanitizer, which has an allocator of its own. */
static Usage
usage_get (void)
{
  struct mallinfo2 info = mallinfo2 ();

  return (Usage){
    .bytes = info.uordblks + info.hblkhd,
    .threads = count_entries (PROC_THREADS),
    .files = count_entries (PROC_FILES),
  };
}

static void
usage_lower (Usage *least, const Usage *usage)
{
  least->bytes = MIN (least->bytes, usage->bytes);
  least->threads = MIN (least->threads, usage->threads);
  least->files = MIN (least->files, usage->files);
}

static void
start_streams (void)
{
  churn.holder = filter_make (NULL);
  soaker_tighten (churn.holder);
  gst_element_set_state (churn.holder, GST_STATE_READY);
  churn.streams = g_new (Soaker *, churn.n_streams);
  for (guint i = 0; i < churn.n_streams; i++)
    churn.streams[i] = soaker_new (i, churn.seed, G_MAXUINT64, SOAKER_TIGHT);
  for (guint i = 0; i < churn.n_streams; i++)
    soaker_start (churn.streams[i]);
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

/* The first and the last rounds behind the warm-up, at their least. */
static void
let_all_pass (Usage *before, Usage *after)
{
  guint64 lanes = stat_of (churn.holder, "lanes");
  guint warm = WARM_UP (churn.n_elements), n = SAMPLES (churn.n_elements);

  *before = *after = (Usage){ G_MAXSIZE, G_MAXUINT, G_MAXUINT };
  for (guint i = 0; i < churn.n_elements; i++) {
    let_one_pass (churn.n_streams + i);
    Usage now = usage_get ();
    if (i >= warm && i < warm + n)
      usage_lower (before, &now);
    if (i >= churn.n_elements - n)
      usage_lower (after, &now);
    fail_unless_equals_uint64 (stat_of (churn.holder, "lanes"), lanes);
    fail_unless_equals_uint64 (stat_of (churn.holder, "kernel-tenants"), 1 + churn.n_streams);
  }
}

static void
print_usage (const gchar *when, const Usage *usage)
{
  g_print ("%s: %" G_GSIZE_FORMAT " bytes, %u threads, %u files\n", when, usage->bytes,
      usage->threads, usage->files);
}

/* A payload that takes all of the staging memory finds room, so nothing of it is taken. */
static void
fill_staging (void)
{
  GstElement *element = filter_make ("u8_stats payload -> stats");
  soaker_tighten (element);
  GstHarness *h = filter_wrap (element);
  guint64 size = stat_of (element, "staging-size");

  filter_start (h, NULL);
  GstBuffer *readback = filter_run (h, numbered_buffer (1, size));
  fail_unless_equals_uint64 (readback_observable (readback, 1), size);
  gst_buffer_unref (readback);
  fail_unless_equals_uint64 (stat_of (h->element, "readback-copies"), 0);
  filter_finish (h);
}

GST_START_TEST (elements_that_come_and_go_leave_nothing)
{
  Usage before, after;

  churn.seed = soaker_prepare ();
  churn.n_elements = (guint)soaker_pick_number ("VYRE_TEST_ELEMENTS", N_ELEMENTS);
  churn.n_streams = (guint)soaker_pick_number ("VYRE_TEST_STREAMS", N_STREAMS);
  start_streams ();
  let_all_pass (&before, &after);
  print_usage ("first", &before);
  print_usage ("last", &after);
  fail_unless (after.bytes <= before.bytes + NOISE + NOISE_PER_ELEMENT * churn.n_elements);
  fail_unless (after.threads <= before.threads);
  fail_unless (after.files <= before.files);
  stop_streams ();
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
  tcase_set_timeout (tc, 0); /* the longer forms may take an hour */
  tcase_add_test (tc, elements_that_come_and_go_leave_nothing);
  return s;
}

GST_CHECK_MAIN (churn);
