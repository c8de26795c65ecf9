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
 * @input: ARG0, a handle of what is read
 * @output: ARG1, a handle of what is written
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

gboolean vyre_publish_work_items (void *ring, gsize size, guint32 start, guint32 tenant,
    const VyreWorkItem *items, guint n_items, GError **error);
gboolean vyre_encode_work_items (void *ring, gsize size, guint32 tenant, const VyreWorkItem *items,
    guint n_items, GError **error);
gboolean vyre_reencode_work_items (void *ring, gsize size, guint32 tenant,
    const VyreWorkItem *items, guint n_items, GError **error);

G_END_DECLS
