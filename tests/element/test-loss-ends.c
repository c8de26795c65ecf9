/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Losses that end a stream, which says what is missing, and losses in the middle of a flush, of a
 * change of state or of a stall.
 */
#include "feed.h"
#include "threads.h"

/* Less than the runtime gives a kernel that does not leave. */
#define TEARDOWN (8 * G_TIME_SPAN_SECOND)

static const gchar *const calls[] = { "vkQueueSubmit", "vkWaitForFences" };

/* ---- the end of a stream ----------------------------------------------- */

/* The second loss finds batches that wait behind a sink: all of them are named. */
GST_START_TEST (a_second_loss_ends_the_stream_and_names_its_batches)
{
  Feed feed = feed_new (64);
  Dam dam;

  feed_run (&feed, 3);
  fail_unless_equals_int (feed_lose (&feed, "vkQueueSubmit"), GST_FLOW_OK);
  feed_pull_all (&feed);
  feed_check_recovered (&feed);
  guint oldest = feed.pushed + 2; /* the next one gets through; numbers start with 1 */
  GThread *thread = feed_lose_behind_a_dam (&feed, &dam, 5);
  fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (thread)), GST_FLOW_ERROR);
  gchar *named = g_strdup_printf (
      "for the second time in this stream; batches %u to %u are lost. Fix: ", oldest, feed.pushed);
  feed_expect_text (&feed, GST_MESSAGE_ERROR, named);
  fail_unless_equals_int (feed_try_push (&feed), GST_FLOW_ERROR);
  fail_unless_equals_uint64 (feed_counted (&feed, "device-losses"), 2);
  fail_unless_equals_int (bus_count_type (feed.h, GST_MESSAGE_ERROR), 0);
  filter_flush (feed.h);
  dam_break (&dam);
  filter_push_segment (feed.h);
  fail_unless_equals_int (
      feed_try_push (&feed), GST_FLOW_ERROR); /* and again, for what comes now */
  g_free (named);
  named = g_strdup_printf ("; batch %u is lost. Fix: ", feed.pushed);
  feed_expect_text (&feed, GST_MESSAGE_ERROR, named);
  gst_element_set_state (feed.h->element, GST_STATE_READY);
  fail_unless_equals_int (bus_count_type (feed.h, GST_MESSAGE_ERROR), 0);
  g_free (named);
  feed_finish (&feed);
}
GST_END_TEST;

/* The task notices, and says it for the chain function, too. */
GST_START_TEST (a_second_loss_that_the_task_notices_is_told_once)
{
  Feed feed = feed_new (1);

  fail_unless_equals_int (feed_lose (&feed, "vkQueueSubmit"), GST_FLOW_OK);
  feed_pull_all (&feed);
  feed_check_recovered (&feed);
  feed_lose (&feed, "vkQueueSubmit");
  guint64 missing = feed_counted (&feed, "batches") + 1;
  gchar *named = g_strdup_printf ("; batch %" G_GUINT64_FORMAT " is lost. Fix: ", missing);
  fail_unless_equals_int (feed_try_push (&feed), GST_FLOW_ERROR);
  feed_expect_text (&feed, GST_MESSAGE_ERROR, named);
  g_free (named);
  feed_finish (&feed);
}
GST_END_TEST;

/* The next stream may lose a device again. */
GST_START_TEST (a_new_stream_starts_with_a_new_count)
{
  Feed feed = feed_new (4);

  for (guint i = 0; i < 2; i++) {
    fail_unless_equals_int (feed_lose (&feed, "vkQueueSubmit"), GST_FLOW_OK);
    feed_pull_all (&feed);
    feed_check_recovered (&feed);
    gst_element_set_state (feed.h->element, GST_STATE_READY);
    gst_element_set_state (feed.h->element, GST_STATE_PLAYING);
    filter_push_segment (feed.h);
    feed.pushed = feed.pulled = 0;
  }
  feed_run (&feed, 5);
  feed_finish (&feed);
}
GST_END_TEST;

/* Expects the next event in @state, over all buffers or not. */
static void
expect_event (Feed *feed, const gchar *state, gboolean expected)
{
  GstMessage *message = bus_wait_element (feed->h, "vyre-event");
  const GstStructure *fields = gst_message_get_structure (message);
  gboolean complete = !expected;

  fail_unless_equals_string (gst_structure_get_string (fields, "state"), state);
  fail_unless (gst_structure_get_boolean (fields, "complete", &complete));
  fail_unless_equals_int (complete, expected);
  gst_message_unref (message);
}

