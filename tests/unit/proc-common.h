/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads and open files of the process, as /proc counts them.
 */
#pragma once

#include <glib.h>

#define PROC_THREADS "/proc/self/task"
#define PROC_FILES "/proc/self/fd"

/* Entries of a folder of /proc. Threads that have just ended may still be among them. */
static inline guint
count_entries (const char *path)
{
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  guint n = 0;

  while (folder && g_dir_read_name (folder))
    n++;
  return n;
}
