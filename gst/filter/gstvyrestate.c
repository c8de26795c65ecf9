/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyrestate.h"

void
gst_vyre_state_init (GstVyreFilter *self)
{
  g_mutex_init (&self->lock);
  g_mutex_init (&self->activation);
  g_cond_init (&self->changed);
}

void
gst_vyre_state_clear (GstVyreFilter *self)
{
  g_mutex_clear (&self->activation);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
}

/* What is configured now, with a reference to the program. */
void
gst_vyre_state_get_settings (GstVyreFilter *self, GstVyreSettings *settings)
{
  GST_OBJECT_LOCK (self);
  *settings = self->settings;
  vyre_program_ref (settings->program);
  GST_OBJECT_UNLOCK (self);
}

/* A reference to the kernel in use, NULL in NULL. */
GstVyreShared *
gst_vyre_state_get_shared (GstVyreFilter *self)
{
  vyre_mutex_lock (&self->lock);
  GstVyreShared *shared = self->shared ? gst_vyre_shared_ref (self->shared) : NULL;
  g_mutex_unlock (&self->lock);
  return shared;
}

/* The one place where a GError of the stream becomes an error message. */
void
gst_vyre_state_post_error (GstVyreFilter *self, const GError *error)
{
  static const struct {
    VyreError code;
    const char *domain;
    gint gst_code;
  } map[] = {
    { VYRE_ERROR_NO_LOADER, "library", GST_LIBRARY_ERROR_INIT },
    { VYRE_ERROR_NO_DEVICE, "resource", GST_RESOURCE_ERROR_NOT_FOUND },
    { VYRE_ERROR_DEVICE, "resource", GST_RESOURCE_ERROR_FAILED },
    { VYRE_ERROR_DEVICE_LOST, "resource", GST_RESOURCE_ERROR_FAILED },
    { VYRE_ERROR_UNSUPPORTED, "resource", GST_RESOURCE_ERROR_SETTINGS },
    { VYRE_ERROR_NO_SPACE, "resource", GST_RESOURCE_ERROR_NO_SPACE_LEFT },
    { VYRE_ERROR_TIMEOUT, "resource", GST_RESOURCE_ERROR_BUSY },
    { VYRE_ERROR_STUCK, "resource", GST_RESOURCE_ERROR_FAILED },
    { VYRE_ERROR_IO, "resource", GST_RESOURCE_ERROR_READ },
    { VYRE_ERROR_SYNTAX, "resource", GST_RESOURCE_ERROR_SETTINGS },
    { VYRE_ERROR_UNBOUND, "stream", GST_STREAM_ERROR_FORMAT },
    { VYRE_ERROR_TOO_LARGE, "stream", GST_STREAM_ERROR_FORMAT },
    { VYRE_ERROR_MISALIGNED, "stream", GST_STREAM_ERROR_DECODE },
    { VYRE_ERROR_INVALID, "stream", GST_STREAM_ERROR_FORMAT },
    { VYRE_ERROR_QUEUE_FULL, "stream", GST_STREAM_ERROR_FORMAT },
    { VYRE_ERROR_ACCESS, "resource", GST_RESOURCE_ERROR_NOT_AUTHORIZED },
    { VYRE_ERROR_NO_THREAD, "resource", GST_RESOURCE_ERROR_NO_SPACE_LEFT },
    { VYRE_ERROR_FORKED, "resource", GST_RESOURCE_ERROR_BUSY },
  };
  GQuark domain = GST_LIBRARY_ERROR;
  gint code = GST_LIBRARY_ERROR_FAILED;

  for (guint i = 0; i < G_N_ELEMENTS (map); i++) {
    if (!g_error_matches (error, VYRE_ERROR, (gint)map[i].code))
      continue;
    code = map[i].gst_code;
    domain = map[i].domain[0] == 's'   ? GST_STREAM_ERROR
             : map[i].domain[0] == 'r' ? GST_RESOURCE_ERROR
                                       : GST_LIBRARY_ERROR;
  }
  gst_element_message_full (GST_ELEMENT_CAST (self), GST_MESSAGE_ERROR, domain, code,
      g_strdup (error->message), NULL, __FILE__, GST_FUNCTION, __LINE__);
}

/* Whether it was started by this process; otherwise the bus is told. */
gboolean
gst_vyre_state_check_own (GstVyreFilter *self)
{
  g_autoptr (GError) error = NULL;

  if (!g_atomic_int_get (&self->inherited))
    return TRUE;
  error = g_error_new (VYRE_ERROR, VYRE_ERROR_FORKED,
      "The element runs in the process that this one was forked from. Fix: set it to NULL and "
      "start it again here, or make another one.");
  gst_vyre_state_post_error (self, error);
  return FALSE;
}
