/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/host-requests.h"

#include "base/alloc.h"
#include "kernel/host-jobs.h"

/* Most prefetches that wait; further ones are dropped. */
#define MOST_PREFETCHES 64

struct _VyreHostRequests {
  VyreHostJobs jobs; /* whose lock guards what follows, too */
  GThread *thread;
  GCond changed;
  gboolean awake; /* there may be something to do */
  gboolean stopping;
  GQueue prefetches; /* of VyreFileName */
};

/* Any thread: VyreHostHooks.wake, and what the file I/O calls. */
static void
requests_wake (gpointer data)
{
  VyreHostRequests *self = data;

  g_mutex_lock (&self->jobs.lock);
  self->awake = TRUE;
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->jobs.lock);
}

/* No slot waits for a prefetch: a file that cannot be read now is read when a slot needs it. */
static void
requests_proceed_prefetch (VyreHostRequests *self, VyreFileName *name)
{
  vyre_resident_files_want (self->jobs.kernel->resident, name,
      vyre_resident_files_now (self->jobs.kernel->resident), NULL);
  vyre_file_name_free (name);
}

/* Lock held, and dropped on the way. Takes over parked batches and prefetches. */
static void
requests_take_in (VyreHostRequests *self)
{
  VyreBatch *batch;
  VyreFileName *name;

  self->awake = FALSE;
  while ((batch = g_queue_pop_head (&self->jobs.parked))) {
    g_mutex_unlock (&self->jobs.lock);
    vyre_host_jobs_add (&self->jobs, batch);
    g_mutex_lock (&self->jobs.lock);
  }
  while ((name = g_queue_pop_head (&self->prefetches))) {
    g_mutex_unlock (&self->jobs.lock);
    requests_proceed_prefetch (self, name);
    g_mutex_lock (&self->jobs.lock);
  }
}

static void
requests_wait_for_work (VyreHostRequests *self)
{
  gint64 end = g_get_monotonic_time () + self->jobs.retry;

  while (!self->awake && !self->stopping) {
    if (self->jobs.retry == 0)
      g_cond_wait (&self->changed, &self->jobs.lock);
    else if (!g_cond_wait_until (&self->changed, &self->jobs.lock, end))
      return;
  }
}

static gpointer
requests_run (gpointer data)
{
  VyreHostRequests *self = data;

  g_mutex_lock (&self->jobs.lock);
  while (!self->stopping) {
    requests_wait_for_work (self);
    requests_take_in (self);
    g_mutex_unlock (&self->jobs.lock);
    while (vyre_host_jobs_proceed (&self->jobs))
      ;
    if (!self->jobs.list)
      vyre_resident_files_forget (self->jobs.kernel->resident);
    g_mutex_lock (&self->jobs.lock);
  }
  requests_take_in (self);
  g_mutex_unlock (&self->jobs.lock);
  vyre_host_jobs_drop (&self->jobs);
  return NULL;
}

/* Any thread: VyreHostHooks.park. Takes over a batch whose slots wait for the host. */
static void
requests_park (gpointer data, VyreBatch *batch)
{
  VyreHostRequests *self = data;

  g_mutex_lock (&self->jobs.lock);
  g_queue_push_tail (&self->jobs.parked, batch);
  self->jobs.counters.parked++;
  self->awake = TRUE;
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->jobs.lock);
}

static gint
requests_compare_names (gconstpointer a, gconstpointer b)
{
  return !vyre_file_name_equal (a, b);
}

/* Any thread: VyreHostHooks.prefetch. Has a file read ahead. */
static void
requests_prefetch (gpointer data, const VyreFileName *name)
{
  VyreHostRequests *self = data;

  g_mutex_lock (&self->jobs.lock);
  self->jobs.counters.prefetches++;
  if (self->prefetches.length < MOST_PREFETCHES
      && !g_queue_find_custom (&self->prefetches, name, requests_compare_names)) {
    g_queue_push_tail (&self->prefetches, vyre_file_name_copy (name));
    self->awake = TRUE;
    g_cond_signal (&self->changed);
  }
  g_mutex_unlock (&self->jobs.lock);
}

/* Serves the batches of @kernel, which keeps it until no batch is in flight. */
VyreHostRequests *
vyre_host_requests_new (VyreMegakernel *kernel, gsize budget, GError **error)
{
  VyreHostRequests *self = g_new0 (VyreHostRequests, 1);

  kernel->resident = vyre_resident_files_new (
      kernel->file_io, kernel->staging, kernel->payloads, budget, requests_wake, self);
  kernel->host = (VyreHostHooks){ self, requests_park, requests_prefetch, requests_wake };
  vyre_host_jobs_init (&self->jobs, kernel);
  g_queue_init (&self->prefetches);
  g_cond_init (&self->changed);
  self->thread = vyre_thread_new ("vyre-service", requests_run, self, error);
  if (!self->thread)
    g_clear_pointer (&self, vyre_host_requests_free);
  return self;
}

/* Ends the thread. The owners of parked batches have freed them. */
void
vyre_host_requests_stop (VyreHostRequests *self)
{
  g_mutex_lock (&self->jobs.lock);
  self->stopping = TRUE;
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->jobs.lock);
  g_thread_join (self->thread);
}

/* After vyre_host_requests_stop(), when no batch pins a file. The kernel is as before
 * vyre_host_requests_new(). */
void
vyre_host_requests_free (VyreHostRequests *self)
{
  self->jobs.kernel->host = (VyreHostHooks){ 0 };
  g_clear_pointer (&self->jobs.kernel->resident, vyre_resident_files_free);
  g_queue_clear_full (&self->prefetches, vyre_file_name_free);
  vyre_host_jobs_clear (&self->jobs);
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
  g_mutex_lock (&self->jobs.lock);
  *counters = self->jobs.counters;
  g_mutex_unlock (&self->jobs.lock);
  vyre_resident_files_count (self->jobs.kernel->resident, counters);
}
