/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A store: memory that host and kernel both address, lent out in slices.
 * Payload staging is one, the readbacks are another. Reference counted and
 * thread safe; a slice stays valid while its store lives, also when the
 * megakernel it was made for is gone.
 */
#pragma once

#include "vyre/device.h"

G_BEGIN_DECLS

/* Slices start on a cache line, so that no two share one. */
#define VYRE_STORE_ALIGNMENT 64

typedef struct _VyreStore VyreStore;

/**
 * vyre_store_new:
 * @device: the device whose kernels will address it
 * @size: bytes, cut to a multiple of @alignment
 * @alignment: of the slices in bytes, a power of two, at least VYRE_STORE_ALIGNMENT
 * @error: return location
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
 * Returns: (transfer full): @store with one more reference
 */
VyreStore *vyre_store_ref (VyreStore *store);

/**
 * vyre_store_unref:
 * @store: (transfer full): a store; the last reference frees its memory, unless it is that of
 *   a process that this one was forked from
 */
void vyre_store_unref (VyreStore *store);

/**
 * vyre_store_alloc:
 * @store: a store
 * @size: bytes wanted
 * @end_time: g_get_monotonic_time() at which to give up, or later by what the process stands
 *   still meanwhile; 0 to not wait
 * @offset: (out): where the slice starts, in bytes
 *
 * Returns: whether a slice was to be had by @end_time; there is none in a store of a process
 *   that this one was forked from
 */
gboolean vyre_store_alloc (VyreStore *store, gsize size, gint64 end_time, gsize *offset);

/**
 * vyre_store_lend:
 * @store: a store
 * @size: bytes wanted
 * @offset: (out): where the slice starts, in bytes
 *
 * Takes a slice for somebody who may keep it while others wait for room: who makes payloads,
 * while a payload that comes first has to be copied in. What is lent lies at the end of the
 * store and leaves room for the largest slice that anybody has asked for so far. Nobody is
 * waited for.
 *
 * Returns: whether there was a slice to lend, to be given back with vyre_store_free(); there
 *   is none in a store of a process that this one was forked from
 */
gboolean vyre_store_lend (VyreStore *store, gsize size, gsize *offset);

/**
 * vyre_store_can_lend:
 * @store: a store
 * @size: bytes
 *
 * Returns: whether vyre_store_lend() would have had a slice of @size bytes just now
 */
gboolean vyre_store_can_lend (VyreStore *store, gsize size);

/**
 * vyre_store_can_spare:
 * @store: a store
 * @offset: a slice that vyre_store_alloc() gave
 *
 * Whether somebody may keep the slice for as long as he likes. Of a store whose slices are kept
 * only if so, any slice of up to half of it can be had once those that are not kept are free, and
 * a larger one if one as large was asked for before.
 *
 * Returns: whether that is so; no slice of a process that this one was forked from is spared
 */
gboolean vyre_store_can_spare (VyreStore *store, gsize offset);

/**
 * vyre_store_free:
 * @store: a store
 * @offset: a slice that vyre_store_alloc() or vyre_store_lend() gave
 */
void vyre_store_free (VyreStore *store, gsize offset);

/**
 * vyre_store_get_data:
 * @store: a store
 *
 * Returns: (transfer none) (nullable): the host's address of offset 0. Of a store of a process
 *   that this one was forked from, a copy is there as it was then, unless something may have
 *   pinned the memory: %NULL
 */
guint8 *vyre_store_get_data (VyreStore *store);

/**
 * vyre_store_get_size:
 * @store: a store
 *
 * Returns: its size in bytes
 */
gsize vyre_store_get_size (const VyreStore *store);

/**
 * vyre_store_get_used:
 * @store: a store
 *
 * Returns: bytes lent out now; 0 of a store of a process that this one was forked from
 */
gsize vyre_store_get_used (VyreStore *store);

/**
 * vyre_store_survives_loss:
 * @store: a store
 *
 * Returns: whether its bytes stay what they are when the device is lost, because
 *   its pages are the process' own
 */
gboolean vyre_store_survives_loss (const VyreStore *store);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreStore, vyre_store_unref)

G_END_DECLS
