/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vyrescope in a harness: frames at the rate of downstream, whatever the rate of the results.
 */
#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#define RESULTS                                                                                    \
  "vyre-results, luma=(structure)\"luma\\,\\ count\\=\\(guint64\\)100\\,\\ "                       \
  "min\\=\\(guint64\\)100\\,\\ max\\=\\(guint64\\)100\\,\\ sum\\=\\(guint64\\)10000\\;\";"

#define READBACK_CAPS                                                                              \
  "application/x-vyre-readback, abi=1, slot-count=1, observable-slots=8, control-size=1, "         \
  "ring-size=1, debug-log-size=1, io-queue-size=1, has-sequence=true"

static GstHarness *
scope_new (const gchar *caps, const gchar *frames)
{
  GstHarness *h = gst_harness_new ("vyrescope");

  gst_harness_set_sink_caps_str (h, frames);
  if (caps)
    gst_harness_set_src_caps_str (h, caps);
  return h;
}

/* A buffer with results of luma, or without any. vyrefilter registers their meta. */
static GstBuffer *
buffer_new (GstClockTime time, GstClockTime duration, gboolean has_results)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 16, NULL);

  GST_BUFFER_PTS (buffer) = time;
  GST_BUFFER_DURATION (buffer) = duration;
  if (!has_results)
    return buffer;
  GstStructure *results = gst_structure_from_string (RESULTS, NULL);
  GstStructure *fields
      = gst_custom_meta_get_structure (gst_buffer_add_custom_meta (buffer, "GstVyreResultsMeta"));
  gst_structure_set_value (fields, "luma", gst_structure_get_value (results, "luma"));
  gst_structure_free (results);
  return buffer;
}

static guint32
pixel_at (GstBuffer *frame, guint x, guint y, guint width)
{
  guint8 bytes[4];

  gst_buffer_extract (frame, (y * width + x) * 4, bytes, 4);
  return (guint32)bytes[2] << 16 | (guint32)bytes[1] << 8 | bytes[0];
}

/* Pulls a frame, and checks its times. */
static GstBuffer *
pull_frame (GstHarness *h, GstClockTime time, GstClockTime duration)
{
  GstBuffer *frame = gst_harness_try_pull (h);

  fail_unless (frame != NULL, "there is no frame at %" GST_TIME_FORMAT, GST_TIME_ARGS (time));
  fail_unless_equals_clocktime (GST_BUFFER_PTS (frame), time);
  fail_unless_equals_clocktime (GST_BUFFER_DURATION (frame), duration);
  return frame;
}

/* Pushes a second of results, and counts the frames, which follow each other without a gap. */
static guint
count_frames (GstHarness *h, guint rate, GstClockTime unit)
{
  GstClockTime last = 0;
  guint n = 0;

  for (guint i = 0; i < rate; i++) {
    GstClockTime time = gst_util_uint64_scale (i, GST_SECOND, rate) / unit * unit;
    GstClockTime next = gst_util_uint64_scale (i + 1, GST_SECOND, rate) / unit * unit;
    guint before = n;
    fail_unless_equals_int (
        gst_harness_push (h, buffer_new (time, next - time, TRUE)), GST_FLOW_OK);
    for (GstBuffer *frame; (frame = gst_harness_try_pull (h)); n++) {
      fail_unless_equals_clocktime (GST_BUFFER_PTS (frame), last);
      last += GST_BUFFER_DURATION (frame);
      gst_buffer_unref (frame);
    }
    fail_unless (unit < GST_MSECOND || n == before + 1, "%u frames at once", n - before);
  }
  return n;
}

GST_START_TEST (frames_come_at_the_rate_of_downstream)
{
  static const guint rates[] = { 25, 47, 60, 1, 1000 };

  for (guint i = 0; i < G_N_ELEMENTS (rates); i++) {
    GstHarness *h = scope_new (
        "audio/x-raw", "video/x-raw, format=BGRx, width=320, height=180, framerate=60/1");
    guint n = count_frames (h, rates[i], 1);
    fail_unless (n == 60 || n == 59, "%u frames of %u results", n, rates[i]);
    gst_harness_teardown (h);
  }
}
GST_END_TEST;

