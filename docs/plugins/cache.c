/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cache OUTPUT PLUGIN-FILE...: writes what the plugins have, in the format of the files
 * gst_plugins_cache.json from which hotdoc makes the pages of GStreamer's plugins.
 */
#include <gst/gst.h>
#include <json-glib/json-glib.h>
#include <string.h>

static void
cache_add_string (JsonBuilder *json, const char *name, const char *value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_string_value (json, value);
}

static void
cache_add_boolean (JsonBuilder *json, const char *name, gboolean value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_boolean_value (json, value);
}

static void
cache_begin (JsonBuilder *json, const char *name)
{
  json_builder_set_member_name (json, name);
  json_builder_begin_object (json);
}

/* The type and its parents. */
static void
cache_add_hierarchy (JsonBuilder *json, GType type)
{
  json_builder_set_member_name (json, "hierarchy");
  json_builder_begin_array (json);
  for (; type; type = g_type_parent (type))
    json_builder_add_string_value (json, g_type_name (type));
  json_builder_end_array (json);
}

static void
cache_add_interfaces (JsonBuilder *json, GType type)
{
  guint n;
  g_autofree GType *interfaces = g_type_interfaces (type, &n);

  if (n == 0)
    return;
  json_builder_set_member_name (json, "interfaces");
  json_builder_begin_array (json);
  for (guint i = 0; i < n; i++)
    json_builder_add_string_value (json, g_type_name (interfaces[i]));
  json_builder_end_array (json);
}

static const char *
cache_mutability (GParamSpec *spec)
{
  return spec->flags & GST_PARAM_MUTABLE_PLAYING  ? "playing"
         : spec->flags & GST_PARAM_MUTABLE_PAUSED ? "paused"
         : spec->flags & GST_PARAM_MUTABLE_READY  ? "ready"
                                                  : "null";
}

static gchar *
cache_print_flags (const GValue *value)
{
  g_autoptr (GTypeClass) type = g_type_class_ref (G_VALUE_TYPE (value));
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < G_FLAGS_CLASS (type)->n_values; i++) {
    const GFlagsValue *row = &G_FLAGS_CLASS (type)->values[i];
    if (g_value_get_flags (value) & row->value)
      g_string_append_printf (text, "%s%s", text->len > 0 ? "+" : "", row->value_nick);
  }
  return g_strdup (text->str);
}

static gchar *
cache_print (const GValue *value)
{
  gchar *contents = G_VALUE_HOLDS_STRING (value) ? g_value_dup_string (value) : NULL;

  if (G_VALUE_HOLDS_ENUM (value)) {
    g_autoptr (GTypeClass) type = g_type_class_ref (G_VALUE_TYPE (value));
    const GEnumValue *row = g_enum_get_value (G_ENUM_CLASS (type), g_value_get_enum (value));
    return g_strdup_printf ("%s (%d)", row->value_nick, row->value);
  }
  if (G_VALUE_HOLDS_FLAGS (value))
    return cache_print_flags (value);
  if (!contents && !G_VALUE_HOLDS_STRING (value) && !G_VALUE_HOLDS_BOXED (value))
    contents = gst_value_serialize (value);
  return contents ? contents : g_strdup ("NULL");
}

static void
cache_add_limits (JsonBuilder *json, GParamSpec *spec)
{
  g_autofree gchar *least = NULL, *most = NULL;

  if (G_IS_PARAM_SPEC_UINT (spec)) {
    least = g_strdup_printf ("%u", G_PARAM_SPEC_UINT (spec)->minimum);
    most = g_strdup_printf ("%d", (gint)G_PARAM_SPEC_UINT (spec)->maximum); /* hotdoc's: -1 */
  } else if (G_IS_PARAM_SPEC_UINT64 (spec)) {
    least = g_strdup_printf ("%" G_GUINT64_FORMAT, G_PARAM_SPEC_UINT64 (spec)->minimum);
    most = g_strdup_printf ("%" G_GUINT64_FORMAT, G_PARAM_SPEC_UINT64 (spec)->maximum);
  }
  if (!least)
    return;
  cache_add_string (json, "max", most);
  cache_add_string (json, "min", least);
}

