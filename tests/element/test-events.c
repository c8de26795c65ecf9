/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Events: where intervals start and end, and what ends them.
 */
#include "common.h"

#define SIZE "store_u32 payload.size -> n; "
#define BIG SIZE "event big when $n >= 100 for 40 ms"
#define ANY SIZE "event any when $n >= 100"

/* Big buffers carry half of the number of buffers, rounded up, and their size. */
#define STEPS                                                                                      \
  SIZE "state i from $i + 1; let of = ($i + 1) / 2; "                                              \
       "event step when $n >= 100 with of = of, size = $n"

/* The reference is the first of equal payloads. */
#define STILL                                                                                      \
  "sample_difference payload, reference(payload), 0 -> change; "                                   \
  "keep reference when $change.sum <= 0; event still when reference stays for 40 ms"

enum { POST_EVENTS = 8 };

/* Pushes buffers that are 10 ms apart, the first of them number @first: '#' is big and '.' is not,
 * and 'N' and 'n' are the same without a PTS. */
static void
push_pattern (GstHarness *h, guint first, const gchar *pattern)
{
  for (const gchar *at = pattern; *at; at++) {
    GstBuffer *buffer = noise_buffer (*at == '#' || *at == 'N' ? 100 : 10, 1);

    if (*at == '#' || *at == '.')
      GST_BUFFER_PTS (buffer) = (first + (guint)(at - pattern)) * 10 * GST_MSECOND;
    filter_push (h, buffer);
  }
}

/* The same of payloads of one size: a letter stands for the bytes, a capital for those without a
 * PTS, '!' for a jump in front of the next one, and '_' for 10 ms without a buffer. */
static void
push_payloads (GstHarness *h, guint first, const gchar *pattern)
{
  gboolean jumps = FALSE;

  for (const gchar *at = pattern; *at; at++) {
    jumps |= *at == '!';
    if (!g_ascii_isalpha (*at)) {
      first -= *at == '!';
      continue;
    }
    GstBuffer *buffer = noise_buffer (100, (guint)g_ascii_tolower (*at));
    if (g_ascii_islower (*at))
      GST_BUFFER_PTS (buffer) = (first + (guint)(at - pattern)) * 10 * GST_MSECOND;
    if (jumps)
      GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
    jumps = FALSE;
    filter_push (h, buffer);
  }
}

static gboolean
append_value (GQuark name, const GValue *value, gpointer log)
{
  g_autofree gchar *number = gst_value_serialize (value);

  fail_unless (G_VALUE_HOLDS (value, *number == '-' ? G_TYPE_INT64 : G_TYPE_UINT64));
  g_string_append_printf (log, " %s=%s", g_quark_to_string (name), number);
  return TRUE;
}

static void
append_event (GString *log, const GstStructure *fields)
{
  GstStructure *values = NULL;
  guint64 timestamp = field_u64 (fields, "timestamp");
  gboolean complete = FALSE;

  fail_unless (gst_structure_get_boolean (fields, "complete", &complete));
  fail_unless_equals_uint64 (field_u64 (fields, "stream-time"), timestamp);
  fail_unless_equals_uint64 (field_u64 (fields, "running-time"), timestamp);
  g_string_append_printf (log,
      "%s %s %" G_GUINT64_FORMAT "+%" G_GUINT64_FORMAT " #%" G_GUINT64_FORMAT,
      gst_structure_get_string (fields, "event"), gst_structure_get_string (fields, "state"),
      timestamp / GST_MSECOND, field_u64 (fields, "duration") / GST_MSECOND,
      field_u64 (fields, "sequence"));
  if (field_u64 (fields, "undecided") > 0)
    g_string_append_printf (log, " ?%" G_GUINT64_FORMAT, field_u64 (fields, "undecided"));
  if (!complete)
    g_string_append (log, " !");
  if (gst_structure_get (fields, "values", GST_TYPE_STRUCTURE, &values, NULL)) {
    gst_structure_foreach (values, append_value, log);
    gst_structure_free (values);
  }
  g_string_append_c (log, '\n');
}

