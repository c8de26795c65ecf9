/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An allocator of offsets in a region of bytes that it does not own: it hands out ranges and takes
 * them back in any order. Thread safe. It never moves a range and never touches its bytes.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _VyreRanges VyreRanges;

/**
 * VyreLoans:
 * @lent: bytes in its live ranges
 * @most: the most that it wanted to have at a time
 * @joined: whether it counts among those that share what can be lent
 * @link: of these
 *
 * The loans of a borrower; zeroed at first. The lock of the allocator guards them.
 */
typedef struct {
  gsize lent;
  gsize most;
  gboolean joined;
  GList link;
} VyreLoans;

/* How often a borrower that waits is asked whether it goes on, in microseconds. */
#define VYRE_RANGES_HOPE_US 1000

/**
 * VyreRangesHopes:
 * @n_returned: lent ranges that came back so far, of all borrowers
 * @lent: bytes that the borrower has
 * @data: of the borrower
 *
 * Called without a lock by a thread that waits in vyre_ranges_lend_wait().
 *
 * Returns: whether the thread goes on to wait
 */
typedef gboolean (*VyreRangesHopes) (guint n_returned, gsize lent, gpointer data);

/**
 * vyre_ranges_new:
 * @size: bytes in the region; rounded down to a multiple of @alignment
 * @alignment: a power of two, 1 or more, in bytes
 * @error: return location
 *
 * Makes an allocator for the offsets 0 to @size of a region. Every range that
 * it hands out starts at a multiple of @alignment and ends at one. With @size
 * below @alignment it is empty: nothing can be allocated from it.
 *
 * Returns: (transfer full) (nullable): a #VyreRanges, to be freed with vyre_ranges_destroy(), or
 *     %NULL with %VYRE_ERROR_NO_SPACE
 */
VyreRanges *vyre_ranges_new (gsize size, gsize alignment, GError **error);

/**
 * vyre_ranges_destroy:
 * @ranges: (nullable) (transfer full): a #VyreRanges
 *
 * Frees the allocator; the region itself is not its own. Ranges that are still
 * live are forgotten. No other thread may be in a call on @ranges.
 */
void vyre_ranges_destroy (VyreRanges *ranges);

/**
 * vyre_ranges_alloc:
 * @ranges: a #VyreRanges
 * @size: bytes, rounded up to a multiple of the alignment; 0 counts as 1
 * @offset: (out): offset of the range in bytes, written on success only
 *
 * Allocates a range if there is one now. While another thread is in
 * vyre_ranges_alloc_wait() it fails even if there is space, which is kept for that
 * thread. May be called from any thread; never blocks for longer than another
 * thread's call takes.
 *
 * Returns: whether a range was allocated; give it back with vyre_ranges_free()
 */
gboolean vyre_ranges_alloc (VyreRanges *ranges, gsize size, gsize *offset);

/**
 * vyre_ranges_alloc_wait:
 * @ranges: a #VyreRanges
 * @size: bytes, rounded up to a multiple of the alignment; 0 counts as 1
 * @end_time: until when to wait, in microseconds of g_get_monotonic_time(), and longer by
 *     what the process stands still meanwhile; a time that has passed means not to wait,
 *     %G_MAXINT64 to wait for ever
 * @offset: (out): offset of the range in bytes, written on success only
 *
 * Allocates a range, waiting until there is one. Waiting threads are served in
 * the order in which they came, so a big request gets its turn however many
 * small ones there are. A request that is larger than the region fails at once.
 * May be called from any thread.
 *
 * Returns: whether a range was allocated; give it back with vyre_ranges_free()
 */
gboolean vyre_ranges_alloc_wait (VyreRanges *ranges, gsize size, gint64 end_time, gsize *offset);

/* How often a thread that waits for space is asked whether it goes on, in microseconds. */
#define VYRE_RANGES_ASK_US 20000

/**
 * VyreRangesGoesOn:
 * @data: of the caller
 *
 * Called without a lock by a thread that waits in vyre_ranges_alloc_while().
 *
 * Returns: whether the thread goes on to wait
 */
typedef gboolean (*VyreRangesGoesOn) (gpointer data);

/**
 * vyre_ranges_alloc_while:
 * @ranges: an allocator
 * @size: bytes wanted
 * @goes_on: asked at first and then every %VYRE_RANGES_ASK_US
 * @data: for @goes_on
 * @offset: (out): where the range starts
 *
 * As vyre_ranges_alloc_wait(), for as long as @goes_on says. Meanwhile the thread keeps its place
 * in line, which it would lose from one wait to the next.
 *
 * Returns: whether a range was allocated
 */
gboolean vyre_ranges_alloc_while (
    VyreRanges *ranges, gsize size, VyreRangesGoesOn goes_on, gpointer data, gsize *offset);

/**
 * vyre_ranges_lend:
 * @ranges: a #VyreRanges
 * @loans: what the borrower has
 * @size: bytes, rounded up to a multiple of the alignment; 0 counts as 1
 * @offset: (out): offset of the range in bytes, written on success only
 *
 * Allocates a range at the end, for a borrower, which may keep it for long. Lent ranges
 * leave room in one piece for the largest range that was ever asked for, this one
 * included. Of n borrowers that have asked, each may have an nth of the rest, or one range, and
 * beyond that what the others have never wanted of theirs. As vyre_ranges_alloc(), it neither waits
 * nor overtakes threads that do. May be called from any thread.
 *
 * Returns: whether a range was allocated; give it back with vyre_ranges_return()
 */
