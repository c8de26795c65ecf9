/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Flushing: nothing old comes out afterwards, nothing needed is lost, and it
 * works wherever the stream is stuck.
 */
#include "common.h"

#include <gst/allocators/allocators.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHEAP "u8_stats payload -> stats"

/* Takes many times as long as the copy of its payload does, however fast the kernel is. */
#define SLOWER_PROGRAM                                                                             \
  SLOW_PROGRAM "; u8_histogram payload -> two; u8_histogram payload -> three; "                    \
               "u8_histogram payload -> four; u8_histogram payload -> five"

/* What came out before the flush is of no interest here. */
static void
drop_queued (GstHarness *h)
{
  while (gst_harness_buffers_in_queue (h) > 0)
    gst_buffer_unref (gst_harness_pull (h));
}

static void
check_flows (GstHarness *h, guint64 number)
{
  drop_queued (h);
  filter_push_segment (h);
  GstBuffer *readback = filter_run (h, numbered_buffer (number, 10));
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (readback), number);
  gst_buffer_unref (readback);
}

GST_START_TEST (flush_discards_what_is_queued)
{
  GstHarness *h
      = filter_new_with (CHEAP, "max-in-flight", 16, "results-interval", (guint64)0, NULL);
  FlowLog *log;
  Dam dam;

  filter_start (h, NULL);
  gst_buffer_unref (filter_run (h, numbered_buffer (99, 10)));
  filter_flush (h);
  filter_push_segment (h);
  dam_build (&dam, h);
  for (guint i = 0; i < 10; i++) /* the first of a stream is the task's */
    filter_push (h, numbered_buffer (i, 10));
  dam_wait (&dam);
  log = flow_log_new (h);
  filter_flush (h);
  dam_break (&dam);
  check_flows (h, 100);
  gchar *text = flow_log_text (log);
  fail_unless_equals_string (text, "flush-start flush-stop segment vyre-results #100");
  fail_unless_equals_int (gst_harness_buffers_in_queue (h), 0);
  g_free (text);
  flow_log_free (log);
  filter_finish (h);
}
GST_END_TEST;

/* Each buffer that was taken comes out, or is counted as flushed. */
GST_START_TEST (what_a_flush_discards_is_counted)
{
  GstHarness *h = filter_new_with (SLOWER_PROGRAM, "max-in-flight", 3, "post-messages", 0, NULL);

  filter_start (h, NULL);
  for (guint i = 0; i < 3; i++)
    filter_push (h, numbered_buffer (i, SLOW_SIZE));
  filter_flush (h);
  guint64 taken = stat_of (h->element, "buffers"), batches = stat_of (h->element, "batches");
  fail_unless_equals_uint64 (taken, 3);
  fail_unless (batches < 3 || !is_on_cpu (h->element), "nothing was left to flush");
  fail_unless_equals_uint64 (stat_of (h->element, "flushed"), taken - batches);
  fail_unless_equals_uint64 (stat_of (h->element, "queue-depth"), 0);
  check_flows (h, 100);
  filter_finish (h);
}
GST_END_TEST;

static GstPad *flushed_pad;
static GstMemoryMapFunction real_map;

/* A flush starts while the chain function looks at the memory. */
static gpointer
flush_and_map (GstMemory *memory, gsize size, GstMapFlags flags)
{
  GstPad *pad = g_steal_pointer (&flushed_pad);

  if (pad)
    gst_pad_send_event (pad, gst_event_new_flush_start ());
  return real_map (memory, size, flags);
}