/* Whether the counters say that all was seen. */
static gboolean
is_complete (Feed *feed)
{
  GstStructure *stats = stats_of (feed->h->element);
  gboolean complete = FALSE;

  fail_unless (gst_structure_get_boolean (stats, "complete", &complete));
  gst_structure_free (stats);
  return complete;
}

/* Batches that are run again are seen. Those that are lost leave no verdict, nor do the events
 * around them. */
GST_START_TEST (a_verdict_needs_each_batch)
{
  Feed feed = feed_new (4);

  g_object_set (feed.h->element, "program", CRC "; event any when 1 > 0", NULL);
  feed_run (&feed, 3);
  expect_event (&feed, "start", TRUE);
  fail_unless_equals_int (feed_lose (&feed, "vkQueueSubmit"), GST_FLOW_OK);
  feed_pull_all (&feed);
  feed_check_recovered (&feed);
  filter_push_eos (feed.h);
  filter_wait_eos (feed.h);
  expect_event (&feed, "end", TRUE);
  fail_unless (is_complete (&feed));
  fail_unless (gst_harness_push_event (feed.h, gst_event_new_stream_start ("second")));
  filter_push_segment (feed.h);
  feed_run (&feed, 3);
  expect_event (&feed, "start", TRUE);
  GstFlowReturn flow = feed_lose (&feed, "vkQueueSubmit");
  while (flow == GST_FLOW_OK) /* the task noticed the loss */
    flow = feed_try_push (&feed);
  fail_unless_equals_int (flow, GST_FLOW_ERROR);
  filter_push_eos (feed.h);
  filter_wait_eos (feed.h);
  expect_event (&feed, "end", FALSE);
  fail_if (is_complete (&feed));
  feed_finish (&feed);
}
GST_END_TEST;

/* ---- a recovery that fails --------------------------------------------- */

static gint n_ended; /* of the threads that push or flush */

static gpointer
push_on (gpointer data)
{
  GstFlowReturn flow = GST_FLOW_OK;

  while (flow == GST_FLOW_OK)
    flow = feed_try_push (data);
  g_atomic_int_inc (&n_ended);
  return GINT_TO_POINTER (flow);
}

/* Loses the device under a thread that pushes, until the new one is being opened. */
static GThread *
push_into_recovery (Feed *feed)
{
  vyre_lost_hold (TRUE);
  vyre_lost_arm ("vkQueueSubmit", 1, 1);
  gst_element_set_state (feed->h->element, GST_STATE_PAUSED); /* parks whenever it can */
  GThread *thread = g_thread_new ("pusher", push_on, feed);
  vyre_lost_wait_held ();
  return thread;
}

static void
restart_after_null (Feed *feed)
{
  while (gst_harness_buffers_in_queue (feed->h) > 0) /* a launch that was leaving ran them */
    gst_buffer_unref (gst_harness_pull (feed->h));
  fail_unless_equals_int (
      gst_element_set_state (feed->h->element, GST_STATE_PLAYING), GST_STATE_CHANGE_SUCCESS);
  feed->pushed = feed->pulled = 0;
  feed_run (feed, 10);
  fail_unless_equals_uint64 (feed_counted (feed, "device-losses"), 0);
  fail_unless_equals_int (bus_count_type (feed->h, GST_MESSAGE_ERROR), 0);
}

GST_START_TEST (a_device_that_cannot_be_opened_again_ends_the_stream)
{
  Feed feed = feed_new (4);

  feed_run (&feed, 3);
  GThread *thread = push_into_recovery (&feed);
  vyre_lost_arm ("vkCreateDevice", 1, 1);
  vyre_lost_hold (FALSE);
  fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (thread)), GST_FLOW_ERROR);
  feed_expect_text (&feed, GST_MESSAGE_ERROR,
      "lost in vkCreateDevice, when it was opened again after a loss; batch");
  fail_unless_equals_int (feed_try_push (&feed), GST_FLOW_ERROR);
  fail_unless_equals_int (bus_count_type (feed.h, GST_MESSAGE_WARNING), 0);
  gst_element_set_state (feed.h->element, GST_STATE_NULL);
  fail_unless_equals_int (bus_count_type (feed.h, GST_MESSAGE_ERROR), 0);
  feed_finish (&feed);
}
GST_END_TEST;

