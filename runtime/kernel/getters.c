/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a megakernel says of itself.
 */
#include "base/spin-lock.h"
#include "base/wait.h"
#include "kernel/lanes.h"
#include "kernel/state.h"

/* Least bytes for which importing memory is faster than copying; docs/performance.md has the
 * figures. */
#define CPU_IMPORT_THRESHOLD ((gsize)1 << 20)

gboolean
vyre_megakernel_check (VyreMegakernel *kernel, GError **error)
{
  if (!vyre_check_own (kernel->generation, "kernel", error))
    return FALSE;
  vyre_mutex_lock (&kernel->lock);
  gboolean works = kernel->failure == NULL;
  if (!works && error)
    *error = g_error_copy (kernel->failure);
  g_mutex_unlock (&kernel->lock);
  return works;
}

VyreDevice *
vyre_megakernel_get_device (VyreMegakernel *kernel)
{
  return kernel->device;
}

VyreStore *
vyre_megakernel_get_staging (VyreMegakernel *kernel)
{
  return kernel->staging;
}

VyreStore *
vyre_megakernel_get_readbacks (VyreMegakernel *kernel)
{
  return kernel->readbacks;
}

VyreStore *
vyre_megakernel_get_payloads (VyreMegakernel *kernel)
{
  return kernel->payloads;
}

gsize
vyre_megakernel_get_resource_size (VyreMegakernel *kernel)
{
  return kernel->params.resource_size;
}

VyreFileIo *
vyre_megakernel_get_file_io (VyreMegakernel *kernel)
{
  return kernel->file_io;
}

VyreResidency
vyre_megakernel_get_residency (VyreMegakernel *kernel)
{
  return kernel->residency;
}

VyrePlacement
vyre_megakernel_get_placement (VyreMegakernel *kernel)
{
  return kernel->placement;
}

gsize
vyre_megakernel_get_copy_threshold (VyreMegakernel *kernel)
{
  return kernel->copy_threshold;
}

gboolean
vyre_megakernel_stores_payload (VyreMegakernel *kernel, gsize size)
{
  return kernel->traits->in_device_memory && size < kernel->copy_threshold;
}

gboolean
vyre_megakernel_can_import (VyreMegakernel *kernel, gsize size)
{
  const VyreDevice *device = kernel->device;

  /* A GPU that shares memory with the host would need launches bound to an import, too; whether
   * that is faster was not measured. */
  if (device->import_alignment == 0)
    return FALSE;
  if (kernel->traits->in_device_memory)
    return kernel->copy_engine.device && size >= kernel->train_threshold;
  return vyre_device_is_cpu (device);
}

gsize
vyre_megakernel_get_import_threshold (VyreMegakernel *kernel)
{
  if (!vyre_megakernel_can_import (kernel, G_MAXSIZE))
    return G_MAXSIZE;
  if (kernel->traits->in_device_memory)
    return MAX (kernel->params.import_threshold, kernel->train_threshold);
  return kernel->params.import_threshold > 0 ? kernel->params.import_threshold
                                             : CPU_IMPORT_THRESHOLD;
}

gboolean
vyre_megakernel_imports_once (VyreMegakernel *kernel)
{
  return !kernel->traits->in_device_memory || kernel->params.import_threshold > 0;
}

gboolean
vyre_megakernel_imports_payload (VyreMegakernel *kernel, gsize size)
{
  return size >= vyre_megakernel_get_import_threshold (kernel);
}

guint
vyre_megakernel_get_workgroups (VyreMegakernel *kernel)
{
  return kernel->n_groups;
}

const char *
vyre_megakernel_get_verdict (VyreMegakernel *kernel)
{
  return kernel->verdict;
}

guint
vyre_megakernel_get_workgroup (VyreMegakernel *kernel)
{
  return kernel->pipeline.workgroup;
}

void
vyre_megakernel_get_counters (VyreMegakernel *kernel, VyreMegakernelCounters *counters)
{
  const guint32 *answer = (const guint32 *)kernel->answer.data;

  *counters = (VyreMegakernelCounters){ 0 };
  if (vyre_is_inherited (kernel->generation))
    return;
  vyre_mutex_lock (&kernel->lock);
  guint n_in_flight = vyre_lanes_count_in_flight (kernel);
  if (kernel->service && n_in_flight > 0) {
    kernel->collect = TRUE;
    vyre_megakernel_wake_host (kernel);
  }
  /* counters, which order nothing: pairs with the additions in run_ticket(), run_large() and
   * sign_off(), megakernel.comp */
  guint32 dropped = __atomic_load_n (&answer[VYRE_ANSWER_DROPPED], __ATOMIC_RELAXED);
  kernel->counters.dropped += dropped - kernel->dropped;
  kernel->dropped = dropped;
  *counters = kernel->counters;
  for (GList *l = kernel->lanes.head; l; l = l->next)
    vyre_lane_count (l->data, counters);
  counters->lanes = g_queue_get_length (&kernel->lanes);
  counters->in_flight = n_in_flight + g_queue_get_length (&kernel->turns) + kernel->n_releasing;
  g_mutex_unlock (&kernel->lock);
  counters->progress = __atomic_load_n (&answer[VYRE_ANSWER_PROGRESS], __ATOMIC_RELAXED);
  counters->idle_polls = vyre_read_word_pair (kernel->answer.data, VYRE_ANSWER_IDLE_POLLS);
  counters->awake = vyre_wait_count_awake ();
}
