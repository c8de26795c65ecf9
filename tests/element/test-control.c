/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Params as children of vyrefilter: control sources drive them at the stream time of each buffer.
 */
#include <gst/controller/gstdirectcontrolbinding.h>
#include <gst/controller/gstinterpolationcontrolsource.h>
#include <string.h>

#include "common.h"

/* The segment starts that much later than its stream time, so that no other time passes for it. */
#define START (10 * GST_SECOND)

static GstControlSource *
control (GstHarness *h, const gchar *name, GstInterpolationMode mode)
{
  GstControlSource *source = gst_interpolation_control_source_new ();
  GObject *child = gst_child_proxy_get_child_by_name (GST_CHILD_PROXY (h->element), name);

  fail_unless (child != NULL, "there is no child '%s'", name);
  g_object_set (source, "mode", mode, NULL);
  gst_object_add_control_binding (GST_OBJECT (child),
      gst_direct_control_binding_new_absolute (GST_OBJECT (child), "value", source));
  gst_object_unref (child);
  return source;
}

static void
add_point (GstControlSource *source, GstClockTime at, gdouble value)
{
  gst_timed_value_control_source_set (GST_TIMED_VALUE_CONTROL_SOURCE (source), at, value);
}

static void
start (GstHarness *h)
{
  GstSegment segment;

  filter_start (h, NULL);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = segment.position = START;
  fail_unless (gst_harness_push_event (h, gst_event_new_segment (&segment)));
}

/* Runs the buffer whose stream time is @i ms. */
static guint32
run (GstHarness *h, guint i, guint observable)
{
  GstBuffer *buffer = numbered_buffer (i, 10);

  GST_BUFFER_PTS (buffer) += START;
  GstBuffer *readback = filter_run (h, buffer);
  guint32 value = readback_observable (readback, observable);
  gst_buffer_unref (readback);
  return value;
}

GST_START_TEST (a_control_source_sets_a_param_at_its_buffer)
{
  GstHarness *h = filter_new ("param limit = 7; param th = 0.5; store_u32 limit -> 1;"
                              "store_u32 1000 * th -> 2");
  GstControlSource *steps = control (h, "limit", GST_INTERPOLATION_MODE_NONE);
  GstControlSource *ramp = control (h, "th", GST_INTERPOLATION_MODE_LINEAR);

  add_point (steps, 0, 1);
  add_point (steps, 4 * GST_MSECOND, 4000000000.0);
  add_point (ramp, 0, 0.0);
  add_point (ramp, 10 * GST_MSECOND, 1.0);
  start (h);
  for (guint i = 0; i < 10; i++)
    fail_unless_equals_uint64 (run (h, i, 1), i < 4 ? 1 : 4000000000);
  for (guint i = 0; i < 10; i += 3) /* stream time may go back */
    fail_unless_equals_uint64 (run (h, i, 2), 100 * i);
  fail_unless_equals_int (bus_count_type (h, GST_MESSAGE_ERROR | GST_MESSAGE_WARNING), 0);
  gst_object_unref (steps);
  gst_object_unref (ramp);
  filter_finish (h);
}
GST_END_TEST;

/* With many in flight, too, each buffer has the numbers of its own time. */
GST_START_TEST (buffers_in_flight_keep_the_numbers_of_their_times)
{
  GstHarness *h = filter_new_with (
      "param n = 0; store_u32 n -> 1", "max-in-flight", 16, "post-messages", 0, NULL);
  GstControlSource *source = control (h, "n", GST_INTERPOLATION_MODE_NONE);

  for (guint i = 0; i < 100; i += 5)
    add_point (source, i * GST_MSECOND, i);
  start (h);
  for (guint i = 0; i < 100; i++) {
    GstBuffer *buffer = numbered_buffer (i, 10);
    GST_BUFFER_PTS (buffer) += START;
    filter_push (h, buffer);
  }
  filter_push_eos (h);
  filter_wait_eos (h);
  for (guint i = 0; i < 100; i++) {
    GstBuffer *readback = gst_harness_try_pull (h);
    fail_unless_equals_int (readback_observable (readback, 1), i / 5 * 5);
    gst_buffer_unref (readback);
  }
  gst_object_unref (source);
  filter_finish (h);
}
GST_END_TEST;

