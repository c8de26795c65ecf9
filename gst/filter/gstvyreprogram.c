/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyreprogram.h"

#include "filter/gstvyreaccess.h"
#include "filter/gstvyremessages.h"

#define BILLION G_GUINT64_CONSTANT (1000000000)

/* Rounds to nine digits behind the point, as decimal text does it, which is what the language
 * has. */
static gboolean
program_param_from_double (gdouble number, VyreParam *param)
{
  gchar text[G_ASCII_DTOSTR_BUF_SIZE];
  gchar *point;

  if (!(number >= 0.0 && number < 4294967295.5))
    return FALSE;
  g_ascii_formatd (text, sizeof text, "%.9f", number);
  param->value = g_ascii_strtoull (text, &point, 10) * BILLION;
  param->value += g_ascii_strtoull (point + 1, NULL, 10);
  param->divisor = BILLION;
  for (; param->divisor > 1 && param->value % 10 == 0; param->divisor /= 10)
    param->value /= 10;
  return TRUE;
}

static gboolean
program_param_from_fraction (const GValue *value, VyreParam *param)
{
  gint numerator = gst_value_get_fraction_numerator (value);
  gint denominator = gst_value_get_fraction_denominator (value);

  param->value = (guint64)numerator;
  param->divisor = (guint32)denominator;
  return numerator >= 0 && denominator <= (gint)BILLION;
}

/* gst_value_deserialize() takes numbers that no fraction can hold. */
static gboolean
program_param_from_fraction_text (const gchar *text, VyreParam *param)
{
  g_auto (GStrv) parts = g_strsplit (text, "/", 2);
  GValue fraction = G_VALUE_INIT;
  guint64 numerator, denominator;

  if (g_strv_length (parts) != 2
      || !g_ascii_string_to_unsigned (parts[0], 10, 0, G_MAXINT, &numerator, NULL)
      || !g_ascii_string_to_unsigned (parts[1], 10, 1, G_MAXINT, &denominator, NULL))
    return FALSE;
  g_value_init (&fraction, GST_TYPE_FRACTION);
  gst_value_set_fraction (&fraction, (gint)numerator, (gint)denominator); /* in its lowest terms */
  return program_param_from_fraction (&fraction, param);
}

static gboolean
program_param_from_text (const gchar *text, VyreParam *param)
{
  gchar *end;
  gdouble number = g_ascii_strtod (text, &end);

  if (end != text && *end == '\0')
    return program_param_from_double (number, param);
  return program_param_from_fraction_text (text, param);
}

static gboolean
program_param_from_whole (const GValue *value, VyreParam *param)
{
  GValue number = G_VALUE_INIT;

  if (G_VALUE_HOLDS_UINT64 (value) && g_value_get_uint64 (value) > G_MAXUINT32)
    return FALSE;
  g_value_init (&number, G_TYPE_INT64);
  if (!g_value_transform (value, &number))
    return FALSE;
  param->value = (guint64)g_value_get_int64 (&number);
  param->divisor = 1;
  return param->value <= G_MAXUINT32;
}

static gboolean
program_param_from_value (const GValue *value, VyreParam *param)
{
  if (G_VALUE_HOLDS_INT (value) || G_VALUE_HOLDS_UINT (value) || G_VALUE_HOLDS_INT64 (value)
      || G_VALUE_HOLDS_UINT64 (value))
    return program_param_from_whole (value, param);
  if (G_VALUE_HOLDS_DOUBLE (value))
    return program_param_from_double (g_value_get_double (value), param);
  if (GST_VALUE_HOLDS_FRACTION (value))
    return program_param_from_fraction (value, param);
  return G_VALUE_HOLDS_STRING (value) && g_value_get_string (value)
         && program_param_from_text (g_value_get_string (value), param);
}

typedef struct {
  GArray *params; /* of VyreParam */
  GError **error;
} ProgramReading;

/* Appends a field to the params, or returns FALSE with the error. */
static gboolean
program_read_param (GQuark field, const GValue *value, gpointer data)
{
  ProgramReading *reading = data;
  const gchar *name = g_quark_to_string (field);
  VyreParam param = { .name = name };

  if (program_param_from_value (value, &param)) {
    g_array_append_val (reading->params, param);
    return TRUE;
  }
  g_autofree gchar *shown = gst_value_serialize (value);
  g_set_error (reading->error, VYRE_ERROR, VYRE_ERROR_INVALID,
      "The param '%s' is %s (%s). Fix: set a number from 0 to 4294967295 such as 7, 0.1 or 1/3, "
      "with (uint) in front of a whole one above 2147483647.",
      name, shown ? shown : "no number", G_VALUE_TYPE_NAME (value));
  return FALSE;
}

