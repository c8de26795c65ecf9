/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qc-outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "qc-file.h"

/* The folder of @path without links, with the name in it.
 * Returns: (nullable): NULL where there is no such folder */
static char *
resolve_new_file (const char *path)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *name = g_path_get_basename (path);
  char *resolved = realpath (folder, NULL);
  char *identity = resolved ? g_build_filename (resolved, name, NULL) : NULL;

  free (resolved);
  return identity;
}

/* Text that is the same for two paths of one file, even of one that does not exist yet.
 * Returns: (nullable): NULL where several may write, as to a device of characters */
static char *
find_identity (const char *path)
{
  gboolean is_stdout = g_str_equal (path, "-");
  struct stat status;

  if ((is_stdout ? fstat (STDOUT_FILENO, &status) : stat (path, &status)) != 0)
    return is_stdout ? g_strdup (path) : resolve_new_file (path);
  if (S_ISCHR (status.st_mode))
    return is_stdout ? g_strdup (path) : NULL;
  return g_strdup_printf (
      "%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT, (guint64)status.st_dev, (guint64)status.st_ino);
}

/* Adds the path of an input or an output; fails where @seen has its file. */
static gboolean
add_path (GHashTable *seen, const char *path, GError **error)
{
  char *identity = find_identity (path);
  const char *other = identity ? g_hash_table_lookup (seen, identity) : NULL;

  if (!other) {
    if (identity)
      g_hash_table_insert (seen, identity, (gpointer)path);
    return TRUE;
  }
  g_free (identity);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS,
      "The output %s is the same file as %s. Fix: name a file of its own for each output.", path,
      other);
  return FALSE;
}

/* Inputs may be given twice. */
static void
add_inputs (GHashTable *seen, char **inputs)
{
  for (; *inputs; inputs++) {
    g_autoptr (QcFile) file = qc_file_new (*inputs);
    g_autofree char *path = file->uri ? g_filename_from_uri (file->uri, NULL, NULL) : NULL;
    char *identity = path ? find_identity (path) : NULL;
    if (identity)
      g_hash_table_insert (seen, identity, *inputs);
  }
}

static gboolean
outputs_check (const QcOutput *outputs, guint n, char **inputs, GError **error)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  add_inputs (seen, inputs);
  for (guint i = 0; i < n; i++) {
    if (outputs[i].path && !add_path (seen, outputs[i].path, error))
      return FALSE;
  }
  return TRUE;
}

/* Opens without truncating. */
static gboolean
output_open (QcOutput *output, GError **error)
{
  if (g_str_equal (output->path, "-")) {
    output->file = stdout;
    return TRUE;
  }
  int fd = g_open (output->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  output->file = fd >= 0 ? fdopen (fd, "w") : NULL;
  if (!output->file)
    g_set_error (error, G_IO_ERROR, (gint)g_io_error_from_errno (errno),
        "%s: %s. Fix: name a file that can be written.", output->path, g_strerror (errno));
  return output->file != NULL;
}

static void
output_truncate (const QcOutput *output)
{
  struct stat status;

  if (output->file == stdout || fstat (fileno (output->file), &status) != 0
      || !S_ISREG (status.st_mode))
    return;
  if (ftruncate (fileno (output->file), 0) != 0)
    g_printerr ("vyre-qc: %s: warning: %s\n", output->path, g_strerror (errno));
}

/* Opens all @outputs, or leaves the files that exist as they are. */
gboolean
qc_outputs_open (QcOutput *outputs, guint n, char **inputs, GError **error)
{
  if (!outputs_check (outputs, n, inputs, error))
    return FALSE;
  for (guint i = 0; i < n; i++) {
    if (outputs[i].path && !output_open (&outputs[i], error))
      return FALSE;
  }
  for (guint i = 0; i < n; i++) {
    if (outputs[i].file)
      output_truncate (&outputs[i]);
  }
  return TRUE;
}
