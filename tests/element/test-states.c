/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * State changes of every element of the plugin, in every order, under load, and
 * what is left behind in NULL.
 */
#include "common.h"

#include <string.h>

#define CHEAP "u8_stats payload -> stats"

/* The plugin's elements, as the registry knows them. */
static GList *
plugin_elements (void)
{
  GList *plugins = gst_registry_get_plugin_list (gst_registry_get ()), *elements = NULL;

  for (GList *p = plugins; p; p = p->next) {
    if (g_strcmp0 (gst_plugin_get_source (p->data), "gst-vyre") != 0)
      continue;
    GList *features = gst_registry_get_feature_list_by_plugin (
        gst_registry_get (), gst_plugin_get_name (p->data));
    for (GList *f = features; f; f = f->next) {
      if (GST_IS_ELEMENT_FACTORY (f->data))
        elements = g_list_prepend (elements, g_strdup (gst_plugin_feature_get_name (f->data)));
    }
    gst_plugin_feature_list_free (features);
  }
  gst_plugin_list_free (plugins);
  return elements;
}

GST_START_TEST (the_registry_has_the_filter)
{
  GList *elements = plugin_elements ();

  fail_unless (g_list_find_custom (elements, "vyrefilter", (GCompareFunc)strcmp) != NULL);
  g_list_free_full (elements, g_free);
}
GST_END_TEST;

static void
go_to (GstElement *element, GstState state)
{
  GstState now, pending;

  fail_unless_equals_int (gst_element_set_state (element, state), GST_STATE_CHANGE_SUCCESS);
  fail_unless_equals_int (
      gst_element_get_state (element, &now, &pending, 0), GST_STATE_CHANGE_SUCCESS);
  fail_unless_equals_int (now, state);
  fail_unless_equals_int (pending, GST_STATE_VOID_PENDING);
}

/* From each state to each other one, three times over. */
static void
check_transitions (const gchar *name)
{
  GstElement *element = gst_element_factory_make (name, NULL);

  fail_unless (element != NULL, "%s cannot be made", name);
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (element), "location"))
    g_object_set (element, "location", "/proc/self/exe", NULL); /* a file, for a source */
  for (guint round = 0; round < 3; round++) {
    for (gint from = GST_STATE_NULL; from <= GST_STATE_PLAYING; from++) {
      for (gint to = GST_STATE_NULL; to <= GST_STATE_PLAYING; to++) {
        go_to (element, (GstState)from);
        go_to (element, (GstState)to);
      }
    }
  }
  go_to (element, GST_STATE_NULL);
  fail_unless_equals_int (GST_OBJECT_REFCOUNT_VALUE (element), 1);
  gst_object_unref (element);
}

GST_START_TEST (every_transition_succeeds_at_once)
{
  GList *elements = plugin_elements ();

  for (GList *e = elements; e; e = e->next)
    check_transitions (e->data);
  g_list_free_full (elements, g_free);
}
GST_END_TEST;

GST_START_TEST (a_filter_works_again_after_null)
{
  static const GstState states[] = { GST_STATE_NULL, GST_STATE_READY, GST_STATE_PAUSED };
  GstHarness *h = filter_new (CHEAP);

  filter_start (h, NULL);
  for (guint i = 0; i < 6; i++) {
    GstBuffer *readback = filter_run (h, numbered_buffer (i, 100 + i));
    fail_unless_equals_uint64 (GST_BUFFER_OFFSET (readback), i);
    fail_unless_equals_int (readback_observable (readback, 1), 100 + i);
    gst_buffer_unref (readback);
    go_to (h->element, states[i % G_N_ELEMENTS (states)]);
    go_to (h->element, GST_STATE_PLAYING);
  }
  filter_finish (h);
}
GST_END_TEST;

