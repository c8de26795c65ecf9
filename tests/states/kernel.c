/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel.h"

#include <dlfcn.h>
#include <string.h>

#include "schedule.h"
#include "vyre/vyre.h"

/* Rooms of a store, one for each slice. */
#define N_ROOMS 64
#define ROOM_SIZE 16384

/* Waits in vain for each batch of a kernel that stalls */
#define STALL 5

struct _VyreDevice {
  gint unused;
};

struct _VyreStore {
  guint refs;
  gboolean taken[N_ROOMS];
  guint8 rooms[N_ROOMS][ROOM_SIZE];
};

struct _VyreMegakernel {
  gatomicrefcount refs;
  gboolean lost;
  gint active;
  VyreStore *staging;
  VyreStore *readbacks;
};

struct _VyreLane {
  gatomicrefcount refs;
  VyreMegakernel *kernel;
};

struct _VyreBatch {
  VyreMegakernel *kernel;
  VyrePlan *plan;
  gsize readback;
  guint looks; /* waits for it that were in vain */
  gboolean done;
  gboolean stolen;
  VyrePayload payload;
  VyreCompletion completion;
};

static struct {
  KernelPace pace;
  guint n_losses;
  guint n_lost;
  gint n_objects;
  gint n_batches;
} run;

static VyreDevice the_device;

void
kernel_reset (KernelPace pace, guint n_losses)
{
  run.pace = pace;
  run.n_losses = n_losses;
  run.n_lost = 0;
  run.n_objects = run.n_batches = 0;
}

void
kernel_check_leaks (void)
{
  if (run.n_objects != 0 || run.n_batches != 0)
    schedule_fail ("%d objects and %d batches are left.", run.n_objects, run.n_batches);
}

void
kernel_last_loss (void)
{
  run.n_losses = run.n_lost;
}

/* ---- the device ------------------------------------------------------------------------- */

VyreDevice *
vyre_device_open (const char *selector, GError **error)
{
  schedule_point ();
  run.n_objects++;
  return &the_device;
}

void
vyre_device_unref (VyreDevice *device)
{
  run.n_objects--;
}

const char *
vyre_device_get_name (const VyreDevice *device)
{
  return "stand-in";
}

gsize
vyre_device_get_max_payload (const VyreDevice *device)
{
  return N_ROOMS * ROOM_SIZE;
}

/* ---- stores ----------------------------------------------------------------------------- */

static VyreStore *
store_new (void)
{
  VyreStore *store = g_new0 (VyreStore, 1);

  store->refs = 1;
  run.n_objects++;
  return store;
}

VyreStore *
vyre_store_ref (VyreStore *store)
{
  store->refs++;
  return store;
}

void
vyre_store_unref (VyreStore *store)
{
  if (--store->refs > 0)
    return;
  run.n_objects--;
  g_free (store);
}

gboolean
vyre_store_alloc (VyreStore *store, gsize size, gint64 end_time, gsize *offset)
{
  for (guint i = 0; i < N_ROOMS && size <= ROOM_SIZE; i++) {
    if (store->taken[i])
      continue;
    store->taken[i] = TRUE;
    *offset = i * ROOM_SIZE;
    return TRUE;
  }
  schedule_point ();
  return FALSE;
}

gboolean
vyre_store_alloc_while (
    VyreStore *store, gsize size, VyreStoreGoesOn goes_on, gpointer data, gsize *offset)
{
  while (!vyre_store_alloc (store, size, 0, offset)) {
    if (!goes_on (data))
      return FALSE;
  }
  return TRUE;
}

struct _VyreBorrower {
  VyreStore *store;
};

VyreBorrower *
vyre_borrower_new (VyreStore *store)
{
  VyreBorrower *borrower = g_new0 (VyreBorrower, 1);

  borrower->store = vyre_store_ref (store);
  return borrower;
}

void
vyre_borrower_free (VyreBorrower *borrower)
{
  vyre_store_unref (borrower->store);
  g_free (borrower);
}

void
vyre_borrower_leave (VyreBorrower *borrower)
{
}

void
vyre_borrower_set_keeps_nothing (VyreBorrower *borrower)
{
}

gboolean
vyre_borrower_lend (
    VyreBorrower *borrower, gsize size, VyreProspectFunc prospect, gpointer data, gsize *offset)
{
  return vyre_store_alloc (borrower->store, size, 0, offset);
}

gboolean
vyre_borrower_can_lend (VyreBorrower *borrower, gsize size)
{
  return size <= ROOM_SIZE && vyre_store_get_used (borrower->store) < N_ROOMS * ROOM_SIZE;
}

void
vyre_borrower_give_back (VyreBorrower *borrower, gsize offset)
{
  vyre_store_free (borrower->store, offset);
}

gsize
vyre_borrower_get_need (VyreBorrower *borrower, gsize size)
{
  return vyre_store_get_used (borrower->store) + size;
}

gboolean
vyre_store_can_spare (VyreStore *store, gsize offset)
{
  return offset + ROOM_SIZE <= N_ROOMS * ROOM_SIZE / 2;
}

