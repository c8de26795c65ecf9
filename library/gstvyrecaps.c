/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "library/gstvyrecaps.h"

#include "abi.h"
#include "library/gstvyretypes.h"
#include "vyre/error.h"

#define MEDIA_TYPE "application/x-vyre-readback"

static const gchar *const size_fields[GST_VYRE_N_PARTS]
    = { "control-size", "ring-size", "debug-log-size", "io-queue-size" };

/* Writes an entry down: NAME TYPE OBSERVABLE WORDS, and units if there are some. */
static void
caps_append_entry (GValue *results, const GstVyreEntry *entry)
{
  GValue text = G_VALUE_INIT;

  g_value_init (&text, G_TYPE_STRING);
  g_value_take_string (
      &text, g_strdup_printf ("%s %s %u %u%s%s", entry->name, gst_vyre_types_get_name (entry->type),
                 entry->observable, entry->n_words, entry->units ? " " : "",
                 entry->units ? entry->units : ""));
  gst_value_array_append_and_take_value (results, &text);
}

static void
caps_set_results (GstCaps *caps, const GstVyreEntry *entries, guint n_entries)
{
  GValue results = G_VALUE_INIT;

  g_value_init (&results, GST_TYPE_ARRAY);
  for (guint i = 0; i < n_entries; i++)
    caps_append_entry (&results, &entries[i]);
  gst_structure_take_value (gst_caps_get_structure (caps, 0), "results", &results);
}

/* @program may be NULL. */
GstCaps *
gst_vyre_caps_new (const GstVyreEntry *entries, guint n_entries, const gsize *sizes,
    gboolean has_sequence, const gchar *program)
{
  GstCaps *caps = gst_caps_new_simple (MEDIA_TYPE, "abi", G_TYPE_INT, VYRE_ABI_VERSION,
      "slot-count", G_TYPE_INT, (gint)(sizes[1] / (VYRE_SLOT_WORDS * 4)), "observable-slots",
      G_TYPE_INT, (gint)(sizes[0] / 4 - VYRE_CONTROL_OBSERVABLES), NULL);

  for (guint part = 0; part < GST_VYRE_N_PARTS; part++)
    gst_caps_set_simple (caps, size_fields[part], G_TYPE_INT, (gint)sizes[part], NULL);
  gst_caps_set_simple (caps, "has-sequence", G_TYPE_BOOLEAN, has_sequence, NULL);
  if (program)
    gst_caps_set_simple (caps, "program", G_TYPE_STRING, program, NULL);
  if (n_entries > 0)
    caps_set_results (caps, entries, n_entries);
  return caps;
}

static gboolean
caps_read_sizes (const GstStructure *fields, gsize *sizes, GError **error)
{
  for (guint part = 0; part < GST_VYRE_N_PARTS; part++) {
    gint size;
    if (!gst_structure_get_int (fields, size_fields[part], &size) || size < 0) {
      g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
          "The caps have no %s. Fix: take the caps that vyrefilter sends.", size_fields[part]);
      return FALSE;
    }
    sizes[part] = (gsize)size;
  }
  return TRUE;
}

static gboolean
caps_read_number (const gchar *text, guint *number)
{
  guint64 value;

  if (!text || !g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT, &value, NULL))
    return FALSE;
  *number = (guint)value;
  return TRUE;
}

/* Reads @text. The strings of @entry are its own. */
static gboolean
caps_read_entry (const gchar *text, GstVyreEntry *entry, GError **error)
{
  g_auto (GStrv) words = g_strsplit (text ? text : "", " ", 5);

  if (g_strv_length (words) >= 4 && gst_vyre_types_find (words[1], &entry->type)
      && caps_read_number (words[2], &entry->observable)
      && caps_read_number (words[3], &entry->n_words)) {
    entry->name = g_strdup (words[0]);
    entry->units = g_strdup (words[4]);
    return TRUE;
  }
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
      "The caps have the result '%.100s', which is not NAME TYPE OBSERVABLE WORDS UNITS. Fix: take "
      "the caps that vyrefilter sends.",
      text ? text : "");
  return FALSE;
}

static void
caps_clear_entry (gpointer data)
{
  GstVyreEntry *entry = data;

  g_free ((gpointer)entry->name);
  g_free ((gpointer)entry->units);
}

static GArray *
caps_read_entries (const GValue *results, GError **error)
{
  g_autoptr (GArray) entries = g_array_new (FALSE, FALSE, sizeof (GstVyreEntry));

  g_array_set_clear_func (entries, caps_clear_entry);
  for (guint i = 0; results && i < gst_value_array_get_size (results); i++) {
    const GValue *text = gst_value_array_get_value (results, i);
    GstVyreEntry entry;
    if (!caps_read_entry (
            G_VALUE_HOLDS_STRING (text) ? g_value_get_string (text) : NULL, &entry, error))
      return NULL;
    g_array_append_val (entries, entry);
  }
  return g_steal_pointer (&entries);
}

/* Returns the entries, which own their strings, NULL with @error set for caps of anything else. */
GArray *
gst_vyre_caps_read (const GstCaps *caps, gsize *sizes, gboolean *has_sequence, GError **error)
{
  const GstStructure *fields = gst_caps_is_fixed (caps) ? gst_caps_get_structure (caps, 0) : NULL;

  if (!fields || !gst_structure_has_name (fields, MEDIA_TYPE)) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
        "The caps are not those of readbacks. Fix: take the caps that vyrefilter sends.");
    return NULL;
  }
  if (!caps_read_sizes (fields, sizes, error))
    return NULL;
  if (!gst_structure_get_boolean (fields, "has-sequence", has_sequence))
    *has_sequence = FALSE;
  const GValue *results = gst_structure_get_value (fields, "results");
  return caps_read_entries (results && GST_VALUE_HOLDS_ARRAY (results) ? results : NULL, error);
}
