/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the element makes of the slots in its readbacks: the counters of the runtime,
 * and a warning when slots are never through. A batch that is never through needs a
 * device that does nothing: test-loss-ends.c.
 */
#include "common.h"

#include <string.h>

#define HEALTHY "u8_stats payload -> stats; crc32 payload -> crc32"
#define WAITING "nop @tenant=7; crc32 payload -> crc32"
#define UNHEARD "nop; store_u32 9 -> nine @tenant=5"
#define NEVER (3600 * GST_SECOND)
#define LARGE 1000

static void
push_some (GstHarness *h, guint n)
{
  for (guint i = 0; i < n; i++)
    gst_buffer_unref (filter_run (h, numbered_buffer (i, 100)));
}

static guint64
runtime (GstHarness *h, const gchar *name)
{
  return stat_nested (h->element, "runtime", name);
}

static void
assert_warnings (GstHarness *h, guint n, guint64 stalls)
{
  fail_unless_equals_int (bus_count_type (h, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR), n);
  fail_unless_equals_uint64 (stat_of (h->element, "stalls"), stalls);
}

/* ---- counters of the runtime ------------------------------------------- */

GST_START_TEST (counters_that_grow_are_summed_and_gauges_are_of_the_last_batch)
{
  GstHarness *h = filter_new_with (HEALTHY, "slot-count", 8, NULL);

  filter_start (h, NULL);
  push_some (h, 5); /* three slots each, with the fence */
  fail_unless_equals_uint64 (runtime (h, "slots"), 8);
  fail_unless_equals_uint64 (runtime (h, "drained"), 5 * 3);
  fail_unless_equals_uint64 (runtime (h, "unreclaimed"), 3);
  fail_unless_equals_uint64 (runtime (h, "idle"), 5);
  fail_unless_equals_uint64 (runtime (h, "idle-ppm"), 625000);
  fail_unless_equals_uint64 (runtime (h, "occupied-bps"), 3750);
  fail_unless_equals_uint64 (runtime (h, "queue-depth"), 0);
  g_object_set (h->element, "program", WAITING "; dfa_step 3, 4", NULL);
  push_some (h, 2); /* one waits, one faults, two are done */
  fail_unless_equals_uint64 (runtime (h, "drained"), 5 * 3 + 2 * 3);
  fail_unless_equals_uint64 (runtime (h, "unreclaimed"), 2);
  fail_unless_equals_uint64 (runtime (h, "faults"), 1);
  fail_unless_equals_uint64 (stat_of (h->element, "faults"), 2);
  fail_unless_equals_uint64 (runtime (h, "queue-depth"), 2);
  fail_unless_equals_uint64 (runtime (h, "queue-depth-bps"), 2500);
  filter_finish (h);
}
GST_END_TEST;

/* With every batch of a large ring, the host would read more than the kernel wrote. */
GST_START_TEST (a_large_ring_is_looked_at_once_in_an_interval)
{
  GstHarness *h = filter_new_with (HEALTHY, "slot-count", LARGE, "interval", NEVER, NULL);

  filter_start (h, NULL);
  push_some (h, 1);
  fail_unless_equals_uint64 (runtime (h, "unreclaimed"), 3);
  g_object_set (h->element, "program", HEALTHY "; nop; nop", NULL);
  push_some (h, 3);
  fail_unless_equals_uint64 (runtime (h, "unreclaimed"), 3);
  fail_unless_equals_uint64 (runtime (h, "drained"), 3 + 3 * 5);
  g_object_set (h->element, "interval", (guint64)0, NULL);
  gst_element_set_state (h->element, GST_STATE_READY);
  gst_element_set_state (h->element, GST_STATE_PLAYING);
  filter_push_segment (h);
  push_some (h, 2);
  fail_unless_equals_uint64 (runtime (h, "unreclaimed"), 5);
  filter_finish (h);
}
GST_END_TEST;

