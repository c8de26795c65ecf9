/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One Vulkan storage buffer that the host can address, for its whole life. Owned
 * by exactly one object, which sees to it that no kernel uses it when it goes.
 */
#pragma once

#include "vyre-device-private.h"

/* HOST: read and written by the CPU at full speed. STAGING: that, and what io_uring may
 * pin. DEVICE: near the kernel; the CPU should only write it. Where memory is one, they are
 * the same. */
typedef enum {
  VYRE_MEMORY_HOST,
  VYRE_MEMORY_STAGING,
  VYRE_MEMORY_DEVICE,
} VyreMemoryKind;

typedef struct {
  VyreDevice *device;
  VkBuffer buffer;
  VkDeviceMemory memory;
  guint8 *data;
  gsize size;     /* bytes asked for */
  gsize reserved; /* bytes of address space, when the pages are ours */
  gboolean forks; /* a child has a copy of it, as of the fork */
} VyreMemory;

gboolean vyre_memory_init (
    VyreMemory *memory, VyreDevice *device, gsize size, VyreMemoryKind kind, GError **error);
gboolean vyre_memory_import (
    VyreMemory *memory, VyreDevice *device, void *pages, gsize size, GError **error);
void vyre_memory_clear (VyreMemory *memory);
void vyre_memory_store (void *to, const void *from, gsize size);
void vyre_memory_flush (void);
