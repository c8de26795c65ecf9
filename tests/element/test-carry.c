/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Programs with state: what a buffer starts from is what the one before it left, and the stream
 * begins anew where it should.
 */
#include "common.h"
#include "oracle.h"

#define SIZES 8

/* Observable 1 counts the buffers, 2 bytes below 128; behind them are the sizes of the last. */
#define PROGRAM                                                                                    \
  "param n = 1; state frames[1]; state dark[1]; state sizes[8]; atomic_add n -> frames\n"          \
  "u8_below payload, 128 -> (&dark - 160)\n"                                                       \
  "packed_slot { memcpy &sizes + 1, &sizes, 7 | store_u32 payload.size, &sizes + 7 }"

typedef struct {
  guint32 frames;
  guint32 dark;
  guint32 sizes[SIZES];
} Words;

static gsize
size_of (guint number)
{
  return 16 + 16 * (number * number % 7);
}

static void
words_advance (Words *words, guint number)
{
  guint8 *data = noise_new (size_of (number), number);

  words->frames++;
  for (gsize i = 0; i < size_of (number); i++)
    words->dark += data[i] < 128;
  memmove (words->sizes, words->sizes + 1, 4 * (SIZES - 1));
  words->sizes[SIZES - 1] = (guint32)size_of (number);
  g_free (data);
}

static void
words_check (const Words *words, GstBuffer *readback)
{
  const guint32 *expected = &words->frames;

  for (guint i = 0; i < 2 + SIZES; i++)
    fail_unless_equals_int64 (readback_observable (readback, 1 + i), expected[i]);
  gst_buffer_unref (readback);
}

/* Runs a buffer, and expects the words behind @words. */
static void
run_one (GstHarness *h, Words *words, guint number)
{
  words_advance (words, number);
  words_check (words, filter_run (h, noise_buffer (size_of (number), number)));
}

/* Whatever is in flight, and whichever thread pushes. */
GST_START_TEST (the_number_in_flight_does_not_matter)
{
  static const guint in_flight[] = { 1, 4, 64 };
  GstHarness *h = filter_new_with (PROGRAM, "max-in-flight", in_flight[__i__], NULL);
  Words words = { 0 };

  filter_start (h, NULL);
  for (guint round = 0; round < 3; round++) {
    for (guint i = 0; i < 100; i++)
      filter_push (h, noise_buffer (size_of (100 * round + i), 100 * round + i));
    for (guint i = 0; i < 100; i++) {
      words_advance (&words, 100 * round + i);
      words_check (&words, filter_pull (h));
    }
  }
  fail_unless_equals_int (words.frames, 300);
  filter_finish (h);
}
GST_END_TEST;

#define LARGE 65536

#define OLDER                                                                                      \
  "crc32 previous(payload) -> before; crc32 payload -> now; u8_below payload, 128 -> dark\n"       \
  "crc32 reference(payload) -> then; keep reference when $dark <= 32768"

/* The payloads that the next buffer finds. */
typedef struct {
  guint32 before;
  guint32 then;
} Older;

static void
older_check (Older *older, GstBuffer *readback, guint seed)
{
  guint8 *data = noise_new (LARGE, seed);
  guint32 now = oracle_crc32 (data, LARGE), dark = 0;

  for (guint i = 0; i < LARGE; i++)
    dark += data[i] < 128;
  fail_unless_equals_int64 (readback_observable (readback, 1), older->before);
  fail_unless_equals_int64 (readback_observable (readback, 2), now);
  fail_unless_equals_int64 (readback_observable (readback, 4), older->then);
  if (older->then == 0 || dark > 32768)
    older->then = now;
  older->before = now;
  gst_buffer_unref (readback);
  g_free (data);
}

/* Where the device has no memory of its own it would read what is imported in place, from another
 * source than the payload before. */
