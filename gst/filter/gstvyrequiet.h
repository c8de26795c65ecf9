/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Quiet samples in a row, as the results of audio_loud have them, and how long they last.
 */
#pragma once

#include <gst/gst.h>

#include "vyre/vyre.h"

G_BEGIN_DECLS

void gst_vyre_quiet_read (const VyreEvent *event, const guint8 *readback, guint32 *words);
guint64 gst_vyre_quiet_count_samples (const VyreEvent *event);
GstClockTime gst_vyre_quiet_get_time (const VyreEvent *event, guint32 samples);

G_END_DECLS
