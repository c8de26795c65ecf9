/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Everything that may happen to a pipeline, at the same time: seeks, states, properties, caps,
 * EOS, losses of the device, branches that come and go. No call may hang, nothing may crash,
 * and the pipeline has to run afterwards. VYRE_TEST_SECONDS says for how long, VYRE_TEST_SEED
 * repeats the decisions of a run, though not their order.
 */
#include "common.h"
#include "driver-time.h"
#include "lost.h"

#include <string.h>
#include <vyre/clock.h>

#define DEFAULT_SECONDS 20

/* Of two threads with one pad. */
#define N_ROUNDS 2000

/* A call hangs when it takes that long, in ms, by a clock that stands still while the driver opens
 * a device or compiles, and while the process gets no CPU. The longest calls are printed. */
#define PATIENCE_PER_CALL_MS 2000

/* A sink in PAUSED holds what pushes to it, and with it whoever takes the pushing element down
 * alone, or seeks while it is unlinked; so there is a queue in front of it that does not. */
#define PIPELINE                                                                                   \
  "videotestsrc name=src ! capsfilter name=caps ! tee name=tee ! queue max-size-buffers=3 "        \
  "! vyrefilter name=filter ! queue leaky=downstream ! fakesink name=sink async=false"

typedef struct _Actor Actor;

typedef void (*Act) (GRand *rand);

struct _Actor {
  const gchar *name;
  Act act;
  gulong pause; /* between two calls, at most, in µs */
  GThread *thread;
  GRand *rand;
  gint64 began; /* of the call, 0 in between; atomic, in ms */
  gint64 longest;
  guint n;
};

static GstElement *pipeline;
static gint over;
static gint64 watched_ms; /* atomic */

static GstElement *
get (const gchar *name)
{
  return gst_bin_get_by_name (GST_BIN (pipeline), name);
}

static gint
pick (GRand *rand, gint n)
{
  return g_rand_int_range (rand, 0, n);
}

/* ---- what happens -------------------------------------------------------------------- */

static void
seek_to (gint64 position)
{
  gst_element_seek_simple (pipeline, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, position);
}

static void
seek (GRand *rand)
{
  seek_to ((gint64)pick (rand, 100) * GST_MSECOND);
}

static void
change_state (GRand *rand)
{
  static const GstState states[] = { GST_STATE_PLAYING, GST_STATE_PAUSED, GST_STATE_PLAYING,
    GST_STATE_READY, GST_STATE_PLAYING, GST_STATE_NULL, GST_STATE_PLAYING };

  gst_element_set_state (pipeline, states[pick (rand, G_N_ELEMENTS (states))]);
}

/* Of the filter alone, which follows the pipeline again afterwards. */
static void
change_state_of_filter (GRand *rand)
{
  GstElement *filter = get ("filter");

  gst_element_set_locked_state (filter, TRUE);
  gst_element_set_state (filter, pick (rand, 2) ? GST_STATE_READY : GST_STATE_NULL);
  gst_element_set_locked_state (filter, FALSE);
  gst_element_sync_state_with_parent (filter);
  gst_object_unref (filter);
}

static void
set_property (GRand *rand)
{
  static const gchar *const programs[]
      = { "u8_stats payload -> stats", "builtin:bytes", "crc32 payload -> crc; printf 1", "nop" };
  GstElement *filter = get ("filter");
  GstStructure *stats = NULL;

  switch (pick (rand, 4)) {
    case 0:
      g_object_set (filter, "program", programs[pick (rand, G_N_ELEMENTS (programs))], NULL);
      break;
    case 1:
      g_object_set (filter, "max-in-flight", 1 + pick (rand, 64), NULL);
      break;
    case 2:
      g_object_set (filter, "results-interval", (guint64)pick (rand, 2) * GST_SECOND, NULL);
      break;
    default:
      g_object_get (filter, "stats", &stats, NULL);
      gst_structure_free (stats);
  }
  gst_object_unref (filter);
}