/* Compares the events posted so far with @expected, and takes them from the bus. Of @name those
 * alone, unless it is NULL. */
static void
assert_events_of (GstHarness *h, const gchar *name, const gchar *expected)
{
  GString *log = g_string_new (NULL);
  GstMessage *message;

  while ((message = bus_try (h, GST_MESSAGE_ELEMENT))) {
    const GstStructure *fields = gst_message_get_structure (message);
    if (gst_message_has_name (message, "vyre-event")
        && (!name || g_str_equal (gst_structure_get_string (fields, "event"), name)))
      append_event (log, fields);
    gst_message_unref (message);
  }
  fail_unless_equals_string (log->str, expected);
  g_string_free (log, TRUE);
}

static void
assert_events (GstHarness *h, const gchar *expected)
{
  assert_events_of (h, NULL, expected);
}

static GstHarness *
start (const gchar *program)
{
  GstHarness *h = filter_new_with (program, "post-messages", POST_EVENTS, NULL);

  filter_start (h, "application/x-test");
  return h;
}

static void
finish (GstHarness *h, const gchar *expected)
{
  filter_push_eos (h);
  filter_wait_eos (h);
  assert_events (h, expected);
  filter_finish (h);
}

/* Waits until the readbacks of @n buffers have left, and so their events. */
static void
pull (GstHarness *h, guint n)
{
  while (n-- > 0)
    gst_buffer_unref (filter_pull (h));
}

static const struct {
  const gchar *program;
  const gchar *pattern;
  const gchar *expected;
} intervals[] = {
  { BIG, "..#####..", "big start 20+40 #3\nbig end 70+50 #8\n" },
  /* at the end of the interval the time is over */
  { BIG, "..####..", "big start 20+40 #3\nbig end 60+40 #7\n" },
  { BIG, "..###..", "" },
  /* the last buffer ends it */
  { BIG, "#####", "big start 0+40 #1\nbig end 40+40 #5\n" },
  { BIG, "######", "big start 0+40 #1\nbig end 50+50 #6\n" },
  { BIG, "####", "" },
  { BIG, "###.#####..####", "big start 40+40 #5\nbig end 90+50 #10\n" },
  { BIG, "####.####.",
      "big start 0+40 #1\nbig end 40+40 #5\nbig start 50+40 #6\nbig end 90+40 #10\n" },
  { ANY, ".#.", "any start 10+0 #2\nany end 20+10 #3\n" },
  { ANY, "#", "any start 0+0 #1\nany end 0+0 #1\n" },
  { ANY, "...", "" },
  /* several, in the order of the text */
  { ANY "; event small when $n < 100; event long when $n > 99 for 20 ms", "###.",
      "any start 0+0 #1\nlong start 0+20 #1\nany end 30+30 #4\nsmall start 30+0 #4\n"
      "long end 30+30 #4\nsmall end 30+0 #4\n" },
  /* without a PTS a buffer decides nothing */
  { BIG, "##N##.", "big start 0+40 #1 ?1 !\nbig end 50+50 #6 ?1 !\n" },
  { BIG, "##nn#.", "big start 0+40 #1 ?2 !\nbig end 50+50 #6 ?2 !\n" },
  { BIG, "####N", "" },
  { BIG, "#####N", "big start 0+40 #1\nbig end 40+40 #5 ?1 !\n" },
  /* right in front of it, too, where it may have begun already */
  { BIG, "NN#####nn.", "big start 20+40 #3 !\nbig end 90+70 #10 ?2 !\n" },
  { BIG, "NN.#####.", "big start 30+40 #4\nbig end 80+50 #9\n" },
  { BIG, "NNNNNNN", "" },
  { ANY, "NnN", "" },
  /* and so does one whose condition has no value, here the small ones */
  { SIZE "event odd when 90 / ($n - 10) == 1", ".#..#.",
      "odd start 10+0 #2 !\nodd end 50+40 #6 ?3 !\n" },
  /* an interval has one number of each that the event carries, and takes its time anew */
  { STEPS " for 20 ms", ".#####.",
      "step start 10+20 #2 of=1 size=100\nstep end 30+20 #4 of=1 size=100\n"
      "step start 30+20 #4 of=2 size=100\nstep end 50+20 #6 of=2 size=100\n" },
  { STEPS, "##N#", /* of 0 and of 1 begin and end without doubt */
      "step start 0+0 #1 of=0 size=100\nstep end 10+10 #2 of=0 size=100\n"
      "step start 10+0 #2 of=1 size=100\nstep end 30+20 #4 ?1 ! of=1 size=100\n"
      "step start 30+0 #4 ! of=2 size=100\nstep end 30+0 #4 ! of=2 size=100\n" },
  /* which may be below 0, but no more than -2^63 */
  { SIZE "event e when $n > 0 with more = $n - 11", "##..",
      "e start 0+0 #1 more=89\ne end 20+20 #3 more=89\n"
      "e start 20+0 #3 more=-1\ne end 30+10 #4 more=-1\n" },
  { SIZE "event e when $n > 0 with low = ($n - 50) * 65536 * 65536 * 65536 * 1024", "#.#.",
      "e start 0+0 #1 low=14411518807585587200\ne end 30+30 #4 ?2 ! low=14411518807585587200\n" },
  /* a region outside of the payload faults, and its result says nothing */
  { "u8_stats bytes(0, 50) -> s; event none when $s.count == 0; event all when $s.count == 50",
      "#.#", "all start 0+0 #1\nall end 20+20 #3 ?1 !\n" },
};

