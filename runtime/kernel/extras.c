/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/extras.h"

#include "base/alloc.h"
#include "base/spin-lock.h"
#include "kernel/launcher.h"
#include "kernel/state.h"
#include "vyre/clock.h"

/* Builder thread. Replaces the pipeline once the next launch does not have to be compiled. */
static gpointer
extras_build (gpointer data)
{
  VyreMegakernel *kernel = data;
  VkPipeline pipeline = VK_NULL_HANDLE;
  guint32 extras = kernel->wanted_extras; /* constant while this thread runs */
  GError *error = NULL;

  if (vyre_device_is_cpu (kernel->device))
    vyre_pipeline_rehearse_extras (&kernel->pipeline, extras);
  gboolean built = vyre_pipeline_build_extras (&kernel->pipeline, extras, &pipeline, &error);
  vyre_mutex_lock (&kernel->lock);
  kernel->building = FALSE;
  kernel->build_error = error;
  if (built) {
    kernel->pipeline.built[extras] = pipeline;
    kernel->pipeline.extras = extras;
    /* pairs with the loads in turns_next_run() and vyre_extras_are_plain() */
    atomic_store (&kernel->extras, extras);
    vyre_launcher_replace (kernel);
  }
  g_cond_broadcast (&kernel->room);
  g_mutex_unlock (&kernel->lock);
  return NULL;
}

/* Lock held. */
static gboolean
extras_start_building (VyreMegakernel *kernel, guint32 extras, GError **error)
{
  vyre_extras_join (kernel);
  kernel->wanted_extras = kernel->pipeline.extras | extras;
  kernel->builder = vyre_thread_new ("vyre-builder", extras_build, kernel, error);
  kernel->building = kernel->builder != NULL;
  return kernel->building;
}

/* Joins the builder thread, if there is one. The lock may be held once building is FALSE: the
 * thread does not take it again. */
void
vyre_extras_join (VyreMegakernel *kernel)
{
  if (kernel->builder)
    g_thread_join (g_steal_pointer (&kernel->builder));
}

static gboolean
extras_set_building (const VyreMegakernel *kernel, GError **error)
{
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_TIMEOUT,
      "%s: the kernel that the program wants is being compiled. Fix: wait longer; other programs "
      "run meanwhile.",
      vyre_device_get_name (kernel->device));
  return FALSE;
}

/* No lock. Whether a batch that needs @extras needs nothing more than a plain one: the kernel has
 * them, and they are not operations that the kernel as a whole has to know of. */
gboolean
vyre_extras_are_plain (VyreMegakernel *kernel, guint32 extras)
{
  return extras == 0
         || ((extras & VYRE_EXTRA_RARE) == 0
             && (atomic_load (&kernel->extras) & extras) == extras); /* see extras_build() */
}

/* Lock held. Whether a build failed that would have had what is missing of @extras. */
static gboolean
extras_take_error (VyreMegakernel *kernel, guint32 extras, GError **error)
{
  if (!kernel->build_error)
    return FALSE;
  if (extras & kernel->wanted_extras & ~kernel->pipeline.extras) {
    g_propagate_error (error, g_steal_pointer (&kernel->build_error));
    return TRUE;
  }
  g_clear_error (&kernel->build_error); /* its callers have not waited for it */
  return FALSE;
}

/* Lock held, and dropped while waiting. Waits until the kernel has @extras. One caller gets the
 * error of a failed build, and the next call starts another. */
gboolean
vyre_extras_wait (VyreMegakernel *kernel, guint32 extras, gint64 end_time, GError **error)
{
  VyreClock clock = { 0 };

  while ((kernel->pipeline.extras & extras) != extras) {
    if (kernel->failure)
      return vyre_megakernel_set_failure (kernel, error);
    if (extras_take_error (kernel, extras, error))
      return FALSE;
    if (!kernel->building && !extras_start_building (kernel, extras, error))
      return FALSE;
    if (vyre_clock_now (&clock) >= end_time)
      return extras_set_building (kernel, error);
    kernel->n_waiting++;
    g_cond_wait_until (&kernel->room, &kernel->lock, vyre_clock_next (&clock, end_time));
    kernel->n_waiting--;
  }
  return TRUE;
}