static void
change_caps (GRand *rand)
{
  static const gchar *const formats[] = { "I420", "NV12", "GRAY8", "RGBA" };
  GstElement *filter = get ("caps");
  GstCaps *caps = gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING,
      formats[pick (rand, G_N_ELEMENTS (formats))], "width", G_TYPE_INT, 16 + pick (rand, 64),
      "height", G_TYPE_INT, 16 + pick (rand, 64), NULL);

  g_object_set (filter, "caps", caps, NULL);
  gst_caps_unref (caps);
  gst_object_unref (filter);
}

static void
send_eos (GRand *rand)
{
  GstElement *source = get ("src");

  gst_element_send_event (source, gst_event_new_eos ());
  gst_object_unref (source);
}

static void
toggle_pad (GRand *rand)
{
  GstElement *filter = get ("filter");
  GstPad *pad = gst_element_get_static_pad (filter, pick (rand, 2) ? "sink" : "src");

  if (GST_STATE (filter) > GST_STATE_READY) {
    gst_pad_set_active (pad, FALSE);
    gst_pad_set_active (pad, TRUE);
  }
  gst_object_unref (pad);
  gst_object_unref (filter);
}

static void
lose_device (GRand *rand)
{
  vyre_lost_arm ("vkQueueSubmit", 1 + (unsigned)pick (rand, 20), 1);
}

/* To NULL for good: a change of the pipeline's state that had met the element before its removal
 * may still lead it elsewhere, and holds a reference for as long; so do messages, which are not
 * waited for. */
static void
take_down (GstElement *element)
{
  gst_element_set_state (element, GST_STATE_NULL);
  for (guint i = 0; i < 100 && GST_OBJECT_REFCOUNT_VALUE (element) > 1; i++)
    g_usleep (1000);
  gst_element_set_state (element, GST_STATE_NULL);
}

static void
add_and_remove_branch (GRand *rand)
{
  GstElement *tee = get ("tee");
  GstElement *branch = gst_parse_bin_from_description (
      "queue max-size-buffers=2 leaky=downstream ! vyrefilter name=other "
      "! queue leaky=downstream ! fakesink async=false",
      TRUE, NULL);
  GstPad *pad = gst_element_request_pad_simple (tee, "src_%u");
  GstPad *sink = gst_element_get_static_pad (branch, "sink");

  gst_bin_add (GST_BIN (pipeline), branch);
  gst_element_sync_state_with_parent (branch);
  gst_pad_link (pad, sink);
  g_usleep ((gulong)pick (rand, 20000));
  gst_pad_unlink (pad, sink);
  gst_element_release_request_pad (tee, pad);
  gst_object_ref (branch);
  gst_element_set_locked_state (branch, TRUE);
  gst_bin_remove (GST_BIN (pipeline), branch);
  take_down (branch);
  gst_object_unref (branch);
  gst_object_unref (sink);
  gst_object_unref (pad);
  gst_object_unref (tee);
}

/* A second stream of the filter, which is the first one again. */
static void
add_and_remove_partners (GRand *rand)
{
  GstElement *tee = get ("tee"), *filter = get ("filter");
  GstElement *queue = gst_parse_bin_from_description (
      "queue max-size-buffers=8 leaky=downstream name=partners", TRUE, NULL);
  GstPad *pad = gst_element_request_pad_simple (tee, "src_%u");
  GstPad *reference = gst_element_request_pad_simple (filter, "reference");
  GstPad *source = gst_element_get_static_pad (queue, "src");
  GstPad *sink = gst_element_get_static_pad (queue, "sink");

  gst_bin_add (GST_BIN (pipeline), queue);
  gst_element_sync_state_with_parent (queue);
  gst_pad_link (source, reference);
  gst_pad_link (pad, sink);
  g_usleep ((gulong)pick (rand, 40000));
  gst_pad_unlink (pad, sink);
  gst_pad_unlink (source, reference);
  gst_element_release_request_pad (filter, reference);
  gst_element_release_request_pad (tee, pad);
  gst_object_ref (queue);
  gst_element_set_locked_state (queue, TRUE);
  gst_bin_remove (GST_BIN (pipeline), queue);
  take_down (queue);
  gst_object_unref (queue);
  gst_object_unref (sink);
  gst_object_unref (source);
  gst_object_unref (reference);
  gst_object_unref (pad);
  gst_object_unref (filter);
  gst_object_unref (tee);
}

