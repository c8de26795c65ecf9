/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "files/size-guard.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

static sigset_t
guard_signals (void)
{
  sigset_t set;

  sigemptyset (&set);
  sigaddset (&set, SIGXFSZ);
  return set;
}

/* Holds SIGXFSZ back in the calling thread. */
void
vyre_size_guard_begin (VyreSizeGuard *guard)
{
  sigset_t set = guard_signals (), pending;

  sigpending (&pending);
  guard->was_pending = sigismember (&pending, SIGXFSZ) == 1;
  pthread_sigmask (SIG_BLOCK, &set, &guard->before);
}

/* Drops the SIGXFSZ that a write has raised since vyre_size_guard_begin(), and keeps errno. */
void
vyre_size_guard_end (const VyreSizeGuard *guard)
{
  const struct timespec at_once = { 0 };
  sigset_t set = guard_signals ();
  int error = errno;

  if (!guard->was_pending)
    sigtimedwait (&set, NULL, &at_once);
  pthread_sigmask (SIG_SETMASK, &guard->before, NULL);
  errno = error;
}
