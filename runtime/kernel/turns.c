/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/turns.h"

#include "abi/tenant-notes.h"
#include "kernel/state.h"

/* A run that costs less than this part of the limit is cheap: as many as an element may have in
 * flight take as long as one dear batch. */
#define CHEAP_PART 64

/* An early run that costs more than this part of the limit would keep out the batch whose turn it
 * is. */
#define EARLY_PART 8

static gboolean
turns_is_cheap (const VyreBatch *batch)
{
  return batch->run.cost <= batch->kernel->most / CHEAP_PART;
}

/* Finds the run after @run. A kernel with rare operations takes twice as long for work of lanes. */
static gboolean
turns_next_run (const VyreBatch *batch, VyreRun *run)
{
  const VyreMegakernel *kernel = batch->kernel;
  guint32 extras = atomic_load (&kernel->extras); /* pairs with the store in extras_build() */
  guint lane_part = (extras & VYRE_EXTRA_RARE) ? MAX (kernel->lane_part / 2, 1) : kernel->lane_part;

  return vyre_plan_next_run (batch->plan, kernel->most / 2, lane_part, run);
}

/* Whether the batch is cheap and not cut: the line does not concern it. */
gboolean
vyre_turns_pass (const VyreBatch *batch)
{
  return turns_is_cheap (batch) && !batch->cut;
}

/* Chooses the first run of a batch. */
void
vyre_turns_begin (VyreBatch *batch)
{
  batch->run = (VyreRun){ .spares_twins = batch->spares_twins };
  turns_next_run (batch, &batch->run);
  batch->cut = !vyre_plan_runs_at_once (batch->plan, &batch->run);
  batch->started = FALSE;
}

/* Chooses the run of a batch that needs nothing of the batch before it. FALSE: there is none. */
gboolean
vyre_turns_begin_early (VyreBatch *batch)
{
  VyreRun early;

  if (!vyre_plan_early_run (batch->plan, &early) || early.cost > batch->kernel->most / EARLY_PART)
    return FALSE;
  batch->run = early;
  batch->cut = TRUE;
  return TRUE;
}

/* Chooses the run behind that one. */
void
vyre_turns_go_behind (VyreBatch *batch)
{
  batch->run.spares_twins = batch->spares_twins;
  if (!turns_next_run (batch, &batch->run))
    vyre_plan_end_run (batch->plan, &batch->run);
  batch->cut = !vyre_plan_is_last_run (batch->plan, &batch->run);
}

/* TRUE once the device has time for the batch's run beside what is in flight. */
static gboolean
turns_fits (const VyreBatch *batch)
{
  const VyreMegakernel *kernel = batch->kernel;

  return kernel->load == 0
         || (kernel->load <= kernel->most && batch->run.cost <= kernel->most - kernel->load);
}

/* Whether a batch that comes now is published at once. */
gboolean
vyre_turns_may_enter (const VyreBatch *batch)
{
  return vyre_turns_pass (batch)
         || (g_queue_is_empty (&batch->kernel->turns) && turns_fits (batch));
}

/* A run of the batch goes into flight. */
void
vyre_turns_entered (VyreBatch *batch)
{
  if (vyre_turns_pass (batch))
    return;
  batch->kernel->load += turns_is_cheap (batch) ? 0 : batch->run.cost;
  batch->kernel->n_cut += batch->cut;
}

/* A run of the batch leaves flight, which may be what another batch waits for. */
void
vyre_turns_left (VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;

  if (!vyre_turns_pass (batch)) {
    kernel->load -= turns_is_cheap (batch) ? 0 : batch->run.cost;
    kernel->n_cut -= batch->cut;
  }
  /* a plain batch holds no lock of the line: the service thread looks again soon anyway */
  if (atomic_load_explicit (&kernel->n_in_line, memory_order_relaxed) > 0)
    vyre_megakernel_wake_host (kernel);
}

/* Puts the batch at the end of the line. */
void
vyre_turns_queue (VyreBatch *batch)
{
  batch->rung = FALSE;
  batch->link.data = batch;
  g_queue_push_tail_link (&batch->kernel->turns, &batch->link);
  atomic_fetch_add (&batch->kernel->n_in_line, 1); /* pairs with the load in vyre_turns_left() */
  vyre_megakernel_wake_host (batch->kernel);
}

/* Finds the run after the one that has ended. Fences wait for slots that wait for the host. */
static gboolean
turns_has_more (const VyreBatch *batch, const guint8 *report, VyreRun *next)
{
  gboolean waits = batch->plan->served && vyre_read_word (report, VYRE_SCRATCH_WAITING) > 0;

  if (!batch->cut || batch->orphaned || (waits && vyre_plan_is_last_run (batch->plan, &batch->run)))
    return FALSE;
  return turns_next_run (batch, next);
}

/* After a run, which is out of flight: queues the batch for its next. FALSE: there is none. */
gboolean
vyre_turns_go_on (VyreBatch *batch, const guint8 *report)
{
  VyreRun next = batch->run;

  if (!turns_has_more (batch, report, &next))
    return FALSE;
  batch->run = next;
  batch->kernel->counters.turns++;
  vyre_turns_queue (batch);
  return TRUE;
}

/* The number of the last turn of the batch's tenant. */
static guint64 *
turns_last (const VyreBatch *batch)
{
  return batch->tenant ? vyre_tenant_last_turn (batch->tenant) : &batch->kernel->last_turn;
}

/* Whether @a, which came later to the line, is published before @b. */
static gboolean
turns_comes_before (const VyreBatch *a, const VyreBatch *b)
{
  guint64 turn_a = *turns_last (a), turn_b = *turns_last (b);

  if (turn_a != turn_b)
    return turn_a < turn_b;
  return a->tenant && a->tenant == b->tenant && (gint32)(a->number - b->number) < 0;
}

/* Returns the batch whose turn it is, or NULL if there is none or the device has no time for it. */
VyreBatch *
vyre_turns_peek (const VyreMegakernel *kernel)
{
  VyreBatch *next = NULL;

  for (GList *l = kernel->turns.head; l; l = l->next) {
    VyreBatch *batch = l->data;
    if (!batch->orphaned && (!next || turns_comes_before (batch, next)))
      next = batch;
  }
  return next && turns_fits (next) ? next : NULL;
}

/* Takes the batch out of the line, whether or not it is its turn. */
void
vyre_turns_unqueue (VyreBatch *batch)
{
  g_queue_unlink (&batch->kernel->turns, &batch->link);
  atomic_fetch_sub (&batch->kernel->n_in_line, 1); /* the same */
}

/* The batch, which is out of the line, has had its turn. */
void
vyre_turns_note (VyreBatch *batch)
{
  *turns_last (batch) = ++batch->kernel->n_turns;
}

/* TRUE once no batch waits for a turn, or for the end of another, or will after its run. Batches of
 * a kernel that has failed do not go on. */
gboolean
vyre_turns_are_over (const VyreMegakernel *kernel)
{
  return g_queue_is_empty ((GQueue *)&kernel->turns)
         && ((kernel->n_cut == 0 && kernel->n_following == 0) || kernel->failure);
}