static Actor actors[] = {
  { "seek", seek, 20000 },
  { "state", change_state, 20000 },
  { "state of the filter", change_state_of_filter, 40000 },
  { "property", set_property, 2000 },
  { "caps", change_caps, 10000 },
  { "EOS", send_eos, 100000 },
  { "pad", toggle_pad, 30000 },
  { "loss", lose_device, 300000 },
  { "branch", add_and_remove_branch, 20000 },
  { "second stream", add_and_remove_partners, 40000 },
};

/* ---- the run ------------------------------------------------------------------------- */

static gint64
now_ms (void)
{
  return g_get_monotonic_time () / 1000;
}

/* A thread rests for as long as its call took: the locks of GStreamer go to whoever comes first, so
 * one that asked again at once would keep others out, which is no fault of the pipeline's. */
static gpointer
act (gpointer data)
{
  Actor *actor = data;

  while (!g_atomic_int_get (&over)) {
    gint64 called = g_get_monotonic_time ();
    __atomic_store_n (
        &actor->began, __atomic_load_n (&watched_ms, __ATOMIC_SEQ_CST), __ATOMIC_SEQ_CST);
    actor->act (actor->rand);
    __atomic_store_n (&actor->began, 0, __ATOMIC_SEQ_CST);
    actor->n++;
    gulong taken = (gulong)(g_get_monotonic_time () - called);
    g_usleep (taken + (gulong)pick (actor->rand, (gint)actor->pause));
  }
  return NULL;
}

/* Only the thread that watches. */
static gint64
watch_ms (void)
{
  static VyreClock clock;
  gint64 now = vyre_clock_at (&clock, driver_time_outside ()) / 1000;

  __atomic_store_n (&watched_ms, now, __ATOMIC_SEQ_CST);
  return now;
}

static void
check_calls (void)
{
  gint64 now = watch_ms ();

  for (guint i = 0; i < G_N_ELEMENTS (actors); i++) {
    gint64 began = __atomic_load_n (&actors[i].began, __ATOMIC_SEQ_CST);
    gint64 taken = began ? now - began : 0;
    actors[i].longest = MAX (actors[i].longest, taken);
    if (taken > PATIENCE_PER_CALL_MS)
      g_error ("'%s' hangs", actors[i].name); /* leaves a core to look at */
  }
}

/* Only losses may end a stream, and what other elements say of that, and pairs by order alone: a
 * pad that goes inactive in the middle of a stream forgets its segment, and with it the times. */
static void
check_messages (GstBus *bus)
{
  GstMessage *message;

  while ((message = gst_bus_pop (bus))) {
    GError *error = NULL;
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
      gst_message_parse_error (message, &error, NULL);
      GstElement *element = GST_ELEMENT (GST_MESSAGE_SRC (message));
      const gchar *factory = GST_OBJECT_NAME (gst_element_get_factory (element));
      fail_unless (!g_str_equal (factory, "vyrefilter") || strstr (error->message, "lost")
                       || strstr (error->message, "The stream of the pad reference")
                       || g_error_matches (error, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED),
          "%s", error->message);
      g_error_free (error);
    }
    gst_message_unref (message);
  }
}

static guint
seconds_to_run (void)
{
  const gchar *given = g_getenv ("VYRE_TEST_SECONDS");

  return given ? (guint)g_ascii_strtoull (given, NULL, 10) : DEFAULT_SECONDS;
}

static guint32
pick_seed (void)
{
  const gchar *given = g_getenv ("VYRE_TEST_SEED");
  guint32 seed = given ? (guint32)g_ascii_strtoull (given, NULL, 10) : g_random_int ();

  g_print ("VYRE_TEST_SEED=%u\n", seed);
  return seed;
}

