/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Work items, the slots that most work is: an operation from an input handle to an
 * output handle. They are appended to a ring, or make up a new one.
 */
#pragma once

#include <glib.h>

#include "vyre/parts.h"

G_BEGIN_DECLS

/**
 * VyreWorkItem:
 * @op: opcode
 * @input: ARG0, a handle of the input
 * @output: ARG1, a handle of the output
 * @param: ARG2
 *
 * An operation from an input to an output.
 */
typedef struct {
  guint32 op;
  guint32 input;
  guint32 output;
  guint32 param;
} VyreWorkItem;

/**
 * vyre_publish_work_items:
 * @ring: (array length=size) (element-type guint8): a ring
 * @size: bytes in @ring
 * @start: index of the first slot to write
 * @tenant: the tenant that they belong to
 * @items: (array length=n_items) (nullable): work items
 * @n_items: number of items, 0 included
 * @error: return location
 *
 * Appends work items, one a slot and without a fence, to what is in the ring.
 *
 * Returns: %TRUE when they were published; otherwise the ring is as before, and the
 *   error %VYRE_ERROR_QUEUE_FULL
 */
gboolean vyre_publish_work_items (void *ring, gsize size, guint32 start, guint32 tenant,
    const VyreWorkItem *items, guint n_items, GError **error);

/**
 * vyre_encode_work_items:
 * @ring: (array length=size) (element-type guint8): the ring to write, which no
 *   kernel is using
 * @size: bytes in @ring, for at most VYRE_ENCODE_MAX slots
 * @tenant: the tenant that they belong to
 * @items: (array length=n_items) (nullable): work items
 * @n_items: number of items, 0 included
 * @error: return location
 *
 * Makes @ring a new ring with @items from slot 0 on. All earlier words are lost.
 *
 * Returns: %TRUE when the ring was encoded; otherwise it is as before, and the error
 *   %VYRE_ERROR_QUEUE_FULL or %VYRE_ERROR_TOO_LARGE
 */
gboolean vyre_encode_work_items (void *ring, gsize size, guint32 tenant, const VyreWorkItem *items,
    guint n_items, GError **error);

/**
 * vyre_reencode_work_items:
 * @ring: (array length=size) (element-type guint8): the ring to write, which no
 *   kernel is using
 * @size: bytes in @ring, for at most VYRE_ENCODE_MAX slots
 * @tenant: the tenant that they belong to
 * @items: (array length=n_items) (nullable): work items
 * @n_items: number of items, 0 included
 * @error: return location
 *
 * As vyre_encode_work_items(), for a ring that only ever held work items: it writes
 * only the words that change. Every slot becomes EMPTY, and those of @items get their
 * words up to ARG2. All else stays as it is, ARG3 to ARG11 of the items included.
 *
 * Returns: %TRUE when the ring was encoded; otherwise it is as before, and the error
 *   %VYRE_ERROR_QUEUE_FULL or %VYRE_ERROR_TOO_LARGE
 */
gboolean vyre_reencode_work_items (void *ring, gsize size, guint32 tenant,
    const VyreWorkItem *items, guint n_items, GError **error);

G_END_DECLS
