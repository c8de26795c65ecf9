/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A process that forks while a filter in it replaces a lost device.
 */
#include "feed.h"
#include "fork-common.h"

/* The opener, in a handler of the bus: not there yet, held, or let go. */
enum { AWAITED, HELD, LET_GO };

static GstBusSyncReply
hold_error (GstBus *bus, GstMessage *message, gpointer data)
{
  gint *opener = data;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR
      && g_atomic_int_compare_and_exchange (opener, AWAITED, HELD))
    while (g_atomic_int_get (opener) != LET_GO)
      g_usleep (1000);
  return GST_BUS_PASS;
}

static gpointer
push_on (gpointer feed)
{
  GstFlowReturn flow = GST_FLOW_OK;

  while (flow == GST_FLOW_OK)
    flow = feed_try_push (feed);
  return GINT_TO_POINTER (flow);
}

/* Ends by an alarm where no readback comes. */
static void
begin_anew (gpointer data)
{
  Feed *feed = data;
  g_autoptr (GstBus) bus = gst_element_get_bus (feed->h->element);

  vyre_lost_arm (NULL, 0, 0);
  gst_bus_set_sync_handler (bus, NULL, NULL, NULL);
  g_assert_cmpint (
      gst_element_set_state (feed->h->element, GST_STATE_NULL), ==, GST_STATE_CHANGE_SUCCESS);
  while (gst_harness_buffers_in_queue (feed->h) > 0)
    gst_buffer_unref (gst_harness_pull (feed->h));
  g_assert_cmpint (
      gst_element_set_state (feed->h->element, GST_STATE_PLAYING), ==, GST_STATE_CHANGE_SUCCESS);
  g_assert_cmpint (feed_try_push (feed), ==, GST_FLOW_OK);
  while (gst_harness_buffers_in_queue (feed->h) == 0)
    g_usleep (1000);
}

/* A stream of the child waits for no opener, which the parent alone has. */
GST_START_TEST (a_child_may_begin_anew_during_a_recovery)
{
  Feed feed = feed_new (4);
  g_autoptr (GstBus) bus = gst_element_get_bus (feed.h->element);
  gint opener = AWAITED;

  feed_run (&feed, 3);
  gst_bus_set_sync_handler (bus, NULL, NULL, NULL);
  gst_bus_set_sync_handler (bus, hold_error, &opener, NULL);
  vyre_lost_arm ("vkQueueSubmit", 1, 2);
  GThread *pusher = g_thread_new ("pusher", push_on, &feed);
  for (guint i = 0; i < PATIENCE * 1000 && g_atomic_int_get (&opener) != HELD; i++)
    g_usleep (1000);
  fail_unless_equals_int (g_atomic_int_get (&opener), HELD);
  fail_unless_equals_int (fork_and_run (begin_anew, &feed, _exit), 0);
  g_atomic_int_set (&opener, LET_GO);
  fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (pusher)), GST_FLOW_ERROR);
  feed_expect_text (&feed, GST_MESSAGE_ERROR, "when it was opened again after a loss; batch");
  feed_finish (&feed);
}
GST_END_TEST;

static Suite *
loss_fork_suite (void)
{
  Suite *s = suite_create ("loss-fork");
  TCase *tc = tcase_create ("loss-fork");

  suite_add_tcase (s, tc);
  tcase_set_timeout (tc, PATIENCE + CHILD_PATIENCE + 20);
  tcase_add_test (tc, a_child_may_begin_anew_during_a_recovery);
  return s;
}

GST_CHECK_MAIN (loss_fork);
