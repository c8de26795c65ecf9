/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device/slice-cache.h"

#include <stdatomic.h>
#include <stdbool.h>

#include "base/spin-lock.h"

/* Shelves of a cache: more than threads that publish at a time, so that few share one. */
#define N_SHELVES 64

/* Ranges of a shelf: as many as a producer has in flight, and its consumer keeps. */
#define SHELF_RANGES 32

/* Larger ranges take long to fill, beside which the allocator's lock costs nothing. */
#define LARGEST_RANGE 65536

/* A shelf has its cache lines to itself. */
typedef struct {
  GMutex lock; /* guards what follows */
  guint n;
  gsize offsets[SHELF_RANGES];
} __attribute__ ((aligned (64))) Shelf;

struct _VyreSliceCache {
  VyreRanges *ranges;
  atomic_uint n_bypasses;
  Shelf shelves[N_SHELVES];
};

/* The shelf of the calling thread, the same for its life. */
static Shelf *
slice_cache_shelf (VyreSliceCache *cache)
{
  static atomic_uint n_threads;
  static _Thread_local guint number;

  if (number == 0) /* a count: orders nothing */
    number = 1 + atomic_fetch_add_explicit (&n_threads, 1, memory_order_relaxed) % N_SHELVES;
  return &cache->shelves[number - 1];
}

/* Makes a cache of ranges of @ranges, which outlives it. */
VyreSliceCache *
vyre_slice_cache_new (VyreRanges *ranges)
{
  VyreSliceCache *cache = g_aligned_alloc0 (1, sizeof *cache, 64);

  cache->ranges = ranges;
  for (guint i = 0; i < N_SHELVES; i++)
    g_mutex_init (&cache->shelves[i].lock);
  return cache;
}

/* Frees the cache; its ranges stay allocated. */
void
vyre_slice_cache_free (VyreSliceCache *cache)
{
  for (guint i = 0; i < N_SHELVES; i++)
    g_mutex_clear (&cache->shelves[i].lock);
  g_aligned_free (cache);
}

/* Any thread. Takes a range of @size bytes that the thread's shelf has. */
gboolean
vyre_slice_cache_take (VyreSliceCache *cache, gsize size, gsize *offset)
{
  Shelf *shelf = slice_cache_shelf (cache);
  gboolean found = FALSE;

  size = vyre_ranges_round_up (cache->ranges, size);
  vyre_mutex_lock (&shelf->lock);
  for (guint i = shelf->n; i > 0 && !found; i--) {
    found = vyre_ranges_get_length (cache->ranges, shelf->offsets[i - 1]) == size;
    if (!found)
      continue;
    *offset = shelf->offsets[i - 1];
    shelf->offsets[i - 1] = shelf->offsets[--shelf->n];
  }
  g_mutex_unlock (&shelf->lock);
  return found;
}

/* Any thread. Puts a live range on the thread's shelf. FALSE: there is no room, or the allocator
 * wants it back. */
gboolean
vyre_slice_cache_put (VyreSliceCache *cache, gsize offset)
{
  gsize length = vyre_ranges_get_length (cache->ranges, offset);
  Shelf *shelf = slice_cache_shelf (cache);

  if (length == 0 || length > LARGEST_RANGE)
    return FALSE;
  vyre_mutex_lock (&shelf->lock);
  gboolean is_free = FALSE;
  for (guint i = 0; i < shelf->n && !is_free; i++)
    is_free = shelf->offsets[i] == offset;
  /* under the lock: a thread that raises the count takes the lock afterwards, to flush */
  gboolean fits = !is_free && shelf->n < SHELF_RANGES && atomic_load (&cache->n_bypasses) == 0;
  if (fits)
    shelf->offsets[shelf->n++] = offset;
  g_mutex_unlock (&shelf->lock);
  g_return_val_if_fail (!is_free, TRUE);
  return fits;
}

/* Any thread. Gives all ranges back to the allocator; returns whether there were any. */
gboolean
vyre_slice_cache_flush (VyreSliceCache *cache)
{
  gboolean any = FALSE;

  for (guint i = 0; i < N_SHELVES; i++) {
    Shelf *shelf = &cache->shelves[i];
    vyre_mutex_lock (&shelf->lock);
    any |= shelf->n > 0;
    while (shelf->n > 0)
      vyre_ranges_free (cache->ranges, shelf->offsets[--shelf->n]);
    g_mutex_unlock (&shelf->lock);
  }
  return any;
}

/* Any thread. From a call with @bypass on until the call without it, all ranges go back to the
 * allocator, those that are in the cache, too. */
void
vyre_slice_cache_bypass (VyreSliceCache *cache, gboolean bypass)
{
  if (!bypass) {
    atomic_fetch_sub (&cache->n_bypasses, 1); /* pairs with the load in vyre_slice_cache_put() */
    return;
  }
  atomic_fetch_add (&cache->n_bypasses, 1); /* the same */
  vyre_slice_cache_flush (cache);
}
