/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/gstvyreproperty.h"

/* Reads and writes a field through the type of its row. Booleans, enums and flags are as large
 * as a guint, and compatible with it. */
#define FIELD(ctype, owner, row) G_STRUCT_MEMBER (ctype, owner, (row)->offset)

static gboolean
row_has_field (const GstVyreProperty *row)
{
  return row->type != GST_VYRE_PROPERTY_BOXED;
}

/* Makes the type of an enum or of flags. A row is installed once. */
static GType
row_register_type (const GstVyreProperty *row)
{
  GType type = row->type == GST_VYRE_PROPERTY_ENUM
                   ? g_enum_register_static (row->type_name, row->values)
                   : g_flags_register_static (row->type_name, row->values);

  gst_type_mark_as_plugin_api (type, 0);
  return type;
}

static GParamSpec *
row_make_spec (const GstVyreProperty *row)
{
  switch (row->type) {
    case GST_VYRE_PROPERTY_STRING:
      return g_param_spec_string (row->name, row->nick, row->blurb, row->text, row->flags);
    case GST_VYRE_PROPERTY_BOOLEAN:
      return g_param_spec_boolean (row->name, row->nick, row->blurb, row->preset != 0, row->flags);
    case GST_VYRE_PROPERTY_UINT:
      return g_param_spec_uint (row->name, row->nick, row->blurb, (guint)row->least,
          (guint)row->most, (guint)row->preset, row->flags);
    case GST_VYRE_PROPERTY_UINT64:
      return g_param_spec_uint64 (
          row->name, row->nick, row->blurb, row->least, row->most, row->preset, row->flags);
    case GST_VYRE_PROPERTY_ENUM:
      return g_param_spec_enum (
          row->name, row->nick, row->blurb, row_register_type (row), (gint)row->preset, row->flags);
    case GST_VYRE_PROPERTY_FLAGS:
      return g_param_spec_flags (row->name, row->nick, row->blurb, row_register_type (row),
          (guint)row->preset, row->flags);
    case GST_VYRE_PROPERTY_BOXED:
      return g_param_spec_boxed (row->name, row->nick, row->blurb, row->get_type (), row->flags);
  }
  g_return_val_if_reached (NULL);
}

static void
row_store_text (const GstVyreProperty *row, gpointer owner, const gchar *text)
{
  g_free (FIELD (gchar *, owner, row));
  FIELD (gchar *, owner, row) = g_strdup (text ? text : row->text);
}

static void
row_store_number (const GstVyreProperty *row, gpointer owner, guint64 number)
{
  if (row->type == GST_VYRE_PROPERTY_UINT64)
    FIELD (guint64, owner, row) = number;
  else
    FIELD (guint, owner, row) = (guint)number;
}

static guint64
row_load_number (const GstVyreProperty *row, gconstpointer owner)
{
  return row->type == GST_VYRE_PROPERTY_UINT64 ? FIELD (const guint64, owner, row)
                                               : FIELD (const guint, owner, row);
}

static guint64
value_get_number (const GValue *value)
{
  if (G_VALUE_HOLDS_ENUM (value))
    return (guint64)g_value_get_enum (value);
  if (G_VALUE_HOLDS_FLAGS (value))
    return g_value_get_flags (value);
  if (G_VALUE_HOLDS_BOOLEAN (value))
    return (guint64)g_value_get_boolean (value);
  return G_VALUE_HOLDS_UINT (value) ? g_value_get_uint (value) : g_value_get_uint64 (value);
}

static void
value_set_number (GValue *value, guint64 number)
{
  if (G_VALUE_HOLDS_ENUM (value))
    g_value_set_enum (value, (gint)number);
  else if (G_VALUE_HOLDS_FLAGS (value))
    g_value_set_flags (value, (guint)number);
  else if (G_VALUE_HOLDS_BOOLEAN (value))
    g_value_set_boolean (value, number != 0);
  else if (G_VALUE_HOLDS_UINT (value))
    g_value_set_uint (value, (guint)number);
  else
    g_value_set_uint64 (value, number);
}

