/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Turns: who may hold the device, and for how long. Tickets are taken in the order in which
 * they are published, so what a batch waits for is what was published before it. Batches that
 * take no time worth mentioning are published at once; of the others only as much as the
 * device gets done in the time that a batch may hold it, and the rest wait here. A batch that is
 * more than half of that by itself is cut into runs, and waits again after each. The service
 * publishes what has waited: the oldest batch of the tenant whose last turn is longest ago, so
 * that nobody waits for more than one run of each of the others, however much they have queued.
 * Those without a tenant are one for that, and served as they came.
 *
 * Everything here is called with the kernel's lock held, but for vyre_turns_proceed().
 */
#include "kernel/types.h"
#include "base/spin-lock.h"
#include "abi/tenant-notes.h"

/* What costs less than this part of the whole takes no time worth mentioning: as many as
 * there may be of an element take as long as one dear batch. */
#define CHEAP_PART 64

static gboolean
is_cheap (const VyreBatch *batch)
{
  return batch->run.cost <= batch->kernel->most / CHEAP_PART;
}

/* A kernel that was built in full takes twice as long for what lanes do. */
static gboolean
next_run (const VyreBatch *batch, VyreRun *run)
{
  const VyreMegakernel *kernel = batch->kernel;
  guint lane_part = kernel->pipeline.rare ? MAX (kernel->lane_part / 2, 1) : kernel->lane_part;

  return vyre_plan_next_run (batch->plan, kernel->most / 2, lane_part, run);
}

/* Chooses what of a batch is published first. */
void
vyre_turns_begin (VyreBatch *batch)
{
  batch->run = (VyreRun){ 0 };
  next_run (batch, &batch->run);
  batch->cut = !vyre_plan_runs_at_once (batch->plan, &batch->run);
  batch->started = FALSE;
}

/* Whether it is a batch's turn, provided that nobody waits who came before it. */
static gboolean
fits (const VyreBatch *batch)
{
  const VyreMegakernel *kernel = batch->kernel;

  return kernel->load == 0
         || (kernel->load <= kernel->most && batch->run.cost <= kernel->most - kernel->load);
}

/* Whether a batch that comes now may be published at once. */
gboolean
vyre_turns_may_enter (const VyreBatch *batch)
{
  return (is_cheap (batch) && !batch->cut)
         || (g_queue_is_empty (&batch->kernel->turns) && fits (batch));
}

/* A run of it takes its place among what is in flight. */
void
vyre_turns_entered (VyreBatch *batch)
{
  batch->kernel->load += is_cheap (batch) ? 0 : batch->run.cost;
  batch->kernel->n_cut += batch->cut;
}

/* And leaves it, which may be what another one waits for. */
void
vyre_turns_left (VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;

  kernel->load -= is_cheap (batch) ? 0 : batch->run.cost;
  kernel->n_cut -= batch->cut;
  if (!g_queue_is_empty (&kernel->turns))
    vyre_host_requests_wake (kernel->service);
}

/* Has the batch wait its turn. */
void
vyre_turns_queue (VyreBatch *batch)
{
  batch->rung = FALSE;
  batch->link.data = batch;
  g_queue_push_tail_link (&batch->kernel->turns, &batch->link);
  vyre_host_requests_wake (batch->kernel->service);
}

/* Whether a batch has more to do than the run that has ended. Fences wait for slots that wait
 * for the host. */
static gboolean
has_more (const VyreBatch *batch, const guint8 *report, VyreRun *next)
{
  gboolean waits = batch->plan->served && vyre_read_word (report, VYRE_SCRATCH_WAITING) > 0;

  if (!batch->cut || batch->orphaned || (waits && vyre_plan_is_last_run (batch->plan, &batch->run)))
    return FALSE;
  return next_run (batch, next);
}

/* After a run, which is out of flight: has the batch wait for its next, if there is one. */
gboolean
vyre_turns_go_on (VyreBatch *batch, const guint8 *report)
{
  VyreRun next = batch->run;

  if (!has_more (batch, report, &next))
    return FALSE;
  batch->run = next;
  batch->kernel->counters.turns++;
  vyre_turns_queue (batch);
  return TRUE;
}

