/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An array holds the free ranges in the order of their offsets, and they never touch: freeing is a
 * binary search, allocating takes the first that is large enough. With the few hundred ranges of a
 * staging store, walking a compact array is cheaper than any tree.
 *
 * Lent ranges come from the other end and leave room for the largest range that was ever asked for:
 * borrowers may keep theirs for as long as they like, and other requests still find room in one
 * piece. Of n borrowers each may have an nth of what can be lent, or one range, and beyond that
 * what the others have never wanted of their parts.
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
  VyreLoans *loans; /* of a borrower that waits, or NULL */
  gboolean served;
  GCond wake;
  GList link;
} Waiter;

struct _VyreRanges {
  gsize size;
  gsize alignment;

  GMutex lock; /* guards what follows */
  GArray *free_ranges;
  gsize *live;      /* sizes of the live ranges that start at each unit of alignment; pages of it
                     * that nothing was ever lent from are never touched */
  GQueue waiters;   /* first come, first served */
  GQueue lenders;   /* the same, behind the waiters: Waiter of borrowers */
  GQueue borrowers; /* of VyreLoans: those that have joined */
  guint n_returned; /* lent ranges that came back */
  gsize used;
  gsize largest; /* that was ever asked for and fits; read without the lock, too */
};

/* Index of the first free range at or behind @offset. */
static guint
ranges_find_free (VyreRanges *ranges, gsize offset)
{
  guint low = 0, high = ranges->free_ranges->len;

  while (low < high) {
    guint middle = low + (high - low) / 2;

    if (g_array_index (ranges->free_ranges, Range, middle).offset < offset)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* Takes @size bytes, a multiple of the alignment, from the first range that has them. */
static gboolean
ranges_take (VyreRanges *ranges, gsize size, gsize *offset)
{
  for (guint i = 0; i < ranges->free_ranges->len; i++) {
    Range *range = &g_array_index (ranges->free_ranges, Range, i);

    if (range->size < size)
      continue;
    *offset = range->offset;
    range->offset += size;
    range->size -= size;
    if (range->size == 0)
      g_array_remove_index (ranges->free_ranges, i);
    ranges->used += size;
    ranges->live[*offset / ranges->alignment] = size;
    return TRUE;
  }
  return FALSE;
}

/* The last free range that has @size bytes behind the @largest, or the number of ranges. */
static guint
ranges_find_lendable (VyreRanges *ranges, gsize size, gsize largest)
{
  for (guint i = ranges->free_ranges->len; i > 0; i--) {
    const Range *range = &g_array_index (ranges->free_ranges, Range, i - 1);
    gsize start = MAX (range->offset, largest), end = range->offset + range->size;

    if (end >= start && end - start >= size)
      return i - 1;
  }
  return ranges->free_ranges->len;
}

/* Takes @size bytes, a multiple of the alignment, from the end of the last range that may be
 * lent from. */
static gboolean
ranges_take_last (VyreRanges *ranges, gsize size, gsize *offset)
{
  guint i = ranges_find_lendable (ranges, size, ranges->largest);

  if (i == ranges->free_ranges->len)
    return FALSE;
  Range *range = &g_array_index (ranges->free_ranges, Range, i);
  range->size -= size;
  *offset = range->offset + range->size;
  if (range->size == 0)
    g_array_remove_index (ranges->free_ranges, i);
  ranges->used += size;
  ranges->live[*offset / ranges->alignment] = size;
  return TRUE;
}

/* Gives a range back and joins it with the free ranges that it touches. */
static void
ranges_give_back (VyreRanges *ranges, Range range)
{
  GArray *free_ranges = ranges->free_ranges;
  guint next = ranges_find_free (ranges, range.offset);
  Range *before = next > 0 ? &g_array_index (free_ranges, Range, next - 1) : NULL;
  Range *after = next < free_ranges->len ? &g_array_index (free_ranges, Range, next) : NULL;
  gboolean joins_before = before && before->offset + before->size == range.offset;
  gboolean joins_after = after && range.offset + range.size == after->offset;

  ranges->used -= range.size;
  if (joins_before && joins_after) {
    before->size += range.size + after->size;
    g_array_remove_index (free_ranges, next);
  } else if (joins_before) {
    before->size += range.size;
  } else if (joins_after) {
    after->offset = range.offset;
    after->size += range.size;
  } else {
    g_array_insert_val (free_ranges, next, range);
  }
}

/* Hands space to waiters, in their order, up to the first for which there is too little: what is
 * free now is kept for it, or small requests would starve a big one. */
static void
ranges_serve_waiters (VyreRanges *ranges)
{
  Waiter *waiter;

  while ((waiter = g_queue_peek_head (&ranges->waiters))
         && ranges_take (ranges, waiter->size, &waiter->offset)) {
    g_queue_unlink (&ranges->waiters, &waiter->link);
    waiter->served = TRUE;
    g_cond_signal (&waiter->wake);
  }
}

/* Whether a borrower with @loans may have @size bytes more: its first range, its part, or what the
 * others leave of theirs. */
static gboolean
ranges_may_lend (const VyreRanges *ranges, const VyreLoans *loans, gsize size)
{
  gsize all = ranges->size - ranges->largest, wanted = loans->lent + size;
  gsize part = all / (ranges->borrowers.length + !loans->joined);

  if (loans->lent == 0 || wanted <= part)
    return TRUE;
  for (const GList *l = ranges->borrowers.head; l; l = l->next) {
    const VyreLoans *other = l->data;
    if (other != loans)
      wanted += MIN (other->most, part);
  }
  return wanted <= all;
}

static gboolean
ranges_lend_now (VyreRanges *ranges, VyreLoans *loans, gsize size, gsize *offset)
{
  if (!ranges_may_lend (ranges, loans, size) || !ranges_take_last (ranges, size, offset))
    return FALSE;
  loans->lent += size;
  return TRUE;
}

/* The first borrower that waits for space, and not for what it has itself; or NULL. */
static Waiter *
ranges_find_lender (VyreRanges *ranges)
{
  for (GList *l = ranges->lenders.head; l; l = l->next) {
    Waiter *waiter = l->data;
    if (ranges_may_lend (ranges, waiter->loans, waiter->size))
      return waiter;
  }
  return NULL;
}

/* Hands space to borrowers that wait, behind the waiters, as ranges_serve_waiters() does. */
static void
ranges_serve_lenders (VyreRanges *ranges)
{
  Waiter *waiter;

  while (g_queue_is_empty (&ranges->waiters) && (waiter = ranges_find_lender (ranges))
         && ranges_lend_now (ranges, waiter->loans, waiter->size, &waiter->offset)) {
    g_queue_unlink (&ranges->lenders, &waiter->link);
    waiter->served = TRUE;
    g_cond_signal (&waiter->wake);
  }
}

static void
ranges_serve (VyreRanges *ranges)
{
  ranges_serve_waiters (ranges);
  ranges_serve_lenders (ranges);
}

/* The lock is held. Gets in line for space. */
static void
ranges_get_in_line (VyreRanges *ranges, Waiter *waiter)
{
  g_cond_init (&waiter->wake);
  waiter->link.data = waiter;
  g_queue_push_tail_link (&ranges->waiters, &waiter->link);
}

/* The lock is held. Leaves the line, with the space or without. */
static gboolean
ranges_leave_line (VyreRanges *ranges, Waiter *waiter, gsize *offset)
{
  if (waiter->served) {
    *offset = waiter->offset;
  } else {
    g_queue_unlink (&ranges->waiters, &waiter->link);
    /* it may have been the only waiter that did not fit */
    ranges_serve (ranges);
  }
  g_cond_clear (&waiter->wake);
  return waiter->served;
}

/* The lock is held. Waits for a place at the head of the queue and for space. */
static gboolean
ranges_wait_for_space (VyreRanges *ranges, gsize size, gint64 end_time, gsize *offset)
{
  Waiter waiter = { .size = size };
  VyreClock clock = { 0 };

  ranges_get_in_line (ranges, &waiter);
  while (!waiter.served && vyre_clock_now (&clock) < end_time)
    g_cond_wait_until (&waiter.wake, &ranges->lock, vyre_clock_next (&clock, end_time));
  return ranges_leave_line (ranges, &waiter, offset);
}

/* The lock is held, and dropped while the caller is asked. The same, for as long as it goes on. */
static gboolean
ranges_wait_while (
    VyreRanges *ranges, gsize size, VyreRangesGoesOn goes_on, gpointer data, gsize *offset)
{
  Waiter waiter = { .size = size };
  gboolean waits = TRUE;

  ranges_get_in_line (ranges, &waiter);
  while (!waiter.served && waits) {
    g_mutex_unlock (&ranges->lock);
    waits = goes_on (data);
    vyre_mutex_lock (&ranges->lock);
    if (!waiter.served && waits)
      g_cond_wait_until (&waiter.wake, &ranges->lock, g_get_monotonic_time () + VYRE_RANGES_ASK_US);
  }
  return ranges_leave_line (ranges, &waiter, offset);
}

gsize
vyre_ranges_round_up (const VyreRanges *ranges, gsize size)
{
  return (MAX (size, 1) + ranges->alignment - 1) & ~(ranges->alignment - 1);
}

/* Takes the lock, rounds @size up and notes it. FALSE, without the lock: @size is more than
 * there is. Comparing first keeps the rounding from overflowing: the total is rounded already. */
static gboolean
ranges_ask_for (VyreRanges *ranges, gsize *size)
{
  if (MAX (*size, 1) > ranges->size)
    return FALSE;
  *size = vyre_ranges_round_up (ranges, *size);
  vyre_mutex_lock (&ranges->lock);
  if (*size
      > ranges->largest) /* pairs with the load in vyre_ranges_can_spare(), and orders nothing */
    __atomic_store_n (&ranges->largest, *size, __ATOMIC_RELAXED);
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
  VyreRanges *ranges = g_new0 (VyreRanges, 1);

  ranges->size = size;
  ranges->alignment = alignment;
  g_mutex_init (&ranges->lock);
  ranges->free_ranges = g_array_new (FALSE, FALSE, sizeof (Range));
  ranges->live = live;
  g_queue_init (&ranges->waiters);
  g_queue_init (&ranges->lenders);
  g_queue_init (&ranges->borrowers);
  if (ranges->size > 0) {
    Range all = { .offset = 0, .size = ranges->size };

    g_array_append_val (ranges->free_ranges, all);
  }
  return ranges;
}

void
vyre_ranges_destroy (VyreRanges *ranges)
{
  if (!ranges)
    return;
  g_return_if_fail (g_queue_is_empty (&ranges->waiters) && g_queue_is_empty (&ranges->lenders));

  g_free (ranges->live);
  g_array_unref (ranges->free_ranges);
  g_mutex_clear (&ranges->lock);
  g_free (ranges);
}

gboolean
vyre_ranges_alloc (VyreRanges *ranges, gsize size, gsize *offset)
{
  return vyre_ranges_alloc_wait (ranges, size, 0, offset);
}

gboolean
vyre_ranges_alloc_wait (VyreRanges *ranges, gsize size, gint64 end_time, gsize *offset)
{
  g_return_val_if_fail (ranges, FALSE);
  g_return_val_if_fail (offset, FALSE);

  if (!ranges_ask_for (ranges, &size))
    return FALSE;
  gboolean allocated = g_queue_is_empty (&ranges->waiters) && ranges_take (ranges, size, offset);
  if (!allocated && end_time > g_get_monotonic_time ())
    allocated = ranges_wait_for_space (ranges, size, end_time, offset);
  g_mutex_unlock (&ranges->lock);
  return allocated;
}

gboolean
vyre_ranges_alloc_while (
    VyreRanges *ranges, gsize size, VyreRangesGoesOn goes_on, gpointer data, gsize *offset)
{
  g_return_val_if_fail (ranges, FALSE);
  g_return_val_if_fail (offset, FALSE);

  if (!ranges_ask_for (ranges, &size))
    return FALSE;
  gboolean allocated = (g_queue_is_empty (&ranges->waiters) && ranges_take (ranges, size, offset))
                       || ranges_wait_while (ranges, size, goes_on, data, offset);
  g_mutex_unlock (&ranges->lock);
  return allocated;
}

/* The lock is held. A borrower asks for @size bytes. */
static void
ranges_note_asked (VyreRanges *ranges, VyreLoans *loans, gsize size)
{
  loans->most = MAX (loans->most, loans->lent + size);
  if (loans->joined)
    return;
  loans->joined = TRUE;
  loans->link.data = loans;
  g_queue_push_tail_link (&ranges->borrowers, &loans->link);
}

/* The lock is held. TRUE if a borrower that comes now waits for nobody. */
static gboolean
ranges_has_no_line (VyreRanges *ranges)
{
  return g_queue_is_empty (&ranges->waiters) && !ranges_find_lender (ranges);
}

gboolean
vyre_ranges_lend (VyreRanges *ranges, VyreLoans *loans, gsize size, gsize *offset)
{
  g_return_val_if_fail (ranges, FALSE);
  g_return_val_if_fail (offset, FALSE);

  if (!ranges_ask_for (ranges, &size))
    return FALSE;
  ranges_note_asked (ranges, loans, size);
  gboolean lent = ranges_has_no_line (ranges) && ranges_lend_now (ranges, loans, size, offset);
  g_mutex_unlock (&ranges->lock);
  return lent;
}

/* The lock is held. Waits in the line of borrowers for as long as @hopes. */
static gboolean
ranges_wait_to_borrow (VyreRanges *ranges, Waiter *waiter, VyreRangesHopes hopes, gpointer data)
{
  gboolean goes_on = TRUE;

  g_cond_init (&waiter->wake);
  waiter->link.data = waiter;
  g_queue_push_tail_link (&ranges->lenders, &waiter->link);
  ranges_serve_lenders (ranges);
  while (!waiter->served && goes_on) {
    guint n_returned = ranges->n_returned;
    gsize lent = waiter->loans->lent;
    g_mutex_unlock (&ranges->lock);
    goes_on = hopes (n_returned, lent, data);
    vyre_mutex_lock (&ranges->lock);
    if (!waiter->served && goes_on)
      g_cond_wait_until (
          &waiter->wake, &ranges->lock, g_get_monotonic_time () + VYRE_RANGES_HOPE_US);
  }
  if (!waiter->served) {
    g_queue_unlink (&ranges->lenders, &waiter->link);
    ranges_serve_lenders (ranges); /* it may have been the first in line */
  }
  g_cond_clear (&waiter->wake);
  return waiter->served;
}

gboolean
vyre_ranges_lend_wait (VyreRanges *ranges, VyreLoans *loans, gsize size, VyreRangesHopes hopes,
    gpointer data, gsize *offset)
{
  g_return_val_if_fail (ranges, FALSE);
  g_return_val_if_fail (offset, FALSE);

  if (!ranges_ask_for (ranges, &size))
    return FALSE;
  ranges_note_asked (ranges, loans, size);
  Waiter waiter = { .size = size, .loans = loans };
  gboolean lent = size <= ranges->size - ranges->largest
                  && ranges_wait_to_borrow (ranges, &waiter, hopes, data);
  g_mutex_unlock (&ranges->lock);
  if (lent)
    *offset = waiter.offset;
  return lent;
}

gboolean
vyre_ranges_can_lend (VyreRanges *ranges, const VyreLoans *loans, gsize size)
{
  g_return_val_if_fail (ranges, FALSE);

  if (MAX (size, 1) > ranges->size)
    return FALSE;
  size = vyre_ranges_round_up (ranges, size);
  vyre_mutex_lock (&ranges->lock);
  gboolean can = ranges_has_no_line (ranges) && ranges_may_lend (ranges, loans, size)
                 && ranges_find_lendable (ranges, size, MAX (ranges->largest, size))
                        < ranges->free_ranges->len;
  g_mutex_unlock (&ranges->lock);
  return can;
}

void
vyre_ranges_leave (VyreRanges *ranges, VyreLoans *loans)
{
  g_return_if_fail (ranges);

  vyre_mutex_lock (&ranges->lock);
  if (loans->joined)
    g_queue_unlink (&ranges->borrowers, &loans->link);
  loans->joined = FALSE;
  loans->most = loans->lent;
  ranges_serve_lenders (ranges);
  g_mutex_unlock (&ranges->lock);
}

gsize
vyre_ranges_get_need (VyreRanges *ranges, const VyreLoans *loans, gsize size)
{
  g_return_val_if_fail (ranges, 0);

  vyre_mutex_lock (&ranges->lock);
  gsize need = (loans->lent + size) * (ranges->borrowers.length + !loans->joined);
  need = MAX (need, ranges->used + size);
  g_mutex_unlock (&ranges->lock);
  return need;
}

gboolean
vyre_ranges_can_spare (VyreRanges *ranges, gsize offset)
{
  g_return_val_if_fail (ranges, FALSE);

  gsize end = offset + vyre_ranges_get_length (ranges, offset);
  /* pairs with the store in ranges_ask_for() */
  gsize largest = __atomic_load_n (&ranges->largest, __ATOMIC_RELAXED);
  return end <= ranges->size / 2 && end <= ranges->size - largest;
}

/* Frees the range at @offset, of a borrower unless @loans is NULL. */
static void
ranges_free (VyreRanges *ranges, VyreLoans *loans, gsize offset)
{
  g_return_if_fail (ranges);
  g_return_if_fail (offset < ranges->size && offset % ranges->alignment == 0);

  gsize *live = &ranges->live[offset / ranges->alignment];
  vyre_mutex_lock (&ranges->lock);
  gsize size = *live;
  gboolean is_live = size > 0;
  *live = 0;
  if (is_live) {
    ranges_give_back (ranges, (Range){ .offset = offset, .size = size });
    if (loans) {
      loans->lent -= size;
      ranges->n_returned++;
    }
    ranges_serve (ranges);
  }
  g_mutex_unlock (&ranges->lock);
  g_return_if_fail (is_live);
}

void
vyre_ranges_free (VyreRanges *ranges, gsize offset)
{
  ranges_free (ranges, NULL, offset);
}

void
vyre_ranges_return (VyreRanges *ranges, VyreLoans *loans, gsize offset)
{
  ranges_free (ranges, loans, offset);
}

void
vyre_ranges_visit_free (
    VyreRanges *ranges, gsize start, gsize size, VyreRangesVisit visit, gpointer data)
{
  g_return_if_fail (ranges);

  vyre_mutex_lock (&ranges->lock);
  for (guint i = 0; i < ranges->free_ranges->len; i++) {
    const Range *range = &g_array_index (ranges->free_ranges, Range, i);
    if (range->offset <= start && start + size <= range->offset + range->size) {
      visit (start, size, data);
      break;
    }
  }
  g_mutex_unlock (&ranges->lock);
}

gsize
vyre_ranges_get_length (const VyreRanges *ranges, gsize offset)
{
  g_return_val_if_fail (ranges, 0);
  g_return_val_if_fail (offset < ranges->size && offset % ranges->alignment == 0, 0);

  return ranges->live[offset / ranges->alignment]; /* no lock: the range is the caller's */
}

gsize
vyre_ranges_get_size (const VyreRanges *ranges)
{
  g_return_val_if_fail (ranges, 0);

  return ranges->size;
}

gsize
vyre_ranges_get_used (VyreRanges *ranges)
{
  g_return_val_if_fail (ranges, 0);

  vyre_mutex_lock (&ranges->lock);
  gsize used = ranges->used;
  g_mutex_unlock (&ranges->lock);
  return used;
}
