/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The replay log of vyrefilter: one for every stream while the property replay-log
 * names a file. A stream that cannot be recorded does not start; one that can no
 * longer be recorded, since the disk is full, goes on without.
 */
#pragma once

#include "filter/gstvyrestream.h"

G_BEGIN_DECLS

gboolean gst_vyre_replay_start (GstVyreFilter *self);
void gst_vyre_replay_stop (GstVyreFilter *self);
void gst_vyre_replay_record (GstVyreFilter *self, const GstVyreItem *item, const guint8 *readback);

G_END_DECLS
