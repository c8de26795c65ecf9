/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Typed results: readbacks that went through a file or over a lossy network say what the messages
 * of vyrefilter said, without its program.
 */
#include "common.h"

#include <gst/vyre/vyre.h>

#include <glib/gstdio.h>
#include <gst/vyre/vyre.h>

#define N_BUFFERS 40

/* Noise, with results of several types */
#define SOURCE                                                                                     \
  "videotestsrc pattern=snow num-buffers=%u ! video/x-raw,format=I420,width=64,height=48 ! "       \
  "vyrefilter name=filter results-interval=0 program=\"sample_stats luma -> luma\\;"               \
  "u8_histogram payload -> histogram\\; sample_below luma, 17 -> dark\\; crc32 payload -> "        \
  "crc32\" "

/* Results of each type of number, with bits that show how they are read */
#define NUMBERS                                                                                    \
  "state total[2] : u64 'bytes'\nstate shift[2] : i64 '2^-16'\nstate gain[2] : f64\n"              \
  "state list[4] : i32 'degrees'\nstore_u32 4294967206 -> cold : i32 'degrees'\n"                  \
  "store_u32 0xC2B40000 -> cool : f32 'K'\nstore_u32 5, &total; store_u32 7, &total + 1\n"         \
  "store_u32 0xFFFF8000, &shift; store_u32 0xFFFFFFFF, &shift + 1\n"                               \
  "store_u32 0x3FE00000, &gain + 1\nstore_u32 4294967295, &list + 3"

/* Fields that have to be the same where a file or a stream keeps times */
static const gchar *const time_fields[]
    = { "timestamp", "stream-time", "running-time", "duration", "offset", NULL };

static GHashTable *
results_new (void)
{
  return g_hash_table_new_full (
      g_int64_hash, g_int64_equal, g_free, (GDestroyNotify)gst_vyre_results_unref);
}

/* Keeps results by their sequence, and returns that; 0 for a message of another element. */
static guint64
results_keep (GHashTable *all, GstMessage *message, const gchar *name)
{
  GstVyreResults *results = gst_vyre_results_from_message (message);
  guint64 *sequence = g_new (guint64, 1);

  fail_unless (GST_MESSAGE_TYPE (message) != GST_MESSAGE_ERROR, "an error was posted");
  if (!results || g_strcmp0 (GST_MESSAGE_SRC_NAME (message), name) != 0) {
    g_clear_pointer (&results, gst_vyre_results_unref);
    g_free (sequence);
    return 0;
  }
  fail_unless (gst_vyre_results_get_uint64 (results, "sequence", sequence));
  g_hash_table_insert (all, sequence, results);
  return *sequence;
}

static void
check_same_value (const GstVyreResults *sent, const GstVyreResults *received, const gchar *name)
{
  const GValue *value = gst_vyre_results_get_value (received, name);

  fail_unless (
      value
          && gst_value_compare (gst_vyre_results_get_value (sent, name), value) == GST_VALUE_EQUAL,
      "%s differs", name);
}

static void
check_unit (const GstVyreResults *results, const gchar *path, const gchar *expected)
{
  g_autofree gchar *unit = gst_vyre_results_dup_unit (results, path);

  fail_unless_equals_string (unit, expected);
}

/* All that a readback has is the same, with its units, and @fields are. */
static void
check_same (const GstVyreResults *sent, const GstVyreResults *received, const gchar *const *fields)
{
  guint n = gst_vyre_results_get_n (sent);

  fail_unless_equals_int (n, 4);
  fail_unless_equals_int (gst_vyre_results_get_n (received), n);
  check_unit (received, "luma.count", "samples"); /* of bytes: u8_stats takes the place */
  check_unit (received, "luma.max", "levels");
  check_unit (received, "dark", "samples");
  for (guint i = 0; i < n; i++) {
    const gchar *name = gst_vyre_results_get_name (sent, i);
    g_autofree gchar *unit = gst_vyre_results_dup_unit (sent, name);
    g_autofree gchar *other_unit = gst_vyre_results_dup_unit (received, name);
    fail_unless_equals_string (gst_vyre_results_get_name (received, i), name);
    check_same_value (sent, received, name);
    fail_unless (g_strcmp0 (unit, other_unit) == 0, "the unit of %s differs", name);
  }
  check_same_value (sent, received, "complete");
  for (; *fields; fields++)
    check_same_value (sent, received, *fields);
}

