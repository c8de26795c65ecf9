/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each parked batch is a job. A round of it serves the reads that it asks for, or, once
 * there are none, its writes: what is appended is what is there when everything has been
 * loaded. Writes are made in the order in which batches were published, one at a time.
 */
#include "kernel/host-requests.h"

#include <string.h>
#include <unistd.h>

#include "abi/shared-words.h"
#include "base/alloc.h"
#include "kernel/completion.h"
#include "kernel/resume.h"
#include "kernel/state.h"
#include "vyre/clock.h"
#include "vyre/io-queue.h"

/* How often to look for room when all there is is in use, and for how long nothing may become
 * of that; and how often whether a batch has completed, which wakes nobody. */
#define ROOM_RETRY (10 * G_TIME_SPAN_MILLISECOND)
#define ROOM_DEADLINE (5 * G_TIME_SPAN_SECOND)
#define TURN_RETRY (G_TIME_SPAN_MILLISECOND / 2)

/* Prefetches that may wait; what is beyond is not read ahead. */
#define MOST_PREFETCHES 64

typedef struct {
  VyreBatch *batch;
  VyreIoRequest requests[VYRE_IO_SLOTS];
  VyreIoCompletion completions[VYRE_IO_SLOTS];
  guint n_requests;    /* of this round */
  guint n_completions; /* of these */
  gboolean settled[VYRE_IO_SLOTS];
  guint64 since;       /* when the round began, as the resources count */
  gint64 deadline;     /* of a wait for room, or 0 */
  VyreClock clock;     /* of it */
  VyreFileRead *write; /* of the first request that is not settled */
} Job;

struct _VyreHostRequests {
  VyreMegakernel *kernel; /* not owned: it owns us */
  VyreResidentFiles *resources;
  GThread *thread;

  /* service thread */
  GList *jobs;       /* of Job, as parked */
  GHashTable *sinks; /* VyreFileName -> descriptor */
  gint64 retry;      /* in which time to look again, µs; 0 to wait to be woken */

  GMutex lock; /* a leaf: nothing is called with it held */
  GCond changed;
  gboolean awake; /* there may be something to do */
  gboolean stopping;
  GQueue parked;     /* of VyreBatch */
  GQueue prefetches; /* of VyreFileName */
  VyreResourceCounters counters;
};

/* Any thread: VyreHostHooks.wake, and what the file I/O calls. */
static void
requests_wake (gpointer data)
{
  VyreHostRequests *self = data;

  g_mutex_lock (&self->lock);
  self->awake = TRUE;
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->lock);
}

static void
requests_count (VyreHostRequests *self, guint64 *counter, guint64 n)
{
  g_mutex_lock (&self->lock);
  *counter += n;
  g_mutex_unlock (&self->lock);
}

/* The resource that a request is about, if there is one of that kind. */
static const VyreResource *
requests_find_resource (const Job *job, const VyreIoRequest *request, GError **error)
{
  const VyreBoundProgram *bound = job->batch->plan->bound;
  gboolean reads = request->op == VYRE_IO_OP_READ;
  guint32 handle = reads ? request->source : request->destination;

  if (handle >= bound->n_resources) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
        "The program has no resource %u. Fix: name a file with 'resource name = %s \"path\"'.",
        handle, reads ? "file" : "sink");
    return NULL;
  }
  const VyreResource *resource = &bound->resources[handle];
  if ((resource->kind == VYRE_RESOURCE_FILE) == reads)
    return resource;
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID, "%s is %s. Fix: name a %s.", resource->path,
      reads ? "a sink, which is not read" : "a file to read, which is not appended to",
      reads ? "file" : "sink");
  return NULL;
}

/* Notes what became of a request. Takes @error. */
static void
requests_settle (VyreHostRequests *self, Job *job, guint index, GError *error)
{
  const VyreIoRequest *request = &job->requests[index];

  job->settled[index] = TRUE;
  job->deadline = 0; /* something became of it */
  job->completions[job->n_completions++] = (VyreIoCompletion){ request->slot, error == NULL };
  requests_count (self, &self->counters.requests, 1);
  if (error && !job->batch->io_error)
    job->batch->io_error = error;
  else
    g_clear_error (&error);
}