/* Returns the row of a property by its number, from 1 on; @owner gets the struct of its field. */
static const GstVyreProperty *
tables_find (gpointer instance, const GstVyrePropertyTable *tables, guint id, gpointer *owner)
{
  for (; tables->rows; tables++) {
    *owner = (guint8 *)instance + tables->base;
    for (const GstVyreProperty *row = tables->rows; row->name; row++) {
      if (--id == 0)
        return row;
    }
  }
  g_return_val_if_reached (NULL);
}

/* Numbers the properties in the order of the rows, from 1 on. */
void
gst_vyre_properties_install (GObjectClass *klass, const GstVyrePropertyTable *tables)
{
  guint id = 0;

  for (; tables->rows; tables++) {
    for (const GstVyreProperty *row = tables->rows; row->name; row++)
      g_object_class_install_property (klass, ++id, row_make_spec (row));
  }
}

/* Takes the object lock. */
void
gst_vyre_properties_set (
    GObject *object, const GstVyrePropertyTable *tables, guint id, const GValue *value)
{
  gpointer owner;
  const GstVyreProperty *row = tables_find (object, tables, id, &owner);

  if (row->set) {
    row->set (object, value);
    return;
  }
  GST_OBJECT_LOCK (object);
  if (row->type == GST_VYRE_PROPERTY_STRING)
    row_store_text (row, owner, g_value_get_string (value));
  else
    row_store_number (row, owner, value_get_number (value));
  GST_OBJECT_UNLOCK (object);
  if (row->changed)
    row->changed (object);
}

/* Takes the object lock. */
void
gst_vyre_properties_get (
    GObject *object, const GstVyrePropertyTable *tables, guint id, GValue *value)
{
  gpointer owner;
  const GstVyreProperty *row = tables_find (object, tables, id, &owner);

  if (row->get) {
    row->get (object, value);
    return;
  }
  GST_OBJECT_LOCK (object);
  if (row->type == GST_VYRE_PROPERTY_STRING)
    g_value_set_string (value, FIELD (gchar *, owner, row));
  else
    value_set_number (value, row_load_number (row, owner));
  GST_OBJECT_UNLOCK (object);
}

/* Stores the defaults in an @instance whose fields are zero. */
void
gst_vyre_properties_init (gpointer instance, const GstVyrePropertyTable *tables)
{
  for (; tables->rows; tables++) {
    gpointer owner = (guint8 *)instance + tables->base;
    for (const GstVyreProperty *row = tables->rows; row->name; row++) {
      if (row->type == GST_VYRE_PROPERTY_STRING)
        row_store_text (row, owner, NULL);
      else if (row_has_field (row))
        row_store_number (row, owner, row->preset);
    }
  }
}

/* Frees the strings of an @instance. */
void
gst_vyre_properties_clear (gpointer instance, const GstVyrePropertyTable *tables)
{
  for (; tables->rows; tables++)
    gst_vyre_fields_clear (tables->rows, (guint8 *)instance + tables->base);
}

/* Copies the fields of all rows to a struct whose fields are zero. */
void
gst_vyre_fields_copy (const GstVyreProperty *rows, gpointer to, gconstpointer from)
{
  for (const GstVyreProperty *row = rows; row->name; row++) {
    if (row->type == GST_VYRE_PROPERTY_STRING)
      FIELD (gchar *, to, row) = g_strdup (FIELD (gchar *const, from, row));
    else if (row_has_field (row))
      row_store_number (row, to, row_load_number (row, from));
  }
}

void
gst_vyre_fields_clear (const GstVyreProperty *rows, gpointer owner)
{
  for (const GstVyreProperty *row = rows; row->name; row++) {
    if (row->type == GST_VYRE_PROPERTY_STRING)
      g_clear_pointer (&FIELD (gchar *, owner, row), g_free);
  }
}

/* TRUE if the fields of all rows are equal in @a and @b. */
gboolean
gst_vyre_fields_equal (const GstVyreProperty *rows, gconstpointer a, gconstpointer b)
{
  gboolean equal = TRUE;

  for (const GstVyreProperty *row = rows; row->name && equal; row++) {
    if (row->type == GST_VYRE_PROPERTY_STRING)
      equal = g_strcmp0 (FIELD (gchar *const, a, row), FIELD (gchar *const, b, row)) == 0;
    else if (row_has_field (row))
      equal = row_load_number (row, a) == row_load_number (row, b);
  }
  return equal;
}
