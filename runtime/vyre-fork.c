/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vyre-fork.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

guint vyre_fork_generation;

static gint n_devices;           /* open in this process; atomic */
static gint had_gpu;             /* one of those that were was a GPU; atomic */
static gboolean inherits_driver; /* devices were open when it was forked */
static gboolean inherits_gpu;    /* one of them a GPU */
static gint has_driver;          /* and one has been opened since then; atomic */

/* The C library hands the stacks of threads that a child does not have to the next ones that it
 * makes, and exit handlers of Mesa, which its parent has registered, join those threads: a crash.
 * Those of NVIDIA crash in any child. What the child itself has registered has run by now. */
static void
leave_child (int status, void *data)
{
  if (!inherits_driver || !(inherits_gpu || g_atomic_int_get (&has_driver)))
    return;
  fflush (NULL);
  _exit (status);
}

/* There is one thread now. */
static void
enter_child (void)
{
  vyre_fork_generation++;
  gboolean gpu = g_atomic_int_get (&had_gpu);
  if ((g_atomic_int_get (&n_devices) == 0 && !gpu) || inherits_driver)
    return;
  inherits_driver = TRUE;
  inherits_gpu = gpu;
  has_driver = FALSE;
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
  if (opened)
    g_atomic_int_set (&has_driver, TRUE);
}

/* A device of this process is a GPU, whose driver is loaded now. */
void
vyre_fork_note_gpu (void)
{
  g_atomic_int_set (&had_gpu, TRUE);
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
