/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Stages the payload of an item and publishes its batch on a kernel.
 */
#pragma once

#include "filter/gstvyrestream.h"

G_BEGIN_DECLS

GstFlowReturn gst_vyre_submit (
    GstVyreFilter *self, GstVyreShared *shared, GstVyreItem *item, GError **error);

G_END_DECLS
