/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "src/gstvyredirect.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file up to this part of memory is left to the page cache, which may have use for it. */
#define PART_OF_MEMORY 4

/* How many pages of a file are looked for in the page cache. */
#define N_SAMPLES 64

/* Opens the same file anew, whatever its name stands for by now. FALSE where its file system
 * takes no direct reads. */
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

/* Whether such a read may be made, which is if it is aligned. */
gboolean
gst_vyre_direct_takes (
    const GstVyreDirect *direct, guint64 offset, gconstpointer data, gsize length)
{
  return direct->fd >= 0 && !direct->refused
         && ((offset | length) & (direct->offset_alignment - 1)) == 0
         && ((guintptr)data & (direct->memory_alignment - 1)) == 0;
}

/* Of pages spread evenly over the file: how many the page cache has. Where the kernel does not
 * tell, it says that it has all. The mapping is asked about, and never looked at: whoever cuts the
 * file meanwhile does no harm. */
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

/* A file that the page cache mostly has comes fastest from there. One that is small may be
 * read again, from there. Of any other the page cache is only a detour. */
gboolean
gst_vyre_direct_pays (int fd)
{
  guint64 memory = (guint64)sysconf (_SC_PHYS_PAGES) * (guint64)sysconf (_SC_PAGESIZE);
  struct stat status;

  return fstat (fd, &status) == 0 && (guint64)status.st_size >= memory / PART_OF_MEMORY
         && direct_count_cached (fd, (gsize)status.st_size) < N_SAMPLES / 2;
}
