/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/**
 * SECTION:device
 * @title: Device
 * @short_description: A Vulkan device opened for libvyre
 *
 * A device is an instance, a logical device, a compute queue and the abilities of the device. No
 * other opening shares its queues, because a running megakernel occupies one. A device
 * is reference counted and immutable; any thread may use it. Memory that was made on a device
 * keeps it alive.
 */

#include <glib.h>

#include "vyre/error.h"

G_BEGIN_DECLS

/**
 * VyreDevice:
 *
 * A Vulkan device opened for libvyre.
 */
typedef struct _VyreDevice VyreDevice;

/**
 * vyre_device_open:
 * @selector: which device: "auto" (a GPU before a CPU), an index into the
 *   loader's list, a part of a device's name, or a UUID as vyre-info prints it
 * @error: return location
 *
 * Opens a device. Two openings of one device share nothing.
 *
 * Returns: (transfer full) (nullable): the device, or %NULL with
 *   %VYRE_ERROR_NO_LOADER, %VYRE_ERROR_NO_DEVICE, %VYRE_ERROR_UNSUPPORTED,
 *   %VYRE_ERROR_DEVICE, or %VYRE_ERROR_FORKED where the driver was used before a fork
 *   and does not support that
 */
VyreDevice *vyre_device_open (const char *selector, GError **error);

/**
 * vyre_device_ref:
 * @device: a device
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @device with one more reference
 */
VyreDevice *vyre_device_ref (VyreDevice *device);

/**
 * vyre_device_unref:
 * @device: (transfer full): a device
 *
 * Drops a reference. The last one closes the device, but not in a child of the process that opened
 * it.
 */
void vyre_device_unref (VyreDevice *device);

/**
 * vyre_device_get_name:
 * @device: a device
 *
 * Gets the name of a device.
 *
 * Returns: the name that its driver gives it
 */
const char *vyre_device_get_name (const VyreDevice *device);

/**
 * vyre_device_get_uuid:
 * @device: a device
 *
 * Gets the UUID of a device.
 *
 * Returns: its UUID in lower-case hex with dashes
 */
const char *vyre_device_get_uuid (const VyreDevice *device);

/**
 * vyre_device_is_cpu:
 * @device: a device
 *
 * Tells whether a device is a CPU.
 *
 * Returns: whether its kernels run on the host's own cores
 */
gboolean vyre_device_is_cpu (const VyreDevice *device);

/**
 * vyre_device_get_max_payload:
 * @device: a device
 *
 * Gets the largest payload.
 *
 * Returns: the most payload bytes that a kernel can address on it: the largest
 *   storage buffer that the device binds, cut to the reach of 32-bit offsets, with room for
 *   a granule behind the end
 */
gsize vyre_device_get_max_payload (const VyreDevice *device);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreDevice, vyre_device_unref)

G_END_DECLS
