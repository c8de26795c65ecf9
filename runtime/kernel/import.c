/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The last reference of an import waits until nothing on the device refers to its pages any more. A
 * batch keeps its import; what is left are launches that are bound to it and copies whose fence is
 * still to come, which takes moments.
 */
#include "kernel/import-private.h"

#include "base/spin-lock.h"
#include "device/launches.h"
#include "kernel/launcher.h"
#include "vyre/clock.h"

/* How long an import may take to settle: microseconds, but for a busy machine. */
#define SETTLE_US (10 * G_TIME_SPAN_SECOND)

/* Interval of looking at fences, which wake no thread. */
#define RECHECK_US 200

/* The same on a kernel that has failed, where launches may never end. */
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

/* Drops the objects of an import that nothing on the device refers to any more. */
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

/* At the kernel's end, when nothing runs for it on the device. Imports become shells; abandoned
 * ones are freed. */
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

/* Numbers the import and puts it among those of the kernel, before a driver makes it, which
 * takes up to milliseconds. */
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

/* Without the lock; the caller holds a reference of the kernel. */
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

/* Kernel's lock held, here and below. Finds the last launch that reads import @number. */
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

/* Drops the lock for @time µs at most; a broadcast of room ends it early. */
static void
import_wait_a_moment (VyreMegakernel *kernel, gint64 time)
{
  kernel->n_waiting++;
  g_cond_wait_until (&kernel->room, &kernel->lock, g_get_monotonic_time () + time);
  kernel->n_waiting--;
}

/* Waits until no launch reads import @number. Such a launch may be queued behind one that stays,
 * which is told to leave here: the launcher may be waiting for a lock that the caller holds, or
 * be the caller. */
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

/* Waits until nothing on the device refers to the import; FALSE: that is not certain. */
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

/* Drops an import without references. FALSE: it stays among those of the kernel, and is freed
 * with the kernel. */
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
  if (settled) /* the kernel stays while n_settling > 0 */
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

/* Whether @size bytes at @data lie in the import. */
gboolean
vyre_import_has (const VyreImport *import, const guint8 *data, gsize size)
{
  return data >= import->base && size <= import->size
         && (gsize)(data - import->base) <= import->size - size;
}
