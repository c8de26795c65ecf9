/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/**
 * SECTION:work-items
 * @title: Work items
 * @short_description: Operations from an input to an output
 *
 * Work items are the slots that most work consists of: an operation from an input handle to an
 * output handle. They are appended to a ring, or make up a new one.
 */

#include <glib.h>

#include "vyre/parts.h"

G_BEGIN_DECLS

/**
 * VyreWorkItem:
 * @op: opcode
 * @input: ARG0, the handle of the input
 * @output: ARG1, the handle of the output
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
 * @tenant: the tenant of the slots
 * @items: (array length=n_items) (nullable): work items
 * @n_items: how many, 0 included
 * @error: return location
 *
 * Appends work items to a ring, one per slot and without a fence.
 *
 * Returns: whether the slots were published; otherwise the ring is as before, and the
 *   error is %VYRE_ERROR_QUEUE_FULL
 */
gboolean vyre_publish_work_items (void *ring, gsize size, guint32 start, guint32 tenant,
    const VyreWorkItem *items, guint n_items, GError **error);

/**
 * vyre_encode_work_items:
 * @ring: (array length=size) (element-type guint8): the ring to write, which no
 *   kernel is using
 * @size: bytes in @ring, for at most VYRE_ENCODE_MAX slots
 * @tenant: the tenant of the slots
 * @items: (array length=n_items) (nullable): work items
 * @n_items: how many, 0 included
 * @error: return location
 *
 * Makes @ring a new one with @items from slot 0 on; its former content is lost.
 *
 * Returns: whether the ring was encoded; otherwise it is as before, and the error
 *   is %VYRE_ERROR_QUEUE_FULL or %VYRE_ERROR_TOO_LARGE
 */
gboolean vyre_encode_work_items (void *ring, gsize size, guint32 tenant, const VyreWorkItem *items,
    guint n_items, GError **error);

/**
 * vyre_reencode_work_items:
 * @ring: (array length=size) (element-type guint8): the ring to write, which no
 *   kernel is using
 * @size: bytes in @ring, for at most VYRE_ENCODE_MAX slots
 * @tenant: the tenant of the slots
 * @items: (array length=n_items) (nullable): work items
 * @n_items: how many, 0 included
 * @error: return location
 *
 * As vyre_encode_work_items(), for a ring that only ever held work items: the call writes the
 * words that change and no others. Every slot becomes EMPTY, and the slots of @items get their
 * words up to ARG2. Other words stay as they are, ARG3 to ARG11 of the items included.
 *
 * Returns: whether the ring was encoded; otherwise it is as before, and the error
 *   is %VYRE_ERROR_QUEUE_FULL or %VYRE_ERROR_TOO_LARGE
 */
gboolean vyre_reencode_work_items (void *ring, gsize size, guint32 tenant,
    const VyreWorkItem *items, guint n_items, GError **error);

G_END_DECLS
