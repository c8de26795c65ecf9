/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The life of a megakernel, and what it says of itself.
 */
#include "vyre-megakernel-private.h"

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

static gboolean
init_memory (VyreMegakernel *kernel, GError **error)
{
  VyreDevice *device = kernel->device;
  const VyreMegakernelParams *params = &kernel->params;

  /* Payload slices are whole pages, so that what upstream writes can be read by
   * O_DIRECT and imported by others. */
  kernel->staging = vyre_store_new (device, params->staging_size, 4096, error);
  if (!kernel->staging)
    return FALSE;
  kernel->readbacks = vyre_store_new (device, params->readback_size, VYRE_STORE_ALIGNMENT, error);
  if (!kernel->readbacks)
    return FALSE;
  return vyre_memory_init (&kernel->door, device, 4 * VYRE_DOOR_WORDS, VYRE_MEMORY_DEVICE, error)
         && vyre_memory_init (
             &kernel->state, device, 4 * VYRE_STATE_WORDS, VYRE_MEMORY_DEVICE, error)
         && vyre_memory_init (
             &kernel->answer, device, 4 * VYRE_ANSWER_WORDS, VYRE_MEMORY_HOST, error);
}

static gboolean
init_pipeline (VyreMegakernel *kernel, GError **error)
{
  const VkBuffer buffers[VYRE_N_BINDINGS] = {
    [VYRE_BIND_DOOR] = kernel->door.buffer,
    [VYRE_BIND_STATE] = kernel->state.buffer,
    [VYRE_BIND_WORK] = vyre_store_get_buffer (kernel->readbacks),
    [VYRE_BIND_PAYLOAD] = vyre_store_get_buffer (kernel->staging),
    [VYRE_BIND_ANSWER] = kernel->answer.buffer,
  };

  return vyre_pipeline_init (&kernel->pipeline, kernel->device, buffers, error);
}

/* A megakernel without a residency yet. */
static VyreMegakernel *
create (VyreDevice *device, const VyreMegakernelParams *params, GError **error)
{
  g_autoptr (VyreMegakernel) kernel = g_new0 (VyreMegakernel, 1);

  g_atomic_ref_count_init (&kernel->refs);
  g_mutex_init (&kernel->lock);
  g_cond_init (&kernel->wake_keeper);
  g_cond_init (&kernel->room);
  kernel->device = vyre_device_ref (device);
  kernel->params = *params;
  /* sums with the clock must not overflow; 73 years are as good as for ever */
  kernel->params.idle_timeout = MIN (params->idle_timeout, G_MAXINT64 / 4);
  /* As many workgroups as surely run at once: a core each, or far fewer than
   * any GPU holds. */
  kernel->n_groups = vyre_device_is_cpu (device) ? MIN (g_get_num_processors (), 16) : 64;
  for (guint i = 0; i < VYRE_MAX_BATCHES; i++)
    kernel->free_indices[kernel->n_free++] = VYRE_MAX_BATCHES - 1 - i;
  if (!init_memory (kernel, error) || !init_pipeline (kernel, error))
    return NULL;
  return g_steal_pointer (&kernel);
}

/**
 * vyre_megakernel_new:
 * @device: the device to run on
 * @params: how to run
 * @error: return location
 *
 * Makes a megakernel and proves, with a real kernel under a deadline, that the
 * residency works. Takes tenths of a second, most of it the driver's compiler,
 * and more where a residency has to be tried in vain.
 *
 * Returns: (transfer full) (nullable): the megakernel, parked, or %NULL with
 *   %VYRE_ERROR_UNSUPPORTED (the residency asked for does not work here),
 *   %VYRE_ERROR_TOO_LARGE, %VYRE_ERROR_NO_SPACE or %VYRE_ERROR_DEVICE
 */
VyreMegakernel *
vyre_megakernel_new (VyreDevice *device, const VyreMegakernelParams *params, GError **error)
{
  g_autoptr (GString) verdict = g_string_new (NULL);
  VyreResidency next = VYRE_RESIDENCY_PERSISTENT;

  for (;;) {
    g_autoptr (VyreMegakernel) kernel = create (device, params, error);
    GError *reason = NULL;
    if (!kernel)
      return NULL;
    if (vyre_handshake (kernel, &next, verdict, &reason)) {
      kernel->verdict = g_strdup (verdict->str);
      kernel->ingest = vyre_ingest_new (vyre_store_get_data (kernel->staging),
          vyre_store_get_size (kernel->staging), VYRE_INGEST_SINGLE_ISSUER);
      return g_steal_pointer (&kernel);
    }
    /* a failed proof leaves its kernel unusable; the next one starts afresh */
    if (next > VYRE_RESIDENCY_DISPATCH) {
      g_propagate_error (error, reason);
      return NULL;
    }
    g_clear_error (&reason);
  }
}

/**
 * vyre_megakernel_ref:
 * @kernel: a megakernel
 *
 * Returns: (transfer full): @kernel with one more reference
 */
VyreMegakernel *
vyre_megakernel_ref (VyreMegakernel *kernel)
{
  g_atomic_ref_count_inc (&kernel->refs);
  return kernel;
}

static void
stop_keeper (VyreMegakernel *kernel)
{
  g_mutex_lock (&kernel->lock);
  kernel->quit = TRUE;
  vyre_keeper_park (kernel);
  g_cond_signal (&kernel->wake_keeper);
  g_mutex_unlock (&kernel->lock);
  if (kernel->keeper)
    g_thread_join (kernel->keeper);
}

/* Batches that a failed kernel will never complete; their owners gave them up. */
static void
drop_in_flight (VyreMegakernel *kernel)
{
  VyreBatch *batch;

  while ((batch = g_queue_peek_head (&kernel->in_flight))) {
    g_queue_unlink (&kernel->in_flight, &batch->link);
    if (batch->payload.release)
      batch->payload.release (batch->payload.owner);
    vyre_batch_destroy (batch);
  }
}

