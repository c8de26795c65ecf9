/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/teardown.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/spin-lock.h"
#include "device/launches.h"
#include "kernel/completion.h"
#include "kernel/extras.h"
#include "kernel/host-requests.h"
#include "kernel/import-private.h"
#include "kernel/lanes.h"
#include "kernel/launcher.h"
#include "vyre/clock.h"

/* How long the last reference waits for the end of the kernel. */
#define TEARDOWN_US G_TIME_SPAN_SECOND

/* How long a process that exits waits for late teardowns: their threads run inside of drivers,
 * whose own exit handlers come next. */
#define EXIT_US (30 * G_TIME_SPAN_SECOND)

typedef struct {
  VyreMegakernel *kernel;
  gboolean late; /* the last reference does not wait for it any more */
  gboolean over;
} Teardown;

static GMutex teardown_lock; /* a leaf: guards what follows, and teardowns */
static GCond teardown_ended;
static guint teardown_n_late; /* late teardowns, which only the process' exit waits for */

/* Holds the lock while the process forks, so that the child finds what it guards whole. */
static void
teardown_prepare_fork (void)
{
  g_mutex_lock (&teardown_lock);
}

static void
teardown_stay_parent (void)
{
  g_mutex_unlock (&teardown_lock);
}

/* The child has none of the threads, so no teardown is under way there. */
static void
teardown_enter_child (void)
{
  g_mutex_init (&teardown_lock);
  g_cond_init (&teardown_ended);
  teardown_n_late = 0;
}

__attribute__ ((constructor)) static void
teardown_watch_forks (void)
{
  pthread_atfork (teardown_prepare_fork, teardown_stay_parent, teardown_enter_child);
}

static void
teardown_stop_launcher (VyreMegakernel *kernel)
{
  vyre_mutex_lock (&kernel->lock);
  kernel->quit = TRUE;
  vyre_launcher_park (kernel);
  g_cond_signal (&kernel->wake_launcher);
  g_mutex_unlock (&kernel->lock);
  if (kernel->launcher)
    g_thread_join (kernel->launcher);
}

/* Drops batches of the lane that a failed kernel will never complete. Their owners have freed
 * them. */
static void
teardown_drop_in_flight (VyreLane *lane)
{
  VyreBatch *batch;

  while ((batch = g_queue_peek_head (&lane->in_flight))) {
    g_queue_unlink (&lane->in_flight, &batch->link);
    VyreRelease release = vyre_batch_take_release (batch);
    vyre_release_run (&release);
    vyre_batch_destroy (batch);
  }
}

/* Waits until the device does nothing for the kernel any more. Other kernels go on on the same
 * device, so this waits for an idle device only if the device is lost: what was submitted to a
 * lost device ends. */
static void
teardown_wait_for_device (VyreMegakernel *kernel)
{
  gboolean drained
      = vyre_pipeline_drain (&kernel->pipeline) && vyre_copy_engine_drain (&kernel->copy_engine);

  if (!drained || g_error_matches (kernel->failure, VYRE_ERROR, VYRE_ERROR_DEVICE_LOST)
      || g_error_matches (kernel->failure, VYRE_ERROR, VYRE_ERROR_DEVICE))
    vyre_device_wait_idle (kernel->device);
}

/* Ends a kernel without references, however long that takes. */
static void
teardown_take_down (VyreMegakernel *kernel)
{
  if (kernel->service)
    vyre_host_requests_stop (kernel->service);
  teardown_stop_launcher (kernel); /* before the compiler ends, so that payloads go back soon */
  vyre_extras_join (kernel);
  teardown_wait_for_device (kernel);
  vyre_imports_close (kernel->imports);
  for (GList *l = kernel->lanes.head; l; l = l->next)
    teardown_drop_in_flight (l->data);
  vyre_lanes_clear (kernel);
  vyre_pipeline_clear (&kernel->pipeline);
  vyre_copy_engine_clear (&kernel->copy_engine);
  if (kernel->service)
    vyre_host_requests_free (kernel->service);
  if (kernel->file_io)
    vyre_file_io_free (kernel->file_io);
  vyre_buffer_clear (&kernel->answer);
  vyre_buffer_clear (&kernel->state);
  vyre_buffer_clear (&kernel->door);
  g_clear_pointer (&kernel->payloads, vyre_store_unref);
  g_clear_pointer (&kernel->work, vyre_store_unref);
  g_clear_pointer (&kernel->readbacks, vyre_store_unref);
  g_clear_pointer (&kernel->staging, vyre_store_unref);
  vyre_device_unref (kernel->device);
  g_clear_error (&kernel->failure);
  g_clear_error (&kernel->build_error);
  g_free (kernel->verdict);
  g_mutex_clear (&kernel->lock);
  g_cond_clear (&kernel->wake_launcher);
  g_cond_clear (&kernel->room);
  g_free (kernel);
}

