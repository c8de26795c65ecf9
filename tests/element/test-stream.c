/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Buffers and events through vyrefilter: what is kept, and in which order all of
 * it leaves.
 */
#include "common.h"

#include <gst/check/gstconsistencychecker.h>
#include <gst/video/video.h>

#define CHEAP "u8_stats payload -> stats"
#define CAPS_A "video/x-raw,format=GRAY8,width=8,height=8,framerate=25/1"
#define CAPS_B "video/x-raw,format=GRAY8,width=16,height=4,framerate=25/1"

GST_START_TEST (times_and_offsets_are_kept)
{
  GstHarness *h = filter_new (CHEAP);
  GstBuffer *buffer = noise_buffer (100, 1);

  filter_start (h, NULL);
  GST_BUFFER_PTS (buffer) = 1000001;
  GST_BUFFER_DTS (buffer) = 999;
  GST_BUFFER_DURATION (buffer) = 33333333;
  GST_BUFFER_OFFSET (buffer) = 42;
  GST_BUFFER_OFFSET_END (buffer) = 43;
  GstBuffer *readback = filter_run (h, buffer);
  fail_unless_equals_uint64 (GST_BUFFER_PTS (readback), 1000001);
  fail_unless_equals_uint64 (GST_BUFFER_DTS (readback), 999);
  fail_unless_equals_uint64 (GST_BUFFER_DURATION (readback), 33333333);
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (readback), 42);
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET_END (readback), 43);
  gst_buffer_unref (readback);
  readback = filter_run (h, noise_buffer (100, 1));
  fail_unless_equals_uint64 (GST_BUFFER_PTS (readback), GST_CLOCK_TIME_NONE);
  fail_unless_equals_uint64 (GST_BUFFER_DTS (readback), GST_CLOCK_TIME_NONE);
  fail_unless_equals_uint64 (GST_BUFFER_DURATION (readback), GST_CLOCK_TIME_NONE);
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (readback), GST_BUFFER_OFFSET_NONE);
  gst_buffer_unref (readback);
  filter_finish (h);
}
GST_END_TEST;

/* Bits 4 and up; TAG_MEMORY is the readback's own, and the last are those of a kind of media. */
GST_START_TEST (flags_of_the_stream_are_kept_and_no_others)
{
  const guint stream_flags
      = GST_BUFFER_FLAG_DISCONT | GST_BUFFER_FLAG_RESYNC | GST_BUFFER_FLAG_MARKER
        | GST_BUFFER_FLAG_HEADER | GST_BUFFER_FLAG_GAP | GST_BUFFER_FLAG_DROPPABLE
        | GST_BUFFER_FLAG_DELTA_UNIT | GST_BUFFER_FLAG_LIVE | GST_BUFFER_FLAG_CORRUPTED
        | GST_BUFFER_FLAG_DECODE_ONLY | GST_BUFFER_FLAG_NON_DROPPABLE | GST_BUFFER_FLAG_SYNC_AFTER;
  GstHarness *h = filter_new (CHEAP);

  filter_start (h, NULL);
  for (guint bit = 4; bit < 31; bit++) {
    GstBuffer *buffer = noise_buffer (10, 1);
    GST_BUFFER_FLAG_SET (buffer, 1u << bit);
    GstBuffer *readback = filter_run (h, buffer);
    guint flags = GST_BUFFER_FLAGS (readback) & ~0xFu & ~GST_BUFFER_FLAG_TAG_MEMORY;
    fail_unless_equals_int (flags, (1u << bit) & stream_flags);
    gst_buffer_unref (readback);
  }
  filter_finish (h);
}
GST_END_TEST;

/* ---- metas ------------------------------------------------------------- */

static const gchar *memory_tags[] = { GST_META_TAG_MEMORY_STR, NULL };
static const gchar *no_tags[] = { NULL };

static void
add_overlay (GstBuffer *buffer)
{
  GstBuffer *pixel = noise_buffer (4, 1);

  gst_buffer_add_video_meta (
      pixel, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB, 1, 1);
  GstVideoOverlayRectangle *rectangle
      = gst_video_overlay_rectangle_new_raw (pixel, 0, 0, 1, 1, GST_VIDEO_OVERLAY_FORMAT_FLAG_NONE);
  GstVideoOverlayComposition *overlay = gst_video_overlay_composition_new (rectangle);
  gst_buffer_add_video_overlay_composition_meta (buffer, overlay);
  gst_video_overlay_composition_unref (overlay);
  gst_video_overlay_rectangle_unref (rectangle);
  gst_buffer_unref (pixel);
}

