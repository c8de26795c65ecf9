/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How fast the device is: from which size on a copy engine moves payloads, and what a batch may
 * cost. Private to libvyre.
 */
#pragma once

#include "kernel/types.h"

G_BEGIN_DECLS

gboolean vyre_speed_measure (VyreMegakernel *kernel, GError **error);

G_END_DECLS
