/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyrestate.h"

void
gst_vyre_state_init (GstVyreFilter *self)
{
  g_mutex_init (&self->lock);
  g_mutex_init (&self->activation);
  g_cond_init (&self->changed);
  g_cond_init (&self->work);
  self->settings.serial = 1; /* a copy without settings has 0 */
}

void
gst_vyre_state_clear (GstVyreFilter *self)
{
  g_mutex_clear (&self->activation);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_cond_clear (&self->work);
}

/* Renews @copy, which belongs to the calling thread, if a property was set since. The copy has a
 * reference to its program. Most calls take no lock. */
void
gst_vyre_state_follow_settings (GstVyreFilter *self, GstVyreSettings *copy)
{
  if (g_atomic_int_get (&self->settings.serial) == copy->serial)
    return;
  VyreProgram *old = copy->program;
  GST_OBJECT_LOCK (self);
  vyre_program_ref (self->settings.program); /* first: a child may be forked in between */
  *copy = self->settings;
  GST_OBJECT_UNLOCK (self);
  g_clear_pointer (&old, vyre_program_unref);
}

void
gst_vyre_state_clear_settings (GstVyreSettings *copy)
{
  g_clear_pointer (&copy->program, vyre_program_unref);
  *copy = (GstVyreSettings){ 0 };
}

/* Returns a reference to the kernel in use, NULL in NULL. */
GstVyreShared *
gst_vyre_state_get_shared (GstVyreFilter *self)
{
  vyre_mutex_lock (&self->lock);
  GstVyreShared *shared = self->shared ? gst_vyre_shared_ref (self->shared) : NULL;
  g_mutex_unlock (&self->lock);
  return shared;
}

/* The code of an error message for each error of the library. */
static const struct {
  VyreError code;
  GQuark (*domain) (void);
  gint gst_code;
} state_errors[] = {
  { VYRE_ERROR_NO_LOADER, gst_library_error_quark, GST_LIBRARY_ERROR_INIT },
  { VYRE_ERROR_NO_DEVICE, gst_resource_error_quark, GST_RESOURCE_ERROR_NOT_FOUND },
  { VYRE_ERROR_DEVICE, gst_resource_error_quark, GST_RESOURCE_ERROR_FAILED },
  { VYRE_ERROR_DEVICE_LOST, gst_resource_error_quark, GST_RESOURCE_ERROR_FAILED },
  { VYRE_ERROR_UNSUPPORTED, gst_resource_error_quark, GST_RESOURCE_ERROR_SETTINGS },
  { VYRE_ERROR_NO_SPACE, gst_resource_error_quark, GST_RESOURCE_ERROR_NO_SPACE_LEFT },
  { VYRE_ERROR_TIMEOUT, gst_resource_error_quark, GST_RESOURCE_ERROR_BUSY },
  { VYRE_ERROR_STUCK, gst_resource_error_quark, GST_RESOURCE_ERROR_FAILED },
  { VYRE_ERROR_IO, gst_resource_error_quark, GST_RESOURCE_ERROR_READ },
  { VYRE_ERROR_SYNTAX, gst_resource_error_quark, GST_RESOURCE_ERROR_SETTINGS },
  { VYRE_ERROR_UNBOUND, gst_stream_error_quark, GST_STREAM_ERROR_FORMAT },
  { VYRE_ERROR_TOO_LARGE, gst_stream_error_quark, GST_STREAM_ERROR_FORMAT },
  { VYRE_ERROR_MISALIGNED, gst_stream_error_quark, GST_STREAM_ERROR_DECODE },
  { VYRE_ERROR_INVALID, gst_stream_error_quark, GST_STREAM_ERROR_FORMAT },
  { VYRE_ERROR_QUEUE_FULL, gst_stream_error_quark, GST_STREAM_ERROR_FORMAT },
  { VYRE_ERROR_ACCESS, gst_resource_error_quark, GST_RESOURCE_ERROR_NOT_AUTHORIZED },
  { VYRE_ERROR_NO_THREAD, gst_resource_error_quark, GST_RESOURCE_ERROR_NO_SPACE_LEFT },
  { VYRE_ERROR_FORKED, gst_resource_error_quark, GST_RESOURCE_ERROR_BUSY },
};

/* Posts @error as an error message. Errors of a stream become messages here and nowhere else. */
void
gst_vyre_state_post_error (GstVyreFilter *self, const GError *error)
{
  GQuark domain = GST_LIBRARY_ERROR;
  gint code = GST_LIBRARY_ERROR_FAILED;

  for (guint i = 0; i < G_N_ELEMENTS (state_errors); i++) {
    if (!g_error_matches (error, VYRE_ERROR, (gint)state_errors[i].code))
      continue;
    domain = state_errors[i].domain ();
    code = state_errors[i].gst_code;
  }
  gst_element_message_full (GST_ELEMENT_CAST (self), GST_MESSAGE_ERROR, domain, code,
      g_strdup (error->message), NULL, __FILE__, GST_FUNCTION, __LINE__);
}

/* TRUE if this process started the element; otherwise the bus is told. */
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
