/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The life of a megakernel, and what it says of itself.
 */
#include "base/alloc.h"
#include "base/spin-lock.h"
#include "kernel/import-private.h"
#include "kernel/types.h"

#include <string.h>
#include <time.h>

gint64
vyre_now (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (gint64)now.tv_sec * 1000000000 + now.tv_nsec;
}

const char *
vyre_residency_name (VyreResidency residency)
{
  static const char *const names[] = { "auto", "persistent", "relay", "dispatch" };

  return names[residency];
}

const char *
vyre_placement_name (VyrePlacement placement)
{
  static const char *const names[] = { "auto", "unified", "bar", "copy", "split" };

  return names[placement];
}

/* Whether batches run in memory of the device. */
gboolean
vyre_megakernel_is_discrete (const VyreMegakernel *kernel)
{
  return kernel->placement != VYRE_PLACEMENT_UNIFIED;
}

/* The first failure stays; every waiter gets a copy of it. Takes @error. */
void
vyre_megakernel_fail (VyreMegakernel *kernel, GError *error)
{
  if (kernel->failure)
    g_error_free (error);
  else
    kernel->failure = error;
  g_cond_broadcast (&kernel->room);
}

/* From how many bytes on memory of others is imported, docs/performance.md has the figures. */
#define CPU_IMPORT_THRESHOLD ((gsize)1 << 20)

/* Payloads that are stored one by one need no whole pages. */
#define STORED_ALIGNMENT 256

/* Payload slices are whole pages, so that what upstream writes can be read by O_DIRECT and
 * imported by others. */
#define STAGING_ALIGNMENT ((gsize)4096)

static gboolean
init_stores (VyreMegakernel *kernel, GError **error)
{
  VyreDevice *device = kernel->device;
  const VyreMegakernelParams *params = &kernel->params;

  /* llvmpipe compiles the kernel once for texels in buffers whose size is a power of two and
   * once for others, which memory of others mostly is. */
  kernel->staging = vyre_store_new_kind (
      device, params->staging_size, VYRE_GRANULE, STAGING_ALIGNMENT, VYRE_BUFFER_STAGING, error);
  if (!kernel->staging)
    return FALSE;
  kernel->readbacks = vyre_store_new (device, params->readback_size, VYRE_STORE_ALIGNMENT, error);
  if (!kernel->readbacks)
    return FALSE;
  if (!vyre_megakernel_is_discrete (kernel))
    return TRUE;
  kernel->work = vyre_store_new_kind (
      device, params->readback_size, 0, VYRE_STORE_ALIGNMENT, VYRE_BUFFER_DEVICE, error);
  if (!kernel->work)
    return FALSE;
  kernel->payloads = vyre_store_new_kind (
      device, params->staging_size, 0, STORED_ALIGNMENT, VYRE_BUFFER_DEVICE, error);
  return kernel->payloads != NULL;
}

static gboolean
init_memory (VyreMegakernel *kernel, GError **error)
{
  VyreDevice *device = kernel->device;
  gsize door_size = VYRE_DOOR_GRANULES * VYRE_GRANULE, state_size = 4 * VYRE_STATE_WORDS;

  if (!init_stores (kernel, error)
      || !vyre_buffer_init (&kernel->door, device, door_size, VYRE_BUFFER_DEVICE, error)
      || !vyre_buffer_init (&kernel->state, device, state_size, VYRE_BUFFER_DEVICE, error)
      || !vyre_buffer_init (
          &kernel->answer, device, 4 * VYRE_ANSWER_WORDS, VYRE_BUFFER_HOST, error))
    return FALSE;
  memset (kernel->door.data, 0, door_size);
  memset (kernel->state.data, 0, state_size);
  vyre_buffer_flush ();
  return TRUE;
}

static gboolean
bind_memory (VyreMegakernel *kernel, GError **error)
{
  VyreStore *work = kernel->work ? kernel->work : kernel->readbacks;
  VyreStore *payloads = kernel->payloads ? kernel->payloads : kernel->staging;
  const VkBuffer buffers[VYRE_N_BUFFERS] = {
    [VYRE_BIND_DOOR] = kernel->door.buffer,
    [VYRE_BIND_STATE] = kernel->state.buffer,
    [VYRE_BIND_WORK] = vyre_store_get_buffer (work),
    [VYRE_BIND_PAYLOAD] = vyre_store_get_buffer (payloads),
    [VYRE_BIND_ANSWER] = kernel->answer.buffer,
    [VYRE_BIND_READBACK] = vyre_store_get_buffer (kernel->readbacks),
    [VYRE_BIND_STORE] = vyre_store_get_buffer (payloads),
  };

  return vyre_pipeline_bind (&kernel->pipeline, buffers, vyre_store_get_size (payloads), error);
}

