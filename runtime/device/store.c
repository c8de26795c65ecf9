/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device/store-private.h"

struct _VyreStore {
  gatomicrefcount refs;
  VyreBuffer memory;
  VyreRanges *arena;
  GMutex lock; /* guards what follows, also while it is called */
  VyreStoreReclaim reclaim;
  gpointer data; /* of it */
};

/* As vyre_store_new(), in memory of either kind; that of the device is not zeroed. Its buffer
 * has @slack bytes more, which are nobody's. */
VyreStore *
vyre_store_new_kind (VyreDevice *device, gsize size, gsize slack, gsize alignment,
    VyreBufferKind kind, GError **error)
{
  gsize most = vyre_device_get_max_payload (device);

  g_return_val_if_fail (alignment >= VYRE_STORE_ALIGNMENT, NULL);
  if (!vyre_check_own (device->generation, "device", error))
    return NULL;
  if (size > most) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
        "%s cannot address a store of %" G_GSIZE_FORMAT
        " bytes. Fix: ask for at most %" G_GSIZE_FORMAT ".",
        vyre_device_get_name (device), size, most);
    return NULL;
  }
  VyreStore *store = g_new0 (VyreStore, 1);
  g_atomic_ref_count_init (&store->refs);
  if (!vyre_buffer_init (&store->memory, device, size + slack, kind, error)) {
    g_free (store);
    return NULL;
  }
  g_mutex_init (&store->lock);
  store->arena = vyre_ranges_new (size, alignment, error);
  if (!store->arena)
    g_clear_pointer (&store, vyre_store_unref);
  return store;
}

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
VyreStore *
vyre_store_new (VyreDevice *device, gsize size, gsize alignment, GError **error)
{
  return vyre_store_new_kind (device, size, 0, alignment, VYRE_BUFFER_HOST, error);
}

static gboolean
is_inherited (const VyreStore *store)
{
  return vyre_is_inherited (store->memory.device->generation);
}

/**
 * vyre_store_ref:
 * @store: a store
 *
 * Returns: (transfer full): @store with one more reference
 */
VyreStore *
vyre_store_ref (VyreStore *store)
{
  g_atomic_ref_count_inc (&store->refs);
  return store;
}

/**
 * vyre_store_unref:
 * @store: (transfer full): a store; the last reference frees its memory, unless it is that of
 *   a process that this one was forked from
 */
void
vyre_store_unref (VyreStore *store)
{
  if (!g_atomic_ref_count_dec (&store->refs) || is_inherited (store))
    return;
  vyre_ranges_destroy (store->arena);
  vyre_buffer_clear (&store->memory);
  g_mutex_clear (&store->lock);
  g_free (store);
}

/* Who keeps slices only as long as nobody else wants them: @reclaim is called when there is no
 * room, and says whether it has freed something. NULL: nobody any more. */
void
vyre_store_set_reclaim (VyreStore *store, VyreStoreReclaim reclaim, gpointer data)
{
  g_mutex_lock (&store->lock);
  store->reclaim = reclaim;
  store->data = data;
  g_mutex_unlock (&store->lock);
}

/* As vyre_store_alloc() without waiting, by the one who reclaims. */
gboolean
vyre_store_try_alloc (VyreStore *store, gsize size, gsize *offset)
{
  return vyre_ranges_alloc (store->arena, size, offset);
}

static gboolean
reclaim (VyreStore *store)
{
  g_mutex_lock (&store->lock);
  gboolean freed = store->reclaim && store->reclaim (store->data);
  g_mutex_unlock (&store->lock);
  return freed;
}

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
gboolean
vyre_store_alloc (VyreStore *store, gsize size, gint64 end_time, gsize *offset)
{
  if (size > vyre_store_get_size (store) || is_inherited (store))
    return FALSE;
  do {
    if (vyre_ranges_alloc (store->arena, size, offset))
      return TRUE;
  } while (reclaim (store));
  return end_time != 0 && vyre_ranges_alloc_wait (store->arena, size, end_time, offset);
}

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
gboolean
vyre_store_lend (VyreStore *store, gsize size, gsize *offset)
{
  return !is_inherited (store) && vyre_ranges_lend (store->arena, size, offset);
}

/**
 * vyre_store_can_lend:
 * @store: a store
 * @size: bytes
 *
 * Returns: whether vyre_store_lend() would have had a slice of @size bytes just now
 */
gboolean
vyre_store_can_lend (VyreStore *store, gsize size)
{
  return !is_inherited (store) && vyre_ranges_can_lend (store->arena, size);
}

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
gboolean
vyre_store_can_spare (VyreStore *store, gsize offset)
{
  return !is_inherited (store) && vyre_ranges_can_spare (store->arena, offset);
}

/**
 * vyre_store_free:
 * @store: a store
 * @offset: a slice that vyre_store_alloc() or vyre_store_lend() gave
 */
void
vyre_store_free (VyreStore *store, gsize offset)
{
  if (!is_inherited (store))
    vyre_ranges_free (store->arena, offset);
}

/**
 * vyre_store_get_data:
 * @store: a store
 *
 * Returns: (transfer none) (nullable): the host's address of offset 0. Of a store of a process
 *   that this one was forked from, a copy is there as it was then, unless something may have
 *   pinned the memory: %NULL
 */
guint8 *
vyre_store_get_data (VyreStore *store)
{
  return store->memory.forks || !is_inherited (store) ? store->memory.data : NULL;
}

/**
 * vyre_store_get_size:
 * @store: a store
 *
 * Returns: its size in bytes
 */
gsize
vyre_store_get_size (const VyreStore *store)
{
  return vyre_ranges_get_size (store->arena);
}

/**
 * vyre_store_get_used:
 * @store: a store
 *
 * Returns: bytes lent out now; 0 of a store of a process that this one was forked from
 */
gsize
vyre_store_get_used (VyreStore *store)
{
  return is_inherited (store) ? 0 : vyre_ranges_get_used (store->arena);
}

/**
 * vyre_store_survives_loss:
 * @store: a store
 *
 * Returns: whether its bytes stay what they are when the device is lost, because
 *   its pages are the process' own
 */
gboolean
vyre_store_survives_loss (const VyreStore *store)
{
  return store->memory.reserved > 0;
}

/* The most bytes that one like it can have. */
gsize
vyre_store_get_most (const VyreStore *store)
{
  return vyre_device_get_max_payload (store->memory.device);
}

VkBuffer
vyre_store_get_buffer (VyreStore *store)
{
  return store->memory.buffer;
}
