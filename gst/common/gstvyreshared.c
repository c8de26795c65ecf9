/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/gstvyreshared.h"

#include "common/gstvyredebug.h"
#include "common/gstvyrefork.h"
#include "common/gstvyrememory.h"

#define GST_CAT_DEFAULT gst_vyre_debug

/* How long an element waits for its last batches, and how often it looks: completions are words in
 * memory and wake no thread. The end of the kernel may take as long again. */
#define LEAVE_DEADLINE (1 * G_TIME_SPAN_SECOND)
#define LEAVE_SLICE (1 * G_TIME_SPAN_MILLISECOND)

/* For how long the census that one element had taken serves others, in µs. */
#define CENSUS_AGE (100 * G_TIME_SPAN_MILLISECOND)

/* Opening a device takes long and has a lock of its own: an element that wants the same kernel
 * waits for it, one that drops a kernel does not. */
static GMutex shared_opening_lock;
static GMutex shared_registry_lock;
static GList *shared_registry; /* of GstVyreShared, not owned */

static gboolean
shared_is_inherited (const GstVyreShared *shared)
{
  return shared->generation != gst_vyre_fork_generation;
}

/* In a child. Threads of its parent may have held the locks, and changed the list. */
static void
shared_forked (gpointer owner)
{
  g_mutex_init (&shared_opening_lock);
  g_mutex_init (&shared_registry_lock);
  shared_registry = NULL;
}

/* Called once, after gst_vyre_fork_init(). */
void
gst_vyre_shared_init (void)
{
  gst_vyre_fork_watch (&shared_registry, shared_forked);
}

/* Returns a reference to a working kernel with @params, or NULL. */
static GstVyreShared *
shared_find (const GstVyreKernelParams *params)
{
  GstVyreShared *found = NULL;

  g_mutex_lock (&shared_registry_lock);
  for (GList *l = shared_registry; l && !found; l = l->next) {
    GstVyreShared *shared = l->data;
    if (gst_vyre_kernel_params_equal (&shared->params, params)
        && vyre_megakernel_check (shared->kernel, NULL))
      found = gst_vyre_shared_ref (shared);
  }
  g_mutex_unlock (&shared_registry_lock);
  return found;
}

static GstVyreShared *
shared_create (const GstVyreKernelParams *params, GError **error)
{
  g_autoptr (VyreDevice) opened = vyre_device_open (params->device, error);

  if (!opened)
    return NULL;
  VyreMegakernelParams cut = params->megakernel;
  cut.readback_size = GST_VYRE_READBACK_SIZE;
  cut.staging_size = MIN (cut.staging_size, vyre_device_get_max_payload (opened));
  VyreMegakernel *kernel = vyre_megakernel_new (opened, &cut, error);
  if (!kernel)
    return NULL;
  GstVyreShared *shared = g_new0 (GstVyreShared, 1);
  g_atomic_int_set (&shared->refs, 1);
  shared->generation = gst_vyre_fork_generation;
  gst_vyre_kernel_params_copy (&shared->params, params);
  shared->kernel = kernel;
  shared->tenants = vyre_tenants_new (VYRE_TENANT_LAST);
  shared->upstream_allocator = gst_vyre_allocator_new (vyre_megakernel_get_staging (kernel));
  shared->readback_allocator = gst_vyre_allocator_new (vyre_megakernel_get_readbacks (kernel));
  GST_INFO ("a kernel starts on %s", vyre_device_get_name (opened));
  g_weak_ref_init (&shared->told, NULL);
  g_mutex_init (&shared->census_lock);
  if (vyre_file_io_get_reason (vyre_megakernel_get_file_io (kernel)))
    gst_vyre_allocator_note_told (shared->upstream_allocator);
  g_mutex_lock (&shared_registry_lock);
  shared_registry = g_list_prepend (shared_registry, shared);
  g_mutex_unlock (&shared_registry_lock);
  return shared;
}

/* Returns a kernel with @params. Staging memory is cut to what the device can address. */
GstVyreShared *
gst_vyre_shared_acquire (const GstVyreKernelParams *params, GError **error)
{
  g_mutex_lock (&shared_opening_lock);
  GstVyreShared *shared = shared_find (params);
  if (!shared)
    shared = shared_create (params, error);
  g_mutex_unlock (&shared_opening_lock);
  return shared;
}

GstVyreShared *
gst_vyre_shared_ref (GstVyreShared *shared)
{
  g_atomic_int_inc (&shared->refs);
  return shared;
}

/* Makes @element a tenant of the kernel, NULL if all numbers are taken: it works without one. Slots
 * carry the tenants of their program, not this number, so any number will do. The limit of the
 * element is max-in-flight, not one of the tenant. */
VyreTenant *
gst_vyre_shared_join (GstVyreShared *shared, GstElement *element)
{
  g_autofree gchar *label = gst_element_get_name (element);
  g_autoptr (GError) error = NULL;
  VyreTenant *tenant = vyre_tenants_register (shared->tenants, label, G_MAXUINT64, &error);

  if (tenant)
    g_atomic_int_inc (&shared->n_tenants);
  else
    GST_INFO_OBJECT (element, "%s", error->message);
  return tenant;
}

