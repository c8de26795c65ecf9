/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device/physical.h"

#include <string.h>

#include "device/device-private.h"

static void
physical_format_uuid (const guint8 *bytes, char *text)
{
  for (guint i = 0; i < VK_UUID_SIZE; i++) {
    gboolean dash = i == 4 || i == 6 || i == 8 || i == 10;
    text += g_snprintf (text, 4, "%s%02x", dash ? "-" : "", bytes[i]);
  }
}

void
vyre_physical_read_uuid (VkPhysicalDevice physical, char text[VYRE_UUID_TEXT])
{
  VkPhysicalDeviceIDProperties id = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES,
  };
  VkPhysicalDeviceProperties2 properties = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
    .pNext = &id,
  };

  vkGetPhysicalDeviceProperties2 (physical, &properties);
  physical_format_uuid (id.deviceUUID, text);
}

/* Preference of "auto": the faster kinds first. */
static guint
physical_rank_type (VkPhysicalDeviceType type)
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
physical_matches (VkPhysicalDevice physical, guint index, const char *selector)
{
  VkPhysicalDeviceProperties properties;
  char uuid[VYRE_UUID_TEXT];
  char *end = NULL;
  guint64 wanted = g_ascii_strtoull (selector, &end, 10);

  if (g_ascii_isdigit (selector[0]) && *end == '\0')
    return wanted == index;
  vyre_physical_read_uuid (physical, uuid);
  if (g_ascii_strcasecmp (uuid, selector) == 0)
    return TRUE;
  vkGetPhysicalDeviceProperties (physical, &properties);
  g_autofree char *name = g_utf8_strdown (properties.deviceName, -1);
  g_autofree char *part = g_utf8_strdown (selector, -1);
  return strstr (name, part) != NULL;
}

/* Returns: (transfer full) (array length=n): the queue families */
VkQueueFamilyProperties *
vyre_physical_list_queue_families (VkPhysicalDevice physical, guint32 *n)
{
  vkGetPhysicalDeviceQueueFamilyProperties (physical, n, NULL);
  VkQueueFamilyProperties *families = g_new0 (VkQueueFamilyProperties, *n);
  vkGetPhysicalDeviceQueueFamilyProperties (physical, n, families);
  return families;
}

/* Returns the family that kernels run on, -1 without any. */
gint
vyre_physical_find_queue_family (VkPhysicalDevice physical)
{
  guint32 n = 0;
  g_autofree VkQueueFamilyProperties *families = vyre_physical_list_queue_families (physical, &n);
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

/* Returns what a kernel needs and the device lacks, NULL if nothing. */
static const char *
physical_find_lack (VkPhysicalDevice physical)
{
  VkPhysicalDeviceProperties properties;

  vkGetPhysicalDeviceProperties (physical, &properties);
  if (properties.apiVersion < VK_API_VERSION_1_1)
    return "without Vulkan 1.1";
  return vyre_physical_find_queue_family (physical) < 0 ? "without a compute queue" : NULL;
}

static void
physical_set_no_device (VkPhysicalDevice *devices, guint n, const char *selector, GError **error)
{
  g_autofree char *shown = g_utf8_make_valid (selector, -1);
  GString *list = g_string_new (NULL);

  for (guint i = 0; i < n; i++) {
    VkPhysicalDeviceProperties properties;
    vkGetPhysicalDeviceProperties (devices[i], &properties);
    const char *lack = physical_find_lack (devices[i]);
    g_string_append_printf (list, "%s%u '%s'%s%s", i ? ", " : "", i, properties.deviceName,
        lack ? " " : "", lack ? lack : "");
  }
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_NO_DEVICE,
      "No Vulkan device matches '%s'; there %s: %s. Fix: name one of these by index, part of its "
      "name or UUID, or use 'auto'; with none, install a driver such as mesa-vulkan-drivers.",
      shown, n == 1 ? "is one" : "are", n ? list->str : "none");
  g_string_free (list, TRUE);
}

/* Returns: (transfer full) (nullable): the devices of @instance, in the loader's order, or NULL
 * with the error of the call that lists them */
VkPhysicalDevice *
vyre_physical_list (VkInstance instance, guint32 *n, GError **error)
{
  *n = 0;
  if (!vyre_vk_check (vkEnumeratePhysicalDevices (instance, n, NULL), "vkEnumeratePhysicalDevices",
          NULL, error))
    return NULL;
  VkPhysicalDevice *devices = g_new0 (VkPhysicalDevice, *n + 1);
  vkEnumeratePhysicalDevices (instance, n, devices);
  return devices;
}

/* Returns the device that @selector means, or VK_NULL_HANDLE with VYRE_ERROR_NO_DEVICE. */
VkPhysicalDevice
vyre_physical_pick (VkInstance instance, const char *selector, GError **error)
{
  gboolean any = g_ascii_strcasecmp (selector, "auto") == 0;
  VkPhysicalDevice best = VK_NULL_HANDLE;
  gint best_rank = -1;
  guint32 n;
  g_autofree VkPhysicalDevice *devices = vyre_physical_list (instance, &n, error);

  if (!devices)
    return VK_NULL_HANDLE;
  for (guint32 i = 0; i < n; i++) {
    VkPhysicalDeviceProperties properties;
    vkGetPhysicalDeviceProperties (devices[i], &properties);
    gint rank = (gint)physical_rank_type (properties.deviceType);
    if (physical_find_lack (devices[i]))
      continue;
    if (rank > best_rank && (any || physical_matches (devices[i], i, selector))) {
      best_rank = rank;
      best = devices[i];
    }
  }
  if (!best)
    physical_set_no_device (devices, n, selector, error);
  return best;
}

gboolean
vyre_physical_has_extension (VkPhysicalDevice physical, const char *name)
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
