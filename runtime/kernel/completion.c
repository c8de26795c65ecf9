/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Batches from the doorbell on: completion, parking, waiting, and what is left of them.
 */
#include "vyre/clock.h"
#include "vyre/parts.h"
#include "kernel/import-private.h"
#include "vyre/io-queue.h"
#include "kernel/types.h"
#include "base/spin-lock.h"
#include "base/order.h"

#include <time.h>

static const guint32 *
completion_word (const VyreMegakernel *kernel, guint index)
{
  return (const guint32 *)kernel->answer.data + (gsize)index * VYRE_COMPLETION_WORDS;
}

/* What is not in flight has none: sequences start at 1. */
#define NO_COMPLETION_KEY 0

/* Whether the kernel is through with the batch. Where it ran in its readback the order of the loads
 * pairs with the kernel's barrier before it stores the sequence. */
gboolean
vyre_batch_is_completed (VyreBatch *batch)
{
  guint64 place = atomic_load_explicit (&batch->completion_key, memory_order_relaxed);
  const guint32 *word = completion_word (batch->kernel, (guint)(place >> 32));

  if (place == NO_COMPLETION_KEY || __atomic_load_n (word, __ATOMIC_RELAXED) != (guint32)place)
    return FALSE;
  vyre_order_loads ();
  return TRUE;
}

guint8 *
vyre_batch_readback (const VyreBatch *batch)
{
  return vyre_store_get_data (batch->kernel->readbacks) + batch->readback;
}

/* Whether its readback, and the report behind it, are there. Called with the lock held. */
static gboolean
has_arrived (VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;

  return !vyre_megakernel_is_discrete (kernel)
         || vyre_readback_marks_is_whole (
             vyre_batch_readback (batch), batch->plan, &kernel->mark, &batch->arrived);
}

/* Lets go of the files that its table says are resident. */
static void
drop_pins (VyreBatch *batch)
{
  for (guint i = 0; batch->pins && i < batch->plan->bound->n_resources; i++) {
    if (batch->pins[i])
      vyre_resident_files_unpin (
          vyre_host_requests_get_resources (batch->kernel->service), batch->pins[i]);
  }
  g_clear_pointer (&batch->pins, g_free);
}

/* Gives back what only a run of the kernel needed. */
static void
free_run_memory (VyreBatch *batch)
{
  if (batch->work != VYRE_NOWHERE)
    vyre_store_free (batch->kernel->work, batch->work);
  batch->work = VYRE_NOWHERE;
  drop_pins (batch);
}

/* Gives back what only the kernel needed. */
void
vyre_batch_free_memory (VyreBatch *batch)
{
  free_run_memory (batch);
  if (batch->stored_at != VYRE_NOWHERE)
    vyre_store_free (batch->kernel->payloads, batch->stored_at);
  batch->stored_at = VYRE_NOWHERE;
}

/* What has to be let go of, now that the kernel is through with the batch or will never
 * be. */
VyreRelease
vyre_batch_take_release (VyreBatch *batch)
{
  VyreRelease release = { batch->payload, g_steal_pointer (&batch->tenant) };

  batch->payload.release = NULL;
  batch->payload.import = NULL;
  return release;
}

void
vyre_release_run (const VyreRelease *release)
{
  if (release->payload.import) /* before the memory may be freed */
    vyre_import_unref (release->payload.import);
  if (release->payload.release)
    release->payload.release (release->payload.owner);
  if (!release->tenant)
    return;
  vyre_tenant_note_drained (release->tenant, 1, NULL); /* as many as were published */
  vyre_tenant_unref (release->tenant);
}

void
vyre_batch_destroy (VyreBatch *batch)
{
  vyre_batch_free_memory (batch);
  if (!batch->stolen && batch->readback != VYRE_NOWHERE)
    vyre_store_free (batch->kernel->readbacks, batch->readback);
  vyre_plan_unref (batch->plan);
  g_clear_error (&batch->io_error);
  g_free (batch);
}

guint
vyre_batch_count_tickets (const VyreBatch *batch)
{
  return batch->small ? 1 : batch->run.n_tickets;
}

guint8 *
vyre_batch_get_io_queue (VyreBatch *batch)
{
  return vyre_batch_readback (batch) + batch->plan->layout.offset[VYRE_PART_IO_QUEUE];
}

/* Has the files read that its slots asked for without waiting: nothing of that concerns the
 * batch any more, so that the requests are gone from its queue. What a device says that it is of
 * a slot which there is not is nobody's. */
