/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "library/gstvyrehead.h"

#include "library/gstvyrefields.h"
#include "library/gstvyretiming.h"

/* Fields that messages with results have beside the results themselves. "element", "program" and
 * "pts" name nothing yet: messages of other elements have them. */
static const gchar *const reserved_fields[] = {
  "timestamp",
  "stream-time",
  "running-time",
  "duration",
  "program",
  "sequence",
  "complete",
  "payload-bytes",
  "processed-bytes",
  "late",
  "missing",
  "offset",
  "element",
  "pts",
  "caps",
  GST_VYRE_EVENT_STATES,
  NULL,
};

static GQuark offset_quark, payload_quark, processed_quark, sequence_quark, complete_quark;

const gchar *const *
gst_vyre_results_list_reserved (void)
{
  return reserved_fields;
}

void
gst_vyre_head_init (void)
{
  offset_quark = g_quark_from_static_string ("offset");
  payload_quark = g_quark_from_static_string ("payload-bytes");
  processed_quark = g_quark_from_static_string ("processed-bytes");
  sequence_quark = g_quark_from_static_string ("sequence");
  complete_quark = g_quark_from_static_string ("complete");
}

/* Adds the states of events that the meta of @readback says. A process without the plugin, which
 * registers the meta, has no such buffer. */
void
gst_vyre_head_add_states (GstStructure *structure, GstBuffer *readback)
{
  GstCustomMeta *meta = gst_meta_get_info (GST_VYRE_READBACK_META)
                            ? gst_buffer_get_custom_meta (readback, GST_VYRE_READBACK_META)
                            : NULL;
  const GValue *states
      = meta ? gst_structure_get_value (gst_custom_meta_get_structure (meta), GST_VYRE_EVENT_STATES)
             : NULL;

  if (states)
    gst_structure_set_value (structure, GST_VYRE_EVENT_STATES, states);
}

/* Returns the fields of a message but the results, in the order of vyrefilter. */
GstStructure *
gst_vyre_head_new_structure (const GstVyreHead *head, const GstSegment *segment)
{
  GstStructure *structure = gst_structure_new_empty (GST_VYRE_RESULTS_NAME);

  gst_vyre_timing_set (structure, segment, head->pts, head->duration);
  gst_vyre_fields_set_number (structure, offset_quark, head->offset);
  gst_vyre_fields_set_number (structure, payload_quark, G_MAXUINT64);
  gst_vyre_fields_set_number (structure, processed_quark, G_MAXUINT64);
  gst_vyre_fields_set_number (structure, sequence_quark, head->sequence);
  gst_vyre_fields_set_truth (structure, complete_quark, head->is_whole);
  return structure;
}