/* The same of one that was published, and then found the stream flushing. */
GST_START_TEST (what_comes_too_late_is_counted)
{
  GstHarness *h = filter_new (CHEAP);
  GstAllocator *allocator = gst_fd_allocator_new ();
  GstPad *pad = filter_pad (h, "sink");
  GstBuffer *buffer = gst_buffer_new ();
  int fd = memfd_create ("payload", MFD_CLOEXEC);

  fail_unless (ftruncate (fd, 1000) == 0);
  gst_buffer_append_memory (
      buffer, gst_fd_allocator_alloc (allocator, fd, 1000, GST_FD_MEMORY_FLAG_NONE));
  filter_start (h, NULL);
  real_map = allocator->mem_map;
  allocator->mem_map = flush_and_map;
  flushed_pad = pad;
  fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_FLUSHING);
  fail_unless (flushed_pad == NULL, "the memory was not looked at");
  gst_pad_send_event (pad, gst_event_new_flush_stop (TRUE));
  fail_unless_equals_uint64 (stat_of (h->element, "buffers"), 1);
  fail_unless_equals_uint64 (stat_of (h->element, "flushed"), 1);
  check_flows (h, 100);
  gst_object_unref (pad);
  gst_object_unref (allocator);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (flush_releases_a_chain_that_waits_for_its_turn)
{
  GstHarness *h = filter_new_with (CHEAP, "max-in-flight", 2, NULL);
  Pusher pusher;
  Dam dam;

  filter_start (h, NULL);
  dam_build (&dam, h);
  pusher_start (&pusher, h, 10, 10);
  dam_wait (&dam);
  stat_wait (h->element, "buffers", 2);
  fail_unless (gst_harness_push_event (h, gst_event_new_flush_start ()));
  fail_unless_equals_int (pusher_join (&pusher), GST_FLOW_FLUSHING);
  fail_unless (pusher.pushed <= 2);
  fail_unless_equals_int (gst_harness_push (h, numbered_buffer (9, 9)), GST_FLOW_FLUSHING);
  fail_unless (gst_harness_push_event (h, gst_event_new_flush_stop (TRUE)));
  dam_break (&dam);
  check_flows (h, 100);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (flush_does_not_wait_for_the_kernel)
{
  GstHarness *h = filter_new_with (SLOWER_PROGRAM, "max-in-flight", 4, "post-messages", 0, NULL);
  gint64 start;

  filter_start (h, NULL);
  for (guint i = 0; i < 4; i++)
    filter_push (h, numbered_buffer (i, SLOW_SIZE));
  start = g_get_monotonic_time ();
  filter_flush (h);
  gint64 elapsed = g_get_monotonic_time () - start;
  guint64 left = 4 - stat_of (h->element, "batches");
  fail_unless (left >= 2 || !is_on_cpu (h->element), "the kernel is too fast for this test");
  /* on a busy machine some 200 ms; that batches are left is what proves it */
  fail_unless (elapsed < G_TIME_SPAN_SECOND, "%" G_GINT64_FORMAT " us", elapsed);
  check_flows (h, 100);
  filter_finish (h);
}
GST_END_TEST;

/* Upstream keeps all memory; only a flush can end the wait for it. */
GST_START_TEST (flush_releases_a_chain_that_waits_for_memory)
{
  GstHarness *h = filter_new_with (SLOW_PROGRAM, "staging-size", (guint64)SLOW_SIZE,
      "max-in-flight", 8, "post-messages", 0, NULL);
  Pusher pusher;

  filter_start (h, NULL);
  pusher_start (&pusher, h, 8, SLOW_SIZE - 4096);
  stat_wait (h->element, "buffers", 1);
  fail_unless (gst_harness_push_event (h, gst_event_new_flush_start ()));
  fail_unless_equals_int (pusher_join (&pusher), GST_FLOW_FLUSHING);
  fail_unless (gst_harness_push_event (h, gst_event_new_flush_stop (TRUE)));
  check_flows (h, 100);
  filter_finish (h);
}
GST_END_TEST;

/* Sticky events that a flush catches in the queue are not the stream's data. */
GST_START_TEST (flush_keeps_caps_and_stream_start)
{
  GstHarness *h = filter_new_with (CHEAP, "post-messages", 0, NULL);
  GstPad *pad = filter_pad (h, "src");
  Dam dam;

  filter_start (h, NULL);
  gst_buffer_unref (filter_run (h, numbered_buffer (0, 10)));
  filter_flush (h);
  filter_push_segment (h);
  dam_build (&dam, h);
  filter_push (h, numbered_buffer (1, 10));
  dam_wait (&dam);
  g_object_set (h->element, "program", "nop; nop; nop", NULL);
  fail_unless (gst_harness_push_event (
      h, gst_event_new_tag (gst_tag_list_new (GST_TAG_TITLE, "kept", NULL))));
  filter_push (h, numbered_buffer (2, 10));
  filter_flush (h);
  dam_break (&dam);
  check_flows (h, 100);
  GstCaps *caps = readback_caps (h);
  gint slots = 0;
  gst_structure_get_int (gst_caps_get_structure (caps, 0), "slot-count", &slots);
  fail_unless_equals_int (slots, 4);
  gst_caps_unref (caps);
  GstEvent *tag = gst_pad_get_sticky_event (pad, GST_EVENT_TAG, 0);
  fail_unless (tag != NULL, "the flush lost the tags");
  gst_event_unref (tag);
  gst_object_unref (pad);
  filter_finish (h);
}
GST_END_TEST;

/* The last result before a flush was never reported; now it is too late. */
GST_START_TEST (no_old_result_is_reported_after_a_flush)
{
  GstHarness *h = filter_new_with (CHEAP, "results-interval", 3600 * GST_SECOND, NULL);

  filter_start (h, NULL);
  gst_buffer_unref (filter_run (h, numbered_buffer (0, 10)));
  gst_buffer_unref (filter_run (h, numbered_buffer (1, 10)));
  fail_unless_equals_int (bus_count (h, "vyre-results"), 1);
  filter_flush (h);
  filter_push_segment (h);
  filter_push_eos (h);
  filter_wait_eos (h);
  fail_unless_equals_int (bus_count (h, "vyre-results"), 0);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (flush_takes_back_an_eos)
{
  GstHarness *h = filter_new (CHEAP);

  filter_start (h, NULL);
  filter_push_eos (h);
  filter_wait_eos (h);
  filter_flush (h);
  check_flows (h, 1);
  filter_finish (h);
}
GST_END_TEST;

/* The two halves of PAUSED to READY, and a flush that ends in between. */
GST_START_TEST (a_flush_does_not_open_a_stream_that_is_going_down)
{
  GstHarness *h = filter_new_with (CHEAP, "max-in-flight", 1, NULL);
  GstPad *pad = filter_pad (h, "src");
  GstSegment segment;
  Pusher pusher;

  filter_start (h, NULL);
  fail_unless (gst_pad_set_active (pad, FALSE));
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  pusher_start (&pusher, h, 10, 10);
  fail_unless_equals_int (pusher_join (&pusher), GST_FLOW_FLUSHING);
  fail_unless_equals_int (
      gst_element_set_state (h->element, GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
  gst_object_unref (pad);
  filter_finish (h);
}
GST_END_TEST;

/* A FLUSH_START may have met the element in READY. What is downstream before the FLUSH_STOP
 * comes before it, and nothing else of the old stream does. */
GST_START_TEST (a_flush_stop_alone_is_a_flush)
{
  GstHarness *h
      = filter_new_with (CHEAP, "max-in-flight", 16, "results-interval", (guint64)0, NULL);

  filter_start (h, NULL);
  for (guint round = 0; round < 300; round++) {
    for (guint i = 0; i < 3; i++)
      filter_push (h, numbered_buffer (3 * round + i, 10));
    fail_unless (gst_harness_push_event (h, gst_event_new_flush_stop (TRUE)));
    drop_queued (h);
    filter_push_segment (h);
    GstBuffer *readback = filter_run (h, numbered_buffer (1000000, 10));
    fail_unless_equals_uint64 (GST_BUFFER_OFFSET (readback), 1000000);
    gst_buffer_unref (readback);
    bus_count (h, NULL);
  }
  filter_finish (h);
}
GST_END_TEST;

/* The flushes that leave the source pad */
typedef struct {
  guint n_starts, n_stops;
  guint32 start, stop; /* sequence numbers of the last ones */
} Flushes;

static GstPadProbeReturn
note_flush (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);
  Flushes *flushes = data;

  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_START) {
    flushes->n_starts++;
    flushes->start = gst_event_get_seqnum (event);
  } else if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP) {
    fail_unless_equals_int (flushes->n_starts, flushes->n_stops + 1);
    flushes->n_stops++;
    flushes->stop = gst_event_get_seqnum (event);
  }
  return GST_PAD_PROBE_OK;
}

static void
send_with (GstHarness *h, GstEvent *event, guint32 seqnum)
{
  gst_event_set_seqnum (event, seqnum);
  fail_unless (gst_harness_push_event (h, event));
}

/* Downstream hears of each flush once, as of the seek that it belongs to. */
GST_START_TEST (downstream_gets_one_flush_start_for_each_flush_stop)
{
  GstHarness *h = filter_new_with (CHEAP, "post-messages", 0, NULL);
  guint32 whole = gst_util_seqnum_next (), lone = gst_util_seqnum_next ();
  GstPad *pad = filter_pad (h, "src");
  Flushes flushes = { 0 };

  filter_start (h, NULL);
  gst_buffer_unref (filter_run (h, numbered_buffer (0, 10)));
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_FLUSH, note_flush, &flushes, NULL);
  send_with (h, gst_event_new_flush_start (), whole);
  send_with (h, gst_event_new_flush_stop (TRUE), whole);
  fail_unless_equals_int (flushes.n_stops, 1);
  fail_unless_equals_int (flushes.start, whole);
  fail_unless_equals_int (flushes.stop, whole);
  check_flows (h, 1);
  send_with (h, gst_event_new_flush_stop (TRUE), lone);
  fail_unless_equals_int (flushes.n_stops, 2);
  fail_unless_equals_int (flushes.start, lone);
  fail_unless_equals_int (flushes.stop, lone);
  check_flows (h, 2);
  gst_object_unref (pad);
  filter_finish (h);
}
GST_END_TEST;

