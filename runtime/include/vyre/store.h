/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/**
 * SECTION:store
 * @title: Store
 * @short_description: Memory that host and kernel both address
 *
 * A store lends its memory in slices. The staging store holds payloads, the readback store the
 * answers. A store is reference counted and thread safe; a slice stays valid while its store
 * lives, also after the megakernel that it was made for has gone.
 */

#include "vyre/device.h"

G_BEGIN_DECLS

/**
 * VYRE_STORE_ALIGNMENT:
 *
 * The least alignment of slices, in bytes: a cache line, so that no two slices share one.
 */
#define VYRE_STORE_ALIGNMENT 64

/**
 * VyreStore:
 *
 * A store.
 */
typedef struct _VyreStore VyreStore;

/**
 * vyre_store_new:
 * @device: the device whose kernels address the store
 * @size: bytes, cut to a multiple of @alignment
 * @alignment: alignment of the slices in bytes, a power of two, at least VYRE_STORE_ALIGNMENT
 * @error: return location
 *
 * Makes a store.
 *
 * Returns: (transfer full) (nullable): a zeroed store in memory of the host, or
 *   %NULL with %VYRE_ERROR_TOO_LARGE, %VYRE_ERROR_NO_SPACE,
 *   %VYRE_ERROR_UNSUPPORTED, %VYRE_ERROR_DEVICE or %VYRE_ERROR_FORKED
 */
VyreStore *vyre_store_new (VyreDevice *device, gsize size, gsize alignment, GError **error);

/**
 * vyre_store_ref:
 * @store: a store
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @store with one more reference
 */
VyreStore *vyre_store_ref (VyreStore *store);

/**
 * vyre_store_unref:
 * @store: (transfer full): a store
 *
 * Drops a reference. The last one frees the memory, but not in a child of the process that made the
 * store.
 */
void vyre_store_unref (VyreStore *store);

/**
 * vyre_store_alloc:
 * @store: a store
 * @size: bytes wanted
 * @end_time: deadline in g_get_monotonic_time(), later by the time that the process stands
 *   still meanwhile; 0 to not wait
 * @offset: (out): the start of the slice, in bytes
 *
 * Takes a slice, and waits for room.
 *
 * Returns: whether a slice was free by @end_time; always %FALSE in a child of the process that
 *   made the store
 */
gboolean vyre_store_alloc (VyreStore *store, gsize size, gint64 end_time, gsize *offset);

/**
 * VyreStoreGoesOn:
 * @data: of the caller
 *
 * Called without a lock by a thread that waits in vyre_store_alloc_while().
 *
 * Returns: whether the thread goes on to wait
 */
typedef gboolean (*VyreStoreGoesOn) (gpointer data);

/**
 * vyre_store_alloc_while:
 * @store: a store
 * @size: bytes wanted
 * @goes_on: asked when there is no room, and every 20 ms from then on
 * @data: for @goes_on
 * @offset: (out): the start of the slice, in bytes
 *
 * Takes a slice, and waits for room as long as @goes_on says. Threads that wait are served in the
 * order in which they came.
 *
 * Returns: whether a slice was taken; always %FALSE in a child of the process that made the store
 */
gboolean vyre_store_alloc_while (
    VyreStore *store, gsize size, VyreStoreGoesOn goes_on, gpointer data, gsize *offset);

/**
 * vyre_store_can_spare:
 * @store: a store
 * @offset: a slice that vyre_store_alloc() gave
 *
 * Tells whether a slice may be kept without a limit of time. If only such slices of a store are
 * kept, any slice of up to half of the store can be taken once the others are free, and a larger
 * one if one as large was asked for before.
 *
 * Returns: whether the slice may be kept; always %FALSE in a child of the process that made the
 *   store
 */
gboolean vyre_store_can_spare (VyreStore *store, gsize offset);

/**
 * vyre_store_free:
 * @store: a store
 * @offset: a slice that vyre_store_alloc() gave
 *
 * Gives a slice back.
 */
void vyre_store_free (VyreStore *store, gsize offset);

/**
 * vyre_store_get_data:
 * @store: a store
 *
 * Gets the address of a store.
 *
 * Returns: (transfer none) (nullable): the host's address of offset 0. In a child of the process
 *   that made the store, a copy as of the fork, or %NULL if a driver or io_uring may have pinned
 *   the memory
 */
guint8 *vyre_store_get_data (VyreStore *store);

/**
 * vyre_store_get_size:
 * @store: a store
 *
 * Gets the size of a store.
 *
 * Returns: its size in bytes
 */
gsize vyre_store_get_size (const VyreStore *store);

/**
 * vyre_store_get_used:
 * @store: a store
 *
 * Gets the number of bytes in use.
 *
 * Returns: bytes of all slices taken now; 0 in a child of the process that made the store
 */
gsize vyre_store_get_used (VyreStore *store);

/**
 * vyre_store_get_pinned:
 * @store: a store
 *
 * Gets the number of bytes that are pinned now, in steps of some MiB: by reads of files, and by a
 * device that imports the memory in steps.
 *
 * Returns: bytes that are pinned; 0 in a child of the process that made the store
 */
gsize vyre_store_get_pinned (VyreStore *store);

/**
 * vyre_store_survives_loss:
 * @store: a store
 *
 * Tells whether the bytes of a store outlive the device.
 *
 * Returns: whether a lost device leaves the bytes as they are, because the pages belong to the
 *   process
 */
gboolean vyre_store_survives_loss (const VyreStore *store);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreStore, vyre_store_unref)

G_END_DECLS
