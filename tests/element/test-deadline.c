/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * max-latency: in passthrough a buffer goes on at its deadline, whatever the device does; its
 * result comes when it comes, in order, and from the bytes that the buffer had. Devices that stall
 * make results late here.
 */
#include <string.h>

#include "common.h"
#include "lost.h"
#include "oracle.h"

#define META "GstVyreResultsMeta"
#define CRC "crc32 payload -> crc"
#define COUNT "crc32 payload -> crc; state n from $n + 1"
#define GRAY "video/x-raw,format=GRAY8,width=64,height=32,framerate=25/1"
#define GRAY_SIZE (64 * 32)
#define IN_FLIGHT 4 /* the default of max-in-flight */
#define MORE 7

/* Buffers through a filter, one after the other, and what came of them */
typedef struct {
  GstHarness *h;
  guint n;       /* pushed */
  guint n_there; /* results that were there in time */
  guint n_late;  /* reported later */
  guint n_unseen;
  guint reported; /* number of the last one in a message */
  guint n_reported;
} Film;

static const GstStructure *
results_of (GstBuffer *buffer)
{
  GstCustomMeta *meta = gst_buffer_get_custom_meta (buffer, META);

  fail_unless (meta != NULL, "a buffer came without a meta");
  return gst_custom_meta_get_structure (meta);
}

static gboolean
flag_of (const GstStructure *structure, const gchar *name)
{
  gboolean value = FALSE;

  gst_structure_get_boolean (structure, name, &value);
  return value;
}

static guint32
crc_of (guint number)
{
  guint8 *data = noise_new (GRAY_SIZE, number);
  guint32 crc = oracle_crc32 (data, GRAY_SIZE);

  g_free (data);
  return crc;
}

/* So much staging memory, which the kernel shares with what has as much */
#define STAGING (64 * 1024)

static Film
film_new (const gchar *program, guint64 max_latency)
{
  Film film = { .h = filter_new_with (program, "output-mode", 1, "max-latency", max_latency,
                    "results-interval", (guint64)0, "interval", G_MAXUINT64, "staging-size",
                    (guint64)STAGING, NULL) };

  filter_start (film.h, GRAY);
  return film;
}

/* Pushes the next buffer, and writes into what comes out, as elements do that may. Returns whether
 * its result was there. */
static gboolean
film_pass (Film *film)
{
  GstBuffer *buffer = noise_buffer (GRAY_SIZE, ++film->n);
  GstMemory *memory = gst_buffer_peek_memory (buffer, 0);
  GstMapInfo map;

  GST_BUFFER_OFFSET (buffer) = film->n;
  GST_BUFFER_PTS (buffer) = film->n * GST_SECOND / 25;
  filter_push (film->h, buffer);
  GstBuffer *passed = filter_pull (film->h);
  const GstStructure *results = results_of (passed);
  gboolean missing = flag_of (results, "missing");
  fail_unless_equals_uint64 (field_u64 (results, "sequence"), film->n);
  fail_unless_equals_uint64 (field_u64 (results, "timestamp"), film->n * GST_SECOND / 25);
  fail_unless_equals_uint64 (field_u64 (results, "offset"), film->n);
  fail_unless_equals_uint64 (field_u64 (results, "payload-bytes"), GRAY_SIZE);
  fail_unless_equals_int (flag_of (results, "complete"), !missing);
  fail_unless (gst_buffer_peek_memory (passed, 0) == memory);
  passed = gst_buffer_make_writable (passed);
  fail_unless (gst_buffer_map (passed, &map, GST_MAP_WRITE));
  memset (map.data, 0x55, map.size);
  gst_buffer_unmap (passed, &map);
  gst_buffer_unref (passed);
  film->n_there += !missing;
  return !missing;
}

/* Waits until @n results are still to come: the worker counts an item until after its buffer has
 * been pushed. */
static void
film_settle (Film *film, guint n)
{
  for (guint i = 0; stat_of (film->h->element, "queue-depth") != n; i++) {
    fail_unless (i < PATIENCE * 1000, "not %u results are still to come", n);
    g_usleep (1000);
  }
}

/* Stalls the device, and pushes buffers until one goes on without its result: a launch that is
 * under way may still take some. */
static void
film_stall (Film *film)
{
  gboolean stalled;

  vyre_lost_stall (true);
  do
    stalled = vyre_lost_is_stalled ();
  while (film_pass (film) || !stalled);
}

