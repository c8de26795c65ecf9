/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The element messages and the stats property: which come when, and what is in
 * them.
 */
#include "common.h"

#include <dlfcn.h>
#include <string.h>

#define CHEAP "u8_stats payload -> stats; crc32 payload -> crc32"
#define NEVER_AGAIN (3600 * GST_SECOND)

enum { POST_RESULTS = 1, POST_COUNTERS = 2, POST_DEBUG = 4, POST_EVENTS = 8, POST_ALL = 15 };

/* Looks into GLib's table of names, and at GStreamer's of metas and its marks of objects, which
 * have one lock each */
static gint n_looks;

/* The functions that follow stand in front of those of the libraries, which call them, too. */
static gpointer
count_look (gsize *real, const gchar *name)
{
  if (g_once_init_enter (real))
    g_once_init_leave (real, (gsize)dlsym (RTLD_NEXT, name));
  g_atomic_int_inc (&n_looks);
  return (gpointer)*real;
}

GQuark
g_quark_from_string (const gchar *string)
{
  static gsize real;

  return ((GQuark (*) (const gchar *))count_look (&real, "g_quark_from_string")) (string);
}

GQuark
g_quark_from_static_string (const gchar *string)
{
  static gsize real;

  return ((GQuark (*) (const gchar *))count_look (&real, "g_quark_from_static_string")) (string);
}

gpointer
gst_mini_object_get_qdata (GstMiniObject *object, GQuark quark)
{
  static gsize real;

  return ((gpointer (*) (GstMiniObject *, GQuark))count_look (&real, "gst_mini_object_get_qdata")) (
      object, quark);
}

GstCustomMeta *
gst_buffer_get_custom_meta (GstBuffer *buffer, const gchar *name)
{
  static gsize real;

  return ((GstCustomMeta * (*)(GstBuffer *, const gchar *))
          count_look (&real, "gst_buffer_get_custom_meta")) (buffer, name);
}

static void
push_numbered (GstHarness *h, guint n, gsize size)
{
  for (guint i = 0; i < n; i++)
    gst_buffer_unref (filter_run (h, numbered_buffer (i, size)));
}

static void
end (GstHarness *h)
{
  filter_push_eos (h);
  filter_wait_eos (h);
}

/* Unsigned 64-bit numbers, truth values and structures of them: what every binding reads. Counters
 * have strings, too, and results have caps. */
static gboolean
check_readable (GQuark id, const GValue *value, gpointer data)
{
  gboolean counters = data != NULL;

  if (GST_VALUE_HOLDS_STRUCTURE (value))
    return gst_structure_foreach (gst_value_get_structure (value), check_readable, data);
  fail_unless (G_VALUE_HOLDS_UINT64 (value) || G_VALUE_HOLDS_BOOLEAN (value)
                   || (counters && G_VALUE_HOLDS_STRING (value))
                   || (!counters && GST_VALUE_HOLDS_CAPS (value)),
      "%s is a %s", g_quark_to_string (id), G_VALUE_TYPE_NAME (value));
  return TRUE;
}

GST_START_TEST (fields_have_types_that_bindings_read)
{
  GstHarness *h = filter_new_with (CHEAP "; u8_histogram payload -> histogram; printf 1",
      "results-interval", (guint64)0, "debug-interval", (guint64)0, NULL);
  GstMessage *message;
  guint n = 0;

  filter_start (h, NULL);
  push_numbered (h, 2, 100);
  end (h);
  while ((message = bus_try (h, GST_MESSAGE_ELEMENT))) {
    gboolean counters = gst_message_has_name (message, "vyre-counters");
    gst_structure_foreach (
        gst_message_get_structure (message), check_readable, counters ? h : NULL);
    gst_message_unref (message);
    n++;
  }
  fail_unless_equals_int (n, 2 + 2 + 1);
  filter_finish (h);
}
GST_END_TEST;

static void
check_clocks (GstHarness *h, const gchar *name)
{
  GstMessage *message = bus_wait_element (h, name);
  const GstStructure *fields = gst_message_get_structure (message);

  fail_unless_equals_uint64 (field_u64 (fields, "timestamp"), 2 * GST_SECOND);
  fail_unless_equals_uint64 (field_u64 (fields, "stream-time"), 4 * GST_SECOND);
  fail_unless_equals_uint64 (field_u64 (fields, "running-time"), 5500 * GST_MSECOND);
  fail_unless_equals_uint64 (field_u64 (fields, "duration"), 40 * GST_MSECOND);
  if (strcmp (name, "vyre-results") == 0)
    fail_unless_equals_uint64 (field_u64 (fields, "offset"), 77);
  gst_message_unref (message);
}

