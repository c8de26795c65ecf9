/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * output-mode=passthrough: buffers leave as they came, in memory, bytes, times and metas, with the
 * results of the program as a meta; caps, events and allocation are those of the two sides.
 */
#include <gst/video/video.h>
#include <string.h>

#include "common.h"
#include "oracle.h"

#define META "GstVyreResultsMeta"
#define PASSTHROUGH "output-mode", 1
#define CRC "crc32 payload -> crc"
#define GRAY "video/x-raw,format=GRAY8,width=64,height=32,framerate=25/1"
#define GRAY_SIZE (64 * 32)
#define N_BUFFERS 20

static const GstStructure *
results_of (GstBuffer *buffer)
{
  GstCustomMeta *meta = gst_buffer_get_custom_meta (buffer, META);

  fail_unless (meta != NULL, "a buffer came without results");
  return gst_custom_meta_get_structure (meta);
}

static void
assert_number (GstBuffer *buffer, const gchar *name, guint64 expected)
{
  fail_unless_equals_uint64 (field_u64 (results_of (buffer), name), expected);
}

static GstBuffer *
timed_buffer (gsize size, guint i)
{
  GstBuffer *buffer = noise_buffer (size, 1 + i);

  GST_BUFFER_PTS (buffer) = i * GST_SECOND / 25;
  GST_BUFFER_DURATION (buffer) = GST_SECOND / 25;
  GST_BUFFER_OFFSET (buffer) = 1000 + i;
  return buffer;
}

GST_START_TEST (buffers_leave_as_they_came)
{
  GstHarness *h = filter_new_with (CRC, PASSTHROUGH, NULL);

  filter_start (h, GRAY);
  for (guint i = 0; i < N_BUFFERS; i++) {
    GstBuffer *buffer = timed_buffer (GRAY_SIZE, i);
    GstMemory *memory = gst_buffer_peek_memory (buffer, 0);
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT | GST_VIDEO_BUFFER_FLAG_INTERLACED);
    GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta (buffer);
    crop->width = 10 + i;
    crop->height = 5;
    filter_push (h, buffer);
    GstBuffer *passed = filter_pull (h);
    guint8 *data = noise_new (GRAY_SIZE, 1 + i);
    fail_unless (gst_buffer_peek_memory (passed, 0) == memory);
    fail_unless (gst_buffer_memcmp (passed, 0, data, GRAY_SIZE) == 0);
    fail_unless_equals_uint64 (gst_buffer_get_size (passed), GRAY_SIZE);
    fail_unless_equals_uint64 (GST_BUFFER_PTS (passed), i * GST_SECOND / 25);
    fail_unless_equals_uint64 (GST_BUFFER_OFFSET (passed), 1000 + i);
    fail_unless (GST_BUFFER_FLAG_IS_SET (passed, GST_VIDEO_BUFFER_FLAG_INTERLACED));
    fail_unless_equals_int (gst_buffer_get_video_crop_meta (passed)->width, 10 + i);
    assert_number (passed, "crc", oracle_crc32 (data, GRAY_SIZE));
    assert_number (passed, "sequence", 1 + i);
    assert_number (passed, "timestamp", i * GST_SECOND / 25);
    gst_buffer_unref (passed);
    g_free (data);
  }
  fail_unless_equals_uint64 (stat_of (h->element, "readback-copies"), 0);
  filter_finish (h);
}
GST_END_TEST;

