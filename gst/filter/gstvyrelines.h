/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * JSON lines: the results and the events of a stream in a file, while the property results-location
 * names one. docs/json-lines.md has the lines and the rules of the file. The worker calls these
 * functions, and the activation of the source pad when there is none; without a lock.
 */
#pragma once

#include "filter/gstvyrestream.h"

G_BEGIN_DECLS

void gst_vyre_lines_turn (GstVyreFilter *self);
gboolean gst_vyre_lines_start (GstVyreFilter *self);
void gst_vyre_lines_follow (GstVyreFilter *self);
void gst_vyre_lines_add (GstVyreFilter *self, const GstStructure *structure);
void gst_vyre_lines_end (GstVyreFilter *self);
void gst_vyre_lines_stop (GstVyreFilter *self);

G_END_DECLS