void
vyre_store_free (VyreStore *store, gsize offset)
{
  if (!store->taken[offset / ROOM_SIZE])
    schedule_fail ("A slice is freed twice.");
  store->taken[offset / ROOM_SIZE] = FALSE;
}

guint8 *
vyre_store_get_data (VyreStore *store)
{
  return store->rooms[0];
}

gsize
vyre_store_get_pinned (VyreStore *store)
{
  return 0;
}

gsize
vyre_store_get_size (const VyreStore *store)
{
  return N_ROOMS * ROOM_SIZE;
}

gsize
vyre_store_get_used (VyreStore *store)
{
  gsize used = 0;

  for (guint i = 0; i < N_ROOMS; i++)
    used += store->taken[i] ? ROOM_SIZE : 0;
  return used;
}

gboolean
vyre_store_survives_loss (const VyreStore *store)
{
  return TRUE;
}

/* ---- the kernel --------------------------------------------------------------------------- */

VyreMegakernel *
vyre_megakernel_new (VyreDevice *device, const VyreMegakernelParams *params, GError **error)
{
  VyreMegakernel *kernel = g_new0 (VyreMegakernel, 1);

  schedule_point ();
  g_atomic_ref_count_init (&kernel->refs);
  kernel->staging = store_new ();
  kernel->readbacks = store_new ();
  run.n_objects++;
  return kernel;
}

VyreMegakernel *
vyre_megakernel_ref (VyreMegakernel *kernel)
{
  g_atomic_ref_count_inc (&kernel->refs);
  return kernel;
}

void
vyre_megakernel_unref (VyreMegakernel *kernel)
{
  if (!g_atomic_ref_count_dec (&kernel->refs))
    return;
  if (kernel->active != 0)
    schedule_fail ("A kernel goes with %d active users.", kernel->active);
  vyre_store_unref (kernel->staging);
  vyre_store_unref (kernel->readbacks);
  run.n_objects--;
  g_free (kernel);
}

static void
set_lost (GError **error)
{
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_DEVICE_LOST,
      "The device was lost. Fix: let the test say that it may be.");
}

gboolean
vyre_megakernel_check (VyreMegakernel *kernel, GError **error)
{
  schedule_point ();
  if (kernel->lost)
    set_lost (error);
  return !kernel->lost;
}

void
vyre_megakernel_set_active (VyreMegakernel *kernel, gboolean active)
{
  kernel->active += active ? 1 : -1;
}

VyreDevice *
vyre_megakernel_get_device (VyreMegakernel *kernel)
{
  return &the_device;
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
  return 0;
}

VyreFileIo *
vyre_megakernel_get_file_io (VyreMegakernel *kernel)
{
  return NULL;
}

VyreResidency
vyre_megakernel_get_residency (VyreMegakernel *kernel)
{
  return VYRE_RESIDENCY_RELAY;
}

VyrePlacement
vyre_megakernel_get_placement (VyreMegakernel *kernel)
{
  return VYRE_PLACEMENT_UNIFIED;
}

gsize
vyre_megakernel_get_copy_threshold (VyreMegakernel *kernel)
{
  return G_MAXSIZE;
}

gsize
vyre_megakernel_get_import_threshold (VyreMegakernel *kernel)
{
  return G_MAXSIZE;
}

gboolean
vyre_megakernel_imports_once (VyreMegakernel *kernel)
{
  return FALSE;
}

gboolean
vyre_megakernel_can_import (VyreMegakernel *kernel, gsize size)
{
  return FALSE;
}

gboolean
vyre_megakernel_imports_payload (VyreMegakernel *kernel, gsize size)
{
  return FALSE;
}

gboolean
vyre_megakernel_stores_payload (VyreMegakernel *kernel, gsize size)
{
  return FALSE;
}

guint
vyre_megakernel_get_workgroups (VyreMegakernel *kernel)
{
  return 1;
}

const char *
vyre_megakernel_get_verdict (VyreMegakernel *kernel)
{
  return "stand-in";
}

guint
vyre_megakernel_get_workgroup (VyreMegakernel *kernel)
{
  return 8;
}

void
vyre_megakernel_get_counters (VyreMegakernel *kernel, VyreMegakernelCounters *counters)
{
  *counters = (VyreMegakernelCounters){ 0 };
}

void
vyre_megakernel_get_resource_counters (VyreMegakernel *kernel, VyreResourceCounters *counters)
{
  *counters = (VyreResourceCounters){ 0 };
}

VyreReadMode
vyre_file_io_get_mode (const VyreFileIo *ingest)
{
  return VYRE_READ_MODE_PREAD;
}

const char *
vyre_file_io_get_reason (const VyreFileIo *ingest)
{
  return NULL;
}

void
vyre_file_io_get_counters (VyreFileIo *ingest, VyreFileIoCounters *counters)
{
  *counters = (VyreFileIoCounters){ 0 };
}

/* ---- batches ------------------------------------------------------------------------------ */

static void
write_word (guint8 *part, guint word, guint32 value)
{
  memcpy (part + 4 * word, &value, sizeof value);
}

