/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/**
 * SECTION:plan
 * @title: Plan
 * @short_description: A bound program, ready to be published
 *
 * A plan holds everything about a bound program that is the same for every batch of one payload
 * size: the batch as it is copied into a readback slice (the four ABI parts and the scratch of the
 * kernel) and its tickets. A plan is immutable and reference counted, and needs no Vulkan.
 */

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
 * The order in which the slots of a batch run.
 */
typedef enum {
  VYRE_SCHEDULE_SLOTS,
  VYRE_SCHEDULE_PRIORITY,
} VyreSchedule;

/**
 * VyreParts:
 * @data: (array fixed-size=4): the parts of a batch before it runs, in ABI order
 * @size: their bytes, as vyre_readback_validate() checks them
 * @schedule: the order in which the slots run
 * @max_passes: the most passes of %VYRE_SCHEDULE_PRIORITY; 0 for passes until one finds no
 *   slot to run
 * @handlers: (nullable): handlers for opcodes that are not built in
 *
 * A batch as the bytes of the ABI, made without a program.
 */
typedef struct {
  const void *data[VYRE_N_PARTS];
  gsize size[VYRE_N_PARTS];
  VyreSchedule schedule;
  guint max_passes;
  const VyreHandlers *handlers;
} VyreParts;

/**
 * VyrePlan:
 *
 * A bound program, ready to be published.
 */
typedef struct _VyrePlan VyrePlan;

/**
 * vyre_plan_new:
 * @bound: a bound program; the plan takes a reference of its own
 * @payload_size: bytes of the payload that it was bound to, at most 4 GiB - 1
 * @workgroup: invocations per workgroup of the megakernel that will run it
 * @access: (nullable): the grant of files to its batches; the plan takes a reference of its own
 * @error: return location
 *
 * Makes a plan. The megakernel serves the files that such a batch asks for as far as @access grants
 * them, even if it holds other files for other plans.
 *
 * Returns: (transfer full) (nullable): the plan, or %NULL with %VYRE_ERROR_ACCESS when the
 *   program names files that @access does not grant, or %VYRE_ERROR_TOO_LARGE when no batch
 *   can hold so much work or so large a payload
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
 * Plans a batch from the bytes of the ABI as they are: they may have other tenants than the first,
 * slots that ran before, and counters that do not start at 0. A LOAD_MISS slot in WAIT_IO goes on
 * when the io queue holds its completed request. When SHUTDOWN is set no slot runs. Payload opcodes
 * fault under %VYRE_SCHEDULE_PRIORITY.
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
 * Takes a reference.
 *
 * Returns: (transfer full): @plan with one more reference
 */
VyrePlan *vyre_plan_ref (VyrePlan *plan);

/**
 * vyre_plan_unref:
 * @plan: (transfer full): a plan
 *
 * Drops a reference; the last one frees the plan.
 */
void vyre_plan_unref (VyrePlan *plan);

/**
 * vyre_plan_get_bound_program:
 * @plan: a plan
 *
 * Gets the bound program.
 *
 * Returns: (transfer none): the bound program that the plan was made from
 */
const VyreBoundProgram *vyre_plan_get_bound_program (const VyrePlan *plan);

/**
 * vyre_plan_get_layout:
 * @plan: a plan
 *
 * Gets the layout of the readbacks.
 *
 * Returns: (transfer none): the places of the parts in its readbacks
 */
const VyreLayout *vyre_plan_get_layout (const VyrePlan *plan);

/**
 * vyre_plan_get_access:
 * @plan: a plan
 *
 * Gets the grant of a plan.
 *
 * Returns: (transfer none) (nullable): the grant of files to its batches
 */
VyreAccess *vyre_plan_get_access (const VyrePlan *plan);

/**
 * vyre_plan_get_payload_size:
 * @plan: a plan
 *
 * Gets the size of the payload.
 *
 * Returns: bytes of the payload of a batch; 0 for batches without one
 */
gsize vyre_plan_get_payload_size (const VyrePlan *plan);

/**
 * vyre_plan_get_region_bytes:
 * @plan: a plan
 *
 * Gets the number of payload bytes that a batch reads.
 *
 * Returns: payload bytes that its slots read when all of them run; a byte counts as
 *   often as it is read
 */
guint64 vyre_plan_get_region_bytes (const VyrePlan *plan);

/**
 * vyre_plan_get_state_words:
 * @plan: a plan
 *
 * Gets the number of words that live from batch to batch.
 *
 * Returns: words that the program declares as state; with any, its batches are published by
 *   vyre_stream_publish()
 */
guint vyre_plan_get_state_words (const VyrePlan *plan);

/**
 * vyre_plan_get_older:
 * @plan: a plan
 *
 * Gets the older payloads that batches read: those of batches before them.
 *
 * Returns: a bit for each, 1 << VYRE_FROM_PREVIOUS and 1 << VYRE_FROM_REFERENCE; with any,
 *   vyre_stream_publish() publishes the batches, and keeps their payloads, which are not imported
 */
guint vyre_plan_get_older (const VyrePlan *plan);

/**
 * vyre_plan_read_state:
 * @plan: a plan
 * @readback: the readback of one of its batches
 * @faults: the number of slots that faulted, from the completion of that batch
 * @words: (out caller-allocates): vyre_plan_get_state_words() words
 *
 * Reads the words of state that a batch has left, which vyre_stream_new() takes. A batch whose
 * slots did not all run without a fault leaves the words that formulas say as it found them.
 */
void vyre_plan_read_state (
    const VyrePlan *plan, const guint8 *readback, guint faults, guint32 *words);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyrePlan, vyre_plan_unref)

G_END_DECLS
