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

VyreDevice *vyre_device_open (const char *selector, GError **error);
VyreDevice *vyre_device_ref (VyreDevice *device);
void vyre_device_unref (VyreDevice *device);
const char *vyre_device_get_name (const VyreDevice *device);
const char *vyre_device_get_uuid (const VyreDevice *device);
gboolean vyre_device_is_cpu (const VyreDevice *device);
gsize vyre_device_get_max_payload (const VyreDevice *device);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VyreDevice, vyre_device_unref)

G_END_DECLS
