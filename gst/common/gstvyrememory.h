/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * GstMemory over a slice of a VyreStore. Each element has an allocator that lends staging memory
 * upstream; another wraps readbacks for downstream. A memory keeps its store alive, so buffers
 * outlive the element and the kernel. GStreamer sees that shares of one slice are adjacent: mapping
 * a buffer of several of them copies nothing.
 */
#pragma once

#include <gst/gst.h>

#include "vyre/vyre.h"

G_BEGIN_DECLS

#define GST_TYPE_VYRE_ALLOCATOR (gst_vyre_allocator_get_type ())
G_DECLARE_FINAL_TYPE (GstVyreAllocator, gst_vyre_allocator, GST, VYRE_ALLOCATOR, GstAllocator)

#define GST_VYRE_MEMORY_TYPE "VyreMemory"

/* The slice of a memory that has none at present */
#define GST_VYRE_NO_SLICE G_MAXSIZE

/* Bytes of the store that a memory of @size takes: slices are whole pages */
#define GST_VYRE_ROOM(size) ((MAX (size, 1) + 4095) & ~(gsize)4095)

GstAllocator *gst_vyre_allocator_new (VyreStore *store);
GstAllocator *gst_vyre_allocator_new_lender (
    GstAllocator *common, VyreProspectFunc prospect, gpointer owner);
void gst_vyre_allocator_disown (GstAllocator *allocator);
void gst_vyre_allocator_note_keeps_nothing (GstAllocator *allocator);
VyreStore *gst_vyre_allocator_get_store (GstAllocator *allocator);
void gst_vyre_allocator_retire (GstAllocator *allocator);
void gst_vyre_allocator_note_told (GstAllocator *allocator);
gboolean gst_vyre_allocator_was_told (GstAllocator *allocator);
gboolean gst_vyre_allocator_can_lend (
    GstAllocator *allocator, gsize size, const GstAllocationParams *params);
gsize gst_vyre_allocator_get_demand (GstAllocator *allocator, guint more);
GstMemory *gst_vyre_allocator_wrap (GstAllocator *allocator, gsize slice, gsize size);
void gst_vyre_memory_set_slice (GstMemory *whole, gsize slice);
gboolean gst_vyre_memory_was_refused (GstMemory *memory);
gboolean gst_vyre_memory_is_lost (GstMemory *memory);
gboolean gst_vyre_memory_find (GstMemory *memory, VyreStore *store, gsize *offset);

G_END_DECLS
