/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A system that has only so many threads left. Elements start with what there is or say what
 * to do, and come back from it.
 */
#include "common.h"
#include "threads.h"

#include <string.h>

/* More than an element and its kernel have. */
#define MOST_THREADS 200

static void
assert_error_with_remedy (GstBus *bus)
{
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  GError *error = NULL;

  fail_unless (message != NULL);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (strstr (error->message, "Fix: ") != NULL, "%s", error->message);
  g_error_free (error);
  gst_message_unref (message);
}

/* Returns how many threads were refused on its way to PAUSED. NULL it reaches in any
 * case, and what it says of the stream, which leads nowhere, does not matter. */
static guint
start_with (GstElement *element, guint threads)
{
  GstBus *bus = gst_bus_new ();

  gst_element_set_bus (element, bus);
  vyre_threads_refuse (threads, G_MAXUINT);
  GstStateChangeReturn result = gst_element_set_state (element, GST_STATE_PAUSED);
  guint refused = vyre_threads_refused ();
  vyre_threads_refuse (0, 0);
  if (result == GST_STATE_CHANGE_FAILURE)
    assert_error_with_remedy (bus);
  fail_unless_equals_int (
      gst_element_set_state (element, GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
  gst_bus_set_flushing (bus, TRUE);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  return refused;
}

static void
check_element (GstElement *element)
{
  guint threads = 0;

  start_with (element, MOST_THREADS); /* what the process keeps from a first time is there */
  while (start_with (element, threads) > 0)
    fail_unless (++threads < MOST_THREADS);
  fail_unless (threads > 0);
}

GST_START_TEST (a_filter_starts_or_says_why_not)
{
  GstElement *filter = gst_object_ref_sink (filter_make ("nop"));

  check_element (filter);
  gst_object_unref (filter);
}
GST_END_TEST;

GST_START_TEST (a_source_starts_or_says_why_not)
{
  GstElement *source = gst_object_ref_sink (gst_element_factory_make ("vyresrc", NULL));

  g_object_set (source, "location", "/proc/self/exe", NULL);
  check_element (source);
  gst_object_unref (source);
}
GST_END_TEST;

static Suite *
threads_suite (void)
{
  Suite *s = suite_create ("threads");
  TCase *tc = tcase_create ("refused");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, a_filter_starts_or_says_why_not);
  tcase_add_test (tc, a_source_starts_or_says_why_not);
  return s;
}

GST_CHECK_MAIN (threads);
