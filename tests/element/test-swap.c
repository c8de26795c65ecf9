/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The program property while buffers flow: every readback is that of the
 * program that was set when its buffer was pushed.
 */
#include "common.h"

#include <string.h>

#include <glib/gstdio.h>

static const gchar *const programs[] = {
  "store_u32 1000 -> mark",
  "nop; store_u32 1001 -> mark",
  "nop; nop; store_u32 1002 -> mark; crc32 payload -> 40",
  "store_u32 1003 -> mark; u8_stats payload -> stats",
};

/* Compares each readback with the caps that were in force when it came. */
typedef struct {
  guint received;
  guint wrong;
} Watch;

static GstPadProbeReturn
watch (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  static const gint slots[] = { 2, 3, 5, 3 }, observables[] = { 2, 2, 41, 9 };
  GstBuffer *readback = GST_PAD_PROBE_INFO_BUFFER (info);
  GstCaps *caps = gst_pad_get_current_caps (pad);
  guint expected = GST_BUFFER_OFFSET (readback) / 3 % G_N_ELEMENTS (programs);
  gint n_slots = 0, n_observables = 0;
  Watch *seen = data;

  gst_structure_get (gst_caps_get_structure (caps, 0), "slot-count", G_TYPE_INT, &n_slots,
      "observable-slots", G_TYPE_INT, &n_observables, NULL);
  seen->wrong += GST_BUFFER_OFFSET (readback) != seen->received
                 || readback_observable (readback, 1) != 1000 + expected
                 || n_slots != slots[expected] || n_observables != observables[expected]
                 || gst_memory_get_sizes (gst_buffer_peek_memory (readback, 1), NULL, NULL)
                        != 64 * (gsize)n_slots;
  seen->received++;
  gst_caps_unref (caps);
  return GST_PAD_PROBE_OK;
}

GST_START_TEST (every_readback_is_of_the_program_set_for_it)
{
  GstHarness *h = filter_new_with (programs[0], "max-in-flight", 8, "post-messages", 0, NULL);
  Watch seen = { 0 };

  filter_start (h, NULL);
  gst_pad_add_probe (h->sinkpad, GST_PAD_PROBE_TYPE_BUFFER, watch, &seen, NULL);
  for (guint i = 0; i < 600; i++) {
    if (i % 3 == 0)
      g_object_set (h->element, "program", programs[i / 3 % G_N_ELEMENTS (programs)], NULL);
    filter_push (h, numbered_buffer (i, 100));
  }
  filter_push_eos (h);
  filter_wait_eos (h);
  fail_unless_equals_int (seen.received, 600);
  fail_unless_equals_int (seen.wrong, 0);
  filter_finish (h);
}
GST_END_TEST;

static gint stop_setting;

static gpointer
set_programs (gpointer element)
{
  for (guint i = 0; !g_atomic_int_get (&stop_setting); i++) {
    g_object_set (element, "program", programs[i % G_N_ELEMENTS (programs)], "max-in-flight",
        1 + i % 64, NULL);
    g_thread_yield ();
  }
  return NULL;
}

