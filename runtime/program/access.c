/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "program/file-name.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "program/statements.h"
#include "files/open-file.h"

/* The most bytes of a path that a message shows. */
#define QUOTE_MAX 80

struct _VyreAccess {
  gatomicrefcount refs;
  VyreAccessLevel level;
  int root; /* -1: paths are those of the process */
  dev_t device;
  ino_t number; /* of the root, and nobody else's while it is open; 0: without one */
};

static gboolean
access_open_root (VyreAccess *access, const char *root, GError **error)
{
  struct stat status;

  access->root = open (root, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (access->root < 0 || fstat (access->root, &status) < 0) {
    int code = errno;
    g_autofree char *shown = g_filename_display_name (root);
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_IO,
        "The folder '%s' cannot be opened: %s. Fix: set resource-root to a folder that is there.",
        shown, g_strerror (code));
    return FALSE;
  }
  access->device = status.st_dev;
  access->number = status.st_ino;
  return TRUE;
}

VyreAccess *
vyre_access_new (VyreAccessLevel level, const char *root, GError **error)
{
  g_autoptr (VyreAccess) access = g_new0 (VyreAccess, 1);

  g_atomic_ref_count_init (&access->refs);
  access->level = level;
  access->root = -1;
  return !root || access_open_root (access, root, error) ? g_steal_pointer (&access) : NULL;
}

VyreAccess *
vyre_access_ref (VyreAccess *access)
{
  g_atomic_ref_count_inc (&access->refs);
  return access;
}

void
vyre_access_unref (VyreAccess *access)
{
  if (!g_atomic_ref_count_dec (&access->refs))
    return;
  if (access->root >= 0)
    close (access->root);
  g_free (access);
}

VyreAccessLevel
vyre_access_get_level (const VyreAccess *access)
{
  return access ? access->level : VYRE_ACCESS_NONE;
}

static VyreAccessLevel
access_level_for (VyreResourceKind kind)
{
  return kind == VYRE_RESOURCE_SINK ? VYRE_ACCESS_ALL : VYRE_ACCESS_READ;
}

/* Whether @level is enough for all of @resources, used or not. */
gboolean
vyre_access_check (
    VyreAccessLevel level, const VyreResource *resources, guint n_resources, GError **error)
{
  static const char *const names[] = { "none", "read", "all" };

  for (guint i = 0; i < n_resources; i++) {
    gboolean sink = resources[i].kind == VYRE_RESOURCE_SINK;
    VyreAccessLevel needed = access_level_for (resources[i].kind);
    const char *path = resources[i].path;
    if (level >= needed)
      continue;
    g_autofree char *shown = g_utf8_make_valid (path, (gssize)MIN (strlen (path), QUOTE_MAX));
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_ACCESS,
        "The program %s '%s', which resource-access=%s does not grant. Fix: set "
        "resource-access=%s, and resource-root to the folder of its files, for a program that "
        "may have them.",
        sink ? "appends to" : "reads", shown, names[level], names[needed]);
    return FALSE;
  }
  return TRUE;
}

gboolean
vyre_program_check_access (const VyreProgram *program, VyreAccessLevel level, GError **error)
{
  const GArray *resources = program->resources;

  return vyre_access_check (level, (const VyreResource *)resources->data, resources->len, error);
}

/* ---- names ------------------------------------------------------------------- */

VyreFileName *
vyre_file_name_copy (const VyreFileName *name)
{
  VyreFileName *copy = g_new (VyreFileName, 1);

  *copy = (VyreFileName){ vyre_access_ref (name->access), g_strdup (name->path) };
  return copy;
}

void
vyre_file_name_free (gpointer data)
{
  VyreFileName *name = data;

  vyre_access_unref (name->access);
  g_free (name->path);
  g_free (name);
}

guint
vyre_file_name_hash (gconstpointer data)
{
  const VyreFileName *name = data;

  return g_str_hash (name->path) ^ (guint)name->access->number;
}

gboolean
vyre_file_name_equal (gconstpointer a, gconstpointer b)
{
  const VyreFileName *one = a, *other = b;

  return one->access->device == other->access->device
         && one->access->number == other->access->number && strcmp (one->path, other->path) == 0;
}

static void
access_set_open_error (const VyreFileName *name, VyreResourceKind kind, int code, GError **error)
{
  gboolean sink = kind == VYRE_RESOURCE_SINK;

  if (code == EXDEV && name->access->root >= 0)
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_ACCESS,
        "%s: it leads out of resource-root. Fix: name a file below that folder by a relative "
        "path, without links that leave it.",
        name->path);
  else if (code == ELOOP)
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_ACCESS,
        "%s: it leads through a link that is not followed. Fix: name the %s itself.", name->path,
        sink ? "sink" : "file");
  else if (code == ENODEV || code == EISDIR)
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_IO, "%s: %s. Fix: name a regular file.", name->path,
        vyre_file_explain (code));
  else
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_IO, "%s: %s. Fix: name a file that can be %s.",
        name->path, g_strerror (code), sink ? "written" : "read");
}

/* Opens a regular file for reading or, if @kind is a sink, for appending. Returns a descriptor or
 * -1. Waits for the storage alone: other kinds of files, which could block, are refused. */
int
vyre_file_name_open (const VyreFileName *name, VyreResourceKind kind, GError **error)
{
  gboolean sink = kind == VYRE_RESOURCE_SINK;
  int flags = sink ? O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW : O_RDONLY;
  int root = name->access->root;

  g_return_val_if_fail (name->access->level >= access_level_for (kind), -1);
  int fd = vyre_file_open_in (root < 0 ? VYRE_NO_ROOT : root, name->path, flags);
  if (fd < 0)
    access_set_open_error (name, kind, errno, error);
  return fd;
}
