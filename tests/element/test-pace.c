/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which thread pushes a readback: the thread that brought the buffer, where that costs less than
 * waking the source pad's task.
 */
#include "common.h"

#define CHEAP "u8_stats payload -> stats"

/* So many readbacks by this thread prove the point. */
#define ENOUGH 5

/* For that, in µs: while other threads have the cores, most of what this thread tries fails. */
#define LONG_ENOUGH (60 * G_TIME_SPAN_SECOND)

/* Longer than any hand-over counts, in µs */
#define SLOW 2000

typedef struct {
  GThread *upstream;
  guint pause; /* of downstream with each buffer, µs */
  gint here;   /* buffers that upstream's thread pushed; atomic */
} Watch;

static GstPadProbeReturn
note_thread (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Watch *watch = data;

  if (g_thread_self () == watch->upstream)
    g_atomic_int_inc (&watch->here);
  if (watch->pause > 0)
    g_usleep (watch->pause);
  return GST_PAD_PROBE_OK;
}

static GstHarness *
filter_watched (Watch *watch, guint pause)
{
  GstHarness *h = filter_new_with (CHEAP, "post-messages", 0, NULL);
  GstPad *pad = filter_pad (h, "src");

  *watch = (Watch){ .upstream = g_thread_self (), .pause = pause };
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, note_thread, watch, NULL);
  gst_object_unref (pad);
  filter_start (h, NULL);
  return h;
}

/* A machine under load may need the task now and then, and then for a while. */
static void
run_until_quick (GstHarness *h, Watch *watch, gint n)
{
  gint64 end = g_get_monotonic_time () + LONG_ENOUGH;

  for (guint i = 0; g_get_monotonic_time () < end && g_atomic_int_get (&watch->here) < n; i++)
    gst_buffer_unref (filter_run (h, numbered_buffer (i, 10)));
  fail_unless (g_atomic_int_get (&watch->here) >= n, "the task pushes all readbacks");
}

GST_START_TEST (upstream_pushes_what_is_through_in_a_moment)
{
  Watch watch;
  GstHarness *h = filter_watched (&watch, 0);

  run_until_quick (h, &watch, ENOUGH);
  fail_unless_equals_uint64 (stat_of (h->element, "handovers"),
      stat_of (h->element, "buffers") - (guint64)g_atomic_int_get (&watch.here));
  filter_finish (h);
}
GST_END_TEST;

static void
end_and_go_on (GstHarness *h)
{
  filter_push_eos (h);
  filter_wait_eos (h);
  fail_unless (gst_harness_push_event (h, gst_event_new_stream_start ("next")));
  filter_push_segment (h);
}

static void
flush_and_go_on (GstHarness *h)
{
  filter_flush (h);
  filter_push_segment (h);
}

/* The ways in which a stream begins. */
static void (*const beginnings[]) (GstHarness *h) = { flush_and_go_on, end_and_go_on };

/* A sink in PAUSED keeps the thread that brings it the first buffer. */
GST_START_TEST (the_first_readback_of_a_stream_is_the_tasks)
{
  Watch watch;
  GstHarness *h = filter_watched (&watch, 0);

  for (guint i = 0; i < 20; i++) {
    gint before = g_atomic_int_get (&watch.here);
    gst_buffer_unref (filter_run (h, numbered_buffer (i, 10)));
    fail_unless_equals_int (g_atomic_int_get (&watch.here), before);
    run_until_quick (h, &watch, before + 1); /* or the task would have the next one anyway */
    beginnings[__i__](h);
  }
  filter_finish (h);
}
GST_END_TEST;

/* Upstream and a downstream that takes its time work side by side, but for a try now and then. */
GST_START_TEST (a_slow_downstream_has_the_task)
{
  Watch watch;
  GstHarness *h = filter_watched (&watch, SLOW);

  for (guint i = 0; i < 200; i++)
    filter_push (h, numbered_buffer (i, 10));
  for (guint i = 0; i < 200; i++)
    gst_buffer_unref (filter_pull (h));
  fail_unless (g_atomic_int_get (&watch.here) <= 6, "%d", g_atomic_int_get (&watch.here));
  filter_finish (h);
}
GST_END_TEST;

/* Nobody comes for the last buffers of a burst but the task. */
GST_START_TEST (the_end_of_a_burst_arrives)
{
  Watch watch;
  GstHarness *h = filter_watched (&watch, 0);

  run_until_quick (h, &watch, 1);
  for (guint round = 0; round < 50; round++) {
    for (guint i = 0; i < 40; i++)
      filter_push (h, numbered_buffer (i, 10));
    for (guint i = 0; i < 40; i++) {
      GstBuffer *readback = filter_pull (h);
      fail_unless_equals_uint64 (GST_BUFFER_OFFSET (readback), i);
      gst_buffer_unref (readback);
    }
  }
  filter_finish (h);
}
GST_END_TEST;

/* Upstream's thread hangs in downstream, as it would behind identity. */
GST_START_TEST (a_flush_releases_upstream_from_downstream)
{
  Watch watch;
  GstHarness *h = filter_watched (&watch, 0);
  Pusher pusher;
  Dam dam;

  run_until_quick (h, &watch, ENOUGH);
  dam_build (&dam, h);
  pusher_start (&pusher, h, 100, 10);
  dam_wait (&dam);
  filter_flush (h);
  dam_break (&dam);
  fail_unless_equals_int (pusher_join (&pusher), GST_FLOW_FLUSHING);
  filter_push_segment (h);
  while (gst_harness_buffers_in_queue (h) > 0)
    gst_buffer_unref (gst_harness_pull (h));
  GstBuffer *readback = filter_run (h, numbered_buffer (7, 10));
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (readback), 7);
  gst_buffer_unref (readback);
  filter_finish (h);
}
GST_END_TEST;

static Suite *
pace_suite (void)
{
  Suite *s = suite_create ("pace");
  TCase *tc = tcase_create ("pace");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, upstream_pushes_what_is_through_in_a_moment);
  tcase_add_loop_test (
      tc, the_first_readback_of_a_stream_is_the_tasks, 0, G_N_ELEMENTS (beginnings));
  tcase_add_test (tc, a_slow_downstream_has_the_task);
  tcase_add_test (tc, the_end_of_a_burst_arrives);
  tcase_add_test (tc, a_flush_releases_upstream_from_downstream);
  return s;
}

GST_CHECK_MAIN (pace);
