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
find_free (VyreRanges *arena, gsize offset)
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
take (VyreRanges *arena, gsize size, gsize *offset)
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
find_lendable (VyreRanges *arena, gsize size, gsize largest)
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
take_last (VyreRanges *arena, gsize size, gsize *offset)
{
  guint i = find_lendable (arena, size, arena->largest);

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
give_back (VyreRanges *arena, Range range)
{
  GArray *ranges = arena->free_ranges;
  guint next = find_free (arena, range.offset);
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
serve_waiters (VyreRanges *arena)
{
  Waiter *waiter;

  while ((waiter = g_queue_peek_head (&arena->waiters))
         && take (arena, waiter->size, &waiter->offset)) {
    g_queue_unlink (&arena->waiters, &waiter->link);
    waiter->served = TRUE;
    g_cond_signal (&waiter->wake);
  }
}

/* Waits with the lock held for a place at the head of the queue and for space. */
static gboolean
wait_for_space (VyreRanges *arena, gsize size, gint64 end_time, gsize *offset)
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
    serve_waiters (arena);
  }
  g_cond_clear (&waiter.wake);
  return waiter.served;
}

static gsize
round_up (VyreRanges *arena, gsize size)
{
  return (MAX (size, 1) + arena->alignment - 1) & ~(arena->alignment - 1);
}

/* Rounds @size up and takes note of it, with the lock, which it takes; FALSE, without the lock, if
 * that is more than there is. Comparing first keeps the rounding from overflowing: the arena's size
 * is rounded already. */
static gboolean
ask_for (VyreRanges *arena, gsize *size)
{
  if (MAX (*size, 1) > arena->size)
    return FALSE;
  *size = round_up (arena, *size);
  vyre_mutex_lock (&arena->lock);
  if (*size > arena->largest)
    __atomic_store_n (&arena->largest, *size, __ATOMIC_RELAXED);
  return TRUE;
}

/**
 * vyre_ranges_new:
 * @size: bytes in the region; rounded down to a multiple of @alignment
 * @alignment: a power of two, 1 or more, in bytes
 * @error: return location
 *
 * Makes an allocator for the offsets 0 to @size of a region. Every range that
 * it hands out starts at a multiple of @alignment and ends at one. An arena
 * smaller than @alignment is empty: nothing can be allocated from it.
 *
 * Returns: (transfer full) (nullable): an arena, to be freed with vyre_ranges_destroy(), or
 *     %NULL with %VYRE_ERROR_NO_SPACE
 */
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

/**
 * vyre_ranges_destroy:
 * @ranges: (nullable) (transfer full): an arena
 *
 * Frees the allocator; the region itself is not its own. Ranges that are still
 * live are forgotten. No other thread may be in a call on @ranges.
 */
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

/**
 * vyre_ranges_alloc:
 * @ranges: an arena
 * @size: bytes, rounded up to a multiple of the alignment; 0 counts as 1
 * @offset: (out): offset of the range in bytes, written on success only
 *
 * Allocates a range if there is one now. It fails while another thread is in
 * vyre_ranges_alloc_wait() even where the space would do, because the space is
 * kept for the one who waits. May be called from any thread; never blocks for
 * longer than another thread's call takes.
 *
 * Returns: whether a range was allocated; give it back with vyre_ranges_free()
 */
gboolean
vyre_ranges_alloc (VyreRanges *arena, gsize size, gsize *offset)
{
  return vyre_ranges_alloc_wait (arena, size, 0, offset);
}

/**
 * vyre_ranges_alloc_wait:
 * @ranges: an arena
 * @size: bytes, rounded up to a multiple of the alignment; 0 counts as 1
 * @end_time: until when to wait, in microseconds of g_get_monotonic_time(), and longer by
 *     what the process stands still meanwhile; a time that has passed means not to wait,
 *     %G_MAXINT64 to wait for ever
 * @offset: (out): offset of the range in bytes, written on success only
 *
 * Allocates a range, waiting until there is one. Those who wait are served in
 * the order in which they came, so a big request gets its turn however many
 * small ones there are. A request larger than the arena fails at once.
 * May be called from any thread.
 *
 * Returns: whether a range was allocated; give it back with vyre_ranges_free()
 */