GST_START_TEST (older_payloads_are_those_of_buffers_before)
{
  static const guint in_flight[] = { 1, 4, 64 };
  GstHarness *h
      = filter_new_with (OLDER, "max-in-flight", in_flight[__i__], "import-threshold", 1, NULL);
  Older older = { 0 };

  filter_start (h, NULL);
  for (guint round = 0; round < 3; round++) {
    for (guint i = 0; i < 30; i++)
      filter_push (h, noise_buffer (LARGE, i));
    for (guint i = 0; i < 30; i++)
      older_check (&older, filter_pull (h), i);
    filter_flush (h);
    filter_push_segment (h);
    older = (Older){ 0 };
  }
  fail_unless_equals_uint64 (stat_nested (h->element, "ingest", "import-bytes"), 0);
  filter_finish (h);
}
GST_END_TEST;

/* A store of two payloads is enough. */
GST_START_TEST (it_needs_room_for_two_payloads)
{
  GstHarness *h = filter_new_with ("crc32 previous(payload) -> before", "max-in-flight", 2,
      "staging-size", (guint64)(2 * LARGE), NULL);

  filter_start (h, NULL);
  for (guint i = 0; i < 4; i++)
    gst_buffer_unref (filter_run (h, noise_buffer (LARGE, i)));
  filter_finish (h);
}
GST_END_TEST;

/* Runs a buffer through each of two elements that keep it on one kernel, whose payloads lie in
 * memory of its own, with room for two and a half. */
static void
share_a_store (GstHarness *h[2], GstBuffer *first, GstBuffer *second)
{
  for (guint i = 0; i < 2; i++) {
    GstElement *element = filter_make ("crc32 previous(payload) -> before");
    g_object_set (element, "staging-size", (guint64)(2 * LARGE + LARGE / 2), NULL);
    gst_util_set_object_arg (G_OBJECT (element), "placement", "bar");
    h[i] = filter_wrap (element);
    filter_start (h[i], NULL);
    gst_buffer_unref (filter_run (h[i], i == 0 ? first : second));
  }
}

/* Each of two elements keeps a payload, and neither has room for its next. */
GST_START_TEST (kept_payloads_that_fill_a_kernel_are_an_error)
{
  GstHarness *h[2];

  share_a_store (h, noise_buffer (LARGE, 0), noise_buffer (LARGE, 1));
  fail_unless_equals_int (gst_harness_push (h[0], noise_buffer (LARGE, 2)), GST_FLOW_ERROR);
  bus_assert_error (h[0], "kernel-group=NAME");
  filter_finish (h[0]);
  filter_finish (h[1]);
}
GST_END_TEST;

/* An element behind the end of its stream keeps none, in memory of the kernel or of upstream. */
GST_START_TEST (the_end_lets_payloads_go)
{
  GstHarness *h[2];
  GstBuffer *last = noise_buffer (LARGE, 2);

  share_a_store (h, noise_buffer (LARGE, 1), gst_buffer_ref (last));
  filter_push_eos (h[1]);
  filter_wait_eos (h[1]);
  gst_buffer_unref (filter_run (h[0], noise_buffer (LARGE, 2)));
  ASSERT_BUFFER_REFCOUNT (last, "last", 1);
  gst_buffer_unref (last);
  filter_finish (h[0]);
  filter_finish (h[1]);
}
GST_END_TEST;

/* A DRAIN gives upstream its memory back, and the next buffer still finds the one before. */
GST_START_TEST (a_drain_lets_buffers_go)
{
  GstHarness *h = filter_new (OLDER);
  Older older = { 0 };

  filter_start (h, NULL);
  for (guint i = 0; i < 4; i++) {
    GstBuffer *buffer = noise_buffer (LARGE, i);
    older_check (&older, filter_run (h, gst_buffer_ref (buffer)), i);
    GstQuery *query = gst_query_new_drain ();
    gst_pad_peer_query (h->srcpad, query);
    gst_query_unref (query);
    ASSERT_BUFFER_REFCOUNT (buffer, "buffer", 1);
    gst_buffer_unref (buffer);
  }
  filter_finish (h);
}
GST_END_TEST;

