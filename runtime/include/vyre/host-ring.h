/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/**
 * SECTION:host-ring
 * @title: Host ring
 * @short_description: Slots as raw bytes
 *
 * Slots that bypass the publishers: a ring in memory of this process that encoded slots are copied
 * into and out of, LOAD_MISS, the one slot that is encoded apart from a ring, and the check of
 * slots that another program encoded.
 */

#include <glib.h>

#include "abi.h"
#include "vyre/error.h"

G_BEGIN_DECLS

/**
 * VYRE_HOST_RING_NAME:
 *
 * The name of the producer that writes raw slots into a ring in host memory.
 */
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
 * Copies a slot into a ring as it is, its STATUS last. The caller answers for the content of the
 * slot, which vyre_slots_check() checks, and for the slot that it replaces.
 *
 * Returns: whether the slot was copied; otherwise %VYRE_ERROR_MISALIGNED (@encoded is
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
 *   where to copy it to
 * @buffer_size: bytes in @buffer, 64
 * @error: return location
 *
 * Copies a slot out of a ring. The other words are at least as new as its STATUS.
 *
 * Returns: whether the slot was copied; otherwise %VYRE_ERROR_MISALIGNED (@buffer is
 *   not one slot) or %VYRE_ERROR_MISSING_WORD (the ring has no such slot)
 */
gboolean vyre_host_ring_read (
    const void *ring, gsize size, guint32 slot, void *buffer, gsize buffer_size, GError **error);

/**
 * vyre_host_ring_count_done:
 * @ring: (array length=size) (element-type guint8): a ring
 * @size: bytes in @ring
 *
 * Counts the slots that are DONE.
 *
 * Returns: how many of the ring's whole slots are DONE
 */
guint32 vyre_host_ring_count_done (const void *ring, gsize size);

/**
 * vyre_encode_load_miss:
 * @slot: (out caller-allocates): 64 bytes
 * @resource: id of the missing resource
 * @prefetch: whether only a later batch needs it
 *
 * Encodes the slot that makes the kernel ask for a resource. As the runtime itself publishes it, it
 * has tenant 0 and priority CRITICAL.
 */
void vyre_encode_load_miss (void *slot, guint32 resource, gboolean prefetch);

/**
 * vyre_decode_load_miss:
 * @ring: (array length=size) (element-type guint8): a ring
 * @size: bytes in @ring
 * @slot: index of a slot, of any status
 * @resource: (out): id of the missing resource
 * @prefetch: (out): whether only a later batch needs it
 *
 * Decodes a LOAD_MISS slot.
 *
 * Returns: whether the ring has that whole slot and it is a LOAD_MISS; otherwise
 *   @resource and @prefetch are as before
 */
gboolean vyre_decode_load_miss (
    const void *ring, gsize size, guint32 slot, guint32 *resource, gboolean *prefetch);

/**
 * vyre_slots_check:
 * @slots: (array length=size) (element-type guint8) (nullable): slots, of any alignment
 * @size: bytes in @slots; 0 is valid, and no slot
 * @error: return location
 *
 * Checks foreign slots that are to run as a batch, as publishing would. A slot is PUBLISHED, or
 * EMPTY and then idle, whatever its other words. A PUBLISHED slot needs an opcode that
 * vyre_opcode_check_publish() accepts, a priority from 0 to 4, and in a PACKED_SLOT metadata as
 * vyre_publish_packed() writes it.
 *
 * Returns: whether the slots may run; otherwise %VYRE_ERROR_MISALIGNED (not whole
 *   slots), %VYRE_ERROR_QUEUE_FULL (an opcode) or %VYRE_ERROR_INVALID, and the message
 *   starts with the index of the first refused slot
 */
gboolean vyre_slots_check (const void *slots, gsize size, GError **error);

G_END_DECLS
