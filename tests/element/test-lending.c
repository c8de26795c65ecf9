/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Staging memory that is lent: a source waits for it rather than have its blocks copied, and
 * streams that share it leave each other their parts.
 */
#include "common.h"
#include "file.h"

#define NEVER "18446744073709551615"
#define BLOCK 1048576

/* ---- sources wait ------------------------------------------------------------- */

/* The store holds four blocks, of which one stays free for copies, or twenty and a half. */
static const struct {
  const gchar *source;
  guint block;
} sources[] = {
  { "vyresrc", BLOCK },
  { "vyresrc queue-depth=1", BLOCK },
  { "filesrc", BLOCK },
  { "vyresrc", 200000 },
};

static GstElement *
read_with (const File *file, const gchar *source, guint block, const gchar *between)
{
  gchar *text = g_strdup_printf ("%s location=%s blocksize=%u ! %s vyrefilter name=filter "
                                 "staging-size=%d import-threshold=" NEVER " max-in-flight=8 "
                                 "program=\"u8_histogram payload -> h\" post-messages=0 ! fakesink",
      source, file->path, block, between, 4 * BLOCK);
  GError *error = NULL;
  GstElement *pipeline = gst_parse_launch (text, &error);
  fail_unless (error == NULL, "%s", error ? error->message : "");
  GstElement *filter = gst_bin_get_by_name (GST_BIN (pipeline), "filter");

  gst_util_set_object_arg (
      G_OBJECT (filter), "placement", g_getenv ("VYRE_TEST_PLACEMENT") ?: "auto");
  gst_object_unref (filter);
  g_free (text);
  return pipeline;
}

static void
check_nothing_copied (GstElement *pipeline, guint64 size)
{
  GstElement *filter = gst_bin_get_by_name (GST_BIN (pipeline), "filter");

  fail_unless_equals_uint64 (stat_of (filter, "cpu-bounce-bytes"), 0);
  fail_unless_equals_uint64 (stat_nested (filter, "ingest", "arena-bytes"), size);
  gst_object_unref (filter);
}

static void
finish (GstElement *pipeline)
{
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
}

/* Runs and takes @pipeline, which reads all of @file and copies none of it. */
static void
check_read (File *file, GstElement *pipeline)
{
  GstMessage *end = file_run_pipeline (pipeline, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);

  fail_unless_equals_int (GST_MESSAGE_TYPE (end), GST_MESSAGE_EOS);
  gst_message_unref (end);
  check_nothing_copied (pipeline, file->size);
  finish (pipeline);
  file_clear (file);
}

GST_START_TEST (a_source_waits_for_room)
{
  File file;

  file_init (&file, 24 * BLOCK + 4000);
  check_read (&file, read_with (&file, sources[__i__].source, sources[__i__].block, ""));
}
GST_END_TEST;

/* While blocks wait in a queue, the device works on none of them. */
GST_START_TEST (a_source_waits_for_what_a_queue_holds)
{
  File file;

  file_init (&file, 24 * BLOCK);
  check_read (
      &file, read_with (&file, "vyresrc", BLOCK, "queue max-size-bytes=0 max-size-buffers=100 ! "));
}
GST_END_TEST;

/* A queue that lets nothing out before it has more than the store holds: the wait is in vain, the
 * rest is copied, and the verdict says so. */