static void
run_actors (GstBus *bus, guint seconds)
{
  guint32 seed = pick_seed ();
  gint64 end = now_ms () + seconds * 1000;

  watch_ms ();
  for (guint i = 0; i < G_N_ELEMENTS (actors); i++) {
    actors[i].rand = g_rand_new_with_seed (seed + i);
    actors[i].thread = g_thread_new (actors[i].name, act, &actors[i]);
  }
  while (now_ms () < end) {
    check_calls ();
    check_messages (bus);
    g_usleep (10000);
  }
  g_atomic_int_set (&over, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (actors); i++) {
    while (__atomic_load_n (&actors[i].began, __ATOMIC_SEQ_CST)) {
      check_calls ();
      g_usleep (1000);
    }
    g_thread_join (actors[i].thread);
    g_rand_free (actors[i].rand);
    g_print ("%s: %u times, for at most %" G_GINT64_FORMAT " ms\n", actors[i].name, actors[i].n,
        actors[i].longest);
    fail_unless (actors[i].n > 0);
  }
}

static GstPadProbeReturn
count_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  g_atomic_int_inc ((gint *)data);
  return GST_PAD_PROBE_OK;
}

/* Fails with what the bus has to say. */
static void
fail_by_bus (GstBus *bus, gint n)
{
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  GstElement *filter = get ("filter");
  GError *error = NULL;

  if (message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  fail ("only %d readbacks of %" G_GUINT64_FORMAT " buffers came: %s", n,
      stat_of (filter, "buffers"),
      error     ? error->message
      : message ? "EOS"
                : "nobody says why");
}

/* From NULL on, the pipeline is as good as new. */
static void
check_life (GstBus *bus)
{
  GstElement *sink = get ("sink");
  GstPad *pad = gst_element_get_static_pad (sink, "sink");
  gint n = 0;

  vyre_lost_arm (NULL, 0, 0);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  check_messages (bus);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, count_buffer, &n, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  seek_to (0); /* takes back an EOS that the source was sent while it was in NULL */
  for (guint i = 0; i < PATIENCE * 1000 && g_atomic_int_get (&n) < 100; i++)
    g_usleep (1000);
  if (g_atomic_int_get (&n) < 100)
    fail_by_bus (bus, n);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pad);
  gst_object_unref (sink);
}

GST_START_TEST (a_pipeline_survives_everything_at_once)
{
  GstBus *bus;
  GstElement *filter;
  guint seconds = seconds_to_run ();

  /* GStreamer warns where its own elements race with the application */
  g_log_set_always_fatal (G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
  gst_check_add_log_filter (
      "GStreamer", G_LOG_LEVEL_WARNING, g_regex_new (".*", 0, 0, NULL), NULL, NULL, NULL);
  pipeline = gst_parse_launch (PIPELINE, NULL);
  fail_unless (pipeline != NULL);
  bus = gst_element_get_bus (pipeline);
  filter = get ("filter");
  g_object_set (filter, "program", "builtin:bytes", NULL);
  gst_object_unref (filter);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  run_actors (bus, seconds);
  check_life (bus);
  gst_bus_set_flushing (bus, TRUE);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
}
GST_END_TEST;

/* Stops last, so that no thread waits for a task that another has started. */
static gpointer
toggle_source_pad (gpointer filter)
{
  GstPad *pad = gst_element_get_static_pad (filter, "src");

  for (guint i = 0; i < N_ROUNDS; i++) {
    gst_pad_set_active (pad, TRUE);
    gst_pad_set_active (pad, FALSE);
  }
  gst_object_unref (pad);
  return NULL;
}

/* GStreamer lets the second thread activate the pad while the first one is not yet done with
 * its deactivation; the thread sanitizer sees what they both touch. */
GST_START_TEST (two_threads_toggle_the_source_pad)
{
  GstElement *filter = gst_object_ref_sink (gst_element_factory_make ("vyrefilter", NULL));
  GThread *other = g_thread_new ("other", toggle_source_pad, filter);

  toggle_source_pad (filter);
  g_thread_join (other);
  gst_object_unref (filter);
}
GST_END_TEST;

static Suite *
turmoil_suite (void)
{
  Suite *s = suite_create ("turmoil");
  TCase *tc = tcase_create ("turmoil");

  suite_add_tcase (s, tc);
  tcase_set_timeout (tc, 2 * seconds_to_run () + 120);
  tcase_add_test (tc, two_threads_toggle_the_source_pad);
  tcase_add_test (tc, a_pipeline_survives_everything_at_once);
  return s;
}

GST_CHECK_MAIN (turmoil);