static void
cache_add_property (JsonBuilder *json, GParamSpec *spec)
{
  g_autofree gchar *value = cache_print (g_param_spec_get_default_value (spec));

  cache_begin (json, spec->name);
  cache_add_string (json, "blurb", g_param_spec_get_blurb (spec));
  cache_add_boolean (
      json, "conditionally-available", (spec->flags & GST_PARAM_CONDITIONALLY_AVAILABLE) != 0);
  cache_add_boolean (json, "construct", (spec->flags & G_PARAM_CONSTRUCT) != 0);
  cache_add_boolean (json, "construct-only", (spec->flags & G_PARAM_CONSTRUCT_ONLY) != 0);
  cache_add_boolean (json, "controllable", (spec->flags & GST_PARAM_CONTROLLABLE) != 0);
  cache_add_string (json, "default", value);
  cache_add_limits (json, spec);
  cache_add_string (json, "mutable", cache_mutability (spec));
  cache_add_boolean (json, "readable", (spec->flags & G_PARAM_READABLE) != 0);
  cache_add_string (json, "type", g_type_name (spec->value_type));
  cache_add_boolean (json, "writable", (spec->flags & G_PARAM_WRITABLE) != 0);
  json_builder_end_object (json);
}

static void
cache_add_templates (JsonBuilder *json, GstElementFactory *factory)
{
  static const char *const presences[] = { "always", "sometimes", "request" };

  cache_begin (json, "pad-templates");
  for (const GList *l = gst_element_factory_get_static_pad_templates (factory); l; l = l->next) {
    GstStaticPadTemplate *template = l->data;
    cache_begin (json, template->name_template);
    cache_add_string (json, "caps", template->static_caps.string);
    cache_add_string (json, "direction", template->direction == GST_PAD_SRC ? "src" : "sink");
    cache_add_string (json, "presence", presences[template->presence]);
    json_builder_end_object (json);
  }
  json_builder_end_object (json);
}

/* Notes the enumerations and flags of the plugin itself in @types. */
static void
cache_add_properties (JsonBuilder *json, GType owner, GPtrArray *types)
{
  g_autoptr (GTypeClass) klass = g_type_class_ref (owner);
  guint n;
  g_autofree GParamSpec **specs = g_object_class_list_properties (G_OBJECT_CLASS (klass), &n);

  cache_begin (json, "properties");
  for (guint i = 0; i < n; i++) {
    if (specs[i]->owner_type != owner)
      continue;
    cache_add_property (json, specs[i]);
    if (g_str_has_prefix (g_type_name (specs[i]->value_type), "GstVyre"))
      g_ptr_array_add (types, specs[i]);
  }
  json_builder_end_object (json);
}

static void
cache_add_element (JsonBuilder *json, GstElementFactory *factory, GPtrArray *types)
{
  GType type = gst_element_factory_get_element_type (factory);
  guint rank = gst_plugin_feature_get_rank (GST_PLUGIN_FEATURE (factory));
  g_autofree gchar *number = g_strdup_printf ("%u", rank);

  cache_begin (json, GST_OBJECT_NAME (factory));
  cache_add_string (
      json, "author", gst_element_factory_get_metadata (factory, GST_ELEMENT_METADATA_AUTHOR));
  cache_add_string (json, "description",
      gst_element_factory_get_metadata (factory, GST_ELEMENT_METADATA_DESCRIPTION));
  cache_add_hierarchy (json, type);
  cache_add_interfaces (json, type);
  cache_add_string (
      json, "klass", gst_element_factory_get_metadata (factory, GST_ELEMENT_METADATA_KLASS));
  cache_add_string (
      json, "long-name", gst_element_factory_get_metadata (factory, GST_ELEMENT_METADATA_LONGNAME));
  cache_add_templates (json, factory);
  cache_add_properties (json, type, types);
  cache_add_string (json, "rank", rank == GST_RANK_NONE ? "none" : number);
  cache_begin (json, "signals");
  json_builder_end_object (json);
  json_builder_end_object (json);
}

static void
cache_add_value (JsonBuilder *json, const char *description, const char *name, const char *value)
{
  json_builder_begin_object (json);
  cache_add_string (json, "desc", description);
  cache_add_string (json, "name", name);
  cache_add_string (json, "value", value);
  json_builder_end_object (json);
}

