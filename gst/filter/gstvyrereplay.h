/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The replay log of vyrefilter: one for every stream while the property replay-log names a file. A
 * stream whose log cannot be opened does not start; a stream whose log cannot be written any more,
 * as on a full disk, goes on without.
 */
#pragma once

#include "filter/gstvyrestream.h"

G_BEGIN_DECLS

gboolean gst_vyre_replay_start (GstVyreFilter *self);
void gst_vyre_replay_stop (GstVyreFilter *self);
void gst_vyre_replay_record (GstVyreFilter *self, const GstVyreItem *item, const guint8 *readback);

G_END_DECLS
