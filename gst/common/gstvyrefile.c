/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/gstvyrefile.h"

#include <fcntl.h>
#include <gst/allocators/allocators.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes that cannot be taken away, of what is no regular file. */
#define NO_FILE G_MAXSIZE

typedef enum {
  FILE_UNKNOWN,
  FILE_SHARED,
  FILE_PRIVATE,
} Sharing;

static GQuark
file_sharing_quark (void)
{
  return g_quark_from_static_string ("GstVyreFileSharing");
}

static GQuark
file_solid_quark (void)
{
  return g_quark_from_static_string ("GstVyreFileSolid");
}

static GstMiniObject *
file_root_of (GstMemory *memory)
{
  return GST_MINI_OBJECT_CAST (memory->parent ? memory->parent : memory);
}

/* How many bytes of a file nobody can take away any more. The seal is looked for first: what
 * the file has then it keeps. */
static gsize
file_find_solid (int fd)
{
  int seals = fcntl (fd, F_GET_SEALS);
  struct stat status;

  if (fstat (fd, &status) != 0)
    return 0;
  if (!S_ISREG (status.st_mode))
    return NO_FILE;
  return seals >= 0 && (seals & F_SEAL_SHRINK) ? (gsize)status.st_size : 0;
}

/* The memory keeps the result as qdata: seals stay, and sealed files only grow. */
GstVyreFileHold
gst_vyre_file_get_hold (GstMemory *memory)
{
  gsize end = memory->offset + memory->size;

  if (!gst_is_fd_memory (memory))
    return GST_VYRE_FILE_NONE;
  gsize solid
      = GPOINTER_TO_SIZE (gst_mini_object_get_qdata (file_root_of (memory), file_solid_quark ()));
  if (solid < end) {
    solid = file_find_solid (gst_fd_memory_get_fd (memory));
    gst_mini_object_set_qdata (
        file_root_of (memory), file_solid_quark (), GSIZE_TO_POINTER (solid), NULL);
  }
  if (solid == NO_FILE)
    return GST_VYRE_FILE_NONE;
  return solid >= end ? GST_VYRE_FILE_SEALED : GST_VYRE_FILE_LOOSE;
}

/* Linux makes another mapping of the same pages for who asks it to enlarge none of them, and
 * refuses that to a private one. */
static gboolean
file_is_mapped_shared (gconstpointer address)
{
  gsize page = (gsize)sysconf (_SC_PAGESIZE);
  gpointer start = GSIZE_TO_POINTER (GPOINTER_TO_SIZE (address) & ~(page - 1));
  gpointer again = mremap (start, 0, page, MREMAP_MAYMOVE);

  if (again == MAP_FAILED)
    return FALSE;
  munmap (again, page);
  return TRUE;
}

/* Memory keeps the flags of its mapping to itself, but not from the system. Nothing is looked at
 * through the mapping. */
static Sharing
file_find_sharing (GstMemory *memory)
{
  GstMapInfo map;

  if (!gst_memory_map (memory, &map, GST_MAP_READ))
    return FILE_PRIVATE;
  Sharing sharing = file_is_mapped_shared (map.data) ? FILE_SHARED : FILE_PRIVATE;
  gst_memory_unmap (memory, &map);
  return sharing;
}

/* Whether the bytes of @memory are those of its file: what is written to a private mapping
 * is not, and a dma-buf has none that could be read. */
gboolean
gst_vyre_file_is_memory (GstMemory *memory)
{
  GstMiniObject *root = file_root_of (memory);

  if (!gst_is_fd_memory (memory) || gst_is_dmabuf_memory (memory))
    return FALSE;
  Sharing sharing = GPOINTER_TO_INT (gst_mini_object_get_qdata (root, file_sharing_quark ()));
  if (sharing == FILE_UNKNOWN) {
    sharing = file_find_sharing (memory);
    gst_mini_object_set_qdata (root, file_sharing_quark (), GINT_TO_POINTER (sharing), NULL);
  }
  return sharing == FILE_SHARED;
}