/* Matroska rounds times to milliseconds. */
GST_START_TEST (rounded_times_make_a_frame_each)
{
  GstHarness *h = scope_new ("video/x-raw, format=I420, width=64, height=64, framerate=30/1",
      "video/x-raw, format=BGRx, width=320, height=180");

  fail_unless_equals_int (count_frames (h, 30, GST_MSECOND), 30);
  gst_harness_teardown (h);
}
GST_END_TEST;

static void
check_frames (const gchar *caps, const gchar *frames, gint width, gint height, gint rate)
{
  GstHarness *h = scope_new (caps, frames);
  GstVideoInfo info;

  gst_harness_push (h, buffer_new (0, GST_SECOND, TRUE));
  g_autoptr (GstCaps) made = gst_pad_get_current_caps (h->sinkpad);
  fail_unless (gst_video_info_from_caps (&info, made));
  fail_unless_equals_int (info.width, width);
  fail_unless_equals_int (info.height, height);
  fail_unless_equals_int (info.fps_n / info.fps_d, rate);
  gst_harness_teardown (h);
}

GST_START_TEST (what_downstream_leaves_open_is_chosen)
{
  const gchar *video = "video/x-raw, format=I420, width=64, height=64, framerate=24/1";

  check_frames (video, "video/x-raw, format=BGRx", 1280, 720, 24);
  check_frames ("audio/x-raw", "video/x-raw, format=BGRx", 1280, 720, 30);
  check_frames (
      video, "video/x-raw, format=BGRx, width=[ 64, 800 ], framerate=[ 50/1, 60/1 ]", 800, 720, 50);
}
GST_END_TEST;

GST_START_TEST (without_a_rate_results_make_a_frame_each)
{
  GstHarness *h
      = scope_new ("audio/x-raw", "video/x-raw, format=BGRx, width=320, height=180, framerate=0/1");

  for (guint i = 0; i < 3; i++) {
    gst_harness_push (h, buffer_new (i * i * GST_SECOND, 7, TRUE));
    gst_buffer_unref (pull_frame (h, i * i * GST_SECOND, 7));
  }
  gst_harness_teardown (h);
}
GST_END_TEST;

/* The panels appear with the results, go on without them, and are forgotten by a flush. */
GST_START_TEST (a_frame_shows_the_results_of_its_buffer)
{
  GstHarness *h = scope_new (
      "audio/x-raw", "video/x-raw, format=BGRx, width=320, height=180, framerate=10/1");
  guint32 colours[4];

  for (guint i = 0; i < 4; i++) {
    if (i == 3) {
      GstSegment segment;
      gst_segment_init (&segment, GST_FORMAT_TIME);
      gst_harness_push_event (h, gst_event_new_flush_start ());
      gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
      gst_harness_push_event (h, gst_event_new_segment (&segment));
    }
    gst_harness_push (h, buffer_new (i * 100 * GST_MSECOND, 100 * GST_MSECOND, i == 1));
    g_autoptr (GstBuffer) frame = pull_frame (h, i * 100 * GST_MSECOND, 100 * GST_MSECOND);
    colours[i] = pixel_at (frame, 20, 165, 320);
    fail_unless (GST_BUFFER_FLAG_IS_SET (frame, GST_BUFFER_FLAG_DISCONT) == (i == 0 || i == 3));
  }
  fail_unless (colours[0] != colours[1], "results change nothing");
  fail_unless_equals_int (colours[2], colours[1]);
  fail_unless_equals_int (colours[3], colours[0]);
  gst_harness_teardown (h);
}
GST_END_TEST;

