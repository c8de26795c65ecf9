/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "json/gstvyrejson.h"

#include <math.h>
#include <string.h>

/* Digits after which each double is another text */
#define REAL_DIGITS 17

/* Fields of vyre-results that may be unknown */
static const gchar *const unknown_fields[] = { "timestamp", "stream-time", "running-time",
  "duration", "offset", "payload-bytes", "processed-bytes", "sequence", NULL };

typedef struct {
  GString *json;
  GstVyreJsonFlags flags;
  gboolean has_lists; /* nested structures may be lists: their names are not those of a program */
  gboolean is_nested;
} Walk;

static void
json_add_escaped (GString *json, const gchar *text)
{
  for (const gchar *c = text; *c; c++) {
    if (*c == '"' || *c == '\\') {
      g_string_append_c (json, '\\');
      g_string_append_c (json, *c);
    } else if ((guchar)*c < 0x20 || *c == 0x7f) {
      g_string_append_printf (json, "\\u%04x", (guint)*c);
    } else {
      g_string_append_c (json, *c);
    }
  }
}

/* Adds a string, whatever bytes it has: those that are no UTF-8 become U+FFFD. NULL becomes null.
 */
void
gst_vyre_json_add_text (GString *json, const gchar *text)
{
  if (!text) {
    g_string_append (json, "null");
    return;
  }
  g_autofree gchar *valid = g_utf8_validate (text, -1, NULL) ? NULL : g_utf8_make_valid (text, -1);
  g_string_append_c (json, '"');
  json_add_escaped (json, valid ? valid : text);
  g_string_append_c (json, '"');
}

/* Adds an integer without a detour through memory of its own. */
void
gst_vyre_json_add_number (GString *json, guint64 number)
{
  gchar digits[20];
  guint at = sizeof digits;

  do {
    digits[--at] = (gchar)('0' + number % 10);
    number /= 10;
  } while (number > 0);
  g_string_append_len (json, digits + at, (gssize)(sizeof digits - at));
}

/* Adds a time, or null for an unknown one. */
void
gst_vyre_json_add_time (GString *json, guint64 time)
{
  if (time == G_MAXUINT64)
    g_string_append (json, "null");
  else
    gst_vyre_json_add_number (json, time);
}

/* Adds a number of so many digits, or null for infinity and what is no number. */
void
gst_vyre_json_add_real (GString *json, gdouble real, guint digits)
{
  gchar format[8], text[G_ASCII_DTOSTR_BUF_SIZE];

  g_snprintf (format, sizeof format, "%%.%ug", digits);
  g_string_append (
      json, isfinite (real) ? g_ascii_formatd (text, sizeof text, format, real) : "null");
}

static void
json_separate (GString *json)
{
  if (!strchr ("{[", json->str[json->len - 1]))
    g_string_append_c (json, ',');
}

/* Adds the key of the value that comes next. */
void
gst_vyre_json_add_key (GString *json, const gchar *key)
{
  json_separate (json);
  gst_vyre_json_add_text (json, key);
  g_string_append_c (json, ':');
}

static void
json_add_signed (GString *json, gint64 number)
{
  if (number < 0)
    g_string_append_c (json, '-');
  gst_vyre_json_add_number (json, number < 0 ? 0 - (guint64)number : (guint64)number);
}

/* Adds a number of any type but an unknown one. */
static void
json_add_value (GString *json, const GValue *value)
{
  if (G_VALUE_HOLDS_INT64 (value))
    json_add_signed (json, g_value_get_int64 (value));
  else if (G_VALUE_HOLDS_DOUBLE (value))
    gst_vyre_json_add_real (json, g_value_get_double (value), REAL_DIGITS);
  else
    gst_vyre_json_add_number (json, g_value_get_uint64 (value));
}

static gboolean
json_add_item (GQuark name, const GValue *value, gpointer json)
{
  json_separate (json);
  json_add_value (json, value);
  return TRUE;
}

/* Adds a field of a cell: count-N begins it, sum-N ends it. */
static gboolean
json_add_part_of_cell (GQuark name, const GValue *value, gpointer json)
{
  gboolean begins = g_str_has_prefix (g_quark_to_string (name), "count-");

  if (begins) {
    json_separate (json);
    g_string_append_c (json, '{');
  }
  gst_vyre_json_add_key (json, begins ? "count" : "sum");
  gst_vyre_json_add_number (json, g_value_get_uint64 (value));
  if (!begins)
    g_string_append_c (json, '}');
  return TRUE;
}

