/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Rare operations: a thread of its own builds the pipeline that has them. Other batches go on with
 * the kernel that is there; a batch that needs them waits in vyre_megakernel_publish(). Private to
 * libvyre.
 */
#pragma once

#include "kernel/types.h"

G_BEGIN_DECLS

gboolean vyre_rare_wait (VyreMegakernel *kernel, gint64 end_time, GError **error);
void vyre_rare_join (VyreMegakernel *kernel);

G_END_DECLS
