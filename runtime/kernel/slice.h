/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The memory of a batch before it runs: its plan, the words in which it differs from that, and its
 * payload. Private to libvyre.
 */
#pragma once

#include "kernel/types.h"

G_BEGIN_DECLS

void vyre_slice_write_plan (VyreBatch *batch);
void vyre_slice_write (VyreBatch *batch);
void vyre_slice_store_payload (const VyreBatch *batch);

G_END_DECLS
