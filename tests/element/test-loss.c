/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A device that gets lost in the middle of a stream. Nothing is missing, doubled
 * or out of order, and nothing is wrong, or the stream ends and says what is missing.
 */
#include "common.h"
#include "lost.h"
#include "oracle.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define CRC "crc32 payload -> crc32"
#define IDLE_TIMEOUT (2 * GST_MSECOND)

/* Less than the runtime gives a kernel that does not leave. */
#define TEARDOWN (8 * G_TIME_SPAN_SECOND)

/* Numbered noise on its way through a filter. */
typedef struct {
  GstHarness *h;
  GstAllocator *allocator; /* NULL: system memory */
  GstAllocationParams params;
  guint pushed;
  guint pulled;
  gboolean flushed; /* numbers and offsets have come apart */
  gboolean slots;   /* that say the same as the program would */
  gchar *file;      /* that the program reads as well, or NULL */
} Feed;

static gsize
size_of (guint i)
{
  return 1 + i * 1237 % 9000;
}

/* Slots that store what the program finds out about noise, and some that are idle. */
static GstBuffer *
make_slots (guint i)
{
  guint n = 2 + i % 3;
  guint32 (*slots)[VYRE_SLOT_WORDS] = g_malloc0 (n * sizeof *slots);
  guint8 *data = noise_new (size_of (i), i);
  guint32 values[] = { i + 1, oracle_crc32 (data, size_of (i)) };

  for (guint slot = 0; slot < G_N_ELEMENTS (values); slot++) {
    slots[slot][VYRE_SLOT_STATUS] = GUINT32_TO_LE (VYRE_STATUS_PUBLISHED);
    slots[slot][VYRE_SLOT_OPCODE] = GUINT32_TO_LE (VYRE_OP_STORE_U32);
    slots[slot][VYRE_SLOT_ARGS] = GUINT32_TO_LE (values[slot]);
    slots[slot][VYRE_SLOT_ARGS + 1] = GUINT32_TO_LE (VYRE_CONTROL_OBSERVABLES + slot);
  }
  GstBuffer *buffer = buffer_of (slots, n * sizeof *slots);
  GST_BUFFER_OFFSET (buffer) = i;
  g_free (data);
  g_free (slots);
  return buffer;
}

static GstBuffer *
make_input (Feed *feed, guint i)
{
  gsize size = size_of (i);
  guint8 *data = noise_new (size, i);
  GstBuffer *buffer = gst_buffer_new_allocate (feed->allocator, size, &feed->params);

  gst_buffer_fill (buffer, 0, data, size);
  GST_BUFFER_OFFSET (buffer) = i;
  g_free (data);
  return buffer;
}

static GstFlowReturn
try_push (Feed *feed)
{
  guint i = feed->pushed++;

  return gst_harness_push (feed->h, feed->slots ? make_slots (i) : make_input (feed, i));
}

static void
push (Feed *feed, guint n)
{
  for (guint i = 0; i < n; i++)
    fail_unless_equals_int (try_push (feed), GST_FLOW_OK);
}

static void
check_readback (GstBuffer *readback, guint i)
{
  guint8 *data = noise_new (size_of (i), i);

  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (readback), i);
  fail_unless_equals_uint64 (readback_observable (readback, 1), oracle_crc32 (data, size_of (i)));
  g_free (data);
}

/* All that was pushed, in order. */
static void
pull_all (Feed *feed)
{
  while (feed->pulled < feed->pushed) {
    GstBuffer *readback = filter_pull (feed->h);
    check_readback (readback, feed->pulled++);
    if (!feed->flushed)
      fail_unless_equals_uint64 (readback_observable (readback, 0), feed->pulled);
    gst_buffer_unref (readback);
  }
  fail_unless_equals_int (gst_harness_buffers_in_queue (feed->h), 0);
}

static void
run (Feed *feed, guint n)
{
  for (guint i = 0; i < n; i++) {
    push (feed, 1);
    pull_all (feed);
  }
}

static Feed
feed_new (guint max_in_flight)
{
  Feed feed = { .h = filter_new_with (
                    CRC, "idle-timeout", IDLE_TIMEOUT, "max-in-flight", max_in_flight, NULL) };

  gst_allocation_params_init (&feed.params);
  filter_start (feed.h, NULL);
  return feed;
}

