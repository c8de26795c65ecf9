/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "library/gstvyretable.h"

#include <string.h>

#include "abi.h"
#include "library/gstvyrecaps.h"
#include "library/gstvyrefields.h"
#include "library/gstvyrehead.h"
#include "library/gstvyretypes.h"
#include "library/gstvyretiming.h"
#include "vyre/error.h"
#include "vyre/parts.h"

struct _GstVyreTable {
  gint refs;
  GstCaps *caps;
  gsize sizes[GST_VYRE_N_PARTS];
  gboolean has_sequence; /* observable 0 is the number of the buffer */
  GstVyreEntry *entries;
  GQuark *names;
  guint n_entries;
  guint n_words; /* of all entries */
};

/* The most bytes of names in caps of others: a field of a GstStructure has a quark, which lives as
 * long as the process, and a sender may have ever new ones. */
#define MOST_FOREIGN_NAMES (4 << 20)
#define QUARK_SIZE 64 /* without the name, roughly */

static GQuark caps_quark;

/* Fixes what conversions look up, while no thread streams: the first caller is the plugin. */
GType
gst_vyre_table_get_type (void)
{
  static gsize type;

  if (g_once_init_enter (&type)) {
    caps_quark = g_quark_from_static_string ("caps");
    gst_vyre_types_init ();
    gst_vyre_timing_init ();
    gst_vyre_head_init ();
    g_once_init_leave (
        &type, g_boxed_type_register_static (g_intern_static_string ("GstVyreTable"),
                   (GBoxedCopyFunc)gst_vyre_table_ref, (GBoxedFreeFunc)gst_vyre_table_unref));
  }
  return type;
}

G_DEFINE_BOXED_TYPE (GstVyreEntry, gst_vyre_entry, gst_vyre_entry_copy, gst_vyre_entry_free)

GstVyreEntry *
gst_vyre_entry_copy (const GstVyreEntry *entry)
{
  GstVyreEntry *copy = g_new (GstVyreEntry, 1);

  *copy = *entry;
  copy->name = g_strdup (entry->name);
  copy->units = g_strdup (entry->units);
  return copy;
}

void
gst_vyre_entry_free (GstVyreEntry *entry)
{
  g_free ((gpointer)entry->name);
  g_free ((gpointer)entry->units);
  g_free (entry);
}

GstVyreTable *
gst_vyre_table_ref (GstVyreTable *table)
{
  g_atomic_int_inc (&table->refs);
  return table;
}

void
gst_vyre_table_unref (GstVyreTable *table)
{
  if (!g_atomic_int_dec_and_test (&table->refs))
    return;
  g_clear_pointer (&table->caps, gst_caps_unref);
  for (guint i = 0; i < table->n_entries; i++)
    g_free ((gpointer)table->entries[i].units);
  g_free (table->entries);
  g_free (table->names);
  g_free (table);
}

/* TRUE for a name that the language of programs lets a result have. */
static gboolean
table_is_name (const gchar *name)
{
  if (!g_ascii_islower (*name) || g_strv_contains (gst_vyre_results_list_reserved (), name))
    return FALSE;
  for (const gchar *c = name; *c; c++)
    if (!g_ascii_islower (*c) && !g_ascii_isdigit (*c) && *c != '-')
      return FALSE;
  return TRUE;
}

/* The words of all results together are no more than those of a control part, so that forged caps
 * do not make a small buffer a large one. */
static gboolean
table_check_entry (const GstVyreTable *table, const GstVyreEntry *entry, GError **error)
{
  gsize room = table->sizes[0] / 4 - VYRE_CONTROL_OBSERVABLES;

  if (table_is_name (entry->name) && gst_vyre_types_has_words (entry->type, entry->n_words)
      && entry->observable <= room && entry->n_words <= room - entry->observable
      && entry->n_words <= VYRE_MAX_OBSERVABLES - table->n_words)
    return TRUE;
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
      "No readback has the result '%.100s' of %u words at observable %u, of %" G_GSIZE_FORMAT
      " observables. Fix: take the caps that vyrefilter sends.",
      entry->name, entry->n_words, entry->observable, room);
  return FALSE;
}

