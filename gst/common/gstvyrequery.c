/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/gstvyrequery.h"

#define NAME "vyre-stats"
#define FIELD "stats"

GstQuery *
gst_vyre_query_new_stats (void)
{
  return gst_query_new_custom (GST_QUERY_CUSTOM, gst_structure_new_empty (NAME));
}

gboolean
gst_vyre_query_is_stats (GstQuery *query)
{
  const GstStructure *structure = gst_query_get_structure (query);

  return structure && gst_structure_has_name (structure, NAME);
}

/* Answers with @stats, which it takes. */
void
gst_vyre_query_take_stats (GstQuery *query, GstStructure *stats)
{
  gst_structure_set (gst_query_writable_structure (query), FIELD, GST_TYPE_STRUCTURE, stats, NULL);
  gst_structure_free (stats);
}

/* Returns the answer, valid as long as @query, or NULL. */
const GstStructure *
gst_vyre_query_get_stats (GstQuery *query)
{
  const GValue *value = gst_structure_get_value (gst_query_get_structure (query), FIELD);

  return value && GST_VALUE_HOLDS_STRUCTURE (value) ? gst_value_get_structure (value) : NULL;
}
