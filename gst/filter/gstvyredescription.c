/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyredescription.h"

/* Types of results, as caps name them */
static const GstVyreResultType description_types[] = {
  [VYRE_RESULT_U32] = GST_VYRE_RESULT_U32,
  [VYRE_RESULT_STATS] = GST_VYRE_RESULT_STATS,
  [VYRE_RESULT_HISTOGRAM] = GST_VYRE_RESULT_HISTOGRAM,
  [VYRE_RESULT_WORDS] = GST_VYRE_RESULT_WORDS,
  [VYRE_RESULT_AUDIO] = GST_VYRE_RESULT_AUDIO,
  [VYRE_RESULT_DIFFERENCE] = GST_VYRE_RESULT_DIFFERENCE,
  [VYRE_RESULT_BOUNDS] = GST_VYRE_RESULT_BOUNDS,
  [VYRE_RESULT_GRID] = GST_VYRE_RESULT_GRID,
  [VYRE_RESULT_SSIM] = GST_VYRE_RESULT_SSIM,
  [VYRE_RESULT_LOUD] = GST_VYRE_RESULT_LOUD,
  [VYRE_RESULT_U64] = GST_VYRE_RESULT_U64,
  [VYRE_RESULT_I32] = GST_VYRE_RESULT_I32,
  [VYRE_RESULT_I64] = GST_VYRE_RESULT_I64,
  [VYRE_RESULT_F32] = GST_VYRE_RESULT_F32,
  [VYRE_RESULT_F64] = GST_VYRE_RESULT_F64,
};

static void
description_renew (GstVyreTable **table, const GstVyreEntry *entries, const VyreBoundProgram *bound,
    const VyreLayout *layout, const gchar *program)
{
  g_autoptr (GError) error = NULL;

  g_clear_pointer (table, gst_vyre_table_unref);
  *table = gst_vyre_table_new (
      entries, bound->n_results, layout->size, bound->sequence_slot >= 0, program, &error);
  if (!*table)
    g_error ("%s", error->message); /* a bound program has no such results */
}

/* Has @table, which may be NULL, describe readbacks of @bound, which lie as @layout says. @program
 * may be NULL. Plans of buffers of different sizes mostly have the same table, which stays. */
void
gst_vyre_description_update (GstVyreTable **table, const VyreBoundProgram *bound,
    const VyreLayout *layout, const gchar *program)
{
  g_autofree GstVyreEntry *entries = g_new0 (GstVyreEntry, bound->n_results);

  for (guint i = 0; i < bound->n_results; i++) {
    const VyreResult *result = &bound->results[i];
    entries[i] = (GstVyreEntry){
      .name = result->name,
      .type = description_types[result->type],
      .observable = result->observable,
      .n_words = result->n_words,
      .units = result->units,
    };
  }
  if (!*table
      || !gst_vyre_table_is_of (
          *table, entries, bound->n_results, layout->size, bound->sequence_slot >= 0, program))
    description_renew (table, entries, bound, layout, program);
}