/**
 * vyre_megakernel_unref:
 * @kernel: (transfer full): a megakernel; the last reference stops the kernel and
 *   its threads. Its stores live on while anybody holds them.
 */
void
vyre_megakernel_unref (VyreMegakernel *kernel)
{
  if (!g_atomic_ref_count_dec (&kernel->refs))
    return;
  stop_keeper (kernel);
  /* a submission that failed may have come through; a lost device answers at once */
  if (kernel->pipeline.n_flying > 0 || kernel->failure)
    vkDeviceWaitIdle (kernel->device->handle);
  drop_in_flight (kernel);
  vyre_pipeline_clear (&kernel->pipeline);
  if (kernel->ingest)
    vyre_ingest_free (kernel->ingest);
  vyre_memory_clear (&kernel->answer);
  vyre_memory_clear (&kernel->state);
  vyre_memory_clear (&kernel->door);
  g_clear_pointer (&kernel->readbacks, vyre_store_unref);
  g_clear_pointer (&kernel->staging, vyre_store_unref);
  vyre_device_unref (kernel->device);
  g_clear_error (&kernel->failure);
  g_free (kernel->verdict);
  g_mutex_clear (&kernel->lock);
  g_cond_clear (&kernel->wake_keeper);
  g_cond_clear (&kernel->room);
  g_free (kernel);
}

/**
 * vyre_megakernel_set_active:
 * @kernel: a megakernel
 * @active: %TRUE when a producer starts (PLAYING), %FALSE when the same one stops
 *
 * Counts the producers that may publish soon. Without any, the kernel is parked
 * at once instead of after the idle timeout.
 */
void
vyre_megakernel_set_active (VyreMegakernel *kernel, gboolean active)
{
  g_mutex_lock (&kernel->lock);
  g_assert (active || kernel->active > 0);
  kernel->active += active ? 1 : -1;
  if (kernel->active == 0)
    vyre_keeper_park (kernel);
  g_mutex_unlock (&kernel->lock);
}

/**
 * vyre_megakernel_check:
 * @kernel: a megakernel
 * @error: return location
 *
 * Returns: whether it still works; otherwise the error that ended it for good
 */
gboolean
vyre_megakernel_check (VyreMegakernel *kernel, GError **error)
{
  g_mutex_lock (&kernel->lock);
  gboolean works = kernel->failure == NULL;
  if (!works && error)
    *error = g_error_copy (kernel->failure);
  g_mutex_unlock (&kernel->lock);
  return works;
}

/**
 * vyre_megakernel_get_device:
 * @kernel: a megakernel
 *
 * Returns: (transfer none): the device it runs on
 */
VyreDevice *
vyre_megakernel_get_device (VyreMegakernel *kernel)
{
  return kernel->device;
}

/**
 * vyre_megakernel_get_staging:
 * @kernel: a megakernel
 *
 * Returns: (transfer none): the store payloads lie in; slices are whole pages
 */
VyreStore *
vyre_megakernel_get_staging (VyreMegakernel *kernel)
{
  return kernel->staging;
}

/**
 * vyre_megakernel_get_readbacks:
 * @kernel: a megakernel
 *
 * Returns: (transfer none): the store batches run and answer in
 */
VyreStore *
vyre_megakernel_get_readbacks (VyreMegakernel *kernel)
{
  return kernel->readbacks;
}

/**
 * vyre_megakernel_get_ingest:
 * @kernel: a megakernel
 *
 * Returns: (transfer none): the reader of files into the staging store
 */
VyreIngest *
vyre_megakernel_get_ingest (VyreMegakernel *kernel)
{
  return kernel->ingest;
}

/**
 * vyre_megakernel_get_residency:
 * @kernel: a megakernel
 *
 * Returns: the residency in use, never %VYRE_RESIDENCY_AUTO
 */
VyreResidency
vyre_megakernel_get_residency (VyreMegakernel *kernel)
{
  return kernel->residency;
}

/**
 * vyre_megakernel_get_verdict:
 * @kernel: a megakernel
 *
 * Returns: (transfer none): in words, what was tried at start and what came of it
 */
const char *
vyre_megakernel_get_verdict (VyreMegakernel *kernel)
{
  return kernel->verdict;
}

/**
 * vyre_megakernel_get_workgroup:
 * @kernel: a megakernel
 *
 * Returns: invocations per workgroup, which plans are made for
 */
guint
vyre_megakernel_get_workgroup (VyreMegakernel *kernel)
{
  return kernel->pipeline.workgroup;
}

/**
 * vyre_megakernel_get_counters:
 * @kernel: a megakernel
 * @counters: (out): a snapshot
 */
void
vyre_megakernel_get_counters (VyreMegakernel *kernel, VyreMegakernelCounters *counters)
{
  const guint32 *state = (const guint32 *)kernel->state.data;

  g_mutex_lock (&kernel->lock);
  *counters = kernel->counters;
  counters->in_flight = g_queue_get_length (&kernel->in_flight);
  /* the kernel counts in 32 bits; what was taken since last time fits */
  guint32 head = __atomic_load_n (&state[VYRE_STATE_HEAD], __ATOMIC_RELAXED);
  kernel->counters.tickets += (guint32)(head - (guint32)kernel->counters.tickets);
  counters->tickets = kernel->counters.tickets;
  g_mutex_unlock (&kernel->lock);
  counters->idle_polls = vyre_read_word_pair (kernel->answer.data, VYRE_ANSWER_IDLE_POLLS);
  counters->spin_time = atomic_load_explicit (&kernel->spin_time, memory_order_relaxed);
}
