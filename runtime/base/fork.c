/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/fork.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

guint vyre_fork_generation;

static gint fork_n_devices;    /* open in this process; atomic */
static gint fork_had_gpu;      /* a GPU was opened: its driver may be loaded still; atomic */
static gboolean fork_inherits; /* the parent had a driver loaded */

/* Ends a child before the exit handlers of its parent run. Mesa's handlers join threads that the
 * child does not have, and whose stacks the C library has reused or freed: a crash. NVIDIA's
 * handlers crash as well. The child's own handlers have run by now. */
static void
fork_leave_child (int status, void *data)
{
  fflush (NULL);
  _exit (status);
}

/* Runs in the child, which has this one thread. */
static void
fork_enter_child (void)
{
  vyre_fork_generation++;
  if (fork_inherits
      || (g_atomic_int_get (&fork_n_devices) == 0 && !g_atomic_int_get (&fork_had_gpu)))
    return;
  fork_inherits = TRUE;
  on_exit (fork_leave_child, NULL);
}

__attribute__ ((constructor)) static void
fork_watch (void)
{
  pthread_atfork (NULL, NULL, fork_enter_child);
}

/* Counts the open devices of this process. */
void
vyre_fork_note_device (gboolean opened)
{
  g_atomic_int_add (&fork_n_devices, opened ? 1 : -1);
}

/* Notes that the driver of a GPU is loaded. */
void
vyre_fork_note_gpu (void)
{
  g_atomic_int_set (&fork_had_gpu, TRUE);
}

/* TRUE when a parent of this process had a device: its driver may not work in a child. */
gboolean
vyre_fork_inherits_driver (void)
{
  return fork_inherits;
}

/* TRUE when an object of @generation belongs to this process; FALSE with %VYRE_ERROR_FORKED for one
 * of a parent. @what names the object in the message. */
gboolean
vyre_check_own (guint generation, const char *what, GError **error)
{
  if (!vyre_is_inherited (generation))
    return TRUE;
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_FORKED,
      "The %s is that of the process that this one was forked from. Fix: open a device and make "
      "another one here, or fork before there is one.",
      what);
  return FALSE;
}
