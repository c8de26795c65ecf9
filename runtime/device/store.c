/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device/store-private.h"

#include <sys/mman.h>

#include "base/pins.h"
#include "device/slice-cache.h"

struct _VyreStore {
  gatomicrefcount refs;
  VyreBuffer memory;
  VyreSteps *steps; /* as which a copy engine reads the memory, or NULL: it has a buffer */
  VyreRanges *ranges;
  VyreSliceCache *cache; /* in front of the ranges, or NULL */
  GMutex lock;           /* guards what follows, also during a call of reclaim */
  VyreStoreReclaim reclaim;
  gpointer data; /* of it */
};

/* Gets the memory of a store. A device may say that it imports memory, and refuse: then all of the
 * store is made at once, by a way that it takes. */
static gboolean
store_init_memory (
    VyreStore *store, VyreDevice *device, gsize size, VyreBufferKind kind, GError **error)
{
  if (!vyre_buffer_init (&store->memory, device, size, kind, error))
    return FALSE;
  if (store->memory.buffer)
    return TRUE;
  store->steps = vyre_steps_new (&store->memory);
  if (vyre_steps_import (store->steps, 0, 1, NULL)) {
    vyre_steps_drop (store->steps, 0);
    return TRUE;
  }
  g_clear_pointer (&store->steps, vyre_steps_free);
  vyre_buffer_clear (&store->memory);
  return vyre_buffer_init (&store->memory, device, size, VYRE_BUFFER_STAGING, error);
}

/* As vyre_store_new(), in memory of any kind; memory of the device is not zeroed. The buffer has
 * @slack bytes more, which are never allocated. */
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
  if (!store_init_memory (store, device, size + slack, kind, error)) {
    g_free (store);
    return NULL;
  }
  g_mutex_init (&store->lock);
  store->ranges = vyre_ranges_new (size, alignment, error);
  if (!store->ranges)
    g_clear_pointer (&store, vyre_store_unref);
  return store;
}

VyreStore *
vyre_store_new (VyreDevice *device, gsize size, gsize alignment, GError **error)
{
  return vyre_store_new_kind (device, size, 0, alignment, VYRE_BUFFER_HOST, error);
}

/* TRUE in a child of the process that made the store. */
gboolean
vyre_store_is_inherited (const VyreStore *store)
{
  return vyre_is_inherited (store->memory.device->generation);
}

VyreStore *
vyre_store_ref (VyreStore *store)
{
  g_atomic_ref_count_inc (&store->refs);
  return store;
}

void
vyre_store_unref (VyreStore *store)
{
  if (!g_atomic_ref_count_dec (&store->refs) || vyre_store_is_inherited (store))
    return;
  g_clear_pointer (&store->cache, vyre_slice_cache_free);
  vyre_ranges_destroy (store->ranges);
  g_clear_pointer (&store->steps, vyre_steps_free);
  vyre_buffer_clear (&store->memory);
  g_mutex_clear (&store->lock);
  g_free (store);
}

/* Before other threads know the store. Keeps small slices that are freed for the threads that free
 * them. */
void
vyre_store_cache_slices (VyreStore *store)
{
  store->cache = vyre_slice_cache_new (store->ranges);
}

/* Sets the callback that frees cached slices when the store is full, and returns whether it has
 * freed any; NULL removes it. */
void
vyre_store_set_reclaim (VyreStore *store, VyreStoreReclaim reclaim, gpointer data)
{
  g_mutex_lock (&store->lock);
  store->reclaim = reclaim;
  store->data = data;
  g_mutex_unlock (&store->lock);
}

typedef struct {
  VyreStore *store;
  gboolean unpins;
} Trim;

/* Called with the lock of the ranges, for a step without a slice: no thread begins to use it. */
static void
store_trim_step (gsize offset, gsize size, gpointer data)
{
  const Trim *trim = data;
  VyreStore *store = trim->store;

  if (store->steps && trim->unpins)
    vyre_steps_drop (store->steps, offset);
  if (!vyre_pins_overlap (store->memory.data + offset, size))
    madvise (store->memory.data + offset, size, MADV_DONTNEED);
}

/* Gives the pages of steps without slices back to Linux, unless somebody has pinned them. With
 * @unpins also those that the device has: the caller knows that no copy is under way. */
void
vyre_store_trim (VyreStore *store, gboolean unpins)
{
  Trim trim = { store, unpins };
  gsize size = vyre_store_get_size (store);

  /* a GPU pins what it addresses itself */
  if (!store->memory.reserved || !(store->steps || vyre_device_is_cpu (store->memory.device)))
    return;
  for (gsize start = 0; start < size; start += VYRE_PIN_STEP)
    vyre_ranges_visit_free (
        store->ranges, start, MIN (VYRE_PIN_STEP, size - start), store_trim_step, &trim);
}