/* Makes a structure of both, where @over comes before @under; each may be NULL. */
static GstStructure *
program_join (const GstStructure *under, const GstStructure *over)
{
  GstStructure *both = under ? gst_structure_copy (under) : gst_structure_new_empty ("params");

  for (gint i = 0; over && i < gst_structure_n_fields (over); i++) {
    const gchar *name = gst_structure_nth_field_name (over, (guint)i);
    gst_structure_set_value (both, name, gst_structure_get_value (over, name));
  }
  return both;
}

/* Makes the program that @base is with the property @params and the numbers of children, @moved. */
static VyreProgram *
program_with_fields (
    VyreProgram *base, const GstStructure *params, const GstStructure *moved, GError **error)
{
  g_autoptr (GstStructure) fields = program_join (params, moved);
  g_autoptr (GArray) list = g_array_new (FALSE, FALSE, sizeof (VyreParam));
  ProgramReading reading = { list, error };

  if (!gst_structure_foreach (fields, program_read_param, &reading))
    return NULL;
  if (list->len == 0)
    return vyre_program_ref (base);
  return vyre_program_with_params (base, &g_array_index (list, VyreParam, 0), list->len, error);
}

/* Program lock and object lock held. Has the element run @program, or remember, without one, why in
 * @error. Returns whether the properties change: those of a running stream do not if that is
 * refused. Access to files is checked when an idle element starts. The caller drops *@old. */
static gboolean
program_take (GstVyreFilter *self, VyreProgram *program, VyreProgram **old, GError **error)
{
  gboolean running = GST_STATE (self) > GST_STATE_NULL;

  if (program && running && !gst_vyre_access_check (self, program, error)) {
    *old = program;
    return FALSE;
  }
  if (!program && running)
    return FALSE;
  g_clear_error (&self->program_error);
  gst_clear_structure (&self->refused);
  if (program) {
    *old = self->settings.program;
    self->settings.program = program;
  } else if (*error) {
    self->program_error = g_error_copy (*error);
  }
  return TRUE;
}

/* Warns if a running stream goes on with what it has. */
static void
program_end_change (GstVyreFilter *self, gboolean taken, VyreProgram *old, GError *error)
{
  g_clear_pointer (&old, vyre_program_unref);
  if (error && !taken)
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS, ("%s", error->message),
        ("the program that was set before stays"));
  g_clear_error (&error);
}

static gboolean
program_has_field (GQuark field, GValue *value, gpointer names)
{
  return g_hash_table_contains (names, g_quark_to_string (field));
}

/* Copies the numbers of the params that @base declares; both may be NULL. */
static GstStructure *
program_select (const GstStructure *moved, VyreProgram *base)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  guint n = 0;

  if (!moved)
    return NULL;
  const VyreParam *params = base ? vyre_program_get_params (base, &n) : NULL;
  for (guint i = 0; i < n; i++)
    g_hash_table_add (names, (gpointer)params[i].name);
  GstStructure *selected = gst_structure_copy (moved);
  gst_structure_filter_and_map_in_place (selected, program_has_field, names);
  return selected;
}

/* Takes a new program and the property it came from, or @error why there is none. */
static void
program_change (
    GstVyreFilter *self, VyreProgram *base, const gchar *text, const gchar *path, GError *error)
{
  VyreProgram *old = NULL;

  g_mutex_lock (&self->program_lock);
  GstStructure *moved = program_select (self->moved, base);
  VyreProgram *program = base ? program_with_fields (base, self->params, moved, &error) : NULL;
  GST_OBJECT_LOCK (self);
  gboolean taken = program_take (self, program, &old, &error);
  if (taken) {
    GstStructure *before = self->moved;
    self->moved = moved;
    moved = before;
    g_free (self->program_text);
    self->program_text = g_strdup (text);
    g_free (self->program_location);
    self->program_location = g_strdup (path);
    VyreProgram *unused = self->program;
    self->program = base;
    base = unused;
    self->settings.beginning++;
  }
  GST_OBJECT_UNLOCK (self);
  g_mutex_unlock (&self->program_lock);
  gst_clear_structure (&moved);
  g_clear_pointer (&base, vyre_program_unref);
  program_end_change (self, taken, old, error);
}

static void
program_change_text (GstVyreFilter *self, const gchar *text)
{
  GError *error = NULL;
  const gchar *wanted = text ? text : GST_VYRE_DEFAULT_PROGRAM;
  VyreProgram *program
      = gst_vyre_messages_accept (vyre_program_from_string (wanted, &error), &error);

  program_change (self, program, wanted, NULL, error);
}

void
gst_vyre_program_set (GObject *object, const GValue *value)
{
  program_change_text (GST_VYRE_FILTER_CAST (object), g_value_get_string (value));
}

/* NULL stands for the default program. */
void
gst_vyre_program_set_location (GObject *object, const GValue *value)
{
  GstVyreFilter *self = GST_VYRE_FILTER_CAST (object);
  const gchar *path = g_value_get_string (value);
  GError *error = NULL;

  if (!path) {
    program_change_text (self, NULL);
    return;
  }
  VyreProgram *program = gst_vyre_messages_accept (vyre_program_load (path, &error), &error);
  if (error) {
    g_autofree gchar *shown = g_filename_display_name (path);
    g_prefix_error (&error, "%s: ", shown);
  }
  program_change (self, program, NULL, path, error);
}