/* A param that moves is no other program: state goes on, and intervals of events stay open. The
 * property params begins both anew. */
GST_START_TEST (state_and_events_go_on)
{
  GstHarness *h = filter_new ("param a = 0; state sum[1]; atomic_add a -> sum;"
                              "event e when $sum >= 0");
  GstControlSource *source = control (h, "a", GST_INTERPOLATION_MODE_LINEAR);
  GstStructure *params = gst_structure_new ("params", "a", G_TYPE_INT, 50, NULL);

  add_point (source, 0, 0.0);
  add_point (source, 100 * GST_MSECOND, 100.0);
  start (h);
  for (guint i = 0, sum = 0; i < 5; i++)
    fail_unless_equals_int (run (h, i, 1), sum += i);
  fail_unless_equals_int (bus_count (h, "vyre-event"), 1);
  g_object_set (h->element, "params", params, NULL);
  fail_unless_equals_int (run (h, 5, 1), 5);
  fail_unless_equals_int (bus_count (h, "vyre-event"), 2);
  gst_structure_free (params);
  gst_object_unref (source);
  filter_finish (h);
}
GST_END_TEST;

static void
note_child (GstChildProxy *proxy, GObject *child, gchar *name, GString *log)
{
  g_string_append_printf (log, "%s ", name);
}

static void
assert_log (GString *log, const gchar *expected)
{
  fail_unless (g_str_equal (log->str, expected), "'%s', not '%s'", log->str, expected);
  g_string_truncate (log, 0);
}

GST_START_TEST (children_are_the_params_of_the_program)
{
  GstHarness *h = filter_new ("param a = 1; param b = 0.25; store_u32 4 * b + a -> 1");
  GstChildProxy *proxy = GST_CHILD_PROXY (h->element);
  GString *added = g_string_new (NULL), *removed = g_string_new (NULL);
  GstControlSource *source = control (h, "b", GST_INTERPOLATION_MODE_NONE);
  GstStructure *params;
  gdouble value;

  g_signal_connect (proxy, "child-added", G_CALLBACK (note_child), added);
  g_signal_connect (proxy, "child-removed", G_CALLBACK (note_child), removed);
  add_point (source, 0, 2.5);
  filter_start (h, NULL);
  gst_child_proxy_get (proxy, "b::value", &value, NULL);
  fail_unless (value == 0.25, "%f", value);
  gst_child_proxy_set (proxy, "a::value", 3.0, NULL);
  fail_unless_equals_int (readback_observable (filter_run (h, numbered_buffer (1, 10)), 1), 13);
  gst_child_proxy_get (proxy, "b::value", &value, NULL);
  fail_unless (value == 2.5, "%f", value);
  g_object_get (h->element, "params", &params, NULL);
  fail_unless (params == NULL, "children changed the property params");
  g_object_set (h->element, "params", NULL, NULL);
  gst_child_proxy_get (proxy, "a::value", &value, NULL);
  fail_unless (value == 1.0, "%f", value);
  assert_log (added, "");
  /* b keeps its control source */
  g_object_set (h->element, "program", "param c = 1; param b = 9; store_u32 b * 2 -> 1", NULL);
  assert_log (added, "c ");
  assert_log (removed, "a ");
  fail_unless_equals_int (gst_child_proxy_get_children_count (proxy), 2);
  g_object_set (h->element, "params", NULL, "program", "nop", NULL);
  assert_log (removed, "c b ");
  gst_object_unref (source);
  g_string_free (added, TRUE);
  g_string_free (removed, TRUE);
  filter_finish (h);
}
GST_END_TEST;

