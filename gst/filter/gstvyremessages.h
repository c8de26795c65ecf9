/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Element messages of vyrefilter: results, counters and debug records. The worker posts them,
 * without a lock. docs/messages.md lists the fields.
 */
#pragma once

#include "filter/gstvyrestate.h"

G_BEGIN_DECLS

void gst_vyre_messages_init (void);
void gst_vyre_messages_set_timing (GstStructure *structure, const GstVyreTiming *timing);
VyreProgram *gst_vyre_messages_accept (VyreProgram *program, GError **error);
void gst_vyre_messages_reset (GstVyreFilter *self);
void gst_vyre_messages_flush (GstVyreFilter *self);
gboolean gst_vyre_messages_are_counters_due (GstVyreFilter *self, const GstVyreSettings *settings);
void gst_vyre_messages_batch (GstVyreFilter *self, const GstVyreSettings *settings, VyrePlan *plan,
    const guint8 *readback, const VyreCompletion *completion, const GstVyreTiming *timing,
    gboolean counters_due);
GstStructure *gst_vyre_messages_new_results (GstVyreFilter *self);
void gst_vyre_messages_eos (GstVyreFilter *self);
GstStructure *gst_vyre_messages_stats (GstVyreFilter *self, gboolean exact);

G_END_DECLS
