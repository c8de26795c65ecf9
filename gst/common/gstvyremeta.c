/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/gstvyremeta.h"

/* Where each part starts, and what it takes. */
static GQuark fields[VYRE_N_PARTS][2];

/* A part of the buffer no longer holds all four parts; everything else keeps
 * the meta. */
static gboolean
transform (GstBuffer *to, GstCustomMeta *meta, GstBuffer *from, GQuark type, gpointer data,
    gpointer user_data)
{
  GstMetaTransformCopy *copy = data;

  if (!GST_META_TRANSFORM_IS_COPY (type) || copy->region)
    return FALSE;
  GstCustomMeta *added = gst_buffer_add_custom_meta (to, GST_VYRE_READBACK_META);
  if (!added)
    return FALSE;
  GstStructure *source = gst_custom_meta_get_structure (meta);
  GstStructure *target = gst_custom_meta_get_structure (added);
  for (gint i = 0; i < gst_structure_n_fields (source); i++) {
    const gchar *name = gst_structure_nth_field_name (source, (guint)i);
    gst_structure_set_value (target, name, gst_structure_get_value (source, name));
  }
  return TRUE;
}

void
gst_vyre_readback_meta_register (void)
{
  static const gchar *tags[] = { NULL };
  static const gchar *const parts[] = { "control", "ring", "debug-log", "io-queue" };

  for (guint part = 0; part < VYRE_N_PARTS; part++) {
    g_autofree gchar *offset = g_strconcat (parts[part], "-offset", NULL);
    g_autofree gchar *size = g_strconcat (parts[part], "-size", NULL);
    fields[part][0] = g_quark_from_string (offset);
    fields[part][1] = g_quark_from_string (size);
  }
  gst_meta_register_custom (GST_VYRE_READBACK_META, tags, transform, NULL, NULL);
}

static void
set_u64 (GstStructure *structure, GQuark field, guint64 number)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_UINT64);
  g_value_set_uint64 (&value, number);
  gst_structure_id_take_value (structure, field, &value);
}

void
gst_buffer_add_vyre_readback_meta (GstBuffer *buffer, const VyreLayout *layout)
{
  GstCustomMeta *meta = gst_buffer_add_custom_meta (buffer, GST_VYRE_READBACK_META);
  GstStructure *structure = gst_custom_meta_get_structure (meta);

  for (guint part = 0; part < VYRE_N_PARTS; part++) {
    set_u64 (structure, fields[part][0], layout->offset[part]);
    set_u64 (structure, fields[part][1], layout->size[part]);
  }
}