static void
flush_in_flight (GstHarness *h)
{
  for (guint i = 0; i < 20; i++)
    filter_push (h, noise_buffer (64, i));
  filter_flush (h);
  filter_push_segment (h);
  while (gst_harness_buffers_in_queue (h) > 0) /* those that were through before */
    gst_buffer_unref (gst_harness_pull (h));
}

static void
set_other_program (GstHarness *h)
{
  g_object_set (h->element, "program", PROGRAM "\n", NULL);
}

/* Params are numbers of the program, so this is another one. */
static void
set_params (GstHarness *h)
{
  GstStructure *params = gst_structure_new ("params", "n", G_TYPE_UINT, 1, NULL);

  g_object_set (h->element, "params", params, NULL);
  gst_structure_free (params);
}

/* Holds the worker in a push, until it sends a DRAIN query from there. */
typedef struct {
  GstPad *sink;
  gint reached;
  gint asks;
} Asker;

static GstPadProbeReturn
drain_sink (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  g_autoptr (GstQuery) query = gst_query_new_drain ();
  Asker *asker = data;

  g_atomic_int_set (&asker->reached, TRUE);
  while (!g_atomic_int_get (&asker->asks))
    g_thread_yield ();
  gst_pad_query (asker->sink, query);
  return GST_PAD_PROBE_OK;
}

/* The buffers behind it leave when the worker comes back, and the state goes on. */
GST_START_TEST (a_drain_from_downstream_waits_for_nothing)
{
  GstHarness *h = filter_new (PROGRAM);
  g_autoptr (GstPad) source = filter_pad (h, "src");
  Asker asker = { .sink = filter_pad (h, "sink") };
  Words words = { 0 };

  filter_start (h, NULL);
  gst_pad_add_probe (source, GST_PAD_PROBE_TYPE_BUFFER, drain_sink, &asker, NULL);
  filter_push (h, noise_buffer (size_of (0), 0)); /* the first one is the task's */
  while (!g_atomic_int_get (&asker.reached))
    g_thread_yield ();
  for (guint i = 1; i < 4; i++)
    filter_push (h, noise_buffer (size_of (i), i));
  g_atomic_int_set (&asker.asks, TRUE);
  for (guint i = 0; i < 4; i++) {
    words_advance (&words, i);
    words_check (&words, filter_pull (h));
  }
  for (guint i = 4; i < 20; i++)
    run_one (h, &words, i);
  gst_object_unref (asker.sink);
  filter_finish (h);
}
GST_END_TEST;

static void
set_other_caps (GstHarness *h)
{
  GstCaps *caps = gst_caps_new_empty_simple ("application/x-other");

  fail_unless (gst_harness_push_event (h, gst_event_new_caps (caps)));
  gst_caps_unref (caps);
}

static void
start_other_stream (GstHarness *h)
{
  fail_unless (gst_harness_push_event (h, gst_event_new_stream_start ("other")));
}

static void
leave_and_come_back (GstHarness *h)
{
  gst_element_set_state (h->element, GST_STATE_READY);
  gst_element_set_state (h->element, GST_STATE_PLAYING);
  fail_unless (gst_harness_push_event (h, gst_event_new_stream_start ("again")));
  set_other_caps (h);
  filter_push_segment (h);
}

static void (*const beginnings[]) (GstHarness *) = { flush_in_flight, set_other_program, set_params,
  set_other_caps, start_other_stream, leave_and_come_back };

GST_START_TEST (it_begins_anew)
{
  GstHarness *h = filter_new_with (PROGRAM, "max-in-flight", 32, NULL);
  Words words = { 0 };

  filter_start (h, "application/x-test");
  for (guint i = 0; i < 5; i++)
    run_one (h, &words, i);
  beginnings[__i__](h);
  words = (Words){ 0 };
  for (guint i = 0; i < 5; i++)
    run_one (h, &words, i + 2);
  filter_finish (h);
}
GST_END_TEST;

