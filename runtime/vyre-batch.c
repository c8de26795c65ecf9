/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Batches: publishing, completion, waiting.
 */
#include "vyre-import-private.h"
#include "vyre-io-queue.h"
#include "vyre-megakernel-private.h"
#include "vyre-mutex.h"
#include "vyre-word-private.h"

#include <string.h>
#include <time.h>

/* Publishing waits for a free place in steps of this length: completions are
 * words in memory and wake nobody. */
#define ROOM_WAIT_US 200

#define NOWHERE G_MAXSIZE

static const guint32 *
completion_word (const VyreMegakernel *kernel, guint index)
{
  return (const guint32 *)kernel->answer.data + (gsize)index * VYRE_COMPLETION_WORDS;
}

/* Where a batch in flight will be reported, in one word; what is not in flight has none. */
static guint64
make_place (guint index, guint32 sequence)
{
  return (guint64)index << 32 | sequence;
}

#define NO_PLACE 0 /* sequences start at 1 */

/* Whether the kernel is through with the batch. Where it ran in its readback the acquire
 * pairs with the kernel's barrier before it stores the sequence. */
gboolean
vyre_batch_is_completed (VyreBatch *batch)
{
  guint64 place = atomic_load_explicit (&batch->place, memory_order_relaxed);
  const guint32 *word = completion_word (batch->kernel, (guint)(place >> 32));

  return place != NO_PLACE && __atomic_load_n (word, __ATOMIC_ACQUIRE) == (guint32)place;
}

static guint8 *
readback_of (const VyreBatch *batch)
{
  return vyre_store_get_data (batch->kernel->readbacks) + batch->readback;
}

/* Whether its readback, and the report behind it, are there. Called with the lock held. */
static gboolean
has_arrived (VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;

  return !vyre_megakernel_is_discrete (kernel)
         || vyre_arrival_is_whole (
             readback_of (batch), batch->plan, &kernel->mark, &batch->arrived);
}

/* Lets go of the files that its table says are resident. */
static void
drop_pins (VyreBatch *batch)
{
  for (guint i = 0; batch->pins && i < batch->plan->image->n_resources; i++) {
    if (batch->pins[i])
      vyre_resources_unpin (vyre_service_get_resources (batch->kernel->service), batch->pins[i]);
  }
  g_clear_pointer (&batch->pins, g_free);
}

/* Gives back what only a run of the kernel needed. */
static void
free_run_memory (VyreBatch *batch)
{
  if (batch->work != NOWHERE)
    vyre_store_free (batch->kernel->work, batch->work);
  batch->work = NOWHERE;
  drop_pins (batch);
}

/* Gives back what only the kernel needed. */
static void
free_device_memory (VyreBatch *batch)
{
  free_run_memory (batch);
  if (batch->stored_at != NOWHERE)
    vyre_store_free (batch->kernel->payloads, batch->stored_at);
  batch->stored_at = NOWHERE;
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
  free_device_memory (batch);
  if (!batch->stolen && batch->readback != NOWHERE)
    vyre_store_free (batch->kernel->readbacks, batch->readback);
  vyre_plan_unref (batch->plan);
  g_clear_error (&batch->io_error);
  g_free (batch);
}

static guint
n_tickets (const VyreBatch *batch)
{
  return batch->local ? 1 : batch->plan->tickets->len;
}

guint8 *
vyre_batch_get_io_queue (VyreBatch *batch)
{
  return readback_of (batch) + batch->plan->layout.offset[VYRE_PART_IO_QUEUE];
}

/* Has the files read that its slots asked for without waiting: nothing of that concerns the
 * batch any more, so that the requests are gone from its queue. */