/* Returns how to add a field of @structure where it is a list, or NULL. */
static GstStructureForeachFunc
json_find_list (const Walk *walk, const GstStructure *structure)
{
  if (!walk->has_lists)
    return NULL;
  if (gst_structure_has_field (structure, "bin-0") || gst_structure_has_field (structure, "word-0")
      || gst_structure_has_field (structure, "item-0"))
    return json_add_item;
  return gst_structure_has_field (structure, "count-0") ? json_add_part_of_cell : NULL;
}

static gboolean json_add_field (GQuark name, const GValue *value, gpointer data);

static void
json_add_structure (const Walk *walk, const GstStructure *structure)
{
  GstStructureForeachFunc add = json_find_list (walk, structure);
  Walk inside = *walk;

  inside.is_nested = TRUE;
  g_string_append_c (walk->json, add ? '[' : '{');
  gst_structure_foreach (
      structure, add ? add : json_add_field, add ? (gpointer)walk->json : (gpointer)&inside);
  g_string_append_c (walk->json, add ? ']' : '}');
}

/* TRUE for a number that means unknown. All numbers of a message itself may, but results of
 * vyre-results, and nested ones, have their value. */
static gboolean
json_is_unknown (const Walk *walk, GQuark name, const GValue *value)
{
  if (walk->is_nested || !G_VALUE_HOLDS_UINT64 (value) || g_value_get_uint64 (value) != G_MAXUINT64)
    return FALSE;
  return !walk->has_lists || g_strv_contains (unknown_fields, g_quark_to_string (name));
}

/* TRUE for a field that the flags leave out, and for one of a type that no message has. */
static gboolean
json_leaves_out (const Walk *walk, const GValue *value)
{
  if (GST_VALUE_HOLDS_STRUCTURE (value))
    return (walk->flags & GST_VYRE_JSON_WITHOUT_HISTOGRAMS) && walk->has_lists
           && gst_structure_has_field (gst_value_get_structure (value), "bin-0");
  return !G_VALUE_HOLDS_UINT64 (value) && !G_VALUE_HOLDS_INT64 (value)
         && !G_VALUE_HOLDS_BOOLEAN (value) && !G_VALUE_HOLDS_STRING (value)
         && !G_VALUE_HOLDS_DOUBLE (value);
}

static gboolean
json_add_field (GQuark name, const GValue *value, gpointer data)
{
  const Walk *walk = data;
  GString *json = walk->json;

  if (json_leaves_out (walk, value))
    return TRUE;
  gst_vyre_json_add_key (json, g_quark_to_string (name));
  if (GST_VALUE_HOLDS_STRUCTURE (value))
    json_add_structure (walk, gst_value_get_structure (value));
  else if (G_VALUE_HOLDS_STRING (value))
    gst_vyre_json_add_text (json, g_value_get_string (value));
  else if (G_VALUE_HOLDS_BOOLEAN (value))
    g_string_append (json, g_value_get_boolean (value) ? "true" : "false");
  else if (json_is_unknown (walk, name, value))
    g_string_append (json, "null");
  else
    json_add_value (json, value);
  return TRUE;
}

/* Adds the fields of @structure to an object that is open. In vyre-results no program names the
 * fields of nested structures, and so those of histograms, words and grids are lists there. */
void
gst_vyre_json_add_fields (GString *json, const GstStructure *structure, GstVyreJsonFlags flags)
{
  Walk walk = { json, flags, gst_structure_has_name (structure, "vyre-results"), FALSE };

  gst_structure_foreach (structure, json_add_field, &walk);
}

/* Adds an object: `type`, the name of the message, and its fields. */
void
gst_vyre_json_add_message (GString *json, const GstStructure *structure)
{
  g_string_append_c (json, '{');
  gst_vyre_json_add_key (json, "type");
  gst_vyre_json_add_text (json, gst_structure_get_name (structure));
  gst_vyre_json_add_fields (json, structure, GST_VYRE_JSON_WHOLE);
  g_string_append_c (json, '}');
}
