/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/**
 * SECTION:lane
 * @title: Lane
 * @short_description: A producer's own way to a megakernel
 *
 * Each producer of batches has a lane. Threads that publish small batches on different lanes, and
 * wait for these, share no lock, so that a kernel serves as many producers as there are cores.
 * A lane is thread safe: threads that share one take its lock in turns.
 *
 * The batches of all lanes go to the kernel in one order, that of the calls which publish them.
 */

#include "vyre/batch.h"
#include "vyre/megakernel.h"

G_BEGIN_DECLS

/**
 * VyreLane:
 *
 * A lane.
 */
typedef struct _VyreLane VyreLane;

/**
 * vyre_lane_new:
 * @kernel: a megakernel, of which the lane takes a reference
 *
 * Makes a lane. It takes memory of the host only: what the device can have in flight is shared out
 * to lanes as they need it.
 *
 * Returns: (transfer full): a lane, to be given back with vyre_lane_unref()
 */
VyreLane *vyre_lane_new (VyreMegakernel *kernel);

/**
 * vyre_lane_ref:
 * @lane: a lane
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @lane with one more reference
 */
VyreLane *vyre_lane_ref (VyreLane *lane);

/**
 * vyre_lane_unref:
 * @lane: (transfer full): a lane
 *
 * Drops a reference; the last one drops that of the lane to its kernel. Batches of the lane stay
 * valid as long as the kernel does.
 */
void vyre_lane_unref (VyreLane *lane);

/**
 * vyre_lane_publish:
 * @lane: a lane
 * @plan: the plan to run; made for this kernel's workgroup size
 * @tag: the word that BATCH_FENCE writes to observable 0 unless the program names another
 * @payload: the staged payload
 * @end_time: deadline in g_get_monotonic_time() of the wait for room and for a kernel that can
 *   run @plan, later by the time that the process stands still meanwhile; 0 to not wait
 * @error: return location
 *
 * Publishes one batch: writes it, then rings the doorbell. The caller leaves the payload unchanged
 * until its release, which may happen before the call returns, and frees the batch before it drops
 * its reference to the kernel.
 *
 * The first plan with priorities, handlers or requests to the host starts the compilation of a
 * kernel for such plans in the background, which takes tenths of a second up to many seconds. Only
 * callers that publish such a plan wait for it.
 *
 * Batches that ask for none of these, cost the device little (see
 * #VyreMegakernelParams.max_batch_time) and go by the CPU take the lock of the lane alone; others
 * also take the kernel's.
 *
 * Returns: (transfer full) (nullable): the batch, or %NULL with
 *   %VYRE_ERROR_TOO_LARGE (the batch can never fit the readback store),
 *   %VYRE_ERROR_NO_SPACE (payloads that streams keep leave no room for this one),
 *   %VYRE_ERROR_TIMEOUT (no room, or its kernel is still being compiled; the payload was not
 *   taken), the error that ended the kernel, the error of building the kernel for such plans, or
 *   %VYRE_ERROR_FORKED
 */
VyreBatch *vyre_lane_publish (VyreLane *lane, VyrePlan *plan, guint32 tag,
    const VyrePayload *payload, gint64 end_time, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreLane, vyre_lane_unref)

G_END_DECLS
