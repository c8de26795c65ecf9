/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyreanalytics.h"

/* READY to PAUSED. FALSE, with a message, where the property asks for labels. */
gboolean
gst_vyre_analytics_start (GstVyreFilter *self)
{
  GST_OBJECT_LOCK (self);
  gboolean wanted = self->analytics_meta;
  GST_OBJECT_UNLOCK (self);
  if (!wanted)
    return TRUE;
  GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
      ("This plugin was built without GstAnalytics. Fix: set analytics-meta=false, or build it "
       "where gstreamer-analytics-1.0 is 1.24 or later."),
      (NULL));
  return FALSE;
}

/* Nothing streams with labels. */
void
gst_vyre_analytics_label (const GstVyreFilter *self, GstBuffer *buffer)
{
}