static void
take_prefetches (VyreBatch *batch)
{
  const VyreImage *image = batch->plan->image;
  guint8 *queue = vyre_batch_get_io_queue (batch);
  VyreIoRequest requests[VYRE_IO_SLOTS];
  guint n;

  vyre_io_queue_poll (queue, batch->plan->layout.size[VYRE_PART_IO_QUEUE], requests, &n, NULL);
  for (guint i = 0; i < n; i++) {
    gsize status = batch->plan->layout.offset[VYRE_PART_RING] / 4
                   + (gsize)requests[i].tag * VYRE_SLOT_WORDS + VYRE_SLOT_STATUS;
    if (requests[i].op != VYRE_IO_OP_READ
        || vyre_read_word (readback_of (batch), status) == VYRE_STATUS_WAIT_IO)
      continue;
    vyre_write_word (queue, (gsize)requests[i].slot * VYRE_IO_SLOT_WORDS + VYRE_IO_SLOT_STATUS,
        VYRE_STATUS_EMPTY);
    if (requests[i].source < image->n_resources
        && image->resources[requests[i].source].kind == VYRE_RESOURCE_FILE)
      vyre_service_prefetch (batch->kernel->service, image->resources[requests[i].source].path);
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
  vyre_service_park (batch->kernel->service, batch);
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

/* The batch is through, as far as it came. */
static void
complete (VyreBatch *batch, VyreReleases *releases)
{
  VyreMegakernel *kernel = batch->kernel;

  kernel->counters.completed++;
  free_device_memory (batch);
  if (batch->plan->writes)
    vyre_service_wake (kernel->service); /* it may be the turn of another one now */
  if (batch->payload.release || batch->payload.import || batch->tenant)
    releases->list[releases->n++] = vyre_batch_take_release (batch);
  if (batch->orphaned)
    vyre_batch_destroy (batch);
  else
    atomic_store_explicit (&batch->done, true, memory_order_release);
}

/* Takes a completed batch out of flight. */
static void
retire_batch (VyreBatch *batch, gint64 now, VyreReleases *releases)
{
  VyreMegakernel *kernel = batch->kernel;
  const guint8 *report = readback_of (batch) + batch->plan->scratch_offset;

  read_report (batch, report, now);
  atomic_store_explicit (&batch->place, NO_PLACE, memory_order_relaxed);
  g_queue_unlink (&kernel->in_flight, &batch->link);
  kernel->free_indices[kernel->n_free++] = batch->index;
  kernel->counters.tickets += n_tickets (batch);
  kernel->last_activity = now;
  if (!park (batch, report))
    complete (batch, releases);
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

/* Tickets in use reach from the oldest batch in flight to the tail. */
static gboolean
has_room (const VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;
  VyreBatch *oldest = g_queue_peek_head (&kernel->in_flight);
  guint32 used = oldest ? kernel->tail - oldest->first_ticket : 0;

  return kernel->n_free > 0 && used + n_tickets (batch) <= VYRE_MAX_TICKETS;
}

static gboolean
set_busy (const VyreMegakernel *kernel, GError **error)
{
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_TIMEOUT,
      "%s: no room for another batch (%u in flight, %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT
      " readback bytes lent out). Fix: wait for results and free their readbacks.",
      vyre_device_get_name (kernel->device), g_queue_get_length ((GQueue *)&kernel->in_flight),
      vyre_store_get_used (kernel->readbacks), vyre_store_get_size (kernel->readbacks));
  return FALSE;
}

/* Where loops are cut short, copying a readback out has to be bounded. */
static gboolean
is_too_long_to_copy (const VyreMegakernel *kernel, const VyrePlan *plan)
{
  return kernel->limited && vyre_megakernel_is_discrete (kernel)
         && plan->copy_cost > VYRE_COST_COPY_OUT_MAX;
}

static gboolean
set_too_large (const VyreMegakernel *kernel, const VyrePlan *plan, GError **error)
{
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
      "A batch of %" G_GSIZE_FORMAT " bytes is larger than the %" G_GSIZE_FORMAT
      " bytes there may be of a readback. Fix: use fewer slots or observables.",
      plan->slice_size,
      is_too_long_to_copy (kernel, plan)
          ? (gsize)VYRE_COST_COPY_OUT_MAX * plan->workgroup * VYRE_GRANULE
          : vyre_store_get_size (kernel->readbacks));
  return FALSE;
}

static gboolean
set_payload_too_large (const VyreMegakernel *kernel, const VyrePlan *plan, GError **error)
{
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
      "A payload of %" G_GSIZE_FORMAT " bytes is larger than the %" G_GSIZE_FORMAT
      " bytes there are for payloads. Fix: use more staging memory.",
      plan->payload_size, vyre_store_get_size (kernel->payloads));
  return FALSE;
}

