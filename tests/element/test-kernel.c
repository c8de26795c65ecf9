/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The kernel behind the elements: shared by them, and away when there is
 * nothing to do.
 */
#include "common.h"
#include "oracle.h"

#include <sys/resource.h>

#define CRC "crc32 payload -> crc32"
#define IDLE_TIMEOUT (30 * GST_MSECOND)

static gint64
cpu_time (void)
{
  struct rusage usage;

  fail_unless_equals_int (getrusage (RUSAGE_SELF, &usage), 0);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * G_USEC_PER_SEC + usage.ru_utime.tv_usec
         + usage.ru_stime.tv_usec;
}

/* CPU time of the process over a window of 300 ms, in percent of one core. */
static gdouble
cpu_use (void)
{
  gint64 start = g_get_monotonic_time (), before = cpu_time ();

  g_usleep (300000);
  gint64 used = cpu_time () - before;
  return 100.0 * (gdouble)used / (gdouble)(g_get_monotonic_time () - start);
}

GST_START_TEST (paused_uses_no_cpu)
{
  GstHarness *h = filter_new_with (CRC, "idle-timeout", IDLE_TIMEOUT, NULL);

  filter_start (h, NULL);
  gst_element_set_state (h->element, GST_STATE_PAUSED);
  gst_buffer_unref (filter_run (h, numbered_buffer (0, 1000)));
  g_usleep (2 * IDLE_TIMEOUT / 1000);
  gdouble percent = cpu_use ();
  fail_unless (percent < 5, "%.1f %% of a core", percent);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (going_to_paused_parks_at_once)
{
  GstHarness *h = filter_new_with (CRC, "idle-timeout", (guint64)(3600 * GST_SECOND), NULL);

  filter_start (h, NULL);
  for (guint i = 0; i < 20; i++)
    gst_buffer_unref (filter_run (h, numbered_buffer (0, 1000)));
  gst_element_set_state (h->element, GST_STATE_PAUSED);
  g_usleep (50000);
  gdouble percent = cpu_use ();
  fail_unless (percent < 5, "%.1f %% of a core", percent);
  gst_element_set_state (h->element, GST_STATE_PLAYING);
  gst_buffer_unref (filter_run (h, numbered_buffer (0, 1000)));
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (playing_without_input_parks_after_the_idle_timeout)
{
  GstHarness *h = filter_new_with (CRC, "idle-timeout", IDLE_TIMEOUT, NULL);
  guint64 parks = stat_of (h->element, "parks");

  filter_start (h, NULL);
  gst_buffer_unref (filter_run (h, numbered_buffer (0, 1000)));
  if (!stat_is (h->element, "residency", "dispatch"))
    stat_wait (h->element, "parks", parks + 1);
  /* it was told to leave; on a busy machine it takes its time, and counts last */
  guint64 polls, launches = stat_of (h->element, "launches");
  gdouble percent;
  guint windows = 0;
  do {
    polls = stat_of (h->element, "idle-polls");
    percent = cpu_use ();
  } while (stat_of (h->element, "idle-polls") != polls && ++windows < 20);
  fail_unless (windows < 20, "it goes on polling");
  fail_unless (percent < 5, "%.1f %% of a core", percent);
  fail_unless_equals_uint64 (stat_of (h->element, "launches"), launches);
  gst_buffer_unref (filter_run (h, numbered_buffer (0, 1000)));
  fail_unless (stat_of (h->element, "launches") > launches);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (the_kernel_stays_until_the_idle_timeout)
{
  GstHarness *h = filter_new_with (CRC, "idle-timeout", (guint64)(3600 * GST_SECOND), "lease",
      (guint64)(50 * GST_MSECOND), NULL);

  if (stat_is (h->element, "residency", "dispatch")) {
    filter_finish (h);
    return;
  }
  filter_start (h, NULL);
  guint64 parks = stat_of (h->element, "parks");
  gst_buffer_unref (filter_run (h, numbered_buffer (0, 1000)));
  guint64 polls = stat_of (h->element, "idle-polls");
  g_usleep (300000);
  fail_unless (stat_of (h->element, "idle-polls") > polls, "nobody looks for work");
  fail_unless_equals_uint64 (stat_of (h->element, "parks"), parks);
  filter_finish (h);
}
GST_END_TEST;

/* By default: each buffer has a launch that is over before the next comes. */
GST_START_TEST (a_kernel_on_a_cpu_leaves_between_buffers_of_a_slow_stream)
{
  enum { FIRST = 2, N = 10 };
  GstHarness *h = filter_new (CRC);
  guint64 launches = 0;

  filter_start (h, NULL);
  for (guint i = 0; i < FIRST + N; i++) {
    if (i == FIRST)
      launches = stat_of (h->element, "launches");
    gst_buffer_unref (filter_run (h, numbered_buffer (i, 1000)));
    g_usleep (5000); /* the gap */
  }
  if (is_on_cpu (h->element))
    fail_unless_equals_uint64 (stat_of (h->element, "launches"), launches + N);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (a_kernel_takes_many_batches_per_launch)
{
  enum { N = 20000 };
  GstHarness *h = filter_new_with (
      "u8_stats payload -> stats", "post-messages", 0, "max-in-flight", 32, NULL);
  guint64 launches = stat_of (h->element, "launches");

  gst_harness_set_drop_buffers (h, TRUE);
  filter_start (h, NULL);
  GstBuffer *buffer = noise_buffer (4096, 1);
  for (guint i = 0; i < N; i++)
    filter_push (h, gst_buffer_ref (buffer));
  filter_push_eos (h);
  filter_wait_eos (h);
  fail_unless_equals_uint64 (stat_of (h->element, "batches"), N);
  launches = stat_of (h->element, "launches") - launches;
  GST_INFO ("%" G_GUINT64_FORMAT " launches", launches);
  fail_unless (stat_is (h->element, "residency", "dispatch") || launches * 100 < 2 * N,
      "%" G_GUINT64_FORMAT " launches for %d batches", launches, N);
  gst_buffer_unref (buffer);
  filter_finish (h);
}
GST_END_TEST;

/* ---- sharing ----------------------------------------------------------- */

GST_START_TEST (two_filters_share_one_kernel)
{
  GstHarness *a = filter_new (CRC), *b = filter_new ("u8_stats payload -> stats");
  guint64 batches = stat_of (a->element, "kernel-batches");

  fail_unless_equals_uint64 (stat_of (b->element, "kernel-batches"), batches);
  filter_start (a, NULL);
  filter_start (b, NULL);
  for (guint i = 0; i < 5; i++)
    gst_buffer_unref (filter_run (a, numbered_buffer (i, 100)));
  for (guint i = 0; i < 7; i++)
    gst_buffer_unref (filter_run (b, numbered_buffer (i, 100)));
  fail_unless_equals_uint64 (stat_of (a->element, "kernel-batches"), batches + 12);
  fail_unless_equals_uint64 (stat_of (b->element, "kernel-batches"), batches + 12);
  fail_unless_equals_uint64 (stat_of (a->element, "batches"), 5);
  fail_unless_equals_uint64 (stat_of (b->element, "batches"), 7);
  filter_finish (a);
  gst_buffer_unref (filter_run (b, numbered_buffer (9, 100)));
  filter_finish (b);
}
GST_END_TEST;

/* All settings that a kernel is made with, and those that choose one, with a value which is not
 * that of the set-up. */
static const struct {
  const gchar *property;
  const gchar *values[2];
} kernel_settings[] = {
  { "kernel-group", { "other" } },
  { "device", { "0" } },
  { "residency", { "dispatch", "auto" } },
  { "copy-threshold", { "1234567" } },
  { "import-threshold", { "1234567" } },
  { "lease", { "123456789" } },
  { "staging-size", { "12345678" } },
  { "resource-size", { "123456" } },
  { "idle-timeout", { "123456789" } },
  { "max-batch-time", { "123456789" } },
};

static gchar *
property_of (GstElement *element, const gchar *property)
{
  GValue value = G_VALUE_INIT;

  g_object_get_property (G_OBJECT (element), property, &value);
  gchar *text
      = G_VALUE_HOLDS_STRING (&value) ? g_value_dup_string (&value) : gst_value_serialize (&value);
  g_value_unset (&value);
  return text;
}

static GstElement *
open_other (const gchar *property, const gchar *value)
{
  GstElement *element = filter_make (CRC);

  gst_util_set_object_arg (G_OBJECT (element), property, value);
  fail_unless_equals_int (
      gst_element_set_state (element, GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
  return element;
}

static void
close_filter (GstElement *element)
{
  gst_element_set_state (element, GST_STATE_NULL);
  gst_object_unref (element);
}

/* Filters with @property at another value share a kernel that is not @usual's. */
static void
check_apart (GstElement *usual, const gchar *property, const gchar *value)
{
  guint64 tenants = stat_of (usual, "kernel-tenants");
  GstElement *one = open_other (property, value), *same = open_other (property, value);

  fail_unless (stat_of (usual, "kernel-tenants") == tenants, "%s is shared", property);
  fail_unless_equals_uint64 (stat_of (one, "kernel-tenants"), 2);
  fail_unless_equals_uint64 (stat_of (same, "kernel-tenants"), 2);
  close_filter (same);
  close_filter (one);
}

/* A filter that differs in one setting has a kernel of its own, which it shares with one like it.
 */
GST_START_TEST (filters_with_other_settings_do_not_share)
{
  GstElement *usual = filter_make (CRC);

  gst_element_set_state (usual, GST_STATE_READY);
  for (guint i = 0; i < G_N_ELEMENTS (kernel_settings); i++) {
    const gchar *property = kernel_settings[i].property;
    const gchar *const *values = kernel_settings[i].values;
    gchar *before = property_of (usual, property);
    check_apart (usual, property, g_strcmp0 (before, values[0]) == 0 ? values[1] : values[0]);
    g_free (before);
  }
  /* what a device has no memory for cannot be asked of it */
  GstStructure *stats = stats_of (usual);
  const gchar *found = gst_structure_get_string (stats, "placement");
  gchar *asked = property_of (usual, "placement");
  check_apart (usual, "placement", g_str_equal (asked, "auto") ? found : "auto");
  g_free (asked);
  gst_structure_free (stats);
  close_filter (usual);
}
GST_END_TEST;

typedef struct {
  GstHarness *h;
  guint seed;
  guint wrong;
} Worker;

static gpointer
work (gpointer data)
{
  Worker *worker = data;

  for (guint i = 0; i < 400; i++) {
    gsize size = (i * 37 + worker->seed * 1001) % 9000;
    guint8 *bytes = noise_new (size, worker->seed + i);
    GstBuffer *readback = filter_run (worker->h, buffer_of (bytes, size));
    worker->wrong += readback_observable (readback, 1) != oracle_crc32 (bytes, size);
    gst_buffer_unref (readback);
    g_free (bytes);
  }
  return NULL;
}

GST_START_TEST (filters_in_two_threads_get_their_own_results)
{
  Worker workers[2];
  GThread *threads[2];

  for (guint i = 0; i < 2; i++) {
    workers[i] = (Worker){ .h = filter_new_with (CRC, "post-messages", 0, NULL), .seed = 1 + i };
    filter_start (workers[i].h, NULL);
  }
  for (guint i = 0; i < 2; i++)
    threads[i] = g_thread_new ("worker", work, &workers[i]);
  for (guint i = 0; i < 2; i++)
    g_thread_join (threads[i]);
  for (guint i = 0; i < 2; i++) {
    fail_unless_equals_int (workers[i].wrong, 0);
    fail_unless_equals_uint64 (stat_of (workers[i].h->element, "batches"), 400);
    filter_finish (workers[i].h);
  }
}
GST_END_TEST;

/* A paused neighbour's batches must not be parked away from a playing one. */
GST_START_TEST (pausing_one_filter_does_not_stop_the_other)
{
  GstHarness *a = filter_new (CRC), *b = filter_new (CRC);

  filter_start (a, NULL);
  filter_start (b, NULL);
  for (guint i = 0; i < 20; i++) {
    gst_element_set_state (b->element, i % 2 ? GST_STATE_PLAYING : GST_STATE_PAUSED);
    gst_buffer_unref (filter_run (a, numbered_buffer (i, 1000)));
    gst_buffer_unref (filter_run (b, numbered_buffer (i, 1000)));
  }
  filter_finish (a);
  filter_finish (b);
}
GST_END_TEST;

/* Readbacks of an element that is paused may fill the store that it shares: the bus hears of it,
 * and the other goes on when it can. */
GST_START_TEST (an_element_that_finds_no_room_for_readbacks_says_so)
{
  GstHarness *greedy = filter_new_with (
      "nop", "observable-slots", 200000, "max-in-flight", 64, "post-messages", 0, NULL);
  GstHarness *modest
      = filter_new_with ("nop", "observable-slots", 200000, "post-messages", 0, NULL);
  Pusher many, one;
  Dam dam;

  filter_start (greedy, NULL);
  filter_start (modest, NULL);
  dam_build (&dam, greedy);
  pusher_start (&many, greedy, 64, 10);
  dam_wait (&dam);
  stat_wait (greedy->element, "buffers", 30);
  gst_harness_set_drop_buffers (modest, TRUE);
  pusher_start (&one, modest, 500, 10); /* until the other has all the room */
  GstMessage *message = bus_wait (modest, GST_MESSAGE_WARNING);
  GError *error = NULL;
  gst_message_parse_warning (message, &error, NULL);
  fail_unless (strstr (error->message, "kernel-group") != NULL, "%s", error->message);
  g_error_free (error);
  gst_message_unref (message);
  dam_break (&dam);
  fail_unless_equals_int (pusher_join (&one), GST_FLOW_OK);
  fail_unless_equals_int (pusher_join (&many), GST_FLOW_OK);
  filter_finish (modest);
  filter_finish (greedy);
}
GST_END_TEST;

/* lavapipe addresses 128 MiB in a buffer; what was asked for is not what there is. */
GST_START_TEST (stats_have_the_sizes_in_use)
{
  GstElement *element = filter_make (CRC);
  guint64 asked = G_GUINT64_CONSTANT (4) << 30, property;

  g_object_set (element, "staging-size", asked, NULL);
  gst_element_set_state (element, GST_STATE_READY);
  g_object_get (element, "staging-size", &property, NULL);
  guint64 size = stat_of (element, "staging-size");
  fail_unless_equals_uint64 (property, asked);
  fail_unless (size >= 1 << 20 && (size < asked || !is_on_cpu (element)));
  fail_unless_equals_uint64 (stat_of (element, "resource-size"), size / 4);
  gst_element_set_state (element, GST_STATE_NULL);
  fail_unless_equals_uint64 (stat_of (element, "staging-size"), 0);
  gst_object_unref (element);
}
GST_END_TEST;

static Suite *
kernel_suite (void)
{
  Suite *s = suite_create ("kernel");
  TCase *idle = tcase_create ("idle"), *shared = tcase_create ("shared");

  suite_add_tcase (s, idle);
  tcase_add_test (idle, paused_uses_no_cpu);
  tcase_add_test (idle, going_to_paused_parks_at_once);
  tcase_add_test (idle, playing_without_input_parks_after_the_idle_timeout);
  tcase_add_test (idle, the_kernel_stays_until_the_idle_timeout);
  tcase_add_test (idle, a_kernel_on_a_cpu_leaves_between_buffers_of_a_slow_stream);
  tcase_add_test (idle, a_kernel_takes_many_batches_per_launch);
  suite_add_tcase (s, shared);
  tcase_add_test (shared, two_filters_share_one_kernel);
  tcase_add_test (shared, filters_with_other_settings_do_not_share);
  tcase_add_test (shared, filters_in_two_threads_get_their_own_results);
  tcase_add_test (shared, pausing_one_filter_does_not_stop_the_other);
  tcase_add_test (shared, stats_have_the_sizes_in_use);
  tcase_add_test (shared, an_element_that_finds_no_room_for_readbacks_says_so);
  return s;
}

GST_CHECK_MAIN (kernel);
