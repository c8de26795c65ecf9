/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "filter/gstvyrestream.h"

G_BEGIN_DECLS

gboolean gst_vyre_latency_query (GstVyreFilter *self, GstQuery *query);
void gst_vyre_latency_set_caps (GstVyreFilter *self, const GstCaps *caps);
void gst_vyre_latency_tell_changes (GstVyreFilter *self);
void gst_vyre_latency_note_taken (GstVyreFilter *self, GstVyreItem *item);
void gst_vyre_latency_note_ready (GstVyreFilter *self);
void gst_vyre_latency_note_held (GstVyreFilter *self, const GstVyreItem *item);
void gst_vyre_latency_reset (GstVyreFilter *self);

G_END_DECLS
