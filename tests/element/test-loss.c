/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A device that gets lost in the middle of a stream. Nothing is missing, doubled or out of order,
 * and nothing is wrong.
 */
#include "feed.h"

#include <string.h>

#include "oracle.h"

/* ---- one loss ---------------------------------------------------------- */

static const gchar *const calls[] = { "vkQueueSubmit", "vkWaitForFences" };

GST_START_TEST (a_loss_while_streaming_costs_nothing)
{
  Feed (*const make[]) (guint) = { feed_new, feed_new_of_state };
  Feed feed = make[__i__ / G_N_ELEMENTS (calls)](4);

  feed_run (&feed, 10);
  fail_unless_equals_int (feed_lose (&feed, calls[__i__ % G_N_ELEMENTS (calls)]), GST_FLOW_OK);
  feed_pull_all (&feed);
  feed_check_recovered (&feed);
  feed_run (&feed, 50);
  filter_push_eos (feed.h);
  filter_wait_eos (feed.h);
  fail_unless_equals_uint64 (feed_counted (&feed, "batches"), feed.pushed);
  feed_finish (&feed);
}
GST_END_TEST;

/* Batches that are run again decide once, and the interval goes on. */
GST_START_TEST (an_event_outlives_a_loss)
{
  Feed feed = feed_new (4);

  g_object_set (feed.h->element, "program", CRC "; event all when $crc32 >= 0", NULL);
  feed_run (&feed, 10);
  fail_unless_equals_int (feed_lose (&feed, "vkQueueSubmit"), GST_FLOW_OK);
  feed_pull_all (&feed);
  feed_check_recovered (&feed);
  feed_run (&feed, 10);
  fail_unless_equals_uint64 (feed_counted (&feed, "events"), 1);
  filter_push_eos (feed.h);
  filter_wait_eos (feed.h);
  fail_unless_equals_uint64 (feed_counted (&feed, "events"), 2);
  fail_unless_equals_uint64 (feed_counted (&feed, "undecided"), 0);
  feed_finish (&feed);
}
GST_END_TEST;

GST_START_TEST (a_loss_at_the_first_launch_costs_nothing)
{
  Feed feed = feed_new (4);

  vyre_lost_arm ("vkQueueSubmit", 1, 1);
  feed_push (&feed, 20);
  feed_pull_all (&feed);
  feed_check_recovered (&feed);
  feed_finish (&feed);
}
GST_END_TEST;

/* What waits behind a sink that does not take it is run again to the last batch, of a
 * program, with a file, with state or without, or of slots. */
GST_START_TEST (all_batches_in_flight_are_run_again)
{
  Feed (*const make[]) (guint)
      = { feed_new, feed_new_of_slots, feed_new_of_file, feed_new_of_state };
  Feed feed = make[__i__](64);
  Dam dam;

  feed_run (&feed, 3);
  guint before = feed.pushed;
  feed_count_reconfigures (&feed); /* linking pads makes one, too */
  GThread *thread = feed_lose_behind_a_dam (&feed, &dam, 10);
  feed_wait_for_kernel (&feed);
  dam_break (&dam);
  fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (thread)), GST_FLOW_OK);
  feed_pull_all (&feed);
  /* all but the first, which was through, and the last, which noticed */
  guint left = feed.pushed - before - 2;
  fail_unless (left >= 10);
  fail_unless_equals_uint64 (feed_counted (&feed, "rerun-batches"), left);
  feed_check_recovered (&feed);
  feed_run (&feed, 20);
  feed_finish (&feed);
}
GST_END_TEST;