/* A buffer that upstream lets go of belongs to downstream alone: nothing copies it to write. */
GST_START_TEST (a_buffer_belongs_to_downstream)
{
  GstHarness *h = filter_new_with (CRC, PASSTHROUGH, NULL);
  GstMapInfo map;

  filter_start (h, GRAY);
  GstBuffer *buffer = timed_buffer (GRAY_SIZE, 0);
  GstMemory *memory = gst_buffer_peek_memory (buffer, 0);
  filter_push (h, buffer);
  stat_wait_quiet (h->element);
  GstBuffer *passed = filter_pull (h);
  fail_unless (gst_buffer_is_writable (passed));
  fail_unless (gst_buffer_map (passed, &map, GST_MAP_WRITE));
  fail_unless (map.memory == memory);
  gst_buffer_unmap (passed, &map);
  gst_buffer_unref (passed);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (downstream_does_not_write_into_older_payloads)
{
  GstHarness *h = filter_new_with (
      "sample_difference luma, previous(luma), 0 -> difference", PASSTHROUGH, NULL);
  guint8 *before = NULL;

  filter_start (h, GRAY);
  for (guint i = 0; i < N_BUFFERS; i++) {
    guint64 expected = 0;
    GstMapInfo map;
    guint8 *data = noise_new (GRAY_SIZE, 1 + i);
    for (guint k = 0; before && k < GRAY_SIZE; k++)
      expected += (guint64)ABS (data[k] - before[k]);
    filter_push (h, timed_buffer (GRAY_SIZE, i));
    GstBuffer *passed = gst_buffer_make_writable (filter_pull (h));
    const GstStructure *difference = NULL;
    fail_unless (gst_structure_get (
        results_of (passed), "difference", GST_TYPE_STRUCTURE, &difference, NULL));
    fail_unless_equals_uint64 (field_u64 (difference, "sum"), expected);
    gst_structure_free ((GstStructure *)difference);
    fail_unless (gst_buffer_map (passed, &map, GST_MAP_WRITE));
    memset (map.data, 0x55, map.size);
    gst_buffer_unmap (passed, &map);
    gst_buffer_unref (passed);
    g_free (before);
    before = data;
  }
  g_free (before);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (caps_are_those_of_the_other_side)
{
  GstHarness *h = filter_new_with (CRC, PASSTHROUGH, NULL);
  GstCaps *narrow
      = gst_caps_from_string ("video/x-raw,format={GRAY8,I420},width=64,height=[1,100]");
  GstPad *sink = filter_pad (h, "sink"), *source = filter_pad (h, "src");

  gst_harness_set_sink_caps (h, gst_caps_copy (narrow));
  GstCaps *caps = gst_pad_query_caps (sink, NULL);
  fail_unless (gst_caps_is_equal (caps, narrow), "%" GST_PTR_FORMAT, caps);
  gst_caps_unref (caps);
  filter_start (h, GRAY);
  filter_push (h, timed_buffer (GRAY_SIZE, 0));
  gst_buffer_unref (filter_pull (h));
  caps = gst_pad_get_current_caps (source);
  GstCaps *given = gst_caps_from_string (GRAY);
  fail_unless (gst_caps_is_equal (caps, given), "%" GST_PTR_FORMAT, caps);
  gst_caps_unref (caps);
  gst_caps_unref (given);
  gst_caps_unref (narrow);
  gst_object_unref (sink);
  gst_object_unref (source);
  filter_finish (h);
}
GST_END_TEST;

/* Caps go ahead of the first buffer, one that no program takes stops the stream, and a program that
 * is swapped changes none. */
GST_START_TEST (caps_and_events_keep_their_order)
{
  GstHarness *h = filter_new_with (CRC, PASSTHROUGH, NULL);
  FlowLog *log = flow_log_new (h);

  filter_start (h, GRAY);
  filter_push (h, timed_buffer (GRAY_SIZE, 0));
  gst_harness_push_event (h, gst_event_new_tag (gst_tag_list_new_empty ()));
  g_object_set (h->element, "program", "u8_stats payload -> stats", NULL);
  filter_push (h, timed_buffer (GRAY_SIZE, 1));
  gst_harness_set_src_caps_str (h, "video/x-raw,format=GRAY8,width=32,height=32,framerate=25/1");
  filter_push (h, timed_buffer (32 * 32, 2));
  filter_push_eos (h);
  filter_wait_eos (h);
  g_autofree gchar *text = flow_log_text (log);
  GRegex *messages = g_regex_new (" vyre-[a-z]+", 0, 0, NULL);
  g_autofree gchar *flow = g_regex_replace_literal (messages, text, -1, 0, "", 0, NULL);
  fail_unless_equals_string (
      flow, "stream-start caps segment #1000 tag #1001 caps segment #1002 eos");
  g_regex_unref (messages);
  flow_log_free (log);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (a_stream_without_caps_has_none)
{
  GstHarness *h = filter_new_with (CRC, PASSTHROUGH, NULL);
  GstPad *source = filter_pad (h, "src");

  filter_start (h, NULL);
  filter_push (h, timed_buffer (1000, 0));
  gst_buffer_unref (filter_pull (h));
  fail_if (gst_pad_has_current_caps (source));
  gst_object_unref (source);
  filter_finish (h);
}
GST_END_TEST;

#define LEAST 3
#define MOST 8

static GstPadProbeReturn
answer_allocation (GstPad *pad, GstPadProbeInfo *info, gpointer pool)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);

  if (GST_QUERY_TYPE (query) != GST_QUERY_ALLOCATION)
    return GST_PAD_PROBE_OK;
  fail_unless (gst_pad_has_current_caps (pad), "memory was asked for before the caps came");
  gst_query_add_allocation_pool (query, pool, GRAY_SIZE, LEAST, MOST);
  gst_query_add_allocation_meta (query, GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);
  return GST_PAD_PROBE_HANDLED;
}

/* Nothing of the element's own is in it, for what upstream does with that leaves with the buffer:
 * downstream may know no strides and no crops. */
GST_START_TEST (memory_is_that_of_downstream)
{
  GstHarness *h = filter_new_with (CRC, PASSTHROUGH, "max-in-flight", 5, NULL);
  GstBufferPool *pool = gst_buffer_pool_new (), *found;
  GstCaps *caps = gst_caps_from_string (GRAY);
  GstQuery *query = gst_query_new_allocation (caps, TRUE);
  guint size, least, most;

  gst_pad_add_probe (
      h->sinkpad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM, answer_allocation, pool, NULL);
  filter_start (h, GRAY);
  fail_unless (gst_pad_peer_query (h->srcpad, query));
  fail_unless_equals_int (gst_query_get_n_allocation_params (query), 0);
  fail_unless_equals_int (gst_query_get_n_allocation_metas (query), 1);
  fail_unless_equals_int (gst_query_get_n_allocation_pools (query), 1);
  gst_query_parse_nth_allocation_pool (query, 0, &found, &size, &least, &most);
  fail_unless (found == pool);
  fail_unless_equals_int (size, GRAY_SIZE);
  fail_unless (least >= LEAST + 5 + 2, "%u buffers cannot be held and used", least);
  fail_unless_equals_int (most - least, MOST - LEAST);
  gst_query_unref (query);
  gst_caps_unref (caps);
  gst_object_unref (found);
  gst_object_unref (pool);
  filter_finish (h);
}
GST_END_TEST;

/* Decoders crop and pad by metas where they may; here downstream knows none. */
GST_START_TEST (nothing_is_promised_for_downstream)
{
  GstHarness *h = filter_new_with (CRC, PASSTHROUGH, NULL);
  GstCaps *caps = gst_caps_from_string (GRAY);
  GstQuery *query = gst_query_new_allocation (caps, TRUE);

  filter_start (h, GRAY);
  gst_pad_peer_query (h->srcpad, query);
  fail_if (gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL));
  fail_if (gst_query_find_allocation_meta (query, GST_VIDEO_CROP_META_API_TYPE, NULL));
  gst_query_unref (query);
  gst_caps_unref (caps);
  filter_finish (h);
}
GST_END_TEST;