/* Holds the next message with results against the buffer that it is of. TRUE if it was late. */
static gboolean
film_check_message (Film *film)
{
  GstMessage *message = bus_wait_element (film->h, "vyre-results");
  const GstStructure *results = gst_message_get_structure (message);
  guint number = (guint)field_u64 (results, "sequence");
  gboolean late = flag_of (results, "late");

  fail_unless (number > film->reported, "%u came behind %u", number, film->reported);
  fail_unless_equals_uint64 (field_u64 (results, "offset"), number);
  fail_unless_equals_uint64 (field_u64 (results, "crc"), crc_of (number));
  if (gst_structure_has_field (results, "n")) /* of COUNT */
    fail_unless_equals_uint64 (field_u64 (results, "n"), film->n_reported);
  film->n_reported++;
  film->reported = number;
  film->n_late += late;
  gst_message_unref (message);
  return late;
}

/* All results that there will be have their messages, in order, and the counters agree. */
static void
film_check_messages (Film *film)
{
  GstElement *filter = film->h->element;

  film->n_unseen = (guint)stat_of (filter, "unseen");
  for (guint i = film->n_unseen; i < film->n; i++)
    film_check_message (film);
  fail_unless_equals_int (film->n_there + film->n_late + film->n_unseen, film->n);
  fail_unless_equals_uint64 (stat_of (filter, "late-results"), film->n_late);
  fail_unless_equals_uint64 (stat_of (filter, "arrived"), film->n);
}

static void
film_finish (Film *film)
{
  filter_finish (film->h);
}

/* There is no room for more than max-in-flight batches: further buffers go on unseen. */
GST_START_TEST (a_stalled_device_delays_no_buffer)
{
  Film film = film_new (CRC, GST_MSECOND);

  film_stall (&film);
  for (guint i = 0; i < IN_FLIGHT + MORE; i++)
    fail_if (film_pass (&film));
  film_settle (&film, IN_FLIGHT);
  fail_unless (stat_of (film.h->element, "unseen") >= MORE);
  vyre_lost_stall (false);
  film_check_messages (&film);
  film_settle (&film, 0);
  film_pass (&film);
  g_object_set (film.h->element, "max-latency", GST_CLOCK_TIME_NONE, NULL);
  fail_unless (film_pass (&film));
  fail_if (stat_is (film.h->element, "complete", "true"));
  film_finish (&film);
}
GST_END_TEST;

static GstPadProbeReturn
note_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer came)
{
  g_atomic_int_set ((gint *)came, TRUE);
  return GST_PAD_PROBE_OK;
}

/* Ends the stall some time after the next buffer has come. */
static gpointer
end_stall (gpointer came)
{
  while (!g_atomic_int_get ((gint *)came))
    g_thread_yield ();
  g_usleep (20000); /* a stall that ends before the buffer looks for room proves less */
  vyre_lost_stall (false);
  return NULL;
}

/* One that has no deadline any more waits for a place behind late batches, which have them all; one
 * with a long deadline has nothing to wait for. */
GST_START_TEST (late_batches_have_all_the_room)
{
  Film film = film_new (CRC, GST_MSECOND);
  gint came = FALSE;

  film_stall (&film);
  for (guint i = 0; i < IN_FLIGHT; i++)
    film_pass (&film);
  g_object_set (film.h->element, "max-latency", PATIENCE * GST_SECOND, NULL);
  gint64 start = g_get_monotonic_time ();
  fail_if (film_pass (&film));
  fail_unless (g_get_monotonic_time () - start < PATIENCE * G_USEC_PER_SEC);
  guint64 unseen = stat_of (film.h->element, "unseen");
  g_object_set (film.h->element, "max-latency", GST_CLOCK_TIME_NONE, NULL);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (film.h->element, "sink");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, note_buffer, &came, NULL);
  GThread *thread = g_thread_new ("stall", end_stall, &came);
  fail_unless (film_pass (&film), "a buffer without a deadline has no result");
  g_thread_join (thread);
  fail_unless_equals_uint64 (stat_of (film.h->element, "unseen"), unseen);
  film_check_messages (&film);
  film_finish (&film);
}
GST_END_TEST;

/* Without a wait, every buffer goes on at once, and every result comes later, or was there. */
GST_START_TEST (a_deadline_of_0_waits_for_nothing)
{
  Film film = film_new (CRC, 0);

  for (guint i = 0; i < 50; i++) {
    film_pass (&film);
    film_settle (&film, 0);
  }
  film_check_messages (&film);
  fail_unless_equals_int (film.n_unseen, 0);
  film_finish (&film);
}
GST_END_TEST;

