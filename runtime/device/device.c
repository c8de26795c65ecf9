/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device/device-private.h"

#include "device/instance.h"
#include "device/physical.h"

/* Waits for @fence until @end_time of @clock, and looks at the clock now and then. */
VkResult
vyre_wait_for_fence (const VyreDevice *device, VkFence fence, VyreClock *clock, gint64 end_time)
{
  const guint64 slice = VYRE_CLOCK_SLICE * 1000;
  VkResult result;

  do
    result = vkWaitForFences (device->handle, 1, &fence, VK_TRUE, slice);
  while (result == VK_TIMEOUT && vyre_clock_now (clock) < end_time);
  return result;
}

/* Vulkan wants one thread at a time on a queue, and the kernels of a device, each with its own
 * lock, share the ones. May be called from any thread. */
VkResult
vyre_device_submit (VyreDevice *device, VkQueue queue, const VkSubmitInfo *submit, VkFence fence)
{
  g_mutex_lock (&device->queue_lock);
  VkResult result = vkQueueSubmit (queue, 1, submit, fence);
  g_mutex_unlock (&device->queue_lock);
  return result;
}

/* Waits for what a lost device still does, for any kernel; Vulkan promises that this ends.
 * Submissions wait meanwhile. */
void
vyre_device_wait_idle (VyreDevice *device)
{
  g_mutex_lock (&device->queue_lock);
  vkDeviceWaitIdle (device->handle);
  g_mutex_unlock (&device->queue_lock);
}

/* A family that can only copy is a copy engine, and works while a kernel runs. */
static void
device_find_transfer_family (VyreDevice *device)
{
  guint32 n = 0;
  g_autofree VkQueueFamilyProperties *families
      = vyre_physical_list_queue_families (device->physical, &n);

  for (guint32 i = 0; i < n && device->n_transfer_queues == 0; i++) {
    VkQueueFlags flags = families[i].queueFlags;
    if (!(flags & VK_QUEUE_TRANSFER_BIT) || flags & (VK_QUEUE_COMPUTE_BIT | VK_QUEUE_GRAPHICS_BIT))
      continue;
    device->transfer_family = i;
    device->n_transfer_queues = MIN (families[i].queueCount, VYRE_MAX_TRANSFER_QUEUES);
  }
}

static void
device_read_import_limits (VyreDevice *device)
{
  VkPhysicalDeviceExternalMemoryHostPropertiesEXT host = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_MEMORY_HOST_PROPERTIES_EXT,
  };
  VkPhysicalDeviceProperties2 properties = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
    .pNext = &host,
  };

  vkGetPhysicalDeviceProperties2 (device->physical, &properties);
  device->get_host_pointer_properties
      = (PFN_vkGetMemoryHostPointerPropertiesEXT)vkGetDeviceProcAddr (
          device->handle, "vkGetMemoryHostPointerPropertiesEXT");
  if (device->get_host_pointer_properties)
    device->import_alignment = host.minImportedHostPointerAlignment;
}

/* Some drivers open no device in a child of a process that had one. */
static gboolean
device_check_created (const VyreDevice *device, VkResult result, GError **error)
{
  if (result != VK_ERROR_INITIALIZATION_FAILED || !vyre_fork_inherits_driver ())
    return vyre_vk_check (result, "vkCreateDevice", device, error);
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_FORKED,
      "%s: the driver opens no device in a process that was forked from one that had used it. "
      "Fix: fork before there is a device, or exec() in the child.",
      device->properties.deviceName);
  return FALSE;
}

static gboolean
device_create_logical (VyreDevice *device, GError **error)
{
  const char *import = VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME;
  gboolean can_import = vyre_physical_has_extension (device->physical, import);
  float priorities[VYRE_MAX_TRANSFER_QUEUES] = { 0.5f, 0.5f };

  device->queue_family = (guint32)vyre_physical_find_queue_family (device->physical);
  device_find_transfer_family (device);
  VkDeviceQueueCreateInfo queues[2] = {
    {
        .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
        .queueFamilyIndex = device->queue_family,
        .queueCount = 1,
        .pQueuePriorities = priorities,
    },
    {
        .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
        .queueFamilyIndex = device->transfer_family,
        .queueCount = device->n_transfer_queues,
        .pQueuePriorities = priorities,
    },
  };
  VkDeviceCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
    .queueCreateInfoCount = device->n_transfer_queues > 0 ? 2 : 1,
    .pQueueCreateInfos = queues,
    .enabledExtensionCount = can_import ? 1 : 0,
    .ppEnabledExtensionNames = &import,
  };

  if (!device_check_created (
          device, vkCreateDevice (device->physical, &info, NULL, &device->handle), error))
    return FALSE;
  vkGetDeviceQueue (device->handle, device->queue_family, 0, &device->queue);
  for (guint i = 0; i < device->n_transfer_queues; i++)
    vkGetDeviceQueue (device->handle, device->transfer_family, i, &device->transfer_queues[i]);
  if (can_import)
    device_read_import_limits (device);
  return TRUE;
}