gboolean
vyre_ranges_alloc_wait (VyreRanges *arena, gsize size, gint64 end_time, gsize *offset)
{
  gboolean allocated;

  g_return_val_if_fail (arena, FALSE);
  g_return_val_if_fail (offset, FALSE);

  if (!ask_for (arena, &size))
    return FALSE;
  allocated = g_queue_is_empty (&arena->waiters) && take (arena, size, offset);
  if (!allocated && end_time > g_get_monotonic_time ())
    allocated = wait_for_space (arena, size, end_time, offset);
  g_mutex_unlock (&arena->lock);
  return allocated;
}

/**
 * vyre_ranges_lend:
 * @ranges: an arena
 * @size: bytes, rounded up to a multiple of the alignment; 0 counts as 1
 * @offset: (out): offset of the range in bytes, written on success only
 *
 * Allocates a range at the end of the arena for somebody who may keep it for long. What is
 * lent leaves room in one piece for the largest range that was ever asked for, this one
 * included. As vyre_ranges_alloc() it neither waits nor goes before those who do.
 * May be called from any thread.
 *
 * Returns: whether a range was allocated; give it back with vyre_ranges_free()
 */
gboolean
vyre_ranges_lend (VyreRanges *arena, gsize size, gsize *offset)
{
  g_return_val_if_fail (arena, FALSE);
  g_return_val_if_fail (offset, FALSE);

  if (!ask_for (arena, &size))
    return FALSE;
  gboolean lent = g_queue_is_empty (&arena->waiters) && take_last (arena, size, offset);
  g_mutex_unlock (&arena->lock);
  return lent;
}

/**
 * vyre_ranges_can_lend:
 * @ranges: an arena
 * @size: bytes
 *
 * May be called from any thread; other threads may have changed what is free by the time
 * it is looked at.
 *
 * Returns: whether vyre_ranges_lend() would have a range of @size bytes now
 */
gboolean
vyre_ranges_can_lend (VyreRanges *arena, gsize size)
{
  g_return_val_if_fail (arena, FALSE);

  if (MAX (size, 1) > arena->size)
    return FALSE;
  size = round_up (arena, size);
  vyre_mutex_lock (&arena->lock);
  gboolean can
      = g_queue_is_empty (&arena->waiters)
        && find_lendable (arena, size, MAX (arena->largest, size)) < arena->free_ranges->len;
  g_mutex_unlock (&arena->lock);
  return can;
}

/**
 * vyre_ranges_can_spare:
 * @ranges: an arena
 * @offset: where a live range starts, in bytes
 *
 * Whether the range may stay allocated for as long as somebody likes: it ends in the first half
 * of the arena, and in front of room for the largest range that was ever asked for. If no others
 * are kept, half of the arena can be had in one piece, or as much as was ever asked for if
 * that is more. May be called from any thread.
 *
 * Returns: whether it may
 */
gboolean
vyre_ranges_can_spare (VyreRanges *arena, gsize offset)
{
  g_return_val_if_fail (arena, FALSE);

  gsize end = offset + arena->live[offset / arena->alignment]; /* the caller's, as the range is */
  gsize largest = __atomic_load_n (&arena->largest, __ATOMIC_RELAXED);
  return end <= arena->size / 2 && end <= arena->size - largest;
}

/**
 * vyre_ranges_free:
 * @ranges: an arena
 * @offset: where a live range starts, in bytes
 *
 * Gives a range back, in any order and from any thread, and wakes those for
 * whom there is space now. Freeing an offset at which no live range starts is
 * a programming error: it is reported as a critical and changes nothing.
 */
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
    give_back (arena, (Range){ .offset = offset, .size = size });
    serve_waiters (arena);
  }
  g_mutex_unlock (&arena->lock);
  g_return_if_fail (is_live);
}

/**
 * vyre_ranges_get_size:
 * @ranges: an arena
 *
 * May be called from any thread.
 *
 * Returns: bytes in the arena, a multiple of its alignment
 */
gsize
vyre_ranges_get_size (const VyreRanges *arena)
{
  g_return_val_if_fail (arena, 0);

  return arena->size;
}

/**
 * vyre_ranges_get_used:
 * @ranges: an arena
 *
 * May be called from any thread; other threads may have changed the value by
 * the time it is looked at.
 *
 * Returns: bytes in live ranges, what rounding added included
 */
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
