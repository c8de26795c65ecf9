/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device/device-private.h"

#include <string.h>

#include "device/instance.h"

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

static void
device_format_uuid (const guint8 *bytes, char *text)
{
  for (guint i = 0; i < VK_UUID_SIZE; i++) {
    gboolean dash = i == 4 || i == 6 || i == 8 || i == 10;
    text += g_snprintf (text, 4, "%s%02x", dash ? "-" : "", bytes[i]);
  }
}

static void
device_read_uuid (VkPhysicalDevice physical, char *text)
{
  VkPhysicalDeviceIDProperties id = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES,
  };
  VkPhysicalDeviceProperties2 properties = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
    .pNext = &id,
  };

  vkGetPhysicalDeviceProperties2 (physical, &properties);
  device_format_uuid (id.deviceUUID, text);
}

/* Preference of "auto": the faster kinds first. */
static guint
device_type_rank (VkPhysicalDeviceType type)
{
  switch (type) {
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
      return 4;
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
      return 3;
    case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
      return 2;
    case VK_PHYSICAL_DEVICE_TYPE_CPU:
      return 1;
    default:
      return 0;
  }
}

static gboolean
device_matches (VkPhysicalDevice physical, guint index, const char *selector)
{
  VkPhysicalDeviceProperties properties;
  char uuid[37];
  char *end = NULL;
  guint64 wanted = g_ascii_strtoull (selector, &end, 10);

  if (g_ascii_isdigit (selector[0]) && *end == '\0')
    return wanted == index;
  device_read_uuid (physical, uuid);
  if (g_ascii_strcasecmp (uuid, selector) == 0)
    return TRUE;
  vkGetPhysicalDeviceProperties (physical, &properties);
  g_autofree char *name = g_utf8_strdown (properties.deviceName, -1);
  g_autofree char *part = g_utf8_strdown (selector, -1);
  return strstr (name, part) != NULL;
}

static VkQueueFamilyProperties *
device_list_queue_families (VkPhysicalDevice physical, guint32 *n)
{
  vkGetPhysicalDeviceQueueFamilyProperties (physical, n, NULL);
  VkQueueFamilyProperties *families = g_new0 (VkQueueFamilyProperties, *n);
  vkGetPhysicalDeviceQueueFamilyProperties (physical, n, families);
  return families;
}

static gint
device_find_queue_family (VkPhysicalDevice physical)
{
  guint32 n = 0;
  g_autofree VkQueueFamilyProperties *families = device_list_queue_families (physical, &n);
  gint found = -1;

  for (guint32 i = 0; i < n; i++) {
    if (!(families[i].queueFlags & VK_QUEUE_COMPUTE_BIT))
      continue;
    /* a family without graphics leaves the desktop's queue alone */
    if (found < 0 || !(families[i].queueFlags & VK_QUEUE_GRAPHICS_BIT))
      found = (gint)i;
    if (!(families[i].queueFlags & VK_QUEUE_GRAPHICS_BIT))
      break;
  }
  return found;
}

/* A family that can only copy is a copy engine, and works while a kernel runs. */
static void
device_find_transfer_family (VyreDevice *device)
{
  guint32 n = 0;
  g_autofree VkQueueFamilyProperties *families = device_list_queue_families (device->physical, &n);

  for (guint32 i = 0; i < n && device->n_transfer_queues == 0; i++) {
    VkQueueFlags flags = families[i].queueFlags;
    if (!(flags & VK_QUEUE_TRANSFER_BIT) || flags & (VK_QUEUE_COMPUTE_BIT | VK_QUEUE_GRAPHICS_BIT))
      continue;
    device->transfer_family = i;
    device->n_transfer_queues = MIN (families[i].queueCount, VYRE_MAX_TRANSFER_QUEUES);
  }
}

static void
device_set_no_device (VkPhysicalDevice *devices, guint n, const char *selector, GError **error)
{
  g_autofree char *shown = g_utf8_make_valid (selector, -1);
  GString *list = g_string_new (NULL);

  for (guint i = 0; i < n; i++) {
    VkPhysicalDeviceProperties properties;
    vkGetPhysicalDeviceProperties (devices[i], &properties);
    g_string_append_printf (list, "%s%u '%s'", i ? ", " : "", i, properties.deviceName);
  }
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_NO_DEVICE,
      "No Vulkan device matches '%s'; there %s: %s. Fix: name one of these by index, part of its "
      "name or UUID, or use 'auto'; with none, install a driver such as mesa-vulkan-drivers.",
      shown, n == 1 ? "is one" : "are", n ? list->str : "none");
  g_string_free (list, TRUE);
}

static gboolean
device_pick_physical (VyreDevice *device, const char *selector, GError **error)
{
  guint32 n = 0;
  gboolean any = g_ascii_strcasecmp (selector, "auto") == 0;
  gint best_rank = -1;

  if (!vyre_vk_check (vkEnumeratePhysicalDevices (device->instance, &n, NULL),
          "vkEnumeratePhysicalDevices", NULL, error))
    return FALSE;
  g_autofree VkPhysicalDevice *devices = g_new0 (VkPhysicalDevice, n + 1);
  vkEnumeratePhysicalDevices (device->instance, &n, devices);
  for (guint32 i = 0; i < n; i++) {
    VkPhysicalDeviceProperties properties;
    vkGetPhysicalDeviceProperties (devices[i], &properties);
    gint rank = (gint)device_type_rank (properties.deviceType);
    if (properties.apiVersion < VK_API_VERSION_1_1 || device_find_queue_family (devices[i]) < 0)
      continue;
    if (rank > best_rank && (any || device_matches (devices[i], i, selector))) {
      best_rank = rank;
      device->physical = devices[i];
    }
  }
  if (best_rank < 0)
    device_set_no_device (devices, n, selector, error);
  return best_rank >= 0;
}

static gboolean
device_has_extension (VkPhysicalDevice physical, const char *name)
{
  guint32 n = 0;

  vkEnumerateDeviceExtensionProperties (physical, NULL, &n, NULL);
  g_autofree VkExtensionProperties *extensions = g_new0 (VkExtensionProperties, n + 1);
  vkEnumerateDeviceExtensionProperties (physical, NULL, &n, extensions);
  for (guint32 i = 0; i < n; i++) {
    if (strcmp (extensions[i].extensionName, name) == 0)
      return TRUE;
  }
  return FALSE;
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
  gboolean can_import = device_has_extension (device->physical, import);
  float priorities[VYRE_MAX_TRANSFER_QUEUES] = { 0.5f, 0.5f };

  device->queue_family = (guint32)device_find_queue_family (device->physical);
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
  if (!device->instance || !device_pick_physical (device, selector, error))
    return NULL;
  vkGetPhysicalDeviceProperties (device->physical, &device->properties);
  vkGetPhysicalDeviceMemoryProperties (device->physical, &device->memory);
  device_read_uuid (device->physical, device->uuid);
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
