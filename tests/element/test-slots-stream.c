/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Streams of raw slots: which buffers are refused, and that such a stream is a stream like any
 * other.
 */
#include "slots.h"

#include <string.h>

/* ---- what is refused --------------------------------------------------- */

/* Slots with one word changed; the rest are NOPs that may run, or EMPTY if there are
 * so many that their work would be too much for some devices. */
typedef struct {
  gsize size; /* bytes of the buffer */
  guint word; /* of the buffer */
  guint32 value;
  const gchar *part; /* of what is said */
} Refusal;

#define IN_SLOT(slot, word) ((slot)*VYRE_SLOT_WORDS + (word))

static const Refusal refusals[] = {
  { 0, 0, 0, "0 bytes" },
  { 1, 0, 0, "1 bytes" },
  { 63, 0, 0, "slot 0 has 63" },
  { 65, 0, 0, "slot 1 has 1" },
  { 64, IN_SLOT (0, VYRE_SLOT_OPCODE), 0xFFF0, "Slot 0: " },
  { 128, IN_SLOT (1, VYRE_SLOT_OPCODE), 0xFFFFFFFE, "Slot 1: " },
  { 128, IN_SLOT (1, VYRE_SLOT_OPCODE), 0x80000000, "Slot 1: " },
  { 192, IN_SLOT (2, VYRE_SLOT_STATUS), VYRE_STATUS_CLAIMED, "Slot 2: " },
  { 192, IN_SLOT (2, VYRE_SLOT_STATUS), VYRE_STATUS_DONE, "Slot 2: " },
  { 192, IN_SLOT (1, VYRE_SLOT_STATUS), VYRE_STATUS_WAIT_IO, "Slot 1: " },
  { 192, IN_SLOT (0, VYRE_SLOT_STATUS), 8, "Slot 0: " },
  { 64, IN_SLOT (0, VYRE_SLOT_PRIORITY), VYRE_PRIORITY_LEVELS, "Slot 0: " },
  { (gsize)600000 * SLOT_BYTES, 0, 1, "slot 393216" },
  { (MAX_SLOTS + 1) * SLOT_BYTES, 0, 1, "slot 393216" },
};

static GstBuffer *
refused_buffer (const Refusal *refusal)
{
  guint32 *words = g_malloc0 (refusal->size + 3);

  for (gsize slot = 0; slot < MIN (refusal->size / SLOT_BYTES, 16); slot++)
    words[slot * VYRE_SLOT_WORDS] = GUINT32_TO_LE (VYRE_STATUS_PUBLISHED);
  if (refusal->value)
    words[refusal->word] = GUINT32_TO_LE (refusal->value);
  GstBuffer *buffer = buffer_of (words, refusal->size);
  g_free (words);
  return buffer;
}

/* One error of this domain and code, with @part and a remedy. */
static void
expect_error (GstHarness *h, gint code, const gchar *part)
{
  GstMessage *message = bus_wait (h, GST_MESSAGE_ERROR);
  GError *error = NULL;

  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, GST_STREAM_ERROR, code), "%s", error->message);
  fail_unless (strstr (error->message, part) != NULL, "'%s' is not in '%s'", part, error->message);
  fail_unless (strstr (error->message, "Fix: ") != NULL, "no remedy in '%s'", error->message);
  g_error_free (error);
  gst_message_unref (message);
  fail_unless_equals_int (bus_count_type (h, GST_MESSAGE_ERROR), 0);
}

static void
push_refused (GstHarness *h, const Refusal *refusal)
{
  GstFlowReturn flow = gst_harness_push (h, refused_buffer (refusal));

  fail_unless (
      flow == GST_FLOW_ERROR, "instead of '%s', %s", refusal->part, gst_flow_get_name (flow));
  expect_error (h, GST_STREAM_ERROR_FORMAT, refusal->part);
}

