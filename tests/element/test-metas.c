/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * output-mode=passthrough: the results that buffers carry, behind elements that make other buffers
 * of them, and the events and arrays that buffers carry as GstAnalytics has them.
 */
#include "common.h"
#include "library/gst/vyre/vyre.h"
#include "metas.h"

#define N_BUFFERS 8
#define FILTER                                                                                     \
  "videotestsrc pattern=snow num-buffers=8 ! "                                                     \
  "video/x-raw,format=I420,width=64,height=48,framerate=30/1 ! "                                   \
  "vyrefilter name=filter output-mode=passthrough results-interval=0 program=\"crc32 payload -> "  \
  "crc\" ! "
#define SINK "fakesink name=sink signal-handoffs=true"

/* Posted results, by their number as text, and how many buffers came for each */
typedef struct {
  GHashTable *posted;
  GMutex lock;
  GHashTable *carried;
  guint n;
} Arrivals;

/* A result as text, with all that the message has. */
static gchar *
results_to_text (const GstVyreResults *results, gchar **key)
{
  guint64 sequence;

  fail_unless (gst_vyre_results_get_uint64 (results, "sequence", &sequence));
  *key = g_strdup_printf ("%" G_GUINT64_FORMAT, sequence);
  return gst_vyre_results_to_json (results);
}

/* The streaming threads of sinks. */
static void
on_handoff (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
  Arrivals *arrivals = data;
  g_autoptr (GstVyreResults) results = gst_vyre_results_from_buffer (buffer);
  gchar *key;

  fail_unless (results != NULL, "a buffer came without results");
  gchar *text = results_to_text (results, &key);
  g_mutex_lock (&arrivals->lock);
  arrivals->n++;
  g_hash_table_replace (arrivals->carried, key, text);
  g_mutex_unlock (&arrivals->lock);
}

static void
keep_posted (Arrivals *arrivals, GstMessage *message)
{
  g_autoptr (GstVyreResults) results = gst_vyre_results_from_message (message);
  gchar *key;

  fail_unless (GST_MESSAGE_TYPE (message) != GST_MESSAGE_ERROR);
  if (!results)
    return;
  gchar *text = results_to_text (results, &key);
  g_hash_table_replace (arrivals->posted, key, text);
}

/* From @least to @most buffers come, all but those left out by @way with results of their own, and
 * each has what was posted. */
static void
check_arrivals (Arrivals *arrivals, const gchar *way, guint least, guint most)
{
  GHashTableIter iter;
  gpointer key, text;

  fail_unless_equals_int (g_hash_table_size (arrivals->posted), N_BUFFERS);
  fail_unless (
      arrivals->n >= least && arrivals->n <= most, "behind %s come %u buffers", way, arrivals->n);
  fail_unless (g_hash_table_size (arrivals->carried) >= MIN (least, N_BUFFERS));
  g_hash_table_iter_init (&iter, arrivals->carried);
  while (g_hash_table_iter_next (&iter, &key, &text))
    fail_unless_equals_string (text, g_hash_table_lookup (arrivals->posted, key));
}

static void
play_through (const gchar *way, guint least, guint most)
{
  Arrivals arrivals = { .posted = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free),
    .carried = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free) };
  g_autofree gchar *text = g_strdup_printf ("%s%s ! " SINK, FILTER, way);
  GstElement *pipeline = gst_parse_launch (text, NULL);
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);

  g_mutex_init (&arrivals.lock);
  g_signal_connect (sink, "handoff", G_CALLBACK (on_handoff), &arrivals);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (gboolean ended = FALSE; !ended;) {
    g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (
        bus, PATIENCE * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_ELEMENT);
    fail_unless (message != NULL, "the stream does not end behind %s", way);
    ended = GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS;
    keep_posted (&arrivals, message);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  check_arrivals (&arrivals, way, least, most);
  gst_object_unref (pipeline);
  g_hash_table_unref (arrivals.posted);
  g_hash_table_unref (arrivals.carried);
  g_mutex_clear (&arrivals.lock);
}

GST_START_TEST (results_survive_other_elements)
{
  play_through ("queue", 8, 8);
  play_through ("tee name=t ! queue ! fakesink t. ! queue", 8, 8);
  play_through ("videoconvert ! video/x-raw,format=RGBA", 8, 8);
  play_through ("videoscale ! video/x-raw,width=32,height=24", 8, 8);
}
GST_END_TEST;

/* videorate fills up to the end, or not, by its version. A picture that comes twice has the results
 * of the one that it is a copy of. */
GST_START_TEST (results_follow_their_picture_through_videorate)
{
  play_through ("videorate ! video/x-raw,framerate=60/1", 15, 17);
  play_through ("videorate ! video/x-raw,framerate=15/1", 4, 5);
}
GST_END_TEST;

static Suite *
metas_suite (void)
{
  Suite *suite = suite_create ("metas");
  TCase *metas = tcase_create ("metas");

  suite_add_tcase (suite, metas);
  tcase_add_test (metas, results_survive_other_elements);
  tcase_add_test (metas, results_follow_their_picture_through_videorate);
  analytics_add_tests (metas);
  tensors_add_tests (metas);
  return suite;
}

GST_CHECK_MAIN (metas);
