/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Free ranges are kept in an array in the order of their offsets and never touch
 * each other: freeing is a binary search, allocating takes the first that is
 * large enough. With the few hundred ranges a staging arena has, walking a
 * compact array is cheaper than any tree.
 *
 * What is lent is taken from the other end, and ends where the largest range that
 * anybody ever asked for begins: borrowers may keep theirs for as long as they like,
 * and the others still find room in one piece.
 */
#include "device/ranges.h"

#include "base/alloc.h"
#include "vyre/clock.h"
#include "base/spin-lock.h"

typedef struct {
  gsize offset;
  gsize size;
} Range;

/* Lives on the stack of the thread that waits. */
typedef struct {
  gsize size;
  gsize offset;
  gboolean served;
  GCond wake;
  GList link;
} Waiter;

struct _VyreArena {
  gsize size;
  gsize alignment;

  GMutex lock; /* guards what follows */
  GArray *free_ranges;
  gsize *live;    /* sizes of the live ranges that start at each unit of alignment; pages of it
                   * that nothing was ever lent from are never touched */
  GQueue waiters; /* first come, first served */
  gsize used;
  gsize largest; /* that was ever asked for and fits; read without the lock, too */
};

/* Index of the first free range at or behind @offset. */
static guint
ranges_find_free (VyreRanges *arena, gsize offset)
{
  guint low = 0, high = arena->free_ranges->len;

  while (low < high) {
    guint middle = low + (high - low) / 2;

    if (g_array_index (arena->free_ranges, Range, middle).offset < offset)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* Takes @size bytes, a multiple of the alignment, from the first range that has them. */
static gboolean
ranges_take (VyreRanges *arena, gsize size, gsize *offset)
{
  for (guint i = 0; i < arena->free_ranges->len; i++) {
    Range *range = &g_array_index (arena->free_ranges, Range, i);

    if (range->size < size)
      continue;
    *offset = range->offset;
    range->offset += size;
    range->size -= size;
    if (range->size == 0)
      g_array_remove_index (arena->free_ranges, i);
    arena->used += size;
    arena->live[*offset / arena->alignment] = size;
    return TRUE;
  }
  return FALSE;
}

/* The last free range that has @size bytes behind the @largest, or the number of ranges. */
static guint
ranges_find_lendable (VyreRanges *arena, gsize size, gsize largest)
{
  for (guint i = arena->free_ranges->len; i > 0; i--) {
    const Range *range = &g_array_index (arena->free_ranges, Range, i - 1);
    gsize start = MAX (range->offset, largest), end = range->offset + range->size;

    if (end >= start && end - start >= size)
      return i - 1;
  }
  return arena->free_ranges->len;
}

/* Takes @size bytes, a multiple of the alignment, from the end of the last range that may be
 * lent from. */
static gboolean
ranges_take_last (VyreRanges *arena, gsize size, gsize *offset)
{
  guint i = ranges_find_lendable (arena, size, arena->largest);

  if (i == arena->free_ranges->len)
    return FALSE;
  Range *range = &g_array_index (arena->free_ranges, Range, i);
  range->size -= size;
  *offset = range->offset + range->size;
  if (range->size == 0)
    g_array_remove_index (arena->free_ranges, i);
  arena->used += size;
  arena->live[*offset / arena->alignment] = size;
  return TRUE;
}

/* Gives a range back and joins it with the free ranges that it touches. */
static void
ranges_give_back (VyreRanges *arena, Range range)
{
  GArray *ranges = arena->free_ranges;
  guint next = ranges_find_free (arena, range.offset);
  Range *before = next > 0 ? &g_array_index (ranges, Range, next - 1) : NULL;
  Range *after = next < ranges->len ? &g_array_index (ranges, Range, next) : NULL;
  gboolean joins_before = before && before->offset + before->size == range.offset;
  gboolean joins_after = after && range.offset + range.size == after->offset;

  arena->used -= range.size;
  if (joins_before && joins_after) {
    before->size += range.size + after->size;
    g_array_remove_index (ranges, next);
  } else if (joins_before) {
    before->size += range.size;
  } else if (joins_after) {
    after->offset = range.offset;
    after->size += range.size;
  } else {
    g_array_insert_val (ranges, next, range);
  }
}

/* Hands space to those who wait, in their order, up to the first for whom there is too little: what
 * is free now is kept for it, or small requests would starve a big one. */
static void
ranges_serve_waiters (VyreRanges *arena)
{
  Waiter *waiter;

  while ((waiter = g_queue_peek_head (&arena->waiters))
         && ranges_take (arena, waiter->size, &waiter->offset)) {
    g_queue_unlink (&arena->waiters, &waiter->link);
    waiter->served = TRUE;
    g_cond_signal (&waiter->wake);
  }
}

/* Waits with the lock held for a place at the head of the queue and for space. */
static gboolean
ranges_wait_for_space (VyreRanges *arena, gsize size, gint64 end_time, gsize *offset)
{
  Waiter waiter = { .size = size };
  VyreClock clock = { 0 };

  g_cond_init (&waiter.wake);
  waiter.link.data = &waiter;
  g_queue_push_tail_link (&arena->waiters, &waiter.link);
  while (!waiter.served && vyre_clock_now (&clock) < end_time)
    g_cond_wait_until (&waiter.wake, &arena->lock, vyre_clock_next (&clock, end_time));
  if (waiter.served) {
    *offset = waiter.offset;
  } else {
    g_queue_unlink (&arena->waiters, &waiter.link);
    /* It may have been the only one that did not fit. */
    ranges_serve_waiters (arena);
  }
  g_cond_clear (&waiter.wake);
  return waiter.served;
}

static gsize
ranges_round_up (VyreRanges *arena, gsize size)
{
  return (MAX (size, 1) + arena->alignment - 1) & ~(arena->alignment - 1);
}

/* Rounds @size up and takes note of it, with the lock, which it takes; FALSE, without the lock, if
 * that is more than there is. Comparing first keeps the rounding from overflowing: the arena's size
 * is rounded already. */
static gboolean
ranges_ask_for (VyreRanges *arena, gsize *size)
{
  if (MAX (*size, 1) > arena->size)
    return FALSE;
  *size = ranges_round_up (arena, *size);
  vyre_mutex_lock (&arena->lock);
  if (*size
      > arena->largest) /* pairs with the load in vyre_ranges_can_spare(), and orders nothing */
    __atomic_store_n (&arena->largest, *size, __ATOMIC_RELAXED);
  return TRUE;
}

VyreRanges *
vyre_ranges_new (gsize size, gsize alignment, GError **error)
{
  g_return_val_if_fail (alignment > 0 && (alignment & (alignment - 1)) == 0, NULL);
  size &= ~(alignment - 1);
  gsize *live = vyre_alloc0 (size / alignment + 1, sizeof *live, error);
  if (!live)
    return NULL;
  VyreRanges *arena = g_new0 (VyreRanges, 1);

  arena->size = size;
  arena->alignment = alignment;
  g_mutex_init (&arena->lock);
  arena->free_ranges = g_array_new (FALSE, FALSE, sizeof (Range));
  arena->live = live;
  g_queue_init (&arena->waiters);
  if (arena->size > 0) {
    Range all = { .offset = 0, .size = arena->size };

    g_array_append_val (arena->free_ranges, all);
  }
  return arena;
}

void
vyre_ranges_destroy (VyreRanges *arena)
{
  if (!arena)
    return;
  g_return_if_fail (g_queue_is_empty (&arena->waiters));

  g_free (arena->live);
  g_array_unref (arena->free_ranges);
  g_mutex_clear (&arena->lock);
  g_free (arena);
}

gboolean
vyre_ranges_alloc (VyreRanges *arena, gsize size, gsize *offset)
{
  return vyre_ranges_alloc_wait (arena, size, 0, offset);
}

gboolean
vyre_ranges_alloc_wait (VyreRanges *arena, gsize size, gint64 end_time, gsize *offset)
{
  gboolean allocated;

  g_return_val_if_fail (arena, FALSE);
  g_return_val_if_fail (offset, FALSE);

  if (!ranges_ask_for (arena, &size))
    return FALSE;
  allocated = g_queue_is_empty (&arena->waiters) && ranges_take (arena, size, offset);
  if (!allocated && end_time > g_get_monotonic_time ())
    allocated = ranges_wait_for_space (arena, size, end_time, offset);
  g_mutex_unlock (&arena->lock);
  return allocated;
}

gboolean
vyre_ranges_lend (VyreRanges *arena, gsize size, gsize *offset)
{
  g_return_val_if_fail (arena, FALSE);
  g_return_val_if_fail (offset, FALSE);

  if (!ranges_ask_for (arena, &size))
    return FALSE;
  gboolean lent = g_queue_is_empty (&arena->waiters) && ranges_take_last (arena, size, offset);
  g_mutex_unlock (&arena->lock);
  return lent;
}

gboolean
vyre_ranges_can_lend (VyreRanges *arena, gsize size)
{
  g_return_val_if_fail (arena, FALSE);

  if (MAX (size, 1) > arena->size)
    return FALSE;
  size = ranges_round_up (arena, size);
  vyre_mutex_lock (&arena->lock);
  gboolean can
      = g_queue_is_empty (&arena->waiters)
        && ranges_find_lendable (arena, size, MAX (arena->largest, size)) < arena->free_ranges->len;
  g_mutex_unlock (&arena->lock);
  return can;
}

gboolean
vyre_ranges_can_spare (VyreRanges *arena, gsize offset)
{
  g_return_val_if_fail (arena, FALSE);

  gsize end = offset + arena->live[offset / arena->alignment]; /* the caller's, as the range is */
  /* pairs with the store in ranges_ask_for() */
  gsize largest = __atomic_load_n (&arena->largest, __ATOMIC_RELAXED);
  return end <= arena->size / 2 && end <= arena->size - largest;
}

void
vyre_ranges_free (VyreRanges *arena, gsize offset)
{
  g_return_if_fail (arena);
  g_return_if_fail (offset < arena->size && offset % arena->alignment == 0);

  gsize *live = &arena->live[offset / arena->alignment];
  vyre_mutex_lock (&arena->lock);
  gsize size = *live;
  gboolean is_live = size > 0;
  *live = 0;
  if (is_live) {
    ranges_give_back (arena, (Range){ .offset = offset, .size = size });
    ranges_serve_waiters (arena);
  }
  g_mutex_unlock (&arena->lock);
  g_return_if_fail (is_live);
}

gsize
vyre_ranges_get_size (const VyreRanges *arena)
{
  g_return_val_if_fail (arena, 0);

  return arena->size;
}

gsize
vyre_ranges_get_used (VyreRanges *arena)
{
  gsize used;

  g_return_val_if_fail (arena, 0);

  vyre_mutex_lock (&arena->lock);
  used = arena->used;
  g_mutex_unlock (&arena->lock);
  return used;
}