/* The grant goes along with what is run again. */
static Feed
feed_new_of_file (guint max_in_flight)
{
  Feed feed = { 0 };

  close (g_file_open_tmp ("vyre-loss-XXXXXX", &feed.file, NULL));
  fail_unless (g_file_set_contents (feed.file, "words", 5, NULL));
  gchar *program
      = g_strdup_printf ("resource r = file '%s'; " CRC "; load_words r, 0, 1 -> word", feed.file);
  feed.h = filter_new_with (program, "resource-access", 1, "idle-timeout", IDLE_TIMEOUT,
      "max-in-flight", max_in_flight, NULL);
  gst_allocation_params_init (&feed.params);
  filter_start (feed.h, NULL);
  g_free (program);
  return feed;
}

static Feed
feed_new_of_slots (guint max_in_flight)
{
  Feed feed = { .slots = TRUE };

  feed.h
      = filter_new_with (NULL, "idle-timeout", IDLE_TIMEOUT, "max-in-flight", max_in_flight, NULL);
  filter_start (feed.h, "application/x-vyre-slots");
  return feed;
}

static void
take_proposed_memory (Feed *feed)
{
  GstQuery *query = gst_query_new_allocation (NULL, TRUE);

  gst_clear_object (&feed->allocator);
  fail_unless (gst_pad_peer_query (feed->h->srcpad, query));
  gst_query_parse_nth_allocation_param (query, 0, &feed->allocator, &feed->params);
  gst_query_unref (query);
}

static void
feed_finish (Feed *feed)
{
  gst_clear_object (&feed->allocator);
  filter_finish (feed->h);
  if (feed->file)
    g_unlink (feed->file);
  g_free (feed->file);
}

static guint64
counted (Feed *feed, const gchar *name)
{
  return stat_of (feed->h->element, name);
}

static gboolean
is_dispatch (Feed *feed)
{
  GstStructure *stats = stats_of (feed->h->element);
  gboolean dispatch = g_str_equal (gst_structure_get_string (stats, "residency"), "dispatch");

  gst_structure_free (stats);
  return dispatch;
}

/* Waits until the kernel is parked again, or there will be none. */
static void
wait_parked (Feed *feed, guint64 parks, guint64 losses, guint lost)
{
  gint64 end = g_get_monotonic_time () + PATIENCE * G_TIME_SPAN_SECOND;

  while (counted (feed, "parks") == parks && counted (feed, "device-losses") == losses
         && vyre_lost_count () == lost) {
    fail_unless (g_get_monotonic_time () < end, "the kernel does not leave");
    g_thread_yield ();
  }
}

/* Loses the device in @call, and pushes until the filter has noticed. A kernel that
 * is parked before each buffer has to be launched for it. */
static GstFlowReturn
lose (Feed *feed, const gchar *call)
{
  gint64 end = g_get_monotonic_time () + PATIENCE * G_TIME_SPAN_SECOND;
  guint64 losses = counted (feed, "device-losses");
  gboolean dispatch = is_dispatch (feed);
  guint lost = vyre_lost_count ();
  GstFlowReturn flow = GST_FLOW_OK;

  vyre_lost_arm (call, 1, 1);
  while (flow == GST_FLOW_OK && counted (feed, "device-losses") == losses) {
    fail_unless (g_get_monotonic_time () < end, "nobody noticed the loss");
    guint64 parks = counted (feed, "parks");
    flow = try_push (feed);
    if (!dispatch && flow == GST_FLOW_OK)
      wait_parked (feed, parks, losses, lost);
  }
  return flow;
}

static guint
count_reconfigures (Feed *feed)
{
  GstEvent *event;
  guint n = 0;

  while ((event = gst_harness_try_pull_upstream_event (feed->h))) {
    n += GST_EVENT_TYPE (event) == GST_EVENT_RECONFIGURE;
    gst_event_unref (event);
  }
  return n;
}

static void
wait_for_kernel (Feed *feed)
{
  gint64 end = g_get_monotonic_time () + PATIENCE * G_TIME_SPAN_SECOND;

  while (count_reconfigures (feed) == 0) {
    fail_unless (g_get_monotonic_time () < end, "upstream was not told of a new kernel");
    g_thread_yield ();
  }
}

static gpointer
lose_in_thread (gpointer feed)
{
  return GINT_TO_POINTER (lose (feed, "vkQueueSubmit"));
}

/* Fills the queue behind a sink that has taken one buffer and no more, and loses
 * the device. The thread is in the push that noticed. */