static GstPadProbeReturn
answer_eos (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GST_PAD_PROBE_INFO_FLOW_RETURN (info) = GST_FLOW_EOS;
  gst_buffer_unref (GST_PAD_PROBE_INFO_BUFFER (info));
  return GST_PAD_PROBE_HANDLED;
}

/* Caps that downstream has no use for any more are those of the stream all the same. */
GST_START_TEST (caps_that_stay_behind_are_followed)
{
  GstHarness *h = filter_new_with (CRC, PASSTHROUGH, NULL);
  GstPad *source = filter_pad (h, "src");

  filter_start (h, GRAY);
  gulong probe = gst_pad_add_probe (source, GST_PAD_PROBE_TYPE_BUFFER, answer_eos, NULL, NULL);
  GstFlowReturn flow = GST_FLOW_OK;
  for (guint i = 0; i < 100000 && flow == GST_FLOW_OK; i++) /* the answer may come later */
    flow = gst_harness_push (h, timed_buffer (GRAY_SIZE, i));
  fail_unless_equals_int (flow, GST_FLOW_EOS);
  gst_pad_remove_probe (source, probe);
  gst_harness_set_src_caps_str (h, "video/x-raw,format=GRAY8,width=64,height=64,framerate=25/1");
  gst_harness_push_event (h, gst_event_new_stream_start ("again"));
  filter_start (h, GRAY);
  filter_push (h, timed_buffer (GRAY_SIZE, 2));
  gst_buffer_unref (filter_pull (h));
  fail_unless_equals_int (bus_count_type (h, GST_MESSAGE_ERROR), 0);
  gst_object_unref (source);
  filter_finish (h);
}
GST_END_TEST;

