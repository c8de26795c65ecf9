/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The property params: the buffers after a change have its numbers, and what is refused changes
 * nothing.
 */
#include "common.h"

#include <dlfcn.h>
#include <string.h>

/* The library's, of which the test needs no more. */
gpointer vyre_program_with_params (gpointer program, gconstpointer params, guint n, GError **error);

/* The element whose programs are made, and how often one was while its object lock was free. */
static GstElement *watched;
static guint n_free;

/* Stands in front of that of the library, which the plugin has loaded. */
gpointer
vyre_program_with_params (gpointer program, gconstpointer params, guint n, GError **error)
{
  void *library = dlopen ("libvyre-1.so.0", RTLD_LAZY | RTLD_NOLOAD);
  gpointer (*make) (gpointer, gconstpointer, guint, GError **);

  fail_unless (library != NULL, "%s", dlerror ());
  *(void **)&make = dlsym (library, "vyre_program_with_params");
  if (watched && GST_OBJECT_TRYLOCK (watched)) {
    n_free++;
    GST_OBJECT_UNLOCK (watched);
  }
  dlclose (library); /* the plugin keeps it */
  return make (program, params, n, error);
}

#define PROGRAM "param a = 7; param b = 9; store_u32 a -> 1; store_u32 b -> 2"

static void
set_params (gpointer element, const gchar *text)
{
  GstStructure *params = text ? gst_structure_from_string (text, NULL) : NULL;

  fail_unless (!text || params, "'%s' is no structure", text);
  g_object_set (element, "params", params, NULL);
  g_clear_pointer (&params, gst_structure_free);
}

static void
assert_numbers (GstHarness *h, guint i, guint32 a, guint32 b)
{
  GstBuffer *readback = filter_run (h, numbered_buffer (i, 10));

  fail_unless_equals_int64 (readback_observable (readback, 1), a);
  fail_unless_equals_int64 (readback_observable (readback, 2), b);
  gst_buffer_unref (readback);
}

GST_START_TEST (they_hold_for_the_very_next_buffer)
{
  GstHarness *h = filter_new (PROGRAM);
  GstStructure *read;

  filter_start (h, NULL);
  assert_numbers (h, 0, 7, 9);
  set_params (h->element, "params,b=(uint)4294967295");
  assert_numbers (h, 1, 7, 4294967295);
  set_params (h->element, "params,a=(gint64)0,b=(guint64)3");
  assert_numbers (h, 2, 0, 3);
  g_object_get (h->element, "params", &read, NULL);
  fail_unless_equals_int (gst_structure_n_fields (read), 2);
  gst_structure_free (read);
  set_params (h->element, NULL);
  assert_numbers (h, 3, 7, 9);
  fail_unless_equals_int (bus_count_type (h, GST_MESSAGE_ERROR | GST_MESSAGE_WARNING), 0);
  filter_finish (h);
}
GST_END_TEST;

/* The program, the property and a child each make a program. */
GST_START_TEST (programs_are_made_without_the_object_lock)
{
  GstHarness *h = filter_new (PROGRAM);
  GstStructure *numbers = gst_structure_new ("params", "b", G_TYPE_INT, 5, NULL);

  filter_start (h, NULL);
  watched = h->element;
  g_object_set (h->element, "params", numbers, NULL);
  fail_unless_equals_int (n_free, 1);
  g_object_set (h->element, "program", "nop; " PROGRAM, NULL);
  fail_unless_equals_int (n_free, 2);
  gst_child_proxy_set (GST_CHILD_PROXY (h->element), "a::value", 3.0, NULL);
  fail_unless_equals_int (n_free, 3);
  watched = NULL;
  assert_numbers (h, 0, 3, 5);
  gst_structure_free (numbers);
  filter_finish (h);
}
GST_END_TEST;

/* Any kind of number sets a fraction, whose decimals are exact: no double is 0.29. */
GST_START_TEST (fractions_hold_for_the_very_next_buffer)
{
  static const struct {
    const gchar *params;
    guint32 a, b;
  } cases[] = {
    { NULL, 10, 219 },
    { "params,th=0.29", 29, 635 },
    { "params,th=(string)0.29", 29, 635 },
    { "params,th=(fraction)1/3", 33, 730 },
    { "params,th=(string)1/3", 33, 730 },
    { "params,th=(string)2/2000000000", 0, 0 },
    { "params,th=2", 200, 4380 },
    { "params,th=0.0000000014", 0, 0 },
  };
  GstHarness *h
      = filter_new ("param th = 0.10; store_u32 th * 100 -> 1; store_u32 219 * (th * 10) -> 2");

  filter_start (h, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    set_params (h->element, cases[i].params);
    assert_numbers (h, i, cases[i].a, cases[i].b);
  }
  fail_unless_equals_int (bus_count_type (h, GST_MESSAGE_ERROR | GST_MESSAGE_WARNING), 0);
  filter_finish (h);
}
GST_END_TEST;

/* With many in flight each readback has the numbers that were set when its buffer came, and none is
 * lost. */
