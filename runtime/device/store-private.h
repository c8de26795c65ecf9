/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Stores as the megakernel needs them: in memory of any kind, with a callback that frees cached
 * slices. Private to libvyre.
 */
#pragma once

#include "device/ranges.h"
#include "device/buffer.h"
#include "device/steps.h"
#include "vyre/store.h"

/* The offset of a slice that is not there. */
#define VYRE_NOWHERE G_MAXSIZE

typedef gboolean (*VyreStoreReclaim) (gpointer data);

VyreStore *vyre_store_new_kind (VyreDevice *device, gsize size, gsize slack, gsize alignment,
    VyreBufferKind kind, GError **error);
void vyre_store_cache_slices (VyreStore *store);
void vyre_store_set_reclaim (VyreStore *store, VyreStoreReclaim reclaim, gpointer data);
gboolean vyre_store_try_alloc (VyreStore *store, gsize size, gsize *offset);
gsize vyre_store_get_most (const VyreStore *store);
VkBuffer vyre_store_get_buffer (VyreStore *store);
VyreSteps *vyre_store_get_steps (VyreStore *store);
void vyre_store_trim (VyreStore *store, gboolean unpins);
VyreRanges *vyre_store_get_ranges (VyreStore *store);
gboolean vyre_store_is_inherited (const VyreStore *store);