/* Streams that follow one another, as of concat, have one history. */
GST_START_TEST (a_segment_goes_on_where_the_one_before_ended)
{
  const gchar *caps = "video/x-raw, format=I420, width=64, height=64, framerate=10/1";
  GstHarness *h
      = scope_new (caps, "video/x-raw, format=BGRx, width=320, height=180, framerate=10/1");
  g_autoptr (GstCaps) same = gst_caps_from_string (caps);
  guint32 colours[2];

  for (guint i = 0; i < 2; i++) {
    GstClockTime time = i == 0 ? 500 * GST_MSECOND : 0;
    GstBuffer *buffer = buffer_new (time, 100 * GST_MSECOND, TRUE);
    GstSegment segment;
    gst_segment_init (&segment, GST_FORMAT_TIME);
    segment.base = 600 * i * GST_MSECOND;
    gst_harness_push_event (h, gst_event_new_caps (same));
    gst_harness_push_event (h, gst_event_new_segment (&segment));
    if (i == 1) /* results of something else: what was drawn before stays */
      gst_structure_remove_field (
          gst_custom_meta_get_structure (gst_buffer_get_custom_meta (buffer, "GstVyreResultsMeta")),
          "luma");
    gst_harness_push (h, buffer);
    g_autoptr (GstBuffer) frame = pull_frame (h, time, 100 * GST_MSECOND);
    colours[i] = pixel_at (frame, 20, 165, 320);
  }
  fail_unless_equals_int (colours[1], colours[0]);
  gst_harness_teardown (h);
}
GST_END_TEST;

GST_START_TEST (frames_go_on_in_a_gap)
{
  GstHarness *h = scope_new (
      "audio/x-raw", "video/x-raw, format=BGRx, width=320, height=180, framerate=10/1");

  gst_harness_push (h, buffer_new (0, 100 * GST_MSECOND, TRUE));
  gst_harness_push_event (h, gst_event_new_gap (100 * GST_MSECOND, 300 * GST_MSECOND));
  for (guint i = 0; i < 4; i++)
    gst_buffer_unref (pull_frame (h, i * 100 * GST_MSECOND, 100 * GST_MSECOND));
  fail_unless (gst_harness_try_pull (h) == NULL);
  gst_harness_teardown (h);
}
GST_END_TEST;

/* Half a frame is longer than a second here. */
GST_START_TEST (frames_may_be_seconds_long)
{
  static const guint lengths[] = { 2, 3, 5 };

  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++) {
    g_autofree gchar *frames = g_strdup_printf (
        "video/x-raw, format=BGRx, width=320, height=180, framerate=1/%u", lengths[i]);
    GstHarness *h = scope_new ("audio/x-raw", frames);
    for (guint at = 0; at < 10 * lengths[i]; at++)
      gst_harness_push (h, buffer_new (at * 200 * GST_MSECOND, 200 * GST_MSECOND, TRUE));
    gst_buffer_unref (pull_frame (h, 0, lengths[i] * GST_SECOND));
    gst_buffer_unref (pull_frame (h, lengths[i] * GST_SECOND, lengths[i] * GST_SECOND));
    fail_unless (gst_harness_try_pull (h) == NULL);
    gst_harness_teardown (h);
  }
}
GST_END_TEST;

/* The end of a stream makes the frame whose middle its results do not reach, and no other one. */
GST_START_TEST (the_last_results_have_a_frame)
{
  GstHarness *h = scope_new (
      "audio/x-raw", "video/x-raw, format=BGRx, width=320, height=180, framerate=10/1");

  gst_harness_push (h, buffer_new (0, 20 * GST_MSECOND, TRUE));
  fail_unless (gst_harness_try_pull (h) == NULL);
  gst_harness_push_event (h, gst_event_new_eos ());
  gst_buffer_unref (pull_frame (h, 0, 100 * GST_MSECOND));
  gst_harness_teardown (h);
  h = scope_new ("audio/x-raw", "video/x-raw, format=BGRx, width=320, height=180, framerate=10/1");
  gst_harness_push (h, buffer_new (0, 100 * GST_MSECOND, TRUE));
  gst_buffer_unref (pull_frame (h, 0, 100 * GST_MSECOND));
  gst_harness_push_event (h, gst_event_new_eos ());
  fail_unless (gst_harness_try_pull (h) == NULL);
  gst_harness_teardown (h);
}
GST_END_TEST;

/* Results that end with a segment have no time in the next one. */
GST_START_TEST (an_empty_segment_has_no_last_frame)
{
  GstHarness *h = scope_new (
      "audio/x-raw", "video/x-raw, format=BGRx, width=320, height=180, framerate=10/1");
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push (h, buffer_new (0, 20 * GST_MSECOND, TRUE));
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  gst_harness_push_event (h, gst_event_new_eos ());
  fail_unless (gst_harness_try_pull (h) == NULL);
  gst_harness_teardown (h);
}
GST_END_TEST;

/* Reads whether the line of luma is at the right side of the timeline, which is now, or close to
 * it. */