GST_START_TEST (clock_fields_follow_the_segment)
{
  GstHarness *h = filter_new ("crc32 payload -> crc32; printf 1");
  GstSegment segment;
  GstBuffer *buffer = numbered_buffer (77, 10);

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.rate = 2.0;
  segment.start = 1 * GST_SECOND;
  segment.base = 5 * GST_SECOND;
  segment.time = 3 * GST_SECOND;
  fail_unless (gst_harness_push_event (h, gst_event_new_segment (&segment)));
  GST_BUFFER_PTS (buffer) = 2 * GST_SECOND;
  GST_BUFFER_DURATION (buffer) = 40 * GST_MSECOND;
  gst_buffer_unref (filter_run (h, buffer));
  check_clocks (h, "vyre-results");
  check_clocks (h, "vyre-debug");
  filter_finish (h);
}
GST_END_TEST;

/* A batch belongs to the segment it came in, not to the one it leaves in. */
GST_START_TEST (clock_fields_are_those_of_the_buffers_own_segment)
{
  GstHarness *h = filter_new_with (CHEAP, "results-interval", (guint64)0, NULL);
  Dam dam;

  dam_build (&dam, h);
  for (guint i = 0; i < 2; i++) {
    GstSegment segment;
    gst_segment_init (&segment, GST_FORMAT_TIME);
    segment.base = i * 10 * GST_SECOND;
    fail_unless (gst_harness_push_event (h, gst_event_new_segment (&segment)));
    filter_push (h, numbered_buffer (i, 10));
  }
  dam_break (&dam);
  for (guint i = 0; i < 2; i++) {
    GstMessage *message = bus_wait_element (h, "vyre-results");
    fail_unless_equals_uint64 (field_u64 (gst_message_get_structure (message), "running-time"),
        i * (10 * GST_SECOND + GST_MSECOND));
    gst_message_unref (message);
  }
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (without_a_time_segment_the_clock_fields_are_none)
{
  GstHarness *h = filter_new (CHEAP);
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_BYTES);
  fail_unless (gst_harness_push_event (h, gst_event_new_segment (&segment)));
  gst_buffer_unref (filter_run (h, noise_buffer (10, 1)));
  GstMessage *message = bus_wait_element (h, "vyre-results");
  const GstStructure *fields = gst_message_get_structure (message);
  fail_unless_equals_uint64 (field_u64 (fields, "timestamp"), GST_CLOCK_TIME_NONE);
  fail_unless_equals_uint64 (field_u64 (fields, "stream-time"), GST_CLOCK_TIME_NONE);
  fail_unless_equals_uint64 (field_u64 (fields, "running-time"), GST_CLOCK_TIME_NONE);
  fail_unless_equals_uint64 (field_u64 (fields, "duration"), GST_CLOCK_TIME_NONE);
  fail_unless_equals_uint64 (field_u64 (fields, "offset"), GST_BUFFER_OFFSET_NONE);
  gst_message_unref (message);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (interval_zero_reports_every_buffer_in_order)
{
  GstHarness *h = filter_new_with (CHEAP, "results-interval", (guint64)0, NULL);
  guint64 sequence = 0;

  filter_start (h, NULL);
  push_numbered (h, 50, 10);
  end (h);
  for (guint i = 0; i < 50; i++) {
    GstMessage *message = bus_wait_element (h, "vyre-results");
    const GstStructure *fields = gst_message_get_structure (message);
    fail_unless_equals_uint64 (field_u64 (fields, "offset"), i);
    fail_unless_equals_uint64 (field_u64 (fields, "timestamp"), i * GST_MSECOND);
    fail_unless (field_u64 (fields, "sequence") > sequence);
    sequence = field_u64 (fields, "sequence");
    gst_message_unref (message);
  }
  fail_unless_equals_int (bus_count (h, "vyre-results"), 0);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (first_and_last_buffer_report_whatever_the_interval)
{
  GstHarness *h = filter_new_with (CHEAP, "results-interval", NEVER_AGAIN, NULL);
  static const guint expected[] = { 0, 29 };

  filter_start (h, NULL);
  push_numbered (h, 30, 10);
  end (h);
  for (guint i = 0; i < 2; i++) {
    GstMessage *message = bus_wait_element (h, "vyre-results");
    fail_unless_equals_uint64 (
        field_u64 (gst_message_get_structure (message), "offset"), expected[i]);
    gst_message_unref (message);
  }
  fail_unless_equals_int (bus_count (h, "vyre-results"), 0);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (a_last_result_that_was_reported_is_not_repeated)
{
  GstHarness *h = filter_new_with (CHEAP, "results-interval", NEVER_AGAIN, NULL);

  filter_start (h, NULL);
  push_numbered (h, 1, 10);
  end (h);
  fail_unless_equals_int (bus_count (h, "vyre-results"), 1);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (defaults_report_once_a_second)
{
  GstElement *element = filter_make (NULL);
  guint64 interval, results_interval;
  guint flags;

  g_object_get (element, "interval", &interval, "results-interval", &results_interval,
      "post-messages", &flags, NULL);
  fail_unless_equals_uint64 (interval, GST_SECOND);
  fail_unless_equals_uint64 (results_interval, GST_SECOND);
  fail_unless_equals_int (flags, POST_ALL);
  gst_object_unref (element);
}
GST_END_TEST;

GST_START_TEST (only_the_messages_asked_for_are_posted)
{
  guint flags = (guint)__i__;
  GstHarness *h = filter_new_with (CHEAP "; printf 1; event e when 1 > 0", "post-messages", flags,
      "results-interval", (guint64)0, "interval", (guint64)0, "debug-interval", (guint64)0, NULL);
  guint results = 0, counters = 0, debug = 0, events = 0;
  GstMessage *message;

  filter_start (h, NULL);
  push_numbered (h, 3, 10);
  end (h);
  while ((message = bus_try (h, GST_MESSAGE_ELEMENT))) {
    results += gst_message_has_name (message, "vyre-results");
    counters += gst_message_has_name (message, "vyre-counters");
    debug += gst_message_has_name (message, "vyre-debug");
    events += gst_message_has_name (message, "vyre-event");
    gst_message_unref (message);
  }
  fail_unless_equals_int (results, flags & POST_RESULTS ? 3 : 0);
  fail_unless_equals_int (counters, flags & POST_COUNTERS ? 3 : 0);
  fail_unless_equals_int (debug, flags & POST_DEBUG ? 3 : 0);
  fail_unless_equals_int (events, flags & POST_EVENTS ? 2 : 0);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (printf_records_become_messages)
{
  GstHarness *h = filter_new ("nop; printf 7, 8, 9; printf 10, 11; nop; printf 12");
  static const guint64 expected[][4] = { { 1, 7, 8, 9 }, { 2, 10, 11, 0 }, { 4, 12, 0, 0 } };
  guint seen = 0;

  filter_start (h, NULL);
  gst_buffer_unref (filter_run (h, numbered_buffer (5, 10)));
  for (guint i = 0; i < 3; i++) { /* in any order: slots run side by side */
    GstMessage *message = bus_wait_element (h, "vyre-debug");
    const GstStructure *fields = gst_message_get_structure (message);
    guint64 slot = field_u64 (fields, "slot");
    guint which = slot == 1 ? 0 : slot == 2 ? 1 : 2;
    fail_unless_equals_uint64 (slot, expected[which][0]);
    fail_unless_equals_uint64 (field_u64 (fields, "format"), expected[which][1]);
    fail_unless_equals_uint64 (field_u64 (fields, "arg0"), expected[which][2]);
    fail_unless_equals_uint64 (field_u64 (fields, "arg1"), expected[which][3]);
    fail_unless_equals_uint64 (field_u64 (fields, "timestamp"), 5 * GST_MSECOND);
    field_u64 (fields, "sequence");
    seen |= 1u << which;
    gst_message_unref (message);
  }
  fail_unless_equals_int (seen, 7);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (records_beyond_the_log_are_counted)
{
  GString *program = g_string_new (NULL);

  for (guint i = 0; i < VYRE_DEBUG_RECORDS + 6; i++)
    g_string_append_printf (program, "printf %u\n", i);
  GstHarness *h = filter_new (program->str);
  filter_start (h, NULL);
  gst_buffer_unref (filter_run (h, noise_buffer (1, 1)));
  fail_unless_equals_int (bus_count (h, "vyre-debug"), VYRE_DEBUG_RECORDS);
  fail_unless_equals_uint64 (stat_of (h->element, "dropped-records"), 6);
  g_string_free (program, TRUE);
  filter_finish (h);
}
GST_END_TEST;

/* The first buffer's records are posted, those of the others only if asked for. */
GST_START_TEST (records_within_the_interval_are_left_out_and_counted)
{
  GstHarness *h = filter_new_with ("printf 1; printf 2", "debug-interval", 3600 * GST_SECOND, NULL);

  filter_start (h, NULL);
  for (guint i = 0; i < 5; i++)
    gst_buffer_unref (filter_run (h, numbered_buffer (i, 10)));
  fail_unless_equals_int (bus_count (h, "vyre-debug"), 2);
  fail_unless_equals_uint64 (stat_of (h->element, "debug-left-out"), 8);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (the_next_record_says_how_many_were_left_out)
{
  const guint64 interval = 50 * GST_MSECOND;
  GstHarness *h = filter_new_with ("printf 1", "debug-interval", interval, NULL);
  gint64 end = g_get_monotonic_time () + PATIENCE * G_TIME_SPAN_SECOND;
  guint64 n = 0, posted = 0, left_out = 0;

  filter_start (h, NULL);
  while (left_out == 0 && g_get_monotonic_time () < end) {
    gst_buffer_unref (filter_run (h, numbered_buffer (n++, 10)));
    GstMessage *message = bus_try (h, GST_MESSAGE_ELEMENT);
    if (message && gst_message_has_name (message, "vyre-debug")) {
      left_out = field_u64 (gst_message_get_structure (message), "left-out");
      posted++;
    }
    g_clear_pointer (&message, gst_message_unref);
  }
  fail_unless (left_out > 0, "nothing was left out of %" G_GUINT64_FORMAT " buffers", n);
  fail_unless_equals_uint64 (posted + left_out, n);
  fail_unless_equals_uint64 (stat_of (h->element, "debug-left-out"), left_out);
  filter_finish (h);
}
GST_END_TEST;

/* The interval is real time: as many messages as fit, and the one at EOS. */
GST_START_TEST (counters_come_at_their_interval)
{
  const guint64 interval = 20 * GST_MSECOND;
  GstHarness *h
      = filter_new_with (CHEAP, "interval", interval, "post-messages", POST_COUNTERS, NULL);
  gint64 start = g_get_monotonic_time (), elapsed;
  guint n = 0;

  filter_start (h, NULL);
  do {
    push_numbered (h, 1, 10);
    elapsed = g_get_monotonic_time () - start;
    n += bus_count (h, "vyre-counters");
  } while (elapsed < 200 * G_TIME_SPAN_MILLISECOND
           || (n < 3 && elapsed < PATIENCE * G_TIME_SPAN_SECOND));
  fail_unless (n >= 3, "only %u messages in %" G_GINT64_FORMAT " us", n, elapsed);
  fail_unless (
      n <= elapsed * 1000 / interval, "%u messages in %" G_GINT64_FORMAT " us", n, elapsed);
  end (h);
  fail_unless_equals_int (bus_count (h, "vyre-counters"), 1);
  filter_finish (h);
}
GST_END_TEST;

/* The looks of a harness for each buffer, in GStreamer 1.26. */
static gint
looks_of_harness (guint n)
{
  GstHarness *h = gst_harness_new ("identity");

  gst_harness_set_src_caps_str (h, "application/x-test");
  gst_buffer_unref (gst_harness_push_and_pull (h, numbered_buffer (0, 100)));
  g_atomic_int_set (&n_looks, 0);
  for (guint i = 1; i <= n; i++)
    gst_buffer_unref (gst_harness_push_and_pull (h, numbered_buffer (i, 100)));
  gint looks = g_atomic_int_get (&n_looks);
  gst_harness_teardown (h);
  return looks;
}

/* Streams would meet at the locks of the tables with every buffer, and with every message. */
GST_START_TEST (names_are_looked_up_once_and_not_with_each_buffer)
{
  GstHarness *h = filter_new_with (CHEAP "; printf 1", "results-interval", (guint64)0,
      "debug-interval", (guint64)0, "interval", (guint64)0, NULL);

  filter_start (h, NULL);
  push_numbered (h, 3, 100);
  fail_unless (g_atomic_int_get (&n_looks) > 0); /* those of the plugin's start at least */
  g_atomic_int_set (&n_looks, 0);
  push_numbered (h, 10, 100);
  gint looks = g_atomic_int_get (&n_looks);
  fail_unless_equals_int (bus_count (h, "vyre-counters"), 12);
  fail_unless_equals_int (looks, looks_of_harness (10));
  filter_finish (h);
}
GST_END_TEST;

/* ---- counters ---------------------------------------------------------- */

static gboolean
check_field_exists (GQuark id, const GValue *value, gpointer data)
{
  const GstStructure *other = data;
  const GValue *found = gst_structure_id_get_value (other, id);

  fail_unless (
      found != NULL, "no '%s' in %s", g_quark_to_string (id), gst_structure_get_name (other));
  fail_unless (
      G_VALUE_TYPE (found) == G_VALUE_TYPE (value), "types of '%s' differ", g_quark_to_string (id));
  if (GST_VALUE_HOLDS_STRUCTURE (value))
    gst_structure_foreach (gst_value_get_structure (value), check_field_exists,
        (gpointer)gst_value_get_structure (found));
  return TRUE;
}

static void
check_same_fields (const GstStructure *a, const GstStructure *b)
{
  gst_structure_foreach (a, check_field_exists, (gpointer)b);
  gst_structure_foreach (b, check_field_exists, (gpointer)a);
}

static gboolean
check_zero (GQuark id, const GValue *value, gpointer data)
{
  if (GST_VALUE_HOLDS_STRUCTURE (value))
    return gst_structure_foreach (gst_value_get_structure (value), check_zero, NULL);
  fail_unless (!G_VALUE_HOLDS_UINT64 (value) || g_value_get_uint64 (value) == 0, "%s is not 0",
      g_quark_to_string (id));
  return TRUE;
}

GST_START_TEST (stats_are_complete_and_zero_before_ready)
{
  GstElement *idle = filter_make (CHEAP);
  GstHarness *h = filter_new (CHEAP);

  filter_start (h, NULL);
  push_numbered (h, 3, 100);
  GstStructure *running = stats_of (h->element), *before = stats_of (idle);
  check_same_fields (running, before);
  gst_structure_foreach (before, check_zero, NULL);
  gst_structure_free (running);
  gst_structure_free (before);
  filter_finish (h);
  gst_object_unref (idle);
}
GST_END_TEST;

GST_START_TEST (counters_message_and_stats_have_the_same_fields)
{
  GstHarness *h = filter_new (CHEAP);

  filter_start (h, NULL);
  push_numbered (h, 3, 100);
  end (h);
  GstMessage *message = bus_wait_element (h, "vyre-counters");
  GstStructure *stats = stats_of (h->element);
  check_same_fields (gst_message_get_structure (message), stats);
  gst_structure_free (stats);
  gst_message_unref (message);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (counters_count_what_was_done)
{
  GstHarness *h = filter_new (CHEAP "; store_u32 1 -> one; load_u32 160 -> tag");
  GstElement *element = h->element;
  const guint64 control = 4 * (160 + 1 + 7 + 1 + 1 + 1), ring = 64 * 5;

  guint64 proofs = stat_of (element, "kernel-batches"); /* what the start-up ran */
  filter_start (h, NULL);
  push_numbered (h, 10, 100);
  fail_unless_equals_uint64 (stat_of (element, "buffers"), 10);
  fail_unless_equals_uint64 (stat_of (element, "batches"), 10);
  fail_unless_equals_uint64 (stat_of (element, "payload-bytes"), 10 * 100);
  fail_unless_equals_uint64 (stat_of (element, "processed-bytes"), 10 * 2 * 100);
  fail_unless_equals_uint64 (stat_of (element, "control-bytes"), 10 * control);
  fail_unless_equals_uint64 (stat_of (element, "ring-bytes"), 10 * ring);
  fail_unless_equals_uint64 (stat_of (element, "debug-log-bytes"), 10 * 1028);
  fail_unless_equals_uint64 (stat_of (element, "io-queue-bytes"), 10 * 2048);
  fail_unless_equals_uint64 (
      stat_of (element, "readback-bytes"), 10 * (control + ring + 1028 + 2048));
  fail_unless_equals_uint64 (stat_of (element, "done-count"), 10 * 5);
  fail_unless_equals_uint64 (stat_of (element, "epoch"), 10);
  fail_unless_equals_uint64 (stat_of (element, "faults"), 0);
  fail_unless_equals_uint64 (stat_of (element, "flushed"), 0);
  fail_unless_equals_uint64 (stat_of (element, "kernel-batches"), proofs + 10);
  fail_unless (stat_of (element, "launches") >= 1);
  fail_unless_equals_uint64 (stat_nested (element, "metrics", "store-u32"), 10);
  fail_unless_equals_uint64 (stat_nested (element, "metrics", "load-u32"), 10);
  fail_unless_equals_uint64 (stat_nested (element, "metrics", "batch-fence"), 10);
  guint64 p50 = stat_of (element, "latency-p50"), p99 = stat_of (element, "latency-p99");
  fail_unless (p50 > 0 && p50 <= p99 && p99 <= stat_of (element, "latency-max"));
  end (h);
  fail_unless_equals_uint64 (stat_of (element, "queue-depth"), 0);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (a_new_stream_counts_from_zero)
{
  GstHarness *h = filter_new (CHEAP);

  filter_start (h, NULL);
  push_numbered (h, 5, 100);
  gst_element_set_state (h->element, GST_STATE_READY);
  fail_unless_equals_uint64 (stat_of (h->element, "buffers"), 5);
  gst_element_set_state (h->element, GST_STATE_PLAYING);
  fail_unless_equals_uint64 (stat_of (h->element, "buffers"), 0);
  push_numbered (h, 2, 100);
  fail_unless_equals_uint64 (stat_of (h->element, "buffers"), 2);
  filter_finish (h);
}
GST_END_TEST;

/* A result named like a field of the message would hide it. */
GST_START_TEST (fields_of_the_message_are_no_names_of_results)
{
  GstHarness *h = filter_new ("crc32 payload -> crc32");
  GstMessage *message;

  filter_start (h, NULL);
  push_numbered (h, 1, 10);
  message = bus_wait_element (h, "vyre-results");
  const GstStructure *fields = gst_message_get_structure (message);
  for (gint i = 0; i < gst_structure_n_fields (fields); i++) {
    const gchar *name = gst_structure_nth_field_name (fields, (guint)i);
    gchar *program = g_strdup_printf ("crc32 payload -> %s", name);
    GstElement *other = filter_make (program);
    gboolean allowed = gst_element_set_state (other, GST_STATE_READY) == GST_STATE_CHANGE_SUCCESS;
    fail_unless_equals_int (allowed, strcmp (name, "crc32") == 0);
    gst_element_set_state (other, GST_STATE_NULL);
    gst_object_unref (other);
    g_free (program);
  }
  gst_message_unref (message);
  filter_finish (h);
}
GST_END_TEST;

static Suite *
messages_suite (void)
{
  Suite *s = suite_create ("messages");
  TCase *fields = tcase_create ("fields"), *times = tcase_create ("times");
  TCase *counters = tcase_create ("counters");

  suite_add_tcase (s, fields);
  tcase_add_test (fields, fields_have_types_that_bindings_read);
  tcase_add_test (fields, clock_fields_follow_the_segment);
  tcase_add_test (fields, clock_fields_are_those_of_the_buffers_own_segment);
  tcase_add_test (fields, without_a_time_segment_the_clock_fields_are_none);
  tcase_add_test (fields, printf_records_become_messages);
  tcase_add_test (fields, records_beyond_the_log_are_counted);
  tcase_add_test (fields, records_within_the_interval_are_left_out_and_counted);
  tcase_add_test (fields, the_next_record_says_how_many_were_left_out);
  tcase_add_test (fields, fields_of_the_message_are_no_names_of_results);
  suite_add_tcase (s, times);
  tcase_add_test (times, interval_zero_reports_every_buffer_in_order);
  tcase_add_test (times, first_and_last_buffer_report_whatever_the_interval);
  tcase_add_test (times, a_last_result_that_was_reported_is_not_repeated);
  tcase_add_test (times, defaults_report_once_a_second);
  tcase_add_loop_test (times, only_the_messages_asked_for_are_posted, 0, POST_ALL + 1);
  tcase_add_test (times, counters_come_at_their_interval);
  tcase_add_test (times, names_are_looked_up_once_and_not_with_each_buffer);
  suite_add_tcase (s, counters);
  tcase_add_test (counters, stats_are_complete_and_zero_before_ready);
  tcase_add_test (counters, counters_message_and_stats_have_the_same_fields);
  tcase_add_test (counters, counters_count_what_was_done);
  tcase_add_test (counters, a_new_stream_counts_from_zero);
  return s;
}

GST_CHECK_MAIN (messages);
