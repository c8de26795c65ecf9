/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The output mode passthrough: buffers go on as they came, with the results of the program as a
 * meta, and caps and allocation are those of downstream.
 */
#pragma once

#include "filter/gstvyrestream.h"

G_BEGIN_DECLS

void gst_vyre_passthrough_follow (GstVyreFilter *self);
void gst_vyre_passthrough_start (GstVyreFilter *self);
gboolean gst_vyre_passthrough_is_on (const GstVyreFilter *self);
gboolean gst_vyre_passthrough_answer (GstVyreFilter *self, GstPad *pad, GstQuery *query);
gboolean gst_vyre_passthrough_allocate (GstVyreFilter *self, GstQuery *query);
gint64 gst_vyre_passthrough_get_deadline (
    const GstVyreFilter *self, const GstVyreSettings *settings, gint64 now);
GstBuffer *gst_vyre_passthrough_take_missing (GstVyreItem *item);
GstBuffer *gst_vyre_passthrough_take (GstVyreFilter *self, GstVyreItem *item);

G_END_DECLS