static gboolean
has_line (GstBuffer *frame)
{
  for (guint y = 20; y < 140; y++) {
    for (guint x = 260; x < 300; x++) {
      guint32 pixel = pixel_at (frame, x, y, 320);
      if ((pixel >> 16) > 180 && (pixel >> 8 & 0xff) > 180 && (pixel & 0xff) > 180)
        return TRUE;
    }
  }
  return FALSE;
}

/* Time goes on in buffers without results and in gaps: the line moves to the left. */
GST_START_TEST (a_gap_moves_on)
{
  for (guint is_gap = 0; is_gap < 2; is_gap++) {
    GstHarness *h = scope_new (
        "audio/x-raw", "video/x-raw, format=BGRx, width=320, height=180, framerate=10/1");
    GstClockTime end = 5 * GST_SECOND, time = 0;
    gboolean before = FALSE, behind = TRUE;
    for (; time < end; time += 100 * GST_MSECOND)
      gst_harness_push (h, buffer_new (time, 100 * GST_MSECOND, TRUE));
    for (guint i = 0; i < 50; i++) {
      g_autoptr (GstBuffer) frame = gst_harness_pull (h);
      before = has_line (frame);
    }
    if (is_gap)
      gst_harness_push_event (h, gst_event_new_gap (end, 4 * GST_SECOND));
    for (; !is_gap && time < end + 4 * GST_SECOND; time += 100 * GST_MSECOND)
      gst_harness_push (h, buffer_new (time, 100 * GST_MSECOND, FALSE));
    for (guint i = 0; i < 40; i++) {
      g_autoptr (GstBuffer) frame = gst_harness_pull (h);
      behind = has_line (frame);
    }
    fail_unless (before && !behind, "%u: %d %d", is_gap, before, behind);
    gst_harness_teardown (h);
  }
}
GST_END_TEST;

/* Results of long buffers make one line, whether the buffers or their caps say how long these are.
 */
GST_START_TEST (long_buffers_leave_no_holes)
{
  for (guint is_of_caps = 0; is_of_caps < 2; is_of_caps++) {
    GstHarness *h = scope_new (is_of_caps ? "video/x-raw, format=I420, width=64, height=64, "
                                            "framerate=1/2"
                                          : "audio/x-raw",
        "video/x-raw, format=BGRx, width=320, height=180, framerate=1/2");
    for (guint i = 0; i < 4; i++) {
      gst_harness_push (h,
          buffer_new (2 * i * GST_SECOND, is_of_caps ? GST_CLOCK_TIME_NONE : 2 * GST_SECOND, TRUE));
      g_autoptr (GstBuffer) frame = pull_frame (h, 2 * i * GST_SECOND, 2 * GST_SECOND);
      fail_unless (has_line (frame) == (i > 0), "%u %u", is_of_caps, i);
    }
    gst_harness_push (h, buffer_new (8 * GST_SECOND, GST_SECOND / 10, TRUE)); /* the last one */
    gst_harness_push_event (h, gst_event_new_eos ());
    g_autoptr (GstBuffer) frame = pull_frame (h, 8 * GST_SECOND, 2 * GST_SECOND);
    fail_unless (has_line (frame));
    gst_harness_teardown (h);
  }
}
GST_END_TEST;

/* A frame at a low rate is of a time far behind its results, which is no jump. */
GST_START_TEST (a_long_frame_forgets_nothing)
{
  GstHarness *h
      = scope_new ("audio/x-raw", "video/x-raw, format=BGRx, width=320, height=180, framerate=1/5");

  for (guint i = 0; i < 26; i++)
    gst_harness_push (h, buffer_new (i * 100 * GST_MSECOND, 100 * GST_MSECOND, TRUE));
  g_autoptr (GstBuffer) frame = pull_frame (h, 0, 5 * GST_SECOND);
  fail_unless (has_line (frame));
  gst_harness_teardown (h);
}
GST_END_TEST;

