/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyreaccess.h"

/* TRUE if @program may run: with the access of the running stream, or with the property. The object
 * lock is held. */
gboolean
gst_vyre_access_check (GstVyreFilter *self, const VyreProgram *program, GError **error)
{
  VyreAccessLevel level
      = self->access ? vyre_access_get_level (self->access) : self->resource_access;

  return vyre_program_check_access (program, level, error);
}

/* READY to PAUSED: opens the root folder of the stream, unless programs use no files. */
gboolean
gst_vyre_access_start (GstVyreFilter *self)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *root = NULL;

  gst_vyre_access_stop (self);
  GST_OBJECT_LOCK (self);
  VyreAccessLevel level = self->resource_access;
  if (level > VYRE_ACCESS_NONE)
    root = g_strdup (self->resource_root);
  GST_OBJECT_UNLOCK (self);
  VyreAccess *access = vyre_access_new (level, root, &error);
  if (access) {
    GST_OBJECT_LOCK (self);
    self->access = access;
    gst_vyre_access_check (self, self->settings.program, &error);
    GST_OBJECT_UNLOCK (self);
  }
  if (error)
    gst_vyre_state_post_error (self, error);
  return !error;
}

/* Returns a reference to the access of the stream, NULL if none was started. */
VyreAccess *
gst_vyre_access_get (GstVyreFilter *self)
{
  GST_OBJECT_LOCK (self);
  VyreAccess *access = self->access ? vyre_access_ref (self->access) : NULL;
  GST_OBJECT_UNLOCK (self);
  return access;
}

void
gst_vyre_access_stop (GstVyreFilter *self)
{
  GST_OBJECT_LOCK (self);
  VyreAccess *access = g_steal_pointer (&self->access);
  GST_OBJECT_UNLOCK (self);
  g_clear_pointer (&access, vyre_access_unref);
}
