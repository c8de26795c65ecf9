/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/gstvyrefile.h"

#include <fcntl.h>
#include <gst/allocators/allocators.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The number of solid bytes of anything but a regular file: no other process can cut it */
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

/* Returns how many bytes of a file no process can cut off any more. The seal is read before the
 * size: a sealed file keeps the size that it has then. */
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

/* mremap() from 0 bytes makes a second mapping of shared pages, and fails for a private mapping. */
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

/* GstFdMemory does not tell the flags of its mapping, so the system is asked. The mapping itself is
 * not read. */
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

/* TRUE if the bytes of @memory are those of its file. Writes to a private mapping are not in the
 * file, and a dma-buf cannot be read as a file. */
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
