/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A file in memory, without a name of its own, for other processes to read and write.
 */
#pragma once

#include "check.h"

typedef struct {
  int fd;
  char *path; /* as long as this process has it open */
} BenchMemoryFile;

gboolean bench_memory_file_open (BenchMemoryFile *file, BenchCheck *check);
gboolean bench_memory_file_write (
    BenchMemoryFile *file, const guint8 *data, gsize size, BenchCheck *check);
void bench_memory_file_close (BenchMemoryFile *file);
