/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/gstvyreimport.h"

#include <gst/allocators/allocators.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "common/gstvyrefile.h"
#include "common/gstvyrefork.h"

/* The import of one memory by one kernel. The import of a file has a mapping of its own: a
 * GstFdMemory is only mapped while a user maps it. */
typedef struct {
  VyreMegakernel *maker; /* not owned: the kernel that makes the import, or NULL */
  VyreImport *import;    /* NULL until it is made */
  guint8 *base;          /* address of offset 0 of the memory */
  gpointer mapping;
  gsize mapped;
} Import;

/* Guards all lists; not held while a driver makes an import. Behind a tee, several kernels may read
 * one memory. */
static GMutex lock;
static GCond made; /* signalled when an import is made, or failed */

/* In a child. A thread of its parent may have held the lock. */
static void
import_forked (gpointer owner)
{
  g_mutex_init (&lock);
  g_cond_init (&made);
}

/* Called once, after gst_vyre_fork_init(). */
void
gst_vyre_import_init (void)
{
  gst_vyre_fork_watch (&lock, import_forked);
}

static GQuark
import_quark (void)
{
  return g_quark_from_static_string ("GstVyreImports");
}

static void
memory_import_free (gpointer data)
{
  Import *import = data;

  gboolean gone = !import->import || vyre_import_unref (import->import);

  if (import->mapping && gone) /* otherwise the device may still read there */
    munmap (import->mapping, import->mapped);
  g_free (import);
}

/* A part of a memory has no pages of its own: the whole memory is imported, once. */
static GstMemory *
import_root_of (GstMemory *memory)
{
  while (memory->parent)
    memory = memory->parent;
  return memory;
}

/* TRUE if no process can cut the file, so that its bytes can be mapped. */
static gboolean
import_is_sealed_file (GstMemory *memory)
{
  return gst_vyre_file_get_hold (memory) == GST_VYRE_FILE_SEALED
         && gst_vyre_file_is_memory (memory);
}

/* TRUE for memory that keeps its address as long as it lives. */
static gboolean
import_is_system_memory (GstMemory *memory)
{
  return gst_memory_is_type (memory, GST_ALLOCATOR_SYSMEM);
}

/* TRUE if an earlier payload lay in this memory: memory of a pool comes again. */
static gboolean
import_comes_again (GstMemory *memory)
{
  static GQuark seen;
  GstMiniObject *root = GST_MINI_OBJECT_CAST (import_root_of (memory));

  g_mutex_lock (&lock);
  if (seen == 0)
    seen = g_quark_from_static_string ("GstVyreSeen");
  gboolean again = gst_mini_object_get_qdata (root, seen) != NULL;
  if (!again)
    gst_mini_object_set_qdata (root, seen, root, NULL);
  g_mutex_unlock (&lock);
  return again;
}

/* TRUE if @memory can be imported, and an import pays. */
gboolean
gst_vyre_import_accepts (GstMemory *memory, VyreMegakernel *kernel)
{
  return (import_is_system_memory (memory) || import_is_sealed_file (memory))
         && (vyre_megakernel_imports_once (kernel) || import_comes_again (memory));
}

static gboolean
import_set_unreadable (GError **error)
{
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_IO,
      "A buffer's memory cannot be mapped for reading. Fix: put an element in front that maps its "
      "memory for the CPU.");
  return FALSE;
}

static gboolean
import_map_file (GstMemory *memory, gint rights, Import *import, GError **error)
{
  int fd = gst_fd_memory_get_fd (memory);
  struct stat status;

  if (fstat (fd, &status) != 0 || (guint64)status.st_size < memory->maxsize)
    return import_set_unreadable (error);
  gpointer mapping = mmap (NULL, memory->maxsize, rights, MAP_SHARED, fd, 0);
  if (mapping == MAP_FAILED)
    return import_set_unreadable (error);
  import->base = import->mapping = mapping;
  import->mapped = memory->maxsize;
  return TRUE;
}

static void
import_unmap_file (Import *import)
{
  if (import->mapping)
    munmap (import->mapping, import->mapped);
  import->mapping = NULL;
}

