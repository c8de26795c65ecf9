/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the element says of its latency: the time for which it holds batches, and no more.
 */
#include "common.h"

#include <gst/base/gstbasesink.h>

#include "filter/gstvyreholds.h"

#define CHEAP "u8_stats payload -> stats"
#define UPSTREAM (7 * GST_MSECOND)
#define UPSTREAM_MOST (100 * GST_MSECOND)
#define IN_FLIGHT 4 /* the default of max-in-flight */

#define VIDEO "video/x-raw,format=GRAY8,width=8,height=8"
#define FRAME 64

static gboolean upstream_is_live;

static gboolean
answer_upstream (GstPad *pad, GstObject *parent, GstQuery *query)
{
  if (GST_QUERY_TYPE (query) != GST_QUERY_LATENCY)
    return gst_pad_query_default (pad, parent, query);
  gst_query_set_latency (query, upstream_is_live, UPSTREAM, UPSTREAM_MOST);
  return TRUE;
}

/* A filter behind a source with the latency above. */
static GstHarness *
filter_behind (gboolean live, const gchar *caps, const gchar *program)
{
  GstHarness *h = filter_new_with (program, "post-messages", 0, NULL);

  upstream_is_live = live;
  gst_pad_set_query_function (h->srcpad, answer_upstream);
  filter_start (h, caps);
  return h;
}

/* What the filter adds to the latency. */
static void
ask (GstHarness *h, GstClockTime *held, GstClockTime *room)
{
  GstQuery *query = gst_query_new_latency ();
  GstPad *pad = filter_pad (h, "src");
  GstClockTime least, most;
  gboolean live;

  fail_unless (gst_pad_query (pad, query));
  gst_query_parse_latency (query, &live, &least, &most);
  fail_unless_equals_int (live, upstream_is_live);
  *held = least - UPSTREAM;
  *room = most - UPSTREAM_MOST;
  gst_query_unref (query);
  gst_object_unref (pad);
}

static void
assert_latency (GstHarness *h, GstClockTime held, GstClockTime room)
{
  GstClockTime is_held, is_room;

  ask (h, &is_held, &is_room);
  fail_unless_equals_uint64 (is_held, held);
  fail_unless_equals_uint64 (is_room, room);
}

static void
run_long (GstHarness *h, GstClockTime duration)
{
  GstBuffer *buffer = numbered_buffer (0, FRAME);

  GST_BUFFER_DURATION (buffer) = duration;
  gst_buffer_unref (filter_run (h, buffer));
}

/* ---- content --------------------------------------------------------------- */

static const gchar *sparse[] = { NULL, "text/x-raw,format=utf8", "subpicture/x-dvd",
  "meta/x-klv,parsed=true", "application/x-subtitle", VIDEO ",framerate=0/1" };

/* So few batches that none of their times is taken for a rule. */
GST_START_TEST (the_duration_of_content_is_no_latency)
{
  GstHarness *h = filter_behind (TRUE, sparse[__i__], CHEAP);

  assert_latency (h, 0, 0);
  run_long (h, 10 * GST_SECOND);
  fail_unless (gst_harness_push_event (h, gst_event_new_gap (0, 30 * GST_SECOND)));
  run_long (h, 59 * 60 * GST_SECOND);
  run_long (h, GST_CLOCK_TIME_NONE);
  assert_latency (h, 0, 0);
  fail_unless_equals_int (bus_count_type (h, GST_MESSAGE_LATENCY), 0);
  filter_finish (h);
}
GST_END_TEST;

/* Neither share is longer than a buffer waits in passthrough. */
GST_START_TEST (a_deadline_bounds_both_shares)
{
  GstHarness *h = filter_new_with (
      CHEAP, "post-messages", 0, "output-mode", 1, "max-latency", 3 * GST_MSECOND, NULL);

  upstream_is_live = TRUE;
  gst_pad_set_query_function (h->srcpad, answer_upstream);
  filter_start (h, VIDEO ",framerate=25/1");
  assert_latency (h, 0, 3 * GST_MSECOND);
  g_object_set (h->element, "max-latency", GST_SECOND, NULL);
  assert_latency (h, 0, IN_FLIGHT * 40 * GST_MSECOND);
  filter_finish (h);
}
GST_END_TEST;

