/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Verdicts: whether all that came in was seen, and why not.
 */
#include "common.h"

#define ALL "all that came in was seen"
#define SIZE "store_u32 payload.size -> n"

/* Expects of the counters that they are complete, or else why not. */
static void
assert_verdict (GstHarness *h, const gchar *part)
{
  GstStructure *stats = stats_of (h->element);
  const gchar *verdict = gst_structure_get_string (stats, "complete-verdict");
  gboolean expected = g_str_equal (part, ALL), complete = !expected;

  fail_unless (gst_structure_get_boolean (stats, "complete", &complete));
  fail_unless_equals_int (complete, expected);
  fail_unless (strstr (verdict, part) != NULL, "%s", verdict);
  fail_unless (expected || strstr (verdict, ". Fix: ") != NULL, "%s", verdict);
  gst_structure_free (stats);
}

static void
end (GstHarness *h)
{
  filter_push_eos (h);
  filter_wait_eos (h);
}

/* The results of the last buffer. */
static void
assert_results (GstHarness *h, gboolean expected)
{
  GstMessage *message = bus_wait_element (h, "vyre-results");
  gboolean complete = !expected;

  fail_unless (
      gst_structure_get_boolean (gst_message_get_structure (message), "complete", &complete));
  fail_unless_equals_int (complete, expected);
  gst_message_unref (message);
}

static const struct {
  const gchar *program;
  gboolean is_whole; /* each buffer's results */
  const gchar *verdict;
} programs[] = {
  { SIZE, TRUE, ALL },
  { SIZE "; event some when $n == 100", TRUE, ALL },
  { "u8_stats bytes(0, 101) -> s", FALSE, "2 batches have slots that faulted or did not run" },
  { SIZE " @tenant=7; nop", FALSE, "2 batches have slots that faulted or did not run" },
  { SIZE "; event none when 1 / ($n - 100) == 1", TRUE, "2 conditions of events were left open" },
  { SIZE "; event cold when $n == 100 with v = 0 - $n", TRUE, ALL },
};

GST_START_TEST (each_slot_has_to_run)
{
  GstHarness *h = filter_new_with (programs[__i__].program, "results-interval", (guint64)0, NULL);

  filter_start (h, NULL);
  for (guint i = 0; i < 2; i++) {
    gst_buffer_unref (filter_run (h, numbered_buffer (i, 100)));
    assert_results (h, programs[__i__].is_whole);
  }
  end (h);
  assert_verdict (h, programs[__i__].verdict);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (no_record_may_be_dropped)
{
  GString *program = g_string_new ("nop");
  GstHarness *h;

  for (guint i = 0; i < 65; i++)
    g_string_append (program, "; printf 1");
  h = filter_new (program->str);
  filter_start (h, NULL);
  gst_buffer_unref (filter_run (h, numbered_buffer (0, 100)));
  end (h);
  assert_verdict (h, "1 PRINTF records found the debug log full");
  g_string_free (program, TRUE);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (each_buffer_has_to_be_seen)
{
  GstHarness *h = filter_new_with (SIZE, "max-in-flight", 8, NULL);
  Dam dam;

  assert_verdict (h, "no buffer came in. Fix: ");
  filter_start (h, NULL);
  filter_flush (h); /* the first buffer behind it is the task's */
  filter_push_segment (h);
  dam_build (&dam, h);
  filter_push (h, numbered_buffer (0, 100));
  dam_wait (&dam);
  for (guint i = 1; i < 4; i++)
    filter_push (h, numbered_buffer (i, 10));
  assert_verdict (h, "1 of 4 buffers were seen, and 100 of 130 bytes; 4 are in flight. Fix: ");
  filter_flush (h);
  dam_break (&dam);
  filter_push_segment (h);
  gst_buffer_unref (filter_run (h, numbered_buffer (4, 100)));
  end (h);
  fail_unless_equals_uint64 (stat_of (h->element, "flushed"), 3);
  assert_verdict (h, "2 of 5 buffers were seen, and 200 of 230 bytes; 0 are in flight. Fix: ");
  filter_finish (h);
}
GST_END_TEST;

#define GRAY "format=GRAY8, width=16, height=16"

/* Buffers behind caps that are refused, and those that are smaller than their caps promise. */
GST_START_TEST (refused_buffers_came_in)
{
  GstHarness *h = filter_new (SIZE);
  GstCaps *other = gst_caps_from_string ("video/x-raw(memory:Other), " GRAY);

  filter_start (h, "application/x-test");
  gst_buffer_unref (filter_run (h, numbered_buffer (0, 100)));
  gst_harness_set_src_caps_str (h, "video/x-raw, " GRAY);
  fail_unless_equals_int (gst_harness_push (h, numbered_buffer (1, 255)), GST_FLOW_ERROR);
  fail_unless_equals_uint64 (stat_of (h->element, "arrived"), 2);
  fail_unless_equals_uint64 (stat_of (h->element, "arrived-bytes"), 355);
  gst_harness_push_event (h, gst_event_new_caps (other));
  fail_unless_equals_int (gst_harness_push (h, numbered_buffer (2, 256)), GST_FLOW_NOT_NEGOTIATED);
  fail_unless_equals_uint64 (stat_of (h->element, "arrived"), 4); /* the caps came twice */
  assert_verdict (h, "1 of 4 buffers were seen, and 100 of 355 bytes");
  gst_caps_unref (other);
  filter_finish (h);
}
GST_END_TEST;

static Suite *
complete_suite (void)
{
  Suite *s = suite_create ("complete");
  TCase *tc = tcase_create ("verdicts");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, each_slot_has_to_run, 0, G_N_ELEMENTS (programs));
  tcase_add_test (tc, no_record_may_be_dropped);
  tcase_add_test (tc, each_buffer_has_to_be_seen);
  tcase_add_test (tc, refused_buffers_came_in);
  return s;
}

GST_CHECK_MAIN (complete);