GST_START_TEST (a_device_that_is_lost_in_its_proof_ends_the_stream)
{
  Feed feed = feed_new (4);
  guint lost = vyre_lost_count ();

  vyre_lost_arm ("vkQueueSubmit", 1, 2);
  fail_unless_equals_int (GPOINTER_TO_INT (push_on (&feed)), GST_FLOW_ERROR);
  feed_expect_text (&feed, GST_MESSAGE_ERROR,
      "lost in vkQueueSubmit, when it was opened again after a loss; batch");
  fail_unless_equals_int (vyre_lost_count (), lost + 2);
  feed_finish (&feed);
}
GST_END_TEST;

GST_START_TEST (a_device_that_no_thread_can_open_again_ends_the_stream)
{
  Feed feed = feed_new (4);

  feed_run (&feed, 3);
  gst_element_set_state (feed.h->element, GST_STATE_PAUSED);
  vyre_lost_arm ("vkQueueSubmit", 1, 1);
  vyre_threads_refuse (0, G_MAXUINT);
  fail_unless_equals_int (GPOINTER_TO_INT (push_on (&feed)), GST_FLOW_ERROR);
  vyre_threads_refuse (0, 0);
  feed_expect_text (&feed, GST_MESSAGE_ERROR, "no thread can be made to open it again");
  gst_element_set_state (feed.h->element, GST_STATE_NULL);
  restart_after_null (&feed);
  feed_finish (&feed);
}
GST_END_TEST;

/* Mapped memory goes with its device, and the payloads that upstream wrote there. */
GST_START_TEST (payloads_in_memory_of_the_device_are_lost_with_it)
{
  vyre_lost_forbid_import ();
  Feed feed = feed_new (4);

  feed_take_proposed_memory (&feed);
  feed_run (&feed, 3);
  vyre_lost_arm ("vkQueueSubmit", 1, 1);
  fail_unless_equals_int (GPOINTER_TO_INT (push_on (&feed)), GST_FLOW_ERROR);
  feed_expect_text (&feed, GST_MESSAGE_ERROR, "lay in memory of the device that was lost; batch");
  fail_unless_equals_uint64 (feed_counted (&feed, "device-losses"), 1);
  feed_finish (&feed);
}
GST_END_TEST;

/* However many devices and streams later. */
GST_START_TEST (payloads_of_an_earlier_device_stay_lost)
{
  static const GstState states[] = { GST_STATE_READY, GST_STATE_NULL };

  vyre_lost_forbid_import ();
  Feed feed = feed_new (4);
  feed_take_proposed_memory (&feed);
  GstBuffer *early = feed_make_input (&feed, 1000);
  fail_unless (gst_memory_is_type (gst_buffer_peek_memory (early, 0), "VyreMemory"));
  gst_clear_object (&feed.allocator);
  for (guint i = 0; i < 2; i++) {
    fail_unless_equals_int (feed_lose (&feed, "vkQueueSubmit"), GST_FLOW_OK);
    feed_pull_all (&feed);
    feed_check_recovered (&feed);
    gst_element_set_state (feed.h->element, states[__i__]);
    gst_element_set_state (feed.h->element, GST_STATE_PLAYING);
    filter_push_segment (feed.h);
    feed.pushed = feed.pulled = 0;
  }
  feed_run (&feed, 3);
  fail_unless_equals_int (gst_harness_push (feed.h, early), GST_FLOW_ERROR);
  feed_expect_text (
      &feed, GST_MESSAGE_ERROR, "lay in memory of the device that was lost; batch 4 is");
  feed_finish (&feed);
}
GST_END_TEST;

