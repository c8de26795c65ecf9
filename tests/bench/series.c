/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static int
compare (const void *a, const void *b)
{
  const double *x = a, *y = b;

  return *x < *y ? -1 : *x > *y;
}

/* Sorts @values; @part is 0 to 1. NAN when there are none. */
double
bench_percentile (double *values, guint n, double part)
{
  if (n == 0)
    return NAN;
  qsort (values, n, sizeof *values, compare);
  return values[MIN ((guint)(part * n), n - 1)];
}

void
bench_series_add (BenchSeries *series, double value)
{
  g_assert (series->n < BENCH_MOST_ROUNDS);
  series->values[series->n++] = value;
}

/* The same values in another unit. */
BenchSeries
bench_series_scale (const BenchSeries *series, double factor)
{
  BenchSeries scaled = *series;

  for (guint i = 0; i < scaled.n; i++)
    scaled.values[i] *= factor;
  return scaled;
}

double
bench_series_median (const BenchSeries *series)
{
  double sorted[BENCH_MOST_ROUNDS];

  memcpy (sorted, series->values, sizeof sorted);
  return bench_percentile (sorted, series->n, 0.5);
}

gint64
bench_now (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (gint64)now.tv_sec * 1000000000 + now.tv_nsec;
}

double
bench_cpu_seconds (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
         + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}
