/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/plan-private.h"
#include "base/alloc.h"

#include <string.h>

#include "program/symbols.h"
#include "vyre/control.h"
#include "program/opcodes.h"

/* Steps of a LOCAL ticket take one workgroup's time, one after the other. */
#define LOCAL_COST_MAX (VYRE_COST_MAX / 2)

static gsize
align_up (gsize size, gsize alignment)
{
  return (size + alignment - 1) / alignment * alignment;
}

/* Whether it has anything that a kernel does without unless it is needed. */
static gboolean
needs_rare (const VyrePlan *plan)
{
  gboolean asks = FALSE;

  for (guint slot = 0; slot < plan->bound->n_slots; slot++)
    asks |= vyre_opcode_asks_host (vyre_plan_slot_word (plan->bound, slot, VYRE_SLOT_OPCODE))
            && vyre_plan_may_run (plan, slot);
  return asks || plan->n_handlers > 0 || plan->schedule == VYRE_SCHEDULE_PRIORITY;
}

/* A resource by the name that the program has for it; what there is belongs to @plan. */
VyreFileName
vyre_plan_resource_name (const VyrePlan *plan, guint resource)
{
  return (VyreFileName){ plan->access, (char *)plan->bound->resources[resource].path };
}

/* The word of the slice where the table entry of a resource is, the last of all. */
gsize
vyre_plan_resource_word (const VyrePlan *plan, guint resource)
{
  return plan->slice_size / 4
         - (gsize)VYRE_RESOURCE_TABLE_WORDS * (plan->bound->n_resources - resource);
}

static void
write_scratch (VyrePlan *plan)
{
  guint32 *scratch = &plan->slice[plan->scratch_offset / 4];
  guint32 *about = scratch + VYRE_SCRATCH_ABOUT;

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

static guint64
steps_cost (const VyrePlan *plan)
{
  return plan->cost + plan->tickets->len + plan->fence_cost;
}

/* The word of the slice where a batch's own tag goes. */
gint64
vyre_plan_tag_word (const VyrePlan *plan)
{
  gint slot = plan->bound->sequence_slot;

  if (slot < 0)
    return VYRE_NO_TAG_WORD;
  return (gint64)(plan->layout.offset[VYRE_PART_RING] / 4) + (gint64)slot * VYRE_SLOT_WORDS
         + VYRE_SLOT_ARGS + 1;
}

/* The tickets once more, as steps of one that runs a small batch as a whole. */
static void
plan_local (VyrePlan *plan)
{
  guint steps = plan->tickets->len;
  gsize words = plan->slice_size / 4 + (gsize)steps * VYRE_STEP_WORDS;
  guint64 copies = 3 * (words / plan->workgroup + 1);

  if (plan->served || plan->fences_apart) /* every batch has a table of its own */
    return;
  if (words > VYRE_LOCAL_WORDS || steps > VYRE_LOCAL_STEPS || plan->region_bytes > VYRE_LOCAL_BYTES
      || steps_cost (plan) + copies > LOCAL_COST_MAX)
    return;
  plan->small = TRUE;
  plan->small_size = 4 * words;
  plan->slice = g_realloc (plan->slice, plan->small_size);
  for (guint i = 0; i < steps; i++) {
    const guint32 *from = g_array_index (plan->tickets, VyreTicket, i).words;
    guint32 *step = plan->slice + plan->slice_size / 4 + (gsize)i * VYRE_STEP_WORDS;
    step[VYRE_STEP_KIND] = from[VYRE_TICKET_KIND];
    memcpy (step + VYRE_STEP_SLOT, from + VYRE_TICKET_SLOT, 4 * (VYRE_STEP_WORDS - 1));
  }
  guint32 *ticket = plan->small_ticket.words;
  ticket[VYRE_TICKET_KIND] = VYRE_KIND_LOCAL;
  ticket[VYRE_TICKET_COST] = (guint32)(steps_cost (plan) + copies) + VYRE_COST_LOCAL;
  ticket[VYRE_TICKET_SCRATCH] = (guint32)(plan->scratch_offset / 4);
  ticket[VYRE_TICKET_LOCAL_WORDS] = (guint32)words;
  ticket[VYRE_TICKET_STEPS] = steps;
  ticket[VYRE_TICKET_TAG_WORD] = (guint32)vyre_plan_tag_word (plan);
}

/* Takes @bound. A plan that is @served has a table of its program's resources. NULL with
 * %VYRE_ERROR_NO_SPACE. */
static VyrePlan *
plan_alloc (VyreBoundProgram *bound, gsize payload_size, guint workgroup,
    const VyreHandlers *extensions, gboolean served, GError **error)
{
  VyrePlan *plan = g_new0 (VyrePlan, 1);
  gsize slot_words = VYRE_SCRATCH_SLOT_WORDS * (gsize)bound->n_slots;
  gsize table_words = served ? VYRE_RESOURCE_TABLE_WORDS * (gsize)bound->n_resources : 0;

  g_atomic_ref_count_init (&plan->refs);
  plan->bound = bound;
  plan->payload_size = payload_size;
  plan->workgroup = workgroup;
  plan->n_handlers = vyre_handlers_count (extensions);
  plan->handler_words = vyre_handlers_words (extensions);
  plan->tickets = g_array_new (FALSE, FALSE, sizeof (VyreTicket));
  vyre_layout_init (&plan->layout, bound->n_observables, bound->n_slots);
  plan->scratch_offset = align_up (plan->layout.total, VYRE_GRANULE);
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
      extensions, &plan->slice[plan->scratch_offset / 4 + VYRE_SCRATCH_SLOTS + slot_words]);
  return plan;
}

