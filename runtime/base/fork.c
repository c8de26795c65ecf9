/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/fork.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

guint vyre_fork_generation;

static gint n_devices; /* open in this process; atomic */
static gint
    had_gpu; /* one of those that were was a GPU, whose driver may be loaded still; atomic */
static gboolean inherits; /* a driver */

/* The C library hands the stacks of threads that a child does not have to the next ones that it
 * makes, or frees them, and exit handlers of Mesa, which its parent has registered, join those
 * threads: a crash. Those of NVIDIA crash as well. What the child itself has registered has run
 * by now. */
static void
leave_child (int status, void *data)
{
  fflush (NULL);
  _exit (status);
}

/* There is one thread now. */
static void
enter_child (void)
{
  vyre_fork_generation++;
  if (inherits || (g_atomic_int_get (&n_devices) == 0 && !g_atomic_int_get (&had_gpu)))
    return;
  inherits = TRUE;
  on_exit (leave_child, NULL);
}

__attribute__ ((constructor)) static void
watch_forks (void)
{
  pthread_atfork (NULL, NULL, enter_child);
}

/* A device of this process was opened, or is closed. */
void
vyre_fork_note_device (gboolean opened)
{
  g_atomic_int_add (&n_devices, opened ? 1 : -1);
}

/* A device of this process is a GPU, whose driver is loaded now. */
void
vyre_fork_note_gpu (void)
{
  g_atomic_int_set (&had_gpu, TRUE);
}

/* Whether this process was forked from one that had a device, whose driver may not work here. */
gboolean
vyre_fork_inherits_driver (void)
{
  return inherits;
}

/* Whether something is this process' own. */
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