/* Until it is measured, everything goes the one way or the other. */
static gboolean
init_copier (VyreMegakernel *kernel, GError **error)
{
  kernel->copy_threshold = kernel->placement == VYRE_PLACEMENT_COPY ? 1 : G_MAXSIZE;
  if (kernel->placement != VYRE_PLACEMENT_COPY && kernel->placement != VYRE_PLACEMENT_SPLIT)
    return TRUE;
  return vyre_copy_engine_init (&kernel->copy_engine, kernel->device, error);
}

/* Runs in a thread of its own. Returns the error, or NULL. */
static gpointer
get_memory (gpointer data)
{
  VyreMegakernel *kernel = data;
  GError *error = NULL;

  if (init_memory (kernel, &error))
    init_copier (kernel, &error);
  return error;
}

/* Getting memory takes as long as a driver that has the kernel in its cache, so both
 * are done at the same time. */
static gboolean
init_parts (VyreMegakernel *kernel, GError **error)
{
  GThread *getter = vyre_thread_new ("vyre-memory", get_memory, kernel, error);
  if (!getter)
    return FALSE;
  gboolean compiled = vyre_pipeline_init (&kernel->pipeline, kernel->device,
      kernel->params.staging_size, vyre_megakernel_is_discrete (kernel), error);
  GError *failure = g_thread_join (getter);

  if (compiled && failure) {
    g_propagate_error (error, failure);
    return FALSE;
  }
  g_clear_error (&failure); /* one is enough */
  return compiled && bind_memory (kernel, error);
}

/* A megakernel without a residency yet. */
static VyreMegakernel *
create (
    VyreDevice *device, const VyreMegakernelParams *params, VyrePlacement placement, GError **error)
{
  g_autoptr (VyreMegakernel) kernel = g_new0 (VyreMegakernel, 1);

  g_atomic_ref_count_init (&kernel->refs);
  kernel->generation = vyre_fork_generation;
  g_mutex_init (&kernel->lock);
  g_cond_init (&kernel->wake_launcher);
  g_cond_init (&kernel->room);
  kernel->device = vyre_device_ref (device);
  kernel->params = *params;
  /* a payload of as many bytes fits, whatever their number */
  if (params->staging_size <= G_MAXSIZE - STAGING_ALIGNMENT)
    kernel->params.staging_size
        = (params->staging_size + STAGING_ALIGNMENT - 1) & ~(STAGING_ALIGNMENT - 1);
  kernel->placement = placement;
  kernel->imports = vyre_imports_new (kernel);
  kernel->most = G_MAXUINT64; /* until the device's speed is known */
  kernel->lane_part = 1;
  vyre_launcher_set_idle_timeout (kernel, params->idle_timeout);
  /* sums with the clock must not overflow; 73 years are as good as for ever */
  kernel->params.lease = MIN (params->lease, G_MAXINT64 / 4);
  for (guint i = 0; i < VYRE_MAX_BATCHES; i++)
    kernel->free_indices[kernel->n_free++] = VYRE_MAX_BATCHES - 1 - i;
  if (!vyre_mark_init (&kernel->mark, error) || !init_parts (kernel, error))
    return NULL;
  return g_steal_pointer (&kernel);
}

/* Why a placement is out of the question on a device, or NULL. */
static const char *
why_not (const VyreDevice *device, VyrePlacement placement)
{
  /* What a kernel does to system memory by atomics may stay in the cache of such a
   * GPU until the launch ends, and nothing tells the host what has arrived: one wrong
   * result in hundreds, which no proof of bearable length finds for sure. */
  if (placement == VYRE_PLACEMENT_UNIFIED)
    return vyre_device_is_discrete (device) ? "the device has memory of its own" : NULL;
  if (device->subgroup_size < VYRE_TICKET_GRANULES) /* a lane looks at each */
    return "its subgroups are too small";
  if (!vyre_device_has_bar (device))
    return "the host cannot address memory of the device";
  if (placement != VYRE_PLACEMENT_BAR && device->n_transfer_queues == 0)
    return "there is no copy engine";
  return NULL;
}

