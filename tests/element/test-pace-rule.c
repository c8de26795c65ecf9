/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The rule by itself that says which thread pushes a readback: docs/architecture.md, "Which thread
 * pushes". The times are µs.
 */
#include "filter/gstvyrepace.h"

/* A hand-over counts as this much at least, and at most. */
#define SHORTEST 30
#define LONGEST 300

/* Longer than any hand-over counts. */
#define SLOW (LONGEST + 1)

#define FIRST_PENALTY 4
#define LONGEST_PENALTY 1024

#define LONGEST_LEISURE 1000

#define CLOSE 10
#define BURST 4

/* Has readbacks leave until the chain function is to push one. Returns how many. */
static guint
count_for_task (GstVyrePace *pace)
{
  guint n = 0;

  while (!gst_vyre_pace_is_quick (pace)) {
    gst_vyre_pace_note_done (pace);
    n++;
    g_assert_cmpuint (n, <=, 2 * LONGEST_PENALTY);
  }
  return n;
}

static void
test_first_readback (void)
{
  GstVyrePace pace;

  gst_vyre_pace_init (&pace);
  g_assert_cmpuint (count_for_task (&pace), ==, 1);
  gst_vyre_pace_note_done (&pace);
  g_assert_true (gst_vyre_pace_is_quick (&pace));
  gst_vyre_pace_reset (&pace);
  g_assert_cmpuint (count_for_task (&pace), ==, 1);
}

/* A slow try doubles the penalty of the next one. */
static void
test_penalties (void)
{
  GstVyrePace pace;

  gst_vyre_pace_init (&pace);
  count_for_task (&pace);
  for (guint penalty = FIRST_PENALTY; penalty <= LONGEST_PENALTY; penalty *= 2) {
    gst_vyre_pace_note_time (&pace, SLOW);
    g_assert_cmpuint (count_for_task (&pace), ==, penalty);
  }
  gst_vyre_pace_note_time (&pace, SLOW);
  g_assert_cmpuint (count_for_task (&pace), ==, LONGEST_PENALTY);
}

/* A quick try, and a new stream, end the doubling. */
static void
test_forgiveness (void)
{
  GstVyrePace pace;

  gst_vyre_pace_init (&pace);
  count_for_task (&pace);
  gst_vyre_pace_note_time (&pace, SLOW);
  gst_vyre_pace_note_time (&pace, SLOW);
  g_assert_cmpuint (count_for_task (&pace), ==, 2 * FIRST_PENALTY);
  gst_vyre_pace_note_time (&pace, SHORTEST);
  g_assert_true (gst_vyre_pace_is_quick (&pace));
  gst_vyre_pace_note_time (&pace, SLOW);
  g_assert_cmpuint (count_for_task (&pace), ==, FIRST_PENALTY);
  gst_vyre_pace_reset (&pace);
  count_for_task (&pace);
  gst_vyre_pace_note_time (&pace, SLOW);
  g_assert_cmpuint (count_for_task (&pace), ==, FIRST_PENALTY);
}

/* A try is slow if it takes longer than a hand-over. */
static void
test_what_is_slow (void)
{
  GstVyrePace pace;

  gst_vyre_pace_init (&pace);
  count_for_task (&pace);
  gst_vyre_pace_note_time (&pace, SHORTEST);
  g_assert_true (gst_vyre_pace_is_quick (&pace));
  gst_vyre_pace_note_time (&pace, SHORTEST + 1);
  g_assert_false (gst_vyre_pace_is_quick (&pace));
}

static gint64
get_handover (const GstVyrePace *pace)
{
  return gst_vyre_pace_get_patience (pace, FALSE);
}