/* The mode of a stream is that of its start. */
GST_START_TEST (the_mode_changes_below_paused)
{
  GstHarness *h = filter_new_with (CRC, PASSTHROUGH, NULL);

  filter_start (h, GRAY);
  g_object_set (h->element, "output-mode", 0, NULL);
  for (guint i = 0; i < 2; i++) {
    filter_push (h, timed_buffer (GRAY_SIZE, i));
    GstBuffer *passed = filter_pull (h);
    fail_unless_equals_uint64 (gst_buffer_get_size (passed), GRAY_SIZE);
    gst_buffer_unref (passed);
  }
  gst_element_set_state (h->element, GST_STATE_READY);
  gst_element_set_state (h->element, GST_STATE_PLAYING);
  gst_harness_push_event (h, gst_event_new_stream_start ("again"));
  filter_start (h, GRAY);
  GstBuffer *readback = filter_run (h, timed_buffer (GRAY_SIZE, 2));
  fail_unless (gst_buffer_get_custom_meta (readback, "GstVyreReadbackMeta") != NULL);
  fail_unless (gst_buffer_get_custom_meta (readback, META) == NULL);
  gst_buffer_unref (readback);
  filter_finish (h);
}
GST_END_TEST;

/* ---- readbacks beside the buffers ---------------------------------------------------- */

/* What gets the readbacks of a filter. */
static GstHarness *
tap_new (GstHarness *h)
{
  return gst_harness_new_with_element (h->element, NULL, "readback_%u");
}

static void
tap_assert_event (GstHarness *tap, GstEventType type)
{
  GstEvent *event = gst_harness_pull_event (tap);

  fail_unless (event != NULL);
  fail_unless_equals_string (GST_EVENT_TYPE_NAME (event), gst_event_type_get_name (type));
  gst_event_unref (event);
}

static void
tap_assert_readback (GstHarness *tap, guint i)
{
  GstBuffer *readback = gst_harness_pull (tap);
  guint8 *data = noise_new (GRAY_SIZE, 1 + i);

  fail_unless (readback != NULL);
  fail_unless (gst_buffer_get_custom_meta (readback, "GstVyreReadbackMeta") != NULL);
  fail_unless_equals_int (readback_observable (readback, 0), 1 + i);
  fail_unless_equals_int (readback_observable (readback, 1), oracle_crc32 (data, GRAY_SIZE));
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (readback), 1000 + i);
  gst_buffer_unref (readback);
  g_free (data);
}

