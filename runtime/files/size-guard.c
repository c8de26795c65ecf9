/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "files/size-guard.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

static sigset_t
only_size (void)
{
  sigset_t set;

  sigemptyset (&set);
  sigaddset (&set, SIGXFSZ);
  return set;
}

/* From here on the signal waits. */
void
vyre_size_guard_begin (VyreSizeGuard *guard)
{
  sigset_t set = only_size (), pending;

  sigpending (&pending);
  guard->was_pending = sigismember (&pending, SIGXFSZ) == 1;
  pthread_sigmask (SIG_BLOCK, &set, &guard->before);
}

/* Drops the signal of a write in between, and keeps errno. */
void
vyre_size_guard_end (const VyreSizeGuard *guard)
{
  const struct timespec at_once = { 0 };
  sigset_t set = only_size ();
  int error = errno;

  if (!guard->was_pending)
    sigtimedwait (&set, NULL, &at_once);
  pthread_sigmask (SIG_SETMASK, &guard->before, NULL);
  errno = error;
}
