/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The states of events, buffer by buffer: in messages, in metas of buffers and in readbacks.
 */
#include "common.h"

#include <gst/vyre/vyre.h>

/* Buffers of 100 bytes are big, and the reference is the first of those of equal bytes. */
#define PROGRAM                                                                                    \
  "param most = 50; store_u32 payload.size -> n; u8_stats payload -> now; "                        \
  "u8_stats reference(payload) -> then; keep reference when $now.sum == $then.sum; "               \
  "event big when $n > most for 20 ms; event still when reference stays for 20 ms"

enum { OUTPUT_READBACK, OUTPUT_PASSTHROUGH, POST_RESULTS = 1 };

static GstHarness *
start (guint mode, const gchar *program)
{
  GstHarness *h = filter_new_with (program, "output-mode", mode, "post-messages", POST_RESULTS,
      "results-interval", G_GUINT64_CONSTANT (0), NULL);

  filter_start (h, "application/x-test");
  return h;
}

/* Returns the results that a buffer brings along. */
static GstVyreResults *
read_output (GstHarness *h, guint mode, GstBuffer *buffer)
{
  if (mode == OUTPUT_PASSTHROUGH)
    return gst_vyre_results_from_buffer (buffer);
  g_autoptr (GstCaps) caps = readback_caps (h);
  g_autoptr (GError) error = NULL;
  GstVyreResults *results = gst_vyre_results_from_readback (caps, buffer, &error);
  g_assert_no_error (error);
  return results;
}

static gchar
letter_of (const GstVyreResults *results, const gchar *path)
{
  const GValue *value = gst_vyre_results_get_value (results, path);

  return value ? g_value_get_string (value)[0] : '-';
}

/* Pushes a buffer of @size bytes of @fill at @number times 10 ms, unless that is below 0, and
 * checks the first letters of the states of both events. */
static void
check_states (
    GstHarness *h, guint mode, gint number, gsize size, guint8 fill, const gchar *expected)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, size, NULL);

  gst_buffer_memset (buffer, 0, fill, size);
  if (number >= 0)
    GST_BUFFER_PTS (buffer) = (GstClockTime)number * 10 * GST_MSECOND;
  g_autoptr (GstBuffer) out = filter_run (h, buffer);
  g_autoptr (GstVyreResults) carried = read_output (h, mode, out);
  g_autoptr (GstMessage) message = bus_wait_element (h, "vyre-results");
  g_autoptr (GstVyreResults) posted = gst_vyre_results_from_message (message);
  const GstVyreResults *const both[] = { carried, posted };
  for (guint i = 0; i < 2; i++) {
    const gchar found[] = { letter_of (both[i], "event-states.big"),
      letter_of (both[i], "event-states.still"), '\0' };
    fail_unless_equals_string (found, expected);
    for (guint k = 0; k < gst_vyre_results_get_n (both[i]); k++)
      fail_if (g_str_equal (gst_vyre_results_get_name (both[i], k), "event-states"));
  }
}

GST_START_TEST (results_say_what_becomes_of_events)
{
  for (guint mode = OUTPUT_READBACK; mode <= OUTPUT_PASSTHROUGH; mode++) {
    GstHarness *h = start (mode, PROGRAM);
    check_states (h, mode, 0, 40, 1, "nn");
    check_states (h, mode, 1, 40, 1, "no");
    check_states (h, mode, 2, 40, 1, "ne");
    check_states (h, mode, 3, 100, 1, "on");  /* no reference of its size */
    check_states (h, mode, -1, 100, 1, "oo"); /* decides nothing */
    check_states (h, mode, 5, 100, 1, "ee");
    check_states (h, mode, 6, 100, 2, "en");
    check_states (h, mode, 7, 40, 2, "nn");
    filter_finish (h);
  }
}
GST_END_TEST;

/* The buffer behind a change of the param has the state that follows from it. */
GST_START_TEST (states_follow_params)
{
  for (guint mode = OUTPUT_READBACK; mode <= OUTPUT_PASSTHROUGH; mode++) {
    GstHarness *h = start (mode, "param most = 50; store_u32 payload.size -> n; "
                                 "event big when $n > most; event still when $n < 10");
    check_states (h, mode, 0, 100, 1, "en");
    gst_child_proxy_set (GST_CHILD_PROXY (h->element), "most::value", 200.0, NULL);
    check_states (h, mode, 1, 100, 1, "nn");
    gst_child_proxy_set (GST_CHILD_PROXY (h->element), "most::value", 99.0, NULL);
    check_states (h, mode, 2, 100, 1, "en");
    filter_finish (h);
  }
}
GST_END_TEST;

/* Buffers of a pool, whose readbacks have one layout, tell nothing of the program before. */
GST_START_TEST (a_program_without_events_has_no_states)
{
  for (guint mode = OUTPUT_READBACK; mode <= OUTPUT_PASSTHROUGH; mode++) {
    GstHarness *h = start (mode, "store_u32 payload.size -> n; event big when $n > 50; "
                                 "event still when $n < 10");
    for (gint i = 0; i < 4; i++)
      check_states (h, mode, i, 100, 1, "en");
    g_object_set (h->element, "program", "store_u32 payload.size -> n", NULL);
    for (gint i = 4; i < 8; i++)
      check_states (h, mode, i, 100, 1, "--");
    filter_finish (h);
  }
}
GST_END_TEST;

/* The last message comes behind the end of all intervals, and is of its buffer all the same. */
GST_START_TEST (the_last_message_has_the_states_of_its_buffer)
{
  GstHarness *h = filter_new_with ("store_u32 payload.size -> n; event big when $n > 50",
      "post-messages", POST_RESULTS, "results-interval", G_MAXUINT64 / 2, NULL);

  filter_start (h, "application/x-test");
  for (gint i = 0; i < 2; i++) {
    GstBuffer *buffer = noise_buffer (i == 0 ? 10 : 100, 1);
    GST_BUFFER_PTS (buffer) = (GstClockTime)i * GST_MSECOND;
    gst_buffer_unref (filter_run (h, buffer));
  }
  filter_push_eos (h);
  filter_wait_eos (h);
  for (gint i = 0; i < 2; i++) {
    g_autoptr (GstMessage) message = bus_wait_element (h, "vyre-results");
    g_autoptr (GstVyreResults) results = gst_vyre_results_from_message (message);
    fail_unless_equals_int (letter_of (results, "event-states.big"), i == 0 ? 'n' : 'e');
  }
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (no_result_has_the_name)
{
  GstElement *element = filter_make ("store_u32 1 -> n");
  GstBus *bus = gst_bus_new ();

  gst_element_set_bus (element, bus);
  g_object_set (element, "program", "store_u32 1 -> event-states", NULL);
  fail_unless_equals_int (
      gst_element_set_state (element, GST_STATE_READY), GST_STATE_CHANGE_FAILURE);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
}
GST_END_TEST;

static Suite *
event_states_suite (void)
{
  Suite *suite = suite_create ("event-states");
  TCase *states = tcase_create ("states");

  suite_add_tcase (suite, states);
  tcase_set_timeout (states, 2 * PATIENCE);
  tcase_add_test (states, results_say_what_becomes_of_events);
  tcase_add_test (states, states_follow_params);
  tcase_add_test (states, a_program_without_events_has_no_states);
  tcase_add_test (states, the_last_message_has_the_states_of_its_buffer);
  tcase_add_test (states, no_result_has_the_name);
  return suite;
}

GST_CHECK_MAIN (event_states);
