/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "files/size-guard.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

static const int guard_signals[] = { SIGXFSZ, SIGPIPE };

/* Holds the signals back in the calling thread. */
void
vyre_size_guard_begin (VyreSizeGuard *guard)
{
  sigset_t pending;

  sigpending (&pending);
  sigemptyset (&guard->raised);
  for (guint i = 0; i < G_N_ELEMENTS (guard_signals); i++) {
    if (sigismember (&pending, guard_signals[i]) == 0)
      sigaddset (&guard->raised, guard_signals[i]);
  }
  pthread_sigmask (SIG_BLOCK, &guard->raised, &guard->before);
}

/* Drops the signal that a write has raised since vyre_size_guard_begin(), and keeps errno. */
void
vyre_size_guard_end (const VyreSizeGuard *guard)
{
  const struct timespec at_once = { 0 };
  int error = errno;

  sigtimedwait (&guard->raised, NULL, &at_once);
  pthread_sigmask (SIG_SETMASK, &guard->before, NULL);
  errno = error;
}
