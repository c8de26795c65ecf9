/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Slots as raw bytes, past the publishers: a ring in this process's memory into
 * which encoded slots are copied and out of which they are read, the one slot that
 * is encoded apart from a ring, and the check of slots that another program encoded.
 */
#pragma once

#include <glib.h>

#include "abi.h"
#include "vyre/error.h"

G_BEGIN_DECLS

/* The name of the raw producer of a ring in host memory. */
#define VYRE_HOST_RING_NAME "in-process-host"

/**
 * vyre_host_ring_publish:
 * @ring: (array length=size) (element-type guint8): a ring
 * @size: bytes in @ring
 * @slot: index of the slot to overwrite, whatever its status
 * @encoded: (array length=encoded_size) (element-type guint8): an encoded slot
 * @encoded_size: bytes in @encoded, 64
 * @error: return location
 *
 * Copies a slot into a ring as it is, its STATUS last. Neither the slot nor the slot that it
 * replaces is checked: a caller may call vyre_slots_check() and look at the status.
 *
 * Returns: %TRUE when the slot was copied; otherwise %VYRE_ERROR_MISALIGNED (@encoded is
 *   not one slot) or %VYRE_ERROR_MISSING_WORD (the ring has no such slot)
 */
gboolean vyre_host_ring_publish (
    void *ring, gsize size, guint32 slot, const void *encoded, gsize encoded_size, GError **error);

/**
 * vyre_host_ring_read:
 * @ring: (array length=size) (element-type guint8): a ring
 * @size: bytes in @ring
 * @slot: index of the slot to read
 * @buffer: (out caller-allocates) (array length=buffer_size) (element-type guint8):
 *   the copy
 * @buffer_size: bytes in @buffer, 64
 * @error: return location
 *
 * Copies a slot out of a ring. The words are at least as new as the STATUS among
 * them.
 *
 * Returns: %TRUE when the slot was copied; otherwise %VYRE_ERROR_MISALIGNED (@buffer is
 *   not one slot) or %VYRE_ERROR_MISSING_WORD (the ring has no such slot)
 */
gboolean vyre_host_ring_read (
    const void *ring, gsize size, guint32 slot, void *buffer, gsize buffer_size, GError **error);

/**
 * vyre_host_ring_count_done:
 * @ring: (array length=size) (element-type guint8): a ring
 * @size: bytes in @ring
 *
 * Returns: the number of the ring's whole slots that are DONE
 */
guint32 vyre_host_ring_count_done (const void *ring, gsize size);

/**
 * vyre_encode_load_miss:
 * @slot: (out caller-allocates): 64 bytes
 * @resource: id of the missing resource
 * @prefetch: %TRUE when it is needed later only
 *
 * Encodes the slot with which a kernel asks for a resource: tenant 0, and, as the
 * runtime itself publishes it, priority CRITICAL.
 */
void vyre_encode_load_miss (void *slot, guint32 resource, gboolean prefetch);

/**
 * vyre_decode_load_miss:
 * @ring: (array length=size) (element-type guint8): a ring
 * @size: bytes in @ring
 * @slot: index of a slot, of any status
 * @resource: (out): id of the missing resource
 * @prefetch: (out): %TRUE when it is needed later only
 *
 * Returns: %TRUE when the ring has that whole slot and it is a LOAD_MISS; otherwise
 *   @resource and @prefetch are as before
 */
gboolean vyre_decode_load_miss (
    const void *ring, gsize size, guint32 slot, guint32 *resource, gboolean *prefetch);

/**
 * vyre_slots_check:
 * @slots: (array length=size) (element-type guint8) (nullable): slots, of any alignment
 * @size: bytes in @slots; 0 is no slot, and fine
 * @error: return location
 *
 * Checks slots that are to run as a batch, as their publication does: a slot is EMPTY, and idle
 * whatever its other words, or PUBLISHED.
 * Published ones need an opcode that vyre_opcode_check_publish() accepts, a priority
 * from 0 to 4, and in a PACKED_SLOT metadata as vyre_publish_packed() writes it.
 *
 * Returns: %TRUE when the slots may run; otherwise %VYRE_ERROR_MISALIGNED (not whole
 *   slots), %VYRE_ERROR_QUEUE_FULL (an opcode) or %VYRE_ERROR_INVALID, and the message
 *   starts with the index of the first slot that may not
 */
gboolean vyre_slots_check (const void *slots, gsize size, GError **error);

G_END_DECLS