static GThread *
lose_behind_a_dam (Feed *feed, Dam *dam, guint n)
{
  dam_build (dam, feed->h);
  push (feed, 1);
  dam_wait (dam);
  push (feed, n);
  guint64 losses = counted (feed, "device-losses");
  GThread *thread = g_thread_new ("pusher", lose_in_thread, feed);
  stat_wait (feed->h->element, "device-losses", losses + 1);
  return thread;
}

static gchar *
next_text (Feed *feed, GstMessageType type)
{
  GstMessage *message = bus_wait (feed->h, type);
  GError *error = NULL;

  if (type == GST_MESSAGE_WARNING)
    gst_message_parse_warning (message, &error, NULL);
  else
    gst_message_parse_error (message, &error, NULL);
  fail_unless (
      g_error_matches (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED), "%s", error->message);
  fail_unless (strstr (error->message, "Fix: ") != NULL, "no remedy in '%s'", error->message);
  gchar *text = g_strdup (error->message);
  g_error_free (error);
  gst_message_unref (message);
  return text;
}

static void
expect_text (Feed *feed, GstMessageType type, const gchar *part)
{
  gchar *text = next_text (feed, type);

  fail_unless (strstr (text, part) != NULL, "'%s' is not in '%s'", part, text);
  g_free (text);
  fail_unless_equals_int (bus_count_type (feed->h, type), 0);
}

/* One loss, one warning, as many batches run again as it says, no error. */
static void
check_recovered (Feed *feed)
{
  guint64 rerun = counted (feed, "rerun-batches");
  gchar *count = g_strdup_printf (
      "%" G_GUINT64_FORMAT " %s run again", rerun, rerun == 1 ? "batch is" : "batches are");
  gchar *text = next_text (feed, GST_MESSAGE_WARNING);

  fail_unless (strstr (text, "the device was lost in vk") != NULL, "'%s'", text);
  fail_unless (strstr (text, count) != NULL, "'%s' is not in '%s'", count, text);
  fail_unless_equals_int (bus_count_type (feed->h, GST_MESSAGE_WARNING), 0);
  fail_unless_equals_int (bus_count_type (feed->h, GST_MESSAGE_ERROR), 0);
  fail_unless_equals_uint64 (counted (feed, "device-losses"), 1);
  fail_unless_equals_uint64 (counted (feed, "buffers"), feed->pushed);
  fail_unless_equals_uint64 (counted (feed, "batches"), feed->pulled);
  g_free (text);
  g_free (count);
}

/* ---- one loss ---------------------------------------------------------- */

static const gchar *const calls[] = { "vkQueueSubmit", "vkWaitForFences" };

GST_START_TEST (a_loss_while_streaming_costs_nothing)
{
  Feed feed = feed_new (4);

  run (&feed, 10);
  fail_unless_equals_int (lose (&feed, calls[__i__]), GST_FLOW_OK);
  pull_all (&feed);
  check_recovered (&feed);
  run (&feed, 50);
  filter_push_eos (feed.h);
  filter_wait_eos (feed.h);
  fail_unless_equals_uint64 (counted (&feed, "batches"), feed.pushed);
  feed_finish (&feed);
}
GST_END_TEST;

GST_START_TEST (a_loss_at_the_first_launch_costs_nothing)
{
  Feed feed = feed_new (4);

  vyre_lost_arm ("vkQueueSubmit", 1, 1);
  push (&feed, 20);
  pull_all (&feed);
  check_recovered (&feed);
  feed_finish (&feed);
}
GST_END_TEST;

/* What waits behind a sink that does not take it is run again to the last batch, of a
 * program, with a file or without, or of slots. */
GST_START_TEST (all_batches_in_flight_are_run_again)
{
  Feed (*const make[]) (guint) = { feed_new, feed_new_of_slots, feed_new_of_file };
  Feed feed = make[__i__](64);
  Dam dam;

  run (&feed, 3);
  guint before = feed.pushed;
  count_reconfigures (&feed); /* linking pads makes one, too */
  GThread *thread = lose_behind_a_dam (&feed, &dam, 10);
  wait_for_kernel (&feed);
  dam_break (&dam);
  fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (thread)), GST_FLOW_OK);
  pull_all (&feed);
  /* all but the first, which was through, and the last, which noticed */
  guint left = feed.pushed - before - 2;
  fail_unless (left >= 10);
  fail_unless_equals_uint64 (counted (&feed, "rerun-batches"), left);
  check_recovered (&feed);
  run (&feed, 20);
  feed_finish (&feed);
}
GST_END_TEST;

