/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Buffers of readbacks. The four parts of a readback are memories of their own, but a whole-buffer
 * map may merge these: a custom meta, which every binding reads, says where the parts lie.
 * gst_buffer_get_custom_meta (buffer, GST_VYRE_READBACK_META) has a structure with <part>-offset
 * and <part>-size, in bytes, for the parts control, ring, debug-log and io-queue, and with what the
 * readback makes of the events of its program.
 *
 * A buffer, five memories and a meta of eight fields cost more to make than a small batch costs to
 * run: a pool uses them again. Each time its memories get another slice of the readback store,
 * which returns to the store with the buffer.
 */
#pragma once

#include "common/gstvyrememory.h"
#include "library/gstvyrehead.h"

G_BEGIN_DECLS

void gst_vyre_readback_init (void);

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
void gst_buffer_set_vyre_event_states (GstBuffer *readback, const GstStructure *states);

G_END_DECLS
