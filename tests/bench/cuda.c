/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cuda.h"

#include <math.h>

/* What the peer exits with where there is no CUDA device. */
#define NO_DEVICE 77
#define PEER_SECONDS 60

/* Runs one round of the peer; FALSE when there is none. Wrong results of the
 * peer fail the row: a race against somebody who errs says nothing. */
gboolean
bench_cuda_run (Bench *bench, BenchCheck *check, const char *mode, BenchChild *child)
{
  g_autofree char *milliseconds = g_strdup_printf ("%.0f", bench->seconds * 1000);
  char *arguments[] = { bench->cuda_peer, (char *)mode, milliseconds, NULL };
  GError *error = NULL;

  if (!bench->cuda_peer)
    return FALSE;
  if (!bench_child_run (child, arguments, NULL, PEER_SECONDS, &error))
    return bench_check_error (check, error);
  if (child->status == NO_DEVICE) {
    bench_child_clear (child);
    g_clear_pointer (&bench->cuda_peer, g_free);
    return FALSE;
  }
  bench_check (check, child->status == 0, "the CUDA peer failed with status %d", child->status);
  return TRUE;
}

void
bench_cuda_add (const BenchChild *child, const char *key, BenchSeries *series)
{
  double value = bench_child_number (child, key);

  if (!isnan (value))
    bench_series_add (series, value);
}