/* Returns why file reads are slower than they could be, NULL if they are not or if the bus of
 * @element has heard it from another user of the kernel. */
const char *
gst_vyre_shared_take_news (GstVyreShared *shared, GstElement *element)
{
  const char *reason = vyre_file_io_get_reason (vyre_megakernel_get_file_io (shared->kernel));
  g_autoptr (GstBus) bus = reason ? gst_element_get_bus (element) : NULL;
  g_autoptr (GstBus) told = NULL;

  if (!bus)
    return NULL;
  g_mutex_lock (&shared_registry_lock);
  told = g_weak_ref_get (&shared->told);
  g_weak_ref_set (&shared->told, bus);
  g_mutex_unlock (&shared_registry_lock);
  return told == bus ? NULL : reason;
}

/* The census lock is held. */
static void
shared_take_census (GstVyreShared *shared, gconstpointer asker)
{
  GstVyreCensus *census = &shared->census;

  vyre_megakernel_get_counters (shared->kernel, &census->counters);
  vyre_file_io_get_counters (vyre_megakernel_get_file_io (shared->kernel), &census->reads);
  vyre_megakernel_get_resource_counters (shared->kernel, &census->resources);
  census->pinned = vyre_store_get_pinned (vyre_megakernel_get_staging (shared->kernel));
  census->n_tenants = (guint)g_atomic_int_get (&shared->n_tenants);
  census->taken = g_get_monotonic_time ();
  census->asker = asker;
}

/* Counts what the kernel has done, and collects its completions. Unless it has to be @exact, the
 * census may be one that another element had taken a moment ago: a thousand elements that post
 * their counters at the same time would each count the lanes of all others, and hold the kernel up.
 */
void
gst_vyre_shared_count (
    GstVyreShared *shared, gconstpointer asker, gboolean exact, GstVyreCensus *census)
{
  *census = (GstVyreCensus){ .taken = 0 };
  if (shared_is_inherited (shared))
    return;
  g_mutex_lock (&shared->census_lock);
  gint64 age = g_get_monotonic_time () - shared->census.taken;
  if (exact || shared->census.taken == 0 || age > CENSUS_AGE || shared->census.asker == asker)
    shared_take_census (shared, asker);
  *census = shared->census;
  g_mutex_unlock (&shared->census_lock);
}

/* Waits until the kernel has finished all batches of @tenant, which may be NULL and is taken, so
 * that their payloads have gone back. A failed kernel holds no payload. */
void
gst_vyre_shared_leave (GstVyreShared *shared, VyreTenant *tenant)
{
  VyreClock clock = { 0 };
  gint64 end = vyre_clock_now (&clock) + LEAVE_DEADLINE;
  gboolean quiet = FALSE;

  if (!tenant || shared_is_inherited (shared))
    return;
  vyre_tenants_unregister (shared->tenants, vyre_tenant_get_id (tenant));
  g_atomic_int_add (&shared->n_tenants, -1);
  while (!quiet && vyre_megakernel_check (shared->kernel, NULL)) {
    VyreMegakernelCounters counters;
    gint64 now = vyre_clock_now (&clock);
    g_autoptr (GError) error = NULL;
    vyre_megakernel_get_counters (shared->kernel, &counters); /* collects completions */
    quiet = vyre_tenant_quiesce (tenant, g_get_monotonic_time () + LEAVE_SLICE, &error);
    if (!quiet && now >= end) {
      GST_WARNING ("%s", error->message);
      break;
    }
  }
  vyre_tenant_unref (tenant);
}

/* Drops a reference that is not the last. Elements do so with every buffer, and would meet at the
 * lock. */
static gboolean
shared_drop (GstVyreShared *shared)
{
  gint refs = g_atomic_int_get (&shared->refs);

  while (refs > 1) {
    /* pairs with the same of other threads, and with the last in gst_vyre_shared_unref() */
    if (__atomic_compare_exchange_n (
            &shared->refs, &refs, refs - 1, FALSE, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
      return TRUE;
  }
  return FALSE;
}

/* The last reference goes under the lock, so that no element finds a kernel that is about to go. */
void
gst_vyre_shared_unref (GstVyreShared *shared)
{
  if (shared_drop (shared))
    return;
  g_mutex_lock (&shared_registry_lock);
  gboolean dead = g_atomic_int_dec_and_test (&shared->refs);
  if (dead)
    shared_registry = g_list_remove (shared_registry, shared);
  g_mutex_unlock (&shared_registry_lock);
  if (!dead || shared_is_inherited (shared))
    return;
  g_weak_ref_clear (&shared->told);
  g_mutex_clear (&shared->census_lock);
  gst_object_unref (shared->upstream_allocator);
  gst_object_unref (shared->readback_allocator);
  vyre_megakernel_unref (shared->kernel);
  vyre_tenants_unref (shared->tenants);
  gst_vyre_kernel_params_clear (&shared->params);
  g_free (shared);
}
