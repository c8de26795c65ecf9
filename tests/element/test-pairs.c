/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A second stream at the pad "reference": which buffers make a pair, what paired( ) reads, and how
 * either stream ends.
 */
#include "oracle.h"
#include "second.h"

#include <gst/video/video.h>
#include <string.h>

/* Tells the buffers of a pair, without an opcode that drivers compile for long. */
#define COMPARE "u8_stats plane0 -> mine; u8_stats paired(plane0) -> theirs"
/* Words of statistics */
enum { COUNT, LEAST, MOST, SUM, SQUARES = 5, N_WORDS = 7 };

static GstHarness *
start (Second *other, const gchar *program, const gchar *caps, const gchar *other_caps)
{
  GstHarness *h = filter_new (program);

  second_init (other, h);
  filter_start (h, caps);
  second_begin (other, other_caps);
  return h;
}

static void
finish (GstHarness *h, Second *other)
{
  second_clear (other);
  filter_finish (h);
}

/* The pictures of a pair have one level each. */
static void
assert_pair (GstBuffer *readback, guint count, guint difference)
{
  guint mine = readback_observable (readback, 1 + MOST);
  guint theirs = readback_observable (readback, 1 + N_WORDS + MOST);

  fail_unless_equals_int (readback_observable (readback, 1 + COUNT), count);
  fail_unless_equals_int (readback_observable (readback, 1 + N_WORDS + COUNT), count);
  fail_unless_equals_int (readback_observable (readback, 1 + N_WORDS + LEAST), theirs);
  fail_unless_equals_int (MAX (mine, theirs) - MIN (mine, theirs), difference);
  gst_buffer_unref (readback);
}

static void
assert_difference (GstBuffer *readback, guint count, guint difference)
{
  fail_unless_equals_int (readback_observable (readback, 1 + COUNT), count);
  fail_unless_equals_int (readback_observable (readback, 1 + MOST), difference);
  fail_unless_equals_int (readback_observable (readback, 1 + SUM), count * difference);
  fail_unless_equals_int (
      readback_observable (readback, 1 + SQUARES), count * difference * difference);
  gst_buffer_unref (readback);
}

/* One after the other, in either order: the pad keeps one. */
GST_START_TEST (a_pair_is_compared)
{
  Second other;
  GstHarness *h = start (&other, "builtin:compare", SECOND_CAPS, SECOND_CAPS);

  for (gint i = 0; i < 20; i++) {
    fail_unless_equals_int (
        gst_pad_push (other.source, second_picture ((guint8)(100 + i), 10 * i)), GST_FLOW_OK);
    assert_difference (
        filter_run (h, second_picture (90, 10 * i)), SECOND_WIDTH * SECOND_ROWS, 10 + (guint)i);
  }
  fail_unless_equals_uint64 (
      stat_nested (h->element, "ingest", "scattered-bytes"), 20 * 2 * SECOND_STRIDE * SECOND_ROWS);
  finish (h, &other);
}
GST_END_TEST;

/* Rows of the partner that are further apart, behind 5 bytes. */
static GstBuffer *
spread_picture (guint8 level)
{
  enum { APART = 33, BEFORE = 5 };
  guint8 data[BEFORE + APART * SECOND_ROWS];
  gsize offset[GST_VIDEO_MAX_PLANES] = { BEFORE };
  gint stride[GST_VIDEO_MAX_PLANES] = { APART };

  memset (data, 0, sizeof data);
  for (guint row = 0; row < SECOND_ROWS; row++)
    memset (data + BEFORE + row * APART, level, SECOND_WIDTH);
  GstBuffer *buffer = buffer_of (data, sizeof data);
  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_GRAY8,
      SECOND_WIDTH, SECOND_ROWS, 1, offset, stride);
  return buffer;
}

GST_START_TEST (a_partner_has_a_layout_of_its_own)
{
  Second other;
  GstHarness *h = start (&other, COMPARE, SECOND_CAPS, SECOND_CAPS);

  for (guint i = 0; i < 6; i++) {
    GstBuffer *partner = i % 2 ? spread_picture (50) : second_picture (60, -1);
    fail_unless_equals_int (gst_pad_push (other.source, partner), GST_FLOW_OK);
    assert_pair (
        filter_run (h, second_picture (90, -1)), SECOND_WIDTH * SECOND_ROWS, i % 2 ? 40 : 30);
  }
  finish (h, &other);
}
GST_END_TEST;

