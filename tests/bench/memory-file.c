/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "memory-file.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

/* Close it also when this fails. */
gboolean
bench_memory_file_open (BenchMemoryFile *file, BenchCheck *check)
{
  file->fd = memfd_create ("vyre-bench", MFD_CLOEXEC);
  file->path = g_strdup_printf ("/proc/%d/fd/%d", getpid (), file->fd);
  return bench_check (check, file->fd >= 0, "memfd_create(): %s", g_strerror (errno));
}

gboolean
bench_memory_file_write (BenchMemoryFile *file, const guint8 *data, gsize size, BenchCheck *check)
{
  while (size > 0) {
    gssize n = write (file->fd, data, size);
    if (!bench_check (check, n > 0, "a file in memory: %s", g_strerror (errno)))
      return FALSE;
    data += n;
    size -= (gsize)n;
  }
  return TRUE;
}

/* A file that is all zero was never opened. */
void
bench_memory_file_close (BenchMemoryFile *file)
{
  if (file->path && file->fd >= 0)
    close (file->fd);
  g_clear_pointer (&file->path, g_free);
}
