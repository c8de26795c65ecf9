/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvyreshared.h"

#include <string.h>

typedef struct {
  gchar *device;
  VyreMegakernelParams params;
  VyreMegakernel *kernel;
  guint users;
} Shared;

static GMutex registry_lock;
static GList *registry; /* of Shared; empty when no element is above NULL */

static gboolean
same_params (const VyreMegakernelParams *a, const VyreMegakernelParams *b)
{
  return a->residency == b->residency && a->placement == b->placement
         && a->copy_threshold == b->copy_threshold && a->staging_size == b->staging_size
         && a->readback_size == b->readback_size && a->idle_timeout == b->idle_timeout
         && a->lease == b->lease;
}

static Shared *
find (const gchar *device, const VyreMegakernelParams *params)
{
  for (GList *l = registry; l; l = l->next) {
    Shared *shared = l->data;
    if (g_str_equal (shared->device, device) && same_params (&shared->params, params)
        && vyre_megakernel_check (shared->kernel, NULL))
      return shared;
  }
  return NULL;
}

static Shared *
create (const gchar *device, const VyreMegakernelParams *params, GError **error)
{
  g_autoptr (VyreDevice) opened = vyre_device_open (device, error);

  if (!opened)
    return NULL;
  VyreMegakernelParams cut = *params;
  cut.staging_size = MIN (cut.staging_size, vyre_device_get_max_payload (opened));
  VyreMegakernel *kernel = vyre_megakernel_new (opened, &cut, error);
  if (!kernel)
    return NULL;
  Shared *shared = g_new0 (Shared, 1);
  shared->device = g_strdup (device);
  shared->params = *params;
  shared->kernel = kernel;
  registry = g_list_prepend (registry, shared);
  return shared;
}

/* Staging is cut to what the device can address. Free with
 * gst_vyre_shared_release(). */
VyreMegakernel *
gst_vyre_shared_acquire (const gchar *device, const VyreMegakernelParams *params, GError **error)
{
  VyreMegakernel *kernel = NULL;

  g_mutex_lock (&registry_lock);
  Shared *shared = find (device, params);
  if (!shared)
    shared = create (device, params, error);
  if (shared) {
    shared->users++;
    kernel = shared->kernel;
  }
  g_mutex_unlock (&registry_lock);
  return kernel;
}

/* The kernel is taken down outside of the lock: that can take a while, and
 * releases payloads of others. */
void
gst_vyre_shared_release (VyreMegakernel *kernel)
{
  Shared *dead = NULL;

  g_mutex_lock (&registry_lock);
  for (GList *l = registry; l && !dead; l = l->next) {
    Shared *shared = l->data;
    if (shared->kernel != kernel || --shared->users > 0)
      continue;
    dead = shared;
    registry = g_list_delete_link (registry, l);
    break;
  }
  g_mutex_unlock (&registry_lock);
  if (!dead)
    return;
  vyre_megakernel_unref (dead->kernel);
  g_free (dead->device);
  g_free (dead);
}
