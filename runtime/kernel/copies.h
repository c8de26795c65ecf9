/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Payloads that a copy engine moves: with the tickets of their batch behind them or, while the
 * batch waits for the one before it in its stream, ahead of these. Private to libvyre.
 */
#pragma once

#include "kernel/types.h"

G_BEGIN_DECLS

gboolean vyre_copies_have_room (const VyreBatch *batch);
void vyre_copies_enter (VyreBatch *batch);
void vyre_copies_submit (VyreBatch *batch);
void vyre_copies_begin_ahead (VyreBatch *batch);
gboolean vyre_copies_settle (VyreBatch *batch);
void vyre_copies_wait (VyreBatch *batch);

G_END_DECLS
