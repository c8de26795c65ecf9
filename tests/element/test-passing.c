/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Frames of a film in passthrough, with all that a player does to it: seeks with and without a
 * flush, rates from -2 to 4, other caps, other programs, deadlines that results miss, readbacks
 * beside. Every frame passes once, in order, bit for bit, and every result is that of its frame.
 * VYRE_TEST_FRAMES says how many frames, VYRE_TEST_SEED repeats what is done to them.
 */
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "oracle.h"

#define META "GstVyreResultsMeta"
#define N_FRAMES 3000
#define LARGEST 8192
#define NOISE (LARGEST + 4096)

/* More frames than go on while a result is late, and a power of two */
#define N_SENT (1 << 17)

/* What is known of a frame that was sent */
typedef struct {
  guint64 number;
  guint epoch; /* flushes before it */
  gsize from;  /* its bytes, in the noise */
  gsize size;
  GstMemory *memory;
  guint32 crc;
  gdouble rate;
  guint width;
} Frame;

static struct {
  GstHarness *h;
  GRand *rand;
  guint8 *noise;
  GMutex lock;
  GCond changed;
  guint epoch;
  guint64 n_sent;
  guint64 next;  /* the frame that passes next */
  guint64 first; /* of the epoch */
  guint64 n_passed;
  guint64 n_missing;
  guint64 n_reported; /* messages with results */
  guint64 n_late;
  guint64 last_reported;
  guint64 n_readbacks;
  guint64 last_readback;
  gdouble rate;
  guint width, height;
  guint64 n_seeks, n_caps, n_programs;
  Frame sent[N_SENT];
} film;

static void film_fail (guint64 number, const gchar *format, ...)
    G_GNUC_PRINTF (2, 3) G_GNUC_NORETURN;

/* Ends the process: any thread may find a fault. */
static void
film_fail (guint64 number, const gchar *format, ...)
{
  va_list list;

  va_start (list, format);
  gchar *text = g_strdup_vprintf (format, list);
  va_end (list);
  g_error ("frame %" G_GUINT64_FORMAT ": %s", number, text);
}

/* The lock is held. Returns the frame of that number, in the epoch of now. */
static const Frame *
film_find (guint64 number, const gchar *what)
{
  const Frame *frame = &film.sent[number % N_SENT];

  if (number >= film.n_sent || frame->number != number)
    film_fail (number, "%s: none of that number is on its way", what);
  if (frame->epoch != film.epoch)
    film_fail (number, "%s: of flush %u, behind flush %u", what, frame->epoch, film.epoch);
  return frame;
}

/* ---- what comes out ----------------------------------------------------------------- */

static guint64
number_of (const GstStructure *structure, const gchar *name)
{
  guint64 value = G_MAXUINT64;

  gst_structure_get_uint64 (structure, name, &value);
  return value;
}

/* Programs of the film count the bytes, or digest them. */
static void
check_results (const Frame *frame, const GstStructure *results)
{
  if (number_of (results, "payload-bytes") != frame->size)
    film_fail (frame->number, "the results are of %" G_GUINT64_FORMAT " bytes",
        number_of (results, "payload-bytes"));
  if (gst_structure_has_field (results, "crc") && number_of (results, "crc") != frame->crc)
    film_fail (frame->number, "crc: expected %u, got %" G_GUINT64_FORMAT, frame->crc,
        number_of (results, "crc"));
}

static void
check_stream (const Frame *frame, GstPad *pad)
{
  g_autoptr (GstEvent) event = gst_pad_get_sticky_event (pad, GST_EVENT_SEGMENT, 0);
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  const GstSegment *segment;
  gint width = 0;

  gst_event_parse_segment (event, &segment);
  gst_structure_get_int (gst_caps_get_structure (caps, 0), "width", &width);
  if (segment->rate != frame->rate)
    film_fail (frame->number, "rate: expected %g, got %g", frame->rate, segment->rate);
  if (width != (gint)frame->width)
    film_fail (frame->number, "width: expected %u, got %d", frame->width, width);
}

