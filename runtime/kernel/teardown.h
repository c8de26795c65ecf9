/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The end of a megakernel. A device may hang, a compiler or a file may be slow: a thread of its own
 * takes the kernel down, and the last reference waits for it for a while alone. What the device may
 * yet read or write stays until that thread is through. Private to libvyre.
 */
#pragma once

#include "kernel/types.h"

G_BEGIN_DECLS

gboolean vyre_megakernel_take_down (VyreMegakernel *kernel, gint64 limit);

G_END_DECLS
