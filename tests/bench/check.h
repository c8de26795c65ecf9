/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Correctness, counted: every row checks what it measures, and a benchmark of
 * wrong results fails. Used by one thread at a time.
 */
#pragma once

#include <glib.h>

typedef struct {
  guint64 done;
  guint64 failed;
  char *first; /* what the first failure was */
} BenchCheck;

gboolean bench_check (BenchCheck *check, gboolean fine, const char *format, ...)
    G_GNUC_PRINTF (3, 4);
gboolean bench_check_error (BenchCheck *check, GError *error);
gboolean bench_check_passed (const BenchCheck *check);
void bench_check_clear (BenchCheck *check);
