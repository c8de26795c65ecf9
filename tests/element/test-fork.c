/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A process that forks with filters in it. The child may have filters of its own and read what
 * came out of its parent's, whose elements are errors in it; the parent does not notice.
 */
#include "common.h"
#include "fork-common.h"
#include "oracle.h"

#include <string.h>

#define CRC "crc32 payload -> crc32"
#define SIZE 5000

/* GStreamer's library for tests has an exit handler that waits for the threads of all tasks. */
static gint
in_child (void (*function) (gpointer data), gpointer data)
{
  return fork_and_run (function, data, _exit);
}

/* In any process. */
static void
check_run (GstHarness *h, guint32 seed)
{
  guint8 *data = noise_new (SIZE, seed);
  GstBuffer *readback = filter_run (h, noise_buffer (SIZE, seed));

  g_assert_cmpuint (readback_observable (readback, 1), ==, oracle_crc32 (data, SIZE));
  gst_buffer_unref (readback);
  g_free (data);
}

static void
assert_error (GstBus *bus)
{
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  GError *error = NULL;

  g_assert_nonnull (message);
  gst_message_parse_error (message, &error, NULL);
  g_assert_nonnull (strstr (error->message, "forked"));
  g_assert_nonnull (strstr (error->message, "Fix: "));
  g_error_free (error);
  gst_message_unref (message);
}

/* Not every driver opens a device in a child of a process that has used it. That is said then. */
static gboolean
may_open (void)
{
  GstElement *filter = gst_object_ref_sink (filter_make (CRC));
  GstBus *bus = gst_bus_new ();

  gst_element_set_bus (filter, bus);
  gboolean opened = gst_element_set_state (filter, GST_STATE_READY) == GST_STATE_CHANGE_SUCCESS;
  if (!opened)
    assert_error (bus);
  gst_element_set_state (filter, GST_STATE_NULL);
  gst_bus_set_flushing (bus, TRUE);
  gst_element_set_bus (filter, NULL);
  gst_object_unref (bus);
  gst_object_unref (filter);
  return opened;
}

static void
run_own (gpointer data)
{
  if (!may_open ())
    return;
  GstHarness *h = filter_new (CRC);

  filter_start (h, NULL);
  for (guint i = 0; i < 10; i++)
    check_run (h, i);
  filter_finish (h);
}

/* A bus has a socket for as long as there are messages, which a child would read from, too. */
static void
empty_bus (GstHarness *h)
{
  GstBus *bus = gst_element_get_bus (h->element);
  GstMessage *message;

  while ((message = gst_bus_pop (bus)))
    gst_message_unref (message);
  gst_object_unref (bus);
}

static void
use_inherited (gpointer data)
{
  GstHarness *h = data;
  GstBus *bus = gst_element_get_bus (h->element);
  GstPad *sink = filter_pad (h, "sink");
  GstQuery *query = gst_query_new_allocation (NULL, TRUE);

  g_assert_cmpint (gst_pad_chain (sink, noise_buffer (SIZE, 1)), ==, GST_FLOW_ERROR);
  assert_error (bus);
  g_assert_false (gst_pad_send_event (sink, gst_event_new_eos ()));
  g_assert_false (gst_pad_query (sink, query));
  gst_structure_free (stats_of (h->element));
  gst_element_set_state (h->element, GST_STATE_PAUSED);
  g_assert_cmpint (
      gst_element_set_state (h->element, GST_STATE_PLAYING), ==, GST_STATE_CHANGE_FAILURE);
  assert_error (bus);
  g_assert_cmpint (
      gst_element_set_state (h->element, GST_STATE_NULL), ==, GST_STATE_CHANGE_SUCCESS);
  gst_query_unref (query);
  gst_object_unref (sink);
  gst_object_unref (bus);
}

/* From NULL on it is as any other. */
static void
start_inherited_again (gpointer data)
{
  GstHarness *h = data;

  use_inherited (h);
  if (!may_open ())
    return;
  gst_element_set_state (h->element, GST_STATE_PLAYING);
  filter_push_segment (h);
  check_run (h, 3);
}

static void
tear_down_inherited (gpointer data)
{
  filter_finish (data);
  run_own (NULL);
}

static void (*const uses[]) (gpointer data)
    = { run_own, use_inherited, start_inherited_again, tear_down_inherited };

/* The thread of a task that has ended lets go of objects last of all, with locks of GObject that a
 * child would wait for. */
static void
wait_for_unused_thread (void)
{
  for (guint i = 0; i < PATIENCE * 1000 && g_thread_pool_get_num_unused_threads () == 0; i++)
    g_usleep (1000);
  fail_unless (g_thread_pool_get_num_unused_threads () > 0);
}

/* The task of a filter that has ended leaves nothing that a child would wait for. */
GST_START_TEST (a_child_has_filters_of_its_own_and_no_others)
{
  GstHarness *h = filter_new (CRC);

  filter_start (h, NULL);
  check_run (h, 1);
  run_own (NULL);
  wait_for_unused_thread ();
  stat_wait_quiet (h->element);
  empty_bus (h);
  fail_unless_equals_int (in_child (uses[__i__], h), 0);
  for (guint i = 0; i < 50; i++)
    check_run (h, i);
  fail_unless_equals_int (bus_count_type (h, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR), 0);
  filter_finish (h);
}
GST_END_TEST;

