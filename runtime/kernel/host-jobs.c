/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each parked batch is a job. A round of it serves the reads that it asks for, or, once there are
 * none, its writes: a batch appends what is there when everything has been loaded. Writes are made
 * in the order in which batches were published, one at a time.
 */
#include "kernel/host-jobs.h"

#include <string.h>
#include <unistd.h>

#include "abi/shared-words.h"
#include "kernel/completion.h"
#include "kernel/resume.h"
#include "kernel/state.h"
#include "vyre/clock.h"
#include "vyre/io-queue.h"

/* Retry interval and deadline while every byte of the budget is pinned, and the interval at which
 * to look whether a batch has completed: completions wake no thread. */
#define ROOM_RETRY (10 * G_TIME_SPAN_MILLISECOND)
#define ROOM_DEADLINE (5 * G_TIME_SPAN_SECOND)
#define TURN_RETRY (G_TIME_SPAN_MILLISECOND / 2)

typedef struct {
  VyreBatch *batch;
  VyreIoRequest requests[VYRE_IO_SLOTS];
  VyreIoCompletion completions[VYRE_IO_SLOTS];
  guint n_requests;    /* of this round */
  guint n_completions; /* of these */
  gboolean settled[VYRE_IO_SLOTS];
  guint64 since;       /* when the round began, by vyre_resident_files_now() */
  gint64 deadline;     /* of a wait for room, or 0 */
  VyreClock clock;     /* of it */
  VyreFileRead *write; /* of the first request that is not settled */
} Job;

/* Any thread. */
static void
jobs_count (VyreHostJobs *self, guint64 *counter, guint64 n)
{
  g_mutex_lock (&self->lock);
  *counter += n;
  g_mutex_unlock (&self->lock);
}

/* Finds the resource that a request names, if it is of the right kind. */
static const VyreResource *
jobs_find_resource (const Job *job, const VyreIoRequest *request, GError **error)
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

/* Settles a request: with @error, which it takes, as failed. */
static void
jobs_settle (VyreHostJobs *self, Job *job, guint index, GError *error)
{
  const VyreIoRequest *request = &job->requests[index];

  job->settled[index] = TRUE;
  job->deadline = 0; /* the job has moved on */
  job->completions[job->n_completions++] = (VyreIoCompletion){ request->slot, error == NULL };
  jobs_count (self, &self->counters.requests, 1);
  if (error && !job->batch->io_error)
    job->batch->io_error = error;
  else
    g_clear_error (&error);
}

/* Has the service thread look again in @time µs at the latest. */
static void
jobs_look_again (VyreHostJobs *self, gint64 time)
{
  self->retry = self->retry > 0 ? MIN (self->retry, time) : time;
}

static GError *
jobs_no_room (const char *path)
{
  return g_error_new (VYRE_ERROR, VYRE_ERROR_NO_SPACE,
      "%s: no room became free in 5 s. Fix: raise resource-size or staging-size.", path);
}

static void
jobs_serve_read (VyreHostJobs *self, Job *job, guint index)
{
  GError *error = NULL;
  const VyreResource *resource = jobs_find_resource (job, &job->requests[index], &error);

  if (!resource) {
    jobs_settle (self, job, index, error);
    return;
  }
  VyreFileName name = vyre_plan_resource_name (job->batch->plan, job->requests[index].source);
  switch (vyre_resident_files_want (self->kernel->resident, &name, job->since, &error)) {
    case VYRE_RESIDENCE_LOADING:
      return;
    case VYRE_RESIDENCE_FULL:
      jobs_look_again (self, ROOM_RETRY);
      gint64 now = vyre_clock_now (&job->clock);
      if (job->deadline == 0)
        job->deadline = now + ROOM_DEADLINE;
      if (now < job->deadline)
        return;
      error = jobs_no_room (resource->path);
      break;
    default:
      break;
  }
  jobs_settle (self, job, index, error);
}