static void
take_prefetches (VyreBatch *batch)
{
  const VyreBoundProgram *bound = batch->plan->bound;
  guint8 *queue = vyre_batch_get_io_queue (batch);
  VyreIoRequest requests[VYRE_IO_SLOTS];
  guint n;

  vyre_io_queue_poll (queue, batch->plan->layout.size[VYRE_PART_IO_QUEUE], requests, &n, NULL);
  for (guint i = 0; i < n; i++) {
    gsize status = batch->plan->layout.offset[VYRE_PART_RING] / 4
                   + (gsize)requests[i].tag * VYRE_SLOT_WORDS + VYRE_SLOT_STATUS;
    if (requests[i].op != VYRE_IO_OP_READ || requests[i].tag >= bound->n_slots
        || vyre_read_word (vyre_batch_readback (batch), status) == VYRE_STATUS_WAIT_IO)
      continue;
    vyre_write_word (queue, (gsize)requests[i].slot * VYRE_IO_SLOT_WORDS + VYRE_IO_SLOT_STATUS,
        VYRE_STATUS_EMPTY);
    if (requests[i].source >= bound->n_resources
        || bound->resources[requests[i].source].kind != VYRE_RESOURCE_FILE)
      continue;
    VyreFileName name = vyre_plan_resource_name (batch->plan, requests[i].source);
    vyre_host_requests_prefetch (batch->kernel->service, &name);
  }
}

/* Whether the batch is not through, because slots of it wait for the host. Then it is the
 * service's, which has it go on; unless nobody wants it any more. */
static gboolean
park (VyreBatch *batch, const guint8 *report)
{
  if (!batch->plan->served)
    return FALSE;
  batch->asked = vyre_read_word (report, VYRE_SCRATCH_ASKED) > 0;
  if (batch->asked)
    take_prefetches (batch);
  if (batch->orphaned || vyre_read_word (report, VYRE_SCRATCH_WAITING) == 0)
    return FALSE;
  batch->parked = TRUE;
  free_run_memory (batch);
  vyre_host_requests_park (batch->kernel->service, batch);
  return TRUE;
}

/* What the batch says of itself, added to what it said when it was parked. */
static void
read_report (VyreBatch *batch, const guint8 *report, gint64 now)
{
  VyreCompletion *completion = &batch->completion;

  completion->faults += vyre_read_word (report, VYRE_SCRATCH_FAULTS);
  completion->dropped_records += vyre_read_word (report, VYRE_SCRATCH_DROPPED);
  completion->payload_bytes += vyre_read_word_pair (report, VYRE_SCRATCH_BYTES);
  completion->latency = (guint64)(now - batch->published);
}

/* The batch is through, as far as it came. Called with the lock held. */
void
vyre_batch_complete (VyreBatch *batch, VyreReleases *releases)
{
  VyreMegakernel *kernel = batch->kernel;

  kernel->counters.completed++;
  vyre_batch_free_memory (batch);
  if (batch->plan->writes)
    vyre_host_requests_wake (kernel->service); /* it may be the turn of another one now */
  if (batch->payload.release || batch->payload.import || batch->tenant)
    releases->list[releases->n++] = vyre_batch_take_release (batch);
  if (batch->orphaned)
    vyre_batch_destroy (batch);
  else
    atomic_store_explicit (&batch->done, true, memory_order_release);
}

/* Takes a batch out of flight that has completed, or a run of it. */
static void
retire_batch (VyreBatch *batch, gint64 now, VyreReleases *releases)
{
  VyreMegakernel *kernel = batch->kernel;
  const guint8 *report = vyre_batch_readback (batch) + batch->plan->scratch_offset;

  atomic_store_explicit (&batch->completion_key, NO_COMPLETION_KEY, memory_order_relaxed);
  g_queue_unlink (&kernel->in_flight, &batch->link);
  kernel->free_indices[kernel->n_free++] = batch->index;
  kernel->counters.tickets += vyre_batch_count_tickets (batch);
  kernel->last_activity = now;
  vyre_turns_left (batch);
  if (vyre_turns_go_on (batch, report))
    return;
  read_report (batch, report, now);
  if (!park (batch, report))
    vyre_batch_complete (batch, releases);
}

/* Collects every completion. Called with the lock held; the caller runs the
 * releases after dropping it. */
