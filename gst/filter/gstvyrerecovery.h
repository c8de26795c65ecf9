/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A lost device: either streaming thread gets a new kernel, and runs again what the lost one left.
 */
#pragma once

#include "filter/gstvyrestream.h"

G_BEGIN_DECLS

GstFlowReturn gst_vyre_recovery_handle (
    GstVyreFilter *self, const GstVyreShared *failed, GError *error);
GstFlowReturn gst_vyre_recovery_rerun (GstVyreFilter *self, GstVyreItem *item);

G_END_DECLS
