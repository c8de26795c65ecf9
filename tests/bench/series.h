/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One figure over several rounds, and the clocks it is taken with. What is
 * reported is the median of the rounds.
 */
#pragma once

#include <glib.h>

#define BENCH_MOST_ROUNDS 16

typedef struct {
  guint n;
  double values[BENCH_MOST_ROUNDS];
} BenchSeries;

void bench_series_add (BenchSeries *series, double value);
BenchSeries bench_series_scale (const BenchSeries *series, double factor);
double bench_series_median (const BenchSeries *series);
double bench_percentile (double *values, guint n, double part);

gint64 bench_now (void);         /* ns */
double bench_cpu_seconds (void); /* of all threads of this process */