/* A measurement counts for an eighth, and none below or above the bounds does. */
static void
test_handover (void)
{
  GstVyrePace pace;

  gst_vyre_pace_init (&pace);
  g_assert_cmpint (get_handover (&pace), ==, SHORTEST);
  gst_vyre_pace_note_handover (&pace, 0);
  g_assert_cmpint (get_handover (&pace), ==, SHORTEST);
  gst_vyre_pace_note_handover (&pace, SHORTEST + 80);
  g_assert_cmpint (get_handover (&pace), ==, SHORTEST + 10);
  gst_vyre_pace_init (&pace);
  gst_vyre_pace_note_handover (&pace, G_USEC_PER_SEC);
  g_assert_cmpint (get_handover (&pace), ==, SHORTEST + (LONGEST - SHORTEST) / 8);
  for (guint i = 0; i < 100; i++)
    gst_vyre_pace_note_handover (&pace, G_USEC_PER_SEC);
  g_assert_cmpint (get_handover (&pace), >, LONGEST - 8);
  g_assert_cmpint (get_handover (&pace), <=, LONGEST);
  gst_vyre_pace_reset (&pace); /* a new stream has the same thread */
  g_assert_cmpint (get_handover (&pace), >, LONGEST - 8);
}

/* A buffer comes @gap after the return from the one before. */
static void
pass_buffer (GstVyrePace *pace, gint64 *now, gint64 gap)
{
  *now += gap;
  gst_vyre_pace_note_buffer (pace, *now);
  gst_vyre_pace_note_return (pace, ++*now);
}

static gboolean
is_patient (const GstVyrePace *pace)
{
  return gst_vyre_pace_get_patience (pace, FALSE) > 0;
}

static void
test_burst (void)
{
  gint64 now = G_USEC_PER_SEC;
  GstVyrePace pace;

  gst_vyre_pace_init (&pace);
  pass_buffer (&pace, &now, 0);
  for (guint i = 1; i <= 2 * BURST; i++) {
    pass_buffer (&pace, &now, CLOSE - 1);
    g_assert_cmpint (is_patient (&pace), ==, i < BURST);
  }
  pass_buffer (&pace, &now, CLOSE);
  g_assert_true (is_patient (&pace));
  for (guint i = 1; i < BURST; i++) /* a burst has to begin again */
    pass_buffer (&pace, &now, 0);
  g_assert_true (is_patient (&pace));
  pass_buffer (&pace, &now, 0);
  g_assert_false (is_patient (&pace));
}

/* The chain function has half of the gap before a buffer for a readback, up to a limit. */
static void
test_leisure (void)
{
  gint64 now = G_USEC_PER_SEC;
  GstVyrePace pace;

  gst_vyre_pace_init (&pace);
  count_for_task (&pace);
  pass_buffer (&pace, &now, 0);
  pass_buffer (&pace, &now, LONGEST_LEISURE);
  g_assert_cmpint (gst_vyre_pace_get_patience (&pace, FALSE), ==, LONGEST_LEISURE / 2);
  gst_vyre_pace_note_time (&pace, LONGEST_LEISURE / 2);
  g_assert_true (gst_vyre_pace_is_quick (&pace));
  gst_vyre_pace_note_time (&pace, LONGEST_LEISURE / 2 + 1);
  g_assert_cmpuint (count_for_task (&pace), ==, FIRST_PENALTY);
  pass_buffer (&pace, &now, G_USEC_PER_SEC);
  g_assert_cmpint (gst_vyre_pace_get_patience (&pace, FALSE), ==, LONGEST_LEISURE);
  pass_buffer (&pace, &now, CLOSE); /* a stream that hurries has no leisure */
  g_assert_cmpint (gst_vyre_pace_get_patience (&pace, FALSE), ==, SHORTEST);
}

static void
test_batch_ahead (void)
{
  GstVyrePace pace;

  gst_vyre_pace_init (&pace);
  g_assert_cmpint (gst_vyre_pace_get_patience (&pace, TRUE), ==, 0);
  g_assert_cmpint (gst_vyre_pace_get_patience (&pace, FALSE), ==, SHORTEST);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/pace/first-readback", test_first_readback);
  g_test_add_func ("/pace/penalties", test_penalties);
  g_test_add_func ("/pace/forgiveness", test_forgiveness);
  g_test_add_func ("/pace/what-is-slow", test_what_is_slow);
  g_test_add_func ("/pace/handover", test_handover);
  g_test_add_func ("/pace/burst", test_burst);
  g_test_add_func ("/pace/leisure", test_leisure);
  g_test_add_func ("/pace/batch-ahead", test_batch_ahead);
  return g_test_run ();
}
