/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/gstvyrefork.h"

#include <pthread.h>

guint gst_vyre_fork_generation;

typedef struct {
  gpointer owner;
  GstVyreForked forked;
} Watched;

/* A leaf lock. It is held while the process forks, so that the list is whole in the child. */
static GMutex fork_lock;
static GSList *fork_watched; /* of Watched */

static void
fork_prepare (void)
{
  g_mutex_lock (&fork_lock);
}

static void
fork_stay_parent (void)
{
  g_mutex_unlock (&fork_lock);
}

static void
elements_enter_child (void)
{
  g_mutex_init (&fork_lock);
  gst_vyre_fork_generation++;
  for (GSList *l = fork_watched; l; l = l->next) {
    Watched *entry = l->data;
    entry->forked (entry->owner);
  }
}

/* Called once, before the first element is made. */
void
gst_vyre_fork_init (void)
{
  pthread_atfork (fork_prepare, fork_stay_parent, elements_enter_child);
}

void
gst_vyre_fork_watch (gpointer owner, GstVyreForked forked)
{
  Watched *entry = g_new (Watched, 1);

  *entry = (Watched){ owner, forked };
  g_mutex_lock (&fork_lock);
  fork_watched = g_slist_prepend (fork_watched, entry);
  g_mutex_unlock (&fork_lock);
}

/* @owner need not be watched. */
void
gst_vyre_fork_unwatch (gpointer owner)
{
  Watched *found = NULL;

  g_mutex_lock (&fork_lock);
  for (GSList *l = fork_watched; l && !found; l = l->next) {
    if (((Watched *)l->data)->owner == owner)
      found = l->data;
  }
  fork_watched = g_slist_remove (fork_watched, found);
  g_mutex_unlock (&fork_lock);
  g_free (found);
}

/* Gives @pad new locks and no task: the child has no streaming thread that could hold the locks, or
 * that an end of the task could wait for. */
void
gst_vyre_fork_forget_thread (GstPad *pad)
{
  g_mutex_init (GST_OBJECT_GET_LOCK (pad));
  g_rec_mutex_init (GST_PAD_GET_STREAM_LOCK (pad));
  GST_PAD_TASK (pad) = NULL;
}
