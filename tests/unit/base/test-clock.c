/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The clock of deadlines, with times of the test's own.
 */
#include "vyre/clock.h"

#define START G_GINT64_CONSTANT (7000000)
#define HOUR (3600 * G_TIME_SPAN_SECOND)

static void
test_watched (void)
{
  VyreClock clock = { 0 };
  gint64 time = START;

  g_assert_cmpint (vyre_clock_at (&clock, time), ==, START);
  for (guint i = 0; i < 1000; i++) {
    time += i % 2 ? VYRE_CLOCK_MOST : 1;
    g_assert_cmpint (vyre_clock_at (&clock, time), ==, time);
  }
}

static void
test_stood_still (void)
{
  VyreClock clock = { 0 };
  gint64 end = START + 3 * VYRE_CLOCK_MOST;

  g_assert_cmpint (vyre_clock_at (&clock, START), <, end);
  g_assert_cmpint (vyre_clock_at (&clock, START + HOUR), ==, START + VYRE_CLOCK_MOST);
  g_assert_cmpint (vyre_clock_at (&clock, START + HOUR), ==, START + VYRE_CLOCK_MOST);
  g_assert_cmpint (vyre_clock_at (&clock, START + HOUR + 5), ==, START + VYRE_CLOCK_MOST + 5);
  g_assert_cmpint (vyre_clock_at (&clock, START + 2 * HOUR), <, end);
  g_assert_cmpint (vyre_clock_at (&clock, START + 3 * HOUR), >=, end);
}

/* A sleep ends with the deadline, and soon after the last look. */
static void
test_next_look (void)
{
  VyreClock clock = { 0 };

  vyre_clock_at (&clock, START);
  g_assert_cmpint (vyre_clock_next (&clock, START + 1), ==, START + 1);
  g_assert_cmpint (vyre_clock_next (&clock, START + HOUR), ==, START + VYRE_CLOCK_SLICE);
  g_assert_cmpint (vyre_clock_next (&clock, G_MAXINT64), ==, START + VYRE_CLOCK_SLICE);
  g_assert_cmpint (vyre_clock_next (&clock, START), ==, START);
  g_assert_cmpint (vyre_clock_next (&clock, 0), ==, START);
  gint64 now = vyre_clock_at (&clock, START + HOUR);
  g_assert_cmpint (vyre_clock_next (&clock, now + 7), ==, START + HOUR + 7);
}

static void
test_real_time (void)
{
  VyreClock clock = { 0 };
  gint64 before = g_get_monotonic_time ();
  gint64 first = vyre_clock_now (&clock);

  g_assert_cmpint (first, >=, before);
  g_assert_cmpint (vyre_clock_now (&clock), >=, first);
  g_assert_cmpint (vyre_clock_now (&clock), <=, g_get_monotonic_time ());
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/clock/watched", test_watched);
  g_test_add_func ("/clock/stood-still", test_stood_still);
  g_test_add_func ("/clock/next-look", test_next_look);
  g_test_add_func ("/clock/real-time", test_real_time);
  return g_test_run ();
}
