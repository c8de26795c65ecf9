/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Marks: random values that the host stores where a readback will be, to see what of it has
 * arrived, docs/protocol.md. Private to libvyre.
 */
#pragma once

#include "plan/plan-private.h"

/* 128 random bits, of one kernel. */
typedef struct {
  guint64 half[2];
} VyreMark;

gboolean vyre_mark_init (VyreMark *mark, GError **error);
void vyre_readback_marks_expect (guint8 *slice, const VyrePlan *plan, const VyreMark *mark);
gboolean vyre_readback_marks_is_whole (
    const guint8 *slice, const VyrePlan *plan, const VyreMark *mark, gsize *arrived);
