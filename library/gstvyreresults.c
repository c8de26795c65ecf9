/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/vyre/results.h"

#include <math.h>
#include <string.h>

#include "json/gstvyrejson.h"
#include "library/gstvyrehead.h"
#include "library/gstvyretable.h"
#include "vyre/error.h"

#define FIXED_POINT "2^-"

struct _GstVyreResults {
  gint refs;
  GstStructure *structure;
  GPtrArray *names;    /* of the results, in order; interned */
  GstVyreTable *table; /* of the caps; NULL without these */
};

static gboolean
results_add_name (GQuark field, const GValue *value, gpointer names)
{
  const gchar *name = g_quark_to_string (field);

  if (!g_strv_contains (gst_vyre_results_list_reserved (), name))
    g_ptr_array_add (names, (gpointer)name);
  return TRUE;
}

/* Takes @structure and @table, which may be NULL, over. */
static GstVyreResults *
results_take (GstStructure *structure, GstVyreTable *table)
{
  GstVyreResults *results = g_new0 (GstVyreResults, 1);

  results->refs = 1;
  results->structure = structure;
  results->table = table;
  results->names = g_ptr_array_new ();
  gst_structure_foreach (structure, results_add_name, results->names);
  return results;
}

/* Takes @structure over. Its caps tell units; without caps these are unknown. */
static GstVyreResults *
results_take_message (GstStructure *structure)
{
  const GValue *value = gst_structure_get_value (structure, "caps");
  const GstCaps *caps = value && GST_VALUE_HOLDS_CAPS (value) ? gst_value_get_caps (value) : NULL;

  return results_take (structure, caps ? gst_vyre_table_new_from_caps (caps, NULL) : NULL);
}

GstVyreResults *
gst_vyre_results_ref (GstVyreResults *results)
{
  g_atomic_int_inc (&results->refs);
  return results;
}

void
gst_vyre_results_unref (GstVyreResults *results)
{
  if (!g_atomic_int_dec_and_test (&results->refs))
    return;
  gst_structure_free (results->structure);
  g_ptr_array_unref (results->names);
  g_clear_pointer (&results->table, gst_vyre_table_unref);
  g_free (results);
}

G_DEFINE_BOXED_TYPE (GstVyreResults, gst_vyre_results, gst_vyre_results_ref, gst_vyre_results_unref)

GstVyreResults *
gst_vyre_results_from_structure (const GstStructure *structure)
{
  if (!gst_structure_has_name (structure, GST_VYRE_RESULTS_NAME))
    return NULL;
  return results_take_message (gst_structure_copy (structure));
}

GstVyreResults *
gst_vyre_results_from_message (GstMessage *message)
{
  const GstStructure *structure = gst_message_get_structure (message);

  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_ELEMENT || !structure)
    return NULL;
  return gst_vyre_results_from_structure (structure);
}

GstVyreResults *
gst_vyre_results_from_buffer (GstBuffer *buffer)
{
  /* the plugin registers the meta: a process without it has no such buffer */
  GstCustomMeta *meta = gst_meta_get_info (GST_VYRE_RESULTS_META)
                            ? gst_buffer_get_custom_meta (buffer, GST_VYRE_RESULTS_META)
                            : NULL;

  if (!meta)
    return NULL;
  GstStructure *structure = gst_structure_copy (gst_custom_meta_get_structure (meta));
  gst_structure_set_name (structure, GST_VYRE_RESULTS_NAME);
  return results_take_message (structure);
}

GstVyreResults *
gst_vyre_table_read (
    GstVyreTable *table, GstBuffer *readback, const GstSegment *segment, GError **error)
{
  GstStructure *structure = gst_vyre_table_new_structure (table, readback, segment, error);

  return structure ? results_take (structure, gst_vyre_table_ref (table)) : NULL;
}

GstVyreResults *
gst_vyre_results_from_readback (const GstCaps *caps, GstBuffer *readback, GError **error)
{
  g_autoptr (GstVyreTable) table = gst_vyre_table_new_from_caps (caps, error);

  return table ? gst_vyre_table_read (table, readback, NULL, error) : NULL;
}

guint
gst_vyre_results_get_n (const GstVyreResults *results)
{
  return results->names->len;
}

const gchar *
gst_vyre_results_get_name (const GstVyreResults *results, guint index)
{
  g_return_val_if_fail (index < results->names->len, NULL);
  return results->names->pdata[index];
}

const GValue *
gst_vyre_results_get_value (const GstVyreResults *results, const gchar *path)
{
  const gchar *point = strchr (path, '.');
  g_autofree gchar *name = point ? g_strndup (path, (gsize)(point - path)) : g_strdup (path);
  const GValue *value = gst_structure_get_value (results->structure, name);

  if (!point || !value)
    return value;
  return GST_VALUE_HOLDS_STRUCTURE (value)
             ? gst_structure_get_value (gst_value_get_structure (value), point + 1)
             : NULL;
}

/* Bindings take a copy of a number or a text, but lend what is boxed, until it is freed. */
void
gst_vyre_results_dup_value (
    const GstVyreResults *results, const gchar *path, GValue *value, GError **error)
{
  const GValue *found = gst_vyre_results_get_value (results, path);

  if (found && G_TYPE_FUNDAMENTAL (G_VALUE_TYPE (found)) == G_TYPE_BOXED) {
    g_value_init (value, G_TYPE_STRING);
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
        "'%.40s' is no number. Fix: take fields of a result by 'RESULT.FIELD' or "
        "gst_vyre_results_get_fields(), and caps from the structure.",
        path);
    return;
  }
  g_value_init (value, found ? G_VALUE_TYPE (found) : G_TYPE_STRING);
  if (found)
    g_value_copy (found, value);
}