static guint
check_all_same (GHashTable *sent, GHashTable *received, const gchar *const *fields)
{
  GHashTableIter iter;
  gpointer sequence, results;

  g_hash_table_iter_init (&iter, received);
  while (g_hash_table_iter_next (&iter, &sequence, &results)) {
    const GstVyreResults *origin = g_hash_table_lookup (sent, sequence);
    fail_unless (origin != NULL, "nobody sent %" G_GUINT64_FORMAT, *(guint64 *)sequence);
    check_same (origin, results, fields);
  }
  return g_hash_table_size (received);
}

G_GNUC_PRINTF (1, 2)
static GstElement *
launch (const gchar *format, ...)
{
  va_list args;
  GError *error = NULL;

  va_start (args, format);
  g_autofree gchar *text = g_strdup_vprintf (format, args);
  va_end (args);
  GstElement *pipeline = gst_parse_launch (text, &error);
  fail_unless (error == NULL, "%s", error ? error->message : "");
  return pipeline;
}

/* Plays until the end of the stream, and returns the results that the element @name posted. */
static GHashTable *
play (GstElement *pipeline, const gchar *name)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  GHashTable *all = results_new ();

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (gboolean ended = FALSE; !ended;) {
    g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (
        bus, PATIENCE * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_ELEMENT);
    fail_unless (message != NULL, "the stream does not end");
    ended = GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS;
    results_keep (all, message, name);
  }
  return all;
}

static void
stop (GstElement *pipeline)
{
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
}

/* Writes a file, and returns the results that vyrefilter posted. */
static GHashTable *
write_file (const gchar *path)
{
  GstElement *pipeline
      = launch (SOURCE "! vyrereadbackmux ! filesink location=%s", N_BUFFERS, path);
  GHashTable *sent = play (pipeline, "filter");

  fail_unless_equals_int (g_hash_table_size (sent), N_BUFFERS);
  stop (pipeline);
  return sent;
}

static gchar *
make_path (void)
{
  gchar *path = NULL;
  gint file = g_file_open_tmp ("vyre-XXXXXX", &path, NULL);

  fail_unless (file >= 0);
  g_close (file, NULL);
  return path;
}

static void
drop_path (gchar *path)
{
  g_unlink (path);
  g_free (path);
}

GST_START_TEST (a_file_keeps_results)
{
  static const gchar *const ways[] = { "", "! queue " }; /* pulled, and pushed */
  gchar *path = make_path ();
  GHashTable *sent = write_file (path);

  for (guint way = 0; way < G_N_ELEMENTS (ways); way++) {
    GstElement *pipeline = launch (
        "filesrc location=%s %s! vyrereadbackparse name=parse ! fakesink", path, ways[way]);
    GHashTable *received = play (pipeline, "parse");
    fail_unless_equals_int (check_all_same (sent, received, time_fields), N_BUFFERS);
    g_hash_table_unref (received);
    stop (pipeline);
  }
  g_hash_table_unref (sent);
  drop_path (path);
}
GST_END_TEST;

GST_START_TEST (a_file_seeks_by_its_index)
{
  gchar *path = make_path ();
  GHashTable *sent = write_file (path);
  GstElement *pipeline
      = launch ("filesrc location=%s ! vyrereadbackparse name=parse ! fakesink sync=false", path);
  gint64 duration;

  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  fail_unless_equals_int (gst_element_get_state (pipeline, NULL, NULL, PATIENCE * GST_SECOND),
      GST_STATE_CHANGE_SUCCESS);
  fail_unless (gst_element_query_duration (pipeline, GST_FORMAT_TIME, &duration));
  fail_unless_equals_uint64 ((guint64)duration, gst_util_uint64_scale (N_BUFFERS, GST_SECOND, 30));
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  gst_bus_set_flushing (bus, TRUE);
  gst_bus_set_flushing (bus, FALSE);
  fail_unless (gst_element_seek_simple (
      pipeline, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE, GST_SECOND));
  GHashTable *received = play (pipeline, "parse");
  guint64 sought = 31, before = 30; /* numbers begin with 1 */
  fail_unless (g_hash_table_contains (received, &sought));
  fail_if (g_hash_table_contains (received, &before), "a seek starts too early");
  check_all_same (sent, received, (const gchar *const[]){ "timestamp", "offset", NULL });
  fail_unless_equals_int (g_hash_table_size (received), N_BUFFERS - 30);
  g_hash_table_unref (received);
  stop (pipeline);
  g_hash_table_unref (sent);
  drop_path (path);
}
GST_END_TEST;