static gint n_ended; /* of the threads that push or flush */

static gpointer
push_on (gpointer data)
{
  GstFlowReturn flow = GST_FLOW_OK;

  while (flow == GST_FLOW_OK)
    flow = try_push (data);
  g_atomic_int_inc (&n_ended);
  return GINT_TO_POINTER (flow);
}

/* They would take the memory that the older ones need. */
GST_START_TEST (new_buffers_wait_for_those_that_are_run_again)
{
  Feed feed = feed_new (64);
  Dam dam;

  run (&feed, 3);
  count_reconfigures (&feed);
  GThread *thread = lose_behind_a_dam (&feed, &dam, 5);
  wait_for_kernel (&feed);
  guint64 taken = counted (&feed, "buffers");
  for (guint i = 0; i < 100; i++) {
    g_usleep (1000);
    fail_unless_equals_uint64 (counted (&feed, "buffers"), taken);
  }
  dam_break (&dam);
  fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (thread)), GST_FLOW_OK);
  pull_all (&feed);
  fail_unless (counted (&feed, "buffers") > taken);
  check_recovered (&feed);
  feed_finish (&feed);
}
GST_END_TEST;

GST_START_TEST (a_loss_in_paused_costs_nothing)
{
  Feed feed = feed_new (4);

  run (&feed, 3);
  gst_element_set_state (feed.h->element, GST_STATE_PAUSED);
  fail_unless_equals_int (lose (&feed, "vkQueueSubmit"), GST_FLOW_OK);
  pull_all (&feed);
  check_recovered (&feed);
  gst_element_set_state (feed.h->element, GST_STATE_PLAYING);
  run (&feed, 20);
  feed_finish (&feed);
}
GST_END_TEST;

/* ---- memory ------------------------------------------------------------ */

static guint64
bytes_of (guint first, guint end)
{
  guint64 bytes = 0;

  for (guint i = first; i < end; i++)
    bytes += size_of (i);
  return bytes;
}

/* Into staging memory, or straight to the device where that has its own. */
static guint64
copied_bytes (Feed *feed)
{
  return counted (feed, "cpu-bounce-bytes")
         + stat_nested (feed->h->element, "ingest", "direct-bytes");
}

/* How many of the last buffers that many copied bytes are. */
static guint
count_copied (Feed *feed)
{
  guint64 bytes = copied_bytes (feed);
  guint n = 0;

  while (bytes_of (feed->pushed - n, feed->pushed) < bytes)
    n++;
  fail_unless_equals_uint64 (bytes_of (feed->pushed - n, feed->pushed), bytes);
  return n;
}

/* Upstream's memory is copied over, counted, and upstream is asked to take other. */
GST_START_TEST (memory_of_a_lost_kernel_is_copied_until_upstream_takes_new)
{
  Feed feed = feed_new (4);

  take_proposed_memory (&feed);
  run (&feed, 5);
  fail_unless_equals_uint64 (copied_bytes (&feed), 0);
  count_reconfigures (&feed);
  fail_unless_equals_int (lose (&feed, "vkQueueSubmit"), GST_FLOW_OK);
  pull_all (&feed);
  fail_unless (count_copied (&feed) >= 1);
  wait_for_kernel (&feed);
  guint64 copied = copied_bytes (&feed);
  GstBuffer *late = make_input (&feed, 0); /* the old allocator has nothing to lend now */
  fail_unless (gst_memory_is_type (gst_buffer_peek_memory (late, 0), GST_ALLOCATOR_SYSMEM));
  gst_buffer_unref (late);
  take_proposed_memory (&feed);
  run (&feed, 5);
  fail_unless_equals_uint64 (copied_bytes (&feed), copied);
  fail_unless_equals_int (count_reconfigures (&feed), 0);
  check_recovered (&feed);
  feed_finish (&feed);
}
GST_END_TEST;

/* What upstream had filled before is good afterwards. */
GST_START_TEST (a_buffer_from_before_the_loss_is_read_after_it)
{
  Feed feed = feed_new (4);

  take_proposed_memory (&feed);
  GstBuffer *early = make_input (&feed, 1000);
  fail_unless (gst_memory_is_type (gst_buffer_peek_memory (early, 0), "VyreMemory"));
  fail_unless_equals_int (lose (&feed, "vkQueueSubmit"), GST_FLOW_OK);
  pull_all (&feed);
  guint64 copied = copied_bytes (&feed);
  GstBuffer *readback = filter_run (feed.h, early);
  check_readback (readback, 1000);
  gst_buffer_unref (readback);
  fail_unless_equals_uint64 (copied_bytes (&feed), copied + size_of (1000));
  feed_finish (&feed);
}
GST_END_TEST;

