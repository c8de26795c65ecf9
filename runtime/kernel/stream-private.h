/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Streams as the files of the kernel see them. Private to libvyre.
 */
#pragma once

#include "kernel/types.h"

G_BEGIN_DECLS

gboolean vyre_stream_join (VyreStream *stream, VyreBatch *batch, GError **error);
gboolean vyre_stream_enter (VyreBatch *batch);
VyreBatch *vyre_stream_peek (const VyreStream *stream, guint index);
gboolean vyre_stream_waits_among (const VyreBatch *batch, guint n);
void vyre_stream_stop_waiting (VyreBatch *batch);
void vyre_stream_begin (VyreBatch *batch);
VyreBatch *vyre_stream_leave (VyreBatch *batch, VyreKept **dropped);
void vyre_stream_replace (VyreStream *stream, guint from, VyreKept *kept, VyreKept **dropped);
void vyre_stream_drop_useless (const VyreBatch *batch, VyreKept **dropped);
void vyre_stream_drop (const VyreStream *stream, VyreKept *kept);

G_END_DECLS