/* The message is of the batch that it comes with. */
GST_START_TEST (a_message_shows_the_ring_of_its_batch)
{
  GstHarness *h = filter_new_with (
      HEALTHY, "slot-count", LARGE, "interval", (guint64)0, "post-messages", 2, NULL);
  GstStructure *fields = NULL;

  filter_start (h, NULL);
  push_some (h, 1);
  g_object_set (h->element, "program", HEALTHY "; nop", NULL);
  push_some (h, 1);
  GstMessage *message = bus_wait_element (h, "vyre-counters");
  fail_unless (gst_structure_get (
      gst_message_get_structure (message), "runtime", GST_TYPE_STRUCTURE, &fields, NULL));
  fail_unless_equals_uint64 (field_u64 (fields, "unreclaimed"), 4);
  fail_unless_equals_uint64 (field_u64 (fields, "drained"), 3 + 4);
  gst_structure_free (fields);
  gst_message_unref (message);
  filter_finish (h);
}
GST_END_TEST;

/* ---- slots that are never through -------------------------------------- */

static const struct {
  const gchar *program;
  guint slot_count;
  guint slot;
  guint32 status;
  const gchar *part;
  const gchar *remedy;
} stalls[] = {
  { WAITING, 0, 0, VYRE_STATUS_PUBLISHED, "@tenant=7", "without @tenant" },
  { WAITING, LARGE, 0, VYRE_STATUS_PUBLISHED, "@tenant=7", "without @tenant" },
  { UNHEARD, 0, 1, VYRE_STATUS_PUBLISHED, "@tenant=5", "without @tenant" },
};

static void
check_warning (GstHarness *h, guint slot, const gchar *part, const gchar *remedy)
{
  GstMessage *message = bus_wait (h, GST_MESSAGE_WARNING);
  GError *error = NULL;
  gchar *debug = NULL, *name = g_strdup_printf ("Slot %u ", slot);

  gst_message_parse_warning (message, &error, &debug);
  fail_unless_equals_int (error->domain, GST_STREAM_ERROR);
  fail_unless (strstr (error->message, name) != NULL, "%s", error->message);
  fail_unless (strstr (error->message, "Fix: ") != NULL, "%s", error->message);
  fail_unless (strstr (error->message, remedy) != NULL, "%s", error->message);
  fail_unless (strstr (debug, part) != NULL, "%s", debug);
  g_error_free (error);
  g_free (debug);
  g_free (name);
  gst_message_unref (message);
}

GST_START_TEST (a_slot_that_is_never_through_warns_with_the_second_buffer)
{
  GstHarness *h = filter_new_with (stalls[__i__].program, "slot-count", stalls[__i__].slot_count,
      "interval", (guint64)0, "post-messages", 0, NULL);

  filter_start (h, NULL);
  for (guint i = 0; i < 6; i++) {
    GstBuffer *readback = filter_run (h, numbered_buffer (i, 100));
    fail_unless_equals_int (
        readback_word (readback, 1, stalls[__i__].slot * VYRE_SLOT_WORDS), stalls[__i__].status);
    gst_buffer_unref (readback);
    if (i == 1)
      check_warning (h, stalls[__i__].slot, stalls[__i__].part, stalls[__i__].remedy);
    assert_warnings (h, 0, i > 0);
  }
  filter_finish (h);
}
GST_END_TEST;

/* An episode ends with a readback in which nothing is left over, and not with a seek. */
GST_START_TEST (it_warns_again_when_it_happens_again)
{
  GstHarness *h = filter_new_with (WAITING, "post-messages", 0, NULL);

  filter_start (h, NULL);
  push_some (h, 3);
  assert_warnings (h, 1, 1);
  filter_flush (h);
  filter_push_segment (h);
  push_some (h, 3);
  assert_warnings (h, 0, 1);
  g_object_set (h->element, "program", HEALTHY, NULL);
  push_some (h, 3);
  assert_warnings (h, 0, 1);
  g_object_set (h->element, "program", UNHEARD, NULL);
  push_some (h, 3);
  assert_warnings (h, 1, 2);
  gst_element_set_state (h->element, GST_STATE_READY);
  gst_element_set_state (h->element, GST_STATE_PLAYING);
  filter_push_segment (h);
  push_some (h, 1);
  assert_warnings (h, 0, 0);
  push_some (h, 1);
  assert_warnings (h, 1, 1);
  filter_finish (h);
}
GST_END_TEST;

