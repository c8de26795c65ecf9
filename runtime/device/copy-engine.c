/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device/copy-engine.h"

#include "abi.h"
#include "base/pins.h"

static gboolean
copy_create_copies (VyreCopyEngine *c, GError **error)
{
  VkCommandPoolCreateInfo pool_info = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
    .flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
    .queueFamilyIndex = c->device->transfer_family,
  };
  VkFenceCreateInfo fence_info = {
    .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO,
    .flags = VK_FENCE_CREATE_SIGNALED_BIT,
  };

  if (!vyre_vk_check (vkCreateCommandPool (c->device->handle, &pool_info, NULL, &c->pool),
          "vkCreateCommandPool", c->device, error))
    return FALSE;
  VkCommandBufferAllocateInfo info = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
    .commandPool = c->pool,
    .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
    .commandBufferCount = 1,
  };
  for (guint i = 0; i < c->device->n_transfer_queues * VYRE_COPY_ENGINE_COPIES; i++) {
    VyreCopy *copy = &c->copies[i / VYRE_COPY_ENGINE_COPIES][i % VYRE_COPY_ENGINE_COPIES];
    if (!vyre_vk_check (vkAllocateCommandBuffers (c->device->handle, &info, &copy->commands),
            "vkAllocateCommandBuffers", c->device, error)
        || !vyre_vk_check (vkCreateFence (c->device->handle, &fence_info, NULL, &copy->fence),
            "vkCreateFence", c->device, error))
      return FALSE;
  }
  return TRUE;
}

/* @device has a transfer queue. The caller clears the copy engine, also after a failure. */
gboolean
vyre_copy_engine_init (VyreCopyEngine *c, VyreDevice *device, GError **error)
{
  *c = (VyreCopyEngine){ .device = device };
  return vyre_buffer_init (&c->tickets, device, (gsize)VYRE_MAX_TICKETS * VYRE_TICKET_BYTES,
             VYRE_BUFFER_HOST, error)
         && copy_create_copies (c, error);
}

/* No copy is under way. */
void
vyre_copy_engine_clear (VyreCopyEngine *c)
{
  if (!c->device)
    return;
  for (guint queue = 0; queue < c->device->n_transfer_queues; queue++) {
    for (guint i = 0; i < VYRE_COPY_ENGINE_COPIES; i++)
      vkDestroyFence (c->device->handle, c->copies[queue][i].fence, NULL);
  }
  vkDestroyCommandPool (c->device->handle, c->pool, NULL);
  vyre_buffer_clear (&c->tickets);
  *c = (VyreCopyEngine){ 0 };
}

/* Any thread. The place in the image where the host writes ticket @number, for a later
 * vyre_copy_engine_submit(). */
guint8 *
vyre_copy_engine_ticket (VyreCopyEngine *c, guint32 number)
{
  return c->tickets.data + (gsize)(number % VYRE_MAX_TICKETS) * VYRE_TICKET_BYTES;
}

/* Copies consecutive tickets, which may run over the end of the ring. */
static void
copy_record_tickets (
    VyreCopyEngine *c, VkCommandBuffer commands, VkBuffer door, guint32 first, guint32 n_tickets)
{
  guint32 start = first % VYRE_MAX_TICKETS;
  guint32 before_end = MIN (n_tickets, VYRE_MAX_TICKETS - start);
  const VkDeviceSize ring = (VkDeviceSize)VYRE_DOOR_TICKETS * VYRE_GRANULE;
  VkBufferCopy ranges[2] = {
    {
        .srcOffset = (VkDeviceSize)start * VYRE_TICKET_BYTES,
        .dstOffset = ring + (VkDeviceSize)start * VYRE_TICKET_BYTES,
        .size = (VkDeviceSize)before_end * VYRE_TICKET_BYTES,
    },
    {
        .srcOffset = 0,
        .dstOffset = ring,
        .size = (VkDeviceSize)(n_tickets - before_end) * VYRE_TICKET_BYTES,
    },
  };

  vkCmdCopyBuffer (commands, c->tickets.buffer, door, n_tickets > before_end ? 2 : 1, ranges);
}

/* Copies a payload, from each step that has a part of it; nothing of an empty range. */
static void
copy_record_payload (VkCommandBuffer commands, const VyreCopyJob *payload)
{
  VkBufferCopy left = payload->range;

  if (left.size > 0 && payload->from) {
    vkCmdCopyBuffer (commands, payload->from, payload->to, 1, &left);
    return;
  }
  while (left.size > 0) {
    gsize at = left.srcOffset % VYRE_PIN_STEP;
    VkBufferCopy part = { at, left.dstOffset, MIN (left.size, VYRE_PIN_STEP - at) };
    vkCmdCopyBuffer (
        commands, vyre_steps_get_buffer (payload->steps, left.srcOffset), payload->to, 1, &part);
    left.srcOffset += part.size;
    left.dstOffset += part.size;
    left.size -= part.size;
  }
}

