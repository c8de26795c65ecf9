/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A plan: everything about a bound program that is the same for every batch of
 * one payload size, worked out once. It holds the batch as it is copied into a
 * readback slice (the four ABI parts and the kernel's scratch) and the tickets.
 * Immutable and reference counted; needs no Vulkan.
 */
#pragma once

#include "vyre/access.h"
#include "vyre/parts.h"
#include "vyre/handlers.h"
#include "vyre/program.h"

G_BEGIN_DECLS

/**
 * VyreSchedule:
 * @VYRE_SCHEDULE_SLOTS: every PUBLISHED slot runs once, in no particular order
 * @VYRE_SCHEDULE_PRIORITY: the ring is divided by the priority offsets of its control
 *   words. In a pass, worker i takes the i-th slot of the most urgent partition
 *   where that one is PUBLISHED, YIELD or REQUEUE and within the quota of its tenant.
 *
 * In what order the slots of a batch run.
 */
typedef enum {
  VYRE_SCHEDULE_SLOTS,
  VYRE_SCHEDULE_PRIORITY,
} VyreSchedule;

/**
 * VyreParts:
 * @data: (array fixed-size=4): the parts of a batch before it runs, in ABI order
 * @size: their bytes, as vyre_readback_validate() wants them
 * @schedule: in what order the slots run
 * @max_passes: of %VYRE_SCHEDULE_PRIORITY, how many passes there are at most; 0 for
 *   as many as find something to do
 * @extensions: (nullable): handlers for opcodes that are not built in
 *
 * A batch made by somebody who writes the ABI's bytes, rather than by a program.
 */
typedef struct {
  const void *data[VYRE_N_PARTS];
  gsize size[VYRE_N_PARTS];
  VyreSchedule schedule;
  guint max_passes;
  const VyreHandlers *extensions;
} VyreParts;

typedef struct _VyrePlan VyrePlan;

VyrePlan *vyre_plan_new (VyreBoundProgram *bound, gsize payload_size, guint workgroup,
    VyreAccess *access, GError **error);
VyrePlan *vyre_plan_new_from_parts (
    const VyreParts *parts, gsize payload_size, guint workgroup, GError **error);
VyrePlan *vyre_plan_ref (VyrePlan *plan);
void vyre_plan_unref (VyrePlan *plan);
const VyreBoundProgram *vyre_plan_get_bound_program (const VyrePlan *plan);
const VyreLayout *vyre_plan_get_layout (const VyrePlan *plan);
VyreAccess *vyre_plan_get_access (const VyrePlan *plan);
gsize vyre_plan_get_payload_size (const VyrePlan *plan);
guint64 vyre_plan_get_region_bytes (const VyrePlan *plan);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyrePlan, vyre_plan_unref)

G_END_DECLS