/* They would take the memory that the older ones need. */
GST_START_TEST (new_buffers_wait_for_those_that_are_run_again)
{
  Feed feed = feed_new (64);
  Dam dam;

  feed_run (&feed, 3);
  feed_count_reconfigures (&feed);
  GThread *thread = feed_lose_behind_a_dam (&feed, &dam, 5);
  feed_wait_for_kernel (&feed);
  guint64 taken = feed_counted (&feed, "buffers");
  for (guint i = 0; i < 100; i++) {
    g_usleep (1000);
    fail_unless_equals_uint64 (feed_counted (&feed, "buffers"), taken);
  }
  dam_break (&dam);
  fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (thread)), GST_FLOW_OK);
  feed_pull_all (&feed);
  fail_unless (feed_counted (&feed, "buffers") > taken);
  feed_check_recovered (&feed);
  feed_finish (&feed);
}
GST_END_TEST;

GST_START_TEST (a_loss_in_paused_costs_nothing)
{
  Feed feed = feed_new (4);

  feed_run (&feed, 3);
  gst_element_set_state (feed.h->element, GST_STATE_PAUSED);
  fail_unless_equals_int (feed_lose (&feed, "vkQueueSubmit"), GST_FLOW_OK);
  feed_pull_all (&feed);
  feed_check_recovered (&feed);
  gst_element_set_state (feed.h->element, GST_STATE_PLAYING);
  feed_run (&feed, 20);
  feed_finish (&feed);
}
GST_END_TEST;

/* ---- memory ------------------------------------------------------------ */

static guint64
bytes_of (guint first, guint end)
{
  guint64 bytes = 0;

  for (guint i = first; i < end; i++)
    bytes += feed_size_of (i);
  return bytes;
}

/* Into staging memory, or straight to the device where that has its own. */
static guint64
copied_bytes (Feed *feed)
{
  return feed_counted (feed, "cpu-bounce-bytes")
         + stat_nested (feed->h->element, "ingest", "direct-bytes");
}

/* Whether @bytes are those of the buffers from @first on, of which one may have been copied twice:
 * for the kernel that was about to fail, and again for the next. */
static gboolean
is_copy_from (Feed *feed, guint first, guint64 bytes)
{
  guint64 once = bytes_of (first, feed->pushed);
  gboolean is_copy = once == bytes;

  for (guint i = first; i < feed->pushed && !is_copy; i++)
    is_copy = once + feed_size_of (i) == bytes;
  return is_copy;
}

/* How many of the last buffers the copied bytes are. */
static guint
count_copied (Feed *feed)
{
  guint64 bytes = copied_bytes (feed);
  guint n = 0;

  while (n <= feed->pushed && !is_copy_from (feed, feed->pushed - n, bytes))
    n++;
  fail_unless (n <= feed->pushed, "%" G_GUINT64_FORMAT " bytes are not those of the last", bytes);
  return n;
}

/* Upstream's memory is copied over, counted, and upstream is asked to take other. */
GST_START_TEST (memory_of_a_lost_kernel_is_copied_until_upstream_takes_new)
{
  Feed feed = feed_new (4);

  feed_take_proposed_memory (&feed);
  feed_run (&feed, 5);
  fail_unless_equals_uint64 (copied_bytes (&feed), 0);
  feed_count_reconfigures (&feed);
  fail_unless_equals_int (feed_lose (&feed, "vkQueueSubmit"), GST_FLOW_OK);
  feed_pull_all (&feed);
  fail_unless (count_copied (&feed) >= 1);
  feed_wait_for_kernel (&feed);
  guint64 copied = copied_bytes (&feed);
  GstBuffer *late = feed_make_input (&feed, 0); /* the old allocator has nothing to lend now */
  fail_unless (gst_memory_is_type (gst_buffer_peek_memory (late, 0), GST_ALLOCATOR_SYSMEM));
  gst_buffer_unref (late);
  feed_take_proposed_memory (&feed);
  feed_run (&feed, 5);
  fail_unless_equals_uint64 (copied_bytes (&feed), copied);
  fail_unless_equals_int (feed_count_reconfigures (&feed), 0);
  feed_check_recovered (&feed);
  feed_finish (&feed);
}
GST_END_TEST;

