/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Caps whose buffers lie in memory of a device, and the element that brings each kind of it to
 * the CPU.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

gboolean gst_vyre_device_memory_check (GstCaps *caps, GError **error);

G_END_DECLS
