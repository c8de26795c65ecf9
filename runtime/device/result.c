/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Results of Vulkan calls as names and errors.
 */
#include "device/device-private.h"

const char *
vyre_vk_result_name (VkResult result)
{
  switch (result) {
    case VK_ERROR_OUT_OF_HOST_MEMORY:
      return "out of host memory";
    case VK_ERROR_OUT_OF_DEVICE_MEMORY:
      return "out of device memory";
    case VK_ERROR_INITIALIZATION_FAILED:
      return "initialization failed";
    case VK_ERROR_DEVICE_LOST:
      return "device lost";
    case VK_ERROR_INCOMPATIBLE_DRIVER:
      return "no compatible driver";
    case VK_ERROR_INVALID_EXTERNAL_HANDLE:
      return "host memory cannot be imported";
    default:
      return "error";
  }
}

/* Turns a VkResult into a GError; TRUE when the call succeeded. @device may be
 * NULL while there is none yet. */
gboolean
vyre_vk_check (VkResult result, const char *call, const VyreDevice *device, GError **error)
{
  const char *name = device ? device->properties.deviceName : "Vulkan";

  if (result >= VK_SUCCESS)
    return TRUE;
  switch (result) {
    case VK_ERROR_DEVICE_LOST:
      g_set_error (error, VYRE_ERROR, VYRE_ERROR_DEVICE_LOST,
          "%s: the device was lost in %s. Fix: look for driver messages in the kernel log, then "
          "restart the pipeline.",
          name, call);
      break;
    case VK_ERROR_OUT_OF_HOST_MEMORY:
    case VK_ERROR_OUT_OF_DEVICE_MEMORY:
      g_set_error (error, VYRE_ERROR, VYRE_ERROR_NO_SPACE,
          "%s: %s in %s. Fix: use a smaller staging size or free memory.", name,
          vyre_vk_result_name (result), call);
      break;
    default:
      g_set_error (error, VYRE_ERROR, VYRE_ERROR_DEVICE,
          "%s: %s failed with %s (%d). Fix: check the driver with vulkaninfo and the limit of "
          "processes (ulimit -u), or choose another device.",
          name, call, vyre_vk_result_name (result), result);
  }
  return FALSE;
}
