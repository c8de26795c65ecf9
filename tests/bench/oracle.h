/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the payload opcodes should find, in plain C.
 */
#pragma once

#include <glib.h>

typedef struct {
  guint64 count, min, max, sum, squares;
} BenchStats;

#define BENCH_STATS_NONE ((BenchStats){ .min = 255 })

void bench_stats_add (BenchStats *stats, const guint8 *data, gsize size);
void bench_stats_add_run (BenchStats *stats, guint8 value, gsize n);
gboolean bench_stats_match (const BenchStats *stats, const guint8 *control, guint observable);
void bench_noise (guint8 *data, gsize size, guint64 seed, guint8 low, guint8 span);