GST_START_TEST (another_thread_may_set_it_at_any_time)
{
  GstHarness *h = filter_new_with (programs[0], "post-messages", 0, NULL);
  GThread *thread;

  filter_start (h, NULL);
  g_atomic_int_set (&stop_setting, FALSE);
  thread = g_thread_new ("setter", set_programs, h->element);
  for (guint i = 0; i < 500; i++) {
    GstBuffer *readback = filter_run (h, numbered_buffer (i, 100));
    guint mark = readback_observable (readback, 1);
    fail_unless_equals_uint64 (GST_BUFFER_OFFSET (readback), i);
    fail_unless (mark >= 1000 && mark < 1000 + G_N_ELEMENTS (programs));
    gst_buffer_unref (readback);
  }
  g_atomic_int_set (&stop_setting, TRUE);
  g_thread_join (thread);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (results_are_named_by_their_own_program)
{
  GstHarness *h = filter_new_with (
      "store_u32 1 -> one", "results-interval", (guint64)0, "max-in-flight", 8, NULL);

  filter_start (h, NULL);
  for (guint i = 0; i < 20; i++) {
    g_object_set (h->element, "program", i % 2 ? "store_u32 2 -> two" : "store_u32 1 -> one", NULL);
    filter_push (h, numbered_buffer (i, 10));
  }
  for (guint i = 0; i < 20; i++) {
    GstMessage *message = bus_wait_element (h, "vyre-results");
    const GstStructure *fields = gst_message_get_structure (message);
    fail_unless_equals_uint64 (field_u64 (fields, i % 2 ? "two" : "one"), 1 + i % 2);
    fail_unless (!gst_structure_has_field (fields, i % 2 ? "one" : "two"));
    gst_message_unref (message);
  }
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (a_bad_program_while_running_is_a_warning_and_changes_nothing)
{
  GstHarness *h = filter_new ("store_u32 7 -> seven");
  GError *error = NULL;

  filter_start (h, NULL);
  gst_buffer_unref (filter_run (h, numbered_buffer (0, 10)));
  g_object_set (h->element, "program", "no such thing", NULL);
  GstMessage *message = bus_wait (h, GST_MESSAGE_WARNING);
  gst_message_parse_warning (message, &error, NULL);
  fail_unless (strstr (error->message, "Fix: ") != NULL, "no remedy in '%s'", error->message);
  fail_unless (strstr (error->message, "1:1") != NULL, "no place in '%s'", error->message);
  g_error_free (error);
  gst_message_unref (message);
  GstBuffer *readback = filter_run (h, numbered_buffer (1, 10));
  fail_unless_equals_int (readback_observable (readback, 1), 7);
  gst_buffer_unref (readback);
  fail_unless_equals_int (bus_count_type (h, GST_MESSAGE_ERROR | GST_MESSAGE_WARNING), 0);
  filter_finish (h);
}
GST_END_TEST;

/* The property is the program that runs, not the one that was refused. */
GST_START_TEST (the_property_still_reads_as_the_program_that_runs)
{
  GstHarness *h = filter_new ("store_u32 7 -> seven");
  gchar *text;

  g_object_set (h->element, "program", "no such thing", NULL);
  g_object_get (h->element, "program", &text, NULL);
  fail_unless_equals_string (text, "store_u32 7 -> seven");
  g_free (text);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (a_bad_program_in_null_is_an_error_at_ready)
{
  GstElement *element = filter_make ("no such thing");
  GstBus *bus = gst_bus_new ();
  GError *error = NULL;

  gst_element_set_bus (element, bus);
  fail_unless_equals_int (
      gst_element_set_state (element, GST_STATE_READY), GST_STATE_CHANGE_FAILURE);
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL, "no error was posted");
  gst_message_parse_error (message, &error, NULL);
  fail_unless (strstr (error->message, "Fix: ") != NULL, "no remedy in '%s'", error->message);
  g_error_free (error);
  gst_message_unref (message);
  gst_element_set_state (element, GST_STATE_NULL);
  g_object_set (element, "program", "nop", NULL);
  fail_unless_equals_int (
      gst_element_set_state (element, GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_bus_set_flushing (bus, TRUE);
  gst_object_unref (bus);
  gst_object_unref (element);
}
GST_END_TEST;

GST_START_TEST (a_program_may_come_from_a_file)
{
  gchar *path = NULL, *location;
  gint fd = g_file_open_tmp ("vyre-XXXXXX.vyre", &path, NULL);
  GstHarness *h;

  fail_unless (fd >= 0);
  g_close (fd, NULL);
  fail_unless (g_file_set_contents (path, "store_u32 55 -> n\n", -1, NULL));
  h = filter_new_with (NULL, "program-location", path, NULL);
  filter_start (h, NULL);
  GstBuffer *readback = filter_run (h, numbered_buffer (0, 10));
  fail_unless_equals_int (readback_observable (readback, 1), 55);
  gst_buffer_unref (readback);
  g_object_get (h->element, "program-location", &location, NULL);
  fail_unless_equals_string (location, path);
  g_free (location);
  g_object_set (h->element, "program-location", "/nonexistent/program", NULL);
  gst_message_unref (bus_wait (h, GST_MESSAGE_WARNING));
  readback = filter_run (h, numbered_buffer (1, 10));
  fail_unless_equals_int (readback_observable (readback, 1), 55);
  gst_buffer_unref (readback);
  g_unlink (path);
  g_free (path);
  filter_finish (h);
}
GST_END_TEST;

static Suite *
swap_suite (void)
{
  Suite *s = suite_create ("swap");
  TCase *tc = tcase_create ("program");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, every_readback_is_of_the_program_set_for_it);
  tcase_add_test (tc, another_thread_may_set_it_at_any_time);
  tcase_add_test (tc, results_are_named_by_their_own_program);
  tcase_add_test (tc, a_bad_program_while_running_is_a_warning_and_changes_nothing);
  tcase_add_test (tc, the_property_still_reads_as_the_program_that_runs);
  tcase_add_test (tc, a_bad_program_in_null_is_an_error_at_ready);
  tcase_add_test (tc, a_program_may_come_from_a_file);
  return s;
}

GST_CHECK_MAIN (swap);