GST_START_TEST (regions_of_both_are_read)
{
  Second other;
  guint8 *mine = noise_new (300, 1), *theirs = noise_new (500, 2);
  GstHarness *h = start (&other, "crc32 payload -> mine; crc32 paired(payload) -> other",
      "application/x-test", "application/x-test");

  fail_unless_equals_int (gst_pad_push (other.source, noise_buffer (500, 2)), GST_FLOW_OK);
  GstBuffer *readback = filter_run (h, noise_buffer (300, 1));
  fail_unless_equals_uint64 (readback_observable (readback, 1), oracle_crc32 (mine, 300));
  fail_unless_equals_uint64 (readback_observable (readback, 2), oracle_crc32 (theirs, 500));
  gst_buffer_unref (readback);
  g_free (mine);
  g_free (theirs);
  finish (h, &other);
}
GST_END_TEST;

#define END -1
#define NO_PARTNER -2

/* Pictures last 10 ms. The partner of each of the first stream, by its number. At another rate of
 * the segments they last as much shorter. */
static const struct {
  gint first[8];
  gint second[8];
  gint partners[8];
  gdouble rate; /* 0: 1 */
  gint from;    /* ms, where the segments begin */
} rates[] = {
  { { 0, 10, 20, END }, { 0, 10, 20, END }, { 0, 1, 2 } },
  /* the nearest */
  { { 0, 10, 20, END }, { 1, 12, 19, END }, { 0, 1, 2 } },
  { { 0, 10, 20, END }, { 4, 16, 26, END }, { 0, 0, 1 } },
  /* those between are no partners */
  { { 0, 20, 40, END }, { 0, 10, 20, 30, 40, 50, END }, { 0, 2, 4 } },
  /* the second stream begins later, and ends earlier */
  { { 0, 10, 20, 30, END }, { 10, 20, END }, { NO_PARTNER, 0, 1, NO_PARTNER } },
  /* it has a hole */
  { { 0, 10, 20, 30, END }, { 0, 30, END }, { 0, NO_PARTNER, NO_PARTNER, 1 } },
  { { 0, 10, END }, { END }, { NO_PARTNER, NO_PARTNER } },
  /* the first of two that last at the same time */
  { { 0, 10, 20, END }, { 0, 10, 10, 20, END }, { 0, 1, 3 } },
  { { 0, 10, 20, 30, END }, { 0, 10, 20, 30, END }, { 0, 1, 2, 3 }, 2.0 },
  { { 30, 20, 10, 0, END }, { 30, 20, 10, 0, END }, { 0, 1, 2, 3 }, -1.0 },
  /* outside of the segment */
  { { 10, 20, 30, END }, { 10, 20, 30, END }, { NO_PARTNER, 1, 2 }, 1.0, 20 },
};

/* Up to 40 ms. */
static void
push_segment (GstPad *pad, gdouble rate, gint from)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.rate = rate;
  segment.start = segment.time = (guint)from * GST_MSECOND;
  segment.stop = 40 * GST_MSECOND;
  gst_pad_push_event (pad, gst_event_new_segment (&segment));
}

/* How many partners of the segment no buffer of the first stream has. */
static guint
count_passed_over (guint rate)
{
  guint n = 0;

  for (gint i = 0; rates[rate].second[i] >= 0; i++) {
    gboolean is_partner = rates[rate].second[i] < rates[rate].from;
    for (guint k = 0; rates[rate].first[k] >= 0; k++)
      is_partner |= rates[rate].partners[k] == i;
    n += !is_partner;
  }
  return n;
}