/* No FLUSH_STOP follows a FLUSH_START out of a pad that is inactive. */
GST_START_TEST (a_flush_stop_at_an_inactive_source_pad_leaves_downstream_alone)
{
  GstHarness *h = filter_new_with (CHEAP, "post-messages", 0, NULL);
  GstPad *pad = filter_pad (h, "src");

  filter_start (h, NULL);
  gst_buffer_unref (filter_run (h, numbered_buffer (0, 10)));
  fail_unless (gst_pad_set_active (pad, FALSE));
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  fail_unless (gst_pad_set_active (pad, TRUE));
  GST_OBJECT_LOCK (h->sinkpad);
  gboolean flushes = GST_PAD_IS_FLUSHING (h->sinkpad);
  GST_OBJECT_UNLOCK (h->sinkpad);
  fail_unless (!flushes, "downstream flushes for ever");
  gst_object_unref (pad);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (state_change_releases_a_blocked_stream)
{
  GstHarness *h = filter_new_with (CHEAP, "max-in-flight", 1, NULL);
  Pusher pusher;
  Dam dam;

  filter_start (h, NULL);
  dam_build (&dam, h);
  pusher_start (&pusher, h, 10, 10);
  dam_wait (&dam);
  fail_unless_equals_int (
      gst_element_set_state (h->element, GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
  fail_unless_equals_int (pusher_join (&pusher), GST_FLOW_FLUSHING);
  dam_break (&dam);
  filter_finish (h);
}
GST_END_TEST;

static Suite *
flush_suite (void)
{
  Suite *s = suite_create ("flush");
  TCase *tc = tcase_create ("flush");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, flush_discards_what_is_queued);
  tcase_add_test (tc, what_a_flush_discards_is_counted);
  tcase_add_test (tc, what_comes_too_late_is_counted);
  tcase_add_test (tc, flush_releases_a_chain_that_waits_for_its_turn);
  tcase_add_test (tc, flush_does_not_wait_for_the_kernel);
  tcase_add_test (tc, flush_releases_a_chain_that_waits_for_memory);
  tcase_add_test (tc, flush_keeps_caps_and_stream_start);
  tcase_add_test (tc, no_old_result_is_reported_after_a_flush);
  tcase_add_test (tc, flush_takes_back_an_eos);
  tcase_add_test (tc, a_flush_does_not_open_a_stream_that_is_going_down);
  tcase_add_test (tc, a_flush_stop_alone_is_a_flush);
  tcase_add_test (tc, downstream_gets_one_flush_start_for_each_flush_stop);
  tcase_add_test (tc, a_flush_stop_at_an_inactive_source_pad_leaves_downstream_alone);
  tcase_add_test (tc, state_change_releases_a_blocked_stream);
  return s;
}

GST_CHECK_MAIN (flush);
