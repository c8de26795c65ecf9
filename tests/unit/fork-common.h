/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Children of a test, which run a function and leave within a deadline.
 */
#pragma once

#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* 1 when a process may fork while other threads allocate memory. Under the address sanitizer a
 * thread may hold a lock of the allocator at that moment. */
#ifdef __SANITIZE_ADDRESS__
#define FORKS_WITH_THREADS 0
#else
#define FORKS_WITH_THREADS 1
#endif

/* Seconds after which a signal ends a child. */
#define CHILD_PATIENCE 30

/* Runs @function in a child, which then leaves by @leave. Returns the child's status, 0 when
 * @function returned. */
static inline gint
fork_and_run (void (*function) (gpointer data), gpointer data, void (*leave) (int status))
{
  gint status = -1;

  fflush (NULL);
  pid_t pid = fork ();
  if (pid == 0) {
    signal (SIGALRM, SIG_DFL);
    alarm (CHILD_PATIENCE);
    function (data);
#ifdef __SANITIZE_ADDRESS__
    leave = _exit; /* memory of the parent's threads looks like a leak */
#endif
    leave (0);
  }
  while (waitpid (pid, &status, 0) < 0)
    ;
  return status;
}