static GstFlowReturn
pass_frame (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  guint64 number = GST_BUFFER_OFFSET (buffer);

  g_mutex_lock (&film.lock);
  const Frame *frame = film_find (number, "frame");
  if (number != film.next)
    film_fail (number, "expected %" G_GUINT64_FORMAT, film.next);
  if (gst_buffer_peek_memory (buffer, 0) != frame->memory
      || gst_buffer_get_size (buffer) != frame->size
      || gst_buffer_memcmp (buffer, 0, film.noise + frame->from, frame->size) != 0)
    film_fail (number, "its bytes are others");
  check_stream (frame, pad);
  const GstStructure *results
      = gst_custom_meta_get_structure (gst_buffer_get_custom_meta (buffer, META));
  check_results (frame, results);
  film.n_missing += gst_structure_has_field (results, "missing");
  film.next++;
  film.n_passed++;
  g_cond_broadcast (&film.changed);
  g_mutex_unlock (&film.lock);
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static GstFlowReturn
pass_readback (GstPad *pad, GstObject *parent, GstBuffer *readback)
{
  guint64 number = GST_BUFFER_OFFSET (readback);

  g_mutex_lock (&film.lock);
  const Frame *frame = film_find (number, "readback");
  if (number < film.last_readback)
    film_fail (number, "its readback came behind that of %" G_GUINT64_FORMAT, film.last_readback);
  guint32 found = readback_observable (readback, 1);
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  gint n = 0;
  gst_structure_get_int (gst_caps_get_structure (caps, 0), "observable-slots", &n);
  if (n == 2 && found != frame->crc)
    film_fail (number, "readback: expected %u, got %u", frame->crc, found);
  film.last_readback = number + 1;
  film.n_readbacks++;
  g_mutex_unlock (&film.lock);
  gst_buffer_unref (readback);
  return GST_FLOW_OK;
}

/* A message may come behind the flush that its worker had no time to hear of. */
static GstBusSyncReply
take_message (GstBus *bus, GstMessage *message, gpointer data)
{
  const GstStructure *results = gst_message_get_structure (message);
  gboolean late = FALSE;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR
      || GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING)
    film_fail (film.next, "%" GST_PTR_FORMAT, message);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ELEMENT
      && gst_structure_has_name (results, "vyre-results")) {
    guint64 number = number_of (results, "offset");
    g_mutex_lock (&film.lock);
    const Frame *frame = &film.sent[number % N_SENT];
    if (number < film.last_reported || frame->number != number)
      film_fail (number, "results behind those of %" G_GUINT64_FORMAT, film.last_reported);
    check_results (frame, results);
    gst_structure_get_boolean (results, "late", &late);
    film.n_late += late;
    film.n_reported++;
    film.last_reported = number + 1;
    g_mutex_unlock (&film.lock);
  }
  gst_message_unref (message);
  return GST_BUS_DROP;
}

/* ---- what goes in -------------------------------------------------------------------- */

static guint
pick (guint n)
{
  return (guint)g_rand_int_range (film.rand, 0, (gint32)n);
}

static void
send_segment (void)
{
  static const gdouble rates[] = { -2, -1, 0.5, 1, 1, 2, 4 };
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  film.rate = segment.rate = rates[pick (G_N_ELEMENTS (rates))];
  if (segment.rate < 0)
    segment.stop = 1000 * GST_SECOND;
  gst_harness_push_event (film.h, gst_event_new_segment (&segment));
}

static void
send_caps (void)
{
  static const guint widths[] = { 32, 64, 128 };

  film.width = widths[pick (G_N_ELEMENTS (widths))];
  film.height = 8 * (1 + pick (LARGEST / 128 / 8));
  g_autofree gchar *text = g_strdup_printf ("video/x-raw,format=GRAY8,width=%u,height=%u,"
                                            "framerate=30/1",
      film.width, film.height);
  g_autoptr (GstCaps) caps = gst_caps_from_string (text);
  gst_harness_push_event (film.h, gst_event_new_caps (caps));
  film.n_caps++;
}

/* A flush drops what has not passed; of a seek without one nothing is lost. */
static void
seek (void)
{
  film.n_seeks++;
  if (pick (2) == 0) {
    send_segment ();
    return;
  }
  gst_harness_push_event (film.h, gst_event_new_flush_start ());
  g_mutex_lock (&film.lock);
  film.epoch++;
  film.next = film.first = film.n_sent;
  g_mutex_unlock (&film.lock);
  gst_harness_push_event (film.h, gst_event_new_flush_stop (TRUE));
  send_segment ();
}

static void
send_frame (void)
{
  guint64 number = film.n_sent;
  gsize size = film.width * film.height, from = pick (NOISE - LARGEST);
  GstBuffer *buffer = gst_buffer_new_wrapped_full (
      GST_MEMORY_FLAG_READONLY, film.noise + from, size, 0, size, NULL, NULL);

  GST_BUFFER_OFFSET (buffer) = number;
  GST_BUFFER_PTS (buffer) = number % 20000 * GST_SECOND / 30;
  Frame frame = { number, film.epoch, from, size, gst_buffer_peek_memory (buffer, 0),
    oracle_crc32 (film.noise + from, size), film.rate, film.width };
  g_mutex_lock (&film.lock);
  film.sent[number % N_SENT] = frame;
  film.n_sent++;
  g_mutex_unlock (&film.lock);
  fail_unless_equals_int (gst_harness_push (film.h, buffer), GST_FLOW_OK);
}

static void
set_deadline (void)
{
  static const guint64 times[] = { 0, 0, 100 * GST_USECOND, GST_MSECOND, GST_CLOCK_TIME_NONE };

  g_object_set (film.h->element, "max-latency", times[pick (G_N_ELEMENTS (times))], NULL);
}