static void
check_rate (guint rate)
{
  Second other;
  GstHarness *h = start (&other, COMPARE, SECOND_CAPS, SECOND_CAPS);
  guint unpaired = 0, passed_over = count_passed_over (rate);

  if (rates[rate].rate != 0) {
    push_segment (h->srcpad, rates[rate].rate, rates[rate].from);
    push_segment (other.source, rates[rate].rate, rates[rate].from);
  }
  other.times = rates[rate].second;
  other.thread = g_thread_new ("second", second_run, &other);
  for (guint i = 0; rates[rate].first[i] >= 0; i++) {
    filter_push (h, second_picture (200, rates[rate].first[i]));
    if (rates[rate].partners[i] == NO_PARTNER)
      unpaired++;
    else
      assert_pair (
          filter_pull (h), SECOND_WIDTH * SECOND_ROWS, 200 - (guint)rates[rate].partners[i]);
  }
  filter_push_eos (h);
  filter_wait_eos (h);
  g_thread_join (other.thread);
  fail_unless_equals_uint64 (stat_of (h->element, "unpaired"), unpaired);
  fail_unless_equals_uint64 (stat_of (h->element, "passed-over"), passed_over);
  fail_unless_equals_int (stat_is (h->element, "complete-verdict", "all that came in was seen"),
      unpaired + passed_over == 0);
  fail_unless_equals_int (bus_count_type (h, GST_MESSAGE_WARNING), unpaired > 0);
  finish (h, &other);
}

/* A gap tells that there is no partner, and a stream that ends in a segment has no more. */
GST_START_TEST (gaps_have_no_partners)
{
  Second other;
  GstHarness *h = start (&other, COMPARE, SECOND_CAPS, SECOND_CAPS);

  gst_pad_push_event (other.source, gst_event_new_gap (0, 10 * GST_MSECOND));
  filter_push (h, second_picture (9, 0));
  fail_unless_equals_int (gst_pad_push (other.source, second_picture (5, 10)), GST_FLOW_OK);
  assert_pair (filter_run (h, second_picture (9, 10)), SECOND_WIDTH * SECOND_ROWS, 4);
  gst_pad_push_event (other.source, gst_event_new_segment_done (GST_FORMAT_TIME, 0));
  filter_push (h, second_picture (9, 20));
  fail_unless_equals_uint64 (stat_of (h->element, "unpaired"), 2);
  finish (h, &other);
}
GST_END_TEST;

/* An event knows of the buffers in front of it that were left out. */
GST_START_TEST (an_event_behind_buffers_left_out_is_incomplete)
{
  Second other;
  GstHarness *h
      = start (&other, COMPARE "; event any when $mine.count > 0", SECOND_CAPS, SECOND_CAPS);
  gboolean complete = TRUE;

  fail_unless_equals_int (gst_pad_push (other.source, second_picture (5, 20)), GST_FLOW_OK);
  filter_push (h, second_picture (9, 0));
  gst_buffer_unref (filter_run (h, second_picture (9, 20)));
  GstMessage *message = bus_wait_element (h, "vyre-event");
  fail_unless (
      gst_structure_get_boolean (gst_message_get_structure (message), "complete", &complete));
  fail_if (complete);
  gst_message_unref (message);
  finish (h, &other);
}
GST_END_TEST;

/* The memory of a partner that waits goes back, and its bytes stay. */
GST_START_TEST (drain_gives_memory_back)
{
  Second other;
  GstHarness *h = start (&other, COMPARE, SECOND_CAPS, SECOND_CAPS);
  GstBuffer *buffer = gst_buffer_ref (second_picture (5, 0));
  GstQuery *query = gst_query_new_drain ();

  fail_unless_equals_int (gst_pad_push (other.source, buffer), GST_FLOW_OK);
  fail_if (gst_mini_object_is_writable (GST_MINI_OBJECT_CAST (buffer)));
  fail_unless (gst_pad_peer_query (other.source, query));
  fail_unless (gst_mini_object_is_writable (GST_MINI_OBJECT_CAST (buffer)));
  gst_buffer_memset (buffer, 0, 77, SECOND_STRIDE * SECOND_ROWS);
  assert_pair (filter_run (h, second_picture (9, 0)), SECOND_WIDTH * SECOND_ROWS, 4);
  gst_query_unref (query);
  gst_buffer_unref (buffer);
  finish (h, &other);
}
GST_END_TEST;

