/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-time.h"

#include <dlfcn.h>
#include <vulkan/vulkan.h>

static GMutex lock;
static guint n_calls; /* under way */
static gint64 began;  /* when the first of them did */
static gint64 taken;  /* by all before; where calls overlap it counts once */

gint64
driver_time_outside (void)
{
  g_mutex_lock (&lock);
  gint64 outside = (n_calls > 0 ? began : g_get_monotonic_time ()) - taken;
  g_mutex_unlock (&lock);
  return outside;
}

static void
enter (void)
{
  g_mutex_lock (&lock);
  if (n_calls++ == 0)
    began = g_get_monotonic_time ();
  g_mutex_unlock (&lock);
}

static void
leave (void)
{
  g_mutex_lock (&lock);
  if (--n_calls == 0)
    taken += g_get_monotonic_time () - began;
  g_mutex_unlock (&lock);
}

/* ---- in the place of the loader's own ------------------------------------------------ */

#define REAL(name) ((PFN_##name)dlsym (RTLD_NEXT, #name))

VkResult
vkCreateInstance (
    const VkInstanceCreateInfo *info, const VkAllocationCallbacks *allocator, VkInstance *instance)
{
  enter ();
  VkResult result = REAL (vkCreateInstance) (info, allocator, instance);
  leave ();
  return result;
}

void
vkDestroyInstance (VkInstance instance, const VkAllocationCallbacks *allocator)
{
  enter ();
  REAL (vkDestroyInstance) (instance, allocator);
  leave ();
}

VkResult
vkEnumeratePhysicalDevices (VkInstance instance, uint32_t *n, VkPhysicalDevice *devices)
{
  enter ();
  VkResult result = REAL (vkEnumeratePhysicalDevices) (instance, n, devices);
  leave ();
  return result;
}

VkResult
vkCreateDevice (VkPhysicalDevice physical, const VkDeviceCreateInfo *info,
    const VkAllocationCallbacks *allocator, VkDevice *device)
{
  enter ();
  VkResult result = REAL (vkCreateDevice) (physical, info, allocator, device);
  leave ();
  return result;
}

void
vkDestroyDevice (VkDevice device, const VkAllocationCallbacks *allocator)
{
  enter ();
  REAL (vkDestroyDevice) (device, allocator);
  leave ();
}

VkResult
vkCreateComputePipelines (VkDevice device, VkPipelineCache cache, uint32_t n,
    const VkComputePipelineCreateInfo *infos, const VkAllocationCallbacks *allocator,
    VkPipeline *pipelines)
{
  enter ();
  VkResult result = REAL (vkCreateComputePipelines) (device, cache, n, infos, allocator, pipelines);
  leave ();
  return result;
}