/* A writer that was killed leaves no index, and half a readback. */
GST_START_TEST (a_file_that_was_cut_has_what_is_whole)
{
  gchar *path = make_path (), *data;
  GHashTable *sent = write_file (path);
  gsize size;

  fail_unless (g_file_get_contents (path, &data, &size, NULL));
  memset (data + size / 4, 0, 100); /* one readback, or its head, is damaged */
  fail_unless (g_file_set_contents (path, data, (gssize)(size / 2), NULL));
  GstElement *pipeline
      = launch ("filesrc location=%s ! vyrereadbackparse name=parse ! fakesink", path);
  GHashTable *received = play (pipeline, "parse");
  fail_unless (g_hash_table_size (received) > N_BUFFERS / 2 - 5);
  g_free (data);
  g_hash_table_unref (received);
  stop (pipeline);
  g_hash_table_unref (sent);
  drop_path (path);
}
GST_END_TEST;

/* What was written before a flush stays, and the file goes on behind it. */
GST_START_TEST (a_flush_leaves_a_file_whole)
{
  GstHarness *h = gst_harness_new ("vyrereadbackmux");
  const GstSegment *segment = NULL;
  guint64 end;

  gst_harness_set_src_caps_str (h, "application/x-vyre-readback");
  gst_harness_push (h, numbered_buffer (1, 64));
  gst_buffer_unref (gst_harness_pull (h)); /* the caps */
  g_autoptr (GstBuffer) record = gst_harness_pull (h);
  end = GST_BUFFER_OFFSET_END (record);
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  g_autoptr (GstEvent) event = gst_pad_get_sticky_event (h->sinkpad, GST_EVENT_SEGMENT, 0);
  fail_unless (event != NULL, "no segment follows a flush");
  gst_event_parse_segment (event, &segment);
  fail_unless_equals_int (segment->format, GST_FORMAT_BYTES);
  fail_unless_equals_uint64 (segment->start, end);
  gst_harness_teardown (h);
}
GST_END_TEST;

