/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyretensors.h"

/* READY to PAUSED. FALSE, with a message, where the property asks for tensors. */
gboolean
gst_vyre_tensors_start (GstVyreFilter *self)
{
  GST_OBJECT_LOCK (self);
  gboolean wanted = self->tensor_meta;
  GST_OBJECT_UNLOCK (self);
  if (!wanted)
    return TRUE;
  GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
      ("This plugin was built without GstTensorMeta. Fix: set tensor-meta=false, or build it where "
       "gstreamer-analytics-1.0 is 1.26 or later."),
      (NULL));
  return FALSE;
}

/* Nothing streams with tensors. */
void
gst_vyre_tensors_attach (const GstVyreFilter *self, GstBuffer *buffer)
{
}
