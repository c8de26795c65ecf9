/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Children of a test: they do something and leave, in time.
 */
#pragma once

#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Whether a process may fork while other threads allocate memory: the address sanitizer's allocator
 * has locks that may be held then. */
#ifdef __SANITIZE_ADDRESS__
#define FORKS_WITH_THREADS 0
#else
#define FORKS_WITH_THREADS 1
#endif

/* Seconds, after which a signal ends them. */
#define CHILD_PATIENCE 30

/* Runs @function in a child, which then leaves by @leave. Returns its status: 0 when it came to
 * its end. */
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
    leave = _exit; /* what threads of the parent hold looks like a leak */
#endif
    leave (0);
  }
  while (waitpid (pid, &status, 0) < 0)
    ;
  return status;
}
