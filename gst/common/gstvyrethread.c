/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/gstvyrethread.h"

#include <unistd.h>

static pid_t thread_loaded_by; /* the process that loaded the plugin */

__attribute__ ((constructor)) static void
thread_note_process (void)
{
  thread_loaded_by = getpid ();
}

/* GLib shares threads among its pools, and so does GStreamer; in a child of fork() these threads
 * exist only in the parent. This pool makes a thread for each task. */
typedef struct {
  GstTaskPool parent;
} GstVyreTaskPool;

typedef struct {
  GstTaskPoolClass parent;
} GstVyreTaskPoolClass;

GType gst_vyre_task_pool_get_type (void);
G_DEFINE_TYPE (GstVyreTaskPool, gst_vyre_task_pool, GST_TYPE_TASK_POOL)

typedef struct {
  GstTaskPoolFunction function;
  gpointer data;
} Work;

static gpointer
thread_run_work (gpointer data)
{
  Work work = *(Work *)data;

  g_free (data);
  work.function (work.data);
  return NULL;
}

static void
pool_prepare (GstTaskPool *pool, GError **error)
{
}

static void
pool_cleanup (GstTaskPool *pool)
{
}

static gpointer
pool_push (GstTaskPool *pool, GstTaskPoolFunction function, gpointer data, GError **error)
{
  Work *work = g_new (Work, 1);

  *work = (Work){ function, data };
  GThread *thread = g_thread_try_new ("task", thread_run_work, work, error);
  if (!thread)
    g_free (work);
  return thread;
}

static void
pool_join (GstTaskPool *pool, gpointer thread)
{
  g_thread_join (thread);
}

static void
pool_dispose_handle (GstTaskPool *pool, gpointer thread)
{
  g_thread_unref (thread);
}

static void
gst_vyre_task_pool_init (GstVyreTaskPool *self)
{
}

static void
gst_vyre_task_pool_class_init (GstVyreTaskPoolClass *klass)
{
  GstTaskPoolClass *pool_class = GST_TASK_POOL_CLASS (klass);

  pool_class->prepare = pool_prepare;
  pool_class->cleanup = pool_cleanup;
  pool_class->push = pool_push;
  pool_class->join = pool_join;
  pool_class->dispose_handle = pool_dispose_handle;
}

/* In a child of fork(): @message tells that an element has made a task. Gives the task a pool with
 * threads of its own; the application, which gets the message next, may give it another. */
void
gst_vyre_thread_adopt (GstMessage *message)
{
  GstStreamStatusType type;
  GstElement *owner;

  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_STREAM_STATUS || getpid () == thread_loaded_by)
    return;
  gst_message_parse_stream_status (message, &type, &owner);
  const GValue *task = gst_message_get_stream_status_object (message);
  if (type != GST_STREAM_STATUS_TYPE_CREATE || !task || !G_VALUE_HOLDS (task, GST_TYPE_TASK))
    return;
  GstTaskPool *pool = gst_object_ref_sink (g_object_new (gst_vyre_task_pool_get_type (), NULL));
  gst_task_set_pool (g_value_get_object (task), pool);
  gst_object_unref (pool);
}

static gpointer
thread_do_nothing (gpointer data)
{
  return NULL;
}

/* TRUE if a task of @element that starts now will find a thread; otherwise the bus is told.
 * GStreamer would wait for ever for the end of a task that never got a thread. */
gboolean
gst_vyre_thread_check (GstElement *element)
{
  g_autoptr (GError) error = NULL;
  GThread *thread = g_thread_try_new ("vyre-check", thread_do_nothing, NULL, &error);

  if (thread) {
    g_thread_join (thread);
    return TRUE;
  }
  GST_ELEMENT_ERROR (element, RESOURCE, NO_SPACE_LEFT,
      ("No thread for the stream can be made: %s. Fix: raise the limit of processes (ulimit -u, "
       "pids.max of the container), or end some.",
          error->message),
      (NULL));
  return FALSE;
}