static gboolean
set_failure (const VyreMegakernel *kernel, GError **error)
{
  if (error)
    *error = g_error_copy (kernel->failure);
  return FALSE;
}

/* The initial state of a plan's batches in memory of the device. */
typedef struct {
  VyreStore *store;
  gsize offset;
  guint32 id;
} Template;

static void
template_free (gpointer data)
{
  Template *template = data;

  vyre_store_free (template->store, template->offset);
  vyre_store_unref (template->store);
  g_free (template);
}

/* The template of the batch's plan, made the first time; NULL when there is no room
 * or the plan has one with another kernel. It is in place before any ticket that
 * names it, since it is written under the lock. */
static const Template *
find_template (const VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;
  VyrePlan *plan = batch->plan;
  Template *template = plan->template;
  gsize offset;

  if (!vyre_megakernel_is_discrete (kernel) || !plan->local)
    return NULL;
  if (template)
    return template->store == kernel->work ? template : NULL;
  if (!vyre_store_alloc (kernel->work, plan->local_size, 0, &offset))
    return NULL;
  vyre_memory_store (vyre_store_get_data (kernel->work) + offset, plan->slice, plan->local_size);
  vyre_memory_flush ();
  template = g_new (Template, 1);
  *template = (Template){ vyre_store_ref (kernel->work), offset, ++kernel->n_templates };
  plan->template = template;
  plan->template_free = template_free;
  return template;
}

/* All the memory that a batch needs, or nothing. */
static gboolean
alloc_memory (VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;
  const VyrePlan *plan = batch->plan;
  gboolean discrete = vyre_megakernel_is_discrete (kernel);
  gsize size = discrete ? plan->report_size : plan->slice_size;

  if (!batch->resumed && !vyre_store_alloc (kernel->readbacks, size, 0, &batch->readback)) {
    batch->readback = NOWHERE;
    return FALSE;
  }
  if (!discrete)
    return TRUE;
  if (!batch->local && !vyre_store_alloc (kernel->work, plan->slice_size, 0, &batch->work))
    batch->work = NOWHERE;
  else if (!batch->resumed && plan->payload_size > 0
           && !vyre_store_alloc (kernel->payloads, plan->payload_size, 0, &batch->stored_at))
    batch->stored_at = NOWHERE;
  else
    return TRUE;
  if (batch->resumed) /* the rest stays */
    return FALSE;
  free_device_memory (batch);
  vyre_store_free (kernel->readbacks, batch->readback);
  batch->readback = NOWHERE;
  return FALSE;
}

/* Waits until a batch fits; the lock is held, and dropped while waiting. */
static gboolean
reserve (VyreBatch *batch, gint64 end_time, GError **error)
{
  VyreMegakernel *kernel = batch->kernel;

  for (;;) {
    VyreReleases releases;
    if (kernel->failure)
      return set_failure (kernel, error);
    if (batch->plan->slice_size > vyre_store_get_size (kernel->readbacks)
        || is_too_long_to_copy (kernel, batch->plan))
      return set_too_large (kernel, batch->plan, error);
    if (kernel->payloads && batch->plan->payload_size > vyre_store_get_size (kernel->payloads))
      return set_payload_too_large (kernel, batch->plan, error);
    batch->local = find_template (batch) != NULL;
    if (has_room (batch) && alloc_memory (batch))
      return TRUE;
    vyre_megakernel_reap (kernel, &releases);
    if (releases.n > 0) {
      g_mutex_unlock (&kernel->lock);
      vyre_releases_run (&releases);
      vyre_mutex_lock (&kernel->lock);
      continue;
    }
    gint64 now = g_get_monotonic_time ();
    if (has_room (batch) && alloc_memory (batch))
      return TRUE;
    if (now >= end_time)
      return set_busy (kernel, error);
    kernel->n_waiting++;
    g_cond_wait_until (&kernel->room, &kernel->lock, MIN (end_time, now + ROOM_WAIT_US));
    kernel->n_waiting--;
  }
}

/* Takes the batch into flight: from here on its tickets have numbers, and nothing
 * can go wrong but the device. */