/* Whether the kernel may write to the debug log or the io queue; a handler may have
 * PRINTF done, and a packed slot cannot. */
static gboolean
writes_queues (const VyrePlan *plan)
{
  gboolean writes = plan->n_handlers > 0;

  for (guint slot = 0; slot < plan->bound->n_slots && !writes; slot++) {
    guint32 opcode = vyre_plan_slot_word (plan->bound, slot, VYRE_SLOT_OPCODE);
    writes = opcode == VYRE_OP_PRINTF || vyre_opcode_asks_host (opcode);
  }
  return writes;
}

/* How much of a readback the kernel stores where it does not run in it. */
static void
plan_copy (VyrePlan *plan)
{
  const VyreLayout *layout = &plan->layout;
  gsize changing = writes_queues (plan) ? layout->total : layout->offset[VYRE_PART_DEBUG_LOG];

  plan->copied_granules = align_up (changing, VYRE_GRANULE) / VYRE_GRANULE;
  plan->copy_cost
      = (guint)((plan->copied_granules + VYRE_SCRATCH_REPORT_WORDS) / plan->workgroup) + 1;
}

/* The rest, once the slice holds the four parts. */
static VyrePlan *
plan_finish (VyrePlan *plan, GError **error)
{
  if (!vyre_plan_cut (plan, error)) {
    vyre_plan_unref (plan);
    return NULL;
  }
  plan->rare = needs_rare (plan);
  plan_copy (plan);
  write_scratch (plan);
  plan_local (plan);
  return plan;
}

static gboolean
is_write (guint32 opcode)
{
  return opcode == VYRE_OP_APPEND || opcode == VYRE_OP_SYNC;
}

/* Whether the host has something to serve: to read, or to write. */
static void
find_requests (const VyreBoundProgram *bound, gboolean *reads, gboolean *writes)
{
  *reads = *writes = FALSE;
  for (guint slot = 0; slot < bound->n_used; slot++) {
    guint32 opcode = vyre_plan_slot_word (bound, slot, VYRE_SLOT_OPCODE);
    *writes |= is_write (opcode);
    *reads |= vyre_opcode_asks_host (opcode) && !is_write (opcode);
  }
}

/* The slot before which those from @first on may ask for writes, all at once, that have not:
 * by the ring as it is in @slice. */
static guint
find_writes_end (const VyrePlan *plan, const guint32 *slice, guint first)
{
  const guint32 *ring = slice + plan->layout.offset[VYRE_PART_RING] / 4;
  guint n = 0, slot;

  for (slot = first; slot < plan->bound->n_slots && n < VYRE_IO_SLOTS; slot++) {
    const guint32 *words = ring + (gsize)slot * VYRE_SLOT_WORDS;
    n += is_write (words[VYRE_SLOT_OPCODE]) && words[VYRE_SLOT_STATUS] == VYRE_STATUS_PUBLISHED;
  }
  return slot;
}

VyrePlan *
vyre_plan_new (VyreBoundProgram *bound, gsize payload_size, guint workgroup, VyreAccess *access,
    GError **error)
{
  gboolean reads, writes;

  if (!vyre_access_check (
          vyre_access_get_level (access), bound->resources, bound->n_resources, error))
    return NULL;
  find_requests (bound, &reads, &writes);
  VyrePlan *plan = plan_alloc (
      vyre_bound_program_ref (bound), payload_size, workgroup, NULL, reads || writes, error);
  if (!plan)
    return NULL;
  const VyreLayout *layout = &plan->layout;

  plan->access = access ? vyre_access_ref (access) : NULL;
  plan->writes = writes;

  if (!vyre_encode_control_into (
          plan->slice, plan->slice_size, bound->n_observables, 1, FALSE, error)) {
    vyre_plan_unref (plan);
    return NULL;
  }
  memcpy (
      &plan->slice[layout->offset[VYRE_PART_RING] / 4], bound->slots, layout->size[VYRE_PART_RING]);
  if (writes && !reads)
    plan->writes_end = find_writes_end (plan, plan->slice, 0);
  return plan_finish (plan, error);
}

