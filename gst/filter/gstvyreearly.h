/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The beginning of a stream: events that wait for the output caps, a stream-start where upstream
 * sent none, and the beginning once more for a new source pad. The sink pad's stream lock is held.
 */
#pragma once

#include "filter/gstvyrestate.h"

G_BEGIN_DECLS

gboolean gst_vyre_early_waits (GstVyreFilter *self, GstEvent *event);
void gst_vyre_early_keep (GstVyreFilter *self, GstEvent *event);
GstFlowReturn gst_vyre_early_push (GstVyreFilter *self);
void gst_vyre_early_drop (GstVyreFilter *self, gboolean keep_sticky);
void gst_vyre_early_follow_source (GstVyreFilter *self, gboolean is_new, gboolean starts);
GstFlowReturn gst_vyre_early_begin_stream (GstVyreFilter *self);

G_END_DECLS
