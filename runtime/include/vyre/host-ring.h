/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Slots as raw bytes, past the publishers: a ring in this process's memory into
 * which encoded slots are copied and out of which they are read, the one slot that
 * is encoded apart from a ring, and the check of slots that somebody else encoded.
 */
#pragma once

#include <glib.h>

#include "abi.h"
#include "vyre/error.h"

G_BEGIN_DECLS

/* What the raw producer of a ring in host memory is called. */
#define VYRE_HOST_RING_NAME "in-process-host"

gboolean vyre_host_ring_publish (
    void *ring, gsize size, guint32 slot, const void *encoded, gsize encoded_size, GError **error);
gboolean vyre_host_ring_read (
    const void *ring, gsize size, guint32 slot, void *buffer, gsize buffer_size, GError **error);
guint32 vyre_host_ring_count_done (const void *ring, gsize size);

void vyre_encode_load_miss (void *slot, guint32 resource, gboolean prefetch);
gboolean vyre_decode_load_miss (
    const void *ring, gsize size, guint32 slot, guint32 *resource, gboolean *prefetch);

gboolean vyre_slots_check (const void *slots, gsize size, GError **error);

G_END_DECLS
