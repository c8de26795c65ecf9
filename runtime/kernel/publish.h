/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Batches up to the doorbell: their slices, payloads and tickets. Private to libvyre.
 */
#pragma once

#include "kernel/types.h"

G_BEGIN_DECLS

gboolean vyre_batch_publish (VyreBatch *batch, VyreRelease *stored);
void vyre_batch_publish_or_queue (VyreBatch *batch, VyreRelease *stored);

G_END_DECLS