static gboolean
import_find_address (GstMemory *memory, Import *import, GError **error)
{
  GstMapInfo map;

  if (!gst_memory_map (memory, &map, GST_MAP_READ))
    return import_set_unreadable (error);
  import->base = map.data - memory->offset;
  gst_memory_unmap (memory, &map);
  return TRUE;
}

static gboolean
import_at_base (GstMemory *memory, VyreMegakernel *kernel, Import *import, GError **error)
{
  import->import = vyre_import_new (kernel, import->base, memory->maxsize, error);
  return import->import != NULL;
}

/* The mapping is only read, but some drivers pin only writable pages. A file that is sealed against
 * writes refuses such a mapping: hence the second try. */
static gboolean
import_file (GstMemory *memory, VyreMegakernel *kernel, Import *import, GError **error)
{
  if (import_map_file (memory, PROT_READ, import, NULL)
      && import_at_base (memory, kernel, import, NULL))
    return TRUE;
  import_unmap_file (import);
  if (import_map_file (memory, PROT_READ | PROT_WRITE, import, error)
      && import_at_base (memory, kernel, import, error))
    return TRUE;
  import_unmap_file (import);
  return FALSE;
}

static gboolean
import_make (GstMemory *memory, VyreMegakernel *kernel, Import *import, GError **error)
{
  return import_is_system_memory (memory) ? import_find_address (memory, import, error)
                                                && import_at_base (memory, kernel, import, error)
                                          : import_file (memory, kernel, import, error);
}

static GPtrArray *
import_list_of (GstMemory *root)
{
  GPtrArray *list = gst_mini_object_get_qdata (GST_MINI_OBJECT_CAST (root), import_quark ());

  if (list)
    return list;
  list = g_ptr_array_new_with_free_func (memory_import_free);
  gst_mini_object_set_qdata (
      GST_MINI_OBJECT_CAST (root), import_quark (), list, (GDestroyNotify)g_ptr_array_unref);
  return list;
}

static Import *
import_look_up (const GPtrArray *list, const VyreMegakernel *kernel)
{
  for (guint i = 0; i < list->len; i++) {
    Import *import = g_ptr_array_index (list, i);
    if (import->maker ? import->maker == kernel : vyre_import_is_of (import->import, kernel))
      return import;
  }
  return NULL;
}

/* Returns the import of @root by @kernel, and waits if another thread is making it; NULL if there
 * is none. The lock is held. */
static Import *
import_wait (const GPtrArray *list, const VyreMegakernel *kernel)
{
  Import *import;

  while ((import = import_look_up (list, kernel)) && import->maker)
    g_cond_wait (&made, &lock);
  return import;
}

/* Makes the import of @root by @kernel. The lock is held, and dropped on the way. */
static Import *
memory_import_add (GPtrArray *list, GstMemory *root, VyreMegakernel *kernel, GError **error)
{
  Import *import = g_new0 (Import, 1);

  import->maker = kernel;
  g_ptr_array_add (list, import);
  g_mutex_unlock (&lock);
  gboolean fine = import_make (root, kernel, import, error);
  g_mutex_lock (&lock);
  import->maker = NULL;
  g_cond_broadcast (&made);
  if (fine)
    return import;
  g_ptr_array_remove_fast (list, import);
  return NULL;
}

/* Finds the import of @memory by @kernel, and makes it if there is none. */
gboolean
gst_vyre_import_find (
    GstMemory *memory, VyreMegakernel *kernel, GstVyreImported *imported, GError **error)
{
  GstMemory *root = import_root_of (memory);

  g_mutex_lock (&lock);
  GPtrArray *list = import_list_of (root);
  Import *import = import_wait (list, kernel);
  imported->is_new = import == NULL;
  if (!import)
    import = memory_import_add (list, root, kernel, error);
  g_mutex_unlock (&lock);
  if (!import)
    return FALSE;
  imported->import = import->import;
  imported->data = import->base + memory->offset;
  return TRUE;
}