/* Plays a file that may be damaged, which ends the stream in one way or the other. */
static void
play_damaged (const gchar *path, const gchar *way)
{
  GstElement *pipeline = launch ("filesrc location=%s %s! vyrereadbackparse ! fakesink", path, way);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (
      bus, PATIENCE * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless (message != NULL, "the stream does not end");
  stop (pipeline);
}

/* One byte of each file is another: of the first records, or of the index. Others are cut. */
GST_START_TEST (a_damaged_file_ends)
{
  gchar *path = make_path (), *data;
  gsize size;

  g_hash_table_unref (write_file (path));
  fail_unless (g_file_get_contents (path, &data, &size, NULL));
  for (guint i = 0; i < 60; i++) {
    gsize from_start = (gsize)i * 13 % 1500;
    gsize at = i % 3 == 0 ? size - 1 - (gsize)i * 7 % 700 : from_start;
    gchar before = data[at];
    data[at] = (gchar)(i % 2 == 0 ? ~before : before ^ 4);
    fail_unless (g_file_set_contents (path, data, (gssize)size, NULL));
    data[at] = before;
    play_damaged (path, i % 4 == 0 ? "! queue " : "");
  }
  for (guint cut = 1; cut < 60; cut += 7) { /* what is left is less than a head, too */
    fail_unless (g_file_set_contents (path, data, (gssize)(cut % 2 == 0 ? cut : size - cut), NULL));
    play_damaged (path, "! queue ");
  }
  g_free (data);
  drop_path (path);
}
GST_END_TEST;

GST_START_TEST (buffers_carry_what_messages_say)
{
  GstElement *pipeline
      = launch (SOURCE "! vyrereadbackparse ! appsink name=sink sync=false wait-on-eos=false", 3u);
  GHashTable *sent = play (pipeline, "filter");
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");

  for (guint64 i = 1; i <= 3; i++) {
    GstSample *sample = NULL;
    g_signal_emit_by_name (sink, "pull-sample", &sample);
    fail_unless (sample != NULL);
    GstBuffer *buffer = gst_sample_get_buffer (sample);
    g_autoptr (GstVyreResults) of_meta = gst_vyre_results_from_buffer (buffer);
    g_autoptr (GstVyreResults) of_readback
        = gst_vyre_results_from_readback (gst_sample_get_caps (sample), buffer, NULL);
    fail_unless (of_meta && of_readback);
    check_same (g_hash_table_lookup (sent, &i), of_meta, time_fields);
    check_same (g_hash_table_lookup (sent, &i), of_readback,
        (const gchar *const[]){ "timestamp", "duration", "sequence", NULL });
    gst_sample_unref (sample);
  }
  gst_object_unref (sink);
  g_hash_table_unref (sent);
  stop (pipeline);
}
GST_END_TEST;

GST_START_TEST (buffers_that_pass_through_carry_what_messages_say)
{
  GstElement *pipeline = launch (
      SOURCE "output-mode=passthrough ! appsink name=sink sync=false wait-on-eos=false", 1u);
  GHashTable *sent = play (pipeline, "filter");
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  GstSample *sample = NULL;
  guint64 first_number = 1;

  g_signal_emit_by_name (sink, "pull-sample", &sample);
  fail_unless (sample != NULL);
  g_autoptr (GstVyreResults) results
      = gst_vyre_results_from_buffer (gst_sample_get_buffer (sample));
  fail_unless (results != NULL);
  check_same (g_hash_table_lookup (sent, &first_number), results, time_fields);
  gst_sample_unref (sample);
  gst_object_unref (sink);
  g_hash_table_unref (sent);
  stop (pipeline);
}
GST_END_TEST;

static void
check_type (const GstVyreResults *results, const gchar *path, GType type, gdouble expected)
{
  const GValue *value = gst_vyre_results_get_value (results, path);
  gdouble number = 0;

  fail_unless (value && G_VALUE_HOLDS (value, type), "%s has another type", path);
  fail_unless (gst_vyre_results_get_double (results, path, &number));
  fail_unless (number == expected, "%s is %.17g", path, number);
}

static void
check_numbers (const GstVyreResults *results)
{
  check_type (results, "total", G_TYPE_UINT64, 5 + 7 * 4294967296.0);
  check_type (results, "shift", G_TYPE_INT64, -0.5);
  check_type (results, "gain", G_TYPE_DOUBLE, 0.5);
  check_type (results, "list.item-0", G_TYPE_INT64, 0);
  check_type (results, "list.item-3", G_TYPE_INT64, -1);
  check_type (results, "cold", G_TYPE_INT64, -90);
  check_type (results, "cool", G_TYPE_DOUBLE, -90);
  check_unit (results, "total", "bytes");
  check_unit (results, "shift", "2^-16");
  check_unit (results, "gain", NULL);
  check_unit (results, "list.item-3", "degrees");
  check_unit (results, "cool", "K");
}

/* A program declares types; the message, the meta of the parser and the readback have them. */
GST_START_TEST (declared_types_reach_all_receivers)
{
  GstElement *pipeline
      = launch ("videotestsrc num-buffers=1 ! video/x-raw,format=GRAY8,width=64,height=48 ! "
                "vyrefilter name=filter ! vyrereadbackparse ! "
                "appsink name=sink sync=false wait-on-eos=false");
  GstElement *filter = gst_bin_get_by_name (GST_BIN (pipeline), "filter");
  guint64 first_number = 1;
  GstSample *sample = NULL;

  g_object_set (filter, "program", NUMBERS, NULL);
  gst_object_unref (filter);
  GHashTable *sent = play (pipeline, "filter");
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_signal_emit_by_name (sink, "pull-sample", &sample);
  fail_unless (sample != NULL);
  GstBuffer *buffer = gst_sample_get_buffer (sample);
  g_autoptr (GstVyreResults) of_meta = gst_vyre_results_from_buffer (buffer);
  g_autoptr (GstVyreResults) of_readback
      = gst_vyre_results_from_readback (gst_sample_get_caps (sample), buffer, NULL);
  fail_unless (of_meta && of_readback);
  check_numbers (g_hash_table_lookup (sent, &first_number));
  check_numbers (of_meta);
  check_numbers (of_readback);
  gst_sample_unref (sample);
  gst_object_unref (sink);
  g_hash_table_unref (sent);
  stop (pipeline);
}
GST_END_TEST;

/* A network that loses one of 100 packets, always the same ones, and no other: few packets are
 * under way at a time, so that the socket has room. */
typedef struct {
  GMutex lock;
  GCond moved;
  guint n_sent, n_lost, n_arrived;
} Network;

#define UNDER_WAY 20

/* Returns whether the next packet arrives. */
static gboolean
network_take (Network *network)
{
  gint64 end = g_get_monotonic_time () + PATIENCE * G_TIME_SPAN_SECOND;

  g_mutex_lock (&network->lock);
  gboolean arrives = ++network->n_sent % 100 != 50;
  network->n_lost += !arrives;
  while (network->n_sent - network->n_lost > network->n_arrived + UNDER_WAY)
    if (!g_cond_wait_until (&network->moved, &network->lock, end))
      break;
  g_mutex_unlock (&network->lock);
  return arrives;
}

static GstPadProbeReturn
network_send (GstPad *pad, GstPadProbeInfo *info, gpointer network)
{
  return network_take (network) ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
}

static GstPadProbeReturn
network_receive (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Network *network = data;

  g_mutex_lock (&network->lock);
  network->n_arrived++;
  g_cond_signal (&network->moved);
  g_mutex_unlock (&network->lock);
  return GST_PAD_PROBE_OK;
}

/* Has @probe see each buffer that @element sends. */
static void
add_probe (GstElement *pipeline, const gchar *name, GstPadProbeCallback probe, gpointer data)
{
  GstElement *element = gst_bin_get_by_name (GST_BIN (pipeline), name);
  GstPad *pad = gst_element_get_static_pad (element, "src");

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, probe, data, NULL);
  gst_object_unref (pad);
  gst_object_unref (element);
}

