/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * GMutex, GRecMutex, GRWLock and GCond over pthread, and reference counts, for builds with the thread sanitizer
 * only: GLib's own are futexes and atomics that the sanitizer does not know, so that every
 * access they order would look like a race.
 */
#include <glib.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* A zeroed lock is valid, so the pthread object is made at first use. */
static pthread_mutex_t *
get_mutex (gpointer *place, int type)
{
  pthread_mutex_t *made, *mine = __atomic_load_n ((pthread_mutex_t **)place, __ATOMIC_ACQUIRE);
  pthread_mutexattr_t attributes;

  if (mine)
    return mine;
  made = malloc (sizeof *made);
  pthread_mutexattr_init (&attributes);
  pthread_mutexattr_settype (&attributes, type);
  pthread_mutex_init (made, &attributes);
  if (__atomic_compare_exchange_n (
          (pthread_mutex_t **)place, &mine, made, FALSE, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    return made;
  free (made);
  return mine;
}

static pthread_mutex_t *
mutex_of (GMutex *mutex)
{
  return get_mutex (&mutex->p, PTHREAD_MUTEX_NORMAL);
}

static pthread_mutex_t *
rec_mutex_of (GRecMutex *mutex)
{
  return get_mutex (&mutex->p, PTHREAD_MUTEX_RECURSIVE);
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
g_rec_mutex_init (GRecMutex *mutex)
{
  mutex->p = NULL;
}

void
g_rec_mutex_clear (GRecMutex *mutex)
{
  if (mutex->p)
    pthread_mutex_destroy (mutex->p);
  free (mutex->p);
  mutex->p = NULL;
}

void
g_rec_mutex_lock (GRecMutex *mutex)
{
  pthread_mutex_lock (rec_mutex_of (mutex));
}

gboolean
g_rec_mutex_trylock (GRecMutex *mutex)
{
  return pthread_mutex_trylock (rec_mutex_of (mutex)) == 0;
}

void
g_rec_mutex_unlock (GRecMutex *mutex)
{
  pthread_mutex_unlock (rec_mutex_of (mutex));
}

static pthread_rwlock_t *
rw_lock_of (GRWLock *lock)
{
  pthread_rwlock_t *made, *mine = __atomic_load_n ((pthread_rwlock_t **)&lock->p, __ATOMIC_ACQUIRE);

  if (mine)
    return mine;
  made = malloc (sizeof *made);
  pthread_rwlock_init (made, NULL);
  if (__atomic_compare_exchange_n (
          (pthread_rwlock_t **)&lock->p, &mine, made, FALSE, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    return made;
  free (made);
  return mine;
}

void
g_rw_lock_init (GRWLock *lock)
{
  lock->p = NULL;
}

void
g_rw_lock_clear (GRWLock *lock)
{
  if (lock->p)
    pthread_rwlock_destroy (lock->p);
  free (lock->p);
  lock->p = NULL;
}

void
g_rw_lock_reader_lock (GRWLock *lock)
{
  pthread_rwlock_rdlock (rw_lock_of (lock));
}

void
g_rw_lock_reader_unlock (GRWLock *lock)
{
  pthread_rwlock_unlock (rw_lock_of (lock));
}

void
g_rw_lock_writer_lock (GRWLock *lock)
{
  pthread_rwlock_wrlock (rw_lock_of (lock));
}

void
g_rw_lock_writer_unlock (GRWLock *lock)
{
  pthread_rwlock_unlock (rw_lock_of (lock));
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
