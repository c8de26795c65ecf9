/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvyremeta.h"

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
  static const char *const offsets[]
      = { "control-offset", "ring-offset", "debug-log-offset", "io-queue-offset" };
  static const char *const sizes[]
      = { "control-size", "ring-size", "debug-log-size", "io-queue-size" };
  GstCustomMeta *meta = gst_buffer_add_custom_meta (buffer, GST_VYRE_READBACK_META);
  GstStructure *structure = gst_custom_meta_get_structure (meta);

  for (guint part = 0; part < VYRE_N_PARTS; part++) {
    set_u64 (structure, g_quark_from_static_string (offsets[part]), layout->offset[part]);
    set_u64 (structure, g_quark_from_static_string (sizes[part]), layout->size[part]);
  }
}
