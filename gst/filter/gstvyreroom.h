/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Room in the staging store for payloads that are copied: a wait for what batches, and elements in
 * front, give back.
 */
#pragma once

#include "filter/gstvyrestream.h"

G_BEGIN_DECLS

/* The staging method accepted the buffer and could not stage it: the caller tries the next one. */
#define GST_VYRE_FLOW_NEXT GST_FLOW_CUSTOM_SUCCESS

gboolean gst_vyre_room_is_owed (GstVyreFilter *self, GstVyreShared *shared);
GstFlowReturn gst_vyre_room_wait (GstVyreFilter *self, GstVyreShared *shared,
    const GstVyreItem *item, gsize *offset, GError **error);

G_END_DECLS
