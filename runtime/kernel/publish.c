/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Batches up to the doorbell: a place for each, what the kernel needs of it, its tickets;
 * and the same again for the rest of one that was parked.
 */
#include "vyre/clock.h"
#include "kernel/import-private.h"
#include "kernel/types.h"
#include "base/spin-lock.h"
#include "base/order.h"

#include <string.h>

/* Publishing waits for a free place in steps of this length: completions are
 * words in memory and wake nobody. */
#define ROOM_WAIT_US 200

static gboolean
goes_by_copy_engine (const VyreBatch *batch)
{
  gsize size = batch->plan->payload_size;

  return batch->kernel->copy_engine.device && !batch->resumed && size > 0
         && size >= batch->kernel->copy_threshold;
}

/* Tickets in use reach from the oldest batch in flight to the tail. */
gboolean
vyre_batch_has_room (const VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;
  VyreBatch *oldest = g_queue_peek_head (&kernel->in_flight);
  guint32 used = oldest ? kernel->tail - oldest->first_ticket : 0;

  return kernel->n_free > 0 && used + vyre_batch_count_tickets (batch) <= VYRE_MAX_TICKETS
         && (!goes_by_copy_engine (batch) || vyre_copy_engine_has_room (&kernel->copy_engine));
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
      " bytes there are for payloads. Fix: use staging memory of %" G_GSIZE_FORMAT
      " bytes or more.",
      plan->payload_size, vyre_store_get_size (kernel->payloads), plan->payload_size);
  return FALSE;
}

/* The initial state of a plan's batches in memory of the device. */
typedef struct {
  VyreTemplate base;
  VyreStore *store;
  gsize offset;
  guint32 id;
} Template;

static void
template_free (VyreTemplate *base)
{
  Template *template = (Template *)base;

  vyre_store_free (template->store, template->offset);
  vyre_store_unref (template->store);
  g_free (template);
}

/* A new template of @plan, or NULL when there is no room. It is in place before any ticket that
 * names it, since the lock is held. */
static Template *
make_template (VyreMegakernel *kernel, const VyrePlan *plan)
{
  gsize offset;

  if (!vyre_store_alloc (kernel->work, plan->small_size, 0, &offset))
    return NULL;
  vyre_buffer_store (vyre_store_get_data (kernel->work) + offset, plan->slice, plan->small_size);
  vyre_buffer_flush ();
  if (++kernel->n_templates == 0)
    kernel->n_templates = 1; /* 0 is what workgroups hold that hold none */
  Template *template = g_new (Template, 1);
  *template
      = (Template){ { template_free }, vyre_store_ref (kernel->work), offset, kernel->n_templates };
  return template;
}

/* The template of the batch's plan, made the first time; NULL when there is no room or another
 * kernel has one of it. Two kernels may want one at the same time, under a lock each: it becomes
 * that of the first. */
static const Template *
find_template (const VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;
  VyrePlan *plan = batch->plan;

  if (!vyre_megakernel_is_discrete (kernel) || !plan->small)
    return NULL;
  Template *template = (Template *)g_atomic_pointer_get (&plan->template);
  if (template)
    return template->store == kernel->work ? template : NULL;
  template = make_template (kernel, plan);
  if (!template || g_atomic_pointer_compare_and_exchange (&plan->template, NULL, &template->base))
    return template;
  template_free (&template->base);
  return NULL;
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
    batch->readback = VYRE_NOWHERE;
    return FALSE;
  }
  if (!discrete)
    return TRUE;
  if (!batch->small && !vyre_store_alloc (kernel->work, plan->slice_size, 0, &batch->work))
    batch->work = VYRE_NOWHERE;
  else if (!batch->resumed && plan->payload_size > 0
           && !vyre_store_alloc (kernel->payloads, plan->payload_size, 0, &batch->stored_at))
    batch->stored_at = VYRE_NOWHERE;
  else
    return TRUE;
  if (batch->resumed) /* the rest stays */
    return FALSE;
  vyre_batch_free_memory (batch);
  vyre_store_free (kernel->readbacks, batch->readback);
  batch->readback = VYRE_NOWHERE;
  return FALSE;
}

