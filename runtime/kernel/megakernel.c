/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Making a megakernel: its memory and pipeline, and the placement and residency that prove to work.
 */
#include <string.h>

#include "base/alloc.h"
#include "kernel/host-requests.h"
#include "kernel/import-private.h"
#include "kernel/lanes.h"
#include "kernel/launcher.h"
#include "kernel/proof.h"
#include "kernel/state.h"
#include "kernel/teardown.h"

/* Payloads that are stored one by one need no whole pages. */
#define STORED_ALIGNMENT 256

/* Payload slices are whole pages, for O_DIRECT and for imports by other devices. */
#define STAGING_ALIGNMENT ((gsize)4096)

static gboolean
megakernel_init_stores (VyreMegakernel *kernel, GError **error)
{
  VyreDevice *device = kernel->device;
  const VyreMegakernelParams *params = &kernel->params;

  /* llvmpipe compiles the kernel once for texels in buffers whose size is a power of two and
   * once for others, which memory of others mostly is. */
  kernel->staging
      = vyre_store_new_kind (device, params->staging_size, VYRE_GRANULE, STAGING_ALIGNMENT,
          kernel->traits->in_device_memory ? VYRE_BUFFER_STEPS : VYRE_BUFFER_STAGING, error);
  if (!kernel->staging)
    return FALSE;
  kernel->readbacks = vyre_store_new (device, params->readback_size, VYRE_STORE_ALIGNMENT, error);
  if (!kernel->readbacks)
    return FALSE;
  if (!kernel->traits->in_device_memory)
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
megakernel_init_memory (VyreMegakernel *kernel, GError **error)
{
  VyreDevice *device = kernel->device;
  gsize door_size = VYRE_DOOR_GRANULES * VYRE_GRANULE, state_size = 4 * VYRE_STATE_WORDS;

  if (!megakernel_init_stores (kernel, error)
      || !vyre_buffer_init (&kernel->door, device, door_size, VYRE_BUFFER_DEVICE, error)
      || !vyre_buffer_init (&kernel->state, device, state_size, VYRE_BUFFER_DEVICE, error)
      || !vyre_buffer_init (
          &kernel->answer, device, 4 * VYRE_ANSWER_WORDS, VYRE_BUFFER_HOST, error))
    return FALSE;
  memset (kernel->door.data, 0, door_size);
  memset (kernel->state.data, 0, state_size);
  vyre_buffer_flush (); /* pairs with the submission of the first launch */
  return TRUE;
}

static gboolean
megakernel_bind_memory (VyreMegakernel *kernel, GError **error)
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

/* Until the threshold is measured, all payloads go by the CPU, or all by copy engine. */
static gboolean
megakernel_init_copy_engine (VyreMegakernel *kernel, GError **error)
{
  vyre_megakernel_set_copy_threshold (
      kernel, kernel->traits->payloads == VYRE_PAYLOADS_COPIED ? 1 : G_MAXSIZE);
  if (!kernel->traits->needs_copy_engine)
    return TRUE;
  return vyre_copy_engine_init (&kernel->copy_engine, kernel->device, error);
}

/* A thread of its own. Returns the error, or NULL. */
static gpointer
megakernel_get_memory (gpointer data)
{
  VyreMegakernel *kernel = data;
  GError *error = NULL;

  if (megakernel_init_memory (kernel, &error))
    megakernel_init_copy_engine (kernel, &error);
  return error;
}

/* Gets memory and compiles at the same time: with the kernel in the driver's cache both take as
 * long. */
static gboolean
megakernel_init_parts (VyreMegakernel *kernel, GError **error)
{
  GThread *getter = vyre_thread_new ("vyre-memory", megakernel_get_memory, kernel, error);
  if (!getter)
    return FALSE;
  gboolean compiled = vyre_pipeline_init (&kernel->pipeline, kernel->device,
      kernel->params.staging_size, kernel->traits->in_device_memory, error);
  GError *failure = g_thread_join (getter);

  if (compiled && failure) {
    g_propagate_error (error, failure);
    return FALSE;
  }
  g_clear_error (&failure); /* the caller gets the compiler's */
  return compiled && megakernel_bind_memory (kernel, error);
}

/* Returns a megakernel without a residency. */
static VyreMegakernel *
megakernel_create (
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
  /* a payload of staging_size bytes fits, whatever the number */
  if (params->staging_size <= G_MAXSIZE - STAGING_ALIGNMENT)
    kernel->params.staging_size
        = (params->staging_size + STAGING_ALIGNMENT - 1) & ~(STAGING_ALIGNMENT - 1);
  kernel->placement = placement;
  kernel->traits = vyre_placement_get_traits (placement);
  kernel->imports = vyre_imports_new (kernel);
  kernel->most = G_MAXUINT64; /* until the device's speed is known */
  kernel->lane_part = 1;
  vyre_launcher_set_idle_timeout (kernel, params->idle_timeout);
  /* sums with the clock must not overflow; 73 years are as good as for ever */
  kernel->params.lease = MIN (params->lease, G_MAXINT64 / 4);
  vyre_lanes_init (kernel);
  if (!vyre_mark_init (&kernel->mark, error) || !megakernel_init_parts (kernel, error))
    return NULL;
  return g_steal_pointer (&kernel);
}

/* How long a kernel whose proof failed may take to leave the device; the launcher gives it 10 s. */
#define PROOF_END_US (12 * G_TIME_SPAN_SECOND)

static void
megakernel_set_hung (const VyreDevice *device, GError **error)
{
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_STUCK,
      "%s: the device hangs: it has not let go of a test kernel, which is ended in the background. "
      "Fix: look for driver messages in the kernel log, or choose another device.",
      vyre_device_get_name (device));
}

