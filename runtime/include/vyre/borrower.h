/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/**
 * SECTION:borrower
 * @title: Borrower
 * @short_description: A producer that payloads of a store are lent to
 *
 * Producers borrow slices of a staging store and may keep them for any time. What is lent lies at
 * the end of the store and leaves room for the largest slice that was asked for so far, so a
 * payload of other memory that comes in front still finds room to be copied in. Of n borrowers each
 * may have an nth of what can be lent, or one slice, and beyond that what the others have never
 * wanted of their parts: a borrower that keeps what it has takes nothing from the others.
 *
 * All functions may be called from any thread. In a child of the process that made the store
 * nothing is lent, and nothing goes back.
 */

#include "vyre/store.h"

G_BEGIN_DECLS

/**
 * VyreBorrower:
 *
 * A borrower.
 */
typedef struct _VyreBorrower VyreBorrower;

/**
 * VyreProspect:
 * @VYRE_PROSPECT_NONE: the borrower shall not wait
 * @VYRE_PROSPECT_OTHERS: no slice of the borrower is going to come back by itself
 * @VYRE_PROSPECT_OWN: the device works on slices of the borrower, which are going to come back
 *
 * Where a slice for a borrower may come from.
 */
typedef enum {
  VYRE_PROSPECT_NONE,
  VYRE_PROSPECT_OTHERS,
  VYRE_PROSPECT_OWN,
} VyreProspect;

/**
 * VyreProspectFunc:
 * @data: as given to vyre_borrower_lend()
 *
 * Called about once a millisecond while a thread waits, by that thread.
 *
 * Returns: where a slice may come from
 */
typedef VyreProspect (*VyreProspectFunc) (gpointer data);

/**
 * vyre_borrower_new:
 * @store: a store
 *
 * Makes a borrower. It shares the store with others from its first request on.
 *
 * Returns: (transfer full): a borrower with a reference to @store
 */
VyreBorrower *vyre_borrower_new (VyreStore *store);

/**
 * vyre_borrower_free:
 * @borrower: (transfer full): a borrower that has given everything back
 *
 * Frees a borrower.
 */
void vyre_borrower_free (VyreBorrower *borrower);

/**
 * vyre_borrower_leave:
 * @borrower: a borrower
 *
 * Leaves the borrower's part to others, until it asks again. It may keep what it has.
 */
void vyre_borrower_leave (VyreBorrower *borrower);

/**
 * vyre_borrower_set_keeps_nothing:
 * @borrower: a borrower
 *
 * Tells that the producer hands out each slice before it asks for the next one. It then waits for
 * its own slices also while the device works on none of them.
 */
void vyre_borrower_set_keeps_nothing (VyreBorrower *borrower);

/**
 * vyre_borrower_lend:
 * @borrower: a borrower
 * @size: bytes wanted
 * @prospect: (nullable) (scope call): tells where a slice may come from; %NULL to not wait
 * @data: for @prospect
 * @offset: (out): the start of the slice, in bytes
 *
 * Borrows a slice, and waits for one as long as that is worth it: while the device works on slices
 * of the borrower; and where the borrower has none, or keeps none, until no slice of any borrower
 * has come back for a second. After such a wait in vain, the borrower waits for others no more
 * until a slice was lent again. Waiting threads are served in the order in which they came.
 *
 * Returns: whether a slice was lent
 */
gboolean vyre_borrower_lend (
    VyreBorrower *borrower, gsize size, VyreProspectFunc prospect, gpointer data, gsize *offset);

/**
 * vyre_borrower_can_lend:
 * @borrower: a borrower
 * @size: bytes
 *
 * Tells whether a slice would be lent without a wait.
 *
 * Returns: whether vyre_borrower_lend() would have found a slice of @size bytes just now
 */
gboolean vyre_borrower_can_lend (VyreBorrower *borrower, gsize size);

/**
 * vyre_borrower_give_back:
 * @borrower: a borrower
 * @offset: a slice that it was lent
 *
 * Gives a slice back.
 */
void vyre_borrower_give_back (VyreBorrower *borrower, gsize offset);

/**
 * vyre_borrower_get_need:
 * @borrower: a borrower
 * @size: bytes
 *
 * Tells how large the store would have to be.
 *
 * Returns: bytes with which @size more would have been lent just now, beside the room that is left
 *   for others
 */
gsize vyre_borrower_get_need (VyreBorrower *borrower, gsize size);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreBorrower, vyre_borrower_free)

G_END_DECLS