/* Waits until a batch fits; the lock is held, and dropped while waiting. */
static gboolean
reserve (VyreBatch *batch, gint64 end_time, GError **error)
{
  VyreMegakernel *kernel = batch->kernel;
  VyreClock clock = { 0 };

  for (;;) {
    VyreReleases releases;
    if (kernel->failure)
      return vyre_megakernel_set_failure (kernel, error);
    if (batch->plan->slice_size > vyre_store_get_size (kernel->readbacks)
        || is_too_long_to_copy (kernel, batch->plan))
      return set_too_large (kernel, batch->plan, error);
    if (kernel->payloads && batch->plan->payload_size > vyre_store_get_size (kernel->payloads))
      return set_payload_too_large (kernel, batch->plan, error);
    batch->small = find_template (batch) != NULL;
    if (vyre_batch_has_room (batch) && alloc_memory (batch))
      return TRUE;
    vyre_megakernel_reap (kernel, &releases);
    if (releases.n > 0) {
      g_mutex_unlock (&kernel->lock);
      vyre_releases_run (&releases);
      vyre_mutex_lock (&kernel->lock);
      continue;
    }
    gint64 now = vyre_clock_now (&clock);
    if (vyre_batch_has_room (batch) && alloc_memory (batch))
      return TRUE;
    if (now >= end_time)
      return set_busy (kernel, error);
    kernel->n_waiting++;
    g_cond_wait_until (
        &kernel->room, &kernel->lock, vyre_clock_next (&clock, MIN (end_time, now + ROOM_WAIT_US)));
    kernel->n_waiting--;
  }
}

/* Where a batch in flight will be reported, in one word. */
static guint64
make_completion_key (guint index, guint32 sequence)
{
  return (guint64)index << 32 | sequence;
}

/* A number for the batch, by which its completion is told from what its place says now: 0 if it
 * was never used, or the number of a batch that may be as old as numbers go around. The place
 * itself is not looked at: the thread that waited last has it in its cache. */
static guint32
next_sequence (VyreMegakernel *kernel, guint index)
{
  do
    kernel->batch_sequence++;
  while (kernel->batch_sequence == 0 || kernel->batch_sequence == kernel->sequences[index]);
  kernel->sequences[index] = kernel->batch_sequence;
  return kernel->batch_sequence;
}

/* Takes a run of the batch into flight: from here on its tickets have numbers, and nothing
 * can go wrong but the device. */
void
vyre_batch_enter (VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;

  batch->index = kernel->free_indices[--kernel->n_free];
  batch->sequence = next_sequence (kernel, batch->index);
  atomic_store_explicit (&batch->completion_key,
      make_completion_key (batch->index, batch->sequence), memory_order_relaxed);
  batch->by_copy_engine = goes_by_copy_engine (batch);
  if (batch->by_copy_engine)
    batch->copy = vyre_copy_engine_take (&kernel->copy_engine);
  batch->first_ticket = kernel->tail;
  kernel->tail += vyre_batch_count_tickets (batch);
  batch->arrived = 0;
  batch->rung = FALSE;
  batch->link.data = batch;
  g_queue_push_tail_link (&kernel->in_flight, &batch->link);
  vyre_turns_entered (batch);
}

static void
note_published (VyreBatch *batch)
{
  if (batch->payload.import)
    vyre_import_ref (batch->payload.import);
  batch->kernel->counters.batches++;
  batch->number = ++batch->kernel->n_published;
  batch->published = vyre_now ();
}

/* Tells the kernel which of the program's files are resident, and keeps them so. */
static void
fill_table (VyreBatch *batch, guint32 *slice)
{
  const VyreBoundProgram *bound = batch->plan->bound;

  if (!batch->plan->served || bound->n_resources == 0)
    return;
  batch->pins = g_new0 (VyreResidentFile *, bound->n_resources);
  for (guint i = 0; i < bound->n_resources; i++) {
    guint32 *entry = slice + vyre_plan_resource_word (batch->plan, i), granule, bytes;
    if (bound->resources[i].kind != VYRE_RESOURCE_FILE)
      continue;
    VyreFileName name = vyre_plan_resource_name (batch->plan, i);
    batch->pins[i] = vyre_resident_files_pin (
        vyre_host_requests_get_resources (batch->kernel->service), &name, &granule, &bytes);
    if (!batch->pins[i])
      continue;
    entry[VYRE_RESOURCE_GRANULE] = GUINT32_TO_LE (granule);
    entry[VYRE_RESOURCE_BYTES] = GUINT32_TO_LE (bytes);
  }
}