/* The payload before, which the next batch reads, has bytes of its own. */
GST_START_TEST (drain_gives_back_what_is_kept_for_later)
{
  Second other;
  GstHarness *h
      = start (&other, COMPARE "; crc32 previous(payload) -> then", SECOND_CAPS, SECOND_CAPS);
  GstBuffer *kept = gst_buffer_ref (second_picture (5, 0)), *readback;
  GstQuery *query = gst_query_new_drain ();

  fail_unless_equals_int (gst_pad_push (other.source, kept), GST_FLOW_OK);
  assert_pair (filter_run (h, second_picture (9, 0)), SECOND_WIDTH * SECOND_ROWS, 4);
  fail_unless (gst_pad_peer_query (other.source, query));
  fail_unless (gst_mini_object_is_writable (GST_MINI_OBJECT_CAST (kept)));
  fail_unless (gst_memory_is_writable (gst_buffer_peek_memory (kept, 0)));
  gst_buffer_memset (kept, 0, 77, SECOND_STRIDE * SECOND_ROWS);
  fail_unless_equals_int (gst_pad_push (other.source, second_picture (6, 10)), GST_FLOW_OK);
  readback = filter_run (h, second_picture (9, 10));
  fail_unless (readback_observable (readback, 2 * N_WORDS + 1) != 0);
  gst_buffer_unref (readback);
  gst_query_unref (query);
  gst_buffer_unref (kept);
  finish (h, &other);
}
GST_END_TEST;

/* A buffer waits for a partner that starts an interval later at most. */
GST_START_TEST (a_pair_is_as_late_as_its_partner)
{
  Second other;
  GstHarness *h = filter_new (COMPARE);

  filter_start (h, SECOND_CAPS);
  GstClockTime alone = gst_harness_query_latency (h);
  second_init (&other, h);
  fail_unless_equals_uint64 (gst_harness_query_latency (h), alone + 10 * GST_MSECOND);
  finish (h, &other);
}
GST_END_TEST;

/* A partner of a time before a flush is none of what begins anew. */
GST_START_TEST (a_partner_starts_no_later)
{
  Second other;
  GstHarness *h = start (&other, COMPARE, SECOND_CAPS, SECOND_CAPS);

  fail_unless_equals_int (gst_pad_push (other.source, second_picture (5, 1000)), GST_FLOW_OK);
  assert_pair (filter_run (h, second_picture (9, 1000)), SECOND_WIDTH * SECOND_ROWS, 4);
  filter_flush (h);
  filter_push_segment (h);
  gst_pad_push_event (other.source, gst_event_new_eos ());
  filter_push (h, second_picture (9, 0));
  fail_unless_equals_uint64 (stat_of (h->element, "unpaired"), 1);
  finish (h, &other);
}
GST_END_TEST;

/* Whichever thread is ahead. */
GST_START_TEST (times_decide_over_pairs)
{
  for (guint rate = 0; rate < G_N_ELEMENTS (rates); rate++)
    check_rate (rate);
}
GST_END_TEST;

/* Whichever stream is flushed goes on, and the other one waits. */
GST_START_TEST (a_flush_ends_either_wait)
{
  Second other;
  SecondWaiter waiter;
  GstHarness *h = start (&other, COMPARE, SECOND_CAPS, SECOND_CAPS);

  second_waiter_start (&waiter, h->srcpad);
  second_flush (h->srcpad);
  fail_unless_equals_int (second_waiter_join (&waiter), GST_FLOW_FLUSHING);
  fail_unless_equals_int (gst_pad_push (other.source, second_picture (5, 0)), GST_FLOW_OK);
  second_waiter_start (&waiter, other.source); /* behind that one */
  second_flush (other.source);
  fail_unless_equals_int (second_waiter_join (&waiter), GST_FLOW_FLUSHING);
  fail_unless_equals_int (gst_pad_push (other.source, second_picture (7, 0)), GST_FLOW_OK);
  second_waiter_start (&waiter, other.source);
  assert_pair (filter_run (h, second_picture (9, 0)), SECOND_WIDTH * SECOND_ROWS, 2);
  fail_unless_equals_int (second_waiter_join (&waiter), GST_FLOW_OK);
  finish (h, &other);
}
GST_END_TEST;

/* What becomes of a seek in the second stream: it is flushed, it is not, or it was already. */
typedef enum { SEEKS_LATER, SEEKS_NOT, SEEKS_BEFORE } Seeks;

typedef struct {
  GstHarness *h;
  Second *other;
  SecondWaiter waiter;
} Sought;

