/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What every file of the kernel asks of its state. Private to libvyre.
 */
#pragma once

#include "kernel/types.h"

G_BEGIN_DECLS

gint64 vyre_now (void);
void vyre_megakernel_fail (VyreMegakernel *kernel, GError *error);
gboolean vyre_megakernel_has_failed (VyreMegakernel *kernel);
gboolean vyre_megakernel_set_failure (const VyreMegakernel *kernel, GError **error);
void vyre_megakernel_set_copy_threshold (VyreMegakernel *kernel, gsize threshold);
void vyre_megakernel_wake_host (VyreMegakernel *kernel);
guint8 *vyre_batch_readback (const VyreBatch *batch);
guint8 *vyre_batch_get_io_queue (const VyreBatch *batch);

G_END_DECLS
