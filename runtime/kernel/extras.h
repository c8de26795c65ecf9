/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Extras, code that few batches need: a thread of its own builds the pipeline that has them. Other
 * batches go on with the kernel that is there; a batch that needs more waits in
 * vyre_megakernel_publish(). Private to libvyre.
 */
#pragma once

#include "kernel/types.h"

G_BEGIN_DECLS

gboolean vyre_extras_are_plain (VyreMegakernel *kernel, guint32 extras);
gboolean vyre_extras_wait (VyreMegakernel *kernel, guint32 extras, gint64 end_time, GError **error);
void vyre_extras_join (VyreMegakernel *kernel);

G_END_DECLS