/* One of each kind. */
static void
add_metas (GstBuffer *buffer)
{
  static GstStaticCaps reference = GST_STATIC_CAPS ("timestamp/x-ntp");
  GstCaps *caps = gst_static_caps_get (&reference);
  GstBuffer *parent = noise_buffer (1, 1);
  GstVideoTimeCode *code
      = gst_video_time_code_new (25, 1, NULL, GST_VIDEO_TIME_CODE_FLAGS_NONE, 1, 2, 3, 4, 0);

  gst_buffer_add_video_time_code_meta (buffer, code);
  gst_buffer_add_reference_timestamp_meta (buffer, caps, 123, 456);
  gst_structure_set (
      gst_custom_meta_get_structure (gst_buffer_add_custom_meta (buffer, "VyreTestMoment")),
      "number", G_TYPE_INT, 7, NULL);
  gst_buffer_add_custom_meta (buffer, "VyreTestMemory");
  gst_buffer_add_parent_buffer_meta (buffer, parent);
  gst_buffer_add_protection_meta (buffer, gst_structure_new_empty ("application/x-cenc"));
  add_overlay (buffer);
  gst_buffer_add_video_meta (buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_GRAY8, 8, 8);
  gst_buffer_add_video_region_of_interest_meta (buffer, "face", 1, 1, 2, 2);
  gst_video_time_code_free (code);
  gst_buffer_unref (parent);
  gst_caps_unref (caps);
}

static guint
count_metas (GstBuffer *buffer)
{
  gpointer state = NULL;
  guint n = 0;

  while (gst_buffer_iterate_meta (buffer, &state))
    n++;
  return n;
}

/* The three that describe the moment, and the readback's own. */
static void
assert_metas (GstBuffer *readback)
{
  GstVideoTimeCodeMeta *code = gst_buffer_get_video_time_code_meta (readback);
  GstReferenceTimestampMeta *reference = gst_buffer_get_reference_timestamp_meta (readback, NULL);
  GstCustomMeta *moment = gst_buffer_get_custom_meta (readback, "VyreTestMoment");
  gint number = 0;

  fail_unless_equals_int (count_metas (readback), 4);
  fail_unless (code && code->tc.hours == 1 && code->tc.frames == 4);
  fail_unless (reference && reference->timestamp == 123 && reference->duration == 456);
  fail_unless (moment != NULL);
  fail_unless (gst_structure_get_int (gst_custom_meta_get_structure (moment), "number", &number));
  fail_unless_equals_int (number, 7);
  fail_unless (gst_buffer_get_custom_meta (readback, "GstVyreReadbackMeta") != NULL);
}

/* Readbacks come from a pool, to which none of it goes back. */
GST_START_TEST (metas_of_the_moment_are_kept_and_no_others)
{
  GstHarness *h = filter_new (CHEAP);

  gst_meta_register_custom ("VyreTestMoment", no_tags, NULL, NULL, NULL);
  gst_meta_register_custom ("VyreTestMemory", memory_tags, NULL, NULL, NULL);
  filter_start (h, CAPS_A);
  for (guint i = 0; i < 12; i++) {
    GstBuffer *buffer = noise_buffer (64, 1);
    if (i % 2)
      add_metas (buffer);
    GstBuffer *readback = filter_run (h, buffer);
    if (i % 2)
      assert_metas (readback);
    else
      fail_unless_equals_int (count_metas (readback), 1);
    gst_buffer_unref (readback);
  }
  filter_finish (h);
}
GST_END_TEST;

/* A readback of a readback describes itself. */
GST_START_TEST (the_meta_of_a_readback_is_its_own)
{
  GstHarness *front = filter_new (CHEAP), *back = filter_new_with (CHEAP, "slot-count", 32, NULL);

  filter_start (front, NULL);
  filter_start (back, NULL);
  for (guint i = 0; i < 4; i++) {
    GstBuffer *readback = filter_run (back, filter_run (front, noise_buffer (64, 1)));
    GstCustomMeta *meta = gst_buffer_get_custom_meta (readback, "GstVyreReadbackMeta");
    fail_unless_equals_int (count_metas (readback), 1);
    fail_unless_equals_uint64 (field_u64 (gst_custom_meta_get_structure (meta), "ring-size"),
        gst_memory_get_sizes (gst_buffer_peek_memory (readback, 1), NULL, NULL));
    gst_buffer_unref (readback);
  }
  filter_finish (front);
  filter_finish (back);
}
GST_END_TEST;

