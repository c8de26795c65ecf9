/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A cache directory of the test's own, and ways to damage its files.
 */
#pragma once

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Sets the cache directory. The test calls this before any code asks GLib for the user's
 * directories. */
static inline char *
test_cache_home (void)
{
  GError *error = NULL;
  char *home = g_dir_make_tmp ("vyre-cache-XXXXXX", &error);

  g_assert_no_error (error);
  g_setenv ("XDG_CACHE_HOME", home, TRUE);
  g_unsetenv ("MESA_SHADER_CACHE_DIR");
  return home;
}

/* Removes a folder with its files. A link is removed, not followed. */
static inline void
test_remove (const char *path)
{
  GDir *dir = g_file_test (path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open (path, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree char *child = g_build_filename (path, name, NULL);
    test_remove (child);
  }
  if (dir)
    g_dir_close (dir);
  g_assert_true (g_remove (path) == 0 || errno == ENOENT);
}

static inline GBytes *
test_read_file (const char *path)
{
  GError *error = NULL;
  char *data;
  gsize size;

  g_file_get_contents (path, &data, &size, &error);
  g_assert_no_error (error);
  return g_bytes_new_take (data, size);
}

/* Overwrites a file in place, as a disk that loses data does. */
static inline void
test_write_file (const char *path, GBytes *bytes)
{
  FILE *file = g_fopen (path, "w");
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  g_assert_nonnull (file);
  g_assert_cmpuint (fwrite (data, 1, size, file), ==, size);
  g_assert_cmpint (fclose (file), ==, 0);
}

static inline GBytes *
test_flip_bit (GBytes *bytes, gsize at, guint bit)
{
  gsize size;
  guint8 *data = g_bytes_unref_to_data (g_bytes_ref (bytes), &size);

  g_assert_cmpuint (at, <, size);
  data[at] ^= (guint8)(1 << bit);
  return g_bytes_new_take (data, size);
}

static inline GStatBuf
test_stat (const char *path)
{
  GStatBuf status;

  g_assert_cmpint (g_stat (path, &status), ==, 0);
  return status;
}