GstStructure *
gst_vyre_results_get_fields (const GstVyreResults *results, const gchar *name)
{
  const GValue *found = gst_vyre_results_get_value (results, name);

  if (!found || !GST_VALUE_HOLDS_STRUCTURE (found))
    return NULL;
  return gst_structure_copy (gst_value_get_structure (found));
}

gboolean
gst_vyre_results_get_uint64 (const GstVyreResults *results, const gchar *path, guint64 *value)
{
  const GValue *found = gst_vyre_results_get_value (results, path);

  if (!found || !G_VALUE_HOLDS_UINT64 (found))
    return FALSE;
  *value = g_value_get_uint64 (found);
  return TRUE;
}

gboolean
gst_vyre_results_get_int64 (const GstVyreResults *results, const gchar *path, gint64 *value)
{
  const GValue *found = gst_vyre_results_get_value (results, path);

  if (!found || !G_VALUE_HOLDS_INT64 (found))
    return FALSE;
  *value = g_value_get_int64 (found);
  return TRUE;
}

/* Returns what a number is in units of: 1, but of fixed point 2^-N. */
static gdouble
results_get_scale (const GstVyreResults *results, const gchar *path)
{
  g_autofree gchar *unit = gst_vyre_results_dup_unit (results, path);
  guint64 bits;

  if (!unit || !g_str_has_prefix (unit, FIXED_POINT)
      || !g_ascii_string_to_unsigned (unit + strlen (FIXED_POINT), 10, 0, 64, &bits, NULL))
    return 1;
  return ldexp (1, -(gint)bits);
}

static gboolean
results_read_double (const GValue *value, gdouble *number)
{
  if (G_VALUE_HOLDS_UINT64 (value))
    *number = (gdouble)g_value_get_uint64 (value);
  else if (G_VALUE_HOLDS_INT64 (value))
    *number = (gdouble)g_value_get_int64 (value);
  else if (G_VALUE_HOLDS_DOUBLE (value))
    *number = g_value_get_double (value);
  else
    return FALSE;
  return TRUE;
}

gboolean
gst_vyre_results_get_double (const GstVyreResults *results, const gchar *path, gdouble *value)
{
  const GValue *found = gst_vyre_results_get_value (results, path);

  if (!found || !results_read_double (found, value))
    return FALSE;
  *value *= results_get_scale (results, path);
  return TRUE;
}

/* TRUE for a field of an array of numbers. */
static gboolean
results_is_item (GQuark field)
{
  const gchar *name = g_quark_to_string (field);

  return g_str_has_prefix (name, "bin-") || g_str_has_prefix (name, "word-")
         || g_str_has_prefix (name, "item-");
}

static gboolean
results_append_number (GQuark field, const GValue *value, gpointer numbers)
{
  if (!results_is_item (field) || !G_VALUE_HOLDS_UINT64 (value))
    return FALSE;
  guint64 number = g_value_get_uint64 (value);
  g_array_append_val (numbers, number);
  return TRUE;
}

static gboolean
results_append_double (GQuark field, const GValue *value, gpointer numbers)
{
  gdouble number;

  if (!results_is_item (field) || !results_read_double (value, &number))
    return FALSE;
  g_array_append_val (numbers, number);
  return TRUE;
}

/* Copies the numbers of an array, each of 8 bytes; NULL where @append takes none. */
static gpointer
results_copy_array (
    const GstVyreResults *results, const gchar *name, GstStructureForeachFunc append, gsize *n)
{
  const GValue *value = gst_vyre_results_get_value (results, name);
  g_autoptr (GArray) numbers = g_array_new (FALSE, FALSE, 8);

  *n = 0;
  if (!value || !GST_VALUE_HOLDS_STRUCTURE (value)
      || !gst_structure_foreach (gst_value_get_structure (value), append, numbers))
    return NULL;
  *n = numbers->len;
  return g_array_free (g_steal_pointer (&numbers), FALSE);
}

guint64 *
gst_vyre_results_get_array (const GstVyreResults *results, const gchar *name, gsize *n)
{
  return results_copy_array (results, name, results_append_number, n);
}

gdouble *
gst_vyre_results_get_doubles (const GstVyreResults *results, const gchar *name, gsize *n)
{
  gdouble *numbers = results_copy_array (results, name, results_append_double, n);
  gdouble scale = results_get_scale (results, name);

  for (gsize i = 0; i < *n; i++)
    numbers[i] *= scale;
  return numbers;
}

gchar *
gst_vyre_results_dup_unit (const GstVyreResults *results, const gchar *path)
{
  return results->table ? gst_vyre_table_dup_unit (results->table, path) : NULL;
}

const GstStructure *
gst_vyre_results_get_structure (const GstVyreResults *results)
{
  return results->structure;
}

GstStructure *
gst_vyre_results_dup_structure (const GstVyreResults *results)
{
  return gst_structure_copy (results->structure);
}

gchar *
gst_vyre_results_to_json (const GstVyreResults *results)
{
  GString *json = g_string_new (NULL);

  gst_vyre_json_add_message (json, results->structure);
  return g_string_free (json, FALSE);
}
