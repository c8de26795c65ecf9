/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * From a completed batch to a readback downstream. The worker alone calls these functions, whether
 * it is the source pad's task or the sink pad's thread.
 */
#pragma once

#include "filter/gstvyrestream.h"

G_BEGIN_DECLS

GstFlowReturn gst_vyre_delivery_push_beside (GstVyreFilter *self, GstVyreItem *item);
GstFlowReturn gst_vyre_delivery_push (GstVyreFilter *self, GstVyreItem *item);
GstFlowReturn gst_vyre_delivery_push_missing (GstVyreFilter *self, GstVyreItem *item);
GstFlowReturn gst_vyre_delivery_push_late (GstVyreFilter *self, GstVyreItem *item);
void gst_vyre_delivery_count_flushed (GstVyreFilter *self);
void gst_vyre_delivery_end_stream (GstVyreFilter *self, const GstVyreItem *item);
GstFlowReturn gst_vyre_delivery_push_event (GstVyreFilter *self, GstVyreItem *item);
void gst_vyre_delivery_follow_epoch (GstVyreFilter *self, const GstVyreItem *item);
void gst_vyre_delivery_close (GstVyreFilter *self, GstVyreItem *item, GstFlowReturn flow);
void gst_vyre_delivery_reset (GstVyreFilter *self);

G_END_DECLS
