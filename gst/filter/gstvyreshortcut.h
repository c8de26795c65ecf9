/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The chain function as worker: where batches are through in a moment, it pushes their readbacks
 * itself, and no thread is woken for a buffer. The sink pad's stream lock is held.
 */
#pragma once

#include "filter/gstvyrestream.h"

G_BEGIN_DECLS

GstFlowReturn gst_vyre_shortcut_make_room (GstVyreFilter *self, guint max_in_flight);
GstFlowReturn gst_vyre_shortcut_push_ready (GstVyreFilter *self);

G_END_DECLS