/* Has the service look again in @time at the latest. */
static void
requests_look_again (VyreHostRequests *self, gint64 time)
{
  self->retry = self->retry > 0 ? MIN (self->retry, time) : time;
}

static GError *
requests_no_room (const char *path)
{
  return g_error_new (VYRE_ERROR, VYRE_ERROR_NO_SPACE,
      "%s: no room became free in 5 s. Fix: raise resource-size or staging-size.", path);
}

static void
requests_serve_read (VyreHostRequests *self, Job *job, guint index)
{
  GError *error = NULL;
  const VyreResource *resource = requests_find_resource (job, &job->requests[index], &error);

  if (!resource) {
    requests_settle (self, job, index, error);
    return;
  }
  VyreFileName name = vyre_plan_resource_name (job->batch->plan, job->requests[index].source);
  switch (vyre_resident_files_want (self->resources, &name, job->since, &error)) {
    case VYRE_RESIDENCE_LOADING:
      return;
    case VYRE_RESIDENCE_FULL:
      requests_look_again (self, ROOM_RETRY);
      gint64 now = vyre_clock_now (&job->clock);
      if (job->deadline == 0)
        job->deadline = now + ROOM_DEADLINE;
      if (now < job->deadline)
        return;
      error = requests_no_room (resource->path);
      break;
    default:
      break;
  }
  requests_settle (self, job, index, error);
}

/* A descriptor to append to a file with, or -1. It stays open. */
static int
requests_open_sink (VyreHostRequests *self, const VyreFileName *name, GError **error)
{
  gpointer found;

  if (g_hash_table_lookup_extended (self->sinks, name, NULL, &found))
    return GPOINTER_TO_INT (found);
  int fd = vyre_file_name_open (name, VYRE_RESOURCE_SINK, error);
  if (fd >= 0)
    g_hash_table_insert (self->sinks, vyre_file_name_copy (name), GINT_TO_POINTER (fd));
  return fd;
}

/* What a request wants done to a sink. The kernel saw to it that the words are there, but a
 * ring may come from anywhere. */
static gboolean
requests_describe_write (
    Job *job, const VyreIoRequest *request, int fd, VyreTransfer *write, GError **error)
{
  gsize size = job->batch->plan->layout.size[VYRE_PART_CONTROL];

  *write = (VyreTransfer){ .kind = VYRE_TRANSFER_SYNC, .fd = fd };
  if (request->op == VYRE_IO_OP_FENCE)
    return TRUE;
  if (request->op != VYRE_IO_OP_WRITE || request->offset > size
      || request->n_bytes > size - request->offset) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
        "Request %u asks for what there is not. Fix: append words of the control buffer.",
        request->slot);
    return FALSE;
  }
  *write = (VyreTransfer){
    .kind = VYRE_TRANSFER_WRITE,
    .fd = fd,
    .memory = (guint8 *)vyre_batch_get_readback (job->batch) + request->offset,
    .length = request->n_bytes,
  };
  return TRUE;
}

/* Starts the write that a request wants; it is settled at once if it cannot be. */
static void
requests_start_write (VyreHostRequests *self, Job *job, guint index)
{
  const VyreIoRequest *request = &job->requests[index];
  GError *error = NULL;
  VyreTransfer write;
  int fd = -1;

  if (requests_find_resource (job, request, &error)) {
    VyreFileName name = vyre_plan_resource_name (job->batch->plan, request->destination);
    fd = requests_open_sink (self, &name, &error);
  }
  if (fd >= 0 && requests_describe_write (job, request, fd, &write, &error))
    job->write = vyre_file_io_submit (self->kernel->file_io, &write, requests_wake, self, &error);
  if (!job->write)
    requests_settle (self, job, index, error);
}

