/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Publishing into a ring: single operations, packed slots, batches with their
 * fence, descriptors and windows. Everything is checked before the first word
 * is written, so a call publishes all of its slots or none. A slot's STATUS is
 * written last, with release order: a kernel that sees it PUBLISHED sees the rest.
 *
 * A ring is a buffer of whole 64-byte slots, of any alignment; where a kernel reads
 * it at the same time it has to be aligned to 4 bytes. One thread publishes into a
 * ring at a time. Whatever is refused, the code is VYRE_ERROR_QUEUE_FULL; only a ring
 * with words that no 32-bit index reaches is VYRE_ERROR_TOO_LARGE.
 */
#pragma once

#include <glib.h>

#include "abi.h"
#include "vyre/error.h"

G_BEGIN_DECLS

/* Operations whose metadata alone fills a packed slot's twelve argument words. */
#define VYRE_PACKED_MAX_OPS 23

/**
 * VyreArgs:
 * @args: (array length=n_args) (nullable): argument words
 * @n_args: how many
 *
 * Arguments without an opcode: those of one slot of a #VyreWindow.
 */
typedef struct {
  const guint32 *args;
  guint n_args;
} VyreArgs;

/**
 * VyreOp:
 * @opcode: any that vyre_opcode_check_publish() accepts; in a packed slot 0 to 255
 * @args: (array length=n_args) (nullable): ARG0 and on; those not given are 0
 * @n_args: how many, at most VYRE_SLOT_MAX_ARGS
 *
 * One operation to publish.
 */
typedef struct {
  guint32 opcode;
  const guint32 *args;
  guint n_args;
} VyreOp;

/**
 * VyreDescriptor:
 * @tenant: on whose behalf
 * @packed: whether the operations share the slot as a PACKED_SLOT
 * @ops: (array length=n_ops): the operations
 * @n_ops: 1, or when @packed 0 to VYRE_PACKED_MAX_OPS
 *
 * What one slot is to hold.
 */
typedef struct {
  guint32 tenant;
  gboolean packed;
  const VyreOp *ops;
  guint n_ops;
} VyreDescriptor;

/**
 * VyreWindow:
 * @tenant: on whose behalf
 * @opcode: of every slot
 * @ticket: ARG0 of every slot, by which telemetry finds them again
 * @required: (array length=n_required): arguments of the slots with class 0 in ARG1
 * @n_required: how many
 * @lookahead: (array length=n_lookahead): arguments of the slots with class 1 in ARG1
 * @n_lookahead: how many
 *
 * Slots of one opcode under one ticket: those that are needed, then those that only
 * may be. Each has at most 10 arguments of its own, from ARG2 on.
 */
typedef struct {
  guint32 tenant;
  guint32 opcode;
  guint32 ticket;
  const VyreArgs *required;
  guint n_required;
  const VyreArgs *lookahead;
  guint n_lookahead;
} VyreWindow;

/**
 * vyre_opcode_is_system:
 * @opcode: an opcode
 *
 * Returns: %TRUE when @opcode lies in a range that is not for users: 0 to 7, 0xfff0 to
 *   0xffff, and from 0x80000000 on
 */
gboolean vyre_opcode_is_system (guint32 opcode);

/**
 * vyre_opcode_is_builtin:
 * @opcode: an opcode
 *
 * Returns: %TRUE when @opcode is one of the kernel's own that every host may publish.
 *   LOAD_MISS is the runtime's, and not among them, but can be published too
 */
gboolean vyre_opcode_is_builtin (guint32 opcode);

/**
 * vyre_opcode_check_user:
 * @opcode: an opcode
 * @error: return location
 *
 * Returns: %TRUE when an operation of a user may have @opcode; otherwise
 *   %VYRE_ERROR_QUEUE_FULL
 */
gboolean vyre_opcode_check_user (guint32 opcode, GError **error);