/* Ends a list of packets, which go on one by one. */
static GstFlowReturn
push_singly (GstPad *pad, GstObject *parent, GstBufferList *list)
{
  GstFlowReturn flow = GST_FLOW_OK;

  for (guint i = 0; i < gst_buffer_list_length (list) && flow == GST_FLOW_OK; i++)
    flow = gst_pad_chain (pad, gst_buffer_ref (gst_buffer_list_get (list, i)));
  gst_buffer_list_unref (list);
  return flow;
}

static GstElement *
start_receiver (gint *port)
{
  GstElement *receiver
      = launch ("udpsrc name=source address=127.0.0.1 port=0 buffer-size=4000000 "
                "caps=application/x-rtp,media=application,clock-rate=90000,encoding-name=X-GST ! "
                "rtpgstdepay ! vyrereadbackparse name=parse ! fakesink sync=false async=false");
  GstElement *source = gst_bin_get_by_name (GST_BIN (receiver), "source");

  fail_unless (gst_element_set_state (receiver, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE);
  g_object_get (source, "port", port, NULL);
  gst_object_unref (source);
  return receiver;
}

GST_START_TEST (a_lossy_network_keeps_results)
{
  const guint n_buffers = 120;
  Network network = { 0 };
  gint port;
  GstElement *receiver = start_receiver (&port);
  GstElement *sender = launch (SOURCE "! rtpgstpay config-interval=1 ! identity name=network ! "
                                      "udpsink host=127.0.0.1 port=%d sync=false",
      n_buffers, port);
  g_autoptr (GstElement) entry = gst_bin_get_by_name (GST_BIN (sender), "network");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (entry, "sink");

  gst_pad_set_chain_list_function (pad, push_singly);
  add_probe (sender, "network", network_send, &network);
  add_probe (receiver, "source", network_receive, &network);
  GHashTable *sent = play (sender, "filter"), *received = results_new ();
  g_autoptr (GstBus) bus = gst_element_get_bus (receiver);
  for (guint64 sequence = 0; sequence < n_buffers;) {
    g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (
        bus, PATIENCE * GST_SECOND, GST_MESSAGE_ELEMENT | GST_MESSAGE_ERROR);
    fail_unless (message != NULL, "the last readback does not arrive");
    guint64 next = results_keep (received, message, "parse");
    sequence = MAX (sequence, next);
  }
  guint n = check_all_same (sent, received, (const gchar *const[]){ NULL });
  fail_unless (network.n_lost > 1);
  fail_unless (
      n < n_buffers && n >= n_buffers - network.n_lost, "%u of %u readbacks", n, n_buffers);
  g_hash_table_unref (sent);
  g_hash_table_unref (received);
  stop (sender);
  stop (receiver);
}
GST_END_TEST;

/* Pushes a buffer of @size bytes of @caps, which the element refuses with @part in its message. */
static void
check_refusal (const gchar *caps, gconstpointer data, gsize size, const gchar *part)
{
  GstHarness *h = gst_harness_new ("vyrereadbackparse");
  g_autoptr (GstBus) bus = gst_bus_new ();
  GError *error = NULL;

  gst_element_set_bus (h->element, bus);
  gst_harness_set_src_caps_str (h, caps);
  gst_harness_push (h, buffer_of (data, size));
  gst_harness_push_event (h, gst_event_new_eos ());
  g_autoptr (GstMessage) message
      = gst_bus_timed_pop_filtered (bus, PATIENCE * GST_SECOND, GST_MESSAGE_ERROR);
  fail_unless (message != NULL, "no error of %s", part);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (
      strstr (error->message, part) && strstr (error->message, "Fix: "), "%s", error->message);
  g_error_free (error);
  gst_element_set_bus (h->element, NULL);
  gst_harness_teardown (h);
}

static void
write_head (guint8 *head, const gchar *kind, guint32 size, guint64 caps_at)
{
  memset (head, 0, 48);
  memcpy (head, "\x89VYR", 4);
  memcpy (head + 4, kind, 4);
  GST_WRITE_UINT32_LE (head + 8, size);
  GST_WRITE_UINT64_LE (head + 40, caps_at);
}

GST_START_TEST (what_is_no_readback_is_refused)
{
  const gchar *file = "application/x-vyre-readback-file";
  guint8 bytes[48 + 8] = { 0 };

  check_refusal ("application/x-vyre-readback,abi=1", bytes, sizeof bytes, "control-size");
  check_refusal ("application/x-vyre-readback,control-size=648,ring-size=64,debug-log-size=1028,"
                 "io-queue-size=2048,has-sequence=false",
      bytes, sizeof bytes, "of 56 bytes");
  write_head (bytes, "CAPS", 8, 0);
  memcpy (bytes + 48, "<<<<<<<<", 8);
  check_refusal (file, bytes, sizeof bytes, "has no caps");
  write_head (bytes, "DATA", 8, 4711);
  check_refusal (file, bytes, sizeof bytes, "The caps at 4711");
}
GST_END_TEST;

static Suite *
typed_suite (void)
{
  Suite *suite = suite_create ("typed");
  TCase *file = tcase_create ("file"), *stream = tcase_create ("stream");

  tcase_add_test (file, a_file_keeps_results);
  tcase_add_test (file, a_file_seeks_by_its_index);
  tcase_add_test (file, a_file_that_was_cut_has_what_is_whole);
  tcase_add_test (file, a_flush_leaves_a_file_whole);
  tcase_add_test (file, a_damaged_file_ends);
  tcase_add_test (stream, buffers_carry_what_messages_say);
  tcase_add_test (stream, buffers_that_pass_through_carry_what_messages_say);
  tcase_add_test (stream, declared_types_reach_all_receivers);
  tcase_add_test (stream, a_lossy_network_keeps_results);
  tcase_add_test (stream, what_is_no_readback_is_refused);
  suite_add_tcase (suite, file);
  suite_add_tcase (suite, stream);
  return suite;
}

GST_CHECK_MAIN (typed);
