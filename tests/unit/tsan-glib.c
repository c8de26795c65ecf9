/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * GMutex and GCond over pthread, and reference counts, for builds with the thread sanitizer only.
 * GLib's own use futexes and atomics that the sanitizer does not know, so it would report every
 * access that they order as a race.
 */
#include <glib.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* The pthread object of a GMutex, made at first use: a zeroed GMutex is valid. */
static pthread_mutex_t *
mutex_of (GMutex *mutex)
{
  pthread_mutex_t *made, *mine = __atomic_load_n ((pthread_mutex_t **)&mutex->p, __ATOMIC_ACQUIRE);

  if (mine)
    return mine;
  made = malloc (sizeof *made);
  pthread_mutex_init (made, NULL);
  if (__atomic_compare_exchange_n (
          (pthread_mutex_t **)&mutex->p, &mine, made, FALSE, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    return made;
  free (made);
  return mine;
}

static pthread_cond_t *
cond_of (GCond *cond)
{
  pthread_cond_t *made, *mine = __atomic_load_n ((pthread_cond_t **)&cond->p, __ATOMIC_ACQUIRE);
  pthread_condattr_t monotonic;

  if (mine)
    return mine;
  made = malloc (sizeof *made);
  pthread_condattr_init (&monotonic);
  pthread_condattr_setclock (&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init (made, &monotonic);
  if (__atomic_compare_exchange_n (
          (pthread_cond_t **)&cond->p, &mine, made, FALSE, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    return made;
  free (made);
  return mine;
}

void
g_mutex_init (GMutex *mutex)
{
  mutex->p = NULL;
}

void
g_mutex_clear (GMutex *mutex)
{
  if (mutex->p)
    pthread_mutex_destroy (mutex->p);
  free (mutex->p);
  mutex->p = NULL;
}

void
g_mutex_lock (GMutex *mutex)
{
  pthread_mutex_lock (mutex_of (mutex));
}

gboolean
g_mutex_trylock (GMutex *mutex)
{
  return pthread_mutex_trylock (mutex_of (mutex)) == 0;
}

void
g_mutex_unlock (GMutex *mutex)
{
  pthread_mutex_unlock (mutex_of (mutex));
}

void
g_cond_init (GCond *cond)
{
  cond->p = NULL;
}

void
g_cond_clear (GCond *cond)
{
  if (cond->p)
    pthread_cond_destroy (cond->p);
  free (cond->p);
  cond->p = NULL;
}

void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  pthread_cond_wait (cond_of (cond), mutex_of (mutex));
}

void
g_cond_signal (GCond *cond)
{
  pthread_cond_signal (cond_of (cond));
}

void
g_cond_broadcast (GCond *cond)
{
  pthread_cond_broadcast (cond_of (cond));
}

gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end_time)
{
  struct timespec end = { end_time / 1000000, end_time % 1000000 * 1000 };

  return pthread_cond_timedwait (cond_of (cond), mutex_of (mutex), &end) == 0;
}

void
g_atomic_ref_count_init (gatomicrefcount *count)
{
  __atomic_store_n (count, 1, __ATOMIC_SEQ_CST);
}

void
g_atomic_ref_count_inc (gatomicrefcount *count)
{
  __atomic_fetch_add (count, 1, __ATOMIC_SEQ_CST);
}

gboolean
g_atomic_ref_count_dec (gatomicrefcount *count)
{
  return __atomic_fetch_sub (count, 1, __ATOMIC_SEQ_CST) == 1;
}