/* Whether the device is lost here, of the times that a schedule allows. */
static gboolean
is_lost (VyreMegakernel *kernel, GError **error)
{
  if (!kernel->lost && run.n_lost < run.n_losses && schedule_choose (2) == 1) {
    kernel->lost = TRUE;
    run.n_lost++;
  }
  if (kernel->lost)
    set_lost (error);
  return kernel->lost;
}

VyreLane *
vyre_lane_new (VyreMegakernel *kernel)
{
  VyreLane *lane = g_new0 (VyreLane, 1);

  g_atomic_ref_count_init (&lane->refs);
  lane->kernel = vyre_megakernel_ref (kernel);
  return lane;
}

VyreLane *
vyre_lane_ref (VyreLane *lane)
{
  g_atomic_ref_count_inc (&lane->refs);
  return lane;
}

void
vyre_lane_unref (VyreLane *lane)
{
  if (!g_atomic_ref_count_dec (&lane->refs))
    return;
  vyre_megakernel_unref (lane->kernel);
  g_free (lane);
}

VyreBatch *
vyre_lane_publish (VyreLane *lane, VyrePlan *plan, guint32 tag, const VyrePayload *payload,
    gint64 end_time, GError **error)
{
  VyreMegakernel *kernel = lane->kernel;
  const VyreLayout *layout = vyre_plan_get_layout (plan);
  gsize readback;

  schedule_point ();
  if (is_lost (kernel, error))
    return NULL;
  if (!vyre_store_alloc (kernel->readbacks, layout->total, 0, &readback)) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_TIMEOUT, "There is no room.");
    return NULL;
  }
  VyreBatch *batch = g_new0 (VyreBatch, 1);
  batch->kernel = kernel;
  batch->plan = vyre_plan_ref (plan);
  batch->readback = readback;
  batch->payload = *payload;
  batch->completion = (VyreCompletion){
    .tag = tag,
    .payload_bytes = vyre_plan_get_region_bytes (plan),
  };
  guint8 *data = vyre_store_get_data (kernel->readbacks) + readback;
  memset (data, 0, layout->total);
  write_word (data, VYRE_CONTROL_DONE_COUNT, vyre_plan_get_bound_program (plan)->n_used);
  run.n_batches++;
  return batch;
}

void
vyre_batch_set_tenant (VyreBatch *batch, VyreTenant *tenant)
{
}

static void
batch_finish (VyreBatch *batch)
{
  if (!batch->done && batch->payload.release)
    batch->payload.release (batch->payload.owner);
  batch->done = TRUE;
}

/* TRUE if the batch is not done before threads have waited for it. */
static gboolean
batch_is_late (const VyreBatch *batch)
{
  return batch->looks < (run.pace == KERNEL_WAITS ? 1 : run.pace == KERNEL_STALLS ? STALL : 0);
}

gboolean
vyre_batch_poll (VyreBatch *batch)
{
  schedule_point ();
  if (!batch->done && !batch->kernel->lost && !batch_is_late (batch) && schedule_choose (2) == 0)
    batch_finish (batch);
  return batch->done;
}

gboolean
vyre_batch_wait (VyreBatch *batch, gint64 end_time, GError **error)
{
  schedule_point ();
  if (batch->done)
    return TRUE;
  if (is_lost (batch->kernel, error))
    return FALSE;
  if (batch_is_late (batch)
      || (run.pace == KERNEL_MAY_WAIT && batch->looks == 0 && schedule_choose (2) == 1)) {
    batch->looks++;
    schedule_pass_time (MAX (end_time - g_get_monotonic_time (), 0));
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_TIMEOUT, "The batch is not done yet.");
    return FALSE;
  }
  batch_finish (batch);
  return TRUE;
}

void
vyre_batch_free (VyreBatch *batch)
{
  batch_finish (batch);
  if (!batch->stolen)
    vyre_store_free (batch->kernel->readbacks, batch->readback);
  vyre_plan_unref (batch->plan);
  run.n_batches--;
  g_free (batch);
}

const VyreCompletion *
vyre_batch_get_completion (VyreBatch *batch)
{
  return &batch->completion;
}

const guint8 *
vyre_batch_get_readback (VyreBatch *batch)
{
  return vyre_store_get_data (batch->kernel->readbacks) + batch->readback;
}

gsize
vyre_batch_steal_readback (VyreBatch *batch)
{
  batch->stolen = TRUE;
  return batch->readback;
}

gboolean
vyre_batch_check (VyreBatch *batch, GError **error)
{
  return TRUE;
}

gboolean
vyre_batch_is_parked (VyreBatch *batch)
{
  return FALSE;
}

const GError *
vyre_batch_get_io_error (VyreBatch *batch)
{
  return NULL;
}

/* The element asks for it in the middle of what it does without a lock. */
const VyreBoundProgram *
vyre_plan_get_bound_program (const VyrePlan *plan)
{
  static const VyreBoundProgram *(*next) (const VyrePlan *);

  if (!next)
    next = (const VyreBoundProgram *(*)(const VyrePlan *))dlsym (
        RTLD_NEXT, "vyre_plan_get_bound_program");
  schedule_point ();
  return next (plan);
}