GST_START_TEST (readbacks_of_a_lost_kernel_stay_valid)
{
  Feed feed = feed_new (4);
  GstBuffer *kept[5];

  for (guint i = 0; i < G_N_ELEMENTS (kept); i++) {
    push (&feed, 1);
    kept[i] = filter_pull (feed.h);
    check_readback (kept[i], feed.pulled++);
  }
  lose (&feed, "vkQueueSubmit");
  pull_all (&feed);
  run (&feed, 20);
  check_recovered (&feed);
  for (guint i = 0; i < G_N_ELEMENTS (kept); i++)
    check_readback (kept[i], i);
  feed_finish (&feed);
  for (guint i = 0; i < G_N_ELEMENTS (kept); i++) {
    check_readback (kept[i], i);
    gst_buffer_unref (kept[i]);
  }
}
GST_END_TEST;

static GstBufferPool *
pool_of (Feed *feed, guint n)
{
  GstBufferPool *pool = gst_buffer_pool_new ();
  GstStructure *config = gst_buffer_pool_get_config (pool);

  take_proposed_memory (feed);
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

  vyre_lost_arm ("vkQueueSubmit", 1, 1);
  for (guint i = 0; i < 40; i++) {
    GstBuffer *buffer = NULL;
    fail_unless_equals_int (gst_buffer_pool_acquire_buffer (pool, &buffer, NULL), GST_FLOW_OK);
    gst_buffer_memset (buffer, 0, (guint8)i, 100);
    GST_BUFFER_OFFSET (buffer) = i;
    filter_push (feed.h, buffer);
  }
  for (guint i = 0; i < 40; i++) {
    guint8 bytes[100];
    memset (bytes, (int)i, sizeof bytes);
    GstBuffer *readback = filter_pull (feed.h);
    fail_unless_equals_uint64 (GST_BUFFER_OFFSET (readback), i);
    fail_unless_equals_uint64 (readback_observable (readback, 1), oracle_crc32 (bytes, 100));
    gst_buffer_unref (readback);
  }
  fail_unless_equals_uint64 (counted (&feed, "device-losses"), 1);
  fail_unless_equals_uint64 (counted (&idle, "device-losses"), 0);
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

  run (&a, 3);
  run (&b, 5);
  fail_unless_equals_int (lose (&a, "vkQueueSubmit"), GST_FLOW_OK);
  pull_all (&a);
  run (&b, 10);
  run (&a, 10);
  check_recovered (&a);
  check_recovered (&b);
  fail_unless_equals_int (vyre_lost_count (), lost + 1);
  fail_unless_equals_uint64 (counted (&a, "kernel-batches"), counted (&b, "kernel-batches"));
  feed_finish (&a);
  run (&b, 10);
  feed_finish (&b);
}
GST_END_TEST;

static gpointer
run_many (gpointer data)
{
  Feed *feed = data;

  for (guint i = 0; i < 60; i++) {
    push (feed, 5);
    pull_all (feed);
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
    while (counted (&feeds[i], "device-losses") == 0) /* was through when it happened */
      run (&feeds[i], 1);
    check_recovered (&feeds[i]);
  }
  fail_unless_equals_uint64 (
      counted (&feeds[0], "kernel-batches"), counted (&feeds[1], "kernel-batches"));
  feed_finish (&feeds[0]);
  feed_finish (&feeds[1]);
}
GST_END_TEST;

/* ---- the end of a stream ----------------------------------------------- */