static gboolean
seek_first (GstPad *pad, GstObject *parent, GstEvent *event)
{
  Sought *sought = gst_pad_get_element_private (pad);
  gboolean is_seek = GST_EVENT_TYPE (event) == GST_EVENT_SEEK;

  if (is_seek) {
    second_flush (pad);
    second_waiter_start (&sought->waiter, pad);
  }
  gst_event_unref (event);
  return is_seek;
}

/* A seek that has come by another way is not done again. */
static gboolean
seek_second (GstPad *pad, GstObject *parent, GstEvent *event)
{
  Seeks seeks = GPOINTER_TO_UINT (gst_pad_get_element_private (pad));
  gboolean accepts = seeks != SEEKS_NOT && GST_EVENT_TYPE (event) == GST_EVENT_SEEK;

  if (accepts && seeks == SEEKS_LATER)
    second_flush (pad);
  gst_event_unref (event);
  return accepts;
}

static void
flush_for (GstPad *pad, GstEvent *seek)
{
  GstEvent *first = gst_event_new_flush_start (), *last = gst_event_new_flush_stop (TRUE);
  GstSegment segment;

  gst_event_set_seqnum (first, gst_event_get_seqnum (seek));
  gst_event_set_seqnum (last, gst_event_get_seqnum (seek));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (pad, first);
  gst_pad_push_event (pad, last);
  gst_pad_push_event (pad, gst_event_new_segment (&segment));
}

static void
check_seek (Seeks seeks)
{
  Second other;
  GstHarness *h = start (&other, COMPARE, SECOND_CAPS, SECOND_CAPS);
  Sought sought = { h, &other, { 0 } };
  GstEvent *seek = gst_event_new_seek (
      1, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET, 0, GST_SEEK_TYPE_NONE, 0);

  gst_pad_set_element_private (h->srcpad, &sought);
  gst_pad_set_element_private (other.source, GUINT_TO_POINTER (seeks));
  gst_pad_set_event_function (h->srcpad, seek_first);
  gst_pad_set_event_function (other.source, seek_second);
  if (seeks == SEEKS_BEFORE)
    flush_for (other.source, seek);
  fail_unless_equals_int (gst_pad_push (other.source, second_picture (50, 10)), GST_FLOW_OK);
  fail_unless (gst_harness_push_upstream_event (h, seek));
  if (seeks == SEEKS_LATER)
    fail_unless_equals_int (gst_pad_push (other.source, second_picture (7, 10)), GST_FLOW_OK);
  fail_unless_equals_int (second_waiter_join (&sought.waiter), GST_FLOW_OK);
  assert_pair (filter_pull (h), SECOND_WIDTH * SECOND_ROWS, seeks == SEEKS_LATER ? 6 : 49);
  fail_unless_equals_uint64 (stat_of (h->element, "unpaired"), 0);
  finish (h, &other);
}

/* The first stream has begun anew when the second is still as it was. */
GST_START_TEST (a_seek_parts_no_pair)
{
  check_seek (SEEKS_LATER);
  check_seek (SEEKS_NOT);
  check_seek (SEEKS_BEFORE);
}
GST_END_TEST;

GST_START_TEST (no_end_leaves_a_wait_behind)
{
  for (SecondEnd end = 0; end < SECOND_N_ENDS; end++) {
    Second other;
    GstHarness *h = start (&other, COMPARE, SECOND_CAPS, SECOND_CAPS);

    second_check_end (end, h, &other);
    filter_finish (h);
  }
}
GST_END_TEST;

/* From READY on both streams begin anew. */
GST_START_TEST (streams_begin_anew)
{
  Second other;
  GstHarness *h = start (&other, COMPARE, SECOND_CAPS, SECOND_CAPS);

  for (guint round = 0; round < 3; round++) {
    fail_unless_equals_int (gst_pad_push (other.source, second_picture (5, 0)), GST_FLOW_OK);
    assert_pair (filter_run (h, second_picture (9, 0)), SECOND_WIDTH * SECOND_ROWS, 4);
    fail_unless_equals_int (gst_pad_push (other.source, second_picture (5, 10)), GST_FLOW_OK);
    gst_element_set_state (h->element, GST_STATE_READY);
    gst_element_set_state (h->element, GST_STATE_PLAYING);
    filter_push_segment (h);
    gst_pad_set_active (other.source, FALSE);
    gst_pad_set_active (other.source, TRUE);
    second_begin (&other, SECOND_CAPS);
  }
  finish (h, &other);
}
GST_END_TEST;

