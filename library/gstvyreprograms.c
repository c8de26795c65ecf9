/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/vyre/programs.h"

#include "vyre/machine.h"
#include "vyre/program.h"

struct _GstVyreBuilder {
  gint refs;
  GString *text;
};

G_DEFINE_BOXED_TYPE (GstVyreBuilder, gst_vyre_builder, gst_vyre_builder_ref, gst_vyre_builder_unref)

GstVyreBuilder *
gst_vyre_builder_new (void)
{
  GstVyreBuilder *builder = g_new0 (GstVyreBuilder, 1);

  builder->refs = 1;
  builder->text = g_string_new (NULL);
  return builder;
}

GstVyreBuilder *
gst_vyre_builder_ref (GstVyreBuilder *builder)
{
  g_atomic_int_inc (&builder->refs);
  return builder;
}

void
gst_vyre_builder_unref (GstVyreBuilder *builder)
{
  if (!g_atomic_int_dec_and_test (&builder->refs))
    return;
  g_string_free (builder->text, TRUE);
  g_free (builder);
}

void
gst_vyre_builder_add_param (GstVyreBuilder *builder, const gchar *name, guint32 value)
{
  g_string_append_printf (builder->text, "param %s = %u\n", name, value);
}

void
gst_vyre_builder_add (GstVyreBuilder *builder, const gchar *operation, const gchar *result)
{
  g_string_append (builder->text, operation);
  if (result)
    g_string_append_printf (builder->text, " -> %s", result);
  g_string_append_c (builder->text, '\n');
}

void
gst_vyre_builder_add_text (GstVyreBuilder *builder, const gchar *text)
{
  g_string_append (builder->text, text);
  g_string_append_c (builder->text, '\n');
}

gchar *
gst_vyre_builder_to_text (const GstVyreBuilder *builder, GError **error)
{
  g_autoptr (VyreProgram) program = vyre_program_assemble (builder->text->str, error);

  return program ? g_strdup (builder->text->str) : NULL;
}

const gchar *const *
gst_vyre_list_builtins (void)
{
  return vyre_program_list_builtins ();
}

GList *
gst_vyre_list_devices (GError **error)
{
  g_autoptr (GPtrArray) list = vyre_machine_list_devices (NULL, error);

  GList *devices = NULL;

  for (guint i = list ? list->len : 0; i > 0; i--) {
    const VyreDeviceInfo *info = list->pdata[i - 1];
    devices = g_list_prepend (devices,
        gst_structure_new ("vyre-device", "index", G_TYPE_UINT, info->index, "name", G_TYPE_STRING,
            info->name, "uuid", G_TYPE_STRING, info->uuid, "kind", G_TYPE_STRING, info->kind,
            "vulkan", G_TYPE_STRING, info->vulkan, "driver", G_TYPE_STRING, info->driver, NULL));
  }
  return devices;
}
