/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/rare-operations.h"

#include "base/alloc.h"
#include "base/spin-lock.h"
#include "kernel/launcher.h"
#include "kernel/state.h"
#include "vyre/clock.h"

/* Builder thread. Replaces the pipeline once the next launch does not have to be compiled. */
static gpointer
rare_build (gpointer data)
{
  VyreMegakernel *kernel = data;
  VkPipeline rare = VK_NULL_HANDLE;
  GError *error = NULL;

  if (vyre_device_is_cpu (kernel->device))
    vyre_pipeline_rehearse_rare (&kernel->pipeline);
  gboolean built = vyre_pipeline_build_rare (&kernel->pipeline, &rare, &error);
  vyre_mutex_lock (&kernel->lock);
  kernel->building = FALSE;
  kernel->build_error = error;
  if (built) {
    kernel->pipeline.rare = rare;
    atomic_store (&kernel->is_full, true); /* pairs with the load in turns_next_run() */
    vyre_launcher_replace (kernel);
  }
  g_cond_broadcast (&kernel->room);
  g_mutex_unlock (&kernel->lock);
  return NULL;
}

/* Lock held. */
static gboolean
rare_start_building (VyreMegakernel *kernel, GError **error)
{
  vyre_rare_join (kernel);
  kernel->builder = vyre_thread_new ("vyre-builder", rare_build, kernel, error);
  kernel->building = kernel->builder != NULL;
  return kernel->building;
}

/* Joins the builder thread, if there is one. The lock may be held once building is FALSE: the
 * thread does not take it again. */
void
vyre_rare_join (VyreMegakernel *kernel)
{
  if (kernel->builder)
    g_thread_join (g_steal_pointer (&kernel->builder));
}

static gboolean
rare_set_building (const VyreMegakernel *kernel, GError **error)
{
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_TIMEOUT,
      "%s: the kernel that the program wants is being compiled. Fix: wait longer; other programs "
      "run meanwhile.",
      vyre_device_get_name (kernel->device));
  return FALSE;
}

/* Lock held, and dropped while waiting. Waits until the kernel has rare operations. One caller
 * gets the error of a failed build, and the next call starts another. */
gboolean
vyre_rare_wait (VyreMegakernel *kernel, gint64 end_time, GError **error)
{
  VyreClock clock = { 0 };

  while (!kernel->pipeline.rare) {
    if (kernel->failure)
      return vyre_megakernel_set_failure (kernel, error);
    if (kernel->build_error) {
      g_propagate_error (error, g_steal_pointer (&kernel->build_error));
      return FALSE;
    }
    if (!kernel->building && !rare_start_building (kernel, error))
      return FALSE;
    if (vyre_clock_now (&clock) >= end_time)
      return rare_set_building (kernel, error);
    kernel->n_waiting++;
    g_cond_wait_until (&kernel->room, &kernel->lock, vyre_clock_next (&clock, end_time));
    kernel->n_waiting--;
  }
  return TRUE;
}