static void
enter (VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;

  batch->index = kernel->free_indices[--kernel->n_free];
  if (++kernel->batch_sequence == 0)
    kernel->batch_sequence = 1; /* 0 is what a completion that was never used holds */
  batch->sequence = kernel->batch_sequence;
  atomic_store_explicit (
      &batch->place, make_place (batch->index, batch->sequence), memory_order_relaxed);
  batch->first_ticket = kernel->tail;
  kernel->tail += n_tickets (batch);
  batch->arrived = 0;
  batch->rung = FALSE;
  batch->link.data = batch;
  g_queue_push_tail_link (&kernel->in_flight, &batch->link);
}

static void
note_published (VyreBatch *batch)
{
  if (batch->payload.import)
    vyre_import_ref (batch->payload.import);
  batch->kernel->counters.batches++;
  batch->number = batch->sequence;
  batch->published = vyre_now ();
}

static gboolean
goes_by_copy_engine (const VyreBatch *batch)
{
  gsize size = batch->plan->payload_size;

  return batch->kernel->copier.device && !batch->resumed && size > 0
         && size >= batch->kernel->copy_threshold;
}

/* Tells the kernel which of the program's files are resident, and keeps them so. */
static void
fill_table (VyreBatch *batch, guint32 *slice)
{
  const VyreImage *image = batch->plan->image;

  if (!batch->plan->served || image->n_resources == 0)
    return;
  batch->pins = g_new0 (VyreResident *, image->n_resources);
  for (guint i = 0; i < image->n_resources; i++) {
    guint32 *entry = slice + vyre_plan_resource_word (batch->plan, i), granule, bytes;
    if (image->resources[i].kind != VYRE_RESOURCE_FILE)
      continue;
    batch->pins[i] = vyre_resources_pin (vyre_service_get_resources (batch->kernel->service),
        image->resources[i].path, &granule, &bytes);
    if (!batch->pins[i])
      continue;
    entry[VYRE_RESOURCE_GRANULE] = GUINT32_TO_LE (granule);
    entry[VYRE_RESOURCE_BYTES] = GUINT32_TO_LE (bytes);
  }
}

/* The batch's own state, unless it starts from a template, and where it will be read
 * back. */
static void
write_slice (VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;
  const VyrePlan *plan = batch->plan;
  gint64 tag_word = vyre_plan_tag_word (plan);
  guint8 *slice;

  if (vyre_megakernel_is_discrete (kernel))
    vyre_arrival_expect (readback_of (batch), plan, &kernel->mark);
  if (batch->local)
    return;
  if (vyre_megakernel_is_discrete (kernel)) {
    slice = vyre_store_get_data (kernel->work) + batch->work;
    vyre_memory_store (slice, plan->slice, plan->slice_size);
    vyre_memory_flush (); /* or the tag might be overtaken by what it replaces */
  } else {
    slice = readback_of (batch);
    memcpy (slice, plan->slice, plan->slice_size);
  }
  if (tag_word != VYRE_NO_TAG_WORD)
    ((guint32 *)slice)[tag_word] = GUINT32_TO_LE (batch->completion.tag);
  fill_table (batch, (guint32 *)slice);
}

static void
write_ticket (const VyreBatch *batch, guint index, guint32 *words)
{
  const VyrePlan *plan = batch->plan;
  gsize payload = batch->stored_at != NOWHERE ? batch->stored_at : batch->payload.offset;
  gsize base = batch->work != NOWHERE ? batch->work : batch->readback;

  if (batch->local) {
    const Template *template = plan->template;
    memcpy (words, plan->local_ticket.words, sizeof (VyreTicket));
    words[VYRE_TICKET_TAG] = batch->completion.tag;
    words[VYRE_TICKET_TEMPLATE] = template->id;
    base = template->offset;
  } else {
    memcpy (words, g_array_index (plan->tickets, VyreTicket, index).words, sizeof (VyreTicket));
    if (batch->work != NOWHERE) /* whichever ticket is the last copies the readback out */
      words[VYRE_TICKET_COST] += MIN (plan->copy_cost, VYRE_COST_COPY_OUT_MAX);
  }
  words[VYRE_TICKET_KIND] |= batch->index << 8 | (plan->full ? VYRE_KIND_FULL : 0);
  if (batch->payload.import && !vyre_megakernel_is_discrete (batch->kernel))
    words[VYRE_TICKET_KIND] |= batch->payload.import->number << 16;
  words[VYRE_TICKET_BASE] = (guint32)(base / 4);
  words[VYRE_TICKET_PAYLOAD] = (guint32)payload;
  words[VYRE_TICKET_SEQUENCE] = batch->sequence;
  words[VYRE_TICKET_READBACK] = (guint32)(batch->readback / VYRE_GRANULE);
}