/* Without a peer frames have the format of frames. */
GST_START_TEST (a_source_pad_without_a_peer_has_frames)
{
  GstHarness *h = gst_harness_new_with_padnames ("vyrescope", "sink", NULL);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (h->element, "src");

  gst_harness_set_src_caps_str (h, "audio/x-raw");
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  g_autoptr (GstCaps) wanted
      = gst_caps_from_string ("video/x-raw, format=BGRx, width=1280, height=720");
  fail_unless (caps && gst_caps_is_subset (caps, wanted));
  fail_unless_equals_int (
      gst_harness_push (h, buffer_new (0, GST_SECOND, TRUE)), GST_FLOW_NOT_LINKED);
  gst_harness_teardown (h);
}
GST_END_TEST;

/* Without a rate of frames, buffers without times count at the rate of the video that comes, or at
 * 30 a second, from the last time on. */
GST_START_TEST (buffers_without_any_times_are_counted)
{
  static const struct {
    const gchar *caps;
    GstClockTime length;
  } cases[] = { { "video/x-raw, format=I420, width=64, height=64, framerate=4/1", GST_SECOND / 4 },
    { "audio/x-raw", GST_SECOND / 30 } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    GstHarness *h = scope_new (
        cases[i].caps, "video/x-raw, format=BGRx, width=320, height=180, framerate=0/1");
    for (guint n = 0; n < 3; n++) {
      gst_harness_push (h, buffer_new (GST_CLOCK_TIME_NONE, 7, TRUE));
      gst_buffer_unref (pull_frame (h, n * cases[i].length, 7));
    }
    gst_harness_push (h, buffer_new (9 * GST_SECOND, 7, TRUE));
    gst_buffer_unref (pull_frame (h, 9 * GST_SECOND, 7));
    gst_harness_push (h, buffer_new (GST_CLOCK_TIME_NONE, 7, TRUE));
    gst_buffer_unref (pull_frame (h, 9 * GST_SECOND + cases[i].length, 7));
    gst_harness_teardown (h);
  }
}
GST_END_TEST;

GST_START_TEST (times_that_jump_begin_anew)
{
  GstHarness *h = scope_new (
      "audio/x-raw", "video/x-raw, format=BGRx, width=320, height=180, framerate=10/1");
  static const GstClockTime times[] = { 0, 5000 * GST_SECOND, 3 * GST_SECOND };

  for (guint i = 0; i < G_N_ELEMENTS (times); i++) {
    gst_harness_push (h, buffer_new (times[i], 100 * GST_MSECOND, TRUE));
    g_autoptr (GstBuffer) frame = pull_frame (h, times[i], 100 * GST_MSECOND);
    fail_unless (GST_BUFFER_FLAG_IS_SET (frame, GST_BUFFER_FLAG_DISCONT));
  }
  fail_unless (gst_harness_try_pull (h) == NULL);
  gst_harness_teardown (h);
}
GST_END_TEST;

/* Bytes of a file have no times, and a segment of bytes: frames have times from 0 on. */
GST_START_TEST (buffers_without_times_make_frames_with_times)
{
  GstHarness *h
      = scope_new (NULL, "video/x-raw, format=BGRx, width=320, height=180, framerate=10/1");
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_harness_push_event (h, gst_event_new_stream_start ("bytes"));
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  for (guint i = 0; i < 3; i++) {
    gst_harness_push (h, buffer_new (GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE, TRUE));
    gst_buffer_unref (pull_frame (h, i * 100 * GST_MSECOND, 100 * GST_MSECOND));
  }
  g_autoptr (GstEvent) event = gst_pad_get_sticky_event (h->sinkpad, GST_EVENT_SEGMENT, 0);
  const GstSegment *sent;
  gst_event_parse_segment (event, &sent);
  fail_unless_equals_int (sent->format, GST_FORMAT_TIME);
  gst_harness_teardown (h);
}
GST_END_TEST;

GST_START_TEST (a_frame_may_wait_for_half_of_its_duration)
{
  GstHarness *h = scope_new (
      "audio/x-raw", "video/x-raw, format=BGRx, width=320, height=180, framerate=10/1");

  gst_harness_set_upstream_latency (h, 7 * GST_MSECOND);
  gst_harness_push (h, buffer_new (0, 100 * GST_MSECOND, TRUE));
  fail_unless_equals_clocktime (gst_harness_query_latency (h), 57 * GST_MSECOND);
  gst_harness_teardown (h);
  h = scope_new ("audio/x-raw",
      "video/x-raw, format=BGRx, width=320, height=180, framerate=2147483647/214748365");
  gst_harness_push (h, buffer_new (0, 100 * GST_MSECOND, TRUE));
  fail_unless_equals_clocktime (gst_harness_query_latency (h) / GST_MSECOND, 50);
  gst_harness_teardown (h);
}
GST_END_TEST;

