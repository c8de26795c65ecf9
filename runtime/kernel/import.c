/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Who may free pages needs to know that nothing on the device refers to them any
 * more: not a batch, which keeps its import, but also no launch that is bound to it
 * and no copy whose fence is still to come. The last reference waits for those, which
 * takes moments, since their work is done.
 */
#include "kernel/import-private.h"

#include "base/spin-lock.h"
#include "device/launches.h"
#include "kernel/launcher.h"
#include "vyre/clock.h"

/* What is over in microseconds may take as long on a busy machine. */
#define SETTLE_US (10 * G_TIME_SPAN_SECOND)

/* Fences wake nobody. */
#define RECHECK_US 200

/* On a kernel that has failed, nothing is certain to end. */
#define FAILED_SETTLE_US (1 * G_TIME_SPAN_SECOND)

VyreImports *
vyre_imports_new (VyreMegakernel *kernel)
{
  VyreImports *imports = g_new0 (VyreImports, 1);

  g_atomic_ref_count_init (&imports->refs);
  g_mutex_init (&imports->lock);
  g_cond_init (&imports->settled);
  imports->kernel = kernel;
  imports->list = g_ptr_array_new ();
  return imports;
}

static void
imports_unref (VyreImports *imports)
{
  if (!g_atomic_ref_count_dec (&imports->refs))
    return;
  g_ptr_array_unref (imports->list);
  g_mutex_clear (&imports->lock);
  g_cond_clear (&imports->settled);
  g_free (imports);
}

/* Nothing on the device refers to it any more. */
static void
import_drop_objects (VyreMegakernel *kernel, VyreImport *import)
{
  vyre_pipeline_remove_source (&kernel->pipeline, &import->source);
  vyre_buffer_clear (&import->memory);
}

static void
import_free (VyreImport *import)
{
  imports_unref (import->imports);
  g_free (import);
}

/* The kernel goes, and nothing runs on its device for it: imports become shells. Those that
 * nobody holds any more, but could not be let go of before, end here. */
void
vyre_imports_close (VyreImports *imports)
{
  g_mutex_lock (&imports->lock);
  while (imports->n_settling > 0)
    g_cond_wait (&imports->settled, &imports->lock);
  while (imports->list->len > 0) {
    VyreImport *import = g_ptr_array_index (imports->list, 0);
    g_ptr_array_remove_index_fast (imports->list, 0);
    import_drop_objects (imports->kernel, import);
    if (import->abandoned)
      import_free (import);
  }
  imports->kernel = NULL;
  g_mutex_unlock (&imports->lock);
  imports_unref (imports);
}

static gboolean
import_set_unsupported (const VyreMegakernel *kernel, const char *why, GError **error)
{
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_UNSUPPORTED,
      "%s: memory cannot be imported: %s. Fix: allocate it from the staging store, or let it be "
      "copied.",
      vyre_device_get_name (kernel->device), why);
  return FALSE;
}

static gboolean
import_is_number_taken (const VyreImports *imports, guint32 number)
{
  for (guint i = 0; i < imports->list->len; i++) {
    if (((VyreImport *)g_ptr_array_index (imports->list, i))->number == number)
      return TRUE;
  }
  return FALSE;
}

static guint32
import_next_number (VyreImports *imports)
{
  do
    imports->last_number = imports->last_number % VYRE_MAX_SOURCES + 1;
  while (import_is_number_taken (imports, imports->last_number));
  return imports->last_number;
}

static gboolean
import_can_add (const VyreImports *imports, gsize size, GError **error)
{
  const VyreMegakernel *kernel = imports->kernel;

  if (kernel->device->import_alignment == 0)
    return import_set_unsupported (kernel, "the device has no VK_EXT_external_memory_host", error);
  if (size > vyre_device_get_max_payload (kernel->device))
    return import_set_unsupported (kernel, "it is larger than what the device can address", error);
  if (imports->list->len == VYRE_PIPELINE_SOURCES)
    return import_set_unsupported (kernel, "too much memory is imported already", error);
  return TRUE;
}

