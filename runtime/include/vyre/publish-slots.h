/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/**
 * SECTION:publish-slots
 * @title: Publishing slots
 * @short_description: Writes slots into a ring
 *
 * Publishes single operations, packed slots, batches with their fence, descriptors and windows.
 * Every call checks everything before it writes the first word, so it publishes all of its slots
 * or none. It writes the STATUS of a slot last, with release order: a reader that sees PUBLISHED
 * sees the rest of the slot.
 *
 * A ring is a buffer of whole 64-byte slots, of any alignment; a ring that a kernel reads at the
 * same time is aligned to 4 bytes. One thread at a time publishes into a ring. Every refusal is
 * %VYRE_ERROR_QUEUE_FULL, but a ring with words beyond every 32-bit index is
 * %VYRE_ERROR_TOO_LARGE.
 */

#include <glib.h>

#include "abi.h"
#include "vyre/error.h"

G_BEGIN_DECLS

/**
 * VYRE_PACKED_MAX_OPS:
 *
 * The most operations of a packed slot: their metadata alone fills its twelve argument words.
 */
#define VYRE_PACKED_MAX_OPS 23

/**
 * VyreArgs:
 * @args: (array length=n_args) (nullable): argument words
 * @n_args: how many
 *
 * The arguments of one slot of a #VyreWindow.
 */
typedef struct {
  const guint32 *args;
  guint n_args;
} VyreArgs;

/**
 * VyreOp:
 * @opcode: any that vyre_opcode_check_publish() accepts; in a packed slot 0 to 255
 * @args: (array length=n_args) (nullable): ARG0 and on; missing arguments are 0
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
 * @tenant: the tenant of the slot
 * @packed: whether the operations share the slot as a PACKED_SLOT
 * @ops: (array length=n_ops): the operations
 * @n_ops: 1, or when @packed 0 to VYRE_PACKED_MAX_OPS
 *
 * The content of one slot.
 */
typedef struct {
  guint32 tenant;
  gboolean packed;
  const VyreOp *ops;
  guint n_ops;
} VyreDescriptor;

/**
 * VyreWindow:
 * @tenant: the tenant of every slot
 * @opcode: the opcode of every slot
 * @ticket: ARG0 of every slot, which telemetry groups them by
 * @required: (array length=n_required): arguments of the slots with class 0 in ARG1
 * @n_required: how many
 * @lookahead: (array length=n_lookahead): arguments of the slots with class 1 in ARG1
 * @n_lookahead: how many
 *
 * Slots of one opcode under one ticket: first the slots that are required, then those that look
 * ahead. Each has at most 10 arguments of its own, from ARG2 on.
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
 * Tells whether an opcode belongs to the system.
 *
 * Returns: whether @opcode lies in a range that users may not use: 0 to 7, 0xfff0 to
 *   0xffff, and from 0x80000000 on
 */
gboolean vyre_opcode_is_system (guint32 opcode);

/**
 * vyre_opcode_is_builtin:
 * @opcode: an opcode
 *
 * Tells whether an opcode is built in.
 *
 * Returns: whether @opcode is one of the kernel's own that every host may publish.
 *   LOAD_MISS belongs to the runtime and is not among them, but can be published too
 */
gboolean vyre_opcode_is_builtin (guint32 opcode);

/**
 * vyre_opcode_check_user:
 * @opcode: an opcode
 * @error: return location
 *
 * Checks an opcode of a user.
 *
 * Returns: whether an operation of a user may have @opcode; otherwise
 *   %VYRE_ERROR_QUEUE_FULL
 */
gboolean vyre_opcode_check_user (guint32 opcode, GError **error);

/**
 * vyre_opcode_check_publish:
 * @opcode: an opcode
 * @error: return location
 *
 * Checks an opcode to be published.
 *
 * Returns: whether a slot with @opcode may be published: built-in, LOAD_MISS or of a
 *   user; otherwise %VYRE_ERROR_QUEUE_FULL
 */
gboolean vyre_opcode_check_publish (guint32 opcode, GError **error);

/**
 * vyre_publish_slot:
 * @ring: (array length=size) (element-type guint8): a ring
 * @size: bytes in @ring
 * @slot: index of the slot to write, EMPTY or DONE
 * @tenant: the tenant of the slots
 * @op: the operation
 * @error: return location
 *
 * Publishes one operation, with priority NORMAL.
 *
 * Returns: whether the slots were published; otherwise the ring is as before, and the
 *   error is %VYRE_ERROR_QUEUE_FULL
 */
gboolean vyre_publish_slot (
    void *ring, gsize size, guint32 slot, guint32 tenant, const VyreOp *op, GError **error);

/**
 * vyre_publish_packed:
 * @ring: (array length=size) (element-type guint8): a ring
 * @size: bytes in @ring
 * @slot: index of the slot to write, EMPTY or DONE
 * @tenant: the tenant of the slots
 * @ops: (array length=n_ops): operations with opcodes of one byte
 * @n_ops: how many, at most VYRE_PACKED_MAX_OPS and as their arguments allow
 * @error: return location
 *
 * Publishes several operations in one slot. Their opcodes are not checked: an operation that cannot
 * run faults the slot.
 *
 * Returns: whether the slots were published; otherwise the ring is as before, and the
 *   error is %VYRE_ERROR_QUEUE_FULL
 */
gboolean vyre_publish_packed (void *ring, gsize size, guint32 slot, guint32 tenant,
    const VyreOp *ops, guint n_ops, GError **error);

/**
 * vyre_publish_batch:
 * @ring: (array length=size) (element-type guint8): a ring
 * @size: bytes in @ring
 * @start: index of the first slot to write
 * @tenant: the tenant of the slots
 * @ops: (array length=n_ops) (nullable): the operations
 * @n_ops: how many; 0 publishes the fence alone
 * @tag: the word that the fence writes to observable 0
 * @error: return location
 *
 * Publishes operations one after the other and then their BATCH_FENCE, into @n_ops + 1 slots that
 * are EMPTY or DONE.
 *
 * Returns: whether the slots were published; otherwise the ring is as before, and the
 *   error is %VYRE_ERROR_QUEUE_FULL
 */
gboolean vyre_publish_batch (void *ring, gsize size, guint32 start, guint32 tenant,
    const VyreOp *ops, guint n_ops, guint32 tag, GError **error);

/**
 * vyre_publish_descriptors:
 * @ring: (array length=size) (element-type guint8): a ring
 * @size: bytes in @ring
 * @start: index of the first slot to write
 * @descriptors: (array length=n_descriptors) (nullable): the content of the slots
 * @n_descriptors: how many; with 0 the ring is not checked
 * @error: return location
 *
 * Publishes one slot for each descriptor, without a fence: all of them or none.
 *
 * Returns: whether the slots were published; otherwise the ring is as before, and the
 *   error is %VYRE_ERROR_QUEUE_FULL
 */
gboolean vyre_publish_descriptors (void *ring, gsize size, guint32 start,
    const VyreDescriptor *descriptors, guint n_descriptors, GError **error);

/**
 * vyre_publish_window:
 * @ring: (array length=size) (element-type guint8): a ring
 * @size: bytes in @ring
 * @start: index of the first slot to write
 * @window: the window to publish; when it is empty the ring is not checked
 * @error: return location
 *
 * Publishes the required slots of a window and then those that look ahead: all of them or none.
 *
 * Returns: whether the slots were published; otherwise the ring is as before, and the
 *   error is %VYRE_ERROR_QUEUE_FULL
 */
gboolean vyre_publish_window (
    void *ring, gsize size, guint32 start, const VyreWindow *window, GError **error);

G_END_DECLS
