/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Batches that are published once more: for the run after the one that has ended, or for the slots
 * that waited for the host. Called by the service thread alone, without the lock. Private to
 * libvyre.
 */
#pragma once

#include "kernel/types.h"

G_BEGIN_DECLS

void vyre_batch_resume (VyreBatch *batch, gboolean writes);
gboolean vyre_turns_proceed (VyreMegakernel *kernel);
void vyre_turns_end (VyreMegakernel *kernel);

G_END_DECLS
