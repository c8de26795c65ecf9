/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The end of the queue where items leave. Either the source pad's task or the chain function has
 * an item at a time, and is the worker; the chain function says when it leaves whether it comes
 * back for the rest. docs/states.md has the rules.
 */
#pragma once

#include "filter/gstvyrestream.h"

G_BEGIN_DECLS

void gst_vyre_work_enter (GstVyreFilter *self, gint64 now);
void gst_vyre_work_leave (GstVyreFilter *self);
GstVyreItem *gst_vyre_work_take (GstVyreFilter *self);
GstVyreItem *gst_vyre_work_take_over (GstVyreFilter *self, guint most, gint64 *patience);
void gst_vyre_work_put_back (GstVyreFilter *self, GstVyreItem *item);
gboolean gst_vyre_work_accept (GstVyreFilter *self, GstVyreItem *item);
void gst_vyre_work_keep (GstVyreFilter *self, GstVyreItem *item);
void gst_vyre_work_done (GstVyreFilter *self, const GstVyreItem *item);

G_END_DECLS