/* As vyre_store_alloc(), without waiting and without calling the reclaim callback: for its
 * owner. */
gboolean
vyre_store_try_alloc (VyreStore *store, gsize size, gsize *offset)
{
  /* other threads fill the cache again: one flush is fair */
  return vyre_ranges_alloc (store->ranges, size, offset)
         || (store->cache && vyre_slice_cache_flush (store->cache)
             && vyre_ranges_alloc (store->ranges, size, offset));
}

static gboolean
store_reclaim (VyreStore *store)
{
  g_mutex_lock (&store->lock);
  gboolean freed = store->reclaim && store->reclaim (store->data);
  g_mutex_unlock (&store->lock);
  return freed;
}

/* A thread waits for room from now on: slices that are freed are for it, and not for the cache. */
static void
store_begin_wait (VyreStore *store)
{
  if (store->cache)
    vyre_slice_cache_bypass (store->cache, TRUE);
}

static void
store_end_wait (VyreStore *store)
{
  if (store->cache)
    vyre_slice_cache_bypass (store->cache, FALSE);
}

/* Takes a slice if there is room now, or once cached slices are freed. */
static gboolean
store_alloc_now (VyreStore *store, gsize size, gsize *offset)
{
  if (store->cache && vyre_slice_cache_take (store->cache, size, offset))
    return TRUE;
  do {
    if (vyre_store_try_alloc (store, size, offset))
      return TRUE;
  } while (store_reclaim (store));
  return FALSE;
}

gboolean
vyre_store_alloc (VyreStore *store, gsize size, gint64 end_time, gsize *offset)
{
  if (size > vyre_store_get_size (store) || vyre_store_is_inherited (store))
    return FALSE;
  if (store_alloc_now (store, size, offset))
    return TRUE;
  if (end_time == 0)
    return FALSE;
  store_begin_wait (store);
  gboolean allocated = vyre_ranges_alloc_wait (store->ranges, size, end_time, offset);
  store_end_wait (store);
  return allocated;
}

/* A caller that waits for room in a store. */
typedef struct {
  VyreStore *store;
  VyreStoreGoesOn goes_on;
  gpointer data;
} StoreWait;

static gboolean
store_goes_on (gpointer data)
{
  const StoreWait *wait = data;

  store_reclaim (wait->store);
  return wait->goes_on (wait->data);
}

gboolean
vyre_store_alloc_while (
    VyreStore *store, gsize size, VyreStoreGoesOn goes_on, gpointer data, gsize *offset)
{
  StoreWait wait = { store, goes_on, data };

  if (size > vyre_store_get_size (store) || vyre_store_is_inherited (store))
    return FALSE;
  if (store_alloc_now (store, size, offset))
    return TRUE;
  store_begin_wait (store);
  gboolean allocated = vyre_ranges_alloc_while (store->ranges, size, store_goes_on, &wait, offset);
  store_end_wait (store);
  return allocated;
}

gboolean
vyre_store_can_spare (VyreStore *store, gsize offset)
{
  return !vyre_store_is_inherited (store) && vyre_ranges_can_spare (store->ranges, offset);
}

void
vyre_store_free (VyreStore *store, gsize offset)
{
  if (vyre_store_is_inherited (store)
      || (store->cache && vyre_slice_cache_put (store->cache, offset)))
    return;
  vyre_ranges_free (store->ranges, offset);
}

guint8 *
vyre_store_get_data (VyreStore *store)
{
  return store->memory.forks || !vyre_store_is_inherited (store) ? store->memory.data : NULL;
}

gsize
vyre_store_get_size (const VyreStore *store)
{
  return vyre_ranges_get_size (store->ranges);
}

gsize
vyre_store_get_used (VyreStore *store)
{
  if (vyre_store_is_inherited (store))
    return 0;
  if (store->cache) /* its slices are free */
    vyre_slice_cache_flush (store->cache);
  return vyre_ranges_get_used (store->ranges);
}

gboolean
vyre_store_survives_loss (const VyreStore *store)
{
  return store->memory.reserved > 0;
}

gsize
vyre_store_get_pinned (VyreStore *store)
{
  gsize size = vyre_store_get_size (store), pinned = 0;

  if (vyre_store_is_inherited (store))
    return 0;
  for (gsize start = 0; start < size; start += VYRE_PIN_STEP) {
    gsize step = MIN (VYRE_PIN_STEP, size - start);
    pinned += vyre_pins_overlap (store->memory.data + start, step) ? step : 0;
  }
  return pinned;
}

/* The most bytes that a store of the same kind can have. */
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

/* Returns the steps that a copy engine reads; NULL where the store has a buffer. */
VyreSteps *
vyre_store_get_steps (VyreStore *store)
{
  return store->steps;
}

VyreRanges *
vyre_store_get_ranges (VyreStore *store)
{
  return store->ranges;
}