/* State may start as any value of the buffer before: of one word, or two. */
GST_START_TEST (it_may_come_from_a_result)
{
  GstHarness *h
      = filter_new ("u8_stats payload -> s; store_u32 payload.size -> n; state m from $n\n"
                    "state sum from $s.sum; state most from $s.max; state older from $m");
  guint32 before[5] = { 0 };

  filter_start (h, NULL);
  for (guint i = 0; i < 5; i++) {
    GstBuffer *readback = filter_run (h, noise_buffer (size_of (i), i));
    /* observables: 7 of s, n, m, 2 of sum, most, older */
    const guint words[] = { 9, 10, 11, 12, 13 };
    for (guint w = 0; w < G_N_ELEMENTS (words); w++)
      fail_unless_equals_int64 (readback_observable (readback, words[w]), before[w]);
    before[4] = before[0];
    before[0] = size_of (i);
    before[1] = readback_observable (readback, 1 + VYRE_U8_STATS_SUM);
    before[2] = readback_observable (readback, 2 + VYRE_U8_STATS_SUM);
    before[3] = readback_observable (readback, 1 + VYRE_U8_STATS_MAX);
    fail_unless (before[1] > 0);
    gst_buffer_unref (readback);
  }
  filter_finish (h);
}
GST_END_TEST;

/* State may be calculated from results and from itself. A number that is none, and a fault, leave
 * it as it was. */
GST_START_TEST (it_may_be_calculated)
{
  GstHarness *h = filter_new (
      "u8_stats payload -> s; crc32 bytes(0, 5000) -> c; store_u32 payload.size -> n\n"
      "let odd = $n % 2; state most from max($most, $n)\n"
      "state odds from $odds + odd; state less from $n - 5001");
  guint32 most = 0, odds = 0, less = 0;
  static const guint sizes[] = { 5000, 5003, 6001, 7001, 5001, 4999, 100, 5002, 5000 };

  filter_start (h, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    GstBuffer *readback = filter_run (h, noise_buffer (sizes[i], i));
    /* observables: 7 of s, c, n */
    fail_unless_equals_int64 (readback_observable (readback, 10), most);
    fail_unless_equals_int64 (readback_observable (readback, 11), odds);
    fail_unless_equals_int64 (readback_observable (readback, 12), less);
    gst_buffer_unref (readback);
    if (sizes[i] < 5000) /* the checksum has no bytes behind the payload's */
      continue;
    most = MAX (most, sizes[i]);
    odds += sizes[i] % 2;
    less = sizes[i] > 5000 ? sizes[i] - 5001 : less;
  }
  filter_finish (h);
}
GST_END_TEST;

/* Gaps, segments, equal caps, other sizes of rings, and programs without state that come and go
 * beside it. */
GST_START_TEST (it_goes_on)
{
  GstHarness *h = filter_new (PROGRAM);
  Words words = { 0 };

  filter_start (h, "application/x-other");
  run_one (h, &words, 0);
  set_other_caps (h); /* which are the same */
  GstBuffer *buffer = noise_buffer (size_of (1), 1);
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  words_advance (&words, 1);
  words_check (&words, filter_run (h, buffer));
  filter_push_segment (h);
  run_one (h, &words, 2);
  fail_unless (gst_harness_push_event (h, gst_event_new_gap (0, GST_SECOND)));
  run_one (h, &words, 3);
  g_object_set (h->element, "slot-count", 32, NULL);
  run_one (h, &words, 4);
  g_object_set (h->element, "observable-slots", 64, NULL);
  run_one (h, &words, 5);
  filter_finish (h);
}
GST_END_TEST;

/* Buffers of audio may have any length. */
GST_START_TEST (audio_goes_on)
{
  GstHarness *h = filter_new ("state n[1]; atomic_add 1 -> n; optional audio_stats channel1 -> c");

  filter_start (h, "audio/x-raw, format=S16LE, layout=interleaved, rate=48000, channels=2");
  for (guint i = 1; i <= 4; i++) {
    GstBuffer *readback = filter_run (h, noise_buffer (i == 3 ? 2000 : 4096, i));
    fail_unless_equals_int64 (readback_observable (readback, 1), i);
    gst_buffer_unref (readback);
  }
  filter_finish (h);
}
GST_END_TEST;

