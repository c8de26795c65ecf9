/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "src/gstvyredirect.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Files below this part of memory go through the page cache, which may have use for them. */
#define PART_OF_MEMORY 4

/* Pages of a file that are looked for in the page cache */
#define N_SAMPLES 64

/* Opens the file of @fd anew, whatever its name stands for by now. FALSE if its file system takes
 * no direct reads. */
gboolean
gst_vyre_direct_open (GstVyreDirect *direct, int fd)
{
  char path[64];
  struct statx status;

  if (statx (fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &status) != 0
      || !(status.stx_mask & STATX_DIOALIGN) || status.stx_dio_offset_align == 0)
    return FALSE;
  g_snprintf (path, sizeof path, "/proc/self/fd/%d", fd);
  direct->fd = open (path, O_RDONLY | O_CLOEXEC | O_DIRECT);
  direct->memory_alignment = status.stx_dio_mem_align;
  direct->offset_alignment = status.stx_dio_offset_align;
  return direct->fd >= 0;
}

void
gst_vyre_direct_close (GstVyreDirect *direct)
{
  if (direct->fd >= 0)
    close (direct->fd);
  *direct = (GstVyreDirect)GST_VYRE_DIRECT_NONE;
}

/* TRUE if the read is aligned, as direct reads have to be. */
gboolean
gst_vyre_direct_takes (
    const GstVyreDirect *direct, guint64 offset, gconstpointer data, gsize length)
{
  return direct->fd >= 0 && !direct->refused
         && ((offset | length) & (direct->offset_alignment - 1)) == 0
         && ((guintptr)data & (direct->memory_alignment - 1)) == 0;
}

/* Returns how many of N_SAMPLES pages, spread evenly over the file, the page cache has; all of them
 * if Linux does not tell. The pages of the mapping are not read, so a process that cuts the file
 * does no harm. */
static guint
direct_count_cached (int fd, gsize size)
{
  gsize page = (gsize)sysconf (_SC_PAGESIZE);
  guint8 *bytes = mmap (NULL, size, PROT_READ, MAP_SHARED, fd, 0);
  guint cached = 0;

  if (bytes == MAP_FAILED)
    return N_SAMPLES;
  for (gsize i = 0; i < N_SAMPLES; i++) {
    unsigned char in_core = 1;
    mincore (bytes + size / N_SAMPLES * i / page * page, page, &in_core);
    cached += in_core & 1;
  }
  munmap (bytes, size);
  return cached;
}

/* TRUE if direct reads pay: not for a file that is mostly in the page cache, which is faster; not
 * for a small one, which may be read again from there. */
gboolean
gst_vyre_direct_pays (int fd)
{
  guint64 memory = (guint64)sysconf (_SC_PHYS_PAGES) * (guint64)sysconf (_SC_PAGESIZE);
  struct stat status;

  return fstat (fd, &status) == 0 && (guint64)status.st_size >= memory / PART_OF_MEMORY
         && direct_count_cached (fd, (gsize)status.st_size) < N_SAMPLES / 2;
}