GST_START_TEST (the_end_waits_for_late_results)
{
  Film film = film_new (CRC, GST_MSECOND);
  FlowLog *log = flow_log_new (film.h);

  film_stall (&film);
  film_pass (&film);
  flow_log_clear (log);
  filter_push_eos (film.h);
  gst_harness_push_event (film.h, gst_event_new_flush_start ()); /* nobody waits behind a flush */
  gst_harness_push_event (film.h, gst_event_new_flush_stop (FALSE));
  filter_push_segment (film.h);
  fail_unless (stat_of (film.h->element, "flushed") >= 2);
  film_pass (&film);
  flow_log_clear (log);
  filter_push_eos (film.h);
  vyre_lost_stall (false);
  flow_log_wait (log, "eos");
  g_autofree gchar *text = flow_log_text (log);
  fail_unless (g_str_has_suffix (text, "vyre-results vyre-counters eos"), "%s", text);
  flow_log_free (log);
  film_finish (&film);
}
GST_END_TEST;

GST_START_TEST (a_flush_drops_late_results)
{
  Film film = film_new (CRC, GST_MSECOND);

  film_stall (&film);
  film_pass (&film);
  filter_flush (film.h);
  filter_push_segment (film.h);
  guint64 flushed = stat_of (film.h->element, "flushed");
  fail_unless (flushed >= 2);
  fail_unless_equals_uint64 (stat_of (film.h->element, "queue-depth"), 0);
  vyre_lost_stall (false);
  g_object_set (film.h->element, "max-latency", GST_CLOCK_TIME_NONE, NULL);
  fail_unless (film_pass (&film));
  fail_unless_equals_uint64 (
      stat_of (film.h->element, "buffers"), stat_of (film.h->element, "batches") + flushed);
  film_finish (&film);
}
GST_END_TEST;

/* A new stream and other caps pass, and do not mix with what is late. */
GST_START_TEST (events_pass_late_results)
{
  Film film = film_new (CRC, GST_MSECOND);
  GstPad *pad = filter_pad (film.h, "src");

  film_stall (&film);
  gst_harness_push_event (film.h, gst_event_new_stream_start ("next"));
  gst_harness_set_src_caps_str (
      film.h, "video/x-raw,format=GRAY8,width=32,height=64,framerate=25/1");
  filter_push_segment (film.h);
  fail_if (film_pass (&film));
  GstCaps *caps = gst_pad_get_current_caps (pad);
  gint width = 0;
  gst_structure_get_int (gst_caps_get_structure (caps, 0), "width", &width);
  fail_unless_equals_int (width, 32);
  vyre_lost_stall (false);
  film_check_messages (&film);
  gst_caps_unref (caps);
  gst_object_unref (pad);
  film_finish (&film);
}
GST_END_TEST;

/* Late batches of a lost device run again, from the bytes that the buffers had. */
GST_START_TEST (late_results_survive_a_loss)
{
  Film film = film_new (CRC, GST_MSECOND);

  film_stall (&film);
  film_pass (&film);
  vyre_lost_arm ("vkWaitForFences", 1, 1);
  stat_wait (film.h->element, "device-losses", 1);
  vyre_lost_stall (false);
  film_check_messages (&film);
  film_finish (&film);
}
GST_END_TEST;

/* Buffers wait neither for a device that is opened again, nor for the end of the lost one. */
GST_START_TEST (a_slow_driver_delays_no_buffer)
{
  Film film = film_new (COUNT, GST_MSECOND);

  vyre_lost_hold (true);
  vyre_lost_hold_end (true);
  film_stall (&film);
  vyre_lost_arm ("vkWaitForFences", 1, 1);
  vyre_lost_wait_held ();
  for (guint i = 0; i < IN_FLIGHT + MORE; i++)
    fail_if (film_pass (&film));
  fail_unless (stat_of (film.h->element, "unseen") >= MORE);
  vyre_lost_stall (false);
  vyre_lost_hold (false);
  film_check_messages (&film);
  film_settle (&film, 0);
  g_object_set (film.h->element, "max-latency", GST_CLOCK_TIME_NONE, NULL);
  fail_unless (film_pass (&film));
  vyre_lost_wait_end_held ();
  fail_unless (film_pass (&film));
  film_check_message (&film);
  film_check_message (&film);
  vyre_lost_hold_end (false);
  film_finish (&film);
}
GST_END_TEST;