GST_START_TEST (intervals_have_exact_timestamps)
{
  GstHarness *keeper = start ("nop"); /* of the kernel */

  for (guint i = 0; i < G_N_ELEMENTS (intervals); i++) {
    GstHarness *h = start (intervals[i].program);

    GST_INFO ("%s", intervals[i].pattern);
    push_pattern (h, 0, intervals[i].pattern);
    finish (h, intervals[i].expected);
  }
  filter_finish (keeper);
}
GST_END_TEST;

/* What freezedetect of ffmpeg finds: an interval lasts from one reference to the next. */
static const struct {
  const gchar *pattern;
  const gchar *expected;
} references[] = {
  { "abbbbbc", "still start 10+40 #2\nstill end 60+50 #7\n" },
  /* the buffer that differs ends the time, too */
  { "abbbbc", "still start 10+40 #2\nstill end 50+40 #6\n" },
  { "abbbc", "" },
  { "abcdefgh", "" },
  { "a____bc", "still start 0+50 #1\nstill end 50+50 #2\n" },
  /* there is no end at the end of the stream */
  { "abbbbb", "still start 10+40 #2\n" },
  { "aaaa", "" },
  { "aaaaabbbbbaaaaac", "still start 0+40 #1\nstill end 50+50 #6\nstill start 50+40 #6\n"
                        "still end 100+50 #11\nstill start 100+40 #11\nstill end 150+50 #16\n" },
  { "aaAaaab", "still start 0+40 #1 ?1 !\nstill end 60+60 #7 ?1 !\n" },
  /* a reference without a PTS */
  { "aaaaaaBbbbbb", "still start 0+40 #1\nstill end 50+50 #6 !\nstill start 70+40 #8 ?1 !\n" },
  { "AAAAAAA", "" },
  /* upstream may have left buffers out */
  { "aaa!aab", "still start 0+40 #1 !\nstill end 50+50 #6 !\n" },
  { "aaaaa!bbbbbc", "still start 0+40 #1\nstill end 50+50 #6 !\nstill start 50+40 #6 !\nstill end "
                    "100+50 #11 !\n" },
  { "!aaaaab", "still start 0+40 #1\nstill end 50+50 #6\n" },
};

GST_START_TEST (an_interval_may_be_that_of_the_reference)
{
  GstHarness *keeper = start ("nop");

  for (guint i = 0; i < G_N_ELEMENTS (references); i++) {
    GstHarness *h = start (STILL);

    GST_INFO ("%s", references[i].pattern);
    push_payloads (h, 0, references[i].pattern);
    finish (h, references[i].expected);
  }
  filter_finish (keeper);
}
GST_END_TEST;