/* Whether the error is the same for any placement. */
static gboolean
megakernel_is_final (const GError *error)
{
  return g_error_matches (error, VYRE_ERROR, VYRE_ERROR_DEVICE_LOST)
         || g_error_matches (error, VYRE_ERROR, VYRE_ERROR_NO_THREAD);
}

/* Tries the residencies of one placement; unless it is the @last one, only the best, because
 * another placement that stays is better than one launch per batch. NULL with @error: other
 * placements are of no use; NULL without: @verdict says why. */
static VyreMegakernel *
megakernel_try_placement (VyreDevice *device, const VyreMegakernelParams *params,
    VyrePlacement placement, gboolean last, GString *verdict, GError **error)
{
  VyreResidency next = VYRE_RESIDENCY_PERSISTENT;
  VyreResidency end = last || params->residency == VYRE_RESIDENCY_DISPATCH
                          ? VYRE_RESIDENCY_DISPATCH
                          : VYRE_RESIDENCY_PERSISTENT;
  const char *impossible = vyre_placement_why_not (placement, device);

  if (impossible) {
    g_string_append_printf (verdict, "%s%s: %s", verdict->len > 0 ? "; " : "",
        vyre_placement_name (placement), impossible);
    return NULL;
  }
  while (next <= end) {
    GError *reason = NULL;
    VyreMegakernel *kernel = megakernel_create (device, params, placement, &reason);
    if (kernel && vyre_prove (kernel, &next, verdict, &reason))
      return kernel;
    /* the next kernel must not find this one on the device */
    if (kernel && !vyre_megakernel_take_down (kernel, PROOF_END_US)) {
      g_clear_error (&reason);
      megakernel_set_hung (device, error);
      return NULL;
    }
    if (reason && !last && !megakernel_is_final (reason)) {
      g_string_append_printf (verdict, "%s%s: %s", verdict->len > 0 ? "; " : "",
          vyre_placement_name (placement), reason->message);
      g_error_free (reason); /* the next placement needs less */
      return NULL;
    }
    if (reason) {
      g_propagate_error (error, reason);
      return NULL;
    }
    /* a failed proof leaves its kernel unusable: the next residency gets a new one */
  }
  return NULL;
}

static gboolean
megakernel_start_service (VyreMegakernel *kernel, const GString *verdict, GError **error)
{
  kernel->verdict = g_strdup (verdict->str);
  kernel->file_io = vyre_file_io_new (vyre_store_get_data (kernel->staging),
      vyre_store_get_size (kernel->staging), VYRE_READ_MODE_SINGLE_ISSUER);
  if (kernel->params.resource_size == 0)
    kernel->params.resource_size = vyre_store_get_size (kernel->staging) / 4;
  kernel->service = vyre_host_requests_new (kernel, kernel->params.resource_size, error);
  vyre_launcher_trim (kernel); /* what the proof and the file I/O tried */
  return kernel->service != NULL;
}

/* After the proof, whose slices would lie between those of batches. */
static void
megakernel_cache_slices (VyreMegakernel *kernel)
{
  vyre_store_cache_slices (kernel->readbacks);
  if (!kernel->traits->in_device_memory)
    return;
  vyre_store_cache_slices (kernel->work);
  vyre_store_cache_slices (kernel->payloads);
}

VyreMegakernel *
vyre_megakernel_new (VyreDevice *device, const VyreMegakernelParams *params, GError **error)
{
  g_return_val_if_fail (vyre_placement_get_traits (params->placement), NULL);
  VyrePlacementCandidates candidates = vyre_placement_list (params->placement, device);
  g_autoptr (GString) verdict = g_string_new (NULL);
  GError *reason = NULL;

  if (!vyre_check_own (device->generation, "device", error))
    return NULL;
  for (const VyrePlacement *placement = candidates.list; *placement != VYRE_PLACEMENT_AUTO;
       placement++) {
    gboolean last = placement[1] == VYRE_PLACEMENT_AUTO;
    g_autoptr (VyreMegakernel) kernel
        = megakernel_try_placement (device, params, *placement, last, verdict, &reason);
    if (kernel) {
      vyre_launcher_follow_gaps (kernel, params->idle_timeout);
      megakernel_cache_slices (kernel);
      return megakernel_start_service (kernel, verdict, error) ? g_steal_pointer (&kernel) : NULL;
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
