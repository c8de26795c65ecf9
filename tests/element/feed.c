/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "feed.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "oracle.h"

#define IDLE_TIMEOUT (2 * GST_MSECOND)

/* Sizes that feed_new_of_state() remembers. */
#define FEED_SIZES 8

gsize
feed_size_of (guint i)
{
  return 1 + i / 2 * 1237 % 9000; /* two have the same */
}

/* Slots that store the results of the program over the noise, and some idle ones. */
static GstBuffer *
feed_make_slots (guint i)
{
  guint n = 2 + i % 3;
  guint32 (*slots)[VYRE_SLOT_WORDS] = g_malloc0 (n * sizeof *slots);
  guint8 *data = noise_new (feed_size_of (i), i);
  guint32 values[] = { i + 1, oracle_crc32 (data, feed_size_of (i)) };

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

GstBuffer *
feed_make_input (Feed *feed, guint i)
{
  gsize size = feed_size_of (i);
  guint8 *data = noise_new (size, i);
  GstBuffer *buffer = gst_buffer_new_allocate (feed->allocator, size, &feed->params);

  gst_buffer_fill (buffer, 0, data, size);
  GST_BUFFER_OFFSET (buffer) = i;
  GST_BUFFER_PTS (buffer) = i * GST_MSECOND;
  g_free (data);
  return buffer;
}

GstFlowReturn
feed_try_push (Feed *feed)
{
  guint i = feed->pushed++;

  return gst_harness_push (feed->h, feed->slots ? feed_make_slots (i) : feed_make_input (feed, i));
}

void
feed_push (Feed *feed, guint n)
{
  for (guint i = 0; i < n; i++)
    fail_unless_equals_int (feed_try_push (feed), GST_FLOW_OK);
}

void
feed_check_readback (GstBuffer *readback, guint i)
{
  guint8 *data = noise_new (feed_size_of (i), i);

  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (readback), i);
  fail_unless_equals_uint64 (
      readback_observable (readback, 1), oracle_crc32 (data, feed_size_of (i)));
  g_free (data);
}

/* Expects state that no buffer is missing in, and none twice. */
static void
feed_check_state (GstBuffer *readback, guint begin, guint i)
{
  fail_unless_equals_int (readback_observable (readback, 2), i - begin + 1);
  for (guint back = 0; back < FEED_SIZES; back++)
    fail_unless_equals_uint64 (readback_observable (readback, 2 + FEED_SIZES - back),
        back <= i - begin ? feed_size_of (i - back) : 0);
  gboolean has_previous = i > begin && feed_size_of (i) == feed_size_of (i - 1);
  guint8 *previous = noise_new (feed_size_of (i), has_previous ? i - 1 : i);
  fail_unless_equals_uint64 (readback_observable (readback, 3 + FEED_SIZES),
      has_previous ? oracle_crc32 (previous, feed_size_of (i)) : 0);
  fail_unless_equals_int64 (readback_observable (readback, 4 + FEED_SIZES),
      readback_observable (readback, 3 + FEED_SIZES));
  g_free (previous);
}

/* Expects a readback for every pushed buffer, in order. */
void
feed_pull_all (Feed *feed)
{
  while (feed->pulled < feed->pushed) {
    GstBuffer *readback = filter_pull (feed->h);
    feed_check_readback (readback, feed->pulled);
    if (feed->state)
      feed_check_state (readback, feed->first, feed->pulled);
    feed->pulled++;
    if (!feed->flushed)
      fail_unless_equals_uint64 (readback_observable (readback, 0), feed->pulled);
    gst_buffer_unref (readback);
  }
  fail_unless_equals_int (gst_harness_buffers_in_queue (feed->h), 0);
}

void
feed_run (Feed *feed, guint n)
{
  for (guint i = 0; i < n; i++) {
    feed_push (feed, 1);
    feed_pull_all (feed);
  }
}

Feed
feed_new (guint max_in_flight)
{
  Feed feed = { .h = filter_new_with (
                    CRC, "idle-timeout", IDLE_TIMEOUT, "max-in-flight", max_in_flight, NULL) };

  gst_allocation_params_init (&feed.params);
  filter_start (feed.h, NULL);
  return feed;
}

/* A feed whose program reads a file: batches that run again keep the grant. */
Feed
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

Feed
feed_new_of_slots (guint max_in_flight)
{
  Feed feed = { .slots = TRUE };

  feed.h
      = filter_new_with (NULL, "idle-timeout", IDLE_TIMEOUT, "max-in-flight", max_in_flight, NULL);
  filter_start (feed.h, "application/x-vyre-slots");
  return feed;
}

/* A feed whose program has state, and reads the previous payload. */
Feed
feed_new_of_state (guint max_in_flight)
{
  Feed feed = { .state = TRUE };

  feed.h = filter_new_with (CRC
      "; state n[1]; state sizes[8]; atomic_add 1 -> n\n"
      "packed_slot { memcpy &sizes + 1, &sizes, 7 | store_u32 payload.size, &sizes + 7 }\n"
      "crc32 previous(payload) -> before\n"
      /* the one before, where that has the same size */
      "crc32 reference(payload) -> then; keep reference when $n <= 1000000",
      "idle-timeout", IDLE_TIMEOUT, "max-in-flight", max_in_flight, NULL);
  gst_allocation_params_init (&feed.params);
  filter_start (feed.h, NULL);
  return feed;
}

