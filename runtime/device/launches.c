/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device/launches.h"

gboolean
vyre_pipeline_create_launches (VyrePipeline *p, GError **error)
{
  VkCommandPoolCreateInfo pool_info = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
    .flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
    .queueFamilyIndex = p->device->queue_family,
  };
  VkFenceCreateInfo fence_info = { .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO };

  if (!vyre_vk_check (vkCreateCommandPool (p->device->handle, &pool_info, NULL, &p->commands),
          "vkCreateCommandPool", p->device, error))
    return FALSE;
  for (guint i = 0; i < VYRE_PIPELINE_LAUNCHES; i++) {
    VkCommandBufferAllocateInfo info = {
      .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
      .commandPool = p->commands,
      .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
      .commandBufferCount = 1,
    };
    if (!vyre_vk_check (
            vkAllocateCommandBuffers (p->device->handle, &info, &p->launches[i].commands),
            "vkAllocateCommandBuffers", p->device, error)
        || !vyre_vk_check (
            vkCreateFence (p->device->handle, &fence_info, NULL, &p->launches[i].fence),
            "vkCreateFence", p->device, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
launches_record (VyrePipeline *p, const VyreLaunch *launch, const VyreSource *source,
    const guint32 *constants, GError **error)
{
  VkCommandBufferBeginInfo begin = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
    .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT,
  };
  /* pairs with the start of the next launch, and with the wait for the fence */
  VkMemoryBarrier barrier = {
    .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
    .srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT,
    .dstAccessMask
    = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_HOST_READ_BIT,
  };

  if (!vyre_vk_check (vkBeginCommandBuffer (launch->commands, &begin), "vkBeginCommandBuffer",
          p->device, error))
    return FALSE;
  vkCmdBindPipeline (launch->commands, VK_PIPELINE_BIND_POINT_COMPUTE, p->built[p->extras]);
  vkCmdBindDescriptorSets (
      launch->commands, VK_PIPELINE_BIND_POINT_COMPUTE, p->layout, 0, 1, &source->set, 0, NULL);
  vkCmdPushConstants (launch->commands, p->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0,
      4 * VYRE_LAUNCH_WORDS, constants);
  vkCmdDispatch (launch->commands, launch->groups, 1, 1);
  vkCmdPipelineBarrier (launch->commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
      VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &barrier, 0, NULL, 0,
      NULL);
  return vyre_vk_check (
      vkEndCommandBuffer (launch->commands), "vkEndCommandBuffer", p->device, error);
}

/* Submits a launch of @groups workgroups that reads payloads from @source. Fewer than
 * VYRE_PIPELINE_LAUNCHES are in flight. */
gboolean
vyre_pipeline_launch (VyrePipeline *p, const guint32 constants[VYRE_LAUNCH_WORDS],
    const VyreSource *source, guint groups, GError **error)
{
  VyreLaunch *launch = &p->launches[(p->first + p->n_flying) % VYRE_PIPELINE_LAUNCHES];
  VkSubmitInfo submit = {
    .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
    .commandBufferCount = 1,
    .pCommandBuffers = &launch->commands,
  };

  launch->sequence = constants[VYRE_LAUNCH_SEQUENCE];
  launch->source = constants[VYRE_LAUNCH_SOURCE];
  launch->groups = groups;
  if (!launches_record (p, launch, source, constants, error)
      || !vyre_vk_check (vyre_device_submit (p->device, p->device->queue, &submit, launch->fence),
          "vkQueueSubmit", p->device, error))
    return FALSE;
  p->n_flying++;
  return TRUE;
}

/* Whether a launch in flight is over, retired or not. */
gboolean
vyre_pipeline_has_ended (const VyrePipeline *p, const VyreLaunch *launch)
{
  return vkGetFenceStatus (p->device->handle, launch->fence) == VK_SUCCESS;
}

/* Without the lock: the caller alone retires launches. Waits up to @timeout ns for one to end. */
VkResult
vyre_pipeline_wait (VyrePipeline *p, const VyreLaunch *launch, guint64 timeout)
{
  return vkWaitForFences (p->device->handle, 1, &launch->fence, VK_TRUE, timeout);
}

/* Without the lock: no other thread uses the pipeline any more. Waits for all launches in flight,
 * however long that takes. FALSE: the device is lost, and does not say whether they have ended. */
gboolean
vyre_pipeline_drain (VyrePipeline *p)
{
  gboolean fine = TRUE;

  for (guint i = 0; i < p->n_flying && fine; i++)
    fine
        = vyre_pipeline_wait (p, &p->launches[(p->first + i) % VYRE_PIPELINE_LAUNCHES], G_MAXUINT64)
          == VK_SUCCESS;
  return fine;
}

VyreLaunch *
vyre_pipeline_oldest (VyrePipeline *p)
{
  return p->n_flying ? &p->launches[p->first] : NULL;
}

/* Takes the oldest launch, which has ended, out of flight. */
void
vyre_pipeline_retire_oldest (VyrePipeline *p)
{
  vkResetFences (p->device->handle, 1, &p->launches[p->first].fence);
  p->first = (p->first + 1) % VYRE_PIPELINE_LAUNCHES;
  p->n_flying--;
}
