/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Events of programs: intervals of a stream for which a condition over results holds, and their
 * messages. The worker alone calls these functions, without a lock.
 */
#pragma once

#include "filter/gstvyrestream.h"

G_BEGIN_DECLS

void gst_vyre_events_init (void);
void gst_vyre_events_batch (GstVyreFilter *self, const GstVyreItem *item, const guint8 *readback);
void gst_vyre_events_end (GstVyreFilter *self, const GstVyreItem *item);
void gst_vyre_events_forget (GstVyreFilter *self);

G_END_DECLS
