/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a kernel leaves behind: readers of the ring and of the debug log, and
 * VyreReadback, which holds the four parts of one batch. Readers are strict
 * (vyre_read_…(), vyre_count_…()) or lenient (vyre_peek_…()), as in
 * vyre/control.h.
 */
#pragma once

#include <glib.h>

#include "vyre/parts.h"

G_BEGIN_DECLS

/**
 * VyreDebugRecord:
 * @words: format id and three arguments
 *
 * A PRINTF record.
 */
typedef struct {
  guint32 words[VYRE_DEBUG_RECORD_WORDS];
} VyreDebugRecord;

/**
 * VyreReadback:
 *
 * The four parts of one batch, in memory of its own that is kept from one batch
 * to the next. It may be empty. Not thread-safe: one thread at a time.
 */
typedef struct _VyreReadback VyreReadback;

gboolean vyre_read_debug_log (const void *log, gsize size, VyreDebugRecord *records,
    guint n_records, guint *n, GError **error);
guint vyre_peek_debug_log (const void *log, gsize size, VyreDebugRecord *records, guint n_records);

gboolean vyre_count_done_slots (
    const void *ring, gsize size, guint64 n_slots, guint64 *n_done, GError **error);
gboolean vyre_peek_done_slots (const void *ring, gsize size, guint64 n_slots, guint64 *n_done);

VyreReadback *vyre_readback_new (void);
void vyre_readback_free (VyreReadback *readback);
gboolean vyre_readback_fill (VyreReadback *readback, const void *const *buffers,
    const gsize *lengths, guint n_buffers, guint32 n_slots, GError **error);
void vyre_readback_swap (VyreReadback *a, VyreReadback *b);
void vyre_readback_clear (VyreReadback *readback);
gboolean vyre_readback_is_empty (const VyreReadback *readback);
const guint8 *vyre_readback_get_part (const VyreReadback *readback, VyrePart part, gsize *length);
gsize vyre_readback_get_total (const VyreReadback *readback);
guint32 vyre_readback_get_n_slots (const VyreReadback *readback);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreReadback, vyre_readback_free)

G_END_DECLS