/* A filter that never had to do with the device is not told, and asks the memory. */
GST_START_TEST (other_filters_refuse_what_is_lost)
{
  vyre_lost_forbid_import ();
  Feed feed = feed_new (4), other = { 0 };

  feed_take_proposed_memory (&feed);
  GstBuffer *early = feed_make_input (&feed, 1000);
  gst_clear_object (&feed.allocator);
  fail_unless_equals_int (feed_lose (&feed, "vkQueueSubmit"), GST_FLOW_OK);
  feed_pull_all (&feed);
  other.h = filter_new_with (CRC, "kernel-group", "other", NULL);
  filter_start (other.h, NULL);
  fail_unless_equals_int (gst_harness_push (other.h, early), GST_FLOW_ERROR);
  feed_expect_text (
      &other, GST_MESSAGE_ERROR, "lay in memory of the device that was lost; batch 1 is");
  feed_finish (&other);
  feed_run (&feed, 3);
  feed_finish (&feed);
}
GST_END_TEST;

GST_START_TEST (payloads_in_system_memory_are_not)
{
  vyre_lost_forbid_import ();
  Feed feed = feed_new (4);

  feed_run (&feed, 3);
  fail_unless_equals_int (feed_lose (&feed, "vkQueueSubmit"), GST_FLOW_OK);
  feed_pull_all (&feed);
  feed_run (&feed, 10);
  feed_check_recovered (&feed);
  feed_finish (&feed);
}
GST_END_TEST;

/* ---- in the middle of something ---------------------------------------- */

static void
wait_flushing (GstPad *pad)
{
  for (guint i = 0; i < PATIENCE * 1000 && !GST_PAD_IS_FLUSHING (pad); i++)
    g_usleep (1000);
  fail_unless (GST_PAD_IS_FLUSHING (pad));
  gst_object_unref (pad);
}

static void
restart_after_flush (Feed *feed)
{
  while (gst_harness_buffers_in_queue (feed->h) > 0) /* they left before it */
    gst_buffer_unref (gst_harness_pull (feed->h));
  filter_push_segment (feed->h);
  feed->pulled = feed->pushed;
  feed->flushed = TRUE;
  feed_run (feed, 20);
}

GST_START_TEST (a_flush_drops_what_a_lost_kernel_left)
{
  Feed feed = feed_new (64);
  Dam dam;

  feed_run (&feed, 3);
  GThread *thread = feed_lose_behind_a_dam (&feed, &dam, 5);
  filter_flush (feed.h);
  fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (thread)), GST_FLOW_FLUSHING);
  dam_break (&dam);
  fail_unless_equals_uint64 (feed_counted (&feed, "rerun-batches"), 0);
  fail_unless_equals_uint64 (feed_counted (&feed, "flushed") + feed_counted (&feed, "batches"),
      feed_counted (&feed, "buffers"));
  restart_after_flush (&feed);
  fail_unless_equals_uint64 (feed_counted (&feed, "device-losses"), 1);
  feed_finish (&feed);
}
GST_END_TEST;

static gpointer
start_flush (gpointer data)
{
  gboolean done = gst_harness_push_event (data, gst_event_new_flush_start ());

  g_atomic_int_inc (&n_ended);
  return GINT_TO_POINTER (done);
}

/* No streaming thread opens the device: the chain function returns, and the flush goes on. */
GST_START_TEST (a_flush_may_come_during_a_recovery)
{
  Feed feed = feed_new (64);

  feed_run (&feed, 3);
  g_atomic_int_set (&n_ended, 0);
  GThread *pusher = push_into_recovery (&feed);
  GThread *flusher = g_thread_new ("flusher", start_flush, feed.h);
  for (guint i = 0; i < PATIENCE * 1000 && g_atomic_int_get (&n_ended) < 2; i++)
    g_usleep (1000);
  fail_unless_equals_int (g_atomic_int_get (&n_ended), 2);
  vyre_lost_hold (FALSE);
  fail_unless (GPOINTER_TO_INT (g_thread_join (flusher)));
  fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (pusher)), GST_FLOW_FLUSHING);
  fail_unless (gst_harness_push_event (feed.h, gst_event_new_flush_stop (TRUE)));
  restart_after_flush (&feed);
  fail_unless_equals_int (bus_count_type (feed.h, GST_MESSAGE_ERROR), 0);
  fail_unless_equals_uint64 (feed_counted (&feed, "device-losses"), 1);
  feed_finish (&feed);
}
GST_END_TEST;

static gpointer
go_to_null (gpointer element)
{
  return GINT_TO_POINTER (gst_element_set_state (element, GST_STATE_NULL));
}