/* Results have the names of state. */
GST_START_TEST (messages_have_its_words)
{
  GstHarness *h
      = filter_new_with ("state n[1]; state pair[2]; atomic_add 3 -> n; store_u32 &n -> pair",
          "results-interval", (guint64)0, NULL);

  filter_start (h, NULL);
  for (guint i = 1; i <= 3; i++) {
    gst_buffer_unref (filter_run (h, noise_buffer (16, i)));
    GstMessage *message = bus_wait_element (h, "vyre-results");
    const GstStructure *results = gst_message_get_structure (message);
    const GValue *pair = gst_structure_get_value (results, "pair");
    fail_unless_equals_uint64 (field_u64 (results, "n"), 3 * i);
    fail_unless (pair != NULL);
    gst_message_unref (message);
  }
  filter_finish (h);
}
GST_END_TEST;

/* The least of each buffer is below 0, and that of the one before as far. */
GST_START_TEST (state_has_the_sign_of_its_source)
{
  static const gint16 samples[8] = { -5, -5, -5, -5, -5, -5, -5, -5 };
  GstHarness *h = filter_new ("audio_stats channel0 -> a; state before from $a.sum\n"
                              "event fall when $a.sum < $before");

  filter_start (h, "audio/x-raw, format=S16LE, layout=interleaved, channels=1, rate=8000");
  for (guint i = 0; i < 3; i++) {
    GstBuffer *buffer = buffer_of (samples, sizeof samples);
    GST_BUFFER_PTS (buffer) = i * GST_MSECOND;
    gst_buffer_unref (filter_run (h, buffer));
  }
  fail_unless_equals_int (bus_count (h, "vyre-event"), 2); /* from 0, and its end */
  filter_finish (h);
}
GST_END_TEST;

/* As another program would. */
GST_START_TEST (state_of_another_size_begins_anew)
{
  GstHarness *h = filter_new ("param n = 1; state s[n]; atomic_add n -> s");

  filter_start (h, NULL);
  for (guint n = 1; n < 4; n++) {
    gst_child_proxy_set (GST_CHILD_PROXY (h->element), "n::value", (gdouble)n, NULL);
    for (guint i = 1; i < 4; i++) {
      GstBuffer *readback = filter_run (h, noise_buffer (16, 1));
      fail_unless_equals_int (readback_observable (readback, 1), n * i);
      gst_buffer_unref (readback);
    }
  }
  filter_finish (h);
}
GST_END_TEST;

static Suite *
carry_suite (void)
{
  Suite *s = suite_create ("carry");
  TCase *tc = tcase_create ("carry");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, the_number_in_flight_does_not_matter, 0, 3);
  tcase_add_loop_test (tc, older_payloads_are_those_of_buffers_before, 0, 3);
  tcase_add_test (tc, it_needs_room_for_two_payloads);
  tcase_add_test (tc, kept_payloads_that_fill_a_kernel_are_an_error);
  tcase_add_test (tc, the_end_lets_payloads_go);
  tcase_add_test (tc, a_drain_lets_buffers_go);
  tcase_add_test (tc, a_drain_from_downstream_waits_for_nothing);
  tcase_add_loop_test (tc, it_begins_anew, 0, G_N_ELEMENTS (beginnings));
  tcase_add_test (tc, it_may_come_from_a_result);
  tcase_add_test (tc, it_may_be_calculated);
  tcase_add_test (tc, it_goes_on);
  tcase_add_test (tc, audio_goes_on);
  tcase_add_test (tc, messages_have_its_words);
  tcase_add_test (tc, state_has_the_sign_of_its_source);
  tcase_add_test (tc, state_of_another_size_begins_anew);
  return s;
}

GST_CHECK_MAIN (carry);