static void
requests_finish_write (VyreHostRequests *self, Job *job, guint index)
{
  const VyreIoRequest *request = &job->requests[index];
  const VyreBoundProgram *bound = job->batch->plan->bound;
  GError *error = NULL;
  gsize written = 0;
  gboolean fine = vyre_file_io_finish (
      self->kernel->file_io, g_steal_pointer (&job->write), &written, &error);

  if (!fine)
    g_prefix_error (&error, "%s: ", bound->resources[request->destination].path);
  else if (request->op == VYRE_IO_OP_FENCE)
    requests_count (self, &self->counters.syncs, 1);
  else
    requests_count (self, &self->counters.appends, 1);
  requests_count (self, &self->counters.appended_bytes, written);
  requests_settle (self, job, index, error);
}

/* Returns whether it is through. */
static gboolean
requests_serve_write (VyreHostRequests *self, Job *job, guint index)
{
  if (!job->write)
    requests_start_write (self, job, index);
  if (job->write && vyre_file_io_is_finished (self->kernel->file_io, job->write))
    requests_finish_write (self, job, index);
  return job->settled[index];
}

static gboolean
requests_reads (const Job *job)
{
  return job->n_requests > 0 && job->requests[0].op == VYRE_IO_OP_READ;
}

static gboolean
requests_is_older_writer (const VyreBatch *batch, const VyreBatch *than)
{
  return batch->plan->writes && (gint32)(batch->number - than->number) < 0;
}

/* Whether all older batches have written what they are going to write. Looks where they are in the
 * order in which they come along, so that none slips by. */
static gboolean
requests_is_turn_to_write (VyreHostRequests *self, const Job *job)
{
  gboolean turn = vyre_batch_may_write (job->batch);

  g_mutex_lock (&self->lock);
  for (GList *l = self->parked.head; l; l = l->next)
    turn &= !requests_is_older_writer (l->data, job->batch);
  g_mutex_unlock (&self->lock);
  for (GList *l = self->jobs; l; l = l->next)
    turn &= !requests_is_older_writer (((Job *)l->data)->batch, job->batch);
  return turn;
}

/* Chooses what the next round serves, and claims it: reads, if there are any. */
static void
requests_begin_round (VyreHostRequests *self, Job *job)
{
  const VyreLayout *layout = &job->batch->plan->layout;
  guint8 *queue = vyre_batch_get_io_queue (job->batch);
  gsize size = layout->size[VYRE_PART_IO_QUEUE];
  gboolean any_reads = FALSE;
  guint n = 0;

  vyre_io_queue_poll (queue, size, job->requests, &n, NULL);
  for (guint i = 0; i < n; i++)
    any_reads |= job->requests[i].op == VYRE_IO_OP_READ;
  job->n_requests = job->n_completions = 0;
  memset (job->settled, 0, sizeof job->settled);
  job->deadline = 0;
  job->since = vyre_resident_files_now (self->resources);
  for (guint i = 0; i < n; i++) {
    if (any_reads && job->requests[i].op != VYRE_IO_OP_READ)
      continue;
    /* under no barrier but the next publishing's: the batch is not on the device */
    vyre_word_release (queue + (gsize)4 * VYRE_IO_SLOT_WORDS * job->requests[i].slot,
        VYRE_IO_SLOT_STATUS, VYRE_STATUS_CLAIMED);
    job->requests[job->n_requests++] = job->requests[i];
  }
}

/* Slots of the ring ask in the order in which lanes come along; writes are wanted in that of
 * the program. */
static gint
requests_compare_tags (gconstpointer a, gconstpointer b)
{
  const VyreIoRequest *first = a, *second = b;

  return first->tag < second->tag ? -1 : first->tag > second->tag;
}

static void
requests_sort_writes (Job *job)
{
  if (!requests_reads (job))
    qsort (job->requests, job->n_requests, sizeof job->requests[0], requests_compare_tags);
}

