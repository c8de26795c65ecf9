/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvyrethread.h"

static gpointer
do_nothing (gpointer data)
{
  return NULL;
}

/* Whether a task of @element that is started now will find a thread; otherwise the bus is told.
 * GStreamer waits for ever for the end of a task that was started without. */
gboolean
gst_vyre_thread_check (GstElement *element)
{
  g_autoptr (GError) error = NULL;
  GThread *thread = g_thread_try_new ("vyre-check", do_nothing, NULL, &error);

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