/* The second loss finds batches that wait behind a sink: all of them are named. */
GST_START_TEST (a_second_loss_ends_the_stream_and_names_its_batches)
{
  Feed feed = feed_new (64);
  Dam dam;

  run (&feed, 3);
  fail_unless_equals_int (lose (&feed, "vkQueueSubmit"), GST_FLOW_OK);
  pull_all (&feed);
  check_recovered (&feed);
  guint oldest = feed.pushed + 2; /* the next one gets through; numbers start with 1 */
  GThread *thread = lose_behind_a_dam (&feed, &dam, 5);
  fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (thread)), GST_FLOW_ERROR);
  gchar *named = g_strdup_printf (
      "for the second time in this stream; batches %u to %u are lost. Fix: ", oldest, feed.pushed);
  expect_text (&feed, GST_MESSAGE_ERROR, named);
  fail_unless_equals_int (try_push (&feed), GST_FLOW_ERROR);
  fail_unless_equals_uint64 (counted (&feed, "device-losses"), 2);
  fail_unless_equals_int (bus_count_type (feed.h, GST_MESSAGE_ERROR), 0);
  filter_flush (feed.h);
  dam_break (&dam);
  filter_push_segment (feed.h);
  fail_unless_equals_int (try_push (&feed), GST_FLOW_ERROR); /* and again, for what comes now */
  g_free (named);
  named = g_strdup_printf ("; batch %u is lost. Fix: ", feed.pushed);
  expect_text (&feed, GST_MESSAGE_ERROR, named);
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

  fail_unless_equals_int (lose (&feed, "vkQueueSubmit"), GST_FLOW_OK);
  pull_all (&feed);
  check_recovered (&feed);
  lose (&feed, "vkQueueSubmit");
  guint64 missing = counted (&feed, "batches") + 1;
  gchar *named = g_strdup_printf ("; batch %" G_GUINT64_FORMAT " is lost. Fix: ", missing);
  fail_unless_equals_int (try_push (&feed), GST_FLOW_ERROR);
  expect_text (&feed, GST_MESSAGE_ERROR, named);
  g_free (named);
  feed_finish (&feed);
}
GST_END_TEST;

/* The next stream may lose a device again. */
GST_START_TEST (a_new_stream_starts_with_a_new_count)
{
  Feed feed = feed_new (4);

  for (guint i = 0; i < 2; i++) {
    fail_unless_equals_int (lose (&feed, "vkQueueSubmit"), GST_FLOW_OK);
    pull_all (&feed);
    check_recovered (&feed);
    gst_element_set_state (feed.h->element, GST_STATE_READY);
    gst_element_set_state (feed.h->element, GST_STATE_PLAYING);
    filter_push_segment (feed.h);
    feed.pushed = feed.pulled = 0;
  }
  run (&feed, 5);
  feed_finish (&feed);
}
GST_END_TEST;

/* ---- a recovery that fails --------------------------------------------- */

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

GST_START_TEST (a_device_that_cannot_be_opened_again_ends_the_stream)
{
  Feed feed = feed_new (4);

  run (&feed, 3);
  GThread *thread = push_into_recovery (&feed);
  vyre_lost_arm ("vkCreateDevice", 1, 1);
  vyre_lost_hold (FALSE);
  fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (thread)), GST_FLOW_ERROR);
  expect_text (&feed, GST_MESSAGE_ERROR,
      "lost in vkCreateDevice, when it was opened again after a loss; batch");
  fail_unless_equals_int (try_push (&feed), GST_FLOW_ERROR);
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
  expect_text (&feed, GST_MESSAGE_ERROR,
      "lost in vkQueueSubmit, when it was opened again after a loss; batch");
  fail_unless_equals_int (vyre_lost_count (), lost + 2);
  feed_finish (&feed);
}
GST_END_TEST;

/* Mapped memory goes with its device, and the payloads that upstream wrote there. */
GST_START_TEST (payloads_in_memory_of_the_device_are_lost_with_it)
{
  vyre_lost_forbid_import ();
  Feed feed = feed_new (4);

  take_proposed_memory (&feed);
  run (&feed, 3);
  vyre_lost_arm ("vkQueueSubmit", 1, 1);
  fail_unless_equals_int (GPOINTER_TO_INT (push_on (&feed)), GST_FLOW_ERROR);
  expect_text (&feed, GST_MESSAGE_ERROR, "lay in memory of the device that was lost; batch");
  fail_unless_equals_uint64 (counted (&feed, "device-losses"), 1);
  feed_finish (&feed);
}
GST_END_TEST;

/* However many devices and streams later. */
GST_START_TEST (payloads_of_an_earlier_device_stay_lost)
{
  static const GstState states[] = { GST_STATE_READY, GST_STATE_NULL };

  vyre_lost_forbid_import ();
  Feed feed = feed_new (4);
  take_proposed_memory (&feed);
  GstBuffer *early = make_input (&feed, 1000);
  fail_unless (gst_memory_is_type (gst_buffer_peek_memory (early, 0), "VyreMemory"));
  gst_clear_object (&feed.allocator);
  for (guint i = 0; i < 2; i++) {
    fail_unless_equals_int (lose (&feed, "vkQueueSubmit"), GST_FLOW_OK);
    pull_all (&feed);
    check_recovered (&feed);
    gst_element_set_state (feed.h->element, states[__i__]);
    gst_element_set_state (feed.h->element, GST_STATE_PLAYING);
    filter_push_segment (feed.h);
    feed.pushed = feed.pulled = 0;
  }
  run (&feed, 3);
  fail_unless_equals_int (gst_harness_push (feed.h, early), GST_FLOW_ERROR);
  expect_text (&feed, GST_MESSAGE_ERROR, "lay in memory of the device that was lost; batch 4 is");
  feed_finish (&feed);
}
GST_END_TEST;