/* A number that its place does not allow is a warning, and the one before stays. */
GST_START_TEST (a_number_out_of_range_is_a_warning)
{
  GstHarness *h = filter_new ("param b = 5; u8_below payload, b -> below");
  GstControlSource *source = control (h, "b", GST_INTERPOLATION_MODE_NONE);
  GError *error = NULL;

  add_point (source, 0, 2);
  add_point (source, 3 * GST_MSECOND, 300);
  start (h);
  fail_unless_equals_int (run (h, 1, 1), 10);
  fail_unless_equals_int (run (h, 2, 1), 0);
  fail_unless_equals_int (run (h, 3, 1), 0);
  GstMessage *message = bus_wait (h, GST_MESSAGE_WARNING);
  gst_message_parse_warning (message, &error, NULL);
  fail_unless (
      strstr (error->message, "the threshold is above 256. Fix: ") != NULL, "%s", error->message);
  g_error_free (error);
  gst_message_unref (message);
  fail_unless_equals_int (run (h, 1, 1), 10);
  gst_object_unref (source);
  filter_finish (h);
}
GST_END_TEST;

static void
count_notify (GObject *child, GParamSpec *spec, guint *n)
{
  ++*n;
}

/* Neither number of the later pair goes with the other one of the earlier pair, in one order. */
GST_START_TEST (control_sources_set_their_params_together)
{
  GstHarness *h = filter_new ("param a = 1; param b = 2; let d = b - a; store_u32 a -> 1;"
                              "store_u32 d -> 2");
  GstControlSource *a = control (h, "a", GST_INTERPOLATION_MODE_NONE);
  GstControlSource *b = control (h, "b", GST_INTERPOLATION_MODE_NONE);
  GObject *child = gst_child_proxy_get_child_by_name (GST_CHILD_PROXY (h->element), "a");
  guint n_notified = 0;

  g_signal_connect (child, "notify::value", G_CALLBACK (count_notify), &n_notified);
  for (guint i = 0; i < 4; i++) {
    guint up = i % 2 ? 4 : 0;
    add_point (a, 20 * i * GST_MSECOND, 1 + up);
    add_point (b, 20 * i * GST_MSECOND, 2 + up);
  }
  start (h);
  for (guint i = 0; i < 80; i += 10) {
    fail_unless_equals_int (run (h, i, 1), i / 20 % 2 ? 5 : 1);
    fail_unless_equals_int (run (h, i, 2), 1);
  }
  fail_unless_equals_int (n_notified, 4);
  fail_unless_equals_int (bus_count_type (h, GST_MESSAGE_ERROR | GST_MESSAGE_WARNING), 0);
  gst_object_unref (child);
  gst_object_unref (a);
  gst_object_unref (b);
  filter_finish (h);
}
GST_END_TEST;

