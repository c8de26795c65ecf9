/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Free ranges in front of an allocator, kept apart for threads: a thread that frees and allocates
 * ranges of one size in turns meets no other thread. Thread safe. Private to libvyre.
 */
#pragma once

#include "device/ranges.h"

G_BEGIN_DECLS

typedef struct _VyreSliceCache VyreSliceCache;

VyreSliceCache *vyre_slice_cache_new (VyreRanges *ranges);
void vyre_slice_cache_free (VyreSliceCache *cache);
gboolean vyre_slice_cache_take (VyreSliceCache *cache, gsize size, gsize *offset);
gboolean vyre_slice_cache_put (VyreSliceCache *cache, gsize offset);
gboolean vyre_slice_cache_flush (VyreSliceCache *cache);
void vyre_slice_cache_bypass (VyreSliceCache *cache, gboolean bypass);

G_END_DECLS
