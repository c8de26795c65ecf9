/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Whether a readback has arrived. What a GPU stores in memory of the host gets there
 * in no particular order, and a shader's barriers order it for the device alone: a
 * completion has been seen milliseconds before the results it announced. So the host
 * marks every granule that the kernel is going to store with a value that nothing else
 * can have, and a readback is whole when no mark is left.
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