/* Time goes back, and what stays starts anew; so it does with other caps. */
GST_START_TEST (the_reference_goes_on_where_time_goes_back)
{
  GstHarness *h = start (STILL);

  push_payloads (h, 10, "aaaaaa");
  push_payloads (h, 0, "aaaaaa");
  gst_harness_set_src_caps_str (h, "application/x-other");
  push_payloads (h, 6, "aaaaab");
  finish (h, "still start 100+40 #1\nstill end 150+50 #6\nstill start 0+40 #7\n"
             "still end 50+50 #12\nstill start 60+40 #13\nstill end 110+50 #18\n");
}
GST_END_TEST;

static GstBuffer *
big_buffer (guint number)
{
  GstBuffer *buffer = noise_buffer (100, 1);

  GST_BUFFER_PTS (buffer) = number * 10 * GST_MSECOND;
  return buffer;
}

/* Without a peer, buffers are refused from some time on. Returns how many were sent. */
static guint
push_to_nobody (GstHarness *h, guint from)
{
  GstPad *pad = filter_pad (h, "src");
  guint n = 0;

  fail_unless (gst_pad_unlink (pad, h->sinkpad));
  while (gst_harness_push (h, big_buffer (from + n++)) == GST_FLOW_OK)
    fail_unless (n < 100);
  fail_unless_equals_int (gst_harness_push (h, big_buffer (from + n++)), GST_FLOW_NOT_LINKED);
  fail_unless_equals_int (gst_pad_link (pad, h->sinkpad), GST_PAD_LINK_OK);
  gst_object_unref (pad);
  return n;
}

/* Checks the next event: its name is "any". */
static void
assert_next_event (GstHarness *h, const gchar *state, gboolean complete)
{
  GstMessage *message = bus_wait_element (h, "vyre-event");
  const GstStructure *fields = gst_message_get_structure (message);
  gboolean is_complete = !complete;

  fail_unless_equals_string (gst_structure_get_string (fields, "state"), state);
  fail_unless (gst_structure_get_boolean (fields, "complete", &is_complete));
  fail_unless_equals_int (is_complete, complete);
  gst_message_unref (message);
}

/* Buffers that were refused are missing in the interval around them, whether it ends with another
 * buffer or with the stream. */
