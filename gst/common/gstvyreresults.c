/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/gstvyreresults.h"

/* Registers the meta while no streaming thread runs: a child that is forked in the middle of a
 * registration waits without end for the rest of it. */
void
gst_vyre_results_init (void)
{
  static const gchar *tags[] = { NULL };

  gst_meta_register_custom (GST_VYRE_RESULTS_META, tags, NULL, NULL, NULL);
}

static gboolean
results_copy_field (GQuark name, const GValue *value, gpointer structure)
{
  gst_structure_id_set_value (structure, name, value);
  return TRUE;
}

/* Adds @results, which it takes, to the writable @buffer, in place of those that it has. */
void
gst_buffer_take_vyre_results (GstBuffer *buffer, GstStructure *results)
{
  GstCustomMeta *meta = gst_buffer_get_custom_meta (buffer, GST_VYRE_RESULTS_META);

  if (!meta)
    meta = gst_buffer_add_custom_meta (buffer, GST_VYRE_RESULTS_META);
  GstStructure *fields = gst_custom_meta_get_structure (meta);
  gst_structure_remove_all_fields (fields);
  gst_structure_foreach (results, results_copy_field, fields);
  gst_structure_free (results);
}
