/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The devices of the machine, before one of them is opened. Any thread.
 */
#pragma once

#include <vulkan/vulkan.h>

#include "vyre/error.h"

/* Bytes of a UUID as text, with its dashes and its end. */
#define VYRE_UUID_TEXT (2 * VK_UUID_SIZE + 5)

VkPhysicalDevice *vyre_physical_list (VkInstance instance, guint32 *n, GError **error);
VkPhysicalDevice vyre_physical_pick (VkInstance instance, const char *selector, GError **error);
void vyre_physical_read_uuid (VkPhysicalDevice physical, char text[VYRE_UUID_TEXT]);
gboolean vyre_physical_has_extension (VkPhysicalDevice physical, const char *name);
VkQueueFamilyProperties *vyre_physical_list_queue_families (VkPhysicalDevice physical, guint32 *n);
gint vyre_physical_find_queue_family (VkPhysicalDevice physical);
