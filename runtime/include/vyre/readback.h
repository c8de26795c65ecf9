/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/**
 * SECTION:readback
 * @title: Readback
 * @short_description: The parts that a kernel leaves
 *
 * Readers of the ring and of the debug log, and #VyreReadback, which holds the four parts of one
 * batch. Readers are strict (vyre_read_…(), vyre_count_…()) or lenient (vyre_peek_…()), as in
 * vyre/control.h.
 */

#include <glib.h>

#include "vyre/parts.h"

G_BEGIN_DECLS

/**
 * VyreDebugRecord:
 * @words: the format id and three arguments
 *
 * A PRINTF record.
 */
typedef struct {
  guint32 words[VYRE_DEBUG_RECORD_WORDS];
} VyreDebugRecord;

/**
 * VyreReadback:
 *
 * The four parts of one batch, in its own memory, which it keeps from one batch to the next. It may
 * be empty. One thread at a time may use it.
 */
typedef struct _VyreReadback VyreReadback;

/**
 * vyre_read_debug_log:
 * @log: a debug log of any capacity
 * @size: its bytes
 * @records: (out caller-allocates): its records
 * @n_records: records that @records has room for; a kernel's log has at most
 *   VYRE_DEBUG_RECORDS
 * @n: (out): records read
 * @error: return location
 *
 * Reads the records of a debug log.
 *
 * Returns: whether the log could be read; otherwise %VYRE_ERROR_MISALIGNED,
 *   %VYRE_ERROR_MISSING_WORD for a cursor outside the log or inside a record, or
 *   %VYRE_ERROR_NO_SPACE, and there are no records
 */
gboolean vyre_read_debug_log (const void *log, gsize size, VyreDebugRecord *records,
    guint n_records, guint *n, GError **error);

/**
 * vyre_peek_debug_log:
 * @log: a debug log, of any length
 * @size: its bytes
 * @records: (out caller-allocates): its records
 * @n_records: records that @records has room for
 *
 * Reads all whole records of a debug log that may be damaged, and ignores its cursor.
 *
 * Returns: how many records were read
 */
guint vyre_peek_debug_log (const void *log, gsize size, VyreDebugRecord *records, guint n_records);

/**
 * vyre_count_done_slots:
 * @ring: a ring
 * @size: its bytes
 * @n_slots: how many slots, from the first, to look at
 * @n_done: (out): how many of them are DONE
 * @error: return location
 *
 * Counts the slots of a ring that are DONE.
 *
 * Returns: whether the ring has @n_slots slots, which is always true of 0;
 *   otherwise %VYRE_ERROR_TOO_LARGE when no ring can, %VYRE_ERROR_MISALIGNED or
 *   %VYRE_ERROR_MISSING_WORD
 */
gboolean vyre_count_done_slots (
    const void *ring, gsize size, guint64 n_slots, guint64 *n_done, GError **error);

/**
 * vyre_peek_done_slots:
 * @ring: a ring, of any length, whole words or not
 * @size: its bytes
 * @n_slots: how many slots, from the first, to look at
 * @n_done: (out): how many of them are DONE
 *
 * Counts the slots of a ring that are DONE, where the ring may be damaged.
 *
 * Returns: whether @n_slots is not 0 and the ring has them all
 */
gboolean vyre_peek_done_slots (const void *ring, gsize size, guint64 n_slots, guint64 *n_done);

/**
 * vyre_readback_new:
 *
 * Makes an empty readback.
 *
 * Returns: (transfer full): the readback
 */
VyreReadback *vyre_readback_new (void);

/**
 * vyre_readback_free:
 * @readback: (transfer full): a readback
 *
 * Frees a readback.
 */
void vyre_readback_free (VyreReadback *readback);

/**
 * vyre_readback_fill:
 * @readback: a readback
 * @buffers: (array length=n_buffers): the four parts, in ABI order, outside of the memory
 *   of @readback
 * @lengths: (array length=n_buffers): bytes of each
 * @n_buffers: how many there are
 * @n_slots: slots the ring should have
 * @error: return location
 *
 * Validates the parts of a batch as vyre_readback_validate() does, and copies them into a readback.
 *
 * Returns: whether they are the parts of a batch; otherwise the readback is as before,
 *   and the error is one of vyre_readback_validate() or %VYRE_ERROR_NO_SPACE
 */
gboolean vyre_readback_fill (VyreReadback *readback, const void *const *buffers,
    const gsize *lengths, guint n_buffers, guint32 n_slots, GError **error);

/**
 * vyre_readback_swap:
 * @a: a readback
 * @b: a readback
 *
 * Exchanges content and memory of two readbacks, without a copy or an allocation. A consumer drains
 * a readback so: it clears its own and swaps the two, and the drained one is empty and has the
 * consumer's memory for the next batch.
 */
void vyre_readback_swap (VyreReadback *a, VyreReadback *b);

/**
 * vyre_readback_clear:
 * @readback: a readback
 *
 * Empties a readback, which keeps its memory.
 */
void vyre_readback_clear (VyreReadback *readback);

/**
 * vyre_readback_is_empty:
 * @readback: a readback
 *
 * Tells whether a readback is empty.
 *
 * Returns: whether the readback holds no batch: it is new, or was cleared
 */
gboolean vyre_readback_is_empty (const VyreReadback *readback);

/**
 * vyre_readback_get_part:
 * @readback: a readback
 * @part: a part
 * @length: (out): its bytes; 0 of an empty readback
 *
 * Gets one part.
 *
 * Returns: (transfer none) (array length=length) (nullable): the part, until the
 *   readback is filled, swapped or freed
 */
const guint8 *vyre_readback_get_part (const VyreReadback *readback, VyrePart part, gsize *length);

/**
 * vyre_readback_get_total:
 * @readback: a readback
 *
 * Gets the size of a readback.
 *
 * Returns: bytes of all its parts
 */
gsize vyre_readback_get_total (const VyreReadback *readback);

/**
 * vyre_readback_get_n_slots:
 * @readback: a readback
 *
 * Gets the number of slots.
 *
 * Returns: slots of its ring; 0 when it is empty
 */
guint32 vyre_readback_get_n_slots (const VyreReadback *readback);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreReadback, vyre_readback_free)

G_END_DECLS