static gboolean
device_check_subgroups (VyreDevice *device, GError **error)
{
  const VkSubgroupFeatureFlags needed
      = VK_SUBGROUP_FEATURE_BASIC_BIT | VK_SUBGROUP_FEATURE_ARITHMETIC_BIT
        | VK_SUBGROUP_FEATURE_VOTE_BIT | VK_SUBGROUP_FEATURE_BALLOT_BIT;
  VkPhysicalDeviceSubgroupProperties subgroups = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES,
  };
  VkPhysicalDeviceProperties2 properties = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
    .pNext = &subgroups,
  };

  vkGetPhysicalDeviceProperties2 (device->physical, &properties);
  device->subgroup_size = subgroups.subgroupSize;
  if ((subgroups.supportedOperations & needed) == needed)
    return TRUE;
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_UNSUPPORTED,
      "%s has no arithmetic, votes or ballots of subgroups. Fix: choose another device.",
      device->properties.deviceName);
  return FALSE;
}

VyreDevice *
vyre_device_open (const char *selector, GError **error)
{
  g_return_val_if_fail (selector, NULL);
  g_autoptr (VyreDevice) device = g_new0 (VyreDevice, 1);

  g_atomic_ref_count_init (&device->refs);
  device->generation = vyre_fork_generation;
  g_mutex_init (&device->queue_lock);
  vyre_fork_note_device (TRUE);
  device->instance = vyre_instance_open (error);
  device->physical
      = device->instance ? vyre_physical_pick (device->instance, selector, error) : VK_NULL_HANDLE;
  if (!device->physical)
    return NULL;
  vkGetPhysicalDeviceProperties (device->physical, &device->properties);
  vkGetPhysicalDeviceMemoryProperties (device->physical, &device->memory);
  vyre_physical_read_uuid (device->physical, device->uuid);
  if (!device_check_subgroups (device, error) || !device_create_logical (device, error))
    return NULL;
  return g_steal_pointer (&device);
}

VyreDevice *
vyre_device_ref (VyreDevice *device)
{
  g_atomic_ref_count_inc (&device->refs);
  return device;
}

void
vyre_device_unref (VyreDevice *device)
{
  if (!g_atomic_ref_count_dec (&device->refs) || vyre_is_inherited (device->generation))
    return;
  vyre_fork_note_device (FALSE);
  if (device->handle)
    vkDestroyDevice (device->handle, NULL);
  if (device->instance)
    vyre_instance_close (device->instance);
  g_mutex_clear (&device->queue_lock);
  g_free (device);
}

const char *
vyre_device_get_name (const VyreDevice *device)
{
  return device->properties.deviceName;
}

const char *
vyre_device_get_uuid (const VyreDevice *device)
{
  return device->uuid;
}

gboolean
vyre_device_is_cpu (const VyreDevice *device)
{
  return device->properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
}

gsize
vyre_device_get_max_payload (const VyreDevice *device)
{
  return MIN ((gsize)device->properties.limits.maxStorageBufferRange, (gsize)G_MAXUINT32 - 4095)
         & ~(gsize)4095;
}

/* Whether the device has memory of its own. */
gboolean
vyre_device_is_discrete (const VyreDevice *device)
{
  return device->properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU;
}

/* Whether the host can address memory of the device. */
gboolean
vyre_device_has_bar (const VyreDevice *device)
{
  const VkMemoryPropertyFlags wanted = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT
                                       | VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT
                                       | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;

  for (guint32 i = 0; i < device->memory.memoryTypeCount; i++) {
    if ((device->memory.memoryTypes[i].propertyFlags & wanted) == wanted)
      return TRUE;
  }
  return FALSE;
}
