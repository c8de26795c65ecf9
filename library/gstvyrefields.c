/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "library/gstvyrefields.h"

void
gst_vyre_fields_set_number (GstStructure *structure, GQuark field, guint64 number)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_UINT64);
  g_value_set_uint64 (&value, number);
  gst_structure_id_take_value (structure, field, &value);
}

void
gst_vyre_fields_set_signed (GstStructure *structure, GQuark field, gint64 number)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_INT64);
  g_value_set_int64 (&value, number);
  gst_structure_id_take_value (structure, field, &value);
}

void
gst_vyre_fields_set_real (GstStructure *structure, GQuark field, gdouble number)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_DOUBLE);
  g_value_set_double (&value, number);
  gst_structure_id_take_value (structure, field, &value);
}

void
gst_vyre_fields_set_text (GstStructure *structure, GQuark field, const gchar *text)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_STRING);
  g_value_set_string (&value, text);
  gst_structure_id_take_value (structure, field, &value);
}

void
gst_vyre_fields_set_truth (GstStructure *structure, GQuark field, gboolean truth)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_BOOLEAN);
  g_value_set_boolean (&value, truth);
  gst_structure_id_take_value (structure, field, &value);
}

void
gst_vyre_fields_set_caps (GstStructure *structure, GQuark field, const GstCaps *caps)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, GST_TYPE_CAPS);
  gst_value_set_caps (&value, caps);
  gst_structure_id_take_value (structure, field, &value);
}

/* Takes @nested over. */
void
gst_vyre_fields_take (GstStructure *structure, GQuark field, GstStructure *nested)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, GST_TYPE_STRUCTURE);
  g_value_take_boxed (&value, nested);
  gst_structure_id_take_value (structure, field, &value);
}