/* Replaces the numbers that children have set, too. */
void
gst_vyre_program_set_params (GObject *object, const GValue *value)
{
  GstVyreFilter *self = GST_VYRE_FILTER_CAST (object);
  GstStructure *params = g_value_dup_boxed (value), *moved = NULL;
  VyreProgram *program = NULL, *old = NULL;
  GError *error = NULL;

  g_mutex_lock (&self->program_lock);
  if (self->program)
    program = program_with_fields (self->program, params, NULL, &error);
  GST_OBJECT_LOCK (self);
  /* without a program, the reason why there is none stays */
  gboolean taken = !self->program || program_take (self, program, &old, &error);
  if (taken) {
    GstStructure *unused = self->params;
    self->params = params;
    params = unused;
    moved = g_steal_pointer (&self->moved);
    self->settings.beginning++;
  }
  GST_OBJECT_UNLOCK (self);
  g_mutex_unlock (&self->program_lock);
  gst_clear_structure (&params);
  gst_clear_structure (&moved);
  program_end_change (self, taken, old, error);
}

/* Program lock held. Has children's numbers be those before with @numbers, unless they are that or
 * have been refused since the last change. */
static gboolean
program_take_moved (
    GstVyreFilter *self, const GstStructure *numbers, VyreProgram **old, GError **error)
{
  g_autoptr (GstStructure) wanted = program_join (self->moved, numbers);

  if (!self->program || (self->moved && gst_structure_is_equal (wanted, self->moved))
      || (self->refused && gst_structure_is_equal (wanted, self->refused)))
    return FALSE;
  GstStructure *moved = program_select (wanted, self->program);
  VyreProgram *program = program_with_fields (self->program, self->params, moved, error);
  GST_OBJECT_LOCK (self);
  gboolean taken = program_take (self, program, old, error);
  GstStructure **place = taken ? &self->moved : &self->refused;
  gst_clear_structure (place);
  *place = moved;
  if (taken)
    g_atomic_int_inc (&self->settings.serial);
  GST_OBJECT_UNLOCK (self);
  return taken;
}

/* Sets params to @numbers, all at once, and returns whether that changes any. State and events of a
 * stream go on. A name that the program does not declare is that of a child that leaves. */
gboolean
gst_vyre_program_move_params (GstVyreFilter *self, const GstStructure *numbers)
{
  VyreProgram *old = NULL;
  GError *error = NULL;

  g_mutex_lock (&self->program_lock);
  gboolean taken = program_take_moved (self, numbers, &old, &error);
  g_mutex_unlock (&self->program_lock);
  program_end_change (self, taken, old, error);
  return taken;
}

/* Sets one param to a double. */
void
gst_vyre_program_set_param (GstVyreFilter *self, const gchar *name, const GValue *value)
{
  g_autoptr (GstStructure) numbers = gst_structure_new_empty ("params");

  gst_structure_set_value (numbers, name, value);
  g_mutex_lock (&self->program_lock);
  GST_OBJECT_LOCK (self);
  gst_clear_structure (&self->refused);
  GST_OBJECT_UNLOCK (self);
  g_mutex_unlock (&self->program_lock);
  gst_vyre_program_move_params (self, numbers);
}

/* Reads a param of the program in use. */
void
gst_vyre_program_get_param (GstVyreFilter *self, const gchar *name, GValue *value)
{
  guint n;

  GST_OBJECT_LOCK (self);
  const VyreParam *params = vyre_program_get_params (self->settings.program, &n);
  for (guint i = 0; i < n; i++) {
    if (g_str_equal (params[i].name, name))
      g_value_set_double (value, (gdouble)params[i].value / MAX (params[i].divisor, 1));
  }
  GST_OBJECT_UNLOCK (self);
}

void
gst_vyre_program_get_params (GObject *object, GValue *value)
{
  GstVyreFilter *self = GST_VYRE_FILTER_CAST (object);

  GST_OBJECT_LOCK (self);
  g_value_set_boxed (value, self->params);
  GST_OBJECT_UNLOCK (self);
}

/* Loads the default program. */
void
gst_vyre_program_init (GstVyreFilter *self)
{
  g_mutex_init (&self->program_lock);
  program_change_text (self, NULL);
}

void
gst_vyre_program_clear (GstVyreFilter *self)
{
  g_mutex_clear (&self->program_lock);
  vyre_program_unref (self->settings.program);
  vyre_program_unref (self->program);
  gst_clear_structure (&self->params);
  gst_clear_structure (&self->moved);
  gst_clear_structure (&self->refused);
  g_clear_error (&self->program_error);
}