GST_START_TEST (a_wait_in_vain_ends)
{
  GstMessage *end;
  File file;

  file_init (&file, 12 * BLOCK);
  GstElement *pipeline = read_with (&file, "vyresrc", BLOCK,
      "queue max-size-bytes=0 max-size-buffers=100 min-threshold-buffers=6 ! ");
  end = file_run_pipeline (pipeline, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless_equals_int (GST_MESSAGE_TYPE (end), GST_MESSAGE_EOS);
  gst_message_unref (end);
  GstElement *filter = gst_bin_get_by_name (GST_BIN (pipeline), "filter");
  GstStructure *stats = stats_of (filter);
  const GstStructure *ingest = g_value_get_boxed (gst_structure_get_value (stats, "ingest"));
  guint64 crowded = field_u64 (ingest, "crowded-bytes");
  const gchar *verdict = gst_structure_get_string (ingest, "zero-copy-verdict");
  if (stat_is (filter, "placement", "unified")) {
    fail_unless (crowded > 0);
    fail_unless (strstr (verdict, "no room") != NULL, "%s", verdict);
  }
  gst_structure_free (stats);
  gst_object_unref (filter);
  finish (pipeline);
  file_clear (&file);
}
GST_END_TEST;

/* Behind a read. */
static GstPadProbeReturn
note_pinned (GstPad *pad, GstPadProbeInfo *info, gpointer most)
{
  GstElement *filter = gst_pad_get_parent_element (pad);
  guint64 pinned = stat_of (filter, "staging-pinned");

  *(guint64 *)most = MAX (*(guint64 *)most, pinned);
  gst_object_unref (filter);
  return GST_PAD_PROBE_OK;
}

/* A read pins the step that it goes to, and soon behind the last one none is pinned. */
GST_START_TEST (what_is_pinned_is_given_back)
{
  gint64 deadline = g_get_monotonic_time () + 3 * PATIENCE * G_TIME_SPAN_SECOND;
  guint64 most = 0;
  File file;

  file_init (&file, 4 * BLOCK);
  GstElement *pipeline = read_with (&file, "vyresrc", BLOCK, "");
  GstElement *filter = gst_bin_get_by_name (GST_BIN (pipeline), "filter");
  GstPad *pad = gst_element_get_static_pad (filter, "sink");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, note_pinned, &most, NULL);
  gst_element_set_state (pipeline, GST_STATE_READY);
  fail_unless_equals_uint64 (stat_of (filter, "staging-pinned"), 0);
  GstMessage *end = file_run_pipeline (pipeline, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless_equals_int (GST_MESSAGE_TYPE (end), GST_MESSAGE_EOS);
  gst_message_unref (end);
  if (!g_getenv ("VYRE_TEST_RESTRICTION"))
    fail_unless_equals_uint64 (most, 4 * BLOCK);
  while (stat_of (filter, "staging-pinned") > 0 && g_get_monotonic_time () < deadline)
    g_usleep (5000);
  fail_unless_equals_uint64 (stat_of (filter, "staging-pinned"), 0);
  gst_object_unref (pad);
  gst_object_unref (filter);
  finish (pipeline);
  file_clear (&file);
}
GST_END_TEST;

/* ---- streams share ------------------------------------------------------------ */

#define PIECE 65536
#define N_PIECES 16

/* An upstream of a filter that shares a store of N_PIECES pieces, some of which stay free. */
typedef struct {
  GstHarness *h;
  GstAllocator *allocator;
  GstAllocationParams params;
  GstBuffer *held[N_PIECES];
  guint n;
  gint returned; /* atomic: take_in_thread() has */
} Upstream;

static GstElement *
make_sharing_filter (void)
{
  GstElement *element = filter_make ("crc32 payload -> crc");

  g_object_set (element, "staging-size", (guint64)N_PIECES * PIECE, "import-threshold", G_MAXUINT64,
      "kernel-group", "lending", NULL);
  return element;
}

static void
upstream_start (Upstream *upstream)
{
  GstQuery *query = gst_query_new_allocation (NULL, FALSE);

  *upstream = (Upstream){ .h = filter_wrap (make_sharing_filter ()) };
  filter_start (upstream->h, NULL);
  fail_unless (gst_pad_peer_query (upstream->h->srcpad, query));
  gst_query_parse_nth_allocation_param (query, 0, &upstream->allocator, &upstream->params);
  gst_query_unref (query);
}

static void
upstream_finish (Upstream *upstream)
{
  while (upstream->n > 0)
    gst_buffer_unref (upstream->held[--upstream->n]);
  gst_object_unref (upstream->allocator);
  filter_finish (upstream->h);
}

/* Takes a buffer to keep. FALSE: it was not lent, and is not kept. */
static gboolean
upstream_take (Upstream *upstream)
{
  GstBuffer *buffer = gst_buffer_new_allocate (upstream->allocator, PIECE, &upstream->params);
  gboolean lent = gst_memory_is_type (gst_buffer_peek_memory (buffer, 0), "VyreMemory");

  gst_buffer_memset (buffer, 0, 1, PIECE);
  if (lent)
    upstream->held[upstream->n++] = buffer;
  else
    gst_buffer_unref (buffer);
  return lent;
}

/* Takes all it gets, and returns how much it has then. */
static guint
upstream_hoard (Upstream *upstream)
{
  while (upstream->n < N_PIECES && upstream_take (upstream))
    ;
  return upstream->n;
}

/* Sends a buffer that it has. */
static void
upstream_send (Upstream *upstream)
{
  gst_buffer_unref (filter_run (upstream->h, upstream->held[--upstream->n]));
  stat_wait_quiet (upstream->h->element);
}

/* An upstream that keeps all it gets does not get what another one wants now and then. */
GST_START_TEST (a_hoarder_does_not_starve_another)
{
  Upstream hoarder, other;

  upstream_start (&hoarder);
  guint most = upstream_hoard (&hoarder);
  fail_unless (most >= N_PIECES / 2);
  while (hoarder.n > 0)
    upstream_send (&hoarder);
  upstream_start (&other);
  for (guint round = 0; round < 10; round++) {
    for (guint i = 0; i < 4; i++)
      fail_unless (upstream_take (&other), "round %u", round);
    for (guint i = 0; i < 4; i++)
      upstream_send (&other);
    fail_unless_equals_int (upstream_hoard (&hoarder), most - 4);
  }
  fail_unless_equals_uint64 (stat_of (other.h->element, "cpu-bounce-bytes"), 0);
  upstream_finish (&other);
  upstream_finish (&hoarder);
}
GST_END_TEST;

/* What a hoarder gives back goes to the one that has less. */
GST_START_TEST (a_late_stream_gets_its_part)
{
  Upstream hoarder, late;

  upstream_start (&hoarder);
  guint part = upstream_hoard (&hoarder) / 2;
  upstream_start (&late);
  fail_if (upstream_take (&late));
  for (guint i = 0; i < part; i++) {
    upstream_send (&hoarder);
    fail_unless (upstream_take (&late));
  }
  upstream_send (&late);
  fail_if (upstream_take (&hoarder), "the other one has a part that it does not use now");
  upstream_finish (&late);
  fail_unless (upstream_take (&hoarder), "nobody else is there");
  upstream_finish (&hoarder);
}
GST_END_TEST;

static GstPadProbeReturn
hoard_more (GstPad *pad, GstPadProbeInfo *info, gpointer hoarder)
{
  upstream_hoard (hoarder);
  return GST_PAD_PROBE_OK;
}

/* A file is read past a hoarder that takes whatever is to be had whenever a block has come. */
GST_START_TEST (a_file_is_read_past_a_hoarder)
{
  GstElement *pipeline = gst_pipeline_new (NULL), *filter = make_sharing_filter ();
  GstElement *source = gst_element_factory_make ("vyresrc", NULL);
  GstElement *sink = gst_element_factory_make ("fakesink", NULL);
  Upstream hoarder;
  File file;

  file_init (&file, 100 * PIECE);
  g_object_set (source, "location", file.path, "blocksize", PIECE, "queue-depth", 3, NULL);
  gst_bin_add_many (GST_BIN (pipeline), source, gst_object_ref (filter), sink, NULL);
  fail_unless (gst_element_link_many (source, filter, sink, NULL));
  upstream_start (&hoarder);
  guint most = upstream_hoard (&hoarder);
  while (hoarder.n > 0)
    upstream_send (&hoarder);
  GstPad *pad = gst_element_get_static_pad (filter, "sink");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, hoard_more, &hoarder, NULL);
  GstMessage *end = file_run_pipeline (pipeline, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless_equals_int (GST_MESSAGE_TYPE (end), GST_MESSAGE_EOS);
  gst_message_unref (end);
  fail_unless (hoarder.n > 0);
  fail_unless (hoarder.n <= most - 3, "the hoarder has %u of %u", hoarder.n, most);
  fail_unless_equals_uint64 (stat_of (filter, "kernel-tenants"), 2);
  fail_unless_equals_uint64 (stat_of (filter, "cpu-bounce-bytes"), 0);
  fail_unless_equals_uint64 (stat_nested (filter, "ingest", "arena-bytes"), file.size);
  gst_object_unref (pad);
  finish (pipeline);
  gst_object_unref (filter);
  upstream_finish (&hoarder);
  file_clear (&file);
}
GST_END_TEST;

static gpointer
take_in_thread (gpointer data)
{
  Upstream *upstream = data;
  gboolean lent = upstream_take (upstream);

  g_atomic_int_set (&upstream->returned, TRUE);
  return GINT_TO_POINTER (lent);
}

/* While a batch is on its way a request waits, for as long as it takes; a flush ends that, and so
 * does a change of state. */
GST_START_TEST (a_flush_ends_a_wait)
{
  gboolean flushes = __i__ == 0;
  Upstream upstream;
  Dam dam;

  upstream_start (&upstream);
  upstream_hoard (&upstream);
  dam_build (&dam, upstream.h);
  filter_push (upstream.h, upstream.held[--upstream.n]);
  dam_wait (&dam);
  fail_unless (upstream_take (&upstream)); /* the memory of the batch */
  GThread *thread = g_thread_new ("upstream", take_in_thread, &upstream);
  g_usleep (50000);
  fail_if (g_atomic_int_get (&upstream.returned), "it does not wait");
  gint64 start = g_get_monotonic_time ();
  if (flushes)
    gst_pad_push_event (upstream.h->srcpad, gst_event_new_flush_start ());
  else
    gst_pad_set_active (GST_PAD_PEER (upstream.h->srcpad), FALSE);
  fail_if (GPOINTER_TO_INT (g_thread_join (thread)), "what nobody gave back was lent");
  fail_unless (g_get_monotonic_time () - start < PATIENCE * G_TIME_SPAN_SECOND);
  dam_break (&dam);
  upstream_finish (&upstream);
}
GST_END_TEST;

static Suite *
lending_suite (void)
{
  Suite *s = suite_create ("lending");
  TCase *tc = tcase_create ("room");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, a_source_waits_for_room, 0, G_N_ELEMENTS (sources));
  tcase_add_test (tc, a_source_waits_for_what_a_queue_holds);
  tcase_add_test (tc, a_wait_in_vain_ends);
  tcase_add_test (tc, what_is_pinned_is_given_back);
  tcase_add_test (tc, a_hoarder_does_not_starve_another);
  tcase_add_test (tc, a_late_stream_gets_its_part);
  tcase_add_test (tc, a_file_is_read_past_a_hoarder);
  tcase_add_loop_test (tc, a_flush_ends_a_wait, 0, 2);
  return s;
}

GST_CHECK_MAIN (lending);