static gboolean
table_check_sizes (const gsize *sizes, GError **error)
{
  gsize head = VYRE_CONTROL_OBSERVABLES * 4;

  if (sizes[0] >= head && sizes[0] <= head + VYRE_MAX_OBSERVABLES * 4 && sizes[0] % 4 == 0
      && sizes[1] % (VYRE_SLOT_WORDS * 4) == 0)
    return TRUE;
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
      "No readback has a control part of %" G_GSIZE_FORMAT " bytes and a ring of %" G_GSIZE_FORMAT
      ". Fix: take the caps that vyrefilter sends.",
      sizes[0], sizes[1]);
  return FALSE;
}

/* Any thread. FALSE for a name that is new to this process, where names of others have taken all
 * that they may. */
static gboolean
table_admit_name (const gchar *name, GError **error)
{
  static gsize taken;
  gsize size = strlen (name) + QUARK_SIZE;

  if (g_quark_try_string (name) != 0)
    return TRUE;
  if ((gsize)g_atomic_pointer_add (&taken, (gssize)size) + size <= MOST_FOREIGN_NAMES)
    return TRUE;
  g_atomic_pointer_add (&taken, -(gssize)size);
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
      "The caps have the new result '%.100s', and names in caps have taken %u MiB of this process, "
      "which are never freed. Fix: find the sender of ever new names, and restart the process.",
      name, MOST_FOREIGN_NAMES >> 20);
  return FALSE;
}

/* Takes @caps over. They are @foreign where another process may have made them. */
static GstVyreTable *
table_make (const GstVyreEntry *entries, guint n_entries, const gsize *sizes, gboolean has_sequence,
    GstCaps *caps, gboolean foreign, GError **error)
{
  g_autoptr (GstVyreTable) table = g_new0 (GstVyreTable, 1);

  table->refs = 1;
  table->caps = caps;
  memcpy (table->sizes, sizes, sizeof table->sizes);
  if (!table_check_sizes (sizes, error))
    return NULL;
  table->has_sequence = has_sequence && sizes[0] > VYRE_CONTROL_OBSERVABLES * 4;
  table->entries = g_new (GstVyreEntry, n_entries);
  table->names = g_new (GQuark, n_entries);
  for (guint i = 0; i < n_entries; i++) {
    if (!table_check_entry (table, &entries[i], error)
        || (foreign && !table_admit_name (entries[i].name, error)))
      return NULL;
    table->entries[i] = entries[i];
    table->names[i] = g_quark_from_string (entries[i].name);
    table->entries[i].name = g_quark_to_string (table->names[i]);
    table->entries[i].units = g_strdup (entries[i].units);
    table->n_words += entries[i].n_words;
    table->n_entries++;
  }
  return g_steal_pointer (&table);
}

GstVyreTable *
gst_vyre_table_new (const GstVyreEntry *entries, guint n_entries, const gsize *part_sizes,
    gboolean has_sequence, const gchar *program, GError **error)
{
  g_type_ensure (GST_TYPE_VYRE_TABLE);
  return table_make (entries, n_entries, part_sizes, has_sequence,
      gst_vyre_caps_new (entries, n_entries, part_sizes, has_sequence, program), FALSE, error);
}

GstVyreTable *
gst_vyre_table_new_from_caps (const GstCaps *caps, GError **error)
{
  gsize sizes[GST_VYRE_N_PARTS];
  gboolean has_sequence;

  g_type_ensure (GST_TYPE_VYRE_TABLE);
  g_autoptr (GArray) entries = gst_vyre_caps_read (caps, sizes, &has_sequence, error);
  if (!entries)
    return NULL;
  return table_make ((const GstVyreEntry *)entries->data, entries->len, sizes, has_sequence,
      gst_caps_copy (caps), TRUE, error);
}

GstCaps *
gst_vyre_table_get_caps (const GstVyreTable *table)
{
  return table->caps;
}

GstCaps *
gst_vyre_table_dup_caps (const GstVyreTable *table)
{
  return gst_caps_ref (table->caps);
}

static gboolean
table_is_entry (const GstVyreEntry *entry, const GstVyreEntry *other)
{
  return entry->type == other->type && entry->observable == other->observable
         && entry->n_words == other->n_words && strcmp (entry->name, other->name) == 0
         && g_strcmp0 (entry->units, other->units) == 0;
}

gboolean
gst_vyre_table_is_of (const GstVyreTable *table, const GstVyreEntry *entries, guint n_entries,
    const gsize *part_sizes, gboolean has_sequence, const gchar *program)
{
  const GstStructure *caps = gst_caps_get_structure (table->caps, 0);
  gboolean same = table->n_entries == n_entries && table->has_sequence == !!has_sequence
                  && memcmp (table->sizes, part_sizes, sizeof table->sizes) == 0
                  && g_strcmp0 (gst_structure_get_string (caps, "program"), program) == 0;

  for (guint i = 0; same && i < n_entries; i++)
    same = table_is_entry (&table->entries[i], &entries[i]);
  return same;
}

