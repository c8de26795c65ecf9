/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvyrefile.h"

#include <gst/allocators/allocators.h>
#include <stdio.h>

typedef enum {
  FILE_UNKNOWN,
  FILE_SHARED,
  FILE_PRIVATE,
} Sharing;

static GQuark
sharing_quark (void)
{
  return g_quark_from_static_string ("GstVyreFileSharing");
}

static gboolean
is_mapped_shared (gconstpointer address)
{
  FILE *maps = fopen ("/proc/self/maps", "re");
  gsize from, to, wanted = GPOINTER_TO_SIZE (address);
  gchar line[512], rights[5];
  gboolean shared = FALSE;

  while (maps && fgets (line, sizeof line, maps)) {
    if (sscanf (line, "%zx-%zx %4s", &from, &to, rights) == 3 && from <= wanted && wanted < to)
      shared = rights[3] == 's';
  }
  if (maps)
    fclose (maps);
  return shared;
}

/* Memory keeps the flags of its mapping to itself, but not from the system. */
static Sharing
find_sharing (GstMemory *memory)
{
  GstMapInfo map;

  if (!gst_memory_map (memory, &map, GST_MAP_READ))
    return FILE_PRIVATE;
  Sharing sharing = is_mapped_shared (map.data) ? FILE_SHARED : FILE_PRIVATE;
  gst_memory_unmap (memory, &map);
  return sharing;
}

/* Whether the bytes of @memory are those of its file: what is written to a private mapping
 * is not, and a dma-buf has none that could be read. */
gboolean
gst_vyre_file_is_memory (GstMemory *memory)
{
  GstMiniObject *root = GST_MINI_OBJECT_CAST (memory->parent ? memory->parent : memory);

  if (!gst_is_fd_memory (memory) || gst_is_dmabuf_memory (memory))
    return FALSE;
  Sharing sharing = GPOINTER_TO_INT (gst_mini_object_get_qdata (root, sharing_quark ()));
  if (sharing == FILE_UNKNOWN) {
    sharing = find_sharing (memory);
    gst_mini_object_set_qdata (root, sharing_quark (), GINT_TO_POINTER (sharing), NULL);
  }
  return sharing == FILE_SHARED;
}