void
vyre_megakernel_reap (VyreMegakernel *kernel, VyreReleases *releases)
{
  gint64 now = vyre_now ();
  gboolean any = FALSE;

  releases->n = 0;
  for (GList *l = kernel->in_flight.head, *next; l && releases->n < VYRE_MAX_BATCHES; l = next) {
    VyreBatch *batch = l->data;
    next = l->next;
    if (batch->rung && vyre_batch_is_completed (batch) && has_arrived (batch)) {
      retire_batch (batch, now, releases);
      any = TRUE;
    }
  }
  if (any && kernel->n_waiting > 0)
    g_cond_broadcast (&kernel->room);
}

void
vyre_releases_run (VyreReleases *releases)
{
  for (guint i = 0; i < releases->n; i++)
    vyre_release_run (&releases->list[i]);
}

/* Collects every completion and lets go of what came with them, which may take as long as an owner
 * or the device takes. Called with the lock held, which is dropped on the way. */
void
vyre_megakernel_collect (VyreMegakernel *kernel)
{
  VyreReleases releases;

  kernel->collect = FALSE;
  vyre_megakernel_reap (kernel, &releases);
  if (releases.n == 0)
    return;
  kernel->n_releasing += releases.n;
  g_mutex_unlock (&kernel->lock);
  vyre_releases_run (&releases);
  vyre_mutex_lock (&kernel->lock);
  kernel->n_releasing -= releases.n;
}

static gboolean
has_older_writer (const GQueue *batches, const VyreBatch *than)
{
  gboolean found = FALSE;

  for (const GList *l = batches->head; l && !found; l = l->next) {
    const VyreBatch *other = l->data;
    found = other->plan->writes && (gint32)(other->number - than->number) < 0;
  }
  return found;
}

/* Whether no batch that is older, and in flight or waiting its turn, may still write to a
 * file. */
gboolean
vyre_batch_may_write (VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;
  VyreReleases releases;

  vyre_mutex_lock (&kernel->lock);
  vyre_megakernel_reap (kernel, &releases); /* nobody may be waiting for the older one */
  gboolean may
      = !has_older_writer (&kernel->in_flight, batch) && !has_older_writer (&kernel->turns, batch);
  g_mutex_unlock (&kernel->lock);
  vyre_releases_run (&releases);
  return may;
}

/* Whether there may be slots of a parked batch that did not get to ask for writes yet. */
gboolean
vyre_batch_has_writes_left (VyreBatch *batch)
{
  return batch->plan->writes && batch->plan->writes_end < batch->plan->bound->n_slots;
}

/* Leaves a parked batch as it is: what of it is not through never will be. */
void
vyre_batch_end (VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;
  VyreReleases releases;

  releases.n = 0;
  vyre_mutex_lock (&kernel->lock);
  batch->parked = FALSE;
  vyre_batch_complete (batch, &releases);
  g_mutex_unlock (&kernel->lock);
  vyre_releases_run (&releases);
}

gboolean
vyre_batch_is_parked (VyreBatch *batch)
{
  if (vyre_is_inherited (batch->kernel->generation))
    return FALSE;
  vyre_mutex_lock (&batch->kernel->lock);
  gboolean parked = batch->parked;
  g_mutex_unlock (&batch->kernel->lock);
  return parked;
}

void
vyre_batch_set_tenant (VyreBatch *batch, VyreTenant *tenant)
{
  VyreMegakernel *kernel = batch->kernel;
  VyreRelease release = { .tenant = NULL };

  if (vyre_is_inherited (kernel->generation))
    return;
  vyre_tenant_note_published (tenant, 1);
  vyre_mutex_lock (&kernel->lock);
  batch->tenant = vyre_tenant_ref (tenant);
  if (atomic_load (&batch->done))
    release = vyre_batch_take_release (batch);
  g_mutex_unlock (&kernel->lock);
  vyre_release_run (&release);
}

/* Awake at first, then asleep for ever longer. There is no sched_yield() step:
 * with a CPU device it hands our core to the polling kernel for a whole time
 * slice, while a sleeper is woken on whichever core is free. Times in ns. */
#define SPIN_NS 60000

static void
back_off (gint64 waited)
{
  if (waited >= SPIN_NS)
    nanosleep (&(struct timespec){ .tv_nsec = CLAMP (waited / 4, 20000, 500000) }, NULL);
}