gboolean vyre_ranges_lend (VyreRanges *ranges, VyreLoans *loans, gsize size, gsize *offset);

/**
 * vyre_ranges_lend_wait:
 * @ranges: a #VyreRanges
 * @loans: what the borrower has
 * @size: bytes, rounded up to a multiple of the alignment; 0 counts as 1
 * @hopes: says whether to go on waiting
 * @data: for @hopes
 * @offset: (out): offset of the range in bytes, written on success only
 *
 * As vyre_ranges_lend(), and waits for as long as @hopes says. Borrowers are served in the order in
 * which they came, except those that have their part already, and behind the threads in
 * vyre_ranges_alloc_wait(). A request that leaves no room for another as large fails at once.
 *
 * Returns: whether a range was allocated
 */
gboolean vyre_ranges_lend_wait (VyreRanges *ranges, VyreLoans *loans, gsize size,
    VyreRangesHopes hopes, gpointer data, gsize *offset);

/**
 * vyre_ranges_return:
 * @ranges: a #VyreRanges
 * @loans: what the borrower has
 * @offset: where a range that it was lent starts, in bytes
 *
 * Gives a lent range back, as vyre_ranges_free() does other ranges.
 */
void vyre_ranges_return (VyreRanges *ranges, VyreLoans *loans, gsize offset);

/**
 * vyre_ranges_leave:
 * @ranges: a #VyreRanges
 * @loans: what the borrower has
 *
 * The borrower takes no part until it asks again; it may keep what it has. Before its loans are
 * freed, it leaves.
 */
void vyre_ranges_leave (VyreRanges *ranges, VyreLoans *loans);

/**
 * vyre_ranges_can_lend:
 * @ranges: a #VyreRanges
 * @loans: what the borrower has
 * @size: bytes
 *
 * May be called from any thread; other threads may have changed what is free by the time
 * it is looked at.
 *
 * Returns: whether vyre_ranges_lend() would have a range of @size bytes now
 */
gboolean vyre_ranges_can_lend (VyreRanges *ranges, const VyreLoans *loans, gsize size);

/**
 * vyre_ranges_get_need:
 * @ranges: a #VyreRanges
 * @loans: what the borrower has
 * @size: bytes
 *
 * May be called from any thread.
 *
 * Returns: what there would have to be in all for the borrower to be lent @size bytes now, beside
 *     the room that is left for others
 */
gsize vyre_ranges_get_need (VyreRanges *ranges, const VyreLoans *loans, gsize size);

/**
 * vyre_ranges_can_spare:
 * @ranges: a #VyreRanges
 * @offset: where a live range starts, in bytes
 *
 * A range may stay allocated for any time if it ends in the first half of the region, and in
 * front of room for the largest range that was ever asked for. As long as no other ranges are
 * kept, half of the region is free in one piece, or the largest range that was ever asked for if
 * that is more. May be called from any thread.
 *
 * Returns: whether the range may
 */
gboolean vyre_ranges_can_spare (VyreRanges *ranges, gsize offset);

/**
 * vyre_ranges_free:
 * @ranges: a #VyreRanges
 * @offset: where a live range starts, in bytes
 *
 * Gives a range back, in any order and from any thread, and wakes those for
 * whom there is space now. Freeing an offset at which no live range starts is
 * a programming error: it is reported as a critical and changes nothing.
 */
void vyre_ranges_free (VyreRanges *ranges, gsize offset);

/**
 * VyreRangesVisit:
 * @start: offset in bytes
 * @size: bytes, none of which is allocated
 * @data: of the caller
 *
 * Called with the lock of the allocator, which it may not call.
 */
typedef void (*VyreRangesVisit) (gsize start, gsize size, gpointer data);

/**
 * vyre_ranges_visit_free:
 * @ranges: a #VyreRanges
 * @start: offset in bytes
 * @size: bytes
 * @visit: called if no byte of the region is allocated, and none is before it returns
 * @data: for @visit
 *
 * May be called from any thread.
 */
void vyre_ranges_visit_free (
    VyreRanges *ranges, gsize start, gsize size, VyreRangesVisit visit, gpointer data);

/**
 * vyre_ranges_round_up:
 * @ranges: a #VyreRanges
 * @size: bytes, no more than the region has
 *
 * May be called from any thread; takes no lock.
 *
 * Returns: the bytes that a range of @size bytes takes
 */
gsize vyre_ranges_round_up (const VyreRanges *ranges, gsize size);

/**
 * vyre_ranges_get_length:
 * @ranges: a #VyreRanges
 * @offset: where a live range starts, in bytes
 *
 * May be called from any thread, for a range of its own; takes no lock.
 *
 * Returns: bytes that the range takes; 0 where no live range starts
 */
gsize vyre_ranges_get_length (const VyreRanges *ranges, gsize offset);

/**
 * vyre_ranges_get_size:
 * @ranges: a #VyreRanges
 *
 * May be called from any thread.
 *
 * Returns: bytes in all, a multiple of its alignment
 */
gsize vyre_ranges_get_size (const VyreRanges *ranges);

/**
 * vyre_ranges_get_used:
 * @ranges: a #VyreRanges
 *
 * May be called from any thread; other threads may have changed the value by
 * the time it is looked at.
 *
 * Returns: bytes in live ranges, what rounding added included
 */
gsize vyre_ranges_get_used (VyreRanges *ranges);

G_END_DECLS
