/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A second stream in passthrough: buffers go on as they came, with what the comparison with their
 * partners says, and wait for these no longer than they may.
 */
#include <string.h>

#include "lost.h"
#include "second.h"

#define META "GstVyreResultsMeta"
#define COMPARE "u8_stats plane0 -> mine; u8_stats paired(plane0) -> theirs"
#define PASSTHROUGH "output-mode", 1, "results-interval", (guint64)0
#define IN_FLIGHT 4 /* the default of max-in-flight */

/* ---- against readback ---------------------------------------------------------------- */

/* What a pipeline of two streams says of each picture, and what comes of the pictures */
typedef struct {
  GPtrArray *results; /* of gchar *: a line for each message */
  GPtrArray *metas;   /* the same for each meta */
  GPtrArray *came;    /* of gchar *: time and digest of each picture of the first stream */
  GPtrArray *left;
} Film;

static gchar *
describe (const GstStructure *results)
{
  static const gchar *const fields[] = { "timestamp", "sequence", "luma-difference", "u-difference",
    "v-difference", "luma-ssim", "u-ssim", "v-ssim" };
  GString *line = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (fields); i++) {
    const GValue *value = gst_structure_get_value (results, fields[i]);
    fail_unless (value != NULL, "there is no %s", fields[i]);
    g_autofree gchar *text = gst_value_serialize (value);
    g_string_append_printf (line, "%s=%s ", fields[i], text);
  }
  return g_string_free (line, FALSE);
}

static GstPadProbeReturn
note_picture (GstPad *pad, GstPadProbeInfo *info, gpointer list)
{
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  GstMapInfo map;

  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
  g_autofree gchar *digest = g_compute_checksum_for_data (G_CHECKSUM_SHA256, map.data, map.size);
  gst_buffer_unmap (buffer, &map);
  g_ptr_array_add (list, g_strdup_printf ("%" G_GUINT64_FORMAT " %p %s", GST_BUFFER_PTS (buffer),
                             (void *)gst_buffer_peek_memory (buffer, 0), digest));
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
note_meta (GstPad *pad, GstPadProbeInfo *info, gpointer list)
{
  GstCustomMeta *meta = gst_buffer_get_custom_meta (GST_PAD_PROBE_INFO_BUFFER (info), META);

  fail_unless (meta != NULL);
  g_ptr_array_add (list, describe (gst_custom_meta_get_structure (meta)));
  return GST_PAD_PROBE_OK;
}

/* A driver may compile the comparison first. */
static void
note_messages (GstElement *pipeline, GPtrArray *results)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  gboolean ended = FALSE;

  while (!ended) {
    g_autoptr (GstMessage) message = gst_bus_timed_pop (bus, 3 * PATIENCE * GST_SECOND);
    fail_unless (message != NULL, "the film does not end");
    fail_if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR);
    if (gst_message_has_name (message, "vyre-results"))
      g_ptr_array_add (results, describe (gst_message_get_structure (message)));
    ended = GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS;
  }
}