/* The batch as it is before it runs. */
static void
fill_slice (VyreBatch *batch, guint32 *slice)
{
  const VyrePlan *plan = batch->plan;
  gint64 tag_word = vyre_plan_tag_word (plan);

  if (vyre_megakernel_is_discrete (batch->kernel)) {
    vyre_buffer_store ((guint8 *)slice, plan->slice, plan->slice_size);
    vyre_buffer_flush (); /* or the tag might be overtaken by what it replaces */
  } else {
    memcpy (slice, plan->slice, plan->slice_size);
  }
  if (tag_word != VYRE_NO_TAG_WORD)
    slice[tag_word] = GUINT32_TO_LE (batch->completion.tag);
  fill_table (batch, slice);
}

/* The batch's own state, unless it starts from a template or goes on from the run before, and
 * where it will be read back. */
static void
write_slice (VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;
  gboolean discrete = vyre_megakernel_is_discrete (kernel);

  if (discrete)
    vyre_readback_marks_expect (vyre_batch_readback (batch), batch->plan, &kernel->mark);
  if (batch->small)
    return;
  guint32 *slice = discrete ? (guint32 *)(vyre_store_get_data (kernel->work) + batch->work)
                            : (guint32 *)vyre_batch_readback (batch);
  if (!batch->started)
    fill_slice (batch, slice);
  if (batch->cut)
    vyre_plan_write_run (batch->plan, &batch->run, slice);
}

static void
write_ticket (const VyreBatch *batch, guint index, guint32 *words)
{
  const VyrePlan *plan = batch->plan;
  gsize payload = batch->stored_at != VYRE_NOWHERE ? batch->stored_at : batch->payload.offset;
  gsize base = batch->work != VYRE_NOWHERE ? batch->work : batch->readback;

  if (batch->small) {
    const Template *template = (const Template *)g_atomic_pointer_get (&batch->plan->template);
    memcpy (words, plan->small_ticket.words, sizeof (VyreTicket));
    words[VYRE_TICKET_TAG] = batch->completion.tag;
    words[VYRE_TICKET_TEMPLATE] = template->id;
    base = template->offset;
  } else {
    vyre_plan_write_ticket (plan, &batch->run, index, words);
    if (batch->work != VYRE_NOWHERE) /* whichever ticket is the last copies the readback out */
      words[VYRE_TICKET_COST] += MIN (plan->copy_cost, VYRE_COST_COPY_OUT_MAX);
  }
  words[VYRE_TICKET_KIND] |= batch->index << 8 | (plan->rare ? VYRE_KIND_RARE : 0);
  if (batch->payload.import && !vyre_megakernel_is_discrete (batch->kernel))
    words[VYRE_TICKET_KIND] |= batch->payload.import->number << 16;
  words[VYRE_TICKET_BASE] = (guint32)(base / 4);
  words[VYRE_TICKET_PAYLOAD] = (guint32)payload;
  words[VYRE_TICKET_SEQUENCE] = batch->sequence;
  words[VYRE_TICKET_READBACK] = (guint32)(batch->readback / VYRE_GRANULE);
}

/* Behind the mark of a ticket's first quarter. */
static void
store_kind (guint8 *line, guint32 kind)
{
  G_STATIC_ASSERT (VYRE_TICKET_KIND == 0);
  __atomic_store_n ((guint32 *)line + 1, kind, __ATOMIC_RELAXED);
}

