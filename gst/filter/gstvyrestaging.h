/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How the bytes of a buffer become a payload that the kernel can read: a table of methods, of which
 * the first that can stages the buffer and counts its bytes.
 */
#pragma once

#include "filter/gstvyrestream.h"

G_BEGIN_DECLS

GstAllocator *gst_vyre_staging_new_lender (GstVyreFilter *self, GstVyreShared *shared);
void gst_vyre_staging_free_lender (GstVyreFilter *self, GstAllocator *lender);
gboolean gst_vyre_staging_propose (GstVyreFilter *self, GstQuery *query);
GstFlowReturn gst_vyre_staging_perform (GstVyreFilter *self, GstVyreShared *shared,
    const GstVyreItem *item, VyrePayload *staged, GError **error);
gboolean gst_vyre_staging_copy_bytes (
    GstVyreFilter *self, GstBuffer *buffer, guint8 *data, GError **error);

G_END_DECLS