/* Writes tickets, each a cache line whose quarters start with its mark. */
static void
write_tickets (const VyreBatch *batch, gboolean by_copy_engine)
{
  VyreMegakernel *kernel = batch->kernel;
  guint8 *ring = kernel->door.data + VYRE_DOOR_TICKETS * VYRE_GRANULE;

  for (guint i = 0; i < n_tickets (batch); i++) {
    guint32 number = batch->first_ticket + i, words[VYRE_TICKET_WORDS];
    guint32 line[VYRE_TICKET_BYTES / 4] __attribute__ ((aligned (64)));
    write_ticket (batch, i, words);
    for (guint quarter = 0; quarter < VYRE_TICKET_GRANULES; quarter++) {
      line[4 * quarter] = VYRE_TICKET_MARK (number);
      memcpy (&line[4 * quarter + 1], &words[3 * quarter], 12);
    }
    guint8 *place = by_copy_engine ? vyre_copier_ticket (&kernel->copier, number)
                                   : ring + (gsize)(number % VYRE_MAX_TICKETS) * VYRE_TICKET_BYTES;
    if (by_copy_engine || !vyre_megakernel_is_discrete (kernel))
      memcpy (place, line, sizeof line);
    else
      vyre_memory_store (place, line, sizeof line);
  }
}

static const guint8 *
payload_data (const VyreBatch *batch)
{
  if (batch->payload.data)
    return batch->payload.data;
  return vyre_store_get_data (batch->kernel->staging) + batch->payload.offset;
}

/* Everything but launching, by the CPU alone. The first flush puts what tickets
 * announce before them; the second rings the doorbell. */
static void
store (VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;

  write_slice (batch);
  if (batch->stored_at != NOWHERE && !batch->resumed)
    vyre_memory_store (vyre_store_get_data (kernel->payloads) + batch->stored_at,
        payload_data (batch), batch->plan->payload_size);
  vyre_memory_flush ();
  write_tickets (batch, FALSE);
  vyre_memory_flush ();
}

/* The same with a copy engine; the lock is held for its queue. A kernel that cannot
 * be reached any more has failed. */
static void
submit_copy (VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;
  GError *error = NULL;
  VyreImport *import = batch->payload.import;
  VyreCopyJob job = {
    .from = import ? import->memory.buffer : vyre_store_get_buffer (kernel->staging),
    .to = vyre_store_get_buffer (kernel->payloads),
    .range = { .srcOffset = batch->payload.offset,
        .dstOffset = batch->stored_at,
        .size = batch->plan->payload_size },
  };

  if (kernel->failure) /* of another copy, perhaps, whose place nobody will leave */
    return;
  if (!vyre_copier_submit (&kernel->copier, &job, kernel->door.buffer, batch->first_ticket,
          n_tickets (batch), &error))
    vyre_megakernel_fail (kernel, error);
  else if (import)
    import->copied[(kernel->copier.n_copies - 1) % kernel->device->n_transfer_queues]
        = kernel->copier.n_copies;
}

static void
count_payload (const VyreBatch *batch, gboolean by_copy_engine)
{
  VyreMegakernelCounters *counters = &batch->kernel->counters;
  gsize size = batch->plan->payload_size;

  if (by_copy_engine)
    counters->copied_bytes += size;
  else if (batch->stored_at != NOWHERE)
    counters->stored_bytes += size;
  else
    counters->in_place_bytes += size;
}

/* The lock is held on entry and exit, not while memory is written: others publish
 * meanwhile, since tickets may become visible in any order. A payload that the CPU
 * stores is not needed afterwards: it becomes @done_with. */
