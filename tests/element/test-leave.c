/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Leaving a kernel with a full queue: what was not begun is not run.
 */
#include "common.h"

/* READY → NULL takes no longer. */
#define BOUND (2 * G_TIME_SPAN_SECOND)

/* A CPU takes seconds for so much. */
#define N_BATCHES 64
#define SIZE (512 * 1024)
#define N_HISTOGRAMS 32

static void
note_freed (gpointer freed, GstMiniObject *object)
{
  g_atomic_int_inc ((gint *)freed);
}

static GstHarness *
dear_new (void)
{
  GString *program = g_string_new (NULL);

  for (guint i = 0; i < N_HISTOGRAMS; i++)
    g_string_append_printf (program, "u8_histogram payload -> h%u\n", i);
  GstHarness *h
      = filter_new_with (program->str, "max-in-flight", N_BATCHES, "post-messages", 0, NULL);
  g_string_free (program, TRUE);
  filter_start (h, NULL);
  return h;
}

/* All at once, since no more than the first may be through by then. */
static void
dear_push (GstHarness *h, gint *freed)
{
  for (guint i = 0; i < N_BATCHES; i++) {
    GstBuffer *buffer = numbered_buffer (i, SIZE);
    gst_mini_object_weak_ref (GST_MINI_OBJECT_CAST (buffer), note_freed, freed);
    filter_push (h, buffer);
  }
}

static gint64
time_to (GstElement *element, GstState state)
{
  gint64 start = g_get_monotonic_time ();

  fail_unless_equals_int (gst_element_set_state (element, state), GST_STATE_CHANGE_SUCCESS);
  return g_get_monotonic_time () - start;
}

GST_START_TEST (the_last_element_is_gone_in_time)
{
  gint freed = 0;

  for (gint round = 1; round <= 2; round++) {
    GstHarness *h = dear_new ();
    dear_push (h, &freed);
    gint64 took = time_to (h->element, GST_STATE_NULL);
    fail_unless (!is_on_cpu (h->element) || took < BOUND, "%" G_GINT64_FORMAT " us", took);
    fail_unless_equals_int (g_atomic_int_get (&freed), round * N_BATCHES);
    filter_finish (h);
  }
}
GST_END_TEST;

GST_START_TEST (others_on_the_kernel_go_on)
{
  GstHarness *other = filter_new ("crc32 payload -> c");
  gint freed = 0;

  filter_start (other, NULL);
  for (gint round = 1; round <= 2; round++) {
    GstHarness *h = dear_new ();
    guint64 dropped = stat_of (other->element, "kernel-dropped-tickets");
    dear_push (h, &freed);
    gint64 took = time_to (h->element, GST_STATE_NULL);
    fail_unless (took < BOUND, "%" G_GINT64_FORMAT " us", took);
    fail_unless_equals_int (g_atomic_int_get (&freed), round * N_BATCHES);
    gst_buffer_unref (filter_run (other, numbered_buffer ((guint64)round, 1000)));
    dropped = stat_of (other->element, "kernel-dropped-tickets") - dropped;
    if (is_on_cpu (other->element)) /* of those that had their turn; the others never had tickets */
      fail_unless (dropped > 0);
    filter_finish (h);
  }
  filter_finish (other);
}
GST_END_TEST;

/* Nor does the one that goes wait for what others have in front of it. */
GST_START_TEST (a_queue_of_others_is_not_waited_for)
{
  GstHarness *other = dear_new (), *h = dear_new ();
  gint freed = 0;

  dear_push (other, &freed);
  dear_push (h, &freed);
  gint64 took = time_to (h->element, GST_STATE_NULL);
  fail_unless (took < BOUND, "%" G_GINT64_FORMAT " us", took);
  took = time_to (other->element, GST_STATE_NULL);
  fail_unless (took < BOUND, "%" G_GINT64_FORMAT " us", took);
  fail_unless_equals_int (g_atomic_int_get (&freed), 2 * N_BATCHES);
  filter_finish (h);
  filter_finish (other);
}
GST_END_TEST;

/* And a flush makes room for what comes after it. */
GST_START_TEST (a_flush_drops_what_was_not_begun)
{
  GstHarness *h = dear_new ();
  gint freed = 0;

  dear_push (h, &freed);
  filter_flush (h);
  gint64 start = g_get_monotonic_time ();
  filter_push_segment (h);
  gst_buffer_unref (filter_run (h, numbered_buffer (7, SIZE)));
  gint64 took = g_get_monotonic_time () - start;
  fail_unless (took < BOUND, "%" G_GINT64_FORMAT " us", took);
  if (is_on_cpu (h->element))
    fail_unless (stat_of (h->element, "kernel-dropped-tickets") > 0);
  stat_wait_quiet (h->element);
  fail_unless_equals_int (g_atomic_int_get (&freed), N_BATCHES);
  filter_finish (h);
}
GST_END_TEST;

static Suite *
leave_suite (void)
{
  Suite *s = suite_create ("leave");
  TCase *tc = tcase_create ("leave");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, the_last_element_is_gone_in_time);
  tcase_add_test (tc, others_on_the_kernel_go_on);
  tcase_add_test (tc, a_queue_of_others_is_not_waited_for);
  tcase_add_test (tc, a_flush_drops_what_was_not_begun);
  return s;
}

GST_CHECK_MAIN (leave);