/* A filter that never had to do with the device is not told, and asks the memory. */
GST_START_TEST (other_filters_refuse_what_is_lost)
{
  vyre_lost_forbid_import ();
  Feed feed = feed_new (4), other = { 0 };

  take_proposed_memory (&feed);
  GstBuffer *early = make_input (&feed, 1000);
  gst_clear_object (&feed.allocator);
  fail_unless_equals_int (lose (&feed, "vkQueueSubmit"), GST_FLOW_OK);
  pull_all (&feed);
  other.h = filter_new_with (CRC, "kernel-group", "other", NULL);
  filter_start (other.h, NULL);
  fail_unless_equals_int (gst_harness_push (other.h, early), GST_FLOW_ERROR);
  expect_text (&other, GST_MESSAGE_ERROR, "lay in memory of the device that was lost; batch 1 is");
  feed_finish (&other);
  run (&feed, 3);
  feed_finish (&feed);
}
GST_END_TEST;

GST_START_TEST (payloads_in_system_memory_are_not)
{
  vyre_lost_forbid_import ();
  Feed feed = feed_new (4);

  run (&feed, 3);
  fail_unless_equals_int (lose (&feed, "vkQueueSubmit"), GST_FLOW_OK);
  pull_all (&feed);
  run (&feed, 10);
  check_recovered (&feed);
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
  run (feed, 20);
}

GST_START_TEST (a_flush_drops_what_a_lost_kernel_left)
{
  Feed feed = feed_new (64);
  Dam dam;

  run (&feed, 3);
  GThread *thread = lose_behind_a_dam (&feed, &dam, 5);
  filter_flush (feed.h);
  fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (thread)), GST_FLOW_FLUSHING);
  dam_break (&dam);
  fail_unless_equals_uint64 (counted (&feed, "rerun-batches"), 0);
  fail_unless_equals_uint64 (
      counted (&feed, "flushed") + counted (&feed, "batches"), counted (&feed, "buffers"));
  restart_after_flush (&feed);
  fail_unless_equals_uint64 (counted (&feed, "device-losses"), 1);
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

/* Only the thread that opens the device cannot leave yet: either the chain function
 * returns, or the task ends, which lets the flush go on. */
GST_START_TEST (a_flush_may_come_during_a_recovery)
{
  Feed feed = feed_new (64);

  run (&feed, 3);
  g_atomic_int_set (&n_ended, 0);
  GThread *pusher = push_into_recovery (&feed);
  GThread *flusher = g_thread_new ("flusher", start_flush, feed.h);
  for (guint i = 0; i < PATIENCE * 1000 && g_atomic_int_get (&n_ended) == 0; i++)
    g_usleep (1000);
  fail_unless_equals_int (g_atomic_int_get (&n_ended), 1);
  vyre_lost_hold (FALSE);
  fail_unless (GPOINTER_TO_INT (g_thread_join (flusher)));
  fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (pusher)), GST_FLOW_FLUSHING);
  fail_unless (gst_harness_push_event (feed.h, gst_event_new_flush_stop (TRUE)));
  restart_after_flush (&feed);
  fail_unless_equals_int (bus_count_type (feed.h, GST_MESSAGE_ERROR), 0);
  fail_unless_equals_uint64 (counted (&feed, "device-losses"), 1);
  feed_finish (&feed);
}
GST_END_TEST;

static gpointer
go_to_null (gpointer element)
{
  return GINT_TO_POINTER (gst_element_set_state (element, GST_STATE_NULL));
}

static void
restart_after_null (Feed *feed)
{
  while (gst_harness_buffers_in_queue (feed->h) > 0) /* a launch that was leaving ran them */
    gst_buffer_unref (gst_harness_pull (feed->h));
  fail_unless_equals_int (
      gst_element_set_state (feed->h->element, GST_STATE_PLAYING), GST_STATE_CHANGE_SUCCESS);
  feed->pushed = feed->pulled = 0;
  run (feed, 10);
  fail_unless_equals_uint64 (counted (feed, "device-losses"), 0);
  fail_unless_equals_int (bus_count_type (feed->h, GST_MESSAGE_ERROR), 0);
}

