/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link-vulkan.h"

#include <math.h>

#include "series.h"
#include "vyre/error.h"

/* A submission moves at least so much: what it costs must not show. */
#define LEAST_BYTES (16 << 20)

#define DEADLINE_NS (20 * G_GUINT64_CONSTANT (1000000000))

/* The family that has the least else to do: that of the copy engines. */
static guint32
find_family (VkPhysicalDevice physical)
{
  guint32 n = 0, best = 0;
  int best_rank = -1;

  vkGetPhysicalDeviceQueueFamilyProperties (physical, &n, NULL);
  g_autofree VkQueueFamilyProperties *families = g_new0 (VkQueueFamilyProperties, n + 1);
  vkGetPhysicalDeviceQueueFamilyProperties (physical, &n, families);
  for (guint32 i = 0; i < n; i++) {
    VkQueueFlags flags = families[i].queueFlags;
    int rank = !(flags & VK_QUEUE_GRAPHICS_BIT) + !(flags & VK_QUEUE_COMPUTE_BIT);
    gboolean copies
        = flags & (VK_QUEUE_TRANSFER_BIT | VK_QUEUE_COMPUTE_BIT | VK_QUEUE_GRAPHICS_BIT);
    if (copies && rank > best_rank) {
      best = i;
      best_rank = rank;
    }
  }
  return best;
}

static gboolean
create_device (BenchLink *link, GError **error)
{
  float priority = 1;
  VkDeviceQueueCreateInfo queue = {
    .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
    .queueFamilyIndex = link->family = find_family (link->physical),
    .queueCount = 1,
    .pQueuePriorities = &priority,
  };
  VkDeviceCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
    .queueCreateInfoCount = 1,
    .pQueueCreateInfos = &queue,
  };

  if (!bench_link_check (
          vkCreateDevice (link->physical, &info, NULL, &link->device), "vkCreateDevice", error))
    return FALSE;
  vkGetDeviceQueue (link->device, link->family, 0, &link->queue);
  return TRUE;
}

/* The first type with all of @wanted and none of @unwanted, or -1. */
static int
find_type (const BenchLink *link, guint32 allowed, VkMemoryPropertyFlags wanted,
    VkMemoryPropertyFlags unwanted)
{
  for (guint32 i = 0; i < link->memory.memoryTypeCount; i++) {
    VkMemoryPropertyFlags flags = link->memory.memoryTypes[i].propertyFlags;
    if ((allowed & (1u << i)) && (flags & wanted) == wanted && !(flags & unwanted))
      return (int)i;
  }
  return -1;
}

/* Host memory as the driver pins it, or memory that only the device addresses. */
static int
choose_type (const BenchLink *link, guint32 allowed, gboolean host)
{
  VkMemoryPropertyFlags visible = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT;
  VkMemoryPropertyFlags local = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;

  if (!host)
    return find_type (link, allowed, local, visible);
  int type = find_type (link, allowed, visible | VK_MEMORY_PROPERTY_HOST_CACHED_BIT, local);
  return type >= 0 ? type : find_type (link, allowed, visible, local);
}

static gboolean
create_buffer (BenchLink *link, BenchLinkBuffer *buffer, gboolean host, GError **error)
{
  VkBufferCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
    .size = LINK_BYTES,
    .usage = host ? VK_BUFFER_USAGE_TRANSFER_SRC_BIT : VK_BUFFER_USAGE_TRANSFER_DST_BIT,
  };
  VkMemoryRequirements needs;

  if (!bench_link_check (
          vkCreateBuffer (link->device, &info, NULL, &buffer->buffer), "vkCreateBuffer", error))
    return FALSE;
  vkGetBufferMemoryRequirements (link->device, buffer->buffer, &needs);
  int type = choose_type (link, needs.memoryTypeBits, host);
  VkMemoryAllocateInfo allocation = {
    .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
    .allocationSize = needs.size,
    .memoryTypeIndex = (guint32)type,
  };
  if (type < 0) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_UNSUPPORTED, "no memory type for copies");
    return FALSE;
  }
  return bench_link_check (vkAllocateMemory (link->device, &allocation, NULL, &buffer->memory),
             "vkAllocateMemory", error)
         && bench_link_check (vkBindBufferMemory (link->device, buffer->buffer, buffer->memory, 0),
             "vkBindBufferMemory", error);
}

/* Pages that were never written may all be the same one. */
static gboolean
fill_source (BenchLink *link, GError **error)
{
  void *data;

  if (!bench_link_check (vkMapMemory (link->device, link->from.memory, 0, VK_WHOLE_SIZE, 0, &data),
          "vkMapMemory", error))
    return FALSE;
  for (gsize i = 0; i < LINK_BYTES / 8; i++)
    ((guint64 *)data)[i] = i * G_GUINT64_CONSTANT (0x9E3779B97F4A7C15);
  vkUnmapMemory (link->device, link->from.memory);
  return TRUE;
}