/* Where the device cannot be opened again, either, no stream is there to miss a batch. */
GST_START_TEST (null_may_come_during_a_recovery)
{
  Feed feed = feed_new (4);

  feed_run (&feed, 3);
  GThread *pusher = push_into_recovery (&feed);
  GThread *stopper = g_thread_new ("stopper", go_to_null, feed.h->element);
  wait_flushing (filter_pad (feed.h, "src"));
  if (__i__)
    vyre_lost_arm ("vkCreateDevice", 1, 1);
  vyre_lost_hold (FALSE);
  fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (stopper)), GST_STATE_CHANGE_SUCCESS);
  fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (pusher)), GST_FLOW_FLUSHING);
  if (__i__)
    feed_expect_text (&feed, GST_MESSAGE_ERROR, "when it was opened again after a loss. Fix: ");
  restart_after_null (&feed);
  feed_finish (&feed);
}
GST_END_TEST;

/* A handler of the bus that has the element begin anew, once, and waits for a readback there */
typedef struct {
  Feed *feed;
  guint calls;
  gboolean arrived;
  gint done; /* atomic, as the others are the handler's until then */
} Restart;

static gpointer
push_one (gpointer feed)
{
  return GINT_TO_POINTER (feed_try_push (feed));
}

static GstBusSyncReply
begin_anew (GstBus *bus, GstMessage *message, gpointer data)
{
  Restart *restart = data;
  Feed *feed = restart->feed;

  if (!(GST_MESSAGE_TYPE (message) & (GST_MESSAGE_WARNING | GST_MESSAGE_ERROR))
      || restart->calls++ > 0)
    return GST_BUS_PASS;
  gst_element_set_state (feed->h->element, GST_STATE_NULL);
  while (gst_harness_buffers_in_queue (feed->h) > 0) /* a launch that was leaving ran them */
    gst_buffer_unref (gst_harness_pull (feed->h));
  feed->pushed = feed->pulled = 0;
  gst_element_set_state (feed->h->element, GST_STATE_PLAYING);
  g_thread_unref (g_thread_new ("anew", push_one, feed));
  for (guint i = 0; i < PATIENCE * 1000 && !restart->arrived; i++) {
    restart->arrived = gst_harness_buffers_in_queue (feed->h) > 0;
    g_usleep (1000);
  }
  g_atomic_int_set (&restart->done, TRUE);
  return GST_BUS_PASS;
}

/* The opener posts, so its thread is the handler's: the device is there again, or it is not. */
GST_START_TEST (a_handler_may_begin_anew_in_the_opener)
{
  Feed feed = feed_new (4);
  Restart restart = { .feed = &feed };
  g_autoptr (GstBus) bus = gst_element_get_bus (feed.h->element);

  feed_run (&feed, 3);
  GThread *pusher = push_into_recovery (&feed);
  gst_bus_set_sync_handler (bus, NULL, NULL, NULL);
  gst_bus_set_sync_handler (bus, begin_anew, &restart, NULL);
  if (__i__)
    vyre_lost_arm ("vkCreateDevice", 1, 1);
  vyre_lost_hold (FALSE);
  g_thread_join (pusher);
  for (guint i = 0; i < 2 * PATIENCE * 1000 && !g_atomic_int_get (&restart.done); i++)
    g_usleep (1000);
  fail_unless (g_atomic_int_get (&restart.done) && restart.arrived, "the new stream stands still");
  feed_pull_all (&feed);
  feed_run (&feed, 3);
  feed_expect_text (&feed, __i__ ? GST_MESSAGE_ERROR : GST_MESSAGE_WARNING, "opened again");
  feed_finish (&feed);
}
GST_END_TEST;

/* Batches run without a waiter when the device is found lost. */
GST_START_TEST (null_after_a_loss_does_not_hang)
{
  GstHarness *h = filter_new_with (SLOW_PROGRAM, "post-messages", 0, NULL);
  Feed feed = { .h = h };

  filter_start (h, NULL);
  vyre_lost_arm (calls[__i__], 1, 1);
  for (guint i = 0; i < 4; i++)
    gst_harness_push (h, numbered_buffer (i, SLOW_SIZE / 8));
  gint64 start = g_get_monotonic_time ();
  gst_element_set_state (h->element, GST_STATE_NULL);
  gint64 elapsed = g_get_monotonic_time () - start;
  fail_unless (elapsed < TEARDOWN, "%" G_GINT64_FORMAT " us", elapsed);
  while (gst_harness_buffers_in_queue (h) > 0)
    gst_buffer_unref (gst_harness_pull (h));
  g_object_set (h->element, "program", CRC, NULL);
  gst_allocation_params_init (&feed.params);
  restart_after_null (&feed);
  feed_finish (&feed);
}
GST_END_TEST;