typedef struct {
  GstElement *pipeline;
  GstElement *video, *text;
  gint frames;
} Show;

static void
count_frame (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
  g_atomic_int_inc (&((Show *)data)->frames);
}

/* Does as gst-launch does, until another @n frames were shown. */
static void
watch_frames (Show *show, gint n)
{
  GstBus *bus = gst_element_get_bus (show->pipeline);
  gint last = g_atomic_int_get (&show->frames) + n;

  for (guint i = 0; i < PATIENCE * 100 && g_atomic_int_get (&show->frames) < last; i++) {
    GstMessage *message = gst_bus_timed_pop_filtered (
        bus, 10 * GST_MSECOND, GST_MESSAGE_LATENCY | GST_MESSAGE_ERROR);
    if (!message)
      continue;
    fail_unless_equals_int (GST_MESSAGE_TYPE (message), GST_MESSAGE_LATENCY);
    gst_message_unref (message);
    fail_unless (gst_bin_recalculate_latency (GST_BIN (show->pipeline)));
  }
  fail_unless (g_atomic_int_get (&show->frames) >= last, "the video stands still");
  gst_object_unref (bus);
}

static void
show_open (Show *show)
{
  GError *error = NULL;

  *show = (Show){ .pipeline = gst_parse_launch (
                      "videotestsrc is-live=true ! video/x-raw,width=32,height=32,framerate=25/1 ! "
                      "fakesink name=video sync=true signal-handoffs=true "
                      "appsrc name=text is-live=true format=time caps=text/x-raw,format=utf8 ! "
                      "vyrefilter name=vyre program=\"crc32 payload -> crc\" ! "
                      "fakesink name=results sync=true async=false",
                      &error) };
  g_assert_no_error (error);
  show->video = gst_bin_get_by_name (GST_BIN (show->pipeline), "video");
  show->text = gst_bin_get_by_name (GST_BIN (show->pipeline), "text");
  g_signal_connect (show->video, "handoff", G_CALLBACK (count_frame), show);
  fail_unless (
      gst_element_set_state (show->pipeline, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE);
}

static void
show_close (Show *show)
{
  gst_element_set_state (show->pipeline, GST_STATE_NULL);
  gst_object_unref (show->video);
  gst_object_unref (show->text);
  gst_object_unref (show->pipeline);
}

/* A line of text for 10 s, shown at once. */
static void
send_text (Show *show)
{
  GstElement *vyre = gst_bin_get_by_name (GST_BIN (show->pipeline), "vyre");
  GstBuffer *buffer = numbered_buffer (0, FRAME);
  GstFlowReturn flow;

  GST_BUFFER_PTS (buffer) = 0;
  GST_BUFFER_DURATION (buffer) = 10 * GST_SECOND;
  g_signal_emit_by_name (show->text, "push-buffer", buffer, &flow);
  gst_buffer_unref (buffer);
  fail_unless_equals_int (flow, GST_FLOW_OK);
  stat_wait (vyre, "batches", 1);
  gst_object_unref (vyre);
}

GST_START_TEST (a_long_text_leaves_the_video_alone)
{
  Show show;

  show_open (&show);
  watch_frames (&show, 5);
  send_text (&show);
  watch_frames (&show, 10);
  fail_unless (gst_base_sink_get_latency (GST_BASE_SINK (show.video)) < GST_SECOND,
      "the latency is %" GST_TIME_FORMAT,
      GST_TIME_ARGS (gst_base_sink_get_latency (GST_BASE_SINK (show.video))));
  show_close (&show);
}
GST_END_TEST;

/* ---- the most ---------------------------------------------------------------- */

static const struct {
  const gchar *caps;
  GstClockTime interval;
} cadences[] = {
  { VIDEO ",framerate=25/1", 40 * GST_MSECOND },
  { VIDEO ",framerate=1/1", GST_SECOND }, /* a slow camera, which pays nothing */
  { "image/jpeg,width=8,height=8,framerate=30000/1001", 33366666 },
  { VIDEO ",framerate=1/1000", 1000 * GST_SECOND },
  { VIDEO ",framerate=1/2147483647", 0 },
  { VIDEO, 0 },
  { "audio/x-raw,format=S16LE,layout=interleaved,rate=48000,channels=2", 0 },
};

GST_START_TEST (the_queue_has_room_for_frames_of_the_caps)
{
  GstHarness *h = filter_behind (TRUE, cadences[__i__].caps, CHEAP);
  GstClockTime interval = cadences[__i__].interval;

  run_long (h, GST_SECOND);
  assert_latency (h, 0, IN_FLIGHT * interval);
  g_object_set (h->element, "max-in-flight", 9, NULL);
  assert_latency (h, 0, 9 * interval);
  filter_finish (h);
}
GST_END_TEST;

/* ---- changes ------------------------------------------------------------------ */

static void
assert_messages (GstHarness *h, guint n)
{
  fail_unless_equals_int (bus_count_type (h, GST_MESSAGE_LATENCY), n);
}

GST_START_TEST (only_a_new_answer_is_announced)
{
  GstHarness *h = filter_behind (TRUE, VIDEO ",framerate=25/1", CHEAP);

  assert_messages (h, 1);
  for (guint i = 0; i < 3; i++) /* 1/30 s is 33333333 or 33333334 ns long */
    run_long (h, 33333333 + i % 2);
  gst_harness_set_src_caps_str (h, VIDEO ",framerate=50/2");
  g_object_set (h->element, "max-in-flight", IN_FLIGHT, NULL);
  assert_messages (h, 0);
  gst_harness_set_src_caps_str (h, VIDEO ",framerate=30/1");
  assert_messages (h, 1);
  g_object_set (h->element, "max-in-flight", 9, NULL);
  assert_messages (h, 1);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (nobody_is_told_of_a_stream_that_is_not_live)
{
  GstHarness *h = filter_behind (FALSE, VIDEO, CHEAP);

  assert_latency (h, 0, 0);
  gst_harness_set_src_caps_str (h, VIDEO ",framerate=25/1");
  g_object_set (h->element, "max-in-flight", 9, NULL);
  assert_messages (h, 0);
  assert_latency (h, 0, 9 * 40 * GST_MSECOND);
  filter_finish (h);
}
GST_END_TEST;

/* ---- the least ----------------------------------------------------------------- */

typedef struct {
  guint n;               /* batches */
  GstClockTime time;     /* for which each is held */
  GstClockTime reported; /* after them */
} Phase;

static const Phase phases[] = {
  { 3, 10 * GST_SECOND, 0 }, /* too few */
  { 1, 30 * GST_USECOND, 10 * GST_SECOND + 240 * GST_MSECOND },
  { 28, 30 * GST_USECOND, 0 }, /* over */
  { 8, 3 * GST_SECOND, 0 },    /* a hiccup, and what queued up behind it */
  { 16, 4999 * GST_USECOND, 0 },
  { 16, 5000 * GST_USECOND, 10 * GST_MSECOND },
  { 16, 3 * GST_MSECOND, 10 * GST_MSECOND }, /* to and fro changes nothing */
  { 16, 10 * GST_MSECOND, 10 * GST_MSECOND },
  { 16, 11 * GST_MSECOND, 20 * GST_MSECOND },
  { 16, 70 * GST_MSECOND, 80 * GST_MSECOND },
  { 16, 20 * GST_MSECOND, 80 * GST_MSECOND },
  { 16, 19 * GST_MSECOND, 20 * GST_MSECOND },
  { 16, 0, 0 },
};

GST_START_TEST (the_rule_follows_what_lasts)
{
  GstVyreHolds holds = { 0 };
  GstClockTime reported = 0;

  for (guint i = 0; i < G_N_ELEMENTS (phases); i++) {
    for (guint j = 0; j < phases[i].n; j++)
      reported = gst_vyre_holds_add (&holds, phases[i].time, reported);
    fail_unless (
        reported == phases[i].reported, "phase %u: %" GST_TIME_FORMAT, i, GST_TIME_ARGS (reported));
  }
}
GST_END_TEST;

#define DEAR                                                                                       \
  "u8_histogram payload -> a; u8_histogram payload -> b; u8_histogram payload -> c; "              \
  "u8_histogram payload -> d; u8_histogram payload -> e; u8_histogram payload -> f"

/* Sixteen batches one after the other: what the statistics say of them is a part of what each was
 * held for. */
GST_START_TEST (batches_that_take_long_are_reported)
{
  GstHarness *h = filter_behind (TRUE, NULL, DEAR);
  GstClockTime held, room;

  for (guint i = 0; i < GST_VYRE_HOLDS; i++)
    gst_buffer_unref (filter_run (h, noise_buffer (SLOW_SIZE, 1)));
  guint64 median = stat_of (h->element, "latency-p50");
  ask (h, &held, &room);
  if (median > 6 * GST_MSECOND) {
    fail_unless (held >= median / 9 * 8,
        "%" GST_TIME_FORMAT " are reported, %" GST_TIME_FORMAT " is the median",
        GST_TIME_ARGS (held), GST_TIME_ARGS (median));
    fail_unless (bus_count_type (h, GST_MESSAGE_LATENCY) > 0);
  }
  fail_unless (held == 0 || held >= 10 * GST_MSECOND);
  fail_unless_equals_uint64 (room, held); /* the queue has room for what it holds */
  gst_element_set_state (h->element, GST_STATE_READY);
  gst_element_set_state (h->element, GST_STATE_PLAYING);
  assert_latency (h, 0, 0);
  filter_finish (h);
}
GST_END_TEST;

/* While downstream has the task, which brings the first buffer of a stream, batches that are
 * through wait in the queue. */
GST_START_TEST (the_time_of_downstream_is_not_ours)
{
  GstHarness *h = filter_behind (TRUE, NULL, CHEAP);
  Pusher pusher;
  Dam dam;

  for (guint i = 0; i < GST_VYRE_HOLDS / 2; i++) {
    filter_flush (h);
    filter_push_segment (h);
    dam_build (&dam, h);
    pusher_start (&pusher, h, IN_FLIGHT, 10);
    dam_wait (&dam);
    fail_unless_equals_int (pusher_join (&pusher), GST_FLOW_OK);
    g_usleep (50000); /* which would be reported */
    dam_break (&dam);
    for (guint j = 0; j < IN_FLIGHT; j++)
      gst_buffer_unref (filter_pull (h));
  }
  GstClockTime held, room;
  ask (h, &held, &room);
  fail_unless (held < 50 * GST_MSECOND, "%" GST_TIME_FORMAT, GST_TIME_ARGS (held));
  filter_finish (h);
}
GST_END_TEST;

static Suite *
latency_suite (void)
{
  Suite *s = suite_create ("latency");
  TCase *content = tcase_create ("content"), *most = tcase_create ("most");
  TCase *changes = tcase_create ("changes"), *least = tcase_create ("least");

  suite_add_tcase (s, content);
  tcase_add_loop_test (content, the_duration_of_content_is_no_latency, 0, G_N_ELEMENTS (sparse));
  tcase_add_test (content, a_long_text_leaves_the_video_alone);
  suite_add_tcase (s, most);
  tcase_add_loop_test (most, the_queue_has_room_for_frames_of_the_caps, 0, G_N_ELEMENTS (cadences));
  tcase_add_test (most, a_deadline_bounds_both_shares);
  suite_add_tcase (s, changes);
  tcase_add_test (changes, only_a_new_answer_is_announced);
  tcase_add_test (changes, nobody_is_told_of_a_stream_that_is_not_live);
  suite_add_tcase (s, least);
  tcase_add_test (least, the_rule_follows_what_lasts);
  tcase_add_test (least, batches_that_take_long_are_reported);
  tcase_add_test (least, the_time_of_downstream_is_not_ours);
  return s;
}

GST_CHECK_MAIN (latency);
