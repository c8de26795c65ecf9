/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Megakernels shared by the elements of a process: one for each device, group and
 * settings, made by the first that asks, gone with the last. A failed one is
 * not handed out again: its users keep what they have, the next asker gets a new
 * one. Reference counted and, but for who was told, immutable; the last reference takes the kernel
 * down, which can take a while and releases payloads. A child of the process starts without: those
 * that its elements have are its parent's, and are left alone.
 */
#pragma once

#include <gst/gst.h>

#include "common/gstvyrekernelparams.h"

G_BEGIN_DECLS

/* Bytes of the readback store: room for a thousand readbacks of common size, or for one of the
 * largest. */
#define GST_VYRE_READBACK_SIZE (32 * 1024 * 1024)

typedef struct {
  VyreMegakernel *kernel;
  VyreTenants *tenants;             /* the elements that use it */
  GstAllocator *upstream_allocator; /* lends staging memory */
  GstAllocator *readback_allocator; /* wraps readbacks */
  GstVyreKernelParams params;       /* as asked for */
  GWeakRef told;                    /* the bus that heard last what the kernel has to do without */
  gatomicrefcount refs;
  guint generation; /* of the process */
} GstVyreShared;

GstVyreShared *gst_vyre_shared_acquire (const GstVyreKernelParams *params, GError **error);
GstVyreShared *gst_vyre_shared_ref (GstVyreShared *shared);
void gst_vyre_shared_unref (GstVyreShared *shared);
VyreTenant *gst_vyre_shared_join (GstVyreShared *shared, GstElement *element);
void gst_vyre_shared_leave (GstVyreShared *shared, VyreTenant *tenant);
const char *gst_vyre_shared_take_news (GstVyreShared *shared, GstElement *element);
void gst_vyre_shared_init (void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstVyreShared, gst_vyre_shared_unref)

G_END_DECLS