/* Numbers that are refused are one warning until something changes, not one for each buffer. */
GST_START_TEST (numbers_refused_together_are_one_warning)
{
  GstHarness *h = filter_new ("param a = 1; param b = 2; let d = b - a; store_u32 d -> 1");
  GstControlSource *source = control (h, "a", GST_INTERPOLATION_MODE_NONE);

  add_point (source, 0, 5);
  start (h);
  for (guint i = 0; i < 5; i++)
    fail_unless_equals_int (run (h, i, 1), 1);
  fail_unless_equals_int (bus_count_type (h, GST_MESSAGE_WARNING), 1);
  gst_child_proxy_set (GST_CHILD_PROXY (h->element), "b::value", 7.0, NULL);
  fail_unless_equals_int (run (h, 5, 1), 2);
  fail_unless_equals_int (bus_count_type (h, GST_MESSAGE_ERROR | GST_MESSAGE_WARNING), 0);
  gst_object_unref (source);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (a_constant_source_outlives_the_property_params)
{
  GstHarness *h = filter_new ("param n = 0; store_u32 n -> 1");
  GstControlSource *source = control (h, "n", GST_INTERPOLATION_MODE_NONE);
  GstStructure *params = gst_structure_new ("params", "n", G_TYPE_INT, 50, NULL);
  GstObject *child;

  add_point (source, 0, 3);
  start (h);
  fail_unless_equals_int (run (h, 1, 1), 3);
  g_object_set (h->element, "params", params, NULL);
  fail_unless_equals_int (run (h, 2, 1), 3);
  child = GST_OBJECT (gst_child_proxy_get_child_by_name (GST_CHILD_PROXY (h->element), "n"));
  gst_object_set_control_bindings_disabled (child, TRUE);
  g_object_set (h->element, "params", params, NULL);
  fail_unless_equals_int (run (h, 3, 1), 50);
  gst_object_unref (child);
  gst_structure_free (params);
  gst_object_unref (source);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (a_number_of_a_child_goes_with_its_param)
{
  GstHarness *h = filter_new ("param n = 0; param m = 1; store_u32 n -> 1; store_u32 m -> 2");
  GstChildProxy *proxy = GST_CHILD_PROXY (h->element);

  gst_child_proxy_set (proxy, "n::value", 3.0, "m::value", 4.0, NULL);
  g_object_set (h->element, "program", "param m = 1; store_u32 m -> 1", NULL);
  start (h);
  fail_unless_equals_int (run (h, 1, 1), 4);
  g_object_set (h->element, "program", "param n = 6; store_u32 n -> 1", NULL);
  fail_unless_equals_int (run (h, 2, 1), 6);
  gst_child_proxy_set (proxy, "n::value", 3.0, NULL);
  fail_unless_equals_int (run (h, 3, 1), 3);
  g_object_set (h->element, "program", "store_u32 8 -> 1", NULL);
  fail_unless_equals_int (run (h, 4, 1), 8);
  fail_unless_equals_int (bus_count_type (h, GST_MESSAGE_ERROR | GST_MESSAGE_WARNING), 0);
  filter_finish (h);
}
GST_END_TEST;

static void
assert_without_parent (gpointer child, GObject *element)
{
  GstObject *parent = gst_object_get_parent (child);

  fail_unless (parent == NULL, "the child gave out an element that goes away");
}

/* Weak references end when a reference to the element can no longer keep it. */
GST_START_TEST (a_child_outlives_its_element)
{
  GstElement *element = filter_make (NULL);
  GObject *child;
  gdouble value;

  g_object_set (element, "program", "param n = 1; store_u32 n -> 1", NULL);
  child = gst_child_proxy_get_child_by_name (GST_CHILD_PROXY (element), "n");
  g_object_weak_ref (G_OBJECT (element), assert_without_parent, child);
  gst_object_unref (element);
  g_object_set (child, "value", 3.0, NULL);
  g_object_get (child, "value", &value, NULL);
  fail_unless (value == 0.0, "%f", value);
  gst_object_unref (child);
}
GST_END_TEST;

static Suite *
control_suite (void)
{
  Suite *s = suite_create ("control");
  TCase *tc = tcase_create ("control");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, a_control_source_sets_a_param_at_its_buffer);
  tcase_add_test (tc, buffers_in_flight_keep_the_numbers_of_their_times);
  tcase_add_test (tc, state_and_events_go_on);
  tcase_add_test (tc, children_are_the_params_of_the_program);
  tcase_add_test (tc, a_number_out_of_range_is_a_warning);
  tcase_add_test (tc, control_sources_set_their_params_together);
  tcase_add_test (tc, numbers_refused_together_are_one_warning);
  tcase_add_test (tc, a_constant_source_outlives_the_property_params);
  tcase_add_test (tc, a_number_of_a_child_goes_with_its_param);
  tcase_add_test (tc, a_child_outlives_its_element);
  return s;
}

GST_CHECK_MAIN (control);
