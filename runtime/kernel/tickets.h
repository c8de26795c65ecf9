/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tickets as the device reads them, docs/protocol.md. Private to libvyre.
 */
#pragma once

#include "kernel/types.h"

G_BEGIN_DECLS

guint vyre_tickets_count (const VyreBatch *batch);
void vyre_tickets_write (const VyreBatch *batch);
void vyre_tickets_drop (const VyreBatch *batch);

G_END_DECLS