/* Writes tickets, each a cache line whose quarters start with its mark. */
static void
write_tickets (const VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;
  gboolean by_copy_engine = batch->by_copy_engine;
  guint8 *ring = kernel->door.data + VYRE_DOOR_TICKETS * VYRE_GRANULE;

  for (guint i = 0; i < vyre_batch_count_tickets (batch); i++) {
    guint32 number = batch->first_ticket + i, words[VYRE_TICKET_WORDS];
    guint32 line[VYRE_TICKET_BYTES / 4] __attribute__ ((aligned (64)));
    write_ticket (batch, i, words);
    for (guint quarter = 0; quarter < VYRE_TICKET_GRANULES; quarter++) {
      line[4 * quarter] = VYRE_TICKET_MARK (number);
      memcpy (&line[4 * quarter + 1], &words[3 * quarter], 12);
    }
    guint8 *place = by_copy_engine ? vyre_copy_engine_ticket (&kernel->copy_engine, number)
                                   : ring + (gsize)(number % VYRE_MAX_TICKETS) * VYRE_TICKET_BYTES;
    vyre_order_store_quarters ((guint32 *)place, line, VYRE_TICKET_GRANULES,
        !by_copy_engine && vyre_megakernel_is_discrete (kernel));
  }
}

/* Has the kernel take the tickets of a batch that nobody wants without running them, as far as
 * it has not begun to: one word of each says so, whenever it gets there. The batch completes as
 * others do, so that everything it holds stays until nothing on the device looks at it. The lock
 * is held, and the batch in flight: nobody else has its places in the ring. */
void
vyre_batch_drop (const VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;
  guint8 *ring = kernel->door.data + VYRE_DOOR_TICKETS * VYRE_GRANULE;

  for (guint i = 0; i < vyre_batch_count_tickets (batch); i++) {
    guint32 number = batch->first_ticket + i, words[VYRE_TICKET_WORDS];
    guint8 *line = ring + (gsize)(number % VYRE_MAX_TICKETS) * VYRE_TICKET_BYTES;
    write_ticket (batch, i, words);
    words[VYRE_TICKET_KIND] |= VYRE_KIND_DROPPED;
    if (kernel->copy_engine.device) /* whose copy may not have got there yet */
      store_kind (vyre_copy_engine_ticket (&kernel->copy_engine, number), words[VYRE_TICKET_KIND]);
    store_kind (line, words[VYRE_TICKET_KIND]);
  }
  vyre_buffer_flush ();
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
  if (batch->stored_at != VYRE_NOWHERE && !batch->resumed)
    vyre_buffer_store (vyre_store_get_data (kernel->payloads) + batch->stored_at,
        payload_data (batch), batch->plan->payload_size);
  vyre_buffer_flush ();
  write_tickets (batch);
  vyre_buffer_flush ();
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
  if (!vyre_copy_engine_submit (&kernel->copy_engine, batch->copy, &job, kernel->door.buffer,
          batch->first_ticket, vyre_batch_count_tickets (batch), &error)) {
    vyre_megakernel_fail (kernel, error);
  } else if (import) {
    guint64 *copied = &import->copied[batch->copy % kernel->device->n_transfer_queues];
    *copied = MAX (*copied, batch->copy + 1); /* others may have been faster */
  }
}

static void
count_payload (const VyreBatch *batch)
{
  VyreMegakernelCounters *counters = &batch->kernel->counters;
  gsize size = batch->plan->payload_size;

  if (goes_by_copy_engine (batch))
    counters->copied_bytes += size;
  else if (batch->stored_at != VYRE_NOWHERE)
    counters->stored_bytes += size;
  else
    counters->in_place_bytes += size;
}

/* The lock is held on entry and exit, not while memory is written: others publish
 * meanwhile, since tickets may become visible in any order. A payload that the CPU
 * stores is not needed afterwards: it becomes @done_with. */
void
vyre_batch_ring (VyreBatch *batch, VyrePayload *done_with)
{
  VyreMegakernel *kernel = batch->kernel;

  kernel->n_ringing++;
  if (batch->stored_at != VYRE_NOWHERE && !batch->by_copy_engine && !batch->resumed) {
    *done_with = batch->payload;
    batch->payload.release = NULL;
  }
  g_mutex_unlock (&kernel->lock);
  if (batch->by_copy_engine) {
    write_slice (batch);
    write_tickets (batch);
    vyre_buffer_flush ();
  } else {
    store (batch);
  }
  vyre_mutex_lock (&kernel->lock);
  if (batch->by_copy_engine)
    submit_copy (batch);
  kernel->n_ringing--;
  batch->rung = TRUE;
  batch->started = batch->resumed = TRUE;
  if (batch->orphaned) /* meanwhile */
    vyre_batch_drop (batch);
  vyre_launcher_published (kernel, batch);
}

