/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The Vulkan instance of a device, and the drivers that it loads.
 *
 * An instance that lists a GPU serves all devices until the process ends: NVIDIA's library takes
 * static thread-local storage whenever it is loaded and gives none back, so the driver of the 30th
 * instance of a process finds no room (measured with 580.159). Without a GPU each device has an
 * instance of its own, and a child that is forked after the last one inherits no driver.
 */
#pragma once

#include <vulkan/vulkan.h>

#include "vyre/error.h"

VkInstance vyre_instance_open (GError **error);
void vyre_instance_close (VkInstance instance);