/**
 * vyre_opcode_check_publish:
 * @opcode: an opcode
 * @error: return location
 *
 * Returns: %TRUE when a slot with @opcode may be published: built-in, LOAD_MISS or a
 *   user's; otherwise %VYRE_ERROR_QUEUE_FULL
 */
gboolean vyre_opcode_check_publish (guint32 opcode, GError **error);

/**
 * vyre_publish_slot:
 * @ring: (array length=size) (element-type guint8): a ring
 * @size: bytes in @ring
 * @slot: index of the slot to write, EMPTY or DONE
 * @tenant: on whose behalf
 * @op: the operation
 * @error: return location
 *
 * Publishes one operation, with priority NORMAL.
 *
 * Returns: %TRUE when it was published; otherwise the ring is as before, and the error
 *   %VYRE_ERROR_QUEUE_FULL
 */
gboolean vyre_publish_slot (
    void *ring, gsize size, guint32 slot, guint32 tenant, const VyreOp *op, GError **error);

/**
 * vyre_publish_packed:
 * @ring: (array length=size) (element-type guint8): a ring
 * @size: bytes in @ring
 * @slot: index of the slot to write, EMPTY or DONE
 * @tenant: on whose behalf
 * @ops: (array length=n_ops): operations with opcodes of one byte
 * @n_ops: how many, at most VYRE_PACKED_MAX_OPS and as their arguments allow
 * @error: return location
 *
 * Publishes several operations in one slot. Which opcodes they have is not looked
 * at: one that cannot run faults the slot.
 *
 * Returns: %TRUE when they were published; otherwise the ring is as before, and the
 *   error %VYRE_ERROR_QUEUE_FULL
 */
gboolean vyre_publish_packed (void *ring, gsize size, guint32 slot, guint32 tenant,
    const VyreOp *ops, guint n_ops, GError **error);

/**
 * vyre_publish_batch:
 * @ring: (array length=size) (element-type guint8): a ring
 * @size: bytes in @ring
 * @start: index of the first slot to write
 * @tenant: on whose behalf
 * @ops: (array length=n_ops) (nullable): the operations
 * @n_ops: how many; 0 publishes the fence alone
 * @tag: the word that the fence leaves in observable 0
 * @error: return location
 *
 * Publishes operations one behind the other and then their BATCH_FENCE: @n_ops + 1
 * slots, all of them EMPTY or DONE.
 *
 * Returns: %TRUE when they were published; otherwise the ring is as before, and the
 *   error %VYRE_ERROR_QUEUE_FULL
 */
gboolean vyre_publish_batch (void *ring, gsize size, guint32 start, guint32 tenant,
    const VyreOp *ops, guint n_ops, guint32 tag, GError **error);

/**
 * vyre_publish_descriptors:
 * @ring: (array length=size) (element-type guint8): a ring
 * @size: bytes in @ring
 * @start: index of the first slot to write
 * @descriptors: (array length=n_descriptors) (nullable): the contents of the slots
 * @n_descriptors: how many; with 0 the ring is not looked at
 * @error: return location
 *
 * Publishes one slot for each descriptor, without a fence. Either all are published
 * or none.
 *
 * Returns: %TRUE when they were published; otherwise the ring is as before, and the
 *   error %VYRE_ERROR_QUEUE_FULL
 */
gboolean vyre_publish_descriptors (void *ring, gsize size, guint32 start,
    const VyreDescriptor *descriptors, guint n_descriptors, GError **error);

/**
 * vyre_publish_window:
 * @ring: (array length=size) (element-type guint8): a ring
 * @size: bytes in @ring
 * @start: index of the first slot to write
 * @window: the slots; for an empty window the ring is not looked at
 * @error: return location
 *
 * Publishes a window's required slots and then those that look ahead. Either all are
 * published or none.
 *
 * Returns: %TRUE when they were published; otherwise the ring is as before, and the
 *   error %VYRE_ERROR_QUEUE_FULL
 */
gboolean vyre_publish_window (
    void *ring, gsize size, guint32 start, const VyreWindow *window, GError **error);

G_END_DECLS
