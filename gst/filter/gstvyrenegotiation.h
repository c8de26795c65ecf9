/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The plan of the next batch, and the output caps that follow from it. The sink pad's stream lock
 * is held.
 */
#pragma once

#include "filter/gstvyrestream.h"

G_BEGIN_DECLS

void gst_vyre_negotiation_get_settings (GstVyreFilter *self, GstVyreSettings *settings);
GstFlowReturn gst_vyre_negotiation_plan (GstVyreFilter *self, const GstVyreSettings *settings,
    const GstVyreItem *item, GstVyreShared *shared);
GstFlowReturn gst_vyre_negotiation_pass_caps (GstVyreFilter *self, GstCaps *caps);
GstFlowReturn gst_vyre_negotiation_announce (GstVyreFilter *self);
void gst_vyre_negotiation_reset (GstVyreFilter *self);

G_END_DECLS