typedef struct {
  GstHarness *h;
  GstBuffer *readback; /* of seed 7 */
  GstBuffer *staged;   /* in memory that the filter lent */
} Held;

static void
read_buffers (gpointer data)
{
  Held *held = data;
  guint8 *noise = noise_new (SIZE, 7);
  GstMapInfo map;

  if (is_on_cpu (held->h->element) || gst_buffer_map (held->readback, &map, GST_MAP_READ)) {
    if (!is_on_cpu (held->h->element))
      gst_buffer_unmap (held->readback, &map);
    g_assert_cmpuint (readback_observable (held->readback, 1), ==, oracle_crc32 (noise, SIZE));
  }
  if (gst_buffer_map (held->staged, &map, GST_MAP_READ)) {
    g_assert_cmpint (memcmp (map.data, noise, SIZE), ==, 0);
    gst_buffer_unmap (held->staged, &map);
  }
  gst_buffer_unref (held->readback);
  gst_buffer_unref (held->staged);
  g_free (noise);
}

/* What the parent does to its memory afterwards is not seen. */
GST_START_TEST (a_child_reads_what_it_inherits_or_cannot_map_it)
{
  Held held = { .h = filter_new (CRC) };
  GstHarness *h = held.h;
  GstAllocator *allocator = NULL;
  guint8 *data = noise_new (SIZE, 7);

  filter_start (h, NULL);
  check_run (h, 7); /* from a pool from here on */
  check_run (h, 7);
  held.readback = filter_run (h, noise_buffer (SIZE, 7));
  gst_harness_get_allocator (h, &allocator, NULL);
  held.staged = gst_buffer_new_allocate (allocator, SIZE, NULL);
  gst_buffer_fill (held.staged, 0, data, SIZE);
  for (guint i = 0; i < 5; i++)
    fail_unless_equals_int (in_child (read_buffers, &held), 0);
  fail_unless_equals_int (readback_observable (held.readback, 1), oracle_crc32 (data, SIZE));
  gst_buffer_unref (held.readback);
  gst_buffer_unref (held.staged);
  for (guint i = 0; i < 50; i++) /* the pool takes and gives as before */
    check_run (h, i);
  g_free (data);
  filter_finish (h);
}
GST_END_TEST;

typedef struct {
  GstHarness *h;
  gint stop;
  gint started;
} Stream;

static gpointer
stream (gpointer data)
{
  Stream *s = data;

  for (guint i = 0; !g_atomic_int_get (&s->stop); i++) {
    check_run (s->h, i);
    g_atomic_int_set (&s->started, i > 2);
  }
  return NULL;
}

static void
stop_inherited (gpointer data)
{
  GstHarness *h = data;
  GstPad *sink = filter_pad (h, "sink");

  g_assert_cmpint (gst_pad_chain (sink, noise_buffer (SIZE, 1)), ==, GST_FLOW_ERROR);
  gst_object_unref (sink);
  g_assert_cmpint (
      gst_element_set_state (h->element, GST_STATE_NULL), ==, GST_STATE_CHANGE_SUCCESS);
}

/* GLib's locks of types and names are not made for forks, so the streaming thread has none when the
 * first child comes: messages take them, and the first readbacks that make a pool. */
GST_START_TEST (a_process_may_fork_while_it_streams)
{
  Stream s = { .h = filter_new (CRC) };

  gst_util_set_object_arg (G_OBJECT (s.h->element), "post-messages", "");
  filter_start (s.h, NULL);
  GThread *thread = g_thread_new ("stream", stream, &s);
  while (!g_atomic_int_get (&s.started))
    g_thread_yield ();
  for (guint i = 0; i < 40; i++)
    fail_unless_equals_int (in_child (i % 4 ? stop_inherited : run_own, s.h), 0);
  g_atomic_int_set (&s.stop, TRUE);
  g_thread_join (thread);
  fail_unless_equals_int (bus_count_type (s.h, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR), 0);
  filter_finish (s.h);
}
GST_END_TEST;

static void
stop_source (gpointer data)
{
  g_assert_cmpint (gst_element_set_state (data, GST_STATE_NULL), ==, GST_STATE_CHANGE_SUCCESS);
}

/* One that waits for its sink. */
GST_START_TEST (a_source_is_stopped_in_a_child)
{
  GstHarness *h = gst_harness_new ("vyresrc");
  Dam dam;

  g_object_set (h->element, "location", "/proc/self/exe", "blocksize", 4096, NULL);
  dam_build (&dam, h);
  gst_harness_play (h);
  dam_wait (&dam);
  fail_unless_equals_int (in_child (stop_source, h->element), 0);
  dam_break (&dam);
  gst_buffer_unref (gst_harness_pull (h));
  gst_harness_teardown (h);
}
GST_END_TEST;

static Suite *
fork_suite (void)
{
  Suite *s = suite_create ("fork");
  TCase *tc = tcase_create ("child");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, a_child_has_filters_of_its_own_and_no_others, 0, G_N_ELEMENTS (uses));
  tcase_add_test (tc, a_child_reads_what_it_inherits_or_cannot_map_it);
  if (FORKS_WITH_THREADS)
    tcase_add_test (tc, a_process_may_fork_while_it_streams);
  tcase_add_test (tc, a_source_is_stopped_in_a_child);
  return s;
}

GST_CHECK_MAIN (fork);
