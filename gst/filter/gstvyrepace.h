/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which thread pushes a readback: the chain function where that takes no longer than waking the
 * source pad's task, else the task. docs/architecture.md has the rule.
 */
#pragma once

#include "filter/gstvyrestate.h"

G_BEGIN_DECLS

void gst_vyre_pace_init (GstVyrePace *pace);
void gst_vyre_pace_reset (GstVyrePace *pace);
void gst_vyre_pace_note_buffer (GstVyrePace *pace, gint64 now);
void gst_vyre_pace_note_return (GstVyrePace *pace, gint64 now);
void gst_vyre_pace_note_done (GstVyrePace *pace);
void gst_vyre_pace_note_handover (GstVyrePace *pace, gint64 time);
void gst_vyre_pace_note_time (GstVyrePace *pace, gint64 time);
gboolean gst_vyre_pace_is_quick (const GstVyrePace *pace);
gint64 gst_vyre_pace_get_patience (const GstVyrePace *pace, gboolean ahead);

G_END_DECLS