static const struct {
  const gchar *program;
  const gchar *caps; /* of the second stream; NULL: there is none */
  const gchar *error;
} failures[] = {
  { COMPARE, NULL, "link a second stream" },
  { COMPARE, "video/x-raw, format=GRAY8, width=12, height=6, framerate=100/1", "videoscale" },
  { COMPARE, "video/x-raw, format=I420, width=10, height=6, framerate=100/1", "videoconvert" },
  { COMPARE, "application/x-test", "videoconvert" },
};

static void
check_failure (guint failure)
{
  Second other;
  GstHarness *h = filter_new (failures[failure].program);
  guint8 data[1000] = { 0 };

  if (failures[failure].caps)
    second_init (&other, h);
  filter_start (h, SECOND_CAPS);
  if (failures[failure].caps) {
    second_begin (&other, failures[failure].caps);
    fail_unless_equals_int (
        gst_pad_push (other.source, buffer_of (data, sizeof data)), GST_FLOW_OK);
  }
  fail_unless_equals_int (gst_harness_push (h, second_picture (1, 0)), GST_FLOW_ERROR);
  bus_assert_error (h, failures[failure].error);
  if (failures[failure].caps)
    second_clear (&other);
  filter_finish (h);
}

GST_START_TEST (streams_that_do_not_match_are_errors)
{
  for (guint failure = 0; failure < G_N_ELEMENTS (failures); failure++)
    check_failure (failure);
}
GST_END_TEST;

/* Other frame rates are fine, slots have no pairs, and there is one second stream. */
GST_START_TEST (a_second_stream_has_what_it_needs)
{
  Second other;
  GstHarness *h = start (&other, COMPARE, SECOND_CAPS, SECOND_CAPS);
  GstCaps *caps = gst_pad_peer_query_caps (other.source, NULL);
  GstCaps *slower
      = gst_caps_from_string ("video/x-raw, format=GRAY8, width=10, height=6, framerate=25/1");
  GstCaps *larger
      = gst_caps_from_string ("video/x-raw, format=GRAY8, width=12, height=6, framerate=25/1");

  fail_unless (gst_caps_is_subset (slower, caps));
  fail_if (gst_caps_is_subset (larger, caps));
  GstPadTemplate *template = gst_element_get_pad_template (h->element, "reference");
  fail_unless (gst_element_request_pad (h->element, template, NULL, NULL) == NULL);
  gst_harness_set_src_caps_str (h, "application/x-vyre-slots");
  fail_unless_equals_int (gst_harness_push (h, noise_buffer (64, 1)), GST_FLOW_ERROR);
  bus_assert_error (h, "release the pad reference");
  gst_caps_unref (slower);
  gst_caps_unref (larger);
  gst_caps_unref (caps);
  finish (h, &other);
}
GST_END_TEST;

static Suite *
pairs_suite (void)
{
  Suite *s = suite_create ("pairs");
  TCase *tc = tcase_create ("pairs");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, a_pair_is_compared);
  tcase_add_test (tc, a_partner_has_a_layout_of_its_own);
  tcase_add_test (tc, regions_of_both_are_read);
  tcase_add_test (tc, times_decide_over_pairs);
  tcase_add_test (tc, gaps_have_no_partners);
  tcase_add_test (tc, an_event_behind_buffers_left_out_is_incomplete);
  tcase_add_test (tc, drain_gives_memory_back);
  tcase_add_test (tc, drain_gives_back_what_is_kept_for_later);
  tcase_add_test (tc, a_pair_is_as_late_as_its_partner);
  tcase_add_test (tc, a_partner_starts_no_later);
  tcase_add_test (tc, a_second_stream_has_what_it_needs);
  tcase_add_test (tc, a_flush_ends_either_wait);
  tcase_add_test (tc, a_seek_parts_no_pair);
  tcase_add_test (tc, no_end_leaves_a_wait_behind);
  tcase_add_test (tc, streams_begin_anew);
  tcase_add_test (tc, streams_that_do_not_match_are_errors);
  return s;
}

GST_CHECK_MAIN (pairs);
