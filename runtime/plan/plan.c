/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Plans: made from a bound program or from the bytes of a batch.
 */
#include "plan/plan-private.h"
#include "base/alloc.h"

#include <string.h>

#include "program/symbols.h"
#include "vyre/control.h"

static gsize
plan_align (gsize size, gsize alignment)
{
  return (size + alignment - 1) / alignment * alignment;
}

/* The name that the program has for a resource; it belongs to @plan. */
VyreFileName
vyre_plan_resource_name (const VyrePlan *plan, guint resource)
{
  return (VyreFileName){ plan->access, (char *)plan->bound->resources[resource].path };
}

/* The word of the slice that holds the table entry of a resource; the table ends the slice. */
gsize
vyre_plan_resource_word (const VyrePlan *plan, guint resource)
{
  return plan->slice_size / 4
         - (gsize)VYRE_RESOURCE_TABLE_WORDS * (plan->bound->n_resources - resource);
}

/* Takes the reference to @bound. A plan that is @served has a table of its program's resources.
 * NULL with %VYRE_ERROR_NO_SPACE. */
VyrePlan *
vyre_plan_alloc (VyreBoundProgram *bound, gsize payload_size, guint workgroup,
    const VyreHandlers *handlers, gboolean served, GError **error)
{
  VyrePlan *plan = g_new0 (VyrePlan, 1);
  gsize slot_words = VYRE_SCRATCH_SLOT_WORDS * (gsize)bound->n_slots;
  gsize table_words = served ? VYRE_RESOURCE_TABLE_WORDS * (gsize)bound->n_resources : 0;

  g_atomic_ref_count_init (&plan->refs);
  plan->bound = bound;
  plan->n_state = vyre_plan_count_state (bound);
  plan->payload_size = payload_size;
  plan->workgroup = workgroup;
  plan->n_handlers = vyre_handlers_count (handlers);
  plan->handler_words = vyre_handlers_words (handlers);
  plan->tickets = g_array_new (FALSE, FALSE, sizeof (VyreTicket));
  vyre_layout_init (&plan->layout, bound->n_observables, bound->n_slots);
  plan->scratch_offset = plan_align (plan->layout.total, VYRE_GRANULE);
  plan->report_size = plan->scratch_offset + 4 * VYRE_SCRATCH_REPORT_WORDS;
  plan->slice_size = plan->scratch_offset
                     + 4 * (VYRE_SCRATCH_SLOTS + slot_words + plan->handler_words + table_words);
  plan->served = served;
  plan->slice = vyre_alloc0 (1, plan->slice_size, error);
  if (!plan->slice) {
    vyre_plan_unref (plan);
    return NULL;
  }
  vyre_handlers_write (
      handlers, &plan->slice[plan->scratch_offset / 4 + VYRE_SCRATCH_SLOTS + slot_words]);
  return plan;
}

/* Decides how much of a readback the kernel copies out, where it does not run in the readback. */
static void
plan_copy (VyrePlan *plan)
{
  const VyreLayout *layout = &plan->layout;
  gsize changing
      = vyre_plan_writes_queues (plan) ? layout->total : layout->offset[VYRE_PART_DEBUG_LOG];

  plan->copied_granules = plan_align (changing, VYRE_GRANULE) / VYRE_GRANULE;
  plan->copy_cost
      = (guint)((plan->copied_granules + VYRE_SCRATCH_REPORT_WORDS) / plan->workgroup) + 1;
}

/* Writes the scratch as it is when a batch starts. */
void
vyre_plan_write_scratch (VyrePlan *plan)
{
  guint32 *scratch = &plan->slice[plan->scratch_offset / 4];
  guint32 *about = scratch + VYRE_SCRATCH_ABOUT;

  plan_copy (plan);
  scratch[VYRE_SCRATCH_TICKETS_LEFT] = plan->tickets->len;
  about[VYRE_ABOUT_CONTROL_WORDS] = VYRE_CONTROL_OBSERVABLES + plan->bound->n_observables;
  about[VYRE_ABOUT_SLOTS] = plan->bound->n_slots;
  about[VYRE_ABOUT_PAYLOAD_BYTES] = (guint32)plan->payload_size;
  about[VYRE_ABOUT_FENCE_FIRST] = plan->fence_first;
  about[VYRE_ABOUT_FENCE_END] = plan->fence_end;
  about[VYRE_ABOUT_HANDLERS] = plan->n_handlers;
  about[VYRE_ABOUT_HANDLER_WORDS] = plan->handler_words;
  about[VYRE_ABOUT_COPIED] = (guint32)plan->copied_granules;
  if (!plan->served)
    return;
  scratch[VYRE_SCRATCH_SERVED] = VYRE_SERVED (plan->bound->n_resources, plan->writes_end);
  for (guint i = 0; i < plan->bound->n_resources; i++)
    plan->slice[vyre_plan_resource_word (plan, i) + VYRE_RESOURCE_BYTES] = VYRE_NOT_RESIDENT;
}

/* Plans a batch whose four parts are in the slice. Takes the reference to @plan. */
static VyrePlan *
plan_finish (VyrePlan *plan, GError **error)
{
  plan->older = vyre_plan_find_older (plan);
  if (!vyre_plan_cut (plan, error)) {
    vyre_plan_unref (plan);
    return NULL;
  }
  plan->extras = vyre_plan_find_extras (plan);
  vyre_plan_write_scratch (plan);
  vyre_plan_make_small (plan);
  return plan;
}

