/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/placement.h"

#include "kernel.h"

/* %VYRE_PLACEMENT_AUTO tries the last rows first. */
static const VyrePlacementTraits placement_traits[] = {
  [VYRE_PLACEMENT_AUTO] = { "auto", "split on a GPU with its own memory, else unified" },
  [VYRE_PLACEMENT_UNIFIED] = { "unified", "Kernel reads payloads in staging memory",
      .automatic = TRUE, .payloads = VYRE_PAYLOADS_IN_PLACE },
  [VYRE_PLACEMENT_BAR] = { "bar", "CPU stores payloads into device memory", .automatic = TRUE,
      .in_device_memory = TRUE, .payloads = VYRE_PAYLOADS_STORED, .needs_bar = TRUE },
  [VYRE_PLACEMENT_COPY]
  = { "copy", "Copy engine moves payloads into device memory", .in_device_memory = TRUE,
      .payloads = VYRE_PAYLOADS_COPIED, .needs_bar = TRUE, .needs_copy_engine = TRUE },
  [VYRE_PLACEMENT_SPLIT] = { "split", "CPU stores small payloads, copy engine moves large ones",
      .automatic = TRUE, .in_device_memory = TRUE, .payloads = VYRE_PAYLOADS_BY_SIZE,
      .needs_bar = TRUE, .needs_copy_engine = TRUE },
};

/* NULL for a number that is no placement's. */
const VyrePlacementTraits *
vyre_placement_get_traits (VyrePlacement placement)
{
  return placement < G_N_ELEMENTS (placement_traits) ? &placement_traits[placement] : NULL;
}

const char *
vyre_placement_name (VyrePlacement placement)
{
  const VyrePlacementTraits *traits = vyre_placement_get_traits (placement);

  return traits ? traits->name : NULL;
}

const char *
vyre_placement_blurb (VyrePlacement placement)
{
  const VyrePlacementTraits *traits = vyre_placement_get_traits (placement);

  return traits ? traits->blurb : NULL;
}

/* Says why a device rules @placement out, or NULL. */
const char *
vyre_placement_why_not (VyrePlacement placement, const VyreDevice *device)
{
  const VyrePlacementTraits *traits = &placement_traits[placement];

  /* Atomics on system memory may stay in the cache of such a GPU until the launch ends, and
   * nothing tells the host which have arrived: one wrong result in hundreds, which no proof of
   * bearable length finds for sure. */
  if (!traits->in_device_memory && vyre_device_is_discrete (device))
    return "the device has memory of its own";
  if (traits->in_device_memory && device->subgroup_size < VYRE_TICKET_GRANULES)
    return "its subgroups are too small"; /* a lane looks at each quarter of a ticket */
  if (traits->needs_bar && !vyre_device_has_bar (device))
    return "the host cannot address memory of the device";
  if (traits->needs_copy_engine && device->n_transfer_queues == 0)
    return "there is no copy engine";
  return NULL;
}

/* Lists what to try: @wanted alone, or what %VYRE_PLACEMENT_AUTO means on @device. */
VyrePlacementCandidates
vyre_placement_list (VyrePlacement wanted, const VyreDevice *device)
{
  G_STATIC_ASSERT (G_N_ELEMENTS (placement_traits) <= VYRE_PLACEMENT_MAX_CANDIDATES);
  VyrePlacementCandidates candidates = { { wanted } };
  guint n = 0;

  if (wanted != VYRE_PLACEMENT_AUTO)
    return candidates;
  for (guint i = G_N_ELEMENTS (placement_traits) - 1; i > VYRE_PLACEMENT_AUTO; i--) {
    const VyrePlacementTraits *traits = &placement_traits[i];
    if (traits->automatic && traits->in_device_memory == vyre_device_is_discrete (device)
        && (!traits->needs_copy_engine || device->n_transfer_queues > 0))
      candidates.list[n++] = i;
  }
  return candidates;
}
