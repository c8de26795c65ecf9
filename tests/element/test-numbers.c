/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The number of a buffer in its stream goes around: no buffer has the number that stands for
 * none, so that none is forgotten.
 */
#include "filter/gstvyrestate.h"

/* which has globals of common names */
#include "common.h"
#include "lost.h"

#define CRC "crc32 payload -> c"
#define N_BUFFERS 6

static const guint32 numbers[N_BUFFERS]
    = { G_MAXUINT32 - 2, G_MAXUINT32 - 1, G_MAXUINT32, 1, 2, 3 };

static void
set_sequence (GstHarness *h, guint32 last)
{
  GstVyreFilter *filter = (GstVyreFilter *)h->element;

  g_mutex_lock (&filter->lock);
  filter->sequence = last;
  g_mutex_unlock (&filter->lock);
}

/* A stream that has had all but some of four billion buffers. Each takes a launch. */
static GstHarness *
filter_new_old (void)
{
  GstHarness *h = filter_new_with (
      CRC, "max-in-flight", N_BUFFERS, "residency", VYRE_RESIDENCY_DISPATCH, NULL);

  filter_start (h, NULL);
  gst_buffer_unref (filter_run (h, numbered_buffer (0, 100)));
  set_sequence (h, numbers[0] - 1);
  return h;
}

static void
push_all (GstHarness *h)
{
  for (guint i = 0; i < N_BUFFERS; i++)
    filter_push (h, numbered_buffer (i, 100));
}

static void
pull_all (GstHarness *h)
{
  for (guint i = 0; i < N_BUFFERS; i++) {
    GstBuffer *readback = filter_pull (h);
    fail_unless_equals_uint64 (GST_BUFFER_OFFSET (readback), i);
    fail_unless_equals_uint64 (readback_observable (readback, 0), numbers[i]);
    gst_buffer_unref (readback);
  }
}

GST_START_TEST (buffers_are_numbered_past_the_wrap)
{
  GstHarness *h = filter_new_old ();

  push_all (h);
  pull_all (h);
  push_all (h);
  for (guint i = 0; i < N_BUFFERS; i++) {
    GstBuffer *readback = filter_pull (h);
    fail_unless_equals_uint64 (readback_observable (readback, 0), 4 + i);
    gst_buffer_unref (readback);
  }
  filter_finish (h);
}
GST_END_TEST;

/* Whichever of them the task waits for when the device goes. */
GST_START_TEST (buffers_are_run_again_past_the_wrap)
{
  GstHarness *h = filter_new_old ();

  set_sequence (h, G_MAXUINT32 - (guint32)__i__);
  vyre_lost_stall (true);
  push_all (h);
  vyre_lost_arm ("vkWaitForFences", 1, 1);
  stat_wait (h->element, "device-losses", 1);
  vyre_lost_stall (false);
  for (guint i = 0; i < N_BUFFERS; i++)
    gst_buffer_unref (filter_pull (h));
  fail_unless_equals_uint64 (stat_of (h->element, "rerun-batches"), N_BUFFERS);
  push_all (h); /* which waits until all are run again */
  for (guint i = 0; i < N_BUFFERS; i++)
    gst_buffer_unref (filter_pull (h));
  filter_finish (h);
}
GST_END_TEST;

static Suite *
numbers_suite (void)
{
  Suite *s = suite_create ("numbers");
  TCase *tc = tcase_create ("numbers");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, buffers_are_numbered_past_the_wrap);
  tcase_add_loop_test (tc, buffers_are_run_again_past_the_wrap, 0, N_BUFFERS);
  return s;
}

GST_CHECK_MAIN (numbers);