VyrePlan *
vyre_plan_new (VyreBoundProgram *bound, gsize payload_size, guint workgroup, VyreAccess *access,
    GError **error)
{
  gboolean reads, writes;

  if (!vyre_payload_size_check (payload_size, error)
      || !vyre_access_check (
          vyre_access_get_level (access), bound->resources, bound->n_resources, error))
    return NULL;
  vyre_plan_find_requests (bound, &reads, &writes);
  VyrePlan *plan = vyre_plan_alloc (
      vyre_bound_program_ref (bound), payload_size, workgroup, NULL, reads || writes, error);
  if (!plan)
    return NULL;
  plan->access = access ? vyre_access_ref (access) : NULL;
  plan->writes = writes;
  if (!vyre_encode_control_into (
          plan->slice, plan->slice_size, bound->n_observables, 1, FALSE, error)) {
    vyre_plan_unref (plan);
    return NULL;
  }
  const VyreLayout *layout = &plan->layout;
  memcpy (
      &plan->slice[layout->offset[VYRE_PART_RING] / 4], bound->slots, layout->size[VYRE_PART_RING]);
  if (writes && !reads)
    plan->writes_end = vyre_plan_find_writes_end (plan, plan->slice, 0);
  return plan_finish (plan, error);
}

static gboolean
plan_check_parts (const VyreParts *parts, gsize payload_size, GError **error)
{
  gsize n_slots = parts->size[VYRE_PART_RING] / (4 * VYRE_SLOT_WORDS);

  if (!vyre_readback_validate (parts->size, VYRE_N_PARTS, (guint32)n_slots, NULL, error))
    return FALSE;
  if (n_slots == 0 || n_slots > VYRE_ENCODE_MAX
      || parts->size[VYRE_PART_CONTROL] / 4 > VYRE_CONTROL_OBSERVABLES + VYRE_MAX_OBSERVABLES) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
        "A batch of %" G_GSIZE_FORMAT " slots and %" G_GSIZE_FORMAT
        " control bytes cannot run. Fix: have 1 to %u slots and at most %u observables.",
        n_slots, parts->size[VYRE_PART_CONTROL], VYRE_ENCODE_MAX, VYRE_MAX_OBSERVABLES);
    return FALSE;
  }
  if (parts->size[VYRE_PART_IO_QUEUE] != 4 * VYRE_IO_WORDS) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
        "An io queue of %" G_GSIZE_FORMAT
        " bytes cannot run. Fix: give the kernel all 64 io slots, 2048 bytes.",
        parts->size[VYRE_PART_IO_QUEUE]);
    return FALSE;
  }
  return vyre_payload_size_check (payload_size, error);
}

VyrePlan *
vyre_plan_new_from_parts (
    const VyreParts *parts, gsize payload_size, guint workgroup, GError **error)
{
  if (!plan_check_parts (parts, payload_size, error))
    return NULL;
  VyreBoundProgram *bound = vyre_bound_program_new_from_ring (parts->data[VYRE_PART_RING],
      (guint)(parts->size[VYRE_PART_RING] / (4 * VYRE_SLOT_WORDS)),
      (guint)(parts->size[VYRE_PART_CONTROL] / 4 - VYRE_CONTROL_OBSERVABLES), error);
  VyrePlan *plan
      = bound ? vyre_plan_alloc (bound, payload_size, workgroup, parts->handlers, FALSE, error)
              : NULL;
  if (!plan)
    return NULL;
  for (VyrePart part = 0; part < VYRE_N_PARTS; part++)
    memcpy (&plan->slice[plan->layout.offset[part] / 4], parts->data[part], parts->size[part]);
  plan->schedule = parts->schedule;
  plan->max_passes = parts->max_passes;
  plan->shut_down = plan->slice[VYRE_CONTROL_SHUTDOWN] != 0;
  return plan_finish (plan, error);
}

VyrePlan *
vyre_plan_ref (VyrePlan *plan)
{
  g_atomic_ref_count_inc (&plan->refs);
  return plan;
}

void
vyre_plan_unref (VyrePlan *plan)
{
  if (!g_atomic_ref_count_dec (&plan->refs))
    return;
  if (plan->template)
    plan->template->free (plan->template);
  vyre_bound_program_unref (plan->bound);
  g_clear_pointer (&plan->access, vyre_access_unref);
  g_clear_pointer (&plan->origin, vyre_plan_unref);
  g_array_unref (plan->tickets);
  g_free (plan->twins);
  g_free (plan->slice);
  g_free (plan);
}

const VyreBoundProgram *
vyre_plan_get_bound_program (const VyrePlan *plan)
{
  return plan->bound;
}

VyreAccess *
vyre_plan_get_access (const VyrePlan *plan)
{
  return plan->access;
}

const VyreLayout *
vyre_plan_get_layout (const VyrePlan *plan)
{
  return &plan->layout;
}

gsize
vyre_plan_get_payload_size (const VyrePlan *plan)
{
  return plan->payload_size;
}

guint64
vyre_plan_get_region_bytes (const VyrePlan *plan)
{
  return plan->region_bytes;
}
