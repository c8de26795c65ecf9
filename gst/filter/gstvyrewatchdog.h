/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Counts what the readbacks of a stream say of its slots, and warns once of each stall. The
 * worker calls it, with a complete readback.
 */
#pragma once

#include "filter/gstvyrestream.h"

G_BEGIN_DECLS

void gst_vyre_watchdog_batch (
    GstVyreFilter *self, GstVyreItem *item, const guint8 *readback, gboolean due);
void gst_vyre_watchdog_idle (GstVyreFilter *self, const GstVyreItem *item, gint64 idle);
void gst_vyre_watchdog_completed (GstVyreFilter *self, gint64 idle);
void gst_vyre_watchdog_reset (GstVyreFilter *self);

G_END_DECLS
