/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An offset allocator over a region somebody else owns: it hands out ranges of
 * a region of bytes and takes them back in any order. Thread safe. Ranges are
 * never moved and never touched.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _VyreArena VyreArena;

VyreArena *vyre_arena_new (gsize size, gsize alignment, GError **error);
void vyre_arena_destroy (VyreArena *arena);
gboolean vyre_arena_alloc (VyreArena *arena, gsize size, gsize *offset);
gboolean vyre_arena_alloc_wait (VyreArena *arena, gsize size, gint64 end_time, gsize *offset);
gboolean vyre_arena_lend (VyreArena *arena, gsize size, gsize *offset);
gboolean vyre_arena_can_lend (VyreArena *arena, gsize size);
gboolean vyre_arena_can_spare (VyreArena *arena, gsize offset);
void vyre_arena_free (VyreArena *arena, gsize offset);
gsize vyre_arena_get_size (const VyreArena *arena);
gsize vyre_arena_get_used (VyreArena *arena);

G_END_DECLS