static gboolean
copy_record (VyreCopyEngine *c, VkCommandBuffer commands, const VyreCopyJob *payload, VkBuffer door,
    guint32 first_ticket, guint32 n_tickets, GError **error)
{
  VkCommandBufferBeginInfo begin = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
    .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT,
  };
  /* pairs with the barrier in take(), and with the addresses that look() depends on,
   * megakernel.comp: the payload is there before the tickets. What the host wrote before it
   * submitted is read as it is. A barrier for more than copies makes the next copy of the queue
   * wait for 12 µs. */
  VkMemoryBarrier arrived = {
    .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
    .srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
    .dstAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
  };

  if (!vyre_vk_check (
          vkBeginCommandBuffer (commands, &begin), "vkBeginCommandBuffer", c->device, error))
    return FALSE;
  copy_record_payload (commands, payload);
  if (n_tickets > 0) {
    vkCmdPipelineBarrier (commands, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT,
        0, 1, &arrived, 0, NULL, 0, NULL);
    copy_record_tickets (c, commands, door, first_ticket, n_tickets);
  }
  return vyre_vk_check (vkEndCommandBuffer (commands), "vkEndCommandBuffer", c->device, error);
}

/* The place of copy @number, counted from 0. Queues take turns. */
static VyreCopy *
copy_place_of (VyreCopyEngine *c, guint64 number)
{
  guint n_queues = c->device->n_transfer_queues;

  return &c->copies[number % n_queues][number / n_queues % VYRE_COPY_ENGINE_COPIES];
}

static gboolean
copy_is_free (VyreCopyEngine *c, guint64 number)
{
  const VyreCopy *copy = copy_place_of (c, number);

  return !copy->taken && vkGetFenceStatus (c->device->handle, copy->fence) != VK_NOT_READY;
}

/* TRUE once the copy that had the place of the next copy has ended, or the device is lost. */
gboolean
vyre_copy_engine_has_room (VyreCopyEngine *c)
{
  return copy_is_free (c, c->n_copies);
}

/* Takes the place of the next copy, for which there is room, and returns its number, counted
 * from 0. The caller submits that copy, or has the kernel fail. */
guint64
vyre_copy_engine_take (VyreCopyEngine *c)
{
  VyreCopy *copy = copy_place_of (c, c->n_copies);

  copy->taken = TRUE;
  copy->number = c->n_copies;
  return c->n_copies++;
}

/* The number of the next copy in the queue of copy @number. */
static guint64
copy_number_behind (const VyreCopyEngine *c, guint64 number)
{
  guint n_queues = c->device->n_transfer_queues;

  return c->n_copies + (number + n_queues - c->n_copies % n_queues) % n_queues;
}

/* The same for the next copy that runs behind copy @number, in its queue. */
gboolean
vyre_copy_engine_has_room_behind (VyreCopyEngine *c, guint64 number)
{
  return copy_is_free (c, copy_number_behind (c, number));
}

/* The same; numbers of other queues on the way stay without a copy. */
guint64
vyre_copy_engine_take_behind (VyreCopyEngine *c, guint64 number)
{
  c->n_copies = copy_number_behind (c, number);
  return vyre_copy_engine_take (c);
}

/* Copies a payload and then the @n_tickets tickets from @first_ticket on, from the host's image
 * of the ring into @door, as copy @number, which was taken. Once a ticket is visible, its
 * payload has been copied: the source may be overwritten. */
gboolean
vyre_copy_engine_submit (VyreCopyEngine *c, guint64 number, const VyreCopyJob *payload,
    VkBuffer door, guint32 first_ticket, guint32 n_tickets, GError **error)
{
  VkQueue queue = c->device->transfer_queues[number % c->device->n_transfer_queues];
  VyreCopy *copy = copy_place_of (c, number);
  VkSubmitInfo submit = {
    .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
    .commandBufferCount = 1,
    .pCommandBuffers = &copy->commands,
  };

  copy->taken = copy->submitted = FALSE;
  copy->submitted
      = vyre_vk_check (
            vkResetFences (c->device->handle, 1, &copy->fence), "vkResetFences", c->device, error)
        && copy_record (c, copy->commands, payload, door, first_ticket, n_tickets, error)
        && vyre_vk_check (vyre_device_submit (c->device, queue, &submit, copy->fence),
            "vkQueueSubmit", c->device, error);
  return copy->submitted;
}

/* TRUE once copy @number has ended, some moments after its batch may have completed. */
gboolean
vyre_copy_engine_has_ended (VyreCopyEngine *c, guint64 number)
{
  const VyreCopy *copy = copy_place_of (c, number);

  if (copy->number != number) /* a later copy has its place */
    return TRUE;
  return !copy->taken && vkGetFenceStatus (c->device->handle, copy->fence) == VK_SUCCESS;
}

/* TRUE if no copy is under way, or the device is lost. */
gboolean
vyre_copy_engine_is_idle (const VyreCopyEngine *c)
{
  guint places = c->device ? c->device->n_transfer_queues * VYRE_COPY_ENGINE_COPIES : 0;
  gboolean idle = TRUE;

  for (guint i = 0; i < places && idle; i++) {
    const VyreCopy *copy = copy_place_of ((VyreCopyEngine *)c, i);
    idle = !copy->taken && vkGetFenceStatus (c->device->handle, copy->fence) != VK_NOT_READY;
  }
  return idle;
}

/* Without the lock: no other thread uses the copy engine any more. Waits for all copies under
 * way, however long that takes. FALSE: the device is lost, and does not say whether they have
 * ended. */
gboolean
vyre_copy_engine_drain (VyreCopyEngine *c)
{
  guint places = c->device ? c->device->n_transfer_queues * VYRE_COPY_ENGINE_COPIES : 0;
  gboolean fine = TRUE;

  for (guint i = 0; i < places && fine; i++) {
    const VyreCopy *copy = copy_place_of (c, i);
    fine = !copy->submitted
           || vkWaitForFences (c->device->handle, 1, &copy->fence, VK_TRUE, G_MAXUINT64)
                  == VK_SUCCESS;
  }
  return fine;
}
