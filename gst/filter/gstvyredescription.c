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
};

/* Units of the results of payload opcodes: of what they count, and of values */
static const struct {
  guint32 opcode;
  const gchar *units;
} description_units[] = {
  { VYRE_OP_U8_STATS, "bytes levels" },
  { VYRE_OP_U8_HISTOGRAM, "bytes" },
  { VYRE_OP_U8_BELOW, "bytes" },
  { VYRE_OP_SAMPLE_STATS, "samples levels" },
  { VYRE_OP_SAMPLE_BELOW, "samples" },
  { VYRE_OP_SAMPLE_HISTOGRAM, "samples" },
  { VYRE_OP_AUDIO_STATS, "samples levels" },
  { VYRE_OP_AUDIO_LOUD, "samples" },
  { VYRE_OP_SAMPLE_DIFFERENCE, "samples levels" },
  { VYRE_OP_SAMPLE_ROWS, "rows" },
  { VYRE_OP_SAMPLE_COLUMNS, "columns" },
  { VYRE_OP_SAMPLE_GRID, "samples levels" },
  { VYRE_OP_SAMPLE_SATURATION, "samples" },
  { VYRE_OP_SAMPLE_HUE, "samples" },
  { VYRE_OP_SAMPLE_OUTLIERS, "samples" },
  { VYRE_OP_SAMPLE_REPEATS, "rows" },
  { VYRE_OP_SAMPLE_RANGE, "samples" },
  { VYRE_OP_SAMPLE_SSIM, "windows 2^-30" },
};
G_STATIC_ASSERT (VYRE_SSIM_BITS == 30);

/* The argument of a payload opcode with its first observable, and the bits that number it */
#define OBSERVABLE_ARG (VYRE_SLOT_ARGS + 4)
#define OBSERVABLE_BITS 0x0FFFFFFFu

static const gchar *
description_find_units (guint32 opcode)
{
  for (guint i = 0; i < G_N_ELEMENTS (description_units); i++)
    if (description_units[i].opcode == opcode)
      return description_units[i].units;
  return NULL;
}

/* Gives the entry of each slot's result its units. Entries come in the order of slots, mostly: a
 * search begins where the last one ended. */
static void
description_add_units (GstVyreEntry *entries, guint n_entries, const VyreBoundProgram *bound)
{
  guint at = 0;

  for (guint i = 0; i < bound->n_used; i++) {
    const guint32 *slot = bound->slots + (gsize)i * VYRE_SLOT_WORDS;
    const gchar *units = description_find_units (slot[VYRE_SLOT_OPCODE]);
    for (guint tried = 0; units && tried < n_entries; tried++, at = (at + 1) % n_entries)
      if (entries[at].observable == (slot[OBSERVABLE_ARG] & OBSERVABLE_BITS)) {
        entries[at].units = units;
        break;
      }
  }
}

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
    };
  }
  description_add_units (entries, bound->n_results, bound);
  if (!*table
      || !gst_vyre_table_is_of (
          *table, entries, bound->n_results, layout->size, bound->sequence_slot >= 0, program))
    description_renew (table, entries, bound, layout, program);
}