static void
film_run (Film *film, const gchar *mode)
{
  g_autofree gchar *text = g_strdup_printf (
      "videotestsrc num-buffers=20 pattern=smpte ! video/x-raw,format=I420,width=64,height=48 ! "
      "queue ! vyrefilter name=f program=builtin:compare results-interval=0 output-mode=%s ! "
      "fakesink videotestsrc num-buffers=20 pattern=ball ! "
      "video/x-raw,format=I420,width=64,height=48 ! queue ! f.reference",
      mode);
  g_autoptr (GstElement) pipeline = gst_parse_launch (text, NULL);
  g_autoptr (GstElement) filter = gst_bin_get_by_name (GST_BIN (pipeline), "f");
  g_autoptr (GstPad) sink = gst_element_get_static_pad (filter, "sink");
  g_autoptr (GstPad) source = gst_element_get_static_pad (filter, "src");

  film->results = g_ptr_array_new_with_free_func (g_free);
  film->metas = g_ptr_array_new_with_free_func (g_free);
  film->came = g_ptr_array_new_with_free_func (g_free);
  film->left = g_ptr_array_new_with_free_func (g_free);
  if (g_str_equal (mode, "passthrough")) {
    gst_pad_add_probe (sink, GST_PAD_PROBE_TYPE_BUFFER, note_picture, film->came, NULL);
    gst_pad_add_probe (source, GST_PAD_PROBE_TYPE_BUFFER, note_picture, film->left, NULL);
    gst_pad_add_probe (source, GST_PAD_PROBE_TYPE_BUFFER, note_meta, film->metas, NULL);
  }
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  note_messages (pipeline, film->results);
  fail_unless (stat_is (filter, "complete", "true"));
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

static void
film_clear (Film *film)
{
  g_ptr_array_unref (film->results);
  g_ptr_array_unref (film->metas);
  g_ptr_array_unref (film->came);
  g_ptr_array_unref (film->left);
}

static void
assert_same (GPtrArray *a, GPtrArray *b)
{
  fail_unless_equals_int (a->len, 20);
  fail_unless_equals_int (b->len, 20);
  for (guint i = 0; i < a->len; i++)
    fail_unless_equals_string (a->pdata[i], b->pdata[i]);
}

GST_START_TEST (results_are_those_of_readback)
{
  Film readback, passing;

  film_run (&readback, "readback");
  film_run (&passing, "passthrough");
  assert_same (readback.results, passing.results);
  assert_same (passing.metas, passing.results);
  assert_same (passing.came, passing.left);
  film_clear (&readback);
  film_clear (&passing);
}
GST_END_TEST;

/* ---- buffer by buffer ------------------------------------------------------------------- */

static GstHarness *
start (Second *other, const gchar *program, guint64 max_latency)
{
  GstHarness *h = filter_new_with (
      program, PASSTHROUGH, "max-latency", max_latency, "interval", G_MAXUINT64, NULL);

  second_init (other, h);
  filter_start (h, SECOND_CAPS);
  second_begin (other, SECOND_CAPS);
  return h;
}

static void
finish (GstHarness *h, Second *other)
{
  second_clear (other);
  filter_finish (h);
}

static const GstStructure *
results_of (GstBuffer *buffer)
{
  GstCustomMeta *meta = gst_buffer_get_custom_meta (buffer, META);

  fail_unless (meta != NULL);
  return gst_custom_meta_get_structure (meta);
}

static guint64
most_of (const GstStructure *results, const gchar *name)
{
  const GValue *value = gst_structure_get_value (results, name);

  fail_unless (value != NULL, "there is no %s", name);
  return field_u64 (gst_value_get_structure (value), "max");
}

/* Expects the picture of @level, with its results and those of a partner of level @theirs, or
 * without any if that is negative. */
static void
assert_passed (GstBuffer *buffer, guint8 level, gint theirs)
{
  const GstStructure *results = results_of (buffer);
  guint8 bytes[SECOND_STRIDE * SECOND_ROWS];

  memset (bytes, level, sizeof bytes);
  fail_unless_equals_uint64 (gst_buffer_get_size (buffer), sizeof bytes);
  fail_unless_equals_int (gst_buffer_memcmp (buffer, 0, bytes, sizeof bytes), 0);
  fail_unless_equals_int (gst_structure_has_field (results, "missing"), theirs < 0);
  fail_unless_equals_int (gst_structure_has_field (results, "mine"), theirs >= 0);
  if (theirs >= 0) {
    fail_unless_equals_uint64 (most_of (results, "mine"), level);
    fail_unless_equals_uint64 (most_of (results, "theirs"), (guint)theirs);
  }
  gst_buffer_unref (buffer);
}

static void
push_second (Second *other, guint8 level, gint time)
{
  fail_unless_equals_int (gst_pad_push (other->source, second_picture (level, time)), GST_FLOW_OK);
}

/* The buffer that leaves is the one that came. */
GST_START_TEST (a_buffer_stays_itself)
{
  Second other;
  GstHarness *h = start (&other, COMPARE, GST_CLOCK_TIME_NONE);
  GstBuffer *buffer = second_picture (90, 0);
  GstMemory *memory = gst_buffer_peek_memory (buffer, 0);

  push_second (&other, 50, 0);
  filter_push (h, buffer);
  GstBuffer *passed = filter_pull (h);
  fail_unless (passed == buffer);
  fail_unless (gst_buffer_peek_memory (passed, 0) == memory);
  fail_unless (gst_buffer_is_writable (passed));
  fail_unless (gst_buffer_is_all_memory_writable (passed));
  assert_passed (passed, 90, 50);
  finish (h, &other);
}
GST_END_TEST;

static void
assert_warning (GstHarness *h, const gchar *part)
{
  g_autoptr (GstMessage) message = bus_wait (h, GST_MESSAGE_WARNING);
  g_autoptr (GError) error = NULL;

  gst_message_parse_warning (message, &error, NULL);
  fail_unless (strstr (error->message, part) != NULL, "%s", error->message);
  fail_unless_equals_int (bus_count_type (h, GST_MESSAGE_WARNING), 0);
}

/* Those without a partner go on in their turn. */
GST_START_TEST (buffers_without_a_partner_go_on)
{
  static const gint times[] = { 10, 20, 50, -1 };
  static const gint partners[] = { -1, 0, 1, -1, -1, 2, -1, -1 };
  Second other;
  GstHarness *h = start (&other, COMPARE, GST_CLOCK_TIME_NONE);

  other.times = times;
  other.thread = g_thread_new ("second", second_run, &other);
  for (guint i = 0; i < G_N_ELEMENTS (partners); i++)
    filter_push (h, second_picture ((guint8)(100 + i), 10 * (gint)i));
  for (guint i = 0; i < G_N_ELEMENTS (partners); i++)
    assert_passed (filter_pull (h), (guint8)(100 + i), partners[i]);
  g_thread_join (other.thread);
  filter_push_eos (h);
  filter_wait_eos (h);
  fail_unless_equals_uint64 (stat_of (h->element, "unpaired"), 5);
  fail_unless_equals_uint64 (stat_of (h->element, "unseen"), 5);
  fail_unless_equals_uint64 (stat_of (h->element, "arrived"), G_N_ELEMENTS (partners));
  fail_unless (stat_is (h->element, "complete", "false"));
  assert_warning (h, "goes on without results; 'unpaired' counts those. Fix: ");
  finish (h, &other);
}
GST_END_TEST;

GST_START_TEST (an_event_behind_unseen_buffers_is_incomplete)
{
  Second other;
  GstHarness *h = start (&other, COMPARE "; event any when $mine.count > 0", GST_CLOCK_TIME_NONE);
  gboolean complete = TRUE;

  push_second (&other, 5, 20);
  for (gint i = 0; i < 3; i++)
    filter_push (h, second_picture (9, 10 * i));
  g_autoptr (GstMessage) event = bus_wait_element (h, "vyre-event");
  gst_structure_get_boolean (gst_message_get_structure (event), "complete", &complete);
  fail_if (complete);
  for (gint i = 0; i < 3; i++)
    assert_passed (filter_pull (h), 9, i == 2 ? 5 : -1);
  finish (h, &other);
}
GST_END_TEST;

/* A partner that comes later is none of the buffer that has gone, and the stream goes on. */
GST_START_TEST (a_late_partner_holds_no_buffer)
{
  Second other;
  GstHarness *h = start (&other, COMPARE, GST_MSECOND);

  filter_push (h, second_picture (90, 0));
  assert_passed (filter_pull (h), 90, -1);
  fail_unless_equals_uint64 (stat_of (h->element, "unseen"), 1);
  fail_unless_equals_uint64 (stat_of (h->element, "unpaired"), 0);
  push_second (&other, 50, 0);
  g_object_set (h->element, "max-latency", GST_CLOCK_TIME_NONE, NULL);
  SecondWaiter waiter;
  second_waiter_start (&waiter, h->srcpad); /* the one at 10 ms */
  push_second (&other, 60, 10);
  fail_unless_equals_int (second_waiter_join (&waiter), GST_FLOW_OK);
  assert_passed (filter_pull (h), 1, 60);
  fail_unless_equals_uint64 (stat_of (h->element, "passed-over"), 1);
  fail_unless (stat_is (h->element, "complete", "false"));
  finish (h, &other);
}
GST_END_TEST;

/* A second stream that stands still delays the first once, not with each buffer. */
GST_START_TEST (a_second_stream_that_stands_still_slows_nothing_down)
{
  Second other;
  GstHarness *h = start (&other, COMPARE, GST_SECOND / 2);
  gint64 begin = g_get_monotonic_time ();

  for (gint i = 0; i < PATIENCE * 3; i++) {
    filter_push (h, second_picture (90, i));
    assert_passed (filter_pull (h), 90, -1);
  }
  fail_unless (g_get_monotonic_time () - begin < PATIENCE * G_USEC_PER_SEC);
  fail_unless_equals_uint64 (stat_of (h->element, "unseen"), PATIENCE * 3);
  finish (h, &other);
}
GST_END_TEST;

typedef struct {
  GstHarness *h;
  gint time;
} Coming;

static gpointer
push_coming (gpointer data)
{
  Coming *coming = data;

  filter_push (coming->h, second_picture (90, coming->time));
  return NULL;
}

/* After a wait in vain, and a pause, a buffer waits as long as any. A busy machine may need more
 * than one. */
GST_START_TEST (a_pause_gives_the_wait_back)
{
  enum { MOST = 100000, TRIES = 5 }; /* µs */
  Second other;
  GstHarness *h = start (&other, COMPARE, MOST * GST_USECOND);
  gboolean missing = TRUE;

  filter_push (h, second_picture (90, 0));
  assert_passed (filter_pull (h), 90, -1);
  for (gint i = 1; missing && i <= TRIES; i++) {
    Coming coming = { h, 10 * i };
    g_usleep (3 * MOST); /* the pause */
    GThread *thread = g_thread_new ("coming", push_coming, &coming);
    g_usleep (MOST / 20); /* it is in, or else the partner is there before it */
    push_second (&other, 60, coming.time);
    g_thread_join (thread);
    GstBuffer *passed = filter_pull (h);
    missing = gst_structure_has_field (results_of (passed), "missing");
    gst_buffer_unref (passed);
  }
  fail_if (missing, "no buffer waits for its partner any more");
  finish (h, &other);
}
GST_END_TEST;

/* The result of a pair is that of the bytes that came, whatever downstream does meanwhile. */
GST_START_TEST (a_late_pair_has_its_bytes)
{
  Second other;
  GstHarness *h = start (&other, COMPARE, 0);
  GstMapInfo map;
  guint n = 0;

  vyre_lost_stall (true);
  for (gboolean missing = FALSE; !missing || !vyre_lost_is_stalled (); n++) {
    push_second (&other, (guint8)(50 + n), 10 * (gint)n);
    filter_push (h, second_picture ((guint8)(100 + n), 10 * (gint)n));
    GstBuffer *passed = filter_pull (h);
    missing = gst_structure_has_field (results_of (passed), "missing");
    passed = gst_buffer_make_writable (passed);
    fail_unless (gst_buffer_map (passed, &map, GST_MAP_WRITE));
    memset (map.data, 0, map.size);
    gst_buffer_unmap (passed, &map);
    gst_buffer_unref (passed);
  }
  vyre_lost_stall (false);
  for (guint i = (guint)stat_of (h->element, "unseen"); i < n; i++) {
    g_autoptr (GstMessage) message = bus_wait_element (h, "vyre-results");
    const GstStructure *results = gst_message_get_structure (message);
    guint64 number = field_u64 (results, "sequence") - 1;
    fail_unless_equals_uint64 (most_of (results, "mine"), 100 + number);
    fail_unless_equals_uint64 (most_of (results, "theirs"), 50 + number);
  }
  fail_unless (stat_of (h->element, "late-results") > 0);
  finish (h, &other);
}
GST_END_TEST;

static gpointer
drain (gpointer pad)
{
  g_autoptr (GstQuery) query = gst_query_new_drain ();

  fail_unless (gst_pad_peer_query (pad, query));
  return NULL;
}

static GstPadProbeReturn
drain_second (GstPad *pad, GstPadProbeInfo *info, gpointer source)
{
  drain (source);
  return GST_PAD_PROBE_OK;
}

/* A drain of the second stream waits for late batches, which have its memory, unless it comes from
 * the middle of a push. */
GST_START_TEST (drain_gives_memory_back)
{
  Second other;
  GstHarness *h = start (&other, COMPARE, 0);
  g_autoptr (GstPad) source = filter_pad (h, "src");
  GstBuffer *partner = gst_buffer_ref (second_picture (50, 0));

  gulong probe
      = gst_pad_add_probe (source, GST_PAD_PROBE_TYPE_BUFFER, drain_second, other.source, NULL);
  vyre_lost_stall (true);
  fail_unless_equals_int (gst_pad_push (other.source, partner), GST_FLOW_OK);
  filter_push (h, second_picture (90, 0));
  gst_buffer_unref (filter_pull (h));
  gst_pad_remove_probe (source, probe);
  GThread *thread = g_thread_new ("drain", drain, other.source);
  vyre_lost_stall (false);
  g_thread_join (thread);
  fail_unless (gst_mini_object_is_writable (GST_MINI_OBJECT_CAST (partner)));
  fail_unless (gst_memory_is_writable (gst_buffer_peek_memory (partner, 0)));
  gst_buffer_unref (partner);
  finish (h, &other);
}
GST_END_TEST;

/* ---- ends -------------------------------------------------------------------------------- */

GST_START_TEST (a_flush_ends_either_wait)
{
  Second other;
  SecondWaiter waiter;
  GstHarness *h = start (&other, COMPARE, GST_CLOCK_TIME_NONE);

  second_waiter_start (&waiter, h->srcpad);
  second_flush (h->srcpad);
  fail_unless_equals_int (second_waiter_join (&waiter), GST_FLOW_FLUSHING);
  push_second (&other, 5, 0);
  second_waiter_start (&waiter, other.source);
  second_flush (other.source);
  fail_unless_equals_int (second_waiter_join (&waiter), GST_FLOW_FLUSHING);
  push_second (&other, 7, 0);
  filter_push (h, second_picture (9, 0));
  assert_passed (filter_pull (h), 9, 7);
  finish (h, &other);
}
GST_END_TEST;

/* The end of the second stream lets the buffer go, unseen. */
GST_START_TEST (no_end_leaves_a_wait_behind)
{
  SecondEnd end = (SecondEnd)__i__;
  Second other;
  GstHarness *h = start (&other, COMPARE, GST_CLOCK_TIME_NONE);

  second_check_end (end, h, &other);
  if (end == SECOND_ENDS_EOS)
    assert_passed (filter_pull (h), 1, -1);
  filter_finish (h);
}
GST_END_TEST;

/* ---- what the pads say ------------------------------------------------------------------- */

/* The wait for a partner is part of what a buffer may wait for all. */
GST_START_TEST (latency_is_no_longer_than_the_deadline)
{
  Second other;
  GstHarness *h = start (&other, COMPARE, GST_CLOCK_TIME_NONE);

  gst_harness_set_upstream_latency (h, GST_SECOND);
  fail_unless_equals_uint64 (gst_harness_query_latency (h), GST_SECOND + 10 * GST_MSECOND);
  bus_count_type (h, GST_MESSAGE_LATENCY);
  g_object_set (h->element, "max-latency", 4 * GST_MSECOND, NULL);
  fail_unless_equals_int (bus_count_type (h, GST_MESSAGE_LATENCY), 1);
  fail_unless_equals_uint64 (gst_harness_query_latency (h), GST_SECOND + 4 * GST_MSECOND);
  g_object_set (h->element, "max-latency", GST_CLOCK_TIME_NONE, NULL);
  gst_harness_query_latency (h);
  bus_count_type (h, GST_MESSAGE_LATENCY);
  second_clear (&other);
  fail_unless_equals_int (bus_count_type (h, GST_MESSAGE_LATENCY), 1);
  fail_unless_equals_uint64 (gst_harness_query_latency (h), GST_SECOND);
  second_init (&other, h);
  fail_unless_equals_int (bus_count_type (h, GST_MESSAGE_LATENCY), 1);
  finish (h, &other);
}
GST_END_TEST;

/* Raw slots have no partners, in this mode either. */
GST_START_TEST (slots_are_refused)
{
  Second other;
  GstHarness *h = start (&other, COMPARE, GST_CLOCK_TIME_NONE);

  gst_harness_set_src_caps_str (h, "application/x-vyre-slots");
  fail_unless_equals_int (gst_harness_push (h, noise_buffer (64, 1)), GST_FLOW_ERROR);
  bus_assert_error (h, "release the pad reference");
  finish (h, &other);
}
GST_END_TEST;

/* Caps of the first stream pass, and those of the second have to match. */
GST_START_TEST (pairs_have_caps_that_match)
{
  Second other;
  GstHarness *h = start (&other, COMPARE, GST_CLOCK_TIME_NONE);

  push_second (&other, 5, 0);
  filter_push (h, second_picture (9, 0));
  assert_passed (filter_pull (h), 9, 5);
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (h->sinkpad);
  g_autoptr (GstCaps) own = gst_caps_from_string (SECOND_CAPS);
  fail_unless (gst_caps_is_subset (caps, own));
  second_begin (&other, "video/x-raw, format=GRAY8, width=12, height=6, framerate=100/1");
  push_second (&other, 5, 10);
  fail_unless_equals_int (gst_harness_push (h, second_picture (9, 10)), GST_FLOW_ERROR);
  bus_assert_error (h, "videoscale");
  finish (h, &other);
}
GST_END_TEST;

/* Ends the stall of a test, also of one that has failed: the next may share the process. */
static void
resume (void)
{
  vyre_lost_stall (false);
}

static Suite *
passing_pairs_suite (void)
{
  Suite *s = suite_create ("passing-pairs");
  TCase *tc = tcase_create ("passing-pairs");

  suite_add_tcase (s, tc);
  tcase_set_timeout (tc, PATIENCE * 6);
  tcase_add_checked_fixture (tc, NULL, resume);
  tcase_add_test (tc, results_are_those_of_readback);
  tcase_add_test (tc, a_buffer_stays_itself);
  tcase_add_test (tc, buffers_without_a_partner_go_on);
  tcase_add_test (tc, an_event_behind_unseen_buffers_is_incomplete);
  tcase_add_test (tc, a_late_partner_holds_no_buffer);
  tcase_add_test (tc, a_second_stream_that_stands_still_slows_nothing_down);
  tcase_add_test (tc, a_pause_gives_the_wait_back);
  tcase_add_test (tc, a_late_pair_has_its_bytes);
  tcase_add_test (tc, drain_gives_memory_back);
  tcase_add_test (tc, a_flush_ends_either_wait);
  tcase_add_loop_test (tc, no_end_leaves_a_wait_behind, 0, SECOND_N_ENDS);
  tcase_add_test (tc, latency_is_no_longer_than_the_deadline);
  tcase_add_test (tc, pairs_have_caps_that_match);
  tcase_add_test (tc, slots_are_refused);
  return s;
}

GST_CHECK_MAIN (passing_pairs);
