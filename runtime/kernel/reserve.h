/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A place for a batch: an index, numbers of tickets, and all the memory it needs to run.
 * Private to libvyre.
 */
#pragma once

#include "kernel/types.h"

G_BEGIN_DECLS

gboolean vyre_lane_prefers_copy_engine (
    const VyreLane *lane, const VyrePlan *plan, const VyrePayload *payload);
gboolean vyre_batch_goes_by_copy_engine (const VyreBatch *batch);
gboolean vyre_batch_has_room (const VyreBatch *batch);
gboolean vyre_batch_reserve_now (VyreBatch *batch);
void vyre_batch_unreserve (VyreBatch *batch);
gboolean vyre_batch_reserve (VyreBatch *batch, gint64 end_time, GError **error);
gint64 vyre_batch_longest_sleep (const VyreBatch *batch);
gboolean vyre_megakernel_reserve_payload (
    VyreMegakernel *kernel, gsize size, gint64 end_time, gsize *offset, GError **error);

G_END_DECLS