static void
check_error (const gchar *caps, gboolean has_buffer)
{
  GstHarness *h = gst_harness_new ("vyrescope");
  g_autoptr (GstBus) bus = gst_bus_new ();

  gst_element_set_bus (h->element, bus);
  gst_harness_set_sink_caps_str (h, "video/x-raw, format=BGRx, width=320, height=180");
  gst_harness_set_src_caps_str (h, caps);
  if (has_buffer)
    fail_unless_equals_int (
        gst_harness_push (h, buffer_new (0, GST_SECOND, FALSE)), GST_FLOW_ERROR);
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL, "there is no error");
  g_autoptr (GError) error = NULL;
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT));
  fail_unless (strstr (error->message, "Fix: ") != NULL, "%s", error->message);
  gst_element_set_bus (h->element, NULL);
  gst_harness_teardown (h);
}

/* Caps and buffers that no readback has are errors. */
GST_START_TEST (readbacks_that_are_none_are_refused)
{
  check_error (READBACK_CAPS, FALSE);
  check_error ("application/x-vyre-readback, abi=1, slot-count=1, observable-slots=256, "
               "control-size=1664, ring-size=64, debug-log-size=2048, io-queue-size=1024, "
               "has-sequence=true",
      TRUE);
}
GST_END_TEST;

/* Reads of the first frame of @pipeline whether anything but the ground is there. */
static guint32
run_pipeline (const gchar *text)
{
  GError *error = NULL;
  GstElement *pipeline = gst_parse_launch (text, &error);

  fail_unless (error == NULL, "%s", error ? error->message : "");
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_autoptr (GstMessage) message
      = gst_bus_timed_pop_filtered (bus, 60 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless (message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS, "the stream fails");
  g_autoptr (GstSample) sample = NULL;
  g_object_get (sink, "last-sample", &sample, NULL);
  guint32 colour = pixel_at (gst_sample_get_buffer (sample), 20, 165, 320);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
  return colour;
}

/* Metas and readbacks of vyrefilter make the same picture. */
GST_START_TEST (frames_and_readbacks_of_vyrefilter_show_the_same)
{
  g_autofree gchar *source
      = g_strdup ("videotestsrc num-buffers=10 pattern=blue ! video/x-raw,format=I420,width=64,"
                  "height=64,framerate=30/1 ! vyrefilter program=builtin:frame-stats");
  const gchar *end = "video/x-raw,width=320,height=180 ! fakesink name=sink";
  g_autofree gchar *metas
      = g_strdup_printf ("%s output-mode=passthrough ! vyrescope ! %s", source, end);
  g_autofree gchar *readbacks = g_strdup_printf ("%s ! vyrescope ! %s", source, end);
  g_autofree gchar *none = g_strdup_printf ("videotestsrc num-buffers=10 ! vyrescope ! %s", end);
  guint32 colour = run_pipeline (metas);

  fail_unless_equals_int (run_pipeline (readbacks), colour);
  fail_unless (run_pipeline (none) != colour);
}
GST_END_TEST;

/* The mode is that of the start. */
static GstHarness *
overlay_wrap (void)
{
  GstElement *element = gst_element_factory_make ("vyrescope", NULL);

  gst_util_set_object_arg (G_OBJECT (element), "mode", "overlay");
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  return h;
}

static GstHarness *
overlay_new (const gchar *format)
{
  GstHarness *h = overlay_wrap ();
  g_autofree gchar *caps
      = g_strdup_printf ("video/x-raw, format=%s, width=320, height=180, framerate=30/1", format);

  gst_harness_set_sink_caps_str (h, caps);
  gst_harness_set_src_caps_str (h, caps);
  return h;
}

/* Pushes a picture whose bytes are all @fill, and returns what comes of it. */
static GstBuffer *
overlay_run (GstHarness *h, const gchar *format, guint8 fill, gboolean has_results)
{
  GstVideoInfo info;
  GstBuffer *buffer = buffer_new (5, 7, has_results);

  gst_video_info_set_format (&info, gst_video_format_from_string (format), 320, 180);
  gst_buffer_remove_all_memory (buffer);
  gst_buffer_append_memory (buffer, gst_allocator_alloc (NULL, info.size, NULL));
  gst_buffer_memset (buffer, 0, fill, info.size);
  fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_OK);
  return pull_frame (h, 5, 7);
}