/* What upstream had filled before is good afterwards. */
GST_START_TEST (a_buffer_from_before_the_loss_is_read_after_it)
{
  Feed feed = feed_new (4);

  feed_take_proposed_memory (&feed);
  GstBuffer *early = feed_make_input (&feed, 1000);
  fail_unless (gst_memory_is_type (gst_buffer_peek_memory (early, 0), "VyreMemory"));
  fail_unless_equals_int (feed_lose (&feed, "vkQueueSubmit"), GST_FLOW_OK);
  feed_pull_all (&feed);
  guint64 copied = copied_bytes (&feed);
  GstBuffer *readback = filter_run (feed.h, early);
  feed_check_readback (readback, 1000);
  gst_buffer_unref (readback);
  fail_unless_equals_uint64 (copied_bytes (&feed), copied + feed_size_of (1000));
  feed_finish (&feed);
}
GST_END_TEST;

GST_START_TEST (readbacks_of_a_lost_kernel_stay_valid)
{
  Feed feed = feed_new (4);
  GstBuffer *kept[5];

  for (guint i = 0; i < G_N_ELEMENTS (kept); i++) {
    feed_push (&feed, 1);
    kept[i] = filter_pull (feed.h);
    feed_check_readback (kept[i], feed.pulled++);
  }
  feed_lose (&feed, "vkQueueSubmit");
  feed_pull_all (&feed);
  feed_run (&feed, 20);
  feed_check_recovered (&feed);
  for (guint i = 0; i < G_N_ELEMENTS (kept); i++)
    feed_check_readback (kept[i], i);
  feed_finish (&feed);
  for (guint i = 0; i < G_N_ELEMENTS (kept); i++) {
    feed_check_readback (kept[i], i);
    gst_buffer_unref (kept[i]);
  }
}
GST_END_TEST;

static GstBufferPool *
pool_of (Feed *feed, guint n)
{
  GstBufferPool *pool = gst_buffer_pool_new ();
  GstStructure *config = gst_buffer_pool_get_config (pool);

  feed_take_proposed_memory (feed);
  gst_buffer_pool_config_set_params (config, NULL, 100, n, n);
  gst_buffer_pool_config_set_allocator (config, feed->allocator, &feed->params);
  fail_unless (gst_buffer_pool_set_config (pool, config));
  fail_unless (gst_buffer_pool_set_active (pool, TRUE));
  return pool;
}

/* Another filter that has nothing to do keeps the lost kernel alive: it must not
 * keep upstream's buffers as well. The buffers come from the device's own memory,
 * which is what batches hold on to. */
GST_START_TEST (a_pool_of_one_buffer_survives_next_to_an_idle_filter)
{
  Feed feed = feed_new (2);
  Feed idle = feed_new (2);
  GstBufferPool *pool = pool_of (&feed, 1);
  gint64 end = g_get_monotonic_time () + 60 * G_TIME_SPAN_SECOND;

  vyre_lost_arm ("vkQueueSubmit", 1, 1); /* a launch may last for more than 40 buffers */
  guint n = 0;
  for (; n < 40 || feed_counted (&feed, "device-losses") == 0; n++) {
    GstBuffer *buffer = NULL;
    fail_unless (g_get_monotonic_time () < end, "nobody noticed the loss");
    fail_unless_equals_int (gst_buffer_pool_acquire_buffer (pool, &buffer, NULL), GST_FLOW_OK);
    gst_buffer_memset (buffer, 0, (guint8)n, 100);
    GST_BUFFER_OFFSET (buffer) = n;
    filter_push (feed.h, buffer);
  }
  for (guint i = 0; i < n; i++) {
    guint8 bytes[100];
    memset (bytes, (int)i, sizeof bytes);
    GstBuffer *readback = filter_pull (feed.h);
    fail_unless_equals_uint64 (GST_BUFFER_OFFSET (readback), i);
    fail_unless_equals_uint64 (readback_observable (readback, 1), oracle_crc32 (bytes, 100));
    gst_buffer_unref (readback);
  }
  fail_unless_equals_uint64 (feed_counted (&feed, "device-losses"), 1);
  fail_unless_equals_uint64 (feed_counted (&idle, "device-losses"), 0);
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
  feed_finish (&idle);
  feed_finish (&feed);
}
GST_END_TEST;