void
feed_take_proposed_memory (Feed *feed)
{
  GstQuery *query = gst_query_new_allocation (NULL, TRUE);

  gst_clear_object (&feed->allocator);
  fail_unless (gst_pad_peer_query (feed->h->srcpad, query));
  gst_query_parse_nth_allocation_param (query, 0, &feed->allocator, &feed->params);
  gst_query_unref (query);
}

void
feed_finish (Feed *feed)
{
  gst_clear_object (&feed->allocator);
  filter_finish (feed->h);
  if (feed->file)
    g_unlink (feed->file);
  g_free (feed->file);
}

guint64
feed_counted (Feed *feed, const gchar *name)
{
  return stat_of (feed->h->element, name);
}

static gboolean
feed_is_dispatch (Feed *feed)
{
  GstStructure *stats = stats_of (feed->h->element);
  gboolean dispatch = g_str_equal (gst_structure_get_string (stats, "residency"), "dispatch");

  gst_structure_free (stats);
  return dispatch;
}

/* Waits until the kernel is parked again, or lost. */
static void
feed_wait_parked (Feed *feed, guint64 parks, guint64 losses, guint lost)
{
  gint64 end = g_get_monotonic_time () + PATIENCE * G_TIME_SPAN_SECOND;

  while (feed_counted (feed, "parks") == parks && feed_counted (feed, "device-losses") == losses
         && vyre_lost_count () == lost) {
    fail_unless (g_get_monotonic_time () < end, "the kernel does not leave");
    g_thread_yield ();
  }
}

/* Loses the device in @call, and pushes until the filter has noticed. A kernel that
 * is parked before each buffer has to be launched for it. */
GstFlowReturn
feed_lose (Feed *feed, const gchar *call)
{
  gint64 end = g_get_monotonic_time () + PATIENCE * G_TIME_SPAN_SECOND;
  guint64 losses = feed_counted (feed, "device-losses");
  gboolean dispatch = feed_is_dispatch (feed);
  guint lost = vyre_lost_count ();
  GstFlowReturn flow = GST_FLOW_OK;

  vyre_lost_arm (call, 1, 1);
  while (flow == GST_FLOW_OK && feed_counted (feed, "device-losses") == losses) {
    fail_unless (g_get_monotonic_time () < end, "nobody noticed the loss");
    guint64 parks = feed_counted (feed, "parks");
    flow = feed_try_push (feed);
    if (!dispatch && flow == GST_FLOW_OK)
      feed_wait_parked (feed, parks, losses, lost);
  }
  return flow;
}

guint
feed_count_reconfigures (Feed *feed)
{
  GstEvent *event;
  guint n = 0;

  while ((event = gst_harness_try_pull_upstream_event (feed->h))) {
    n += GST_EVENT_TYPE (event) == GST_EVENT_RECONFIGURE;
    gst_event_unref (event);
  }
  return n;
}

void
feed_wait_for_kernel (Feed *feed)
{
  gint64 end = g_get_monotonic_time () + PATIENCE * G_TIME_SPAN_SECOND;

  while (feed_count_reconfigures (feed) == 0) {
    fail_unless (g_get_monotonic_time () < end, "upstream was not told of a new kernel");
    g_thread_yield ();
  }
}

static gpointer
feed_lose_in_thread (gpointer feed)
{
  return GINT_TO_POINTER (feed_lose (feed, "vkQueueSubmit"));
}

/* Fills the queue behind a sink that takes one buffer and no more, and loses the device. The thread
 * that is returned is in the push that noticed the loss. The first buffer after a flush is the
 * task's. */
GThread *
feed_lose_behind_a_dam (Feed *feed, Dam *dam, guint n)
{
  filter_flush (feed->h);
  filter_push_segment (feed->h);
  feed->first = feed->pushed;
  dam_build (dam, feed->h);
  feed_push (feed, 1);
  dam_wait (dam);
  feed_push (feed, n);
  guint64 losses = feed_counted (feed, "device-losses");
  GThread *thread = g_thread_new ("pusher", feed_lose_in_thread, feed);
  stat_wait (feed->h->element, "device-losses", losses + 1);
  return thread;
}

static gchar *
feed_next_text (Feed *feed, GstMessageType type)
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

void
feed_expect_text (Feed *feed, GstMessageType type, const gchar *part)
{
  gchar *text = feed_next_text (feed, type);

  fail_unless (strstr (text, part) != NULL, "'%s' is not in '%s'", part, text);
  g_free (text);
  fail_unless_equals_int (bus_count_type (feed->h, type), 0);
}

/* Expects one loss, no error, and one warning with the number of batches that were run again. */
void
feed_check_recovered (Feed *feed)
{
  guint64 rerun = feed_counted (feed, "rerun-batches");
  gchar *count = g_strdup_printf (
      "%" G_GUINT64_FORMAT " %s run again", rerun, rerun == 1 ? "batch is" : "batches are");
  gchar *text = feed_next_text (feed, GST_MESSAGE_WARNING);

  fail_unless (strstr (text, "the device was lost in vk") != NULL, "'%s'", text);
  fail_unless (strstr (text, count) != NULL, "'%s' is not in '%s'", count, text);
  fail_unless_equals_int (bus_count_type (feed->h, GST_MESSAGE_WARNING), 0);
  fail_unless_equals_int (bus_count_type (feed->h, GST_MESSAGE_ERROR), 0);
  fail_unless_equals_uint64 (feed_counted (feed, "device-losses"), 1);
  fail_unless_equals_uint64 (feed_counted (feed, "buffers"), feed->pushed);
  fail_unless_equals_uint64 (feed_counted (feed, "batches"), feed->pulled);
  g_free (text);
  g_free (count);
}
