/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link-vulkan.h"

#include <string.h>

#include "series.h"
#include "vyre/error.h"

gboolean
bench_link_check (VkResult result, const char *call, GError **error)
{
  if (result >= VK_SUCCESS)
    return TRUE;
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_DEVICE, "%s failed with %d", call, result);
  return FALSE;
}

static gboolean
create_instance (BenchLink *link, GError **error)
{
  VkApplicationInfo application = {
    .sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
    .pApplicationName = "vyre-bench",
    .apiVersion = VK_API_VERSION_1_2,
  };
  VkInstanceCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
    .pApplicationInfo = &application,
  };

  return bench_link_check (
      vkCreateInstance (&info, NULL, &link->instance), "vkCreateInstance", error);
}

static gboolean
has_uuid (VkPhysicalDevice physical, const char *uuid)
{
  VkPhysicalDeviceIDProperties id = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES,
  };
  VkPhysicalDeviceProperties2 properties = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
    .pNext = &id,
  };
  g_autoptr (GString) text = g_string_new (NULL);

  vkGetPhysicalDeviceProperties2 (physical, &properties);
  for (guint i = 0; i < VK_UUID_SIZE; i++)
    g_string_append_printf (
        text, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", id.deviceUUID[i]);
  return g_str_equal (text->str, uuid);
}

static gboolean
find_physical (BenchLink *link, const char *uuid, GError **error)
{
  guint32 n = 0;

  vkEnumeratePhysicalDevices (link->instance, &n, NULL);
  g_autofree VkPhysicalDevice *devices = g_new0 (VkPhysicalDevice, n + 1);
  vkEnumeratePhysicalDevices (link->instance, &n, devices);
  for (guint32 i = 0; i < n && !link->physical; i++) {
    if (has_uuid (devices[i], uuid))
      link->physical = devices[i];
  }
  if (link->physical)
    return TRUE;
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_NO_DEVICE, "no device has the UUID %s", uuid);
  return FALSE;
}

/* The driver's name and version, as Vulkan 1.2 has them. */
static void
read_driver (BenchLink *link)
{
  VkPhysicalDeviceDriverProperties driver = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES,
  };
  VkPhysicalDeviceProperties2 properties = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
    .pNext = &driver,
  };

  vkGetPhysicalDeviceProperties2 (link->physical, &properties);
  if (properties.properties.apiVersion >= VK_API_VERSION_1_2)
    g_snprintf (link->driver, sizeof link->driver, "%s %s", driver.driverName, driver.driverInfo);
  else
    g_snprintf (
        link->driver, sizeof link->driver, "version 0x%08x", properties.properties.driverVersion);
}

/* Whether there is no memory that only the device can address. */
static gboolean
is_shared (const BenchLink *link)
{
  for (guint32 i = 0; i < link->memory.memoryTypeCount; i++) {
    VkMemoryPropertyFlags flags = link->memory.memoryTypes[i].propertyFlags;
    if ((flags & VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT)
        && !(flags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT))
      return FALSE;
  }
  return TRUE;
}

/* NULL with @error set when the device cannot be had. */
BenchLink *
bench_link_open (const char *uuid, GError **error)
{
  BenchLink *link = g_new0 (BenchLink, 1);

  if (create_instance (link, error) && find_physical (link, uuid, error)) {
    read_driver (link);
    vkGetPhysicalDeviceMemoryProperties (link->physical, &link->memory);
    link->shared = is_shared (link);
    if (link->shared || bench_link_open_copies (link, error))
      return link;
  }
  bench_link_close (link);
  return NULL;
}

void
bench_link_close (BenchLink *link)
{
  if (link->device)
    bench_link_close_copies (link);
  if (link->instance)
    vkDestroyInstance (link->instance, NULL);
  g_free (link);
}

const char *
bench_link_driver (const BenchLink *link)
{
  return link->driver;
}

/* What is measured. */
const char *
bench_link_name (const BenchLink *link)
{
  return link->shared ? "memcpy" : "pinned copy";
}

/* Over as many bytes as a copy would go, so that caches help no more. */
static double
measure_memcpy (gsize size, double seconds)
{
  gsize total = MAX (MIN (size * 64, (gsize)LINK_BYTES), size);
  g_autofree guint8 *from = g_malloc (total), *to = g_malloc (total);
  gsize at = 0;
  guint64 copied = 0;

  memset (from, 1, total);
  memset (to, 2, total);
  gint64 start = bench_now (), now = start;
  while ((double)(now - start) < seconds * 1e9) {
    memcpy (to + at, from + at, size);
    at = at + 2 * size <= total ? at + size : 0;
    copied += size;
    now = bench_now ();
  }
  return (double)copied / (double)(now - start);
}

/* GB/s, or NAN when the device failed. */
double
bench_link_measure (BenchLink *link, gsize size, double seconds)
{
  return link->shared ? measure_memcpy (size, seconds) : bench_link_copy (link, size, seconds);
}