/* A pad without a name gets one that nobody has asked for. */
GST_START_TEST (readback_pads_have_names_of_their_own)
{
  GstElement *filter = gst_element_factory_make ("vyrefilter", NULL);
  GstPad *named = gst_element_request_pad_simple (filter, "readback_1");
  GstPad *pad = gst_element_request_pad_simple (filter, "readback_%u");

  fail_unless_equals_string (GST_PAD_NAME (named), "readback_1");
  fail_unless_equals_string (GST_PAD_NAME (pad), "readback_2");
  gst_element_release_request_pad (filter, named);
  gst_element_release_request_pad (filter, pad);
  gst_object_unref (named);
  gst_object_unref (pad);
  gst_object_unref (filter);
}
GST_END_TEST;

/* In both modes; a pad is there from its request on, and until its release. */
GST_START_TEST (readbacks_come_beside)
{
  GstHarness *h = filter_new_with (CRC, "output-mode", __i__, NULL);
  const gchar *name = __i__ ? "video/x-raw" : "application/x-vyre-readback";
  GstPad *source = filter_pad (h, "src");

  filter_start (h, GRAY);
  filter_push (h, timed_buffer (GRAY_SIZE, 0));
  gst_buffer_unref (filter_pull (h));
  GstHarness *taps[2] = { tap_new (h), NULL };
  for (guint i = 1; i < N_BUFFERS; i++) {
    if (i == 10)
      taps[1] = tap_new (h);
    filter_push (h, timed_buffer (GRAY_SIZE, i));
    gst_buffer_unref (filter_pull (h));
    tap_assert_readback (taps[0], i);
    if (taps[1])
      tap_assert_readback (taps[1], i);
  }
  GstCaps *caps = gst_pad_get_current_caps (source);
  fail_unless (gst_structure_has_name (gst_caps_get_structure (caps, 0), name));
  gst_caps_unref (caps);
  filter_push_eos (h);
  for (guint i = 0; i < 2; i++) {
    tap_assert_event (taps[i], GST_EVENT_STREAM_START);
    tap_assert_event (taps[i], GST_EVENT_CAPS);
    tap_assert_event (taps[i], GST_EVENT_SEGMENT);
    tap_assert_event (taps[i], GST_EVENT_EOS);
    gst_harness_teardown (taps[i]);
  }
  gst_object_unref (source);
  filter_finish (h);
}
GST_END_TEST;

static GstFlowReturn tap_answer;

static GstFlowReturn
answer_readback (GstPad *pad, GstObject *parent, GstBuffer *readback)
{
  gst_buffer_unref (readback);
  return tap_answer;
}

/* The stream goes on while one pad takes what comes, and ends with the failure of any. */
GST_START_TEST (flows_are_combined)
{
  GstHarness *h = filter_new_with (CRC, PASSTHROUGH, NULL);
  GstPad *source = filter_pad (h, "src");
  GstHarness *tap = tap_new (h);

  filter_start (h, GRAY);
  gst_pad_set_chain_function (tap->sinkpad, answer_readback);
  tap_answer = GST_FLOW_EOS;
  for (guint i = 0; i < 5; i++) {
    filter_push (h, timed_buffer (GRAY_SIZE, i));
    gst_buffer_unref (filter_pull (h));
  }
  gst_harness_teardown (tap);
  tap = tap_new (h);
  gst_pad_unlink (source, h->sinkpad);
  for (guint i = 5; i < 10; i++) {
    filter_push (h, timed_buffer (GRAY_SIZE, i));
    tap_assert_readback (tap, i);
  }
  gst_pad_set_chain_function (tap->sinkpad, answer_readback);
  tap_answer = GST_FLOW_ERROR;
  GstFlowReturn flow = GST_FLOW_OK;
  for (guint i = 10; i < 100000 && flow == GST_FLOW_OK; i++) /* the answer may come later */
    flow = gst_harness_push (h, timed_buffer (GRAY_SIZE, i));
  fail_unless_equals_int (flow, GST_FLOW_ERROR);
  gst_harness_teardown (tap);
  gst_object_unref (source);
  filter_finish (h);
}
GST_END_TEST;