GST_START_TEST (slots_that_cannot_be_published_are_an_error)
{
  GstHarness *h = slots_filter_new ();

  for (guint i = 0; i < G_N_ELEMENTS (refusals); i++) {
    push_refused (h, &refusals[i]);
    GstBuffer *readback = filter_run (h, slots_store_buffer (i));
    fail_unless_equals_int (readback_observable (readback, 1), i);
    gst_buffer_unref (readback);
  }
  fail_unless_equals_uint64 (stat_of (h->element, "buffers"), G_N_ELEMENTS (refusals));
  filter_finish (h);
}
GST_END_TEST;

/* A refused buffer takes nothing along: those before and behind it come through. */
GST_START_TEST (a_refusal_costs_no_other_slots)
{
  GstHarness *h = filter_new_with (NULL, "max-in-flight", 8, "post-messages", 0, NULL);
  Dam dam;

  filter_start (h, CAPS);
  dam_build (&dam, h);
  filter_push (h, slots_store_buffer (1));
  filter_push (h, slots_store_buffer (2));
  dam_wait (&dam);
  push_refused (h, &refusals[4]);
  filter_push (h, slots_store_buffer (3));
  dam_break (&dam);
  for (guint i = 1; i <= 3; i++) {
    GstBuffer *readback = filter_pull (h);
    fail_unless_equals_int (readback_observable (readback, 1), i);
    gst_buffer_unref (readback);
  }
  filter_push_eos (h);
  filter_wait_eos (h);
  fail_unless_equals_uint64 (stat_of (h->element, "buffers"), 3);
  fail_unless_equals_uint64 (stat_of (h->element, "flushed"), 0);
  filter_finish (h);
}
GST_END_TEST;

static const gchar *const refused_caps[] = {
  CAPS ",abi=2",
  CAPS ",abi=0",
  CAPS ",abi=(string)1",
};

GST_START_TEST (slots_of_another_abi_are_refused)
{
  GstHarness *h = filter_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (refused_caps); i++) {
    slots_push_caps (h, refused_caps[i]);
    expect_error (h, GST_STREAM_ERROR_FORMAT, "ABI");
  }
  filter_push_segment (h);
  fail_unless_equals_int (gst_harness_push (h, slots_store_buffer (1)), GST_FLOW_NOT_NEGOTIATED);
  slots_push_caps (h, CAPS ",abi=1");
  gst_buffer_unref (filter_run (h, slots_store_buffer (1)));
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (slots_in_memory_of_a_device_are_refused)
{
  GstHarness *h = filter_new (NULL);

  slots_push_caps (h, CAPS "(memory:GLMemory)");
  bus_assert_error (h, "download");
  filter_finish (h);
}
GST_END_TEST;

/* ---- streaming --------------------------------------------------------- */

GST_START_TEST (readbacks_have_the_time_of_their_slots)
{
  GstHarness *h = slots_filter_new ();
  GstBuffer *buffer = slots_numbered_buffer (12, 1);

  GST_BUFFER_DTS (buffer) = 3;
  GST_BUFFER_DURATION (buffer) = 4 * GST_MSECOND;
  GST_BUFFER_OFFSET_END (buffer) = 13;
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_MARKER);
  GstBuffer *readback = filter_run (h, buffer);
  fail_unless_equals_uint64 (GST_BUFFER_PTS (readback), 12 * GST_MSECOND);
  fail_unless_equals_uint64 (GST_BUFFER_DTS (readback), 3);
  fail_unless_equals_uint64 (GST_BUFFER_DURATION (readback), 4 * GST_MSECOND);
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (readback), 12);
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET_END (readback), 13);
  fail_unless (GST_BUFFER_FLAG_IS_SET (readback, GST_BUFFER_FLAG_MARKER));
  gst_buffer_unref (readback);
  filter_finish (h);
}
GST_END_TEST;