/* Publishes the batch now or, if others hold the device for long enough, when its turn has
 * come; the lock is held, and dropped on the way. */
static void
enter_or_queue (VyreBatch *batch, VyrePayload *done_with)
{
  if (!vyre_turns_may_enter (batch)) {
    vyre_turns_queue (batch);
    return;
  }
  vyre_batch_enter (batch);
  vyre_batch_ring (batch, done_with);
}

static gboolean
can_import (VyreMegakernel *kernel, const VyrePlan *plan, const VyrePayload *payload)
{
  return vyre_megakernel_can_import (kernel, plan->payload_size)
         && vyre_import_is_of (payload->import, kernel)
         && vyre_import_has (payload->import, payload->data, plan->payload_size);
}

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
  if (!vyre_check_own (kernel->generation, "kernel", error))
    return NULL;
  VyreBatch *batch = g_new (VyreBatch, 1);
  *batch = (VyreBatch){
    .kernel = kernel,
    .plan = vyre_plan_ref (plan),
    .payload = *payload,
    .readback = VYRE_NOWHERE,
    .work = VYRE_NOWHERE,
    .stored_at = VYRE_NOWHERE,
    .completion.tag = tag,
  };
  if (payload->import)
    batch->payload.offset = (gsize)(payload->data - payload->import->base);
  VyrePayload done_with = { .release = NULL };
  vyre_mutex_lock (&kernel->lock);
  gboolean fits = !plan->rare || vyre_rare_wait (kernel, end_time, error);
  vyre_turns_begin (batch);
  fits = fits && reserve (batch, end_time, error);
  if (fits) {
    note_published (batch);
    count_payload (batch);
    enter_or_queue (batch, &done_with);
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

/* Waits for a place for the rest of a batch, in the service; the lock is held. FALSE: nobody wants
 * it, or there is no kernel any more. */
static gboolean
reserve_again (VyreBatch *batch)
{
  gint64 slice = 20 * G_TIME_SPAN_MILLISECOND;

  while (!batch->orphaned && !batch->kernel->failure) {
    if (reserve (batch, g_get_monotonic_time () + slice, NULL))
      return TRUE;
    g_mutex_unlock (&batch->kernel->lock);
    vyre_turns_proceed (batch->kernel); /* what waits its turn may be what takes the room */
    vyre_mutex_lock (&batch->kernel->lock);
  }
  return FALSE;
}

/* Leaves a batch which will not go on to who waits for it, or to the kernel's end; the lock is
 * held. */
VyreRelease
vyre_batch_give_up (VyreBatch *batch)
{
  VyreRelease release = { .tenant = NULL };

  if (batch->orphaned) {
    release = vyre_batch_take_release (batch);
    vyre_batch_destroy (batch);
  } else {
    batch->rung = TRUE; /* nobody is at it */
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
  GError *error = NULL;
  VyrePlan *rest = vyre_plan_continue (batch->plan, vyre_batch_readback (batch), writes, &error);
  VyrePayload unused = { .release = NULL };

  if (!rest) {
    if (batch->io_error)
      g_error_free (error);
    else
      batch->io_error = error;
    vyre_batch_end (batch);
    return;
  }
  vyre_mutex_lock (&kernel->lock);
  vyre_plan_unref (batch->plan);
  batch->plan = rest;
  vyre_turns_begin (batch);
  if (reserve_again (batch)) {
    batch->parked = FALSE;
    enter_or_queue (batch, &unused);
    if (batch->orphaned && kernel->failure && batch->rung)
      release = vyre_batch_take_release (batch);
  } else {
    release = vyre_batch_give_up (batch);
  }
  g_mutex_unlock (&kernel->lock);
  vyre_release_run (&release);
}
