/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An offset allocator over a region somebody else owns: it hands out ranges of
 * a region of bytes and takes them back in any order. Thread safe. Ranges are
 * never moved and never touched.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _VyreArena VyreRanges;

VyreRanges *vyre_ranges_new (gsize size, gsize alignment, GError **error);
void vyre_ranges_destroy (VyreRanges *arena);
gboolean vyre_ranges_alloc (VyreRanges *arena, gsize size, gsize *offset);
gboolean vyre_ranges_alloc_wait (VyreRanges *arena, gsize size, gint64 end_time, gsize *offset);
gboolean vyre_ranges_lend (VyreRanges *arena, gsize size, gsize *offset);
gboolean vyre_ranges_can_lend (VyreRanges *arena, gsize size);
gboolean vyre_ranges_can_spare (VyreRanges *arena, gsize offset);
void vyre_ranges_free (VyreRanges *arena, gsize offset);
gsize vyre_ranges_get_size (const VyreRanges *arena);
gsize vyre_ranges_get_used (VyreRanges *arena);

G_END_DECLS