/* Buffers until one stays in flight: a kernel that is leaving may still take some. */
static GstMessage *
stall (Feed *feed)
{
  gint64 end = g_get_monotonic_time () + PATIENCE * G_TIME_SPAN_SECOND;
  GstMessage *warning;
  GstBuffer *readback;

  vyre_lost_stall (true);
  while (!(warning = bus_try (feed->h, GST_MESSAGE_WARNING))) {
    fail_unless (g_get_monotonic_time () < end, "nobody warns");
    if (feed->pushed == feed->pulled)
      feed_push (feed, 1);
    if ((readback = gst_harness_try_pull (feed->h)))
      feed_check_readback (readback, feed->pulled++);
    gst_clear_buffer (&readback);
    g_thread_yield ();
  }
  return warning;
}

static void
check_stall (GstMessage *warning)
{
  GError *error = NULL;

  gst_message_parse_warning (warning, &error, NULL);
  fail_unless_equals_int (error->domain, GST_STREAM_ERROR);
  fail_unless (strstr (error->message, "no progress for 5 s") != NULL, "%s", error->message);
  fail_unless (strstr (error->message, "Fix: ") != NULL, "%s", error->message);
  g_error_free (error);
  gst_message_unref (warning);
}

/* Whatever else is in flight then; and again when it happens again. */
GST_START_TEST (a_device_that_stalls_is_warned_of_once_each_time)
{
  Feed feed = feed_new (4);

  feed_run (&feed, 3);
  for (guint i = 1; i <= 2; i++) {
    check_stall (stall (&feed));
    feed_push (&feed, 3);
    fail_unless_equals_uint64 (stat_nested (feed.h->element, "tenant", "outstanding"), 4);
    vyre_lost_stall (false);
    feed_pull_all (&feed);
    feed_run (&feed, 3);
    stat_wait_quiet (feed.h->element);
    fail_unless_equals_uint64 (feed_counted (&feed, "stalls"), i);
    fail_unless_equals_int (bus_count_type (feed.h, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR), 0);
  }
  feed_finish (&feed);
}
GST_END_TEST;

static Suite *
loss_ends_suite (void)
{
  Suite *s = suite_create ("loss-ends");
  TCase *end = tcase_create ("end"), *middle = tcase_create ("middle");

  suite_add_tcase (s, end);
  tcase_add_test (end, a_second_loss_ends_the_stream_and_names_its_batches);
  tcase_add_test (end, a_second_loss_that_the_task_notices_is_told_once);
  tcase_add_test (end, a_new_stream_starts_with_a_new_count);
  tcase_add_test (end, a_verdict_needs_each_batch);
  tcase_add_test (end, a_device_that_cannot_be_opened_again_ends_the_stream);
  tcase_add_test (end, a_device_that_is_lost_in_its_proof_ends_the_stream);
  tcase_add_test (end, a_device_that_no_thread_can_open_again_ends_the_stream);
  tcase_add_test (end, payloads_in_memory_of_the_device_are_lost_with_it);
  tcase_add_loop_test (end, payloads_of_an_earlier_device_stay_lost, 0, 2);
  tcase_add_test (end, other_filters_refuse_what_is_lost);
  tcase_add_test (end, payloads_in_system_memory_are_not);
  suite_add_tcase (s, middle);
  tcase_add_test (middle, a_flush_drops_what_a_lost_kernel_left);
  tcase_add_test (middle, a_flush_may_come_during_a_recovery);
  tcase_add_loop_test (middle, null_may_come_during_a_recovery, 0, 2);
  tcase_add_loop_test (middle, a_handler_may_begin_anew_in_the_opener, 0, 2);
  tcase_add_test (middle, a_device_that_stalls_is_warned_of_once_each_time);
  tcase_add_loop_test (middle, null_after_a_loss_does_not_hang, 0, G_N_ELEMENTS (calls));
  return s;
}

GST_CHECK_MAIN (loss_ends);