static gboolean
create_commands (BenchLink *link, GError **error)
{
  VkCommandPoolCreateInfo pool_info = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
    .flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
    .queueFamilyIndex = link->family,
  };
  VkFenceCreateInfo fence_info = { .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO };

  if (!bench_link_check (vkCreateCommandPool (link->device, &pool_info, NULL, &link->pool),
          "vkCreateCommandPool", error))
    return FALSE;
  VkCommandBufferAllocateInfo allocation = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
    .commandPool = link->pool,
    .commandBufferCount = LINK_FLYING,
  };
  if (!bench_link_check (vkAllocateCommandBuffers (link->device, &allocation, link->commands),
          "vkAllocateCommandBuffers", error))
    return FALSE;
  for (guint i = 0; i < LINK_FLYING; i++) {
    if (!bench_link_check (vkCreateFence (link->device, &fence_info, NULL, &link->fences[i]),
            "vkCreateFence", error))
      return FALSE;
  }
  return TRUE;
}

gboolean
bench_link_open_copies (BenchLink *link, GError **error)
{
  return create_device (link, error) && create_buffer (link, &link->from, TRUE, error)
         && create_buffer (link, &link->to, FALSE, error) && fill_source (link, error)
         && create_commands (link, error);
}

void
bench_link_close_copies (BenchLink *link)
{
  vkDeviceWaitIdle (link->device);
  for (guint i = 0; i < LINK_FLYING; i++)
    vkDestroyFence (link->device, link->fences[i], NULL);
  vkDestroyCommandPool (link->device, link->pool, NULL);
  vkDestroyBuffer (link->device, link->from.buffer, NULL);
  vkDestroyBuffer (link->device, link->to.buffer, NULL);
  vkFreeMemory (link->device, link->from.memory, NULL);
  vkFreeMemory (link->device, link->to.memory, NULL);
  vkDestroyDevice (link->device, NULL);
}

/* Copies of @size, at places that take turns. */
static gboolean
record (BenchLink *link, guint index, gsize size, guint n)
{
  VkCommandBufferBeginInfo begin = { .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO };
  gsize places = LINK_BYTES / size;

  if (vkBeginCommandBuffer (link->commands[index], &begin) < VK_SUCCESS)
    return FALSE;
  for (guint i = 0; i < n; i++) {
    gsize at = (index * n + i) % places * size;
    VkBufferCopy region = { .srcOffset = at, .dstOffset = at, .size = size };
    vkCmdCopyBuffer (link->commands[index], link->from.buffer, link->to.buffer, 1, &region);
  }
  return vkEndCommandBuffer (link->commands[index]) >= VK_SUCCESS;
}

static gboolean
submit (BenchLink *link, guint index)
{
  VkSubmitInfo info = {
    .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
    .commandBufferCount = 1,
    .pCommandBuffers = &link->commands[index],
  };

  return vkQueueSubmit (link->queue, 1, &info, link->fences[index]) >= VK_SUCCESS;
}

static gboolean
await (BenchLink *link, guint index)
{
  return vkWaitForFences (link->device, 1, &link->fences[index], VK_TRUE, DEADLINE_NS) == VK_SUCCESS
         && vkResetFences (link->device, 1, &link->fences[index]) >= VK_SUCCESS;
}

/* Has one copy of @size ready for bench_link_time_copy(). FALSE also where there is one memory. */
gboolean
bench_link_prepare_copy (BenchLink *link, gsize size)
{
  return !link->shared && record (link, 0, size, 1);
}

/* From the submission of the copy that is ready until the host sees its end, in ns; -1: the device
 * failed. */
gint64
bench_link_time_copy (BenchLink *link)
{
  gint64 start = bench_now (), now = start;
  VkResult result = submit (link, 0) ? VK_NOT_READY : VK_ERROR_DEVICE_LOST;

  while (result == VK_NOT_READY && now - start < (gint64)DEADLINE_NS) {
    result = vkGetFenceStatus (link->device, link->fences[0]);
    now = bench_now ();
  }
  return result == VK_SUCCESS && await (link, 0) ? now - start : -1;
}

/* GB/s between two ends of a submission, with the others in flight. */
double
bench_link_copy (BenchLink *link, gsize size, double seconds)
{
  guint n = (guint)MAX (LEAST_BYTES / size, 1);
  gboolean fine = TRUE;
  gint64 start = 0, now = 0;
  guint64 done = 0;

  for (guint i = 0; i < LINK_FLYING; i++)
    fine = fine && record (link, i, size, n) && submit (link, i);
  while (fine) {
    guint index = (guint)(done % LINK_FLYING);
    fine = await (link, index);
    now = bench_now ();
    if (done++ == LINK_FLYING)
      start = now;
    if (done > 2 * LINK_FLYING && (double)(now - start) > seconds * 1e9)
      break;
    fine = fine && submit (link, index);
  }
  for (guint i = 0; fine && i + 1 < LINK_FLYING; i++)
    fine = await (link, (guint)((done + i) % LINK_FLYING));
  return fine ? (double)(done - LINK_FLYING - 1) * n * (double)size / (double)(now - start) : NAN;
}