static const guint depths[] = { 1, 2, 3, 4, 7, 16, 63, 64 };

/* Payloads of very different cost, so that batches would overtake each other. */
GST_START_TEST (order_is_kept_at_every_depth)
{
  static const gsize sizes[] = { 300000, 1, 70000, 16, 0, 4096 };
  GstHarness *h = filter_new_with (
      CHEAP "; crc32 payload -> crc32", "max-in-flight", depths[__i__], "post-messages", 0, NULL);

  filter_start (h, NULL);
  for (guint i = 0; i < 300; i++)
    filter_push (h, numbered_buffer (i, sizes[i % G_N_ELEMENTS (sizes)]));
  for (guint i = 0; i < 300; i++) {
    GstBuffer *readback = filter_pull (h);
    fail_unless_equals_uint64 (GST_BUFFER_OFFSET (readback), i);
    fail_unless_equals_uint64 (readback_observable (readback, 1), sizes[i % G_N_ELEMENTS (sizes)]);
    gst_buffer_unref (readback);
  }
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (no_more_than_max_in_flight_are_taken)
{
  guint depth = depths[__i__];
  GstHarness *h = filter_new_with (CHEAP, "max-in-flight", depth, NULL);
  Pusher pusher;
  Dam dam;

  filter_start (h, NULL);
  dam_build (&dam, h);
  pusher_start (&pusher, h, depth + 5, 10);
  dam_wait (&dam);
  stat_wait (h->element, "buffers", depth);
  g_usleep (50000); /* time to take one too many */
  fail_unless_equals_uint64 (stat_of (h->element, "buffers"), depth);
  fail_unless_equals_uint64 (stat_of (h->element, "queue-depth"), depth);
  dam_break (&dam);
  fail_unless_equals_int (pusher_join (&pusher), GST_FLOW_OK);
  for (guint i = 0; i < depth + 5; i++) {
    GstBuffer *readback = filter_pull (h);
    fail_unless_equals_uint64 (GST_BUFFER_OFFSET (readback), i);
    gst_buffer_unref (readback);
  }
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (sticky_events_lead_in_order)
{
  GstHarness *h = filter_new_with (CHEAP, "post-messages", 0, NULL);
  FlowLog *log = flow_log_new (h);

  filter_push_segment (h);
  fail_unless (
      gst_harness_push_event (h, gst_event_new_tag (gst_tag_list_new (GST_TAG_TITLE, "t", NULL))));
  filter_push (h, numbered_buffer (0, 10));
  flow_log_wait (log, "#0");
  gchar *text = flow_log_text (log), *start = strstr (text, "caps");
  fail_unless (start != NULL, "no caps in: %s", text);
  fail_unless_equals_string (start, "caps segment tag #0");
  g_free (text);
  flow_log_free (log);
  filter_finish (h);
}
GST_END_TEST;

/* A sparse stream may start with a gap, which its sink waits for. */
GST_START_TEST (a_gap_may_come_before_any_buffer)
{
  GstHarness *h = filter_new_with (CHEAP, "post-messages", 0, NULL);
  FlowLog *log = flow_log_new (h);

  filter_push_segment (h);
  fail_unless (gst_harness_push_event (h, gst_event_new_gap (0, GST_SECOND)));
  flow_log_wait (log, "gap");
  filter_push (h, numbered_buffer (0, 10));
  flow_log_wait (log, "#0");
  gchar *text = flow_log_text (log), *start = strstr (text, "caps");
  fail_unless (start != NULL, "no caps in: %s", text);
  fail_unless_equals_string (start, "caps segment gap #0");
  g_free (text);
  flow_log_free (log);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (serialized_events_keep_their_place)
{
  GstHarness *h = filter_new_with (CHEAP, "post-messages", 0, NULL);
  GstStructure *fields = gst_structure_new_empty ("test");
  FlowLog *log = flow_log_new (h);

  filter_push_segment (h);
  filter_push (h, numbered_buffer (0, 500000));
  fail_unless (gst_harness_push_event (h, gst_event_new_gap (0, GST_SECOND)));
  filter_push (h, numbered_buffer (1, 10));
  fail_unless (
      gst_harness_push_event (h, gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM, fields)));
  filter_push (h, numbered_buffer (2, 10));
  filter_push_segment (h);
  filter_push (h, numbered_buffer (3, 10));
  filter_push_eos (h);
  flow_log_wait (log, "eos");
  gchar *text = flow_log_text (log), *start = strstr (text, "#0");
  fail_unless_equals_string (start, "#0 gap #1 custom-downstream #2 segment #3 eos");
  g_free (text);
  flow_log_free (log);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (events_out_of_band_do_not_wait)
{
  GstHarness *h = filter_new_with (CHEAP, "post-messages", 0, NULL);
  FlowLog *log;
  Dam dam;

  filter_start (h, NULL);
  dam_build (&dam, h);
  log = flow_log_new (h);
  filter_push (h, numbered_buffer (0, 10));
  dam_wait (&dam);
  fail_unless (gst_harness_push_event (
      h, gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM_OOB, gst_structure_new_empty ("x"))));
  flow_log_wait (log, "custom-downstream-oob");
  dam_break (&dam);
  gst_buffer_unref (filter_pull (h));
  flow_log_free (log);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (eos_drains_and_comes_after_the_last_message)
{
  GstHarness *h
      = filter_new_with (CHEAP, "results-interval", 3600 * GST_SECOND, "max-in-flight", 64, NULL);
  FlowLog *log = flow_log_new (h);
  GString *expected = g_string_new ("vyre-results");

  filter_push_segment (h);
  for (guint i = 0; i < 60; i++) {
    filter_push (h, numbered_buffer (i, 20000));
    g_string_append_printf (expected, " #%u", i);
  }
  g_string_append (expected, " vyre-results vyre-counters eos");
  filter_push_eos (h);
  flow_log_wait (log, "eos");
  gchar *text = flow_log_text (log), *start = strstr (text, "vyre-results");
  for (gchar *leading;
       (leading = strstr (start, "segment ")) || (leading = strstr (start, "caps "));)
    memmove (leading, strchr (leading, ' ') + 1, strlen (strchr (leading, ' ')));
  fail_unless_equals_string (start, expected->str);
  fail_unless_equals_int (gst_harness_push (h, numbered_buffer (1, 1)), GST_FLOW_EOS);
  g_free (text);
  g_string_free (expected, TRUE);
  flow_log_free (log);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (eos_without_buffers_is_just_eos)
{
  GstHarness *h = filter_new (CHEAP);

  filter_start (h, NULL);
  filter_push_eos (h);
  filter_wait_eos (h);
  fail_unless_equals_int (bus_count (h, "vyre-results"), 0);
  filter_finish (h);
}
GST_END_TEST;

/* Events of the source pad that GStreamer wants in order, by their types. */
static GstPadProbeReturn
check_order (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  gboolean *has_caps = data;
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);

  *has_caps |= GST_EVENT_TYPE (event) == GST_EVENT_CAPS;
  fail_unless (
      GST_EVENT_TYPE (event) != GST_EVENT_SEGMENT || *has_caps, "a segment came before the caps");
  return GST_PAD_PROBE_OK;
}

/* A program that cannot be bound to an empty buffer has no caps to end an empty stream with. */
static const gchar *const empty_programs[] = { CHEAP, "u8_stats luma -> stats" };

GST_START_TEST (an_empty_stream_has_no_segment_without_caps)
{
  GstHarness *h = filter_new_with (empty_programs[__i__ / 2], "post-messages", 0, NULL);
  GstPad *pad = filter_pad (h, "src");
  gboolean has_caps = FALSE;

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, check_order, &has_caps, NULL);
  filter_start (h, "application/octet-stream");
  if (__i__ % 2)
    fail_unless (gst_harness_push_event (h, gst_event_new_gap (0, GST_SECOND)));
  filter_push_eos (h);
  filter_wait_eos (h);
  fail_unless_equals_int (has_caps, __i__ / 2 == 0);
  fail_unless (gst_harness_push_event (h, gst_event_new_stream_start ("second")));
  filter_start (h, "video/x-raw,format=GRAY8,width=4,height=4,framerate=25/1");
  gst_buffer_unref (filter_run (h, numbered_buffer (1, 16)));
  gst_object_unref (pad);
  filter_finish (h);
}
GST_END_TEST;

/* tee branches come and go: the answer of a pad without a peer is no failure for good. */
GST_START_TEST (a_stream_goes_on_when_it_is_linked_again)
{
  GstHarness *h = filter_new_with (CHEAP, "max-in-flight", 1, NULL);
  GstPad *pad = filter_pad (h, "src");
  GstFlowReturn flow = GST_FLOW_OK;

  filter_start (h, NULL);
  gst_buffer_unref (filter_run (h, numbered_buffer (0, 10)));
  fail_unless (gst_pad_unlink (pad, h->sinkpad));
  for (guint i = 1; i < 100 && flow == GST_FLOW_OK; i++)
    flow = gst_harness_push (h, numbered_buffer (i, 10));
  fail_unless_equals_int (flow, GST_FLOW_NOT_LINKED);
  fail_unless_equals_int (gst_pad_link (pad, h->sinkpad), GST_PAD_LINK_OK);
  GstBuffer *readback = filter_run (h, numbered_buffer (100, 10));
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (readback), 100);
  gst_buffer_unref (readback);
  gst_object_unref (pad);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (a_new_stream_may_follow_eos)
{
  GstHarness *h = filter_new (CHEAP);

  filter_start (h, NULL);
  gst_buffer_unref (filter_run (h, numbered_buffer (0, 10)));
  filter_push_eos (h);
  filter_wait_eos (h);
  fail_unless (gst_harness_push_event (h, gst_event_new_stream_start ("second")));
  filter_push_segment (h);
  GstBuffer *readback = filter_run (h, numbered_buffer (1, 10));
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (readback), 1);
  gst_buffer_unref (readback);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (the_output_is_a_consistent_stream)
{
  GstHarness *h = filter_new_with (CHEAP, "post-messages", 0, NULL);
  GstPad *pad = filter_pad (h, "src");
  GstStreamConsistency *checker = gst_consistency_checker_new (pad);

  for (guint round = 0; round < 3; round++) {
    filter_start (h, round % 2 ? CAPS_B : CAPS_A);
    for (guint i = 0; i < 20; i++)
      filter_push (h, numbered_buffer (i, 64));
    if (round == 1)
      filter_flush (h);
  }
  filter_push_eos (h);
  filter_wait_eos (h);
  gst_consistency_checker_free (checker);
  gst_object_unref (pad);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (caps_may_change_between_buffers)
{
  GstHarness *h
      = filter_new_with ("store_u32 width -> width", "post-messages", 0, "max-in-flight", 16, NULL);

  for (guint i = 0; i < 40; i++) {
    filter_start (h, i % 2 ? CAPS_B : CAPS_A);
    filter_push (h, numbered_buffer (i, 64));
  }
  for (guint i = 0; i < 40; i++) {
    GstBuffer *readback = filter_pull (h);
    fail_unless_equals_int (readback_observable (readback, 1), i % 2 ? 16 : 8);
    gst_buffer_unref (readback);
  }
  filter_finish (h);
}
GST_END_TEST;

static Suite *
stream_suite (void)
{
  Suite *s = suite_create ("stream");
  TCase *data = tcase_create ("data"), *events = tcase_create ("events");

  suite_add_tcase (s, data);
  tcase_add_test (data, times_and_offsets_are_kept);
  tcase_add_test (data, flags_of_the_stream_are_kept_and_no_others);
  tcase_add_test (data, metas_of_the_moment_are_kept_and_no_others);
  tcase_add_test (data, the_meta_of_a_readback_is_its_own);
  tcase_add_loop_test (data, order_is_kept_at_every_depth, 0, G_N_ELEMENTS (depths));
  tcase_add_loop_test (data, no_more_than_max_in_flight_are_taken, 0, G_N_ELEMENTS (depths));
  suite_add_tcase (s, events);
  tcase_add_test (events, sticky_events_lead_in_order);
  tcase_add_test (events, a_gap_may_come_before_any_buffer);
  tcase_add_test (events, serialized_events_keep_their_place);
  tcase_add_test (events, events_out_of_band_do_not_wait);
  tcase_add_test (events, eos_drains_and_comes_after_the_last_message);
  tcase_add_test (events, eos_without_buffers_is_just_eos);
  tcase_add_test (events, a_new_stream_may_follow_eos);
  tcase_add_loop_test (events, an_empty_stream_has_no_segment_without_caps, 0, 4);
  tcase_add_test (events, a_stream_goes_on_when_it_is_linked_again);
  tcase_add_test (events, the_output_is_a_consistent_stream);
  tcase_add_test (events, caps_may_change_between_buffers);
  return s;
}

GST_CHECK_MAIN (stream);
