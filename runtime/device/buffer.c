/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device/buffer.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/order.h"

#define HOST_FLAGS (VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT)

static gint
buffer_find_type (const VyreDevice *device, guint32 allowed, VkMemoryPropertyFlags wanted)
{
  for (guint32 i = 0; i < device->memory.memoryTypeCount; i++) {
    if ((allowed & (1u << i)) && (device->memory.memoryTypes[i].propertyFlags & wanted) == wanted)
      return (gint)i;
  }
  return -1;
}

static gint
buffer_find_type_for (const VyreDevice *device, guint32 allowed, VyreBufferKind kind)
{
  VkMemoryPropertyFlags best = kind == VYRE_BUFFER_DEVICE ? VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT
                                                          : VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
  gint type = buffer_find_type (device, allowed, HOST_FLAGS | best);

  return type >= 0 ? type : buffer_find_type (device, allowed, HOST_FLAGS);
}

static gboolean
buffer_create_buffer (VyreBuffer *memory, gboolean import, GError **error)
{
  const guint32 families[2] = { memory->device->queue_family, memory->device->transfer_family };
  VkExternalMemoryBufferCreateInfo external = {
    .sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
    .handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT,
  };
  VkBufferCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
    .pNext = import ? &external : NULL,
    .size = memory->size,
    .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_STORAGE_TEXEL_BUFFER_BIT
             | VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT,
    .sharingMode = VK_SHARING_MODE_EXCLUSIVE,
  };

  /* the copy engine works on it while the kernel runs */
  if (memory->device->n_transfer_queues > 0) {
    info.sharingMode = VK_SHARING_MODE_CONCURRENT;
    info.queueFamilyIndexCount = 2;
    info.pQueueFamilyIndices = families;
  }

  return vyre_vk_check (vkCreateBuffer (memory->device->handle, &info, NULL, &memory->buffer),
      "vkCreateBuffer", memory->device, error);
}

static gboolean
buffer_allocate_and_bind (
    VyreBuffer *memory, gint type, gsize size, const void *import, GError **error)
{
  VyreDevice *device = memory->device;
  VkMemoryAllocateInfo info = {
    .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
    .pNext = import,
    .allocationSize = size,
    .memoryTypeIndex = (guint32)type,
  };

  if (type < 0) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_UNSUPPORTED,
        "%s has no memory that host and kernel can both address. Fix: choose another device.",
        device->properties.deviceName);
    return FALSE;
  }
  return vyre_vk_check (vkAllocateMemory (device->handle, &info, NULL, &memory->memory),
             "vkAllocateMemory", device, error)
         && vyre_vk_check (vkBindBufferMemory (device->handle, memory->buffer, memory->memory, 0),
             "vkBindBufferMemory", device, error);
}

/* Maps zeroed pages at a multiple of @alignment, a power of two, or returns NULL. */
static guint8 *
buffer_map_aligned (gsize size, gsize alignment)
{
  guint8 *pages
      = mmap (NULL, size + alignment, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (pages == MAP_FAILED)
    return NULL;
  gsize before = -(gsize)pages & (alignment - 1);
  if (before > 0)
    munmap (pages, before);
  munmap (pages + before + size, alignment - before);
  return pages + before;
}

/* Imports the @size bytes at @memory's data as its buffer. */
static gboolean
buffer_import_pages (
    VyreBuffer *memory, gsize size, const VkMemoryRequirements *needs, GError **error)
{
  VyreDevice *device = memory->device;
  VkMemoryHostPointerPropertiesEXT host = {
    .sType = VK_STRUCTURE_TYPE_MEMORY_HOST_POINTER_PROPERTIES_EXT,
  };
  VkImportMemoryHostPointerInfoEXT import = {
    .sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT,
    .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT,
    .pHostPointer = memory->data,
  };

  if (!vyre_vk_check (
          device->get_host_pointer_properties (device->handle,
              VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT, memory->data, &host),
          "vkGetMemoryHostPointerPropertiesEXT", device, error))
    return FALSE;
  gint type = buffer_find_type_for (
      device, needs->memoryTypeBits & host.memoryTypeBits, VYRE_BUFFER_HOST);
  return buffer_allocate_and_bind (memory, type, size, &import, error);
}

/* Gets zeroed pages of the process, for at least @size bytes. */
static gboolean
buffer_get_pages (VyreBuffer *memory, gsize size, GError **error)
{
  gsize granule = MAX (memory->device->import_alignment, (gsize)65536);

  memory->reserved = (size + granule - 1) / granule * granule;
  memory->data = buffer_map_aligned (memory->reserved, granule);
  if (!memory->data) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_NO_SPACE,
        "No %" G_GSIZE_FORMAT " bytes of address space: %s. Fix: use a smaller staging size.",
        memory->reserved, g_strerror (errno));
    return FALSE;
  }
  madvise (memory->data, memory->reserved, MADV_HUGEPAGE); /* a hint, free to be ignored */
  /* After a fork, the first write to a shared page gives the writer a new page. A device or a ring
   * that has pinned the page would keep the old one; the CPU finds the new one by its address. */
  if (!memory->forks)
    madvise (memory->data, memory->reserved, MADV_DONTFORK);
  return TRUE;
}