static void
ring (VyreBatch *batch, VyrePayload *done_with)
{
  VyreMegakernel *kernel = batch->kernel;
  gboolean by_copy_engine = goes_by_copy_engine (batch);

  kernel->n_ringing++;
  if (batch->stored_at != NOWHERE && !by_copy_engine && !batch->resumed) {
    *done_with = batch->payload;
    batch->payload.release = NULL;
  }
  g_mutex_unlock (&kernel->lock);
  if (by_copy_engine) {
    write_slice (batch);
    write_tickets (batch, TRUE);
    vyre_memory_flush ();
  } else {
    store (batch);
  }
  vyre_mutex_lock (&kernel->lock);
  if (by_copy_engine)
    submit_copy (batch);
  kernel->n_ringing--;
  batch->rung = TRUE;
  vyre_keeper_published (kernel, batch);
}

/* What the kernel was built without is built in once somebody wants it: the next
 * launch has it, and those before leave. The lock is dropped while compiling. */
static gboolean
build_in_full (VyreMegakernel *kernel, GError **error)
{
  VkPipeline full;

  if (kernel->pipeline.full)
    return TRUE;
  g_mutex_unlock (&kernel->lock);
  gboolean built = vyre_pipeline_build_full (&kernel->pipeline, &full, error);
  vyre_mutex_lock (&kernel->lock);
  if (!built)
    return FALSE;
  if (kernel->pipeline.full) { /* somebody was faster */
    vyre_pipeline_destroy (&kernel->pipeline, full);
    return TRUE;
  }
  kernel->pipeline.full = full;
  vyre_keeper_replace (kernel);
  return TRUE;
}

static gboolean
can_import (VyreMegakernel *kernel, const VyrePlan *plan, const VyrePayload *payload)
{
  return vyre_megakernel_imports_payload (kernel, plan->payload_size)
         && vyre_import_is_of (payload->import, kernel)
         && vyre_import_has (payload->import, payload->data, plan->payload_size);
}

/**
 * vyre_megakernel_publish:
 * @kernel: a megakernel
 * @plan: what to run; made for this kernel's workgroup size
 * @tag: what BATCH_FENCE writes to observable 0 unless the program says otherwise
 * @payload: the staged payload
 * @end_time: g_get_monotonic_time() at which to give up waiting for room; 0 not
 *   to wait
 * @error: return location
 *
 * Publishes one batch: writes it, then rings the doorbell. The caller must not
 * change the payload until it is released, which may be before this returns, and
 * frees the batch before it drops its reference to @kernel.
 *
 * Returns: (transfer full) (nullable): the batch, or %NULL with
 *   %VYRE_ERROR_TOO_LARGE (it can never fit the readback store),
 *   %VYRE_ERROR_TIMEOUT (no room; nothing happened, the payload is
 *   still the caller's), the error that ended the kernel, or the one that kept
 *   what the plan wants from being built
 */
VyreBatch *
vyre_megakernel_publish (VyreMegakernel *kernel, VyrePlan *plan, guint32 tag,
    const VyrePayload *payload, gint64 end_time, GError **error)
{
  g_return_val_if_fail (payload->offset % VYRE_GRANULE == 0, NULL);
  g_return_val_if_fail (plan->workgroup == kernel->pipeline.workgroup, NULL);
  g_return_val_if_fail (!payload->data || payload->import
                            || vyre_megakernel_stores_payload (kernel, plan->payload_size),
      NULL);
  g_return_val_if_fail (!payload->import || can_import (kernel, plan, payload), NULL);
  VyreBatch *batch = g_new (VyreBatch, 1);
  *batch = (VyreBatch){
    .kernel = kernel,
    .plan = vyre_plan_ref (plan),
    .payload = *payload,
    .readback = NOWHERE,
    .work = NOWHERE,
    .stored_at = NOWHERE,
    .completion.tag = tag,
  };
  if (payload->import)
    batch->payload.offset = (gsize)(payload->data - payload->import->base);
  VyrePayload done_with = { .release = NULL };
  vyre_mutex_lock (&kernel->lock);
  gboolean fits
      = (!plan->full || build_in_full (kernel, error)) && reserve (batch, end_time, error);
  if (fits) {
    enter (batch);
    note_published (batch);
    count_payload (batch, goes_by_copy_engine (batch));
    ring (batch, &done_with);
  }
  g_mutex_unlock (&kernel->lock);
  if (done_with.release)
    done_with.release (done_with.owner);
  if (!fits) {
    vyre_batch_destroy (batch);
    return NULL;
  }
  return batch;
}

