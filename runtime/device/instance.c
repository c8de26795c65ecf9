/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device/instance.h"

#include "base/fork.h"
#include "device/device-private.h"

typedef struct {
  VkInstance handle;
  guint generation; /* of the process */
} KeptInstance;

static KeptInstance *kept; /* never freed; atomic: a child may be forked at any time */

/* The instance that this process keeps, or NULL. */
static KeptInstance *
instance_get_kept (void)
{
  KeptInstance *found = g_atomic_pointer_get (&kept);

  return found && !vyre_is_inherited (found->generation) ? found : NULL;
}

static VkInstance
instance_create (GError **error)
{
  VkApplicationInfo application = {
    .sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
    .pApplicationName = "vyre",
    .apiVersion = VK_API_VERSION_1_1,
  };
  VkInstanceCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
    .pApplicationInfo = &application,
  };
  VkInstance instance = VK_NULL_HANDLE;
  VkResult result = vkCreateInstance (&info, NULL, &instance);

  if (result == VK_SUCCESS)
    return instance;
  g_set_error (error, VYRE_ERROR,
      result == VK_ERROR_INCOMPATIBLE_DRIVER ? VYRE_ERROR_NO_DEVICE : VYRE_ERROR_NO_LOADER,
      "No Vulkan instance: %s (%d). Fix: install a Vulkan driver, for example the "
      "mesa-vulkan-drivers package, and check it with vulkaninfo.",
      vyre_vk_result_name (result), result);
  return VK_NULL_HANDLE;
}

static gboolean
instance_lists_gpu (VkInstance instance)
{
  guint32 n = 0;
  gboolean gpu = FALSE;

  vkEnumeratePhysicalDevices (instance, &n, NULL);
  g_autofree VkPhysicalDevice *devices = g_new0 (VkPhysicalDevice, n + 1);
  vkEnumeratePhysicalDevices (instance, &n, devices);
  for (guint32 i = 0; i < n && !gpu; i++) {
    VkPhysicalDeviceProperties properties;
    vkGetPhysicalDeviceProperties (devices[i], &properties);
    gpu = properties.deviceType != VK_PHYSICAL_DEVICE_TYPE_CPU;
  }
  return gpu;
}

/* Keeps @instance for all devices, unless another thread has been faster; returns the kept one. */
static VkInstance
instance_keep (VkInstance instance)
{
  KeptInstance *inherited = g_atomic_pointer_get (&kept);
  KeptInstance *own = g_new (KeptInstance, 1);

  *own = (KeptInstance){ instance, vyre_fork_generation };
  vyre_fork_note_gpu ();
  if (!instance_get_kept () && g_atomic_pointer_compare_and_exchange (&kept, inherited, own))
    return instance;
  g_free (own);
  vkDestroyInstance (instance, NULL);
  return instance_get_kept ()->handle;
}

/* Any thread. Returns an instance to give to vyre_instance_close(), or %VK_NULL_HANDLE with
 * %VYRE_ERROR_NO_DEVICE or %VYRE_ERROR_NO_LOADER. */
VkInstance
vyre_instance_open (GError **error)
{
  const KeptInstance *found = instance_get_kept ();
  VkInstance instance = found ? found->handle : instance_create (error);

  if (found || !instance || !instance_lists_gpu (instance))
    return instance;
  return instance_keep (instance);
}

/* Any thread; @instance has no devices. */
void
vyre_instance_close (VkInstance instance)
{
  const KeptInstance *found = instance_get_kept ();

  if (!found || found->handle != instance)
    vkDestroyInstance (instance, NULL);
}