guint
gst_vyre_table_get_n_entries (const GstVyreTable *table)
{
  return table->n_entries;
}

const GstVyreEntry *
gst_vyre_table_get_entry (const GstVyreTable *table, guint index)
{
  g_return_val_if_fail (index < table->n_entries, NULL);
  return &table->entries[index];
}

GstVyreEntry *
gst_vyre_table_dup_entry (const GstVyreTable *table, guint index)
{
  g_return_val_if_fail (index < table->n_entries, NULL);
  return gst_vyre_entry_copy (&table->entries[index]);
}

gchar *
gst_vyre_table_dup_unit (const GstVyreTable *table, const gchar *path)
{
  const gchar *point = strchr (path, '.');
  gsize length = point ? (gsize)(point - path) : strlen (path);

  for (guint i = 0; i < table->n_entries; i++)
    if (strncmp (table->entries[i].name, path, length) == 0
        && table->entries[i].name[length] == '\0')
      return gst_vyre_types_dup_unit (&table->entries[i], point ? point + 1 : NULL);
  return NULL;
}

void
gst_vyre_table_add_results (
    const GstVyreTable *table, const guint32 *words, GstStructure *structure)
{
  if (table->n_entries > 0)
    gst_vyre_fields_set_caps (structure, caps_quark, table->caps);
  for (guint i = 0; i < table->n_entries; i++) {
    gst_vyre_types_set (structure, table->names[i], &table->entries[i], words);
    words += table->entries[i].n_words;
  }
}

/* TRUE if each slot that was published ran, none faulted, and no program wrote over the count. */
static gboolean
table_is_whole (const GstVyreTable *table, const guint8 *data)
{
  const guint8 *ring = data + table->sizes[0];
  guint32 n_done = 0;

  for (gsize at = VYRE_SLOT_STATUS * 4; at < table->sizes[1]; at += VYRE_SLOT_WORDS * 4) {
    guint32 status = vyre_read_word (ring, at / 4);
    if (status != VYRE_STATUS_EMPTY && status != VYRE_STATUS_DONE)
      return FALSE;
    n_done += status == VYRE_STATUS_DONE;
  }
  return vyre_read_word (data, VYRE_CONTROL_DONE_COUNT) == n_done;
}

static void
table_read_words (const GstVyreTable *table, const guint8 *data, GstStructure *structure)
{
  g_autofree guint32 *words = g_new (guint32, table->n_words);
  guint n = 0;

  for (guint i = 0; i < table->n_entries; i++)
    for (guint w = 0; w < table->entries[i].n_words; w++)
      words[n++]
          = vyre_read_word (data, VYRE_CONTROL_OBSERVABLES + table->entries[i].observable + w);
  gst_vyre_table_add_results (table, words, structure);
}

/* Returns the fields of the message vyre-results, NULL with @error set for a buffer of another
 * size. */
GstStructure *
gst_vyre_table_new_structure (
    const GstVyreTable *table, GstBuffer *readback, const GstSegment *segment, GError **error)
{
  gsize size = table->sizes[0] + table->sizes[1] + table->sizes[2] + table->sizes[3];
  GstMapInfo map;

  if (gst_buffer_get_size (readback) != size || !gst_buffer_map (readback, &map, GST_MAP_READ)) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
        "A buffer of %" G_GSIZE_FORMAT
        " bytes is no readback of these caps, which has %" G_GSIZE_FORMAT
        ". Fix: send buffers as vyrefilter does, each whole.",
        gst_buffer_get_size (readback), size);
    return NULL;
  }
  const GstVyreHead head = {
    .pts = GST_BUFFER_PTS (readback),
    .duration = GST_BUFFER_DURATION (readback),
    .offset = GST_BUFFER_OFFSET (readback),
    .sequence
    = table->has_sequence ? vyre_read_word (map.data, VYRE_CONTROL_OBSERVABLES) : G_MAXUINT64,
    .is_whole = table_is_whole (table, map.data),
  };
  GstStructure *structure = gst_vyre_head_new_structure (&head, segment);
  gst_vyre_head_add_states (structure, readback);
  table_read_words (table, map.data, structure);
  gst_buffer_unmap (readback, &map);
  return structure;
}
