/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A process that is stopped while a batch is in flight. The watchdog sees what it can see:
 * time in which nothing could move does not count.
 */
#include "common.h"
#include "lost.h"
#include "stop-common.h"

/* More than the 5 s without progress that are warned of, and how long to look afterwards. */
#define STOP 6
#define AFTER (2 * G_TIME_SPAN_SECOND)

/* On a device that does nothing more: a kernel that is leaving may still take some. */
static void
push_until_one_stays (GstHarness *h)
{
  guint64 pushed = stat_of (h->element, "buffers");
  gint64 end;

  vyre_lost_stall (true);
  do {
    gst_harness_push (h, numbered_buffer (pushed++, 100));
    end = g_get_monotonic_time () + G_TIME_SPAN_SECOND / 5;
    while (stat_of (h->element, "batches") < pushed && g_get_monotonic_time () < end)
      g_thread_yield ();
  } while (stat_of (h->element, "batches") == pushed);
}

GST_START_TEST (time_in_which_the_process_was_stopped_does_not_count)
{
  GstHarness *h = filter_new ("crc32 payload -> crc32");
  Stopper stopper;

  filter_start (h, NULL);
  gst_buffer_unref (filter_run (h, numbered_buffer (0, 100)));
  stopper_start (&stopper, STOP);
  push_until_one_stays (h);
  gint64 start = g_get_monotonic_time ();
  stopper_stop (&stopper);
  while (g_get_monotonic_time () - start < STOP * G_TIME_SPAN_SECOND + AFTER)
    g_usleep (10000);
  fail_unless_equals_int (bus_count_type (h, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR), 0);
  fail_unless_equals_uint64 (stat_of (h->element, "stalls"), 0);
  vyre_lost_stall (false);
  stat_wait (h->element, "batches", stat_of (h->element, "buffers"));
  stopper_clear (&stopper);
  filter_finish (h);
}
GST_END_TEST;

static Suite *
stopped_suite (void)
{
  Suite *s = suite_create ("stopped");
  TCase *tc = tcase_create ("watchdog");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, time_in_which_the_process_was_stopped_does_not_count);
  return s;
}

GST_CHECK_MAIN (stopped);
