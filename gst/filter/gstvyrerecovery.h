/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A lost device: a thread of its own gets a new kernel, and the source pad's task runs again what
 * the lost one left.
 */
#pragma once

#include "filter/gstvyrestream.h"

G_BEGIN_DECLS

GstFlowReturn gst_vyre_recovery_handle (
    GstVyreFilter *self, GstVyreShared *failed, gint64 end, GError *error);
void gst_vyre_recovery_end (GstVyreFilter *self);
GstFlowReturn gst_vyre_recovery_rerun (GstVyreFilter *self, GstVyreItem *item);

G_END_DECLS
