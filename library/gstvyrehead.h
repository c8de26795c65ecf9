/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The head of each structure vyre-results: the fields that are no results.
 */
#pragma once

#include "gst/vyre/results.h"

G_BEGIN_DECLS

#define GST_VYRE_RESULTS_NAME "vyre-results"
#define GST_VYRE_EVENT_STATES "event-states"
#define GST_VYRE_READBACK_META "GstVyreReadbackMeta"

/* Numbers of a readback beside its results; G_MAXUINT64 is unknown */
typedef struct {
  guint64 pts, duration, offset, sequence;
  gboolean is_whole;
} GstVyreHead;

void gst_vyre_head_init (void);
GstStructure *gst_vyre_head_new_structure (const GstVyreHead *head, const GstSegment *segment);
void gst_vyre_head_add_states (GstStructure *structure, GstBuffer *readback);

G_END_DECLS
