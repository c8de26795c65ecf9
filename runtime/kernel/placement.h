/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Placements: where batches run, and how payloads get where the kernel reads them. What a
 * placement is stands in one row of traits; code asks for a trait, not for a placement.
 * Private to libvyre.
 */
#pragma once

#include "device/device-private.h"
#include "vyre/megakernel.h"

G_BEGIN_DECLS

typedef enum {
  VYRE_PAYLOADS_IN_PLACE, /* the kernel reads them where they were staged */
  VYRE_PAYLOADS_STORED,   /* the CPU stores them */
  VYRE_PAYLOADS_COPIED,   /* a copy engine moves them */
  VYRE_PAYLOADS_BY_SIZE,  /* the CPU stores small ones, a copy engine moves large ones */
} VyrePayloadWay;

typedef struct {
  const char *name;
  const char *blurb;
  gboolean automatic;        /* %VYRE_PLACEMENT_AUTO tries it */
  gboolean in_device_memory; /* batches run there; otherwise in the readback store */
  VyrePayloadWay payloads;
  gboolean needs_bar;
  gboolean needs_copy_engine;
} VyrePlacementTraits;

/* Placements to try on a device, in that order, up to %VYRE_PLACEMENT_AUTO. */
#define VYRE_PLACEMENT_MAX_CANDIDATES 8
typedef struct {
  VyrePlacement list[VYRE_PLACEMENT_MAX_CANDIDATES];
} VyrePlacementCandidates;

const VyrePlacementTraits *vyre_placement_get_traits (VyrePlacement placement);
const char *vyre_placement_why_not (VyrePlacement placement, const VyreDevice *device);
VyrePlacementCandidates vyre_placement_list (VyrePlacement wanted, const VyreDevice *device);

G_END_DECLS
