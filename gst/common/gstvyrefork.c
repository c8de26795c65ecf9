/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/gstvyrefork.h"

#include <pthread.h>

#include "common/gstvyreimport.h"
#include "common/gstvyreshared.h"

guint gst_vyre_fork_generation;

typedef struct {
  gpointer element;
  GstVyreForked forked;
} Watched;

/* A leaf. It is held while the process forks, so that the list is whole in the child. */
static GMutex lock;
static GSList *watched; /* of Watched */

static void
prepare (void)
{
  g_mutex_lock (&lock);
}

static void
stay_parent (void)
{
  g_mutex_unlock (&lock);
}

static void
enter_child (void)
{
  g_mutex_init (&lock);
  gst_vyre_fork_generation++;
  gst_vyre_shared_forked ();
  gst_vyre_import_forked ();
  for (GSList *l = watched; l; l = l->next) {
    Watched *entry = l->data;
    entry->forked (entry->element);
  }
}

/* Once, before there is an element. */
void
gst_vyre_fork_init (void)
{
  pthread_atfork (prepare, stay_parent, enter_child);
}

void
gst_vyre_fork_watch (gpointer element, GstVyreForked forked)
{
  Watched *entry = g_new (Watched, 1);

  *entry = (Watched){ element, forked };
  g_mutex_lock (&lock);
  watched = g_slist_prepend (watched, entry);
  g_mutex_unlock (&lock);
}

/* Fine for one that is not watched. */
void
gst_vyre_fork_unwatch (gpointer element)
{
  Watched *found = NULL;

  g_mutex_lock (&lock);
  for (GSList *l = watched; l && !found; l = l->next) {
    if (((Watched *)l->data)->element == element)
      found = l->data;
  }
  watched = g_slist_remove (watched, found);
  g_mutex_unlock (&lock);
  g_free (found);
}

/* A pad's streaming thread is not there: nobody has its locks, and its task, which would be waited
 * for, is left alone. */
void
gst_vyre_fork_forget_thread (GstPad *pad)
{
  g_mutex_init (GST_OBJECT_GET_LOCK (pad));
  g_rec_mutex_init (GST_PAD_GET_STREAM_LOCK (pad));
  GST_PAD_TASK (pad) = NULL;
}
