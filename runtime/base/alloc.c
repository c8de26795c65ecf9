/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/alloc.h"

#include <string.h>

static gpointer
alloc_check (gpointer memory, gsize n, gsize size, GError **error)
{
  if (!memory)
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_NO_SPACE,
        "There is no memory for %" G_GSIZE_FORMAT " times %" G_GSIZE_FORMAT
        " bytes. Fix: free memory, raise its limit (ulimit -v), or ask for less.",
        n, size);
  return memory;
}

/* Memory for g_free(), or NULL with %VYRE_ERROR_NO_SPACE. 0 bytes are not NULL. */
gpointer
vyre_alloc (gsize n, gsize size, GError **error)
{
  return alloc_check (g_try_malloc_n (MAX (n, 1), MAX (size, 1)), n, size, error);
}

/* As vyre_alloc(), zeroed. */
gpointer
vyre_alloc0 (gsize n, gsize size, GError **error)
{
  return alloc_check (g_try_malloc0_n (MAX (n, 1), MAX (size, 1)), n, size, error);
}

/* As vyre_alloc(), a copy of the @size bytes at @memory. */
gpointer
vyre_duplicate (gconstpointer memory, gsize size, GError **error)
{
  gpointer copy = vyre_alloc (1, size, error);

  if (copy && size > 0)
    memcpy (copy, memory, size);
  return copy;
}

/* A thread for g_thread_join(), or NULL with %VYRE_ERROR_NO_THREAD. */
GThread *
vyre_thread_new (const char *name, GThreadFunc function, gpointer data, GError **error)
{
  GError *reason = NULL;
  GThread *thread = g_thread_try_new (name, function, data, &reason);

  if (thread)
    return thread;
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_NO_THREAD,
      "The thread %s cannot be made: %s. Fix: raise the limit of processes (ulimit -u, pids.max of "
      "the container), or end some.",
      name, reason->message);
  g_error_free (reason);
  return NULL;
}