static gpointer
teardown_run (gpointer data)
{
  Teardown *teardown = data;

  teardown_take_down (teardown->kernel);
  g_mutex_lock (&teardown_lock);
  teardown->over = TRUE;
  gboolean late = teardown->late;
  if (late)
    teardown_n_late--;
  g_cond_broadcast (&teardown_ended);
  g_mutex_unlock (&teardown_lock);
  if (late)
    g_free (teardown);
  return NULL;
}

/* An exit handler: runs before those that drivers registered when they were loaded. */
static void
teardown_wait_for_late (void)
{
  VyreClock clock = { 0 };
  gint64 end = vyre_clock_now (&clock) + EXIT_US;

  g_mutex_lock (&teardown_lock);
  while (teardown_n_late > 0 && vyre_clock_now (&clock) < end)
    g_cond_wait_until (&teardown_ended, &teardown_lock, vyre_clock_next (&clock, end));
  g_mutex_unlock (&teardown_lock);
}

/* Lock held. Leaves a teardown to its thread. */
static void
teardown_leave (Teardown *teardown)
{
  static gboolean registered;

  teardown->late = TRUE;
  teardown_n_late++;
  if (!registered)
    registered = atexit (teardown_wait_for_late) == 0;
}

static gboolean
teardown_is_building (VyreMegakernel *kernel)
{
  vyre_mutex_lock (&kernel->lock);
  gboolean building = kernel->building;
  g_mutex_unlock (&kernel->lock);
  return building;
}

/* Returns whether the teardown ended in time; otherwise it belongs to its thread. */
static gboolean
teardown_wait_for_end (Teardown *teardown, gint64 limit)
{
  VyreClock clock = { 0 };
  gint64 end = vyre_clock_now (&clock) + limit;

  g_mutex_lock (&teardown_lock);
  while (!teardown->over && vyre_clock_now (&clock) < end)
    g_cond_wait_until (&teardown_ended, &teardown_lock, vyre_clock_next (&clock, end));
  gboolean over = teardown->over;
  if (!over)
    teardown_leave (teardown);
  g_mutex_unlock (&teardown_lock);
  return over;
}

/* Ends a kernel without references, and waits for that for @limit µs. FALSE: a thread ends it. */
gboolean
vyre_megakernel_take_down (VyreMegakernel *kernel, gint64 limit)
{
  Teardown *teardown = g_new0 (Teardown, 1);

  teardown->kernel = kernel;
  GThread *thread = g_thread_try_new ("vyre-teardown", teardown_run, teardown, NULL);
  if (!thread) { /* then it takes as long as it takes */
    teardown_take_down (kernel);
    g_free (teardown);
    return TRUE;
  }
  if (!teardown_wait_for_end (teardown, limit)) {
    g_thread_unref (thread);
    return FALSE;
  }
  g_thread_join (thread);
  g_free (teardown);
  return TRUE;
}

void
vyre_megakernel_unref (VyreMegakernel *kernel)
{
  if (!g_atomic_ref_count_dec (&kernel->refs) || vyre_is_inherited (kernel->generation))
    return;
  g_autofree char *name = g_strdup (vyre_device_get_name (kernel->device));
  gboolean building
      = teardown_is_building (kernel); /* a compiler cannot be stopped, and is no fault */
  if (!vyre_megakernel_take_down (kernel, TEARDOWN_US) && !building)
    g_warning ("%s has not let go of a kernel in 1 s, which is ended in the background. Fix: look "
               "for a device that hangs, or for a file that cannot be written.",
        name);
}
