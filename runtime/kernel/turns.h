/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Turns: which batches may hold the device, and for how long. The device takes tickets in the order
 * in which they are published, so a batch waits for all that was published before it. A cheap batch
 * is published at once. Dear ones are published as far as the device gets them done in the time
 * that one batch may hold it; the others wait in a line. A batch that costs more than half of that
 * time is cut into runs, and waits again after each. The service thread publishes from the line:
 * the oldest batch of the tenant whose last turn is longest ago, so that a tenant waits for one run
 * of each of the others at most, however much they have queued. All batches without a tenant count
 * as one tenant for that, and are served as they came.
 *
 * Everything here is called with the kernel's lock held. Private to libvyre.
 */
#pragma once

#include "kernel/types.h"

G_BEGIN_DECLS

gboolean vyre_turns_pass (const VyreBatch *batch);
void vyre_turns_begin (VyreBatch *batch);
gboolean vyre_turns_begin_early (VyreBatch *batch);
void vyre_turns_go_behind (VyreBatch *batch);
gboolean vyre_turns_may_enter (const VyreBatch *batch);
void vyre_turns_entered (VyreBatch *batch);
void vyre_turns_left (VyreBatch *batch);
void vyre_turns_queue (VyreBatch *batch);
gboolean vyre_turns_go_on (VyreBatch *batch, const guint8 *report);
VyreBatch *vyre_turns_peek (const VyreMegakernel *kernel);
void vyre_turns_unqueue (VyreBatch *batch);
void vyre_turns_note (VyreBatch *batch);
gboolean vyre_turns_are_over (const VyreMegakernel *kernel);

G_END_DECLS
