/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The device as the rest of the runtime sees it.
 */
#pragma once

#include <vulkan/vulkan.h>

#include "vyre/clock.h"
#include "vyre/device.h"
#include "base/fork.h"

#define VYRE_MAX_TRANSFER_QUEUES 2

struct _VyreDevice {
  gatomicrefcount refs;
  guint generation; /* of the process */
  VkInstance instance;
  VkPhysicalDevice physical;
  VkDevice handle;
  GMutex queue_lock; /* a leaf: guards all queues, which kernels share */
  VkQueue queue;
  guint32 queue_family;
  VkQueue transfer_queues[VYRE_MAX_TRANSFER_QUEUES]; /* of copy engines */
  guint n_transfer_queues;                           /* 0 without any */
  guint subgroup_size;
  guint32 transfer_family;
  VkPhysicalDeviceProperties properties;
  VkPhysicalDeviceMemoryProperties memory;
  char uuid[37];
  gsize import_alignment; /* of host pointers in bytes, 0 when they cannot be imported */
  PFN_vkGetMemoryHostPointerPropertiesEXT get_host_pointer_properties;
};

gboolean vyre_device_is_discrete (const VyreDevice *device);
gboolean vyre_device_has_bar (const VyreDevice *device);

VkResult vyre_wait_for_fence (
    const VyreDevice *device, VkFence fence, VyreClock *clock, gint64 end_time);
VkResult vyre_device_submit (
    VyreDevice *device, VkQueue queue, const VkSubmitInfo *submit, VkFence fence);
void vyre_device_wait_idle (VyreDevice *device);
const char *vyre_vk_result_name (VkResult result);
gboolean vyre_vk_check (
    VkResult result, const char *call, const VyreDevice *device, GError **error);