static VyreBatch *
pop (VyreMegakernel *kernel, VyreBatch *batch)
{
  g_queue_unlink (&kernel->turns, &batch->link);
  return batch;
}

/* Lets go of what waits and nobody wants any more; and, if the kernel has failed, leaves the rest
 * to who waits for it. */
static void
drop_unwanted (VyreMegakernel *kernel, VyreReleases *releases)
{
  for (GList *l = kernel->turns.head, *next; l && releases->n < VYRE_MAX_BATCHES; l = next) {
    VyreBatch *batch = l->data;
    next = l->next;
    if (kernel->failure) {
      VyreRelease release = vyre_batch_give_up (pop (kernel, batch));
      releases->list[releases->n++] = release;
    } else if (batch->orphaned) {
      vyre_batch_complete (pop (kernel, batch), releases);
    }
  }
}

/* The number of the last turn of whoever published @batch. */
static guint64 *
last_turn (const VyreBatch *batch)
{
  return batch->tenant ? vyre_tenant_last_turn (batch->tenant) : &batch->kernel->last_turn;
}

/* Whether @a, which came later to the line, is to be published before @b. */
static gboolean
comes_before (const VyreBatch *a, const VyreBatch *b)
{
  guint64 turn_a = *last_turn (a), turn_b = *last_turn (b);

  if (turn_a != turn_b)
    return turn_a < turn_b;
  return a->tenant && a->tenant == b->tenant && (gint32)(a->number - b->number) < 0;
}

static VyreBatch *
peek_next (const VyreMegakernel *kernel)
{
  VyreBatch *next = NULL;

  for (GList *l = kernel->turns.head; l; l = l->next) {
    VyreBatch *batch = l->data;
    if (!batch->orphaned && (!next || comes_before (batch, next)))
      next = batch;
  }
  return next;
}

/* Publishes whose turn it is; the lock is dropped on the way. */
static void
publish_next (VyreMegakernel *kernel, VyreReleases *releases)
{
  VyreBatch *batch;

  while ((batch = peek_next (kernel)) && releases->n < VYRE_MAX_BATCHES - 1 && !kernel->failure
         && fits (batch) && vyre_batch_has_room (batch)) {
    VyrePayload done_with = { .release = NULL };
    *last_turn (batch) = ++kernel->n_turns;
    vyre_batch_enter (pop (kernel, batch));
    vyre_batch_ring (batch, &done_with);
    releases->list[releases->n++]
        = (VyreRelease){ .payload = { .release = done_with.release, .owner = done_with.owner } };
    if (batch->orphaned && kernel->failure)
      releases->list[releases->n++] = vyre_batch_take_release (batch);
  }
}

/* What is in flight of a kernel that has failed does not go on. */
static gboolean
is_idle (const VyreMegakernel *kernel)
{
  return g_queue_is_empty ((GQueue *)&kernel->turns) && (kernel->n_cut == 0 || kernel->failure);
}

/* Goes on with what waits. Called by the service alone, without the lock. Returns whether it
 * has to be called again soon. */
gboolean
vyre_turns_proceed (VyreMegakernel *kernel)
{
  VyreReleases releases;

  releases.n = 0;
  vyre_mutex_lock (&kernel->lock);
  /* completions wake nobody, and those who wait for them may not look */
  if (!is_idle (kernel) || kernel->collect)
    vyre_megakernel_collect (kernel);
  drop_unwanted (kernel, &releases);
  publish_next (kernel, &releases);
  gboolean idle = is_idle (kernel);
  g_mutex_unlock (&kernel->lock);
  vyre_releases_run (&releases);
  return !idle;
}

/* Called by the service when it stops: nobody wants what waits any more. */
void
vyre_turns_end (VyreMegakernel *kernel)
{
  while (!g_queue_is_empty (&kernel->turns))
    vyre_turns_proceed (kernel);
}
