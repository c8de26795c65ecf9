/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Buffers for readbacks: a buffer, five memories and a meta of eight fields cost more to
 * make than a small batch costs to run, so they are used again. Only the slice of the
 * readback store that the memories are over is another one each time: it goes back to the
 * store with the buffer.
 */
#pragma once

#include "common/gstvyrememory.h"

G_BEGIN_DECLS

#define GST_TYPE_VYRE_READBACK_POOL (gst_vyre_readback_pool_get_type ())
G_DECLARE_FINAL_TYPE (
    GstVyreReadbackPool, gst_vyre_readback_pool, GST, VYRE_READBACK_POOL, GstBufferPool)

GstVyreReadbackPool *gst_vyre_readback_pool_new (GstAllocator *allocator, const VyreLayout *layout);
gboolean gst_vyre_readback_pool_is_for (
    GstVyreReadbackPool *self, GstAllocator *allocator, const VyreLayout *layout);
GstBuffer *gst_vyre_readback_pool_take (GstVyreReadbackPool *self, gsize slice);
void gst_vyre_readback_pool_close (GstVyreReadbackPool *self);

void gst_buffer_append_vyre_readback (
    GstBuffer *buffer, GstMemory *whole, const VyreLayout *layout);

G_END_DECLS