/* The picture stays as it is but for its lower third, in any format. */
GST_START_TEST (panels_lie_over_the_lower_part_of_a_picture)
{
  static const gchar *const formats[] = { "I420", "NV12", "BGRx", "GRAY8", "I420_10LE" };

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    GstHarness *h = overlay_new (formats[i]);
    guint8 upper, lower;
    guint stride = g_str_equal (formats[i], "BGRx") ? 4 : strstr (formats[i], "10") ? 2 : 1;
    guint8 fill = stride == 2 ? 2 : 200; /* of 10 bits, the upper two */
    for (guint has_results = 0; has_results < 2; has_results++) {
      g_autoptr (GstBuffer) frame = overlay_run (h, formats[i], fill, has_results == 1);
      gst_buffer_extract (frame, (100 * 320 + 20) * stride, &upper, 1);
      gst_buffer_extract (frame, (175 * 320 + 20) * stride + (stride == 2), &lower, 1);
      fail_unless_equals_int (upper, fill);
      fail_unless ((lower < fill * 3 / 4) == (has_results == 1), "%s: %u", formats[i], lower);
    }
    gst_harness_teardown (h);
  }
}
GST_END_TEST;

/* Both sides have the same caps, and buffers keep their metas and times. */
GST_START_TEST (an_overlay_changes_no_caps_and_no_metas)
{
  GstHarness *h = overlay_new ("NV12");
  g_autoptr (GstBuffer) frame = overlay_run (h, "NV12", 200, TRUE);
  g_autoptr (GstCaps) in = gst_pad_get_current_caps (h->srcpad);
  g_autoptr (GstCaps) out = gst_pad_get_current_caps (h->sinkpad);

  fail_unless (gst_caps_is_equal (in, out));
  fail_unless (gst_buffer_get_custom_meta (frame, "GstVyreResultsMeta") != NULL);
  g_autoptr (GstCaps) possible = gst_pad_peer_query_caps (h->srcpad, NULL);
  fail_unless (gst_caps_is_equal (possible, in));
  fail_unless_equals_clocktime (gst_harness_query_latency (h), 0);
  gst_harness_teardown (h);
}
GST_END_TEST;

/* Pictures that are wider than those of cairo go on as they are. */
GST_START_TEST (a_picture_that_is_too_wide_has_no_panels)
{
  const gchar *caps = "video/x-raw, format=GRAY8, width=32768, height=6, framerate=30/1";
  GstHarness *h = overlay_wrap ();
  GstBuffer *buffer = buffer_new (5, 7, TRUE);
  guint8 last;

  gst_harness_set_sink_caps_str (h, caps);
  gst_harness_set_src_caps_str (h, caps);
  gst_buffer_append_memory (buffer, gst_allocator_alloc (NULL, 32768 * 6 - 16, NULL));
  gst_buffer_memset (buffer, 0, 200, 32768 * 6);
  fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_OK);
  g_autoptr (GstBuffer) frame = pull_frame (h, 5, 7);
  gst_buffer_extract (frame, 32768 * 6 - 1, &last, 1);
  fail_unless_equals_int (last, 200);
  gst_harness_teardown (h);
}
GST_END_TEST;

/* Panels move on with pictures that have no times. */
GST_START_TEST (an_overlay_counts_pictures_without_times)
{
  GstHarness *h = overlay_wrap ();
  const gchar *caps = "video/x-raw, format=BGRx, width=320, height=540, framerate=10/1";
  gboolean has[2];

  gst_harness_set_sink_caps_str (h, caps);
  gst_harness_set_src_caps_str (h, caps);
  for (guint i = 0; i < 100; i++) {
    GstBuffer *buffer = buffer_new (GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE, i < 50);
    gst_buffer_remove_all_memory (buffer);
    gst_buffer_append_memory (buffer, gst_allocator_alloc (NULL, 320 * 540 * 4, NULL));
    gst_buffer_memset (buffer, 0, 0, 320 * 540 * 4);
    gst_harness_push (h, buffer);
    g_autoptr (GstBuffer) frame = pull_frame (h, GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE);
    g_autoptr (GstBuffer) strip
        = gst_buffer_copy_region (frame, GST_BUFFER_COPY_MEMORY, 320 * 360 * 4, -1);
    has[i / 50] = has_line (strip);
  }
  fail_unless (has[0] && !has[1], "%d %d", has[0], has[1]);
  gst_harness_teardown (h);
}
GST_END_TEST;