/* Flushes, and the stream behind them, reach the readbacks, too. */
GST_START_TEST (readbacks_are_flushed)
{
  GstHarness *h = filter_new_with (CRC, PASSTHROUGH, NULL);
  GstHarness *tap = tap_new (h);

  filter_start (h, GRAY);
  filter_push (h, timed_buffer (GRAY_SIZE, 0));
  gst_buffer_unref (filter_pull (h));
  tap_assert_readback (tap, 0);
  filter_flush (h);
  filter_push_segment (h);
  filter_push (h, timed_buffer (GRAY_SIZE, 1));
  gst_buffer_unref (filter_pull (h));
  tap_assert_readback (tap, 1);
  gst_harness_push_event (h, gst_event_new_stream_start ("next"));
  filter_push_segment (h);
  filter_push (h, timed_buffer (GRAY_SIZE, 2));
  gst_buffer_unref (filter_pull (h));
  tap_assert_readback (tap, 2);
  static const GstEventType types[] = { GST_EVENT_STREAM_START, GST_EVENT_CAPS, GST_EVENT_SEGMENT,
    GST_EVENT_FLUSH_START, GST_EVENT_FLUSH_STOP, GST_EVENT_SEGMENT, GST_EVENT_STREAM_START };
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    tap_assert_event (tap, types[i]);
  gst_harness_teardown (tap);
  filter_finish (h);
}
GST_END_TEST;

/* Counts frames of another size and format that have the results. */
static GstPadProbeReturn
count_results (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  const GstStructure *results = results_of (GST_PAD_PROBE_INFO_BUFFER (info));
  guint *n = data;

  fail_unless_equals_uint64 (field_u64 (results, "sequence"), 1 + *n);
  fail_unless (gst_structure_has_field (results, "luma"));
  (*n)++;
  return GST_PAD_PROBE_OK;
}

GST_START_TEST (converters_and_queues_keep_results)
{
  GstElement *pipeline = gst_parse_launch (
      "videotestsrc num-buffers=20 ! video/x-raw,format=I420,width=64,height=48 "
      "! vyrefilter output-mode=passthrough program=builtin:frame-stats ! queue "
      "! videoconvert ! video/x-raw,format=RGB ! videoscale "
      "! video/x-raw,width=30,height=20 ! tee ! queue ! fakesink name=sink",
      NULL);
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  GstPad *pad = gst_element_get_static_pad (sink, "sink");
  GstBus *bus = gst_element_get_bus (pipeline);
  guint n = 0;

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, count_results, &n, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  GstMessage *message = gst_bus_timed_pop_filtered (
      bus, PATIENCE * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless (message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS);
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  fail_unless_equals_int (n, 20);
  gst_object_unref (bus);
  gst_object_unref (pad);
  gst_object_unref (sink);
  gst_object_unref (pipeline);
}
GST_END_TEST;

static Suite *
passthrough_suite (void)
{
  Suite *s = suite_create ("passthrough");
  TCase *tc = tcase_create ("passthrough");

  suite_add_tcase (s, tc);
  tcase_set_timeout (tc, PATIENCE * 3);
  tcase_add_test (tc, buffers_leave_as_they_came);
  tcase_add_test (tc, a_buffer_belongs_to_downstream);
  tcase_add_test (tc, downstream_does_not_write_into_older_payloads);
  tcase_add_test (tc, caps_are_those_of_the_other_side);
  tcase_add_test (tc, caps_and_events_keep_their_order);
  tcase_add_test (tc, a_stream_without_caps_has_none);
  tcase_add_test (tc, memory_is_that_of_downstream);
  tcase_add_test (tc, nothing_is_promised_for_downstream);
  tcase_add_test (tc, caps_that_stay_behind_are_followed);
  tcase_add_test (tc, the_mode_changes_below_paused);
  tcase_add_test (tc, converters_and_queues_keep_results);
  tcase_add_test (tc, readback_pads_have_names_of_their_own);
  tcase_add_loop_test (tc, readbacks_come_beside, 0, 2);
  tcase_add_test (tc, flows_are_combined);
  tcase_add_test (tc, readbacks_are_flushed);
  return s;
}

GST_CHECK_MAIN (passthrough)