static gboolean
collect (VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;
  VyreReleases releases;

  if (atomic_load_explicit (&batch->done, memory_order_acquire))
    return TRUE;
  if (!vyre_batch_is_completed (batch))
    return FALSE;
  releases.n = 0;
  vyre_mutex_lock (&kernel->lock);
  gboolean done = atomic_load_explicit (&batch->done, memory_order_relaxed);
  /* one that runs again is rung by the service, which may not be through with that */
  if (!done && batch->rung && vyre_batch_is_completed (batch) && has_arrived (batch)) {
    retire_batch (batch, vyre_now (), &releases);
    done = atomic_load_explicit (&batch->done, memory_order_relaxed);
  }
  if (kernel->n_waiting > 0)
    g_cond_broadcast (&kernel->room);
  g_mutex_unlock (&kernel->lock);
  vyre_releases_run (&releases);
  return done;
}

/* The error that ended the kernel; the lock is held. */
gboolean
vyre_megakernel_set_failure (const VyreMegakernel *kernel, GError **error)
{
  if (error)
    *error = g_error_copy (kernel->failure);
  return FALSE;
}

/* The index of a batch that others reaped may belong to another one by now, so
 * `done` is looked at first and last. */
static gboolean
has_failed (VyreBatch *batch, VyreClock *clock, gint64 end_time, GError **error)
{
  VyreMegakernel *kernel = batch->kernel;
  gboolean failed;

  vyre_mutex_lock (&kernel->lock);
  failed = kernel->failure && !atomic_load (&batch->done);
  if (failed)
    vyre_megakernel_set_failure (kernel, error);
  g_mutex_unlock (&kernel->lock);
  if (!failed && vyre_clock_now (clock) >= end_time) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_TIMEOUT,
        "%s: batch %u has not completed yet. Fix: wait longer.",
        vyre_device_get_name (kernel->device), batch->completion.tag);
    failed = TRUE;
  }
  return failed;
}

gboolean
vyre_batch_wait (VyreBatch *batch, gint64 end_time, GError **error)
{
  VyreMegakernel *kernel = batch->kernel;

  if (vyre_is_inherited (kernel->generation))
    return atomic_load (&batch->done) || vyre_check_own (kernel->generation, "batch", error);
  gboolean done = collect (batch);

  if (done) /* it was there already: no need to know the time */
    return TRUE;
  gint64 start = vyre_now (), checked = start, awake = 0;
  VyreClock clock = { 0 };
  while (!(done = collect (batch))) {
    gint64 now = vyre_now ();
    awake = MIN (now - start, SPIN_NS);
    /* failure and time are looked at seldom: both take a lock or a clock */
    if (now - checked > 50000 || end_time == 0) {
      checked = now;
      if (has_failed (batch, &clock, end_time, error))
        break;
    }
    back_off (now - start);
  }
  atomic_fetch_add_explicit (&kernel->spin_time, (guint64)awake, memory_order_relaxed);
  return done;
}

void
vyre_batch_free (VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;
  VyreRelease release = { .tenant = NULL };

  if (vyre_is_inherited (kernel->generation))
    return;
  vyre_mutex_lock (&kernel->lock);
  if (atomic_load (&batch->done)) {
    vyre_batch_destroy (batch);
  } else {
    batch->orphaned = TRUE;
    /* of one that is not rung, whoever publishes it once more sees to that */
    if (kernel->failure && batch->rung)
      release = vyre_batch_take_release (batch);
    else if (batch->rung && !batch->parked)
      vyre_batch_drop (batch);
  }
  g_mutex_unlock (&kernel->lock);
  vyre_release_run (&release);
}

const VyreCompletion *
vyre_batch_get_completion (VyreBatch *batch)
{
  return &batch->completion;
}

gboolean
vyre_batch_check (VyreBatch *batch, GError **error)
{
  const VyrePlan *plan = batch->plan->origin ? batch->plan->origin : batch->plan;
  guint64 bytes = batch->completion.payload_bytes, planned = plan->region_bytes;

  if (bytes != planned) /* there may be slots that did not run */
    planned = vyre_plan_count_bytes_read (plan, vyre_batch_readback (batch));
  if (bytes == planned)
    return TRUE;
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_STUCK,
      "The kernel processed %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
      " bytes of a batch. Fix: set residency=dispatch, and report the driver.",
      bytes, planned);
  return FALSE;
}

const guint8 *
vyre_batch_get_readback (VyreBatch *batch)
{
  return vyre_store_get_data (batch->kernel->readbacks) ? vyre_batch_readback (batch) : NULL;
}

gsize
vyre_batch_steal_readback (VyreBatch *batch)
{
  batch->stolen = TRUE;
  return batch->readback;
}

const GError *
vyre_batch_get_io_error (VyreBatch *batch)
{
  return batch->io_error;
}
