/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Kernels that the elements of a process share: one for each set of parameters, made for the first
 * element that asks, gone with the last. A failed kernel is not handed out again: its users keep
 * it, and the next element gets a new one.
 *
 * A GstVyreShared is reference counted and, except for `told`, the census and the number of its
 * tenants, immutable. The last reference takes the kernel down, which can take a while and releases
 * payloads. A child of the process starts without kernels: it leaves alone those of its inherited
 * elements, which are its parent's.
 */
#pragma once

#include <gst/gst.h>

#include "common/gstvyrekernelparams.h"

G_BEGIN_DECLS

/* Bytes of the readback store: room for a thousand readbacks of common size, or for one of the
 * largest. */
#define GST_VYRE_READBACK_SIZE (32 * 1024 * 1024)

/* A count of a kernel as a whole, which takes the locks of each lane, of the pins of the process,
 * and of the file reads and resources of the kernel */
typedef struct {
  VyreMegakernelCounters counters;
  VyreFileIoCounters reads;
  VyreResourceCounters resources;
  gsize pinned; /* bytes of the staging store */
  guint n_tenants;
  gint64 taken;        /* in µs of the monotonic clock */
  gconstpointer asker; /* the element that had it taken */
} GstVyreCensus;

typedef struct {
  VyreMegakernel *kernel;
  VyreTenants *tenants;             /* elements that use the kernel */
  gint n_tenants;                   /* of these, now; atomic */
  GstAllocator *upstream_allocator; /* has in common what those of the elements lend */
  GstAllocator *readback_allocator; /* wraps readbacks */
  GstVyreKernelParams params;       /* as the element asked for */
  GWeakRef told;                    /* the bus that heard last why file reads are slow */
  GMutex census_lock;               /* guards the next one */
  GstVyreCensus census;             /* the latest */
  gint refs;                        /* atomic */
  guint generation;                 /* forks since the plugin was loaded */
} GstVyreShared;

GstVyreShared *gst_vyre_shared_acquire (const GstVyreKernelParams *params, GError **error);
GstVyreShared *gst_vyre_shared_ref (GstVyreShared *shared);
void gst_vyre_shared_unref (GstVyreShared *shared);
VyreTenant *gst_vyre_shared_join (GstVyreShared *shared, GstElement *element);
void gst_vyre_shared_leave (GstVyreShared *shared, VyreTenant *tenant);
const char *gst_vyre_shared_take_news (GstVyreShared *shared, GstElement *element);
void gst_vyre_shared_count (
    GstVyreShared *shared, gconstpointer asker, gboolean exact, GstVyreCensus *census);
void gst_vyre_shared_init (void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstVyreShared, gst_vyre_shared_unref)

G_END_DECLS