/* What to try on a device, in that order, up to %VYRE_PLACEMENT_AUTO. */
typedef struct {
  VyrePlacement list[3];
} Candidates;

static Candidates
list_candidates (const VyreDevice *device, VyrePlacement wanted)
{
  if (wanted != VYRE_PLACEMENT_AUTO)
    return (Candidates){ { wanted } };
  if (!vyre_device_is_discrete (device))
    return (Candidates){ { VYRE_PLACEMENT_UNIFIED } };
  if (device->n_transfer_queues == 0)
    return (Candidates){ { VYRE_PLACEMENT_BAR } };
  return (Candidates){ { VYRE_PLACEMENT_SPLIT, VYRE_PLACEMENT_BAR } };
}

/* How long a kernel whose proof failed may take to leave the device; the launcher gives it 10 s. */
#define PROOF_END_US (12 * G_TIME_SPAN_SECOND)

static void
set_hung (const VyreDevice *device, GError **error)
{
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_STUCK,
      "%s: the device hangs: it has not let go of a test kernel, which is ended in the background. "
      "Fix: look for driver messages in the kernel log, or choose another device.",
      vyre_device_get_name (device));
}

/* Whether an error says nothing about the placement that was tried. */
static gboolean
is_final (const GError *error)
{
  return g_error_matches (error, VYRE_ERROR, VYRE_ERROR_DEVICE_LOST)
         || g_error_matches (error, VYRE_ERROR, VYRE_ERROR_NO_THREAD);
}

/* Tries the residencies of one placement; unless it is the @last one, the best of them
 * alone, because another placement that stays is better than one launch per batch.
 * Without a result @error is set if it is of no use to try others, and otherwise @verdict
 * says why. */
static VyreMegakernel *
try_placement (VyreDevice *device, const VyreMegakernelParams *params, VyrePlacement placement,
    gboolean last, GString *verdict, GError **error)
{
  VyreResidency next = VYRE_RESIDENCY_PERSISTENT;
  VyreResidency end = last || params->residency == VYRE_RESIDENCY_DISPATCH
                          ? VYRE_RESIDENCY_DISPATCH
                          : VYRE_RESIDENCY_PERSISTENT;
  const char *impossible = why_not (device, placement);

  if (impossible) {
    g_string_append_printf (verdict, "%s%s: %s", verdict->len > 0 ? "; " : "",
        vyre_placement_name (placement), impossible);
    return NULL;
  }
  while (next <= end) {
    GError *reason = NULL;
    VyreMegakernel *kernel = create (device, params, placement, &reason);
    if (kernel && vyre_prove (kernel, &next, verdict, &reason))
      return kernel;
    /* the next one shall not find this one on the device */
    if (kernel && !vyre_megakernel_take_down (kernel, PROOF_END_US)) {
      g_clear_error (&reason);
      set_hung (device, error);
      return NULL;
    }
    if (reason && !last && !is_final (reason)) {
      g_string_append_printf (verdict, "%s%s: %s", verdict->len > 0 ? "; " : "",
          vyre_placement_name (placement), reason->message);
      g_error_free (reason); /* the next one needs less */
      return NULL;
    }
    if (reason) {
      g_propagate_error (error, reason);
      return NULL;
    }
    /* a failed proof leaves its kernel unusable; the next one starts afresh */
  }
  return NULL;
}

static gboolean
start_service (VyreMegakernel *kernel, const GString *verdict, GError **error)
{
  kernel->verdict = g_strdup (verdict->str);
  kernel->file_io = vyre_file_io_new (vyre_store_get_data (kernel->staging),
      vyre_store_get_size (kernel->staging), VYRE_READ_MODE_SINGLE_ISSUER);
  if (kernel->params.resource_size == 0)
    kernel->params.resource_size = vyre_store_get_size (kernel->staging) / 4;
  kernel->service = vyre_host_requests_new (kernel, kernel->params.resource_size, error);
  return kernel->service != NULL;
}

