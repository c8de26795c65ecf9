/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The device side of a BenchLink: two buffers, and copies between them in
 * flight.
 */
#pragma once

#include <vulkan/vulkan.h>

#include "link.h"

#define LINK_FLYING 4

/* Host memory copied from, and device memory copied to; slices of it take turns. */
#define LINK_BYTES (128 << 20)

typedef struct {
  VkBuffer buffer;
  VkDeviceMemory memory;
} BenchLinkBuffer;

struct _BenchLink {
  VkInstance instance;
  VkPhysicalDevice physical;
  VkPhysicalDeviceMemoryProperties memory;
  char driver[VK_MAX_DRIVER_NAME_SIZE + VK_MAX_DRIVER_INFO_SIZE + 32];
  gboolean shared; /* host and device have one memory: no VkDevice is needed */
  guint32 family;
  VkDevice device;
  VkQueue queue;
  BenchLinkBuffer from, to;
  VkCommandPool pool;
  VkCommandBuffer commands[LINK_FLYING];
  VkFence fences[LINK_FLYING];
};

gboolean bench_link_open_copies (BenchLink *link, GError **error);
void bench_link_close_copies (BenchLink *link);
double bench_link_copy (BenchLink *link, gsize size, double seconds);
gboolean bench_link_check (VkResult result, const char *call, GError **error);
