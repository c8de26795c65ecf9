/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One Vulkan storage buffer that the host can address, for its whole life. Owned
 * by exactly one object, which sees to it that no kernel uses it when it goes.
 */
#pragma once

#include "device/device-private.h"

/* HOST: read and written by the CPU at full speed. STAGING: that, and what io_uring may
 * pin. STEPS: the same for a kernel that does not address it: where the device can import pages, it
 * has no buffer, and device/steps.h imports parts. DEVICE: near the kernel; the CPU should only
 * write it. Where memory is one, they are the same. */
typedef enum {
  VYRE_BUFFER_HOST,
  VYRE_BUFFER_STAGING,
  VYRE_BUFFER_STEPS,
  VYRE_BUFFER_DEVICE,
} VyreBufferKind;

typedef struct {
  VyreDevice *device;
  VkBuffer buffer;
  VkDeviceMemory memory;
  guint8 *data;
  gsize size;     /* bytes asked for */
  gsize reserved; /* bytes of address space, when the pages are ours */
  gboolean forks; /* a child has a copy of it, as of the fork */
} VyreBuffer;

gboolean vyre_buffer_init (
    VyreBuffer *memory, VyreDevice *device, gsize size, VyreBufferKind kind, GError **error);
gboolean vyre_buffer_import (
    VyreBuffer *memory, VyreDevice *device, void *pages, gsize size, GError **error);
void vyre_buffer_clear (VyreBuffer *memory);
void vyre_buffer_flush (void);
