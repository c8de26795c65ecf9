/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How long a borrower waits for memory.
 */
#include "vyre/borrower.h"

#include "device/store-private.h"
#include "vyre/clock.h"

/* How long a borrower waits for slices that come back by no work of its own. */
#define PATIENCE_US G_TIME_SPAN_SECOND

struct _VyreBorrower {
  VyreStore *store;
  VyreLoans loans;        /* guarded by the store's allocator */
  gboolean keeps_nothing; /* atomic */
  gboolean was_in_vain;   /* the last wait for others; atomic */
};

/* A thread that waits for a slice, for as long as borrower_hopes() says */
typedef struct {
  VyreBorrower *borrower;
  VyreProspectFunc prospect;
  gpointer data;
  VyreClock clock;
  gint64 end; /* of a wait for others; 0 before the first look */
  guint n_returned;
} Wait;

VyreBorrower *
vyre_borrower_new (VyreStore *store)
{
  VyreBorrower *borrower = g_new0 (VyreBorrower, 1);

  borrower->store = vyre_store_ref (store);
  return borrower;
}

void
vyre_borrower_leave (VyreBorrower *borrower)
{
  g_return_if_fail (borrower);

  if (!vyre_store_is_inherited (borrower->store))
    vyre_ranges_leave (vyre_store_get_ranges (borrower->store), &borrower->loans);
}

void
vyre_borrower_free (VyreBorrower *borrower)
{
  if (!borrower)
    return;
  vyre_borrower_leave (borrower);
  vyre_store_unref (borrower->store);
  g_free (borrower);
}

void
vyre_borrower_set_keeps_nothing (VyreBorrower *borrower)
{
  g_return_if_fail (borrower);

  g_atomic_int_set (&borrower->keeps_nothing, TRUE);
}

/* Called without a lock. TRUE while the wait is worth it. */
static gboolean
borrower_hopes (guint n_returned, gsize lent, gpointer data)
{
  Wait *wait = data;
  VyreBorrower *borrower = wait->borrower;
  VyreProspect prospect = wait->prospect (wait->data);
  gint64 now = vyre_clock_now (&wait->clock);

  if (prospect == VYRE_PROSPECT_NONE)
    return FALSE;
  if (wait->end == 0 || n_returned != wait->n_returned || prospect == VYRE_PROSPECT_OWN)
    wait->end = now + PATIENCE_US;
  wait->n_returned = n_returned;
  if (prospect == VYRE_PROSPECT_OWN)
    return TRUE;
  if (g_atomic_int_get (&borrower->was_in_vain)
      || (lent > 0 && !g_atomic_int_get (&borrower->keeps_nothing)))
    return FALSE;
  g_atomic_int_set (&borrower->was_in_vain, now >= wait->end);
  return now < wait->end;
}

gboolean
vyre_borrower_lend (
    VyreBorrower *borrower, gsize size, VyreProspectFunc prospect, gpointer data, gsize *offset)
{
  g_return_val_if_fail (borrower, FALSE);

  if (vyre_store_is_inherited (borrower->store))
    return FALSE;
  VyreRanges *ranges = vyre_store_get_ranges (borrower->store);
  gboolean lent = vyre_ranges_lend (ranges, &borrower->loans, size, offset);
  if (!lent && prospect) {
    Wait wait = { .borrower = borrower, .prospect = prospect, .data = data };
    lent = vyre_ranges_lend_wait (ranges, &borrower->loans, size, borrower_hopes, &wait, offset);
  }
  if (lent && g_atomic_int_get (&borrower->was_in_vain))
    g_atomic_int_set (&borrower->was_in_vain, FALSE);
  return lent;
}

gboolean
vyre_borrower_can_lend (VyreBorrower *borrower, gsize size)
{
  g_return_val_if_fail (borrower, FALSE);

  return !vyre_store_is_inherited (borrower->store)
         && vyre_ranges_can_lend (vyre_store_get_ranges (borrower->store), &borrower->loans, size);
}

void
vyre_borrower_give_back (VyreBorrower *borrower, gsize offset)
{
  g_return_if_fail (borrower);

  if (!vyre_store_is_inherited (borrower->store))
    vyre_ranges_return (vyre_store_get_ranges (borrower->store), &borrower->loans, offset);
}

gsize
vyre_borrower_get_need (VyreBorrower *borrower, gsize size)
{
  g_return_val_if_fail (borrower, 0);

  return vyre_store_is_inherited (borrower->store)
             ? 0
             : vyre_ranges_get_need (
                 vyre_store_get_ranges (borrower->store), &borrower->loans, size);
}
