/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Internal: the code that all publishers share. It stores a slot's words in a ring while a kernel
 * reads the ring, and its one loop checks every slot before it writes any.
 */
#pragma once

#include "kernel.h"
#include "vyre/parts.h"
#include "vyre/publish-slots.h"
#include "abi/shared-words.h"
#include "vyre/work-items.h"

G_BEGIN_DECLS

#define VYRE_SLOT_BYTES (4 * (gsize)VYRE_SLOT_WORDS)

/* Makes the words of slot @i of @source, which are all 0 before. Called twice for each slot, with
 * the same result. */
typedef gboolean (*VyreSlotEncoder) (gconstpointer source, guint i, guint32 *words, GError **error);

void vyre_slot_store (void *ring, gsize slot, const guint32 *words, guint n_words);
void vyre_slot_store_encoded (
    void *ring, gsize slot, VyreSlotEncoder encode, gconstpointer source, guint i, guint n_words);
void vyre_slot_encode_header (guint32 *words, guint32 opcode, guint32 tenant);

gboolean vyre_publish_check_room (gsize size, guint32 start, guint64 n, GError **error);
gboolean vyre_publish_refuse (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);
gboolean vyre_publish_each (void *ring, gsize size, guint32 start, guint64 n,
    VyreSlotEncoder encode, gconstpointer source, GError **error);

G_END_DECLS