GST_START_TEST (missing_buffers_leave_an_interval_incomplete)
{
  GstHarness *h = filter_new_with (ANY, "post-messages", POST_EVENTS, "max-in-flight", 1, NULL);

  filter_start (h, "application/x-test");
  push_pattern (h, 0, "#");
  pull (h, 1);
  assert_next_event (h, "start", TRUE);
  guint n = push_to_nobody (h, 1);
  push_pattern (h, 1 + n, ".#");
  pull (h, 2);
  assert_next_event (h, "end", FALSE);
  assert_next_event (h, "start", TRUE);
  push_to_nobody (h, 3 + n);
  filter_push_eos (h);
  filter_wait_eos (h);
  assert_next_event (h, "end", FALSE);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (counters_count_them)
{
  GstHarness *h = start (ANY "; event zero when 1 / ($n - 10) == 0");

  push_pattern (h, 0, "#.#N");
  pull (h, 4);
  fail_unless_equals_uint64 (stat_of (h->element, "events"), 4);
  fail_unless_equals_uint64 (stat_of (h->element, "undecided"), 3);
  fail_unless_equals_uint64 (stat_nested (h->element, "event-counts", "any"), 2);
  fail_unless_equals_uint64 (stat_nested (h->element, "event-times", "any"), 20 * GST_MSECOND);
  fail_unless_equals_uint64 (stat_nested (h->element, "event-counts", "zero"), 1);
  filter_push_eos (h);
  filter_wait_eos (h);
  fail_unless_equals_uint64 (stat_of (h->element, "events"), 6);
  gst_element_set_state (h->element, GST_STATE_READY);
  gst_element_set_state (h->element, GST_STATE_PAUSED);
  GstStructure *stats = stats_of (h->element);
  fail_if (gst_structure_has_field (stats, "event-counts"));
  fail_if (gst_structure_has_field (stats, "event-times"));
  gst_structure_free (stats);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (stats_have_the_last_values)
{
  GstHarness *h = start (STEPS);
  GstStructure *stats, *events = NULL, *values = NULL;

  push_pattern (h, 0, ".##.");
  pull (h, 4);
  stats = stats_of (h->element);
  fail_unless (gst_structure_get (stats, "event-values", GST_TYPE_STRUCTURE, &events, NULL));
  fail_unless (gst_structure_get (events, "step", GST_TYPE_STRUCTURE, &values, NULL));
  fail_unless_equals_uint64 (field_u64 (values, "of"), 1);
  fail_unless_equals_uint64 (field_u64 (values, "size"), 100);
  gst_structure_free (values);
  gst_structure_free (events);
  gst_structure_free (stats);
  gst_element_set_state (h->element, GST_STATE_READY);
  gst_element_set_state (h->element, GST_STATE_PAUSED);
  stats = stats_of (h->element);
  fail_if (gst_structure_has_field (stats, "event-values"));
  gst_structure_free (stats);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (they_are_posted_if_asked_for)
{
  GstHarness *h = start (ANY);

  g_object_set (h->element, "post-messages", 0, NULL);
  push_pattern (h, 0, "#.");
  pull (h, 2);
  fail_unless_equals_uint64 (stat_of (h->element, "events"), 0);
  fail_unless_equals_uint64 (stat_nested (h->element, "event-counts", "any"), 1);
  g_object_set (h->element, "post-messages", POST_EVENTS, NULL);
  push_pattern (h, 2, "#");
  finish (h, "any start 20+0 #3\nany end 20+0 #3\n");
}
GST_END_TEST;

/* Neither the old interval nor its end is heard of again. */
static void
assert_flush_forgets (void)
{
  GstHarness *h = start (BIG);

  push_pattern (h, 100, "#####");
  pull (h, 5);
  assert_events (h, "big start 1000+40 #1\n");
  filter_flush (h);
  filter_push_segment (h);
  push_pattern (h, 104, "####.");
  pull (h, 5);
  assert_events (h, "big start 1040+40 #6\nbig end 1080+40 #10\n");
  filter_flush (h);
  filter_push_segment (h);
  finish (h, "");
}

static void
assert_program_ends (void)
{
  GstHarness *h = start ("param least = 100; " SIZE "event big when $n >= least for 40 ms");
  GstStructure *params = gst_structure_new ("params", "least", G_TYPE_UINT, 99, NULL);

  push_pattern (h, 0, "######");
  pull (h, 6);
  g_object_set (h->element, "params", params, NULL);
  gst_structure_free (params);
  push_pattern (h, 6, "#####");
  pull (h, 5);
  assert_events (h, "big start 0+40 #1\nbig end 50+50 #6\nbig start 60+40 #7\n");
  g_object_set (h->element, "params", NULL, "program", SIZE, NULL);
  push_pattern (h, 11, "######");
  pull (h, 6);
  assert_events (h, "big end 100+40 #11\n");
  g_object_set (h->element, "program", BIG, NULL);
  push_pattern (h, 17, "####");
  finish (h, "");
}

static void
assert_caps_end (void)
{
  GstHarness *h = start (ANY);

  push_pattern (h, 0, "##");
  gst_harness_set_src_caps_str (h, "application/x-other");
  push_pattern (h, 2, "#.");
  finish (h, "any start 0+0 #1\nany end 10+10 #2\nany start 20+0 #3\nany end 30+10 #4\n");
}

static void
assert_stream_ends (void)
{
  GstHarness *h = start (ANY);

  push_pattern (h, 0, "##");
  fail_unless (gst_harness_push_event (h, gst_event_new_stream_start ("other")));
  filter_push_segment (h);
  pull (h, 2);
  push_pattern (h, 0, "#");
  finish (h, "any start 0+0 #1\nany end 10+10 #2\nany start 0+0 #3\nany end 0+0 #3\n");
}

/* Sizes change the plan, and segments the times: neither ends an interval. */
static void
assert_segment_passes (void)
{
  GstHarness *h = start (SIZE "event some when $n > 0");

  push_pattern (h, 0, "#.");
  filter_push_segment (h);
  push_pattern (h, 2, ".#");
  finish (h, "some start 0+0 #1\nsome end 30+30 #4\n");
}

static void
assert_time_goes_back (void)
{
  GstHarness *h = start (BIG);

  push_pattern (h, 10, "#####");
  push_pattern (h, 0, "#####.");
  push_pattern (h, 5, ".");
  finish (h, "big start 100+40 #1\nbig end 140+40 #5\nbig start 0+40 #6\nbig end 50+50 #11\n");
}

GST_START_TEST (streams_end_them)
{
  GstHarness *keeper = start ("nop");

  assert_flush_forgets ();
  assert_program_ends ();
  assert_caps_end ();
  assert_stream_ends ();
  assert_segment_passes ();
  assert_time_goes_back ();
  filter_finish (keeper);
}
GST_END_TEST;

/* docs/program-language.md has this text. */
#define BLACK                                                                                      \
  "sample_stats luma -> luma\n"                                                                    \
  "let limit = 379 * luma.scale / 10 + 1\n"                                                        \
  "sample_below luma, limit -> black\n"                                                            \
  "event black when $black * 100 >= 98 * $luma.count for 2 s\n"

/* Frames of a picture: pattern of videotestsrc, frames at 5 per second. */
typedef struct {
  const gchar *pattern;
  guint frames;
} Part;

static const Part parts[] = {
  { "white", 2 }, { "black", 10 }, /* 400 to 2400 ms: 2 s */
  { "smpte", 2 }, { "black", 9 },  /* 2800 to 4600: too short */
  { "white", 1 }, { "black", 16 }, /* from 4800 to the last frame, 7800 ms */
};

/* Sets the pattern of the frame behind this one. */
static GstPadProbeReturn
choose_pattern (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  guint64 next = GST_BUFFER_OFFSET (GST_PAD_PROBE_INFO_BUFFER (info)) + 1, end = 0;
  GstElement *source = gst_pad_get_parent_element (pad);

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++) {
    if (next == end)
      gst_util_set_object_arg (G_OBJECT (source), "pattern", parts[i].pattern);
    end += parts[i].frames;
  }
  gst_object_unref (source);
  return GST_PAD_PROBE_OK;
}

/* A pipeline from the frames to a program. */
static GstElement *
film_new (const gchar *program, const gchar *params)
{
  GstElement *pipeline = gst_pipeline_new (NULL);
  GstElement *frames
      = gst_parse_bin_from_description ("videotestsrc name=source num-buffers=40 pattern=white ! "
                                        "capsfilter caps=video/x-raw,format=I420,width=64,"
                                        "height=48,framerate=5/1",
          TRUE, NULL);
  GstElement *filter = filter_make (program);
  GstElement *sink = gst_element_factory_make ("fakesink", NULL);
  GstElement *source = gst_bin_get_by_name (GST_BIN (frames), "source");
  GstPad *pad = gst_element_get_static_pad (source, "src");

  g_object_set (filter, "post-messages", POST_EVENTS, NULL);
  if (params)
    gst_util_set_object_arg (G_OBJECT (filter), "params", params);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, choose_pattern, NULL, NULL);
  gst_bin_add_many (GST_BIN (pipeline), frames, filter, sink, NULL);
  fail_unless (gst_element_link_many (frames, filter, sink, NULL));
  gst_object_unref (pad);
  gst_object_unref (source);
  return pipeline;
}

#define BLACK_AT_400 "black start 400+2000 #3\nblack end 2400+2000 #13\n"
#define BLACK_AT_4800 "black start 4800+2000 #25\n"
#define LAST_END "black end 7800+3000 #40\n"

/* Ffmpeg says of this film: blackdetect 0.4 to 2.4, and 4.8 to 7.8; freezedetect the same, without
 * the last end; scdet each change but that to black at 4.8, which scores as the frame in front. The
 * test picture has noise. */
static const struct {
  const gchar *program;
  const gchar *params;
  const gchar *expected;
} films[] = {
  { BLACK, NULL, BLACK_AT_400 BLACK_AT_4800 LAST_END },
  { "builtin:video-qc", NULL,
      "cut start 400+0 #3\ncut end 600+200 #4\n" BLACK_AT_400
      "freeze start 400+2000 #3\nfreeze end 2400+2000 #13\n"
      "cut start 2400+0 #13\ncut end 2600+200 #14\ncut start 2800+0 #15\ncut end 3000+200 #16\n"
      "cut start 4600+0 #24\ncut end 4800+200 #25\n" BLACK_AT_4800
      "freeze start 4800+2000 #25\n" LAST_END },
  /* black frames are not frozen */
  { "builtin:video-qc", "params,freeze_black=0,freeze_time=0.36,cut=50,cut_end=50",
      "freeze start 0+400 #1\nfreeze end 400+400 #3\ncut start 400+0 #3\ncut end 600+200 "
      "#4\n" BLACK_AT_400 "cut start 4600+0 #24\ncut end 4800+200 #25\n" BLACK_AT_4800 LAST_END },
};

static GString *
watch_film (GstElement *pipeline)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  GString *log = g_string_new (NULL);
  GstMessage *message;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (gboolean ended = FALSE; !ended; gst_message_unref (message)) {
    message = gst_bus_timed_pop_filtered (
        bus, 3 * PATIENCE * GST_SECOND, GST_MESSAGE_ELEMENT | GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    fail_unless (message && GST_MESSAGE_TYPE (message) != GST_MESSAGE_ERROR);
    if (gst_message_has_name (message, "vyre-event"))
      append_event (log, gst_message_get_structure (message));
    ended = GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS;
  }
  gst_object_unref (bus);
  return log;
}

GST_START_TEST (films_have_what_ffmpeg_finds)
{
  GstElement *pipeline = film_new (films[__i__].program, films[__i__].params);
  GString *log = watch_film (pipeline);

  fail_unless_equals_string (log->str, films[__i__].expected);
  g_string_free (log, TRUE);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
}
GST_END_TEST;

/* Levels of frames. The scores from the third on are 39, 19.5, 5.9, 9.8 and 15.6: only those of 10
 * and more are cuts, but one that lasts while scores are 5 takes in the others. Where those of 5
 * and more are cuts, three frames apart, the third one comes too early. */
GST_START_TEST (a_cut_may_last_until_scores_have_fallen)
{
  static const guint8 levels[] = { 0, 0, 100, 150, 185, 125, 225, 225, 225 };
  static const gchar *const params[]
      = { "params", "params,cut_end=5", "params,cut=5,cut_end=30,cut_distance=3" };
  static const gchar *const expected[] = {
    "cut start 20+0 #3\ncut end 40+20 #5\ncut start 60+0 #7\ncut end 70+10 #8\n",
    "cut start 20+0 #3\ncut end 70+50 #8\n",
    "cut start 30+0 #4\ncut end 40+10 #5\ncut start 60+0 #7\ncut end 70+10 #8\n",
  };
  GstHarness *h = filter_new_with ("builtin:video-qc", "post-messages", POST_EVENTS, NULL);

  gst_util_set_object_arg (G_OBJECT (h->element), "params", params[__i__]);
  filter_start (h, "video/x-raw, format=GRAY8, width=16, height=16");
  for (guint i = 0; i < G_N_ELEMENTS (levels); i++) {
    GstBuffer *frame = gst_buffer_new_allocate (NULL, 256, NULL);
    gst_buffer_memset (frame, 0, levels[i], 256);
    GST_BUFFER_PTS (frame) = i * 10 * GST_MSECOND;
    filter_push (h, frame);
  }
  finish (h, expected[__i__]);
}
GST_END_TEST;

/* Frames of 64 by 48, dark but for a box: first and last column, first and last row. */
static void
push_boxes (GstHarness *h, const guint8 (*boxes)[4], guint n)
{
  for (guint i = 0; i < n; i++) {
    guint8 *frame = g_malloc (64 * 48 * 3 / 2);

    memset (frame, 16, 64 * 48);
    memset (frame + 64 * 48, 128, 64 * 24);
    for (guint y = boxes[i][2]; y <= boxes[i][3]; y++)
      memset (frame + 64 * y + boxes[i][0], 200, boxes[i][1] + 1 - boxes[i][0]);
    GstBuffer *buffer = gst_buffer_new_wrapped (frame, 64 * 48 * 3 / 2);
    GST_BUFFER_PTS (buffer) = i * 10 * GST_MSECOND;
    filter_push (h, buffer);
  }
}

/* With the same options ffmpeg prints these crops. A picture that fills the frame has no borders.
 */
static const guint8 boxes[][4] = { { 0, 63, 0, 47 }, { 0, 63, 0, 47 }, { 10, 53, 8, 39 },
  { 12, 53, 9, 39 }, { 4, 57, 8, 39 }, { 1, 0, 1, 0 }, { 10, 57, 8, 39 }, { 0, 63, 0, 47 } };

static const struct {
  const gchar *params;
  const gchar *expected;
} borders[] = {
  { "params,border_time=0", "borders start 20+0 #3 x=16 y=8 width=32 height=32\n"
                            "borders end 40+20 #5 x=16 y=8 width=32 height=32\n"
                            "borders start 40+0 #5 x=8 y=8 width=48 height=32\n"
                            "borders end 70+30 #8 x=8 y=8 width=48 height=32\n" },
  { "params,border_time=0.03", "borders start 40+30 #5 x=8 y=8 width=48 height=32\n"
                               "borders end 70+30 #8 x=8 y=8 width=48 height=32\n" },
  { "params,border_time=0,border_skip=5,border_round=2",
      "borders start 60+0 #7 x=10 y=8 width=48 height=32\n"
      "borders end 70+10 #8 x=10 y=8 width=48 height=32\n" },
  { "params,border_time=0,border_skip=2,border_round=4,border_reset=4",
      "borders start 20+0 #3 x=10 y=8 width=44 height=32\n"
      "borders end 40+20 #5 x=10 y=8 width=44 height=32\n"
      "borders start 40+0 #5 x=6 y=8 width=52 height=32\n"
      "borders end 60+20 #7 x=6 y=8 width=52 height=32\n"
      "borders start 60+0 #7 x=10 y=8 width=48 height=32\n"
      "borders end 70+10 #8 x=10 y=8 width=48 height=32\n" },
};

GST_START_TEST (borders_are_those_of_cropdetect)
{
  GstHarness *keeper = start ("nop");

  for (guint i = 0; i < G_N_ELEMENTS (borders); i++) {
    GstHarness *h = filter_new_with ("builtin:video-qc", "post-messages", POST_EVENTS, NULL);
    gst_util_set_object_arg (G_OBJECT (h->element), "params", borders[i].params);
    filter_start (h, "video/x-raw, format=I420, width=64, height=48, framerate=100/1");
    push_boxes (h, boxes, G_N_ELEMENTS (boxes));
    filter_push_eos (h);
    filter_wait_eos (h);
    assert_events_of (h, "borders", borders[i].expected);
    filter_finish (h);
  }
  filter_finish (keeper);
}
GST_END_TEST;

static Suite *
events_suite (void)
{
  Suite *s = suite_create ("events");
  TCase *tc = tcase_create ("intervals");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, intervals_have_exact_timestamps);
  tcase_add_test (tc, an_interval_may_be_that_of_the_reference);
  tcase_add_test (tc, the_reference_goes_on_where_time_goes_back);
  tcase_add_test (tc, missing_buffers_leave_an_interval_incomplete);
  tcase_add_test (tc, counters_count_them);
  tcase_add_test (tc, stats_have_the_last_values);
  tcase_add_test (tc, they_are_posted_if_asked_for);
  tcase_add_test (tc, streams_end_them);
  tcase_add_loop_test (tc, films_have_what_ffmpeg_finds, 0, G_N_ELEMENTS (films));
  tcase_add_test (tc, borders_are_those_of_cropdetect);
  tcase_add_loop_test (tc, a_cut_may_last_until_scores_have_fallen, 0, 3);
  return s;
}

GST_CHECK_MAIN (events);
