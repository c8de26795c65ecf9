/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A Vulkan device opened for libvyre: instance, logical device, one compute
 * queue and what the device can do. It never shares a queue with anybody else,
 * because a running megakernel occupies it. Reference counted, immutable, usable
 * from any thread; memory made on it keeps it alive.
 */
#pragma once

#include <glib.h>

#include "vyre/error.h"

G_BEGIN_DECLS

typedef struct _VyreDevice VyreDevice;

/**
 * vyre_device_open:
 * @selector: which device: "auto" (a GPU before a CPU), an index into the
 *   loader's list, a part of a device's name, or a UUID as vulkaninfo prints it
 * @error: return location
 *
 * Opens a device. Nothing is shared with other openings of the same device.
 *
 * Returns: (transfer full) (nullable): the device, or %NULL with
 *   %VYRE_ERROR_NO_LOADER, %VYRE_ERROR_NO_DEVICE, %VYRE_ERROR_UNSUPPORTED,
 *   %VYRE_ERROR_DEVICE, or %VYRE_ERROR_FORKED where the driver was used before a fork
 *   and does not take that
 */
VyreDevice *vyre_device_open (const char *selector, GError **error);

/**
 * vyre_device_ref:
 * @device: a device
 *
 * Returns: (transfer full): @device with one more reference
 */
VyreDevice *vyre_device_ref (VyreDevice *device);

/**
 * vyre_device_unref:
 * @device: (transfer full): a device; the last reference closes it, unless it is that of a
 *   process that this one was forked from
 */
void vyre_device_unref (VyreDevice *device);

/**
 * vyre_device_get_name:
 * @device: a device
 *
 * Returns: the name its driver gives it
 */
const char *vyre_device_get_name (const VyreDevice *device);

/**
 * vyre_device_get_uuid:
 * @device: a device
 *
 * Returns: its UUID in lower-case hex with dashes
 */
const char *vyre_device_get_uuid (const VyreDevice *device);

/**
 * vyre_device_is_cpu:
 * @device: a device
 *
 * Returns: whether its kernels run on the host's own cores
 */
gboolean vyre_device_is_cpu (const VyreDevice *device);

/**
 * vyre_device_get_max_payload:
 * @device: a device
 *
 * Returns: the most payload bytes a kernel can address on it: the largest
 *   storage buffer it binds, cut to what 32-bit offsets reach with room for a
 *   granule behind the end
 */
gsize vyre_device_get_max_payload (const VyreDevice *device);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreDevice, vyre_device_unref)

G_END_DECLS
