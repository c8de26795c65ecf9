/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Events of sound: silence, to the sample, and clipping.
 */
#include "common.h"

enum { POST_EVENTS = 8 };

static GstHarness *
start (const gchar *time, guint channels)
{
  GstHarness *h = filter_new_with ("builtin:audio-qc", "post-messages", POST_EVENTS, NULL);
  gchar *params = g_strdup_printf ("params,silence_time=%s", time);
  gchar *caps = g_strdup_printf (
      "audio/x-raw, format=S16LE, layout=interleaved, rate=1000, channels=%u", channels);

  gst_util_set_object_arg (G_OBJECT (h->element), "params", params);
  filter_start (h, caps);
  g_free (caps);
  g_free (params);
  return h;
}

static void
append_event (GString *log, const GstStructure *fields)
{
  guint64 timestamp = field_u64 (fields, "timestamp");
  gboolean complete = FALSE;

  fail_unless (gst_structure_get_boolean (fields, "complete", &complete));
  fail_unless_equals_uint64 (field_u64 (fields, "stream-time"), timestamp);
  fail_unless_equals_uint64 (field_u64 (fields, "running-time"), timestamp);
  g_string_append_printf (log,
      "%s %s %" G_GUINT64_FORMAT "+%" G_GUINT64_FORMAT " #%" G_GUINT64_FORMAT "%s\n",
      gst_structure_get_string (fields, "event"), gst_structure_get_string (fields, "state"),
      timestamp / GST_MSECOND, field_u64 (fields, "duration") / GST_MSECOND,
      field_u64 (fields, "sequence"), complete ? "" : " !");
}

/* Ends the stream and compares the events, and how many are undecided. */
static void
finish (GstHarness *h, const gchar *expected, guint undecided)
{
  GString *log = g_string_new (NULL);
  GstMessage *message;

  filter_push_eos (h);
  filter_wait_eos (h);
  fail_unless_equals_uint64 (stat_of (h->element, "undecided"), undecided);
  while ((message = bus_try (h, GST_MESSAGE_ELEMENT))) {
    if (gst_message_has_name (message, "vyre-event"))
      append_event (log, gst_message_get_structure (message));
    gst_message_unref (message);
  }
  fail_unless_equals_string (log->str, expected);
  g_string_free (log, TRUE);
  filter_finish (h);
}

/* Pushes buffers of ten samples in each of two channels, 10 ms apart, one sample of which has the
 * level that a letter stands for. */
static void
push_levels (GstHarness *h, const gchar *left, const gchar *right)
{
  for (guint i = 0; left[i]; i++) {
    const gchar letters[] = { left[i], right[i] };
    gint16 samples[20] = { 0 };

    for (guint c = 0; c < 2; c++) {
      /* 32.767 is 60 dB below the greatest level, and 32 to silencedetect */
      gint16 level = letters[c] == '.' ? 31 : letters[c] == ',' ? -32 : G_MININT16;
      samples[6 + c] = GINT16_TO_LE (level);
    }
    GstBuffer *buffer = buffer_of (samples, sizeof samples);
    GST_BUFFER_PTS (buffer) = i * 10 * GST_MSECOND;
    filter_push (h, buffer);
  }
}

static const struct {
  const gchar *left, *right, *expected;
} sounds[] = {
  { ",.....,", ",.....,", "silence start 4+46 #1\nsilence end 63+59 #7\n" },
  { "......,", ",......", "silence start 4+46 #1\nsilence end 63+59 #7\n" },
  { ",.....,", ",..,..,", "" },
  { ",...,", ".....", "" },
  { ",....,", "......", "silence start 4+46 #1\nsilence end 53+49 #6\n" },
  { ".......", ".......", "silence start 0+40 #1\nsilence end 70+70 #7\n" },
  { ",,,,,,", "..!!..", "clipping start 20+0 #3\nclipping end 40+20 #5\n" },
};

GST_START_TEST (audio_has_silence_and_clipping)
{
  GstHarness *keeper = start ("1", 1);

  for (guint i = 0; i < G_N_ELEMENTS (sounds); i++) {
    GstHarness *h = start ("0.04", 2);
    push_levels (h, sounds[i].left, sounds[i].right);
    finish (h, sounds[i].expected, 0);
  }
  filter_finish (keeper);
}
GST_END_TEST;

/* Pushes a buffer of so many samples, zeros but for those that @loud numbers up to a 0, and reads
 * what silencedetect finds. The numbers of a part of the buffer between loud ones count as loud. */
static const struct {
  guint samples;
  guint loud[6];
  const gchar *expected;
  guint undecided;
} long_buffers[] = {
  /* parts of 13 samples */
  { 400, { 50, 51, 100, 300 },
      "silence start 0+50 #1\nsilence end 50+50 #1\nsilence start 52+48 #1\nsilence end 100+48 #1\n"
      "silence start 101+199 #1\nsilence end 300+199 #1\nsilence start 301+99 #1\n"
      "silence end 400+99 #1\n" },
  { 400, { 40, 80, 399 },
      "silence start 0+40 #1\nsilence end 40+40 #1\nsilence start 81+318 #1\n"
      "silence end 399+318 #1\n" },
  { 41, { 40 }, "silence start 0+40 #1\nsilence end 40+40 #1\n" },
  { 41, { 39 }, "" },
  /* parts of 50: between loud samples there may be 40 quiet ones, or not */
  { 1600, { 1, 43, 1599 }, "silence start 44+1555 #1\nsilence end 1599+1555 #1\n", 1 },
  { 1600, { 1, 41, 1599 }, "silence start 42+1557 #1\nsilence end 1599+1557 #1\n", 0 },
};

GST_START_TEST (a_buffer_may_have_several_silences)
{
  GstHarness *keeper = start ("1", 1);

  for (guint i = 0; i < G_N_ELEMENTS (long_buffers); i++) {
    GstHarness *h = start ("0.04", 1);
    gint16 samples[1600] = { 0 };
    for (const guint *loud = long_buffers[i].loud; *loud; loud++)
      samples[*loud] = GINT16_TO_LE (1000);
    GstBuffer *buffer = buffer_of (samples, 2 * long_buffers[i].samples);
    GST_BUFFER_PTS (buffer) = 0;
    filter_push (h, buffer);
    finish (h, long_buffers[i].expected, long_buffers[i].undecided);
  }
  filter_finish (keeper);
}
GST_END_TEST;

/* A silence goes on over a buffer that is missing, and is incomplete. */
GST_START_TEST (a_missing_buffer_leaves_a_silence_incomplete)
{
  static const gint16 zeros[30] = { 0 };
  GstHarness *h = start ("0.08", 1);

  for (guint i = 0; i < 2; i++) {
    GstBuffer *buffer = buffer_of (zeros, sizeof zeros);
    GST_BUFFER_PTS (buffer) = i * 60 * GST_MSECOND;
    if (i > 0)
      GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
    filter_push (h, buffer);
  }
  finish (h, "silence start 0+90 #1 !\nsilence end 90+90 #2 !\n", 0);
}
GST_END_TEST;

static Suite *
silence_suite (void)
{
  Suite *s = suite_create ("silence");
  TCase *tc = tcase_create ("intervals");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, audio_has_silence_and_clipping);
  tcase_add_test (tc, a_buffer_may_have_several_silences);
  tcase_add_test (tc, a_missing_buffer_leaves_a_silence_incomplete);
  return s;
}

GST_CHECK_MAIN (silence);
