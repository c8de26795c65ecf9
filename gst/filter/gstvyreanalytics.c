/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyreanalytics.h"

#include <gst/analytics/analytics.h>

/* READY to PAUSED. Takes the property over for the stream. */
gboolean
gst_vyre_analytics_start (GstVyreFilter *self)
{
  GST_OBJECT_LOCK (self);
  self->labels = self->analytics_meta;
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

/* Adds a classification to the meta of @buffer, which may have those of other elements. */
static void
analytics_add (GstBuffer *buffer, const gchar *name)
{
  GstAnalyticsRelationMeta *meta = gst_buffer_get_analytics_relation_meta (buffer);
  GstAnalyticsClsMtd label;

  if (!meta)
    meta = gst_buffer_add_analytics_relation_meta (buffer);
  gst_analytics_relation_meta_add_one_cls_mtd (meta, 1, g_quark_from_string (name), &label);
}

/* The worker, no lock. Labels the writable buffer of the last batch with the events that last. */
void
gst_vyre_analytics_label (const GstVyreFilter *self, GstBuffer *buffer)
{
  const GstVyreEvents *events = &self->events;

  for (guint i = 0; self->labels && i < events->n; i++) {
    const VyreEvent *event = &vyre_plan_get_bound_program (events->plan)->events[i];
    if (events->intervals[i].is_reported) /* and open, or it would be forgotten */
      analytics_add (buffer, event->name);
  }
}