/* Goes on with a job; returns whether its round is over. */
static gboolean
requests_proceed (VyreHostRequests *self, Job *job)
{
  if (requests_reads (job)) {
    for (guint i = 0; i < job->n_requests; i++) {
      if (!job->settled[i])
        requests_serve_read (self, job, i);
    }
    return job->n_completions == job->n_requests;
  }
  if (job->n_completions == 0 && !job->write && !requests_is_turn_to_write (self, job)) {
    requests_look_again (self, TURN_RETRY);
    return FALSE;
  }
  while (
      job->n_completions < job->n_requests && requests_serve_write (self, job, job->n_completions))
    ;
  return job->n_completions == job->n_requests;
}

static void
requests_end_round (Job *job)
{
  vyre_io_queue_complete (vyre_batch_get_io_queue (job->batch),
      job->batch->plan->layout.size[VYRE_PART_IO_QUEUE], job->completions, job->n_completions,
      NULL);
  vyre_batch_resume (job->batch, FALSE);
}

/* Goes on with all jobs that can; returns whether one has ended, and others may be able
 * to do more. */
static gboolean
requests_proceed_all (VyreHostRequests *self)
{
  gboolean any = FALSE;

  self->retry = 0;
  if (vyre_turns_proceed (self->kernel))
    requests_look_again (self, TURN_RETRY);
  vyre_resident_files_collect (self->resources);
  for (GList *l = self->jobs, *next; l; l = next) {
    Job *job = l->data;
    next = l->next;
    if (!requests_proceed (self, job))
      continue;
    self->jobs = g_list_delete_link (self->jobs, l);
    requests_end_round (job);
    g_free (job);
    any = TRUE;
  }
  return any;
}

/* Nobody waits for these: what cannot be read now is read when it is wanted. */
static void
requests_proceed_prefetch (VyreHostRequests *self, VyreFileName *name)
{
  vyre_resident_files_want (self->resources, name, vyre_resident_files_now (self->resources), NULL);
  vyre_file_name_free (name);
}

/* Whether slots of a parked batch may not have got to ask for writes yet. */
static gboolean
requests_has_writes_left (const VyreBatch *batch)
{
  return batch->plan->writes && batch->plan->writes_end < batch->plan->bound->n_slots;
}

/* A batch that waits, and of whose requests none is left: for room that prefetches have made, for
 * its turn to write, or for what will not come, because the slots that have the answers may not
 * run any more. */
static void
requests_go_on (VyreBatch *batch)
{
  if (batch->asked)
    vyre_batch_resume (batch, FALSE);
  else if (requests_has_writes_left (batch))
    vyre_batch_resume (batch, TRUE);
  else
    vyre_batch_end (batch);
}

static void
requests_add_job (VyreHostRequests *self, VyreBatch *batch)
{
  Job *job = g_new0 (Job, 1);

  job->batch = batch;
  requests_begin_round (self, job);
  requests_sort_writes (job);
  if (job->n_requests > 0) {
    self->jobs = g_list_append (self->jobs, job);
    return;
  }
  g_free (job);
  requests_go_on (batch);
}

/* Takes what was handed in, with the lock held, which is dropped on the way. */
static void
requests_take_in (VyreHostRequests *self)
{
  VyreBatch *batch;
  VyreFileName *name;

  self->awake = FALSE;
  while ((batch = g_queue_pop_head (&self->parked))) {
    g_mutex_unlock (&self->lock);
    requests_add_job (self, batch);
    g_mutex_lock (&self->lock);
  }
  while ((name = g_queue_pop_head (&self->prefetches))) {
    g_mutex_unlock (&self->lock);
    requests_proceed_prefetch (self, name);
    g_mutex_lock (&self->lock);
  }
}

static void
requests_wait_for_work (VyreHostRequests *self)
{
  gint64 end = g_get_monotonic_time () + self->retry;

  while (!self->awake && !self->stopping) {
    if (self->retry == 0)
      g_cond_wait (&self->changed, &self->lock);
    else if (!g_cond_wait_until (&self->changed, &self->lock, end))
      return;
  }
}