/* Imports pages of the process: io_uring can register them whatever the driver. */
static gboolean
buffer_init_imported (VyreBuffer *memory, GError **error)
{
  VkMemoryRequirements needs;

  if (!buffer_create_buffer (memory, TRUE, error))
    return FALSE;
  vkGetBufferMemoryRequirements (memory->device->handle, memory->buffer, &needs);
  return buffer_get_pages (memory, MAX (needs.size, memory->size), error)
         && buffer_import_pages (memory, memory->reserved, &needs, error);
}

static gboolean
buffer_init_mapped (VyreBuffer *memory, VyreBufferKind kind, GError **error)
{
  VyreDevice *device = memory->device;
  VkMemoryRequirements needs;
  void *data = NULL;

  if (!buffer_create_buffer (memory, FALSE, error))
    return FALSE;
  vkGetBufferMemoryRequirements (device->handle, memory->buffer, &needs);
  gint type = buffer_find_type_for (device, needs.memoryTypeBits, kind);
  if (!buffer_allocate_and_bind (memory, type, needs.size, NULL, error)
      || !vyre_vk_check (vkMapMemory (device->handle, memory->memory, 0, VK_WHOLE_SIZE, 0, &data),
          "vkMapMemory", device, error))
    return FALSE;
  memory->data = data;
  return TRUE;
}

static void
buffer_reset (VyreBuffer *memory, VyreDevice *device, gsize size, VyreBufferKind kind)
{
  *memory = (VyreBuffer){ .device = vyre_device_ref (device),
    .size = size,
    .forks
    = vyre_device_is_cpu (device) && kind != VYRE_BUFFER_STAGING && kind != VYRE_BUFFER_STEPS };
}

/* Makes a storage buffer of @size bytes. Host memory is zeroed, and imported where
 * the device can (of kind STEPS, only got), else mapped; memory stays mapped. */
gboolean
vyre_buffer_init (
    VyreBuffer *memory, VyreDevice *device, gsize size, VyreBufferKind kind, GError **error)
{
  buffer_reset (memory, device, size, kind);
  if (kind != VYRE_BUFFER_DEVICE && device->import_alignment != 0) {
    if (kind == VYRE_BUFFER_STEPS ? buffer_get_pages (memory, size, NULL)
                                  : buffer_init_imported (memory, NULL))
      return TRUE; /* fresh anonymous pages are zero */
    vyre_buffer_clear (memory);
    buffer_reset (memory, device, size, kind);
  }
  if (buffer_init_mapped (memory, kind, error)) {
    if (kind != VYRE_BUFFER_DEVICE)
      memset (memory->data, 0, size);
    return TRUE;
  }
  vyre_buffer_clear (memory);
  return FALSE;
}

/* Makes a storage buffer over @size bytes at @pages, which stay the caller's and outlive
 * it; both are multiples of the device's import alignment, which is not 0. */
gboolean
vyre_buffer_import (VyreBuffer *memory, VyreDevice *device, void *pages, gsize size, GError **error)
{
  VkMemoryRequirements needs;

  *memory = (VyreBuffer){ .device = vyre_device_ref (device), .size = size, .data = pages };
  gboolean fine = buffer_create_buffer (memory, TRUE, error);
  if (fine) {
    vkGetBufferMemoryRequirements (device->handle, memory->buffer, &needs);
    fine = needs.size <= size;
    if (!fine)
      g_set_error (error, VYRE_ERROR, VYRE_ERROR_UNSUPPORTED,
          "%s needs more than whole pages for a buffer. Fix: let payloads be copied.",
          device->properties.deviceName);
  }
  if (fine && buffer_import_pages (memory, size, &needs, error))
    return TRUE;
  vyre_buffer_clear (memory);
  return FALSE;
}

/* Frees everything; fine on a memory that failed to initialise or was cleared. */
void
vyre_buffer_clear (VyreBuffer *memory)
{
  VyreDevice *device = memory->device;

  if (!device)
    return;
  if (memory->buffer)
    vkDestroyBuffer (device->handle, memory->buffer, NULL);
  if (memory->memory)
    vkFreeMemory (device->handle, memory->memory, NULL);
  if (memory->reserved && memory->data)
    munmap (memory->data, memory->reserved);
  vyre_device_unref (device);
  *memory = (VyreBuffer){ 0 };
}

/* As vyre_order_flush(); pairs as its callers say. */
void
vyre_buffer_flush (void)
{
  vyre_order_flush ();
}
