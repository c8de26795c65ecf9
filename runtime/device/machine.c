/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vyre/machine.h"

#include "device/device-private.h"
#include "device/instance.h"
#include "device/physical.h"

static void
info_free (gpointer data)
{
  VyreDeviceInfo *info = data;

  g_free (info->name);
  g_free (info->uuid);
  g_free (info->vulkan);
  g_free (info->driver);
  g_free (info);
}

static char *
machine_format_version (guint32 version)
{
  return g_strdup_printf ("%u.%u.%u", VK_API_VERSION_MAJOR (version),
      VK_API_VERSION_MINOR (version), VK_API_VERSION_PATCH (version));
}

static const char *
machine_name_kind (VkPhysicalDeviceType type)
{
  switch (type) {
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
      return "discrete-gpu";
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
      return "integrated-gpu";
    case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
      return "virtual-gpu";
    case VK_PHYSICAL_DEVICE_TYPE_CPU:
      return "cpu";
    default:
      return "other";
  }
}

/* Returns: (transfer full) (nullable): the name of the driver and what it says of its version */
static char *
machine_describe_driver (VkPhysicalDevice physical)
{
  VkPhysicalDeviceDriverProperties driver = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES,
  };
  VkPhysicalDeviceProperties2 properties = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
    .pNext = &driver,
  };

  if (!vyre_physical_has_extension (physical, VK_KHR_DRIVER_PROPERTIES_EXTENSION_NAME))
    return NULL;
  vkGetPhysicalDeviceProperties2 (physical, &properties);
  return g_strchomp (g_strdup_printf ("%s %s", driver.driverName, driver.driverInfo));
}

static VyreDeviceInfo *
machine_describe (VkPhysicalDevice physical, guint index)
{
  VyreDeviceInfo *info = g_new0 (VyreDeviceInfo, 1);
  VkPhysicalDeviceProperties properties;
  char uuid[VYRE_UUID_TEXT];

  vkGetPhysicalDeviceProperties (physical, &properties);
  *info = (VyreDeviceInfo){
    .index = index,
    .name = g_strdup (properties.deviceName),
    .kind = machine_name_kind (properties.deviceType),
    .vulkan = machine_format_version (properties.apiVersion),
  };
  if (properties.apiVersion >= VK_API_VERSION_1_1) {
    vyre_physical_read_uuid (physical, uuid);
    info->uuid = g_strdup (uuid);
    info->driver = machine_describe_driver (physical);
  }
  return info;
}

static GPtrArray *
machine_list (VkInstance instance, const char *selector, GError **error)
{
  VkPhysicalDevice wanted = selector ? vyre_physical_pick (instance, selector, error) : NULL;
  guint32 n;

  if (selector && !wanted)
    return NULL;
  g_autofree VkPhysicalDevice *devices = vyre_physical_list (instance, &n, error);
  if (!devices)
    return NULL;
  if (n == 0) {
    vyre_physical_pick (instance, "auto", error); /* fails, and says why */
    return NULL;
  }
  GPtrArray *list = g_ptr_array_new_with_free_func (info_free);
  for (guint32 i = 0; i < n; i++) {
    if (!selector || devices[i] == wanted)
      g_ptr_array_add (list, machine_describe (devices[i], i));
  }
  return list;
}

GPtrArray *
vyre_machine_list_devices (const char *selector, GError **error)
{
  vyre_fork_note_device (TRUE); /* a child that another thread forks now has the drivers, too */
  VkInstance instance = vyre_instance_open (error);
  GPtrArray *list = instance ? machine_list (instance, selector, error) : NULL;

  if (instance)
    vyre_instance_close (instance);
  vyre_fork_note_device (FALSE);
  return list;
}

char *
vyre_machine_get_loader_version (void)
{
  guint32 version = VK_API_VERSION_1_0;

  vkEnumerateInstanceVersion (&version);
  return machine_format_version (version);
}
