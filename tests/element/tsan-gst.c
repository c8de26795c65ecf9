/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * GRecMutex and GRWLock over pthread, for tests of elements with the thread sanitizer only: its
 * calls of those of GLib look to the sanitizer like calls of pthread by GStreamer, which it is
 * told to overlook. And the order that references to objects give: the thread that drops the last
 * one sees all that the others did before they dropped theirs.
 */
#include <dlfcn.h>
#include <glib-object.h>
#include <pthread.h>
#include <sanitizer/tsan_interface.h>
#include <stdatomic.h>
#include <stdlib.h>

typedef void (*Unref) (gpointer object);

void
g_object_unref (gpointer object)
{
  static _Atomic (Unref) real;
  Unref unref = atomic_load (&real);

  if (!unref) {
    unref = (Unref)dlsym (RTLD_NEXT, "g_object_unref");
    atomic_store (&real, unref);
  }
  __tsan_release (object);
  __tsan_acquire (object);
  unref (object);
}

/* A zeroed lock is valid, so the pthread object is made at first use. */
static pthread_mutex_t *
rec_mutex_of (GRecMutex *mutex)
{
  pthread_mutex_t *made, *mine = __atomic_load_n ((pthread_mutex_t **)&mutex->p, __ATOMIC_ACQUIRE);
  pthread_mutexattr_t attributes;

  if (mine)
    return mine;
  made = malloc (sizeof *made);
  pthread_mutexattr_init (&attributes);
  pthread_mutexattr_settype (&attributes, PTHREAD_MUTEX_RECURSIVE);
  pthread_mutex_init (made, &attributes);
  if (__atomic_compare_exchange_n (
          (pthread_mutex_t **)&mutex->p, &mine, made, FALSE, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    return made;
  free (made);
  return mine;
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
