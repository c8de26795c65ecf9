/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fio, the peer that reads files, where it is installed.
 */
#pragma once

#include "check.h"

typedef struct {
  double rate; /* bytes per second */
  double cpu;  /* CPU seconds per byte, as fio counts them for its job */
} BenchFioResult;

gboolean bench_fio_found (void);
BenchFioResult bench_fio_read (
    BenchCheck *check, const char *path, gsize blocksize, guint depth, gboolean direct);