/* Puts the import among those of the kernel before it is made, which takes a driver up to
 * milliseconds: it has its number, and counts. */
static gboolean
import_add (VyreImports *imports, VyreImport *import, GError **error)
{
  g_mutex_lock (&imports->lock);
  gboolean fine = import_can_add (imports, import->size, error);
  if (fine) {
    import->number = import_next_number (imports);
    g_ptr_array_add (imports->list, import);
    g_atomic_ref_count_inc (&imports->refs);
  }
  g_mutex_unlock (&imports->lock);
  return fine;
}

static void
import_take_back (VyreImports *imports, VyreImport *import)
{
  g_mutex_lock (&imports->lock);
  g_ptr_array_remove_fast (imports->list, import);
  g_mutex_unlock (&imports->lock);
  imports_unref (imports);
}

/* Called without the lock; who calls holds the kernel. */
static gboolean
import_create_objects (VyreImports *imports, VyreImport *import, GError **error)
{
  VyreMegakernel *kernel = imports->kernel;

  if (!vyre_buffer_import (&import->memory, kernel->device, import->base, import->size, error))
    return FALSE;
  if (!kernel->traits->in_device_memory
      && !vyre_pipeline_add_source (
          &kernel->pipeline, import->memory.buffer, import->size, &import->source, error)) {
    vyre_buffer_clear (&import->memory);
    return FALSE;
  }
  return TRUE;
}

VyreImport *
vyre_import_new (VyreMegakernel *kernel, void *data, gsize size, GError **error)
{
  g_return_val_if_fail (size > 0, NULL);
  if (!vyre_check_own (kernel->generation, "kernel", error))
    return NULL;
  VyreImports *imports = kernel->imports;
  gsize mask = MAX (kernel->device->import_alignment, 1) - 1;
  gsize first = (gsize)data & ~mask, end = ((gsize)data + size + mask) & ~mask;
  VyreImport *import = g_new0 (VyreImport, 1);

  g_atomic_ref_count_init (&import->refs);
  import->generation = vyre_fork_generation;
  import->base = (guint8 *)first;
  import->size = end - first;
  import->imports = imports;
  if (import_add (imports, import, error)) {
    if (import_create_objects (imports, import, error))
      return import;
    import_take_back (imports, import);
  }
  g_free (import);
  return NULL;
}

VyreImport *
vyre_import_ref (VyreImport *import)
{
  g_atomic_ref_count_inc (&import->refs);
  return import;
}

/* The last launch that reads it. The lock of the kernel is held, here and below. */
static VyreLaunch *
import_find_launch (VyrePipeline *p, guint32 number)
{
  VyreLaunch *found = NULL;

  for (guint i = 0; i < p->n_flying; i++) {
    VyreLaunch *launch = &p->launches[(p->first + i) % VYRE_PIPELINE_LAUNCHES];
    if (launch->source == number)
      found = launch;
  }
  return found;
}

/* Drops the lock for some time, which ends early when something may have happened. */
static void
import_wait_a_moment (VyreMegakernel *kernel, gint64 time)
{
  kernel->n_waiting++;
  g_cond_wait_until (&kernel->room, &kernel->lock, g_get_monotonic_time () + time);
  kernel->n_waiting--;
}

/* A launch that has nothing to do may be queued behind one that stays, which therefore
 * goes. Nobody else is counted on to say so: the launcher, which takes launches out of flight,
 * may be waiting for a lock of whoever frees the memory, or be the one that does. */
static gboolean
import_wait_for_launches (VyreMegakernel *kernel, guint32 number)
{
  VyreClock clock = { 0 };
  gint64 end = vyre_clock_now (&clock) + SETTLE_US;
  VyreLaunch *launch;

  while ((launch = import_find_launch (&kernel->pipeline, number))
         && !vyre_pipeline_has_ended (&kernel->pipeline, launch)) {
    if (kernel->failure || vyre_clock_now (&clock) >= end)
      return FALSE;
    vyre_launcher_retire (kernel, launch->sequence);
    import_wait_a_moment (kernel, RECHECK_US);
  }
  return TRUE;
}