/* Stopping, it lets go of what is parked; what it has begun to write is written. */
static void
requests_drop_jobs (VyreHostRequests *self)
{
  while (self->jobs) {
    Job *job = self->jobs->data;
    self->jobs = g_list_delete_link (self->jobs, self->jobs);
    if (job->write)
      vyre_file_io_finish (self->kernel->file_io, job->write, NULL, NULL);
    vyre_batch_resume (job->batch, FALSE);
    g_free (job);
  }
  vyre_turns_end (self->kernel);
}

static gpointer
requests_run (gpointer data)
{
  VyreHostRequests *self = data;

  g_mutex_lock (&self->lock);
  while (!self->stopping) {
    requests_wait_for_work (self);
    requests_take_in (self);
    g_mutex_unlock (&self->lock);
    while (requests_proceed_all (self))
      ;
    if (!self->jobs)
      vyre_resident_files_forget (self->resources);
    g_mutex_lock (&self->lock);
  }
  requests_take_in (self);
  g_mutex_unlock (&self->lock);
  requests_drop_jobs (self);
  return NULL;
}

static void
requests_close_sink (gpointer data)
{
  close (GPOINTER_TO_INT (data));
}

/* Takes over a batch whose slots wait for the host. */
static void
requests_park (gpointer data, VyreBatch *batch)
{
  VyreHostRequests *self = data;

  g_mutex_lock (&self->lock);
  g_queue_push_tail (&self->parked, batch);
  self->counters.parked++;
  self->awake = TRUE;
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->lock);
}

static gint
requests_compare_names (gconstpointer a, gconstpointer b)
{
  return !vyre_file_name_equal (a, b);
}

/* Has a file read that nobody waits for. */
static void
requests_prefetch (gpointer data, const VyreFileName *name)
{
  VyreHostRequests *self = data;

  g_mutex_lock (&self->lock);
  self->counters.prefetches++;
  if (self->prefetches.length < MOST_PREFETCHES
      && !g_queue_find_custom (&self->prefetches, name, requests_compare_names)) {
    g_queue_push_tail (&self->prefetches, vyre_file_name_copy (name));
    self->awake = TRUE;
    g_cond_signal (&self->changed);
  }
  g_mutex_unlock (&self->lock);
}

/* Serves the batches of @kernel, which keeps it until no batch is in flight any more. */
VyreHostRequests *
vyre_host_requests_new (VyreMegakernel *kernel, gsize budget, GError **error)
{
  VyreHostRequests *self = g_new0 (VyreHostRequests, 1);

  self->kernel = kernel;
  self->resources = kernel->resident = vyre_resident_files_new (
      kernel->file_io, kernel->staging, kernel->payloads, budget, requests_wake, self);
  kernel->host = (VyreHostHooks){ self, requests_park, requests_prefetch, requests_wake };
  self->sinks = g_hash_table_new_full (
      vyre_file_name_hash, vyre_file_name_equal, vyre_file_name_free, requests_close_sink);
  g_queue_init (&self->parked);
  g_queue_init (&self->prefetches);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->thread = vyre_thread_new ("vyre-service", requests_run, self, error);
  if (!self->thread)
    g_clear_pointer (&self, vyre_host_requests_free);
  return self;
}

/* Ends the thread. What is parked has been given up by its owners. */
void
vyre_host_requests_stop (VyreHostRequests *self)
{
  g_mutex_lock (&self->lock);
  self->stopping = TRUE;
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->lock);
  g_thread_join (self->thread);
}

/* After vyre_host_requests_stop(), when no batch holds a resource any more. */
void
vyre_host_requests_free (VyreHostRequests *self)
{
  vyre_resident_files_free (self->resources);
  g_hash_table_unref (self->sinks);
  g_queue_clear_full (&self->prefetches, vyre_file_name_free);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self);
}

void
vyre_megakernel_get_resource_counters (VyreMegakernel *kernel, VyreResourceCounters *counters)
{
  VyreHostRequests *self = kernel->service;

  *counters = (VyreResourceCounters){ 0 };
  if (vyre_is_inherited (kernel->generation))
    return;
  g_mutex_lock (&self->lock);
  *counters = self->counters;
  g_mutex_unlock (&self->lock);
  vyre_resident_files_count (self->resources, counters);
}