GST_START_TEST (changes_while_buffers_flow_lose_none)
{
  GstHarness *h = filter_new_with (PROGRAM, "max-in-flight", 16, "post-messages", 0, NULL);

  filter_start (h, NULL);
  for (guint i = 0; i < 400; i++) {
    if (i % 3 == 0) {
      GstStructure *params = gst_structure_new ("params", "a", G_TYPE_UINT, i / 3, NULL);
      g_object_set (h->element, "params", params, NULL);
      gst_structure_free (params);
    }
    filter_push (h, numbered_buffer (i, 100));
  }
  filter_push_eos (h);
  filter_wait_eos (h);
  for (guint i = 0; i < 400; i++) {
    GstBuffer *readback = gst_harness_try_pull (h);
    fail_unless (readback != NULL, "readback %u is missing", i);
    fail_unless_equals_int (GST_BUFFER_OFFSET (readback), i);
    fail_unless_equals_int (readback_observable (readback, 1), i / 3);
    gst_buffer_unref (readback);
  }
  filter_finish (h);
}
GST_END_TEST;

/* They go with whatever program comes next, whose name tells of them. */
GST_START_TEST (they_stay_when_the_program_changes)
{
  GstHarness *h = filter_new_with (PROGRAM, "results-interval", (guint64)0, NULL);

  set_params (h->element, "params,a=1");
  filter_start (h, NULL);
  assert_numbers (h, 0, 1, 9);
  g_object_set (h->element, "program", "param a = 5; store_u32 a -> 2; store_u32 8 -> 1", NULL);
  assert_numbers (h, 1, 8, 1);
  filter_finish (h);
}
GST_END_TEST;

static void
assert_warning (GstHarness *h, const gchar *part)
{
  GstMessage *message = bus_wait (h, GST_MESSAGE_WARNING);
  GError *error = NULL;

  gst_message_parse_warning (message, &error, NULL);
  fail_unless (strstr (error->message, "Fix: ") != NULL, "no remedy in '%s'", error->message);
  fail_unless (strstr (error->message, part) != NULL, "no '%s' in '%s'", part, error->message);
  g_error_free (error);
  gst_message_unref (message);
}

GST_START_TEST (a_running_stream_keeps_its_numbers_if_others_are_refused)
{
  static const struct {
    const gchar *params;
    const gchar *part;
  } cases[] = {
    { "params,c=1", "no param 'c'. Fix: set one of a, b." },
    { "params,a=-1", "'a' is -1 (gint)" },
    { "params,a=-0.5", "'a' is -0.5 (gdouble)" },
    { "params,a=-1/2", "'a' is -1/2 (GstFraction)" },
    { "params,a=one", "'a' is one (gchararray)" },
    { "params,a=4294967295.5", "'a' is 4294967295.5 (gdouble)" },
    { "params,a=(string)0.5x", "'a' is 0.5x (gchararray)" },
    { "params,a=(string)1/0", "'a' is 1/0 (gchararray)" },
    { "params,a=(string)1/-2147483648", "'a' is 1/-2147483648 (gchararray)" },
    { "params,a=(string)2147483648/3", "'a' is 2147483648/3 (gchararray)" },
    { "params,a=(string)1/2/3", "'a' is 1/2/3 (gchararray)" },
    { "params,a=(guint64)4294967296", "'a' is 4294967296 (guint64)" },
  };
  GstHarness *h = filter_new (PROGRAM);
  GstStructure *read;

  set_params (h->element, "params,b=2");
  filter_start (h, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    set_params (h->element, cases[i].params);
    assert_warning (h, cases[i].part);
    assert_numbers (h, i, 7, 2);
    g_object_get (h->element, "params", &read, NULL);
    fail_unless (gst_structure_has_field (read, "b"), "the property changed");
    gst_structure_free (read);
  }
  g_object_set (h->element, "program", "nop", NULL);
  assert_warning (h, "no param 'b'. Fix: add 'param NAME = NUMBER' to its text.");
  assert_numbers (h, 9, 7, 2);
  filter_finish (h);
}
GST_END_TEST;

/* In NULL the properties may come in any order; what they are together counts at READY. */
GST_START_TEST (numbers_without_their_program_are_an_error_at_ready)
{
  GstElement *element = filter_make (NULL);
  GstBus *bus = gst_bus_new ();
  GError *error = NULL;

  gst_element_set_bus (element, bus);
  set_params (element, "params,a=3");
  fail_unless_equals_int (
      gst_element_set_state (element, GST_STATE_READY), GST_STATE_CHANGE_FAILURE);
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL, "no error was posted");
  gst_message_parse_error (message, &error, NULL);
  fail_unless (strstr (error->message, "no param 'a'. Fix: ") != NULL, "%s", error->message);
  g_error_free (error);
  gst_message_unref (message);
  gst_element_set_state (element, GST_STATE_NULL);
  g_object_set (element, "program", PROGRAM, NULL);
  fail_unless_equals_int (
      gst_element_set_state (element, GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_bus_set_flushing (bus, TRUE);
  gst_object_unref (bus);
  gst_object_unref (element);
}
GST_END_TEST;

static Suite *
params_suite (void)
{
  Suite *s = suite_create ("params");
  TCase *tc = tcase_create ("params");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, they_hold_for_the_very_next_buffer);
  tcase_add_test (tc, programs_are_made_without_the_object_lock);
  tcase_add_test (tc, fractions_hold_for_the_very_next_buffer);
  tcase_add_test (tc, changes_while_buffers_flow_lose_none);
  tcase_add_test (tc, they_stay_when_the_program_changes);
  tcase_add_test (tc, a_running_stream_keeps_its_numbers_if_others_are_refused);
  tcase_add_test (tc, numbers_without_their_program_are_an_error_at_ready);
  return s;
}

GST_CHECK_MAIN (params);