GST_START_TEST (an_overlay_needs_a_picture)
{
  GstHarness *h = overlay_wrap ();

  gst_harness_set_sink_caps_str (h, "ANY");
  gst_harness_set_src_caps_str (h, "audio/x-raw");
  fail_unless_equals_int (gst_harness_push (h, buffer_new (0, 1, TRUE)), GST_FLOW_NOT_NEGOTIATED);
  gst_harness_teardown (h);
}
GST_END_TEST;

/* The query for counters travels through what is between both elements. */
GST_START_TEST (counters_of_vyrefilter_are_asked_for)
{
  const gchar *source
      = "videotestsrc num-buffers=10 ! video/x-raw,format=I420,width=64,height=64 ! "
        "vyrefilter output-mode=passthrough program=nop ! tee ! queue ! "
        "videoconvert ! video/x-raw,format=NV12 !";
  const gchar *end = "! video/x-raw,width=320,height=180 ! fakesink name=sink";
  g_autofree gchar *engine = g_strdup_printf ("%s vyrescope panels=engine %s", source, end);
  g_autofree gchar *nothing
      = g_strdup_printf ("videotestsrc num-buffers=10 ! vyrescope panels=engine %s", end);

  fail_unless (run_pipeline (engine) != run_pipeline (nothing));
}
GST_END_TEST;

static Suite *
scope_suite (void)
{
  Suite *suite = suite_create ("vyrescope");
  TCase *scope = tcase_create ("scope");
  g_autoptr (GstPlugin) vyre = gst_plugin_load_by_name ("vyre"); /* the meta is its */

  g_assert (vyre);
  suite_add_tcase (suite, scope);
  tcase_add_test (scope, frames_come_at_the_rate_of_downstream);
  tcase_add_test (scope, rounded_times_make_a_frame_each);
  tcase_add_test (scope, what_downstream_leaves_open_is_chosen);
  tcase_add_test (scope, without_a_rate_results_make_a_frame_each);
  tcase_add_test (scope, a_frame_shows_the_results_of_its_buffer);
  tcase_add_test (scope, a_segment_goes_on_where_the_one_before_ended);
  tcase_add_test (scope, frames_go_on_in_a_gap);
  tcase_add_test (scope, frames_may_be_seconds_long);
  tcase_add_test (scope, the_last_results_have_a_frame);
  tcase_add_test (scope, an_empty_segment_has_no_last_frame);
  tcase_add_test (scope, a_gap_moves_on);
  tcase_add_test (scope, long_buffers_leave_no_holes);
  tcase_add_test (scope, a_long_frame_forgets_nothing);
  tcase_add_test (scope, a_source_pad_without_a_peer_has_frames);
  tcase_add_test (scope, buffers_without_any_times_are_counted);
  tcase_add_test (scope, times_that_jump_begin_anew);
  tcase_add_test (scope, buffers_without_times_make_frames_with_times);
  tcase_add_test (scope, a_frame_may_wait_for_half_of_its_duration);
  tcase_add_test (scope, readbacks_that_are_none_are_refused);
  tcase_add_test (scope, panels_lie_over_the_lower_part_of_a_picture);
  tcase_add_test (scope, an_overlay_changes_no_caps_and_no_metas);
  tcase_add_test (scope, a_picture_that_is_too_wide_has_no_panels);
  tcase_add_test (scope, an_overlay_counts_pictures_without_times);
  tcase_add_test (scope, an_overlay_needs_a_picture);
  tcase_add_test (scope, counters_of_vyrefilter_are_asked_for);
  tcase_add_test (scope, frames_and_readbacks_of_vyrefilter_show_the_same);
  return suite;
}

GST_CHECK_MAIN (scope);