/* Whether no batch in flight that is older may still write to a file. */
gboolean
vyre_batch_may_write (VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;
  VyreReleases releases;
  gboolean may = TRUE;

  vyre_mutex_lock (&kernel->lock);
  vyre_megakernel_reap (kernel, &releases); /* nobody may be waiting for the older one */
  for (GList *l = kernel->in_flight.head; l && may; l = l->next) {
    const VyreBatch *other = l->data;
    may = !other->plan->writes || (gint32)(other->number - batch->number) > 0;
  }
  g_mutex_unlock (&kernel->lock);
  vyre_releases_run (&releases);
  return may;
}

/* Waits for a place for the rest of a batch; the lock is held. FALSE: nobody wants it, or
 * there is no kernel any more. */
static gboolean
reserve_again (VyreBatch *batch)
{
  gint64 slice = 20 * G_TIME_SPAN_MILLISECOND;

  while (!batch->orphaned && !batch->kernel->failure) {
    if (reserve (batch, g_get_monotonic_time () + slice, NULL))
      return TRUE;
  }
  return FALSE;
}

/* Leaves a parked batch, which will not go on, to who waits for it, or to the kernel's end;
 * the lock is held. */
static VyreRelease
give_up (VyreBatch *batch)
{
  VyreRelease release = { .tenant = NULL };

  if (batch->orphaned) {
    release = vyre_batch_take_release (batch);
    vyre_batch_destroy (batch);
  } else {
    batch->link.data = batch;
    g_queue_push_tail_link (&batch->kernel->in_flight, &batch->link);
  }
  return release;
}

/* Has a parked batch, whose requests were answered in its readback, go on from there. With
 * @writes, more slots may ask for those. */
void
vyre_batch_resume (VyreBatch *batch, gboolean writes)
{
  VyreMegakernel *kernel = batch->kernel;
  VyreRelease release = { .tenant = NULL };
  VyrePlan *rest = vyre_plan_continue (batch->plan, readback_of (batch), writes);
  VyrePayload unused = { .release = NULL };

  vyre_mutex_lock (&kernel->lock);
  vyre_plan_unref (batch->plan);
  batch->plan = rest;
  batch->resumed = TRUE;
  if (reserve_again (batch)) {
    batch->parked = FALSE;
    enter (batch);
    ring (batch, &unused);
    if (batch->orphaned && kernel->failure)
      release = vyre_batch_take_release (batch);
  } else {
    release = give_up (batch);
  }
  g_mutex_unlock (&kernel->lock);
  vyre_release_run (&release);
}

/* Whether there may be slots of a parked batch that did not get to ask for writes yet. */
gboolean
vyre_batch_has_writes_left (VyreBatch *batch)
{
  return batch->plan->writes && batch->plan->writes_end < batch->plan->image->n_slots;
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
  complete (batch, &releases);
  g_mutex_unlock (&kernel->lock);
  vyre_releases_run (&releases);
}

/**
 * vyre_batch_is_parked:
 * @batch: a batch that has not completed
 *
 * Returns: whether it waits for the host to read or write files, rather than for the device
 */
gboolean
vyre_batch_is_parked (VyreBatch *batch)
{
  vyre_mutex_lock (&batch->kernel->lock);
  gboolean parked = batch->parked;
  g_mutex_unlock (&batch->kernel->lock);
  return parked;
}

/**
 * vyre_batch_set_tenant:
 * @batch: a batch that was just published, and has no tenant yet
 * @tenant: who published it
 *
 * Counts the batch as published by @tenant, and as drained once the kernel has
 * completed it: also when it is freed before, or when the kernel is taken down with it.
 */
