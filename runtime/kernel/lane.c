/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A lane as its producer sees it; kernel/publish.c publishes on it.
 */
#include "vyre/lane.h"

#include "base/fork.h"
#include "kernel/lanes.h"

VyreLane *
vyre_lane_new (VyreMegakernel *kernel)
{
  return vyre_lanes_add (vyre_megakernel_ref (kernel));
}

VyreLane *
vyre_lane_ref (VyreLane *lane)
{
  g_atomic_ref_count_inc (&lane->refs);
  return lane;
}

void
vyre_lane_unref (VyreLane *lane)
{
  VyreMegakernel *kernel = lane->kernel;

  if (!g_atomic_ref_count_dec (&lane->refs) || vyre_is_inherited (kernel->generation))
    return;
  vyre_lanes_close (lane);
  vyre_megakernel_unref (kernel);
}
