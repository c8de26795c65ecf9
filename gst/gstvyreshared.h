/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Megakernels shared by the elements of a process: one for each device and
 * settings, made by the first that asks, gone with the last. A failed one is
 * not handed out again: its users see the error, the next asker gets a new one.
 */
#pragma once

#include <glib.h>

#include "vyre.h"

G_BEGIN_DECLS

VyreMegakernel *gst_vyre_shared_acquire (
    const gchar *device, const VyreMegakernelParams *params, GError **error);
void gst_vyre_shared_release (VyreMegakernel *kernel);

G_END_DECLS
