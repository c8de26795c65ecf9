/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The plan as the megakernel publishes it.
 */
#pragma once

#include "kernel.h"
#include "vyre-plan.h"

typedef struct {
  guint32 words[VYRE_TICKET_WORDS];
} VyreTicket;

struct _VyrePlan {
  gatomicrefcount refs;
  VyreImage *image;
  gsize payload_size;
  guint workgroup;
  VyreLayout layout;
  gsize scratch_offset; /* of the scratch in the slice, bytes */
  gsize slice_size;
  guint32 *slice;  /* initial contents of a readback slice */
  GArray *tickets; /* of VyreTicket, batch index 0 */
  guint fence_first;
  guint fence_end;
  guint fence_cost;
  guint64 region_bytes; /* the kernel reads this many if no slot faults or is refused */
};
