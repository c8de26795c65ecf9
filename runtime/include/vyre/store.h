/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A store: memory that host and kernel both address, lent out in slices.
 * Payload staging is one, the readbacks are another. Reference counted and
 * thread safe; a slice stays valid while its store lives, also when the
 * megakernel it was made for is gone.
 */
#pragma once

#include "vyre/device.h"

G_BEGIN_DECLS

/* Slices start on a cache line, so that no two share one. */
#define VYRE_STORE_ALIGNMENT 64

typedef struct _VyreStore VyreStore;

VyreStore *vyre_store_new (VyreDevice *device, gsize size, gsize alignment, GError **error);
VyreStore *vyre_store_ref (VyreStore *store);
void vyre_store_unref (VyreStore *store);
gboolean vyre_store_alloc (VyreStore *store, gsize size, gint64 end_time, gsize *offset);
gboolean vyre_store_lend (VyreStore *store, gsize size, gsize *offset);
gboolean vyre_store_can_lend (VyreStore *store, gsize size);
gboolean vyre_store_can_spare (VyreStore *store, gsize offset);
void vyre_store_free (VyreStore *store, gsize offset);
guint8 *vyre_store_get_data (VyreStore *store);
gsize vyre_store_get_size (const VyreStore *store);
gsize vyre_store_get_used (VyreStore *store);
gboolean vyre_store_survives_loss (const VyreStore *store);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreStore, vyre_store_unref)

G_END_DECLS