/* Returns a descriptor that appends to a file, or -1. It stays open. */
static int
jobs_open_sink (VyreHostJobs *self, const VyreFileName *name, GError **error)
{
  gpointer found;

  if (g_hash_table_lookup_extended (self->sinks, name, NULL, &found))
    return GPOINTER_TO_INT (found);
  int fd = vyre_file_name_open (name, VYRE_RESOURCE_SINK, error);
  if (fd >= 0)
    g_hash_table_insert (self->sinks, vyre_file_name_copy (name), GINT_TO_POINTER (fd));
  return fd;
}

/* Describes what a request does to a sink. The shader has checked that its words are there, but
 * the application may have written the ring. */
static gboolean
jobs_describe_write (
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

/* Starts the write of a request, or settles the request if there can be none. */
static void
jobs_start_write (VyreHostJobs *self, Job *job, guint index)
{
  const VyreIoRequest *request = &job->requests[index];
  GError *error = NULL;
  VyreTransfer write;
  int fd = -1;

  if (jobs_find_resource (job, request, &error)) {
    VyreFileName name = vyre_plan_resource_name (job->batch->plan, request->destination);
    fd = jobs_open_sink (self, &name, &error);
  }
  if (fd >= 0 && jobs_describe_write (job, request, fd, &write, &error))
    job->write = vyre_file_io_submit (
        self->kernel->file_io, &write, self->kernel->host.wake, self->kernel->host.data, &error);
  if (!job->write)
    jobs_settle (self, job, index, error);
}

static void
jobs_finish_write (VyreHostJobs *self, Job *job, guint index)
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
    jobs_count (self, &self->counters.syncs, 1);
  else
    jobs_count (self, &self->counters.appends, 1);
  jobs_count (self, &self->counters.appended_bytes, written);
  jobs_settle (self, job, index, error);
}

/* Returns whether the request is settled. */
static gboolean
jobs_serve_write (VyreHostJobs *self, Job *job, guint index)
{
  if (!job->write)
    jobs_start_write (self, job, index);
  if (job->write && vyre_file_io_is_finished (self->kernel->file_io, job->write))
    jobs_finish_write (self, job, index);
  return job->settled[index];
}

static gboolean
jobs_reads (const Job *job)
{
  return job->n_requests > 0 && job->requests[0].op == VYRE_IO_OP_READ;
}

static gboolean
jobs_is_older_writer (const VyreBatch *batch, const VyreBatch *than)
{
  return batch->plan->writes && (gint32)(batch->number - than->number) < 0;
}

/* TRUE once all older batches have written what they are going to write. A batch goes from flight
 * to the parked ones and then to a job; looking in that order misses none. */
static gboolean
jobs_is_turn_to_write (VyreHostJobs *self, const Job *job)
{
  gboolean turn = vyre_batch_may_write (job->batch);

  g_mutex_lock (&self->lock);
  for (GList *l = self->parked.head; l; l = l->next)
    turn &= !jobs_is_older_writer (l->data, job->batch);
  g_mutex_unlock (&self->lock);
  for (GList *l = self->list; l; l = l->next)
    turn &= !jobs_is_older_writer (((Job *)l->data)->batch, job->batch);
  return turn;
}

/* Chooses the requests of the next round and claims them: reads, if there are any. */
static void
jobs_begin_round (VyreHostJobs *self, Job *job)
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
  job->since = vyre_resident_files_now (self->kernel->resident);
  for (guint i = 0; i < n; i++) {
    if (any_reads && job->requests[i].op != VYRE_IO_OP_READ)
      continue;
    /* under no barrier but the next publishing's: the batch is not on the device */
    vyre_word_release (queue + (gsize)4 * VYRE_IO_SLOT_WORDS * job->requests[i].slot,
        VYRE_IO_SLOT_STATUS, VYRE_STATUS_CLAIMED);
    job->requests[job->n_requests++] = job->requests[i];
  }
}

/* Slots ask in any order; writes are made in the order of the program. */
static gint
jobs_compare_tags (gconstpointer a, gconstpointer b)
{
  const VyreIoRequest *first = a, *second = b;

  return first->tag < second->tag ? -1 : first->tag > second->tag;
}

static void
jobs_sort_writes (Job *job)
{
  if (!jobs_reads (job))
    qsort (job->requests, job->n_requests, sizeof job->requests[0], jobs_compare_tags);
}

