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

/**
 * vyre_plan_new:
 * @bound: a bound program; the plan takes a reference of its own
 * @payload_size: bytes of the payload it was bound to
 * @workgroup: invocations per workgroup of the megakernel that will run it
 * @access: (nullable): what files its batches may use; the plan takes a reference of its own
 * @error: return location
 *
 * What such a batch asks the host for is served by the megakernel: files as far as @access
 * grants them, and no others, whoever else on that megakernel has them.
 *
 * Returns: (transfer full) (nullable): the plan, or %NULL with %VYRE_ERROR_ACCESS when the
 *   program names files that @access does not grant, or %VYRE_ERROR_TOO_LARGE when no batch
 *   can hold so much work
 */
VyrePlan *vyre_plan_new (VyreBoundProgram *bound, gsize payload_size, guint workgroup,
    VyreAccess *access, GError **error);

/**
 * vyre_plan_new_from_parts:
 * @parts: the batch before it runs; copied
 * @payload_size: bytes of the payload that its payload slots refer to, at most 4 GiB - 1
 * @workgroup: invocations per workgroup of the megakernel that will run it
 * @error: return location
 *
 * Plans a batch from the ABI's bytes as they are: other tenants than the first,
 * slots that ran before, counters that do not start at 0. A LOAD_MISS slot that is
 * WAIT_IO goes on when the io queue has its request completed. When SHUTDOWN is set
 * nothing runs. Payload opcodes cannot run under %VYRE_SCHEDULE_PRIORITY and fault.
 *
 * Returns: (transfer full) (nullable): the plan, or %NULL with
 *   %VYRE_ERROR_MISALIGNED, %VYRE_ERROR_INVALID (sizes that no batch has),
 *   %VYRE_ERROR_TOO_LARGE (more work than a batch can hold) or %VYRE_ERROR_NO_SPACE
 */
VyrePlan *vyre_plan_new_from_parts (
    const VyreParts *parts, gsize payload_size, guint workgroup, GError **error);

/**
 * vyre_plan_ref:
 * @plan: a plan
 *
 * Returns: (transfer full): @plan with one more reference
 */
VyrePlan *vyre_plan_ref (VyrePlan *plan);

/**
 * vyre_plan_unref:
 * @plan: (transfer full): a plan
 */
void vyre_plan_unref (VyrePlan *plan);

/**
 * vyre_plan_get_bound_program:
 * @plan: a plan
 *
 * Returns: (transfer none): the bound program it was made from
 */
const VyreBoundProgram *vyre_plan_get_bound_program (const VyrePlan *plan);

/**
 * vyre_plan_get_layout:
 * @plan: a plan
 *
 * Returns: (transfer none): where the parts of its readbacks lie
 */
const VyreLayout *vyre_plan_get_layout (const VyrePlan *plan);

/**
 * vyre_plan_get_access:
 * @plan: a plan
 *
 * Returns: (transfer none) (nullable): what files its batches may use
 */
VyreAccess *vyre_plan_get_access (const VyrePlan *plan);

/**
 * vyre_plan_get_payload_size:
 * @plan: a plan
 *
 * Returns: bytes of the payload that a batch needs; 0 when it needs none
 */
gsize vyre_plan_get_payload_size (const VyrePlan *plan);

/**
 * vyre_plan_get_region_bytes:
 * @plan: a plan
 *
 * Returns: payload bytes its slots read when all of them run, a byte counted as
 *   often as it is read
 */
guint64 vyre_plan_get_region_bytes (const VyrePlan *plan);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyrePlan, vyre_plan_unref)

G_END_DECLS
