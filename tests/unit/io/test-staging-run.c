/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The verdict on a run, which passes only if every byte arrived and the CPU copied none.
 */
#include <string.h>

#include "vyre/vyre.h"

static const VyreStagingRun perfect = { .submitted = 7, .completed = 7 };

static void
assert_verdict (const VyreStagingRun *run, gint code, const char *part)
{
  GError *error = NULL;

  g_assert_false (vyre_staging_run_check (run, "camera", &error));
  g_assert_error (error, VYRE_ERROR, code);
  g_assert_nonnull (strstr (error->message, part));
  g_assert_nonnull (strstr (error->message, "Fix: "));
  g_error_free (error);
}

static void
test_perfect (void)
{
  GError *error = NULL;

  g_assert_true (vyre_staging_run_check (&perfect, "camera", &error));
  g_assert_no_error (error);
}

static void
test_each_flaw (void)
{
  VyreStagingRun missing = perfect, flying = perfect, failed = perfect, bounced = perfect;

  missing.completed = 6;
  assert_verdict (&missing, VYRE_ERROR_TIMEOUT, "6 of 7");
  flying.in_flight = 1;
  assert_verdict (&flying, VYRE_ERROR_TIMEOUT, "1 are in flight");
  failed.failed = 2;
  assert_verdict (&failed, VYRE_ERROR_INVALID, "2 failures");
  bounced.bounced_bytes = 4097;
  assert_verdict (&bounced, VYRE_ERROR_UNSUPPORTED, "4097 bytes");
  assert_verdict (&bounced, VYRE_ERROR_UNSUPPORTED, "camera");
}

/* The verdict names the reason of most of the copied bytes, and the remedy for it. */
static void
test_each_reason (void)
{
  VyreStagingRun run = { .submitted = 1, .completed = 1, .bounced_bytes = 1000, .demand = 70001 };

  run.crowded_bytes = 400;
  run.scattered_bytes = 100;
  assert_verdict (&run, VYRE_ERROR_UNSUPPORTED, "neither the memory it was offered");
  run.crowded_bytes = 600;
  assert_verdict (&run, VYRE_ERROR_UNSUPPORTED, "no room for 600 of them when camera asked");
  assert_verdict (&run, VYRE_ERROR_UNSUPPORTED, "Fix: set staging-size=70001 or more");
  run.demand = 0; /* no store can be that large */
  assert_verdict (&run, VYRE_ERROR_UNSUPPORTED, "Fix: send smaller buffers");
  run.scattered_bytes = 700;
  run.crowded_bytes = 300;
  assert_verdict (
      &run, VYRE_ERROR_UNSUPPORTED, "700 of them came from camera in buffers of several");
}

static void
test_no_name (void)
{
  VyreStagingRun bounced = { .submitted = 1, .completed = 1, .bounced_bytes = 1 };
  GError *error = NULL;

  g_assert_false (vyre_staging_run_check (&bounced, NULL, &error));
  g_assert_nonnull (strstr (error->message, "the producer"));
  g_error_free (error);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/staging-run/perfect", test_perfect);
  g_test_add_func ("/staging-run/each-flaw", test_each_flaw);
  g_test_add_func ("/staging-run/each-reason", test_each_reason);
  g_test_add_func ("/staging-run/no-name", test_no_name);
  return g_test_run ();
}