/* ---- two filters on one kernel ----------------------------------------- */

GST_START_TEST (filters_that_shared_a_kernel_share_the_next)
{
  Feed a = feed_new (4), b = feed_new (4);
  guint lost = vyre_lost_count ();

  feed_run (&a, 3);
  feed_run (&b, 5);
  fail_unless_equals_int (feed_lose (&a, "vkQueueSubmit"), GST_FLOW_OK);
  feed_pull_all (&a);
  feed_run (&b, 10);
  feed_run (&a, 10);
  feed_check_recovered (&a);
  feed_check_recovered (&b);
  fail_unless_equals_int (vyre_lost_count (), lost + 1);
  fail_unless_equals_uint64 (
      feed_counted (&a, "kernel-batches"), feed_counted (&b, "kernel-batches"));
  feed_finish (&a);
  feed_run (&b, 10);
  feed_finish (&b);
}
GST_END_TEST;

static gpointer
run_many (gpointer data)
{
  Feed *feed = data;

  for (guint i = 0; i < 60; i++) {
    feed_push (feed, 5);
    feed_pull_all (feed);
  }
  return NULL;
}

GST_START_TEST (filters_may_notice_at_the_same_time)
{
  Feed feeds[2] = { feed_new (8), feed_new (8) };
  GThread *threads[2];

  vyre_lost_arm (calls[__i__], 2, 1);
  for (guint i = 0; i < 2; i++)
    threads[i] = g_thread_new ("feeder", run_many, &feeds[i]);
  for (guint i = 0; i < 2; i++)
    g_thread_join (threads[i]);
  for (guint i = 0; i < 2; i++) {
    while (feed_counted (&feeds[i], "device-losses") == 0) /* was through when it happened */
      feed_run (&feeds[i], 1);
    feed_check_recovered (&feeds[i]);
  }
  fail_unless_equals_uint64 (
      feed_counted (&feeds[0], "kernel-batches"), feed_counted (&feeds[1], "kernel-batches"));
  feed_finish (&feeds[0]);
  feed_finish (&feeds[1]);
}
GST_END_TEST;

static Suite *
loss_suite (void)
{
  Suite *s = suite_create ("loss");
  TCase *recovery = tcase_create ("recovery");

  suite_add_tcase (s, recovery);
  tcase_add_loop_test (recovery, a_loss_while_streaming_costs_nothing, 0, 2 * G_N_ELEMENTS (calls));
  tcase_add_test (recovery, an_event_outlives_a_loss);
  tcase_add_test (recovery, a_loss_at_the_first_launch_costs_nothing);
  tcase_add_loop_test (recovery, all_batches_in_flight_are_run_again, 0, 4);
  tcase_add_test (recovery, new_buffers_wait_for_those_that_are_run_again);
  tcase_add_test (recovery, a_loss_in_paused_costs_nothing);
  tcase_add_test (recovery, memory_of_a_lost_kernel_is_copied_until_upstream_takes_new);
  tcase_add_test (recovery, a_buffer_from_before_the_loss_is_read_after_it);
  tcase_add_test (recovery, readbacks_of_a_lost_kernel_stay_valid);
  tcase_add_test (recovery, a_pool_of_one_buffer_survives_next_to_an_idle_filter);
  tcase_add_test (recovery, filters_that_shared_a_kernel_share_the_next);
  tcase_add_loop_test (recovery, filters_may_notice_at_the_same_time, 0, G_N_ELEMENTS (calls));
  return s;
}

GST_CHECK_MAIN (loss);