/* Stops the stream from the middle of the worker's push, which is refused. */
static GstPadProbeReturn
stop_from_push (GstPad *pad, GstPadProbeInfo *info, gpointer came)
{
  GstStateChangeReturn result = GST_STATE_CHANGE_SUCCESS;

  g_atomic_int_set ((gint *)came, TRUE);
  ASSERT_CRITICAL (
      result = gst_element_set_state (GST_ELEMENT (GST_PAD_PARENT (pad)), GST_STATE_READY));
  fail_unless_equals_int (result, GST_STATE_CHANGE_FAILURE);
  return GST_PAD_PROBE_REMOVE;
}

/* The device is there some time after that. */
static gpointer
end_hold (gpointer came)
{
  while (!g_atomic_int_get ((gint *)came))
    g_thread_yield ();
  g_usleep (20000); /* one that is there before proves less */
  vyre_lost_hold (false);
  return NULL;
}

/* A thread that ends a stream waits for the device that is being opened, and not for a buffer that
 * goes on with it. */
GST_START_TEST (a_stream_ends_while_its_device_is_opened)
{
  Film film = film_new (CRC, GST_MSECOND);
  gint came = FALSE;
  g_autoptr (GstPad) pad = filter_pad (film.h, "src");
  GLogLevelFlags fatal = g_log_set_always_fatal (G_LOG_FATAL_MASK); /* GStreamer complains */

  vyre_lost_hold (true);
  film_stall (&film);
  vyre_lost_arm ("vkWaitForFences", 1, 1);
  vyre_lost_wait_held ();
  vyre_lost_stall (false);
  GThread *thread = g_thread_new ("hold", end_hold, &came);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, stop_from_push, &came, NULL);
  film_pass (&film);
  g_thread_join (thread);
  g_log_set_always_fatal (fatal);
  film_finish (&film);
}
GST_END_TEST;

/* A buffer behind a DRAIN brings the payload before it back to the kernel, and goes on at its
 * deadline where another element leaves that no room. What it was to read stays. */
GST_START_TEST (an_older_payload_without_room_delays_no_buffer)
{
  Film film
      = film_new ("crc32 payload -> crc; crc32 previous(payload) -> before", GST_CLOCK_TIME_NONE);
  GstHarness *other = filter_new_with (
      "crc32 previous(payload) -> before", "staging-size", (guint64)STAGING, NULL);
  g_autoptr (GstQuery) query = gst_query_new_drain ();

  fail_unless (film_pass (&film));
  fail_unless (gst_pad_peer_query (film.h->srcpad, query));
  filter_start (other, NULL);
  gst_buffer_unref (filter_run (other, noise_buffer (STAGING - GRAY_SIZE / 2, 0)));
  g_object_set (film.h->element, "max-latency", GST_MSECOND, NULL);
  for (guint i = 0; i < MORE; i++)
    fail_if (film_pass (&film));
  filter_finish (other);
  g_object_set (film.h->element, "max-latency", GST_CLOCK_TIME_NONE, NULL);
  fail_unless (film_pass (&film));
  film_check_message (&film);
  GstMessage *message = bus_wait_element (film.h, "vyre-results");
  const GstStructure *results = gst_message_get_structure (message);
  fail_unless_equals_uint64 (field_u64 (results, "sequence"), film.n);
  fail_unless_equals_uint64 (field_u64 (results, "before"), crc_of (1));
  gst_message_unref (message);
  fail_unless_equals_uint64 (stat_of (film.h->element, "unseen"), MORE);
  film_finish (&film);
}
GST_END_TEST;

/* Words of state and older payloads are those of the buffer before, whoever has written to it. */
GST_START_TEST (state_goes_on)
{
  Film film = film_new (COUNT, 0);

  for (guint i = 0; i < 20; i++) {
    film_pass (&film);
    film_settle (&film, 0);
  }
  film_check_messages (&film);
  fail_unless_equals_int (film.n_reported, 20);
  film_finish (&film);
}
GST_END_TEST;

static GstPadProbeReturn
drain_sink (GstPad *pad, GstPadProbeInfo *info, gpointer sink)
{
  g_autoptr (GstQuery) query = gst_query_new_drain ();

  gst_pad_query (sink, query);
  return GST_PAD_PROBE_OK;
}

/* Downstream may ask for all memory while it gets a buffer whose batch is under way. */
GST_START_TEST (a_drain_from_downstream_splits_no_state)
{
  Film film = film_new (COUNT, GST_MSECOND);
  g_autoptr (GstPad) sink = filter_pad (film.h, "sink");
  g_autoptr (GstPad) source = filter_pad (film.h, "src");

  gst_pad_add_probe (source, GST_PAD_PROBE_TYPE_BUFFER, drain_sink, sink, NULL);
  film_stall (&film);
  for (guint i = 0; i < IN_FLIGHT; i++)
    fail_if (film_pass (&film));
  vyre_lost_stall (false);
  film_check_messages (&film);
  fail_unless (film.n_late >= IN_FLIGHT);
  film_finish (&film);
}
GST_END_TEST;