/* As long as no slot came, a gap has the caps of the least that can come. */
GST_START_TEST (a_gap_may_come_before_any_slot)
{
  GstHarness *h = filter_new_with (NULL, "post-messages", 0, NULL);
  FlowLog *log = flow_log_new (h);

  filter_start (h, CAPS);
  fail_unless (gst_harness_push_event (h, gst_event_new_gap (0, GST_SECOND)));
  flow_log_wait (log, "gap");
  slots_check_caps (h, 1, DEFAULT_OBSERVABLES);
  filter_push (h, slots_numbered_buffer (0, 1));
  filter_push (h, slots_numbered_buffer (1, 2));
  filter_push_eos (h);
  flow_log_wait (log, "eos");
  gchar *text = flow_log_text (log), *start = strstr (text, "caps");
  fail_unless_equals_string (start, "caps segment gap #0 caps #1 eos");
  g_free (text);
  flow_log_free (log);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (eos_comes_behind_the_last_slots)
{
  GstHarness *h = filter_new_with (NULL, "max-in-flight", 64, "post-messages", 0, NULL);
  FlowLog *log = flow_log_new (h);

  filter_start (h, CAPS);
  for (guint i = 0; i < 5; i++)
    filter_push (h, slots_numbered_buffer (i, 3));
  filter_push_eos (h);
  flow_log_wait (log, "eos");
  gchar *text = flow_log_text (log), *start = strstr (text, "caps");
  fail_unless_equals_string (start, "caps segment #0 #1 #2 #3 #4 eos");
  g_free (text);
  flow_log_free (log);
  filter_finish (h);
}
GST_END_TEST;

/* An empty stream ends, too. */
GST_START_TEST (eos_may_come_without_any_slot)
{
  GstHarness *h = slots_filter_new ();

  filter_push_eos (h);
  filter_wait_eos (h);
  fail_unless_equals_uint64 (stat_of (h->element, "buffers"), 0);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (a_flush_drops_slots_and_the_next_ones_run)
{
  GstHarness *h = filter_new_with (NULL, "max-in-flight", 16, "post-messages", 0, NULL);
  Dam dam;

  filter_start (h, CAPS);
  dam_build (&dam, h);
  for (guint i = 0; i < 10; i++)
    filter_push (h, slots_numbered_buffer (i, 1 + i));
  dam_wait (&dam);
  filter_flush (h);
  dam_break (&dam);
  while (gst_harness_buffers_in_queue (h) > 0)
    gst_buffer_unref (gst_harness_pull (h));
  filter_push_segment (h);
  GstBuffer *readback = filter_run (h, slots_numbered_buffer (100, 3));
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (readback), 100);
  fail_unless_equals_int (readback_observable (readback, 2), 102);
  slots_check_caps (h, 3, DEFAULT_OBSERVABLES);
  gst_buffer_unref (readback);
  fail_unless (stat_of (h->element, "flushed") > 0);
  fail_unless_equals_uint64 (stat_of (h->element, "queue-depth"), 0);
  filter_finish (h);
}
GST_END_TEST;

static Suite *
slots_stream_suite (void)
{
  Suite *s = suite_create ("slots-stream");
  TCase *refused = tcase_create ("refused"), *stream = tcase_create ("stream");

  suite_add_tcase (s, refused);
  tcase_add_test (refused, slots_that_cannot_be_published_are_an_error);
  tcase_add_test (refused, a_refusal_costs_no_other_slots);
  tcase_add_test (refused, slots_of_another_abi_are_refused);
  tcase_add_test (refused, slots_in_memory_of_a_device_are_refused);
  suite_add_tcase (s, stream);
  tcase_add_test (stream, readbacks_have_the_time_of_their_slots);
  tcase_add_test (stream, a_gap_may_come_before_any_slot);
  tcase_add_test (stream, eos_comes_behind_the_last_slots);
  tcase_add_test (stream, eos_may_come_without_any_slot);
  tcase_add_test (stream, a_flush_drops_slots_and_the_next_ones_run);
  return s;
}

GST_CHECK_MAIN (slots_stream);