/* Serves what it can of a job; returns whether its round is over. */
static gboolean
jobs_proceed (VyreHostJobs *self, Job *job)
{
  if (jobs_reads (job)) {
    for (guint i = 0; i < job->n_requests; i++) {
      if (!job->settled[i])
        jobs_serve_read (self, job, i);
    }
    return job->n_completions == job->n_requests;
  }
  if (job->n_completions == 0 && !job->write && !jobs_is_turn_to_write (self, job)) {
    jobs_look_again (self, TURN_RETRY);
    return FALSE;
  }
  while (job->n_completions < job->n_requests && jobs_serve_write (self, job, job->n_completions))
    ;
  return job->n_completions == job->n_requests;
}

static void
jobs_end_round (Job *job)
{
  vyre_io_queue_complete (vyre_batch_get_io_queue (job->batch),
      job->batch->plan->layout.size[VYRE_PART_IO_QUEUE], job->completions, job->n_completions,
      NULL);
  vyre_batch_resume (job->batch, FALSE);
}

/* Service thread. Goes on with all jobs that can; returns whether one has ended, after which others
 * may be able to do more. */
gboolean
vyre_host_jobs_proceed (VyreHostJobs *self)
{
  gboolean any = FALSE;

  self->retry = 0;
  if (vyre_turns_proceed (self->kernel))
    jobs_look_again (self, TURN_RETRY);
  vyre_resident_files_collect (self->kernel->resident);
  for (GList *l = self->list, *next; l; l = next) {
    Job *job = l->data;
    next = l->next;
    if (!jobs_proceed (self, job))
      continue;
    self->list = g_list_delete_link (self->list, l);
    jobs_end_round (job);
    g_free (job);
    any = TRUE;
  }
  return any;
}

/* Whether there may be slots of a parked batch that have not asked for writes yet. */
static gboolean
jobs_has_writes_left (const VyreBatch *batch)
{
  return batch->plan->writes && batch->plan->writes_end < batch->plan->bound->n_slots;
}

/* Goes on with a parked batch without requests: it waits for room in its queue, which prefetches
 * have left, or for its turn to write; or the slots that have the answers never run. */
static void
jobs_go_on (VyreBatch *batch)
{
  if (batch->asked)
    vyre_batch_resume (batch, FALSE);
  else if (jobs_has_writes_left (batch))
    vyre_batch_resume (batch, TRUE);
  else
    vyre_batch_end (batch);
}

/* Service thread. Serves the requests of a parked batch. */
void
vyre_host_jobs_add (VyreHostJobs *self, VyreBatch *batch)
{
  Job *job = g_new0 (Job, 1);

  job->batch = batch;
  jobs_begin_round (self, job);
  jobs_sort_writes (job);
  if (job->n_requests > 0) {
    self->list = g_list_append (self->list, job);
    return;
  }
  g_free (job);
  jobs_go_on (batch);
}

/* Service thread, at its end. Lets go of all jobs; writes that were started are made. */
void
vyre_host_jobs_drop (VyreHostJobs *self)
{
  while (self->list) {
    Job *job = self->list->data;
    self->list = g_list_delete_link (self->list, self->list);
    if (job->write)
      vyre_file_io_finish (self->kernel->file_io, job->write, NULL, NULL);
    vyre_batch_resume (job->batch, FALSE);
    g_free (job);
  }
  vyre_turns_end (self->kernel);
}

static void
jobs_close_sink (gpointer data)
{
  close (GPOINTER_TO_INT (data));
}

void
vyre_host_jobs_init (VyreHostJobs *self, VyreMegakernel *kernel)
{
  self->kernel = kernel;
  self->sinks = g_hash_table_new_full (
      vyre_file_name_hash, vyre_file_name_equal, vyre_file_name_free, jobs_close_sink);
  g_queue_init (&self->parked);
  g_mutex_init (&self->lock);
}

void
vyre_host_jobs_clear (VyreHostJobs *self)
{
  g_hash_table_unref (self->sinks);
  g_mutex_clear (&self->lock);
}
