/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Events of programs as GstAnalytics has them: a GstAnalyticsRelationMeta of a buffer with a
 * classification for each event that lasts. Builds without GstAnalytics refuse the property.
 */
#pragma once

#include "filter/gstvyrestate.h"

G_BEGIN_DECLS

gboolean gst_vyre_analytics_start (GstVyreFilter *self);
void gst_vyre_analytics_label (const GstVyreFilter *self, GstBuffer *buffer);

G_END_DECLS