static gboolean
check_parts (const VyreParts *parts, gsize payload_size, GError **error)
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
  if (payload_size > G_MAXUINT32) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
        "The payload has %" G_GSIZE_FORMAT " bytes and the limit is 4294967295. Fix: send smaller "
        "buffers.",
        payload_size);
    return FALSE;
  }
  return TRUE;
}

VyrePlan *
vyre_plan_new_from_parts (
    const VyreParts *parts, gsize payload_size, guint workgroup, GError **error)
{
  if (!check_parts (parts, payload_size, error))
    return NULL;
  VyreBoundProgram *bound = vyre_bound_program_new_from_ring (parts->data[VYRE_PART_RING],
      (guint)(parts->size[VYRE_PART_RING] / (4 * VYRE_SLOT_WORDS)),
      (guint)(parts->size[VYRE_PART_CONTROL] / 4 - VYRE_CONTROL_OBSERVABLES), error);
  VyrePlan *plan
      = bound ? plan_alloc (bound, payload_size, workgroup, parts->extensions, FALSE, error) : NULL;
  if (!plan)
    return NULL;
  for (VyrePart part = 0; part < VYRE_N_PARTS; part++)
    memcpy (&plan->slice[plan->layout.offset[part] / 4], parts->data[part], parts->size[part]);
  plan->schedule = parts->schedule;
  plan->max_passes = parts->max_passes;
  plan->shut_down = plan->slice[VYRE_CONTROL_SHUTDOWN] != 0;
  return plan_finish (plan, error);
}

/* Whether a ticket of lanes has a slot that is not through, by the ring in @slice. */
static gboolean
has_work (const VyrePlan *plan, const VyreTicket *ticket, const guint32 *slice)
{
  const guint32 *ring = slice + plan->layout.offset[VYRE_PART_RING] / 4;
  guint first = ticket->words[VYRE_TICKET_SLOT];

  if (ticket->words[VYRE_TICKET_KIND] != VYRE_KIND_LANES)
    return FALSE;
  for (guint slot = first; slot < first + ticket->words[VYRE_TICKET_COUNT]; slot++) {
    guint32 status = ring[(gsize)slot * VYRE_SLOT_WORDS + VYRE_SLOT_STATUS];
    if (status == VYRE_STATUS_PUBLISHED || status == VYRE_STATUS_WAIT_IO)
      return TRUE;
  }
  return FALSE;
}

/* The plan for the rest of a batch of @plan, which was served, from its readback on: those
 * tickets once more that have slots which are not through. Slots over payloads were refused,
 * if they were not through, and stay so. With @writes, more slots may ask for those. NULL with
 * %VYRE_ERROR_NO_SPACE. */
VyrePlan *
vyre_plan_continue (VyrePlan *plan, const guint8 *readback, gboolean writes, GError **error)
{
  VyrePlan *origin = plan->origin ? plan->origin : plan;
  VyrePlan *next = plan_alloc (vyre_bound_program_ref (origin->bound), origin->payload_size,
      origin->workgroup, NULL, TRUE, error);
  if (!next)
    return NULL;
  VyreTicket nothing = { .words = { [VYRE_TICKET_KIND] = VYRE_KIND_LANES } };

  next->origin = vyre_plan_ref (origin);
  next->access = origin->access ? vyre_access_ref (origin->access) : NULL;
  next->rare = TRUE;
  next->writes = origin->writes;
  next->writes_end = plan->writes_end;
  next->fence_first = origin->fence_first;
  next->fence_end = origin->fence_end;
  next->fence_cost = origin->fence_cost;
  next->fences_apart = origin->fences_apart;
  memcpy (next->slice, origin->slice, origin->slice_size); /* for the marks of the fences */
  memcpy (next->slice, readback, origin->layout.total);
  if (writes)
    next->writes_end = find_writes_end (next, next->slice, next->writes_end);
  for (guint i = 0; i < origin->tickets->len; i++) {
    const VyreTicket *ticket = &g_array_index (origin->tickets, VyreTicket, i);
    if (has_work (next, ticket, next->slice))
      vyre_plan_append_ticket (next, ticket);
  }
  if (next->tickets->len == 0)
    vyre_plan_add_ticket (next, 0, &nothing, NULL); /* somebody has to run the fences */
  plan_copy (next);
  write_scratch (next);
  return next;
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
