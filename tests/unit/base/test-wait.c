/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads wait awake as far as there are places, else asleep, and are as they were afterwards.
 */
#include <glib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/wait.h"

#define MS G_GINT64_CONSTANT (1000000)

/* How long a thread stays awake, ns. */
#define AWAKE G_GINT64_CONSTANT (60000)

/* An odd one, so that no default is taken for it. */
#define SLACK 70001

static int
get_slack (void)
{
  return prctl (PR_GET_TIMERSLACK, 0, 0, 0, 0);
}

static void
test_places (void)
{
  VyreWait waits[3];

  for (guint i = 0; i < 3; i++)
    vyre_wait_begin (&waits[i], 2, FALSE, 0);
  g_assert_cmpuint (vyre_wait_count_awake (), ==, 2);
  g_assert_false (waits[2].awake);
  vyre_wait_end (&waits[0], 10);
  g_assert_cmpint (waits[0].awake_time, ==, 10);
  g_assert_cmpuint (vyre_wait_count_awake (), ==, 1);
  vyre_wait_end (&waits[1], 10);
  vyre_wait_end (&waits[2], 10);
  g_assert_cmpint (waits[2].awake_time, ==, 0);
  g_assert_cmpuint (vyre_wait_count_awake (), ==, 0);
}

/* A place is for the first moment of a wait. */
static void
test_sleep (void)
{
  VyreWait wait;

  vyre_wait_begin (&wait, 1, FALSE, 0);
  vyre_wait_step (&wait, FALSE, 1000);
  g_assert_false (wait.slept);
  vyre_wait_step (&wait, FALSE, MS);
  g_assert_true (wait.slept);
  g_assert_cmpuint (vyre_wait_count_awake (), ==, 0);
  vyre_wait_end (&wait, 2 * MS);
  g_assert_cmpint (wait.awake_time, ==, MS);
}

/* A thread stays awake for longer where others wait for it, and not for ever. */
static void
test_pressed (void)
{
  VyreWait wait;

  vyre_wait_begin (&wait, 1, FALSE, 0);
  vyre_wait_step (&wait, TRUE, MS / 2);
  g_assert_false (wait.slept);
  vyre_wait_step (&wait, TRUE, MS);
  g_assert_true (wait.slept);
  vyre_wait_end (&wait, 2 * MS);
}

/* How long a step of a wait lasts, ns, which is so old and of a kind that usually lasts so long. */
static gint64
time_step (gint64 waited, gint64 usual)
{
  VyreWait wait;

  vyre_wait_begin (&wait, 1, FALSE, 0);
  vyre_wait_expect (&wait, usual);
  g_assert_cmpint (wait.awake, ==, usual <= 2 * AWAKE);
  gint64 begun = g_get_monotonic_time ();
  vyre_wait_step (&wait, FALSE, waited);
  gint64 took = 1000 * (g_get_monotonic_time () - begun);
  g_assert_cmpint (wait.slept, ==, usual > 2 * AWAKE);
  vyre_wait_end (&wait, waited + took);
  return took;
}

/* A thread that knows how long such waits last sleeps until shortly before that, and ever longer
 * when this one lasts far longer. It stays awake for those that are short. */
static void
test_usual (void)
{
  time_step (1000, 2 * AWAKE);
  g_assert_cmpint (time_step (1000, MS / 2), >=, MS / 2 * 7 / 8 - 2000);
  g_assert_cmpint (time_step (MS - 1, MS / 4), >=, MS / 2 - 2000);
}

/* A shorter wait counts for more than a longer one, of which no more than the usual one counts. */
static void
test_learn (void)
{
  g_assert_cmpint (vyre_wait_learn (0, MS), ==, MS);
  g_assert_cmpint (vyre_wait_learn (MS, MS), ==, MS);
  g_assert_cmpint (vyre_wait_learn (MS, MS / 2), ==, MS - MS / 8);
  g_assert_cmpint (vyre_wait_learn (MS, MS + MS / 2), ==, MS + MS / 32);
  g_assert_cmpint (vyre_wait_learn (MS, 1000 * MS), ==, MS + MS / 16);
}

static void
test_slack (gconstpointer exact)
{
  VyreWait wait;

  g_assert_cmpint (prctl (PR_SET_TIMERSLACK, SLACK, 0, 0, 0), ==, 0);
  vyre_wait_begin (&wait, 0, exact != NULL, 0);
  g_assert_cmpint (get_slack (), ==, SLACK);
  for (guint i = 1; i < 3; i++)
    vyre_wait_step (&wait, FALSE, i);
  g_assert_cmpint (get_slack (), ==, exact ? 1 : SLACK);
  vyre_wait_end (&wait, 3);
  g_assert_cmpint (get_slack (), ==, SLACK);
}

/* The threads of a parent do not wait in its child. */
static void
test_child (void)
{
  VyreWait wait;
  int status;

  vyre_wait_begin (&wait, 1, FALSE, 0);
  pid_t child = fork ();
  if (child == 0)
    _exit ((int)vyre_wait_count_awake ());
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_cmpint (status, ==, 0);
  vyre_wait_end (&wait, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wait/pressed", test_pressed);
  g_test_add_func ("/wait/places", test_places);
  g_test_add_func ("/wait/sleep", test_sleep);
  g_test_add_data_func ("/wait/slack/exact", GINT_TO_POINTER (TRUE), test_slack);
  g_test_add_data_func ("/wait/slack/loose", NULL, test_slack);
  g_test_add_func ("/wait/usual", test_usual);
  g_test_add_func ("/wait/learn", test_learn);
  g_test_add_func ("/wait/child", test_child);
  return g_test_run ();
}