static gboolean
import_have_copies_ended (VyreMegakernel *kernel, const VyreImport *import)
{
  gboolean ended = TRUE;

  for (guint queue = 0; queue < VYRE_MAX_TRANSFER_QUEUES; queue++) {
    if (import->copied[queue] > 0)
      ended &= vyre_copy_engine_has_ended (&kernel->copy_engine, import->copied[queue] - 1);
  }
  return ended;
}

static gboolean
import_wait_for_copies (VyreMegakernel *kernel, const VyreImport *import)
{
  VyreClock clock = { 0 };
  gint64 end = vyre_clock_now (&clock) + SETTLE_US;

  while (!import_have_copies_ended (kernel, import)) {
    if (kernel->failure || vyre_clock_now (&clock) >= end)
      return FALSE;
    import_wait_a_moment (kernel, RECHECK_US);
  }
  return TRUE;
}

/* Lock held. A CPU device keeps running after a reported loss: waits until its launches report
 * their exits. */
static void
import_wait_for_exits (VyreMegakernel *kernel)
{
  VyreClock clock = { 0 };
  gint64 end = vyre_clock_now (&clock) + FAILED_SETTLE_US;
  const guint32 *answer = (const guint32 *)kernel->answer.data;

  /* pairs with the barrier in sign_off(), megakernel.comp */
  while (vyre_device_is_cpu (kernel->device)
         && __atomic_load_n (&answer[VYRE_ANSWER_EXITS], __ATOMIC_ACQUIRE) != kernel->expected_exits
         && vyre_clock_now (&clock) < end)
    import_wait_a_moment (kernel, 1000);
}

/* Whether nothing on the device refers to it any more. */
static gboolean
import_settle (VyreMegakernel *kernel, const VyreImport *import)
{
  vyre_mutex_lock (&kernel->lock);
  gboolean settled = !kernel->failure && import_wait_for_launches (kernel, import->number)
                     && import_wait_for_copies (kernel, import);
  if (kernel->failure)
    import_wait_for_exits (kernel);
  g_mutex_unlock (&kernel->lock);
  return settled;
}

/* TRUE if it is gone; otherwise it stays with the kernel, to go with it. */
static gboolean
import_let_go (VyreImports *imports, VyreImport *import)
{
  g_mutex_lock (&imports->lock);
  if (!imports->kernel) {
    g_mutex_unlock (&imports->lock);
    return TRUE;
  }
  imports->n_settling++;
  gboolean hopeless = imports->hopeless;
  g_mutex_unlock (&imports->lock);
  gboolean settled = !hopeless && import_settle (imports->kernel, import);
  if (settled) /* the kernel stays for as long as anybody settles */
    import_drop_objects (imports->kernel, import);
  g_mutex_lock (&imports->lock);
  if (settled)
    g_ptr_array_remove_fast (imports->list, import);
  else
    import->abandoned = imports->hopeless = TRUE;
  if (--imports->n_settling == 0)
    g_cond_broadcast (&imports->settled);
  g_mutex_unlock (&imports->lock);
  return settled;
}

gboolean
vyre_import_unref (VyreImport *import)
{
  if (!g_atomic_ref_count_dec (&import->refs) || vyre_is_inherited (import->generation))
    return TRUE;
  if (!import_let_go (import->imports, import))
    return FALSE;
  import_free (import);
  return TRUE;
}

gboolean
vyre_import_is_of (const VyreImport *import, const VyreMegakernel *kernel)
{
  return import->imports == kernel->imports;
}

/* Whether so many bytes at @data lie in it. */
gboolean
vyre_import_has (const VyreImport *import, const guint8 *data, gsize size)
{
  return data >= import->base && size <= import->size
         && (gsize)(data - import->base) <= import->size - size;
}