static void
cache_add_type (JsonBuilder *json, GType type)
{
  g_autoptr (GTypeClass) klass = g_type_class_ref (type);
  gboolean is_enum = G_TYPE_IS_ENUM (type);

  cache_begin (json, g_type_name (type));
  cache_add_string (json, "kind", is_enum ? "enum" : "flags");
  json_builder_set_member_name (json, "values");
  json_builder_begin_array (json);
  for (guint i = 0; is_enum && i < G_ENUM_CLASS (klass)->n_values; i++) {
    const GEnumValue *row = &G_ENUM_CLASS (klass)->values[i];
    g_autofree gchar *number = g_strdup_printf ("%d", row->value);
    cache_add_value (json, row->value_name, row->value_nick, number);
  }
  for (guint i = 0; !is_enum && i < G_FLAGS_CLASS (klass)->n_values; i++) {
    const GFlagsValue *row = &G_FLAGS_CLASS (klass)->values[i];
    g_autofree gchar *number = g_strdup_printf ("0x%08x", row->value);
    cache_add_value (json, row->value_name, row->value_nick, number);
  }
  json_builder_end_array (json);
  json_builder_end_object (json);
}

static void
cache_add_features (JsonBuilder *json, GstPlugin *plugin)
{
  g_autoptr (GPtrArray) types = g_ptr_array_new ();
  GList *features
      = gst_registry_get_feature_list_by_plugin (gst_registry_get (), gst_plugin_get_name (plugin));

  cache_begin (json, "elements");
  for (GList *l = features; l; l = l->next) {
    if (GST_IS_ELEMENT_FACTORY (l->data))
      cache_add_element (json, l->data, types);
  }
  json_builder_end_object (json);
  cache_begin (json, "other-types");
  for (guint i = 0; i < types->len; i++)
    cache_add_type (json, G_PARAM_SPEC (types->pdata[i])->value_type);
  json_builder_end_object (json);
  cache_begin (json, "tracers");
  for (GList *l = features; l; l = l->next) {
    if (g_str_equal (G_OBJECT_TYPE_NAME (l->data), "GstTracerFactory")) {
      cache_begin (json, GST_OBJECT_NAME (l->data));
      json_builder_end_object (json);
    }
  }
  json_builder_end_object (json);
  gst_plugin_feature_list_free (features);
}

static void
cache_add_plugin (JsonBuilder *json, GstPlugin *plugin)
{
  g_autofree gchar *filename = g_strconcat ("gst", gst_plugin_get_name (plugin), NULL);

  cache_begin (json, gst_plugin_get_name (plugin));
  cache_add_string (json, "description", gst_plugin_get_description (plugin));
  cache_add_features (json, plugin);
  cache_add_string (json, "filename", filename);
  cache_add_string (json, "license", gst_plugin_get_license (plugin));
  cache_add_string (json, "package", gst_plugin_get_package (plugin));
  cache_add_string (json, "source", gst_plugin_get_source (plugin));
  cache_add_string (json, "url", gst_plugin_get_origin (plugin));
  json_builder_end_object (json);
}

/* Loads the plugin of @path, and adds it. */
static gboolean
cache_add_file (JsonBuilder *json, const char *path)
{
  GError *error = NULL;
  g_autoptr (GstPlugin) plugin = gst_plugin_load_file (path, &error);

  if (!plugin) {
    g_printerr ("%s\n", error->message);
    g_error_free (error);
    return FALSE;
  }
  gst_registry_add_plugin (gst_registry_get (), gst_object_ref (plugin));
  cache_add_plugin (json, plugin);
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();
  GError *error = NULL;

  gst_init (&argc, &argv);
  if (argc < 3) {
    g_printerr ("usage: cache OUTPUT PLUGIN-FILE...\n");
    return 2;
  }
  json_builder_begin_object (json);
  for (int i = 2; i < argc; i++) {
    if (!cache_add_file (json, argv[i]))
      return 1;
  }
  json_builder_end_object (json);
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  json_generator_set_pretty (generator, TRUE);
  json_generator_set_indent (generator, 4);
  g_autoptr (JsonNode) root = json_builder_get_root (json);
  json_generator_set_root (generator, root);
  if (json_generator_to_file (generator, argv[1], &error))
    return 0;
  g_printerr ("%s\n", error->message);
  return 1;
}