/* The next buffer is through, so nothing was stuck. */
GST_START_TEST (a_slot_that_is_left_over_once_is_no_stall)
{
  GstHarness *h = filter_new_with (WAITING, "post-messages", 0, NULL);

  filter_start (h, NULL);
  for (guint i = 0; i < 10; i++) {
    g_object_set (h->element, "program", i % 2 ? "crc32 payload -> crc32" : WAITING, NULL);
    push_some (h, 1);
  }
  assert_warnings (h, 0, 0);
  filter_finish (h);
}
GST_END_TEST;

static const struct {
  const gchar *program;
  guint warnings; /* of faults */
} healthy[] = {
  { "builtin:bytes", 0 }, { "builtin:nop", 0 }, { HEALTHY "; printf 1; load_u32 160 -> tag", 0 },
  { "shutdown; nop", 0 }, { "store_u32 1, 1; nop", 0 }, /* writes over DONE_COUNT */
  { "nop; dfa_step 3, 4", 1 }, { "load_miss 7", 1 },    /* the fault says why */
};

GST_START_TEST (a_healthy_stream_never_warns)
{
  GstHarness *h
      = filter_new_with (healthy[__i__].program, "interval", (guint64)0, "post-messages", 0, NULL);

  filter_start (h, NULL);
  for (guint i = 0; i < 60; i++)
    gst_buffer_unref (filter_run (h, noise_buffer (1 + i * 331 % 70000, i)));
  assert_warnings (h, healthy[__i__].warnings, 0);
  filter_finish (h);
}
GST_END_TEST;

/* Nothing reaches downstream for long, but the kernel has done its part. */
GST_START_TEST (a_slow_sink_is_no_stall)
{
  GstHarness *h = filter_new_with (HEALTHY, "post-messages", 0, NULL);
  Dam dam;

  filter_start (h, NULL);
  dam_build (&dam, h);
  for (guint i = 0; i < 4; i++)
    filter_push (h, numbered_buffer (i, 100));
  dam_wait (&dam);
  stat_wait_quiet (h->element);
  fail_unless_equals_uint64 (stat_of (h->element, "queue-depth"), 4);
  dam_break (&dam);
  assert_warnings (h, 0, 0);
  filter_finish (h);
}
GST_END_TEST;

static Suite *
watch_suite (void)
{
  Suite *s = suite_create ("watch");
  TCase *counters = tcase_create ("counters"), *stall = tcase_create ("stall");

  suite_add_tcase (s, counters);
  tcase_add_test (counters, counters_that_grow_are_summed_and_gauges_are_of_the_last_batch);
  tcase_add_test (counters, a_large_ring_is_looked_at_once_in_an_interval);
  tcase_add_test (counters, a_message_shows_the_ring_of_its_batch);
  suite_add_tcase (s, stall);
  tcase_add_loop_test (
      stall, a_slot_that_is_never_through_warns_with_the_second_buffer, 0, G_N_ELEMENTS (stalls));
  tcase_add_test (stall, it_warns_again_when_it_happens_again);
  tcase_add_test (stall, a_slot_that_is_left_over_once_is_no_stall);
  tcase_add_loop_test (stall, a_healthy_stream_never_warns, 0, G_N_ELEMENTS (healthy));
  tcase_add_test (stall, a_slow_sink_is_no_stall);
  return s;
}

GST_CHECK_MAIN (watch);
