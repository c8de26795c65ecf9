/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "threads.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>

#define EXPORT __attribute__ ((visibility ("default")))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned n_allowed, n_to_refuse, n_refused;

EXPORT void
vyre_threads_refuse (unsigned after, unsigned n)
{
  pthread_mutex_lock (&lock);
  n_allowed = after;
  n_to_refuse = n;
  n_refused = 0;
  pthread_mutex_unlock (&lock);
}

EXPORT unsigned
vyre_threads_refused (void)
{
  pthread_mutex_lock (&lock);
  unsigned n = n_refused;
  pthread_mutex_unlock (&lock);
  return n;
}

static bool
refuse (void)
{
  pthread_mutex_lock (&lock);
  bool strikes = n_allowed == 0 && n_to_refuse > 0;
  n_to_refuse -= strikes;
  n_refused += strikes;
  n_allowed -= n_allowed > 0;
  pthread_mutex_unlock (&lock);
  return strikes;
}

EXPORT int
pthread_create (
    pthread_t *thread, const pthread_attr_t *attributes, void *(*function) (void *), void *data)
{
  int (*real) (pthread_t *, const pthread_attr_t *, void *(*)(void *), void *)
      = dlsym (RTLD_NEXT, "pthread_create");

  return refuse () ? EAGAIN : real (thread, attributes, function, data);
}