/* Nothing of the old stream is left: symbols, results, events. */
GST_START_TEST (ready_forgets_the_stream)
{
  GstHarness *h
      = filter_new_with ("store_u32 1 -> one", "results-interval", 3600 * GST_SECOND, NULL);

  filter_start (h, NULL);
  gst_buffer_unref (filter_run (h, numbered_buffer (0, 10)));
  gst_buffer_unref (filter_run (h, numbered_buffer (1, 10)));
  fail_unless_equals_int (bus_count (h, "vyre-results"), 1);
  go_to (h->element, GST_STATE_READY);
  go_to (h->element, GST_STATE_PLAYING);
  filter_push_segment (h);
  filter_push_eos (h);
  filter_wait_eos (h);
  fail_unless_equals_int (bus_count (h, "vyre-results"), 0);
  filter_finish (h);
}
GST_END_TEST;

/* The harness pushes its stream-start once; a pad that has been down in between may have forgotten
 * it, and GStreamer warns of what comes before one. */
static void
expect_data_before_the_stream (void)
{
  g_log_set_always_fatal (G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
  gst_check_add_log_filter ("GStreamer", G_LOG_LEVEL_WARNING,
      g_regex_new ("Got data flow before", 0, 0, NULL), NULL, NULL, NULL);
}

/* As upstream may hand one over that runs while the filter is started. Any other warning of
 * GStreamer, as of events out of order, fails the test. */
GST_START_TEST (a_buffer_before_its_stream_comes_in_order)
{
  GstHarness *h = filter_new (CHEAP);
  GstPad *sink = filter_pad (h, "sink");

  expect_data_before_the_stream ();
  go_to (h->element, GST_STATE_READY);
  go_to (h->element, GST_STATE_PLAYING);
  fail_unless_equals_int (gst_pad_chain (sink, numbered_buffer (0, 10)), GST_FLOW_OK);
  GstBuffer *readback = gst_harness_pull (h);
  GstEvent *own = gst_pad_get_sticky_event (h->sinkpad, GST_EVENT_STREAM_START, 0);
  fail_unless (own != NULL);
  fail_unless (gst_pad_send_event (sink, gst_event_new_stream_start ("late")));
  filter_push_segment (h);
  gst_buffer_unref (readback);
  readback = filter_run (h, numbered_buffer (1, 20));
  fail_unless_equals_int (readback_observable (readback, 1), 20);
  gst_buffer_unref (readback);
  gst_event_unref (own);
  gst_object_unref (sink);
  filter_finish (h);
}
GST_END_TEST;

/* ---- what is left behind ----------------------------------------------- */

static guint
count_threads (const gchar *prefix)
{
  GDir *tasks = g_dir_open ("/proc/self/task", 0, NULL);
  const gchar *id;
  guint n = 0;

  fail_unless (tasks != NULL);
  while ((id = g_dir_read_name (tasks))) {
    gchar *path = g_build_filename ("/proc/self/task", id, "comm", NULL), *name = NULL;
    if (g_file_get_contents (path, &name, NULL, NULL))
      n += g_str_has_prefix (name, prefix);
    g_free (name);
    g_free (path);
  }
  g_dir_close (tasks);
  return n;
}

GST_START_TEST (no_thread_outlives_null)
{
  GstHarness *h = filter_new (CHEAP);

  filter_start (h, NULL);
  gst_buffer_unref (filter_run (h, numbered_buffer (0, 10)));
  fail_unless (count_threads ("vyre-") > 0, "the threads have other names");
  go_to (h->element, GST_STATE_NULL);
  fail_unless_equals_int (count_threads ("vyre-"), 0);
  filter_finish (h);
}
GST_END_TEST;

/* A thread takes its name when it first runs: counts until it comes out the same for a while. */
static guint
count_named_threads (const gchar *prefix)
{
  guint n = count_threads (prefix);

  for (guint same = 0; same < 5; same++) {
    guint before = n;
    g_usleep (10000);
    n = count_threads (prefix);
    if (n != before)
      same = 0;
  }
  return n;
}

GST_START_TEST (threads_stay_while_one_of_two_needs_them)
{
  GstElement *one = filter_make (CHEAP), *two = filter_make (CHEAP);

  go_to (one, GST_STATE_READY);
  guint n = count_named_threads ("vyre-");
  go_to (two, GST_STATE_READY);
  fail_unless_equals_int (count_named_threads ("vyre-"), n);
  go_to (one, GST_STATE_NULL);
  fail_unless_equals_int (count_named_threads ("vyre-"), n);
  go_to (two, GST_STATE_NULL);
  fail_unless_equals_int (count_threads ("vyre-"), 0);
  gst_object_unref (one);
  gst_object_unref (two);
}
GST_END_TEST;

GST_START_TEST (a_filter_that_is_dropped_while_running_dies)
{
  GstHarness *h = filter_new_with (SLOW_PROGRAM, "post-messages", 0, NULL);

  filter_start (h, NULL);
  for (guint i = 0; i < 4; i++)
    filter_push (h, numbered_buffer (i, SLOW_SIZE));
  gst_element_set_state (h->element, GST_STATE_NULL);
  fail_unless_equals_int (count_threads ("vyre-"), 0);
  GstElement *element = h->element;
  g_object_add_weak_pointer (G_OBJECT (element), (gpointer *)&element);
  filter_finish (h);
  fail_unless (element == NULL, "somebody still holds the filter");
}
GST_END_TEST;

/* ---- stress ------------------------------------------------------------ */

typedef struct {
  GstElement *kernel_holder; /* keeps the kernel open while the filter comes and goes */
  GstHarness *h;
  GstHarnessThread *threads[6];
  guint n;
} Stress;

static void
stress_begin (Stress *stress)
{
  *stress = (Stress){ .kernel_holder = filter_make (CHEAP) };
  go_to (stress->kernel_holder, GST_STATE_READY);
  stress->h = filter_new_with (CHEAP, "post-messages", 0, NULL);
  gst_harness_set_drop_buffers (stress->h, TRUE);
}

static void
stress_add (Stress *stress, GstHarnessThread *thread)
{
  stress->threads[stress->n++] = thread;
}

static void
stress_buffers (Stress *stress)
{
  GstCaps *caps = gst_caps_new_empty_simple ("application/octet-stream");
  GstBuffer *buffer = noise_buffer (1000, 1);
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  stress_add (stress, gst_harness_stress_push_buffer_start (stress->h, caps, &segment, buffer));
  gst_buffer_unref (buffer);
  gst_caps_unref (caps);
}

static void
stress_end (Stress *stress, guint ms)
{
  guint rounds = 0;

  g_usleep (ms * 1000);
  while (stress->n > 0)
    rounds += gst_harness_stress_thread_stop (stress->threads[--stress->n]);
  fail_unless (rounds > 10, "only %u rounds", rounds);
  go_to (stress->h->element, GST_STATE_NULL);
  go_to (stress->h->element, GST_STATE_PLAYING);
  filter_start (stress->h, "application/octet-stream");
  filter_push (stress->h, numbered_buffer (1, 10));
  filter_push_eos (stress->h);
  filter_wait_eos (stress->h);
  fail_unless_equals_uint64 (stat_of (stress->h->element, "batches"), 1);
  filter_finish (stress->h);
  go_to (stress->kernel_holder, GST_STATE_NULL);
  gst_object_unref (stress->kernel_holder);
}

GST_START_TEST (stress_of_states_and_buffers)
{
  Stress stress;

  expect_data_before_the_stream ();
  stress_begin (&stress);
  stress_buffers (&stress);
  stress_add (&stress, gst_harness_stress_statechange_start (stress.h));
  stress_end (&stress, 1500);
}
GST_END_TEST;

/* FLUSH_START comes at any time; what follows it must not meet a buffer on the
 * harness' own pad, which would then lack a segment. */
static GMutex between_buffers;

static void
push_one (gpointer thread, gpointer h)
{
  g_mutex_lock (&between_buffers);
  gst_harness_push (h, numbered_buffer (1, 1000));
  g_mutex_unlock (&between_buffers);
}

static void
flush_once (gpointer thread, gpointer h)
{
  gst_harness_push_event (h, gst_event_new_flush_start ());
  g_mutex_lock (&between_buffers);
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  filter_push_segment (h);
  g_mutex_unlock (&between_buffers);
}

GST_START_TEST (stress_of_flushes_and_buffers)
{
  Stress stress;

  stress_begin (&stress);
  filter_start (stress.h, "application/octet-stream");
  stress_add (&stress, gst_harness_stress_custom_start (stress.h, NULL, push_one, stress.h, 20));
  stress_add (&stress, gst_harness_stress_custom_start (stress.h, NULL, flush_once, stress.h, 500));
  stress_end (&stress, 1000);
}
GST_END_TEST;

GST_START_TEST (stress_of_properties_and_buffers)
{
  GValue program = G_VALUE_INIT, depth = G_VALUE_INIT;
  GstStructure *stats;
  Stress stress;

  g_value_init (&program, G_TYPE_STRING);
  g_value_set_static_string (&program, "crc32 payload -> crc32");
  g_value_init (&depth, G_TYPE_UINT);
  g_value_set_uint (&depth, 9);
  stress_begin (&stress);
  stress_buffers (&stress);
  stress_add (&stress, gst_harness_stress_property_start (stress.h, "program", &program));
  stress_add (&stress, gst_harness_stress_property_start (stress.h, "max-in-flight", &depth));
  for (guint i = 0; i < 1000; i++) {
    stats = stats_of (stress.h->element);
    gst_structure_free (stats);
  }
  stress_end (&stress, 1000);
  g_value_unset (&program);
  g_value_unset (&depth);
}
GST_END_TEST;

GST_START_TEST (stress_of_events_and_buffers)
{
  GstCaps *caps = gst_caps_from_string ("audio/x-raw,format=U8,rate=8000,channels=1,"
                                        "layout=interleaved");
  GstEvent *caps_event = gst_event_new_caps (caps);
  GstEvent *gap = gst_event_new_gap (0, GST_SECOND);
  Stress stress;

  stress_begin (&stress);
  stress_buffers (&stress);
  stress_add (&stress, gst_harness_stress_push_event_start (stress.h, caps_event));
  stress_add (&stress, gst_harness_stress_push_event_start (stress.h, gap));
  stress_end (&stress, 700);
  gst_event_unref (caps_event);
  gst_event_unref (gap);
  gst_caps_unref (caps);
}
GST_END_TEST;

static Suite *
states_suite (void)
{
  Suite *s = suite_create ("states");
  TCase *states = tcase_create ("states"), *rest = tcase_create ("rest");
  TCase *stress = tcase_create ("stress");

  suite_add_tcase (s, states);
  tcase_add_test (states, the_registry_has_the_filter);
  tcase_add_test (states, every_transition_succeeds_at_once);
  tcase_add_test (states, a_filter_works_again_after_null);
  tcase_add_test (states, ready_forgets_the_stream);
  tcase_add_test (states, a_buffer_before_its_stream_comes_in_order);
  suite_add_tcase (s, rest);
  tcase_add_test (rest, no_thread_outlives_null);
  tcase_add_test (rest, threads_stay_while_one_of_two_needs_them);
  tcase_add_test (rest, a_filter_that_is_dropped_while_running_dies);
  suite_add_tcase (s, stress);
  tcase_add_test (stress, stress_of_states_and_buffers);
  tcase_add_test (stress, stress_of_flushes_and_buffers);
  tcase_add_test (stress, stress_of_properties_and_buffers);
  tcase_add_test (stress, stress_of_events_and_buffers);
  return s;
}

GST_CHECK_MAIN (states);