VyreMegakernel *
vyre_megakernel_new (VyreDevice *device, const VyreMegakernelParams *params, GError **error)
{
  Candidates candidates = list_candidates (device, params->placement);
  g_autoptr (GString) verdict = g_string_new (NULL);
  GError *reason = NULL;

  if (!vyre_check_own (device->generation, "device", error))
    return NULL;
  for (const VyrePlacement *placement = candidates.list; *placement != VYRE_PLACEMENT_AUTO;
       placement++) {
    gboolean last = placement[1] == VYRE_PLACEMENT_AUTO;
    g_autoptr (VyreMegakernel) kernel
        = try_placement (device, params, *placement, last, verdict, &reason);
    if (kernel) {
      vyre_launcher_follow_gaps (kernel, params->idle_timeout);
      return start_service (kernel, verdict, error) ? g_steal_pointer (&kernel) : NULL;
    }
    if (reason) {
      g_propagate_error (error, reason);
      return NULL;
    }
  }
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_UNSUPPORTED,
      "%s: placement %s with residency %s does not work here (%s). Fix: use placement=auto and "
      "residency=auto, or another device.",
      vyre_device_get_name (device), vyre_placement_name (params->placement),
      vyre_residency_name (params->residency), verdict->str);
  return NULL;
}

VyreMegakernel *
vyre_megakernel_ref (VyreMegakernel *kernel)
{
  g_atomic_ref_count_inc (&kernel->refs);
  return kernel;
}

void
vyre_megakernel_set_active (VyreMegakernel *kernel, gboolean active)
{
  if (vyre_is_inherited (kernel->generation))
    return;
  vyre_mutex_lock (&kernel->lock);
  gboolean was_started = active || kernel->active > 0;
  if (was_started)
    kernel->active += active ? 1 : -1;
  if (kernel->active == 0)
    vyre_launcher_park (kernel);
  g_mutex_unlock (&kernel->lock);
  g_return_if_fail (was_started);
}

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
  return vyre_megakernel_is_discrete (kernel) && size < kernel->copy_threshold;
}

gboolean
vyre_megakernel_can_import (VyreMegakernel *kernel, gsize size)
{
  const VyreDevice *device = kernel->device;

  /* A GPU that shares memory with the host would need its launches bound to an import, too,
   * and nobody has measured whether it has anything of that. */
  if (device->import_alignment == 0)
    return FALSE;
  if (vyre_megakernel_is_discrete (kernel))
    return kernel->copy_engine.device && size >= kernel->copy_threshold;
  return vyre_device_is_cpu (device);
}

gsize
vyre_megakernel_get_import_threshold (VyreMegakernel *kernel)
{
  if (!vyre_megakernel_can_import (kernel, G_MAXSIZE))
    return G_MAXSIZE;
  if (vyre_megakernel_is_discrete (kernel))
    return MAX (kernel->params.import_threshold, kernel->copy_threshold);
  return kernel->params.import_threshold > 0 ? kernel->params.import_threshold
                                             : CPU_IMPORT_THRESHOLD;
}

gboolean
vyre_megakernel_imports_once (VyreMegakernel *kernel)
{
  return !vyre_megakernel_is_discrete (kernel) || kernel->params.import_threshold > 0;
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
  if (kernel->service && !g_queue_is_empty (&kernel->in_flight)) {
    kernel->collect = TRUE;
    vyre_host_requests_wake (kernel->service);
  }
  guint32 dropped = __atomic_load_n (&answer[VYRE_ANSWER_DROPPED], __ATOMIC_RELAXED);
  kernel->counters.dropped += dropped - kernel->dropped;
  kernel->dropped = dropped;
  *counters = kernel->counters;
  counters->in_flight = g_queue_get_length (&kernel->in_flight)
                        + g_queue_get_length (&kernel->turns) + kernel->n_releasing;
  g_mutex_unlock (&kernel->lock);
  counters->progress = __atomic_load_n (&answer[VYRE_ANSWER_PROGRESS], __ATOMIC_RELAXED);
  counters->idle_polls = vyre_read_word_pair (kernel->answer.data, VYRE_ANSWER_IDLE_POLLS);
  counters->spin_time = atomic_load_explicit (&kernel->spin_time, memory_order_relaxed);
}

void
vyre_megakernel_get_resource_counters (VyreMegakernel *kernel, VyreResourceCounters *counters)
{
  *counters = (VyreResourceCounters){ 0 };
  if (vyre_is_inherited (kernel->generation))
    return;
  vyre_host_requests_count (kernel->service, counters);
}