void
vyre_batch_set_tenant (VyreBatch *batch, VyreTenant *tenant)
{
  VyreMegakernel *kernel = batch->kernel;
  VyreRelease release = { .tenant = NULL };

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

/* The index of a batch that others reaped may belong to another one by now, so
 * `done` is looked at first and last. */
static gboolean
has_failed (VyreBatch *batch, gint64 end_time, GError **error)
{
  VyreMegakernel *kernel = batch->kernel;
  gboolean failed;

  vyre_mutex_lock (&kernel->lock);
  failed = kernel->failure != NULL && !atomic_load (&batch->done);
  if (failed)
    set_failure (kernel, error);
  g_mutex_unlock (&kernel->lock);
  if (!failed && g_get_monotonic_time () >= end_time) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_TIMEOUT,
        "%s: batch %u has not completed yet. Fix: wait longer.",
        vyre_device_get_name (kernel->device), batch->completion.tag);
    failed = TRUE;
  }
  return failed;
}

/**
 * vyre_batch_wait:
 * @batch: a batch
 * @end_time: g_get_monotonic_time() at which to give up
 * @error: return location
 *
 * Waits for the kernel to complete a batch. One thread at a time may wait for
 * the same batch.
 *
 * Returns: whether it completed; otherwise %VYRE_ERROR_TIMEOUT (wait again if
 *   you like) or the error that ended the kernel
 */
gboolean
vyre_batch_wait (VyreBatch *batch, gint64 end_time, GError **error)
{
  VyreMegakernel *kernel = batch->kernel;
  gboolean done = collect (batch);

  if (done) /* it was there already: no need to know the time */
    return TRUE;
  gint64 start = vyre_now (), checked = start, awake = 0;
  while (!(done = collect (batch))) {
    gint64 now = vyre_now ();
    awake = MIN (now - start, SPIN_NS);
    /* failure and time are looked at seldom: both take a lock or a clock */
    if (now - checked > 50000 || end_time == 0) {
      checked = now;
      if (has_failed (batch, end_time, error))
        break;
    }
    back_off (now - start);
  }
  atomic_fetch_add_explicit (&kernel->spin_time, (guint64)awake, memory_order_relaxed);
  return done;
}

/**
 * vyre_batch_free:
 * @batch: (transfer full): a batch; one still running is finished by the kernel
 *   and then dropped; of a kernel that has failed, nobody will see what it makes
 *   of the payload, which is released at once. What one that is dropped wants to write
 *   is written only if that has begun
 */
void
vyre_batch_free (VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;
  VyreRelease release = { .tenant = NULL };

  vyre_mutex_lock (&kernel->lock);
  if (atomic_load (&batch->done)) {
    vyre_batch_destroy (batch);
  } else {
    batch->orphaned = TRUE;
    if (kernel->failure && batch->rung) /* or whoever publishes it once more does that */
      release = vyre_batch_take_release (batch);
  }
  g_mutex_unlock (&kernel->lock);
  vyre_release_run (&release);
}

/**
 * vyre_batch_get_completion:
 * @batch: a completed batch
 *
 * Returns: (transfer none): what the kernel and the clock say of it
 */
const VyreCompletion *
vyre_batch_get_completion (VyreBatch *batch)
{
  return &batch->completion;
}

/**
 * vyre_batch_get_readback:
 * @batch: a completed batch
 *
 * Returns: (transfer none): its four parts, laid out as its plan's layout says
 */
const guint8 *
vyre_batch_get_readback (VyreBatch *batch)
{
  return readback_of (batch);
}

/**
 * vyre_batch_steal_readback:
 * @batch: a completed batch
 *
 * Makes the caller the owner of the readback: it outlives the batch until
 * vyre_store_free() of the readback store.
 *
 * Returns: its offset in the readback store, in bytes
 */
gsize
vyre_batch_steal_readback (VyreBatch *batch)
{
  batch->stolen = TRUE;
  return batch->readback;
}

/**
 * vyre_batch_get_io_error:
 * @batch: a completed batch
 *
 * Returns: (transfer none) (nullable): why the first of its requests that failed did so;
 *   the slot that made it ended FAULT. %NULL when none did
 */
const GError *
vyre_batch_get_io_error (VyreBatch *batch)
{
  return batch->io_error;
}
