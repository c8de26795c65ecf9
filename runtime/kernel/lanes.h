/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Lanes as the files of the kernel see them. Private to libvyre.
 */
#pragma once

#include "kernel/types.h"

G_BEGIN_DECLS

VyreLane *vyre_lanes_add (VyreMegakernel *kernel);
void vyre_lanes_close (VyreLane *lane);
void vyre_lanes_init (VyreMegakernel *kernel);
void vyre_lanes_clear (VyreMegakernel *kernel);
void vyre_lanes_sweep (VyreMegakernel *kernel);
guint vyre_lanes_count_in_flight (const VyreMegakernel *kernel);
guint vyre_lanes_count_ringing (const VyreMegakernel *kernel);
gint64 vyre_lanes_last_activity (const VyreMegakernel *kernel);
void vyre_lane_count (VyreLane *lane, VyreMegakernelCounters *counters);
gboolean vyre_lane_has_place (VyreLane *lane);
gboolean vyre_lane_has_tickets (VyreLane *lane, guint n);
gboolean vyre_lane_enter (VyreBatch *batch, guint n_tickets);
void vyre_lane_leave (VyreBatch *batch, guint n_tickets, gint64 now);
VyreBatch *vyre_lane_take_record (VyreLane *lane);
void vyre_lane_give_record (VyreBatch *batch);
void vyre_batch_lock (VyreBatch *batch);
void vyre_lane_unlock (VyreLane *lane, gboolean plain);

G_END_DECLS