GST_START_TEST (null_may_come_during_a_recovery)
{
  Feed feed = feed_new (4);

  run (&feed, 3);
  GThread *pusher = push_into_recovery (&feed);
  GThread *stopper = g_thread_new ("stopper", go_to_null, feed.h->element);
  wait_flushing (filter_pad (feed.h, "src"));
  vyre_lost_hold (FALSE);
  fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (stopper)), GST_STATE_CHANGE_SUCCESS);
  fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (pusher)), GST_FLOW_FLUSHING);
  restart_after_null (&feed);
  feed_finish (&feed);
}
GST_END_TEST;

/* Batches run and nobody waits for them when the device is found lost. */
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
      push (feed, 1);
    if ((readback = gst_harness_try_pull (feed->h)))
      check_readback (readback, feed->pulled++);
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

  run (&feed, 3);
  for (guint i = 1; i <= 2; i++) {
    check_stall (stall (&feed));
    push (&feed, 3);
    fail_unless_equals_uint64 (stat_nested (feed.h->element, "tenant", "outstanding"), 4);
    vyre_lost_stall (false);
    pull_all (&feed);
    run (&feed, 3);
    stat_wait_quiet (feed.h->element);
    fail_unless_equals_uint64 (counted (&feed, "stalls"), i);
    fail_unless_equals_int (bus_count_type (feed.h, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR), 0);
  }
  feed_finish (&feed);
}
GST_END_TEST;

static void
add_recovery_tests (TCase *tc)
{
  tcase_add_loop_test (tc, a_loss_while_streaming_costs_nothing, 0, G_N_ELEMENTS (calls));
  tcase_add_test (tc, a_loss_at_the_first_launch_costs_nothing);
  tcase_add_loop_test (tc, all_batches_in_flight_are_run_again, 0, 3);
  tcase_add_test (tc, new_buffers_wait_for_those_that_are_run_again);
  tcase_add_test (tc, a_loss_in_paused_costs_nothing);
  tcase_add_test (tc, memory_of_a_lost_kernel_is_copied_until_upstream_takes_new);
  tcase_add_test (tc, a_buffer_from_before_the_loss_is_read_after_it);
  tcase_add_test (tc, readbacks_of_a_lost_kernel_stay_valid);
  tcase_add_test (tc, a_pool_of_one_buffer_survives_next_to_an_idle_filter);
  tcase_add_test (tc, filters_that_shared_a_kernel_share_the_next);
  tcase_add_loop_test (tc, filters_may_notice_at_the_same_time, 0, G_N_ELEMENTS (calls));
}

static Suite *
loss_suite (void)
{
  Suite *s = suite_create ("loss");
  TCase *recovery = tcase_create ("recovery"), *end = tcase_create ("end");
  TCase *middle = tcase_create ("middle");

  suite_add_tcase (s, recovery);
  add_recovery_tests (recovery);
  suite_add_tcase (s, end);
  tcase_add_test (end, a_second_loss_ends_the_stream_and_names_its_batches);
  tcase_add_test (end, a_second_loss_that_the_task_notices_is_told_once);
  tcase_add_test (end, a_new_stream_starts_with_a_new_count);
  tcase_add_test (end, a_device_that_cannot_be_opened_again_ends_the_stream);
  tcase_add_test (end, a_device_that_is_lost_in_its_proof_ends_the_stream);
  tcase_add_test (end, payloads_in_memory_of_the_device_are_lost_with_it);
  tcase_add_loop_test (end, payloads_of_an_earlier_device_stay_lost, 0, 2);
  tcase_add_test (end, other_filters_refuse_what_is_lost);
  tcase_add_test (end, payloads_in_system_memory_are_not);
  suite_add_tcase (s, middle);
  tcase_add_test (middle, a_flush_drops_what_a_lost_kernel_left);
  tcase_add_test (middle, a_flush_may_come_during_a_recovery);
  tcase_add_test (middle, null_may_come_during_a_recovery);
  tcase_add_test (middle, a_device_that_stalls_is_warned_of_once_each_time);
  tcase_add_loop_test (middle, null_after_a_loss_does_not_hang, 0, G_N_ELEMENTS (calls));
  return s;
}

GST_CHECK_MAIN (loss);
