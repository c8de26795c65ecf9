/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The clock fields of messages, which those of level, spectrum and videoanalyse have as well.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

void gst_vyre_timing_init (void);
void gst_vyre_timing_set (
    GstStructure *structure, const GstSegment *segment, GstClockTime pts, GstClockTime duration);

G_END_DECLS