static void
set_program (void)
{
  static const gchar *programs[] = { "crc32 payload -> crc", "u8_stats payload -> stats",
    "crc32 payload -> crc; state n from $n + 1" };

  g_object_set (film.h->element, "program", programs[pick (G_N_ELEMENTS (programs))], NULL);
  film.n_programs++;
}

/* Something happens now and then, and frames in between. */
static void
go_on (void)
{
  switch (pick (60)) {
    case 0:
      seek ();
      break;
    case 1:
      send_caps ();
      break;
    case 2:
      set_program ();
      break;
    case 3:
      set_deadline ();
      break;
    case 4:
      g_usleep (pick (2000));
      break;
    default:
      send_frame ();
  }
}

/* Frames of this epoch have all passed, and their results have come. */
static void
await_all (void)
{
  gint64 end = g_get_monotonic_time () + PATIENCE * G_TIME_SPAN_SECOND;

  g_mutex_lock (&film.lock);
  while (film.next < film.n_sent) {
    if (!g_cond_wait_until (&film.changed, &film.lock, end))
      film_fail (film.next, "it does not pass");
  }
  g_mutex_unlock (&film.lock);
}

static guint64
pick_number (const gchar *variable, guint64 usual)
{
  const gchar *given = g_getenv (variable);

  return given ? g_ascii_strtoull (given, NULL, 10) : usual;
}

static GstHarness *
film_open (void)
{
  guint32 seed = (guint32)pick_number ("VYRE_TEST_SEED", g_random_int ());

  g_print ("VYRE_TEST_SEED=%u\n", seed);
  film.rand = g_rand_new_with_seed (seed);
  film.noise = noise_new (NOISE, seed);
  film.h = filter_new_with ("crc32 payload -> crc", "output-mode", 1, "post-messages", 1,
      "results-interval", (guint64)0, NULL);
  GstBus *bus = gst_element_get_bus (film.h->element);
  gst_bus_set_sync_handler (bus, take_message, NULL, NULL);
  gst_object_unref (bus);
  GstHarness *tap = gst_harness_new_with_element (film.h->element, NULL, "readback_%u");
  gst_pad_set_chain_function (film.h->sinkpad, pass_frame);
  gst_pad_set_chain_function (tap->sinkpad, pass_readback);
  gst_harness_push_event (film.h, gst_event_new_stream_start ("film"));
  send_caps ();
  send_segment ();
  return tap;
}

/* A flush may drop what has been counted, and is about to leave. */
static void
assert_near (guint64 counted, guint64 left)
{
  fail_unless (left <= counted && counted <= left + film.n_seeks,
      "%" G_GUINT64_FORMAT " were counted, and %" G_GUINT64_FORMAT " left", counted, left);
}

/* Each result was reported once, and is known to be late where the frame went on without. */
static void
film_check_counts (void)
{
  GstElement *filter = film.h->element;
  guint64 unseen = stat_of (filter, "unseen"), late = stat_of (filter, "late-results");

  fail_unless_equals_uint64 (stat_of (filter, "arrived"), film.n_sent);
  fail_unless_equals_uint64 (stat_of (filter, "batches"), film.n_reported);
  fail_unless_equals_uint64 (stat_of (filter, "queue-depth"), 0);
  assert_near (late + unseen, film.n_missing);
  fail_unless (film.n_late <= late && late > 0);
  fail_unless_equals_uint64 (
      stat_of (filter, "buffers"), film.n_reported + stat_of (filter, "flushed"));
  assert_near (film.n_reported, film.n_readbacks);
  g_print ("%" G_GUINT64_FORMAT " frames sent, %" G_GUINT64_FORMAT " passed, %" G_GUINT64_FORMAT
           " of these without results; %" G_GUINT64_FORMAT " results, %" G_GUINT64_FORMAT
           " late; %" G_GUINT64_FORMAT " frames unseen; %" G_GUINT64_FORMAT " seeks, "
           "%" G_GUINT64_FORMAT " caps, %" G_GUINT64_FORMAT " programs\n",
      film.n_sent, film.n_passed, film.n_missing, film.n_reported, film.n_late, unseen,
      film.n_seeks, film.n_caps, film.n_programs);
}

GST_START_TEST (every_frame_passes_once)
{
  guint64 n_frames = pick_number ("VYRE_TEST_FRAMES", N_FRAMES);
  GstHarness *tap = film_open ();

  while (film.n_sent < n_frames)
    go_on ();
  filter_push_eos (film.h);
  filter_wait_eos (film.h);
  await_all ();
  film_check_counts ();
  gst_harness_teardown (tap);
  filter_finish (film.h);
  g_rand_free (film.rand);
  g_free (film.noise);
}
GST_END_TEST;

static Suite *
passing_suite (void)
{
  Suite *s = suite_create ("passing");
  TCase *tc = tcase_create ("passing");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, every_frame_passes_once);
  return s;
}

GST_CHECK_MAIN (passing);