/* Keeps the worker in the STREAM_START until a flush. */
static GstPadProbeReturn
block_start (GstPad *pad, GstPadProbeInfo *info, gpointer came)
{
  gboolean starts = GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) == GST_EVENT_STREAM_START;

  g_atomic_int_or ((guint *)came, starts);
  return starts ? GST_PAD_PROBE_OK : GST_PAD_PROBE_PASS;
}

static void
flag_wait (gint *flag)
{
  for (guint i = 0; !g_atomic_int_get (flag); i++) {
    fail_unless (i < PATIENCE * 1000, "the event does not come");
    g_usleep (1000);
  }
}

/* Where the begin of a stream is when a flush comes */
enum { WITH_THE_WORKER, BEHIND_LATE_BATCHES, ON_ITS_WAY, N_PLACES };

static void
film_begin_stream (Film *film, guint place)
{
  gint came = FALSE;
  g_autoptr (GstPad) pad = gst_element_get_static_pad (film->h->element, "src");
  gulong probe = gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM
          | (place == WITH_THE_WORKER ? GST_PAD_PROBE_TYPE_BLOCK : 0),
      block_start, &came, NULL);

  gst_harness_push_event (film->h, gst_event_new_stream_start ("another"));
  if (place != ON_ITS_WAY)
    flag_wait (&came);
  filter_flush (film->h);
  gst_pad_remove_probe (pad, probe);
  filter_push_segment (film->h);
}

static guint
count_streams (GstHarness *tap)
{
  guint n = 0;

  for (GstEvent *event; (event = gst_harness_try_pull_event (tap)); gst_event_unref (event))
    n += GST_EVENT_TYPE (event) == GST_EVENT_STREAM_START;
  return n;
}

/* Late batches keep the begin of a stream from the pads readback_%u; a flush that drops both does
 * not. */
GST_START_TEST (a_flush_drops_no_stream)
{
  Film film = film_new (CRC, GST_CLOCK_TIME_NONE);
  GstHarness *tap = gst_harness_new_with_element (film.h->element, NULL, "readback_%u");

  fail_unless (film_pass (&film));
  gst_buffer_unref (filter_pull (tap));
  g_object_set (film.h->element, "max-latency", GST_MSECOND, NULL);
  film_stall (&film);
  film_begin_stream (&film, (guint)__i__);
  vyre_lost_stall (false);
  g_object_set (film.h->element, "max-latency", GST_CLOCK_TIME_NONE, NULL);
  fail_unless (film_pass (&film));
  gst_buffer_unref (filter_pull (tap));
  fail_unless_equals_int (count_streams (tap), 2);
  gst_harness_teardown (tap);
  film_finish (&film);
}
GST_END_TEST;

/* Ends the stall of a test, also of one that has failed: the next may share the process. */
static void
resume (void)
{
  vyre_lost_stall (false);
  vyre_lost_hold (false);
  vyre_lost_hold_end (false);
}

static Suite *
deadline_suite (void)
{
  Suite *s = suite_create ("deadline");
  TCase *tc = tcase_create ("deadline");

  suite_add_tcase (s, tc);
  tcase_set_timeout (tc, PATIENCE * 3);
  tcase_add_checked_fixture (tc, NULL, resume);
  tcase_add_test (tc, a_stalled_device_delays_no_buffer);
  tcase_add_test (tc, late_batches_have_all_the_room);
  tcase_add_test (tc, a_deadline_of_0_waits_for_nothing);
  tcase_add_test (tc, the_end_waits_for_late_results);
  tcase_add_test (tc, a_flush_drops_late_results);
  tcase_add_test (tc, events_pass_late_results);
  tcase_add_test (tc, late_results_survive_a_loss);
  tcase_add_test (tc, a_slow_driver_delays_no_buffer);
  tcase_add_test (tc, a_stream_ends_while_its_device_is_opened);
  tcase_add_test (tc, an_older_payload_without_room_delays_no_buffer);
  tcase_add_test (tc, state_goes_on);
  tcase_add_test (tc, a_drain_from_downstream_splits_no_state);
  tcase_add_loop_test (tc, a_flush_drops_no_stream, 0, N_PLACES);
  return s;
}

GST_CHECK_MAIN (deadline);
