/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qc-params.h"

#include <string.h>
#include <vyre/vyre.h>

static const char *const programs[QC_N_KINDS] = {
  [QC_VIDEO] = "builtin:video-qc",
  [QC_AUDIO] = "builtin:audio-qc",
};

const char *
qc_params_get_program (QcKind kind)
{
  return programs[kind];
}

/* Whether @program declares @name; otherwise appends the names that it declares to @known. */
static gboolean
program_has_param (const VyreProgram *program, const char *name, GString *known)
{
  guint n;
  const VyreParam *params = vyre_program_get_params (program, &n);

  for (guint i = 0; i < n; i++) {
    if (g_str_equal (params[i].name, name))
      return TRUE;
    g_string_append_printf (known, "%s%s", known->len > 0 ? ", " : "", params[i].name);
  }
  return FALSE;
}

static gboolean
params_set (QcSettings *settings, const char *name, guint value, GError **error)
{
  g_autoptr (GString) known = g_string_new ("");
  gboolean is_declared = FALSE;

  for (QcKind kind = 0; kind < QC_N_KINDS; kind++) {
    g_autoptr (VyreProgram) program = vyre_program_from_string (programs[kind], error);
    if (!program)
      return FALSE;
    if (!program_has_param (program, name, known))
      continue;
    is_declared = TRUE;
    if (!settings->params[kind])
      settings->params[kind] = gst_structure_new_empty ("params");
    gst_structure_set (settings->params[kind], name, G_TYPE_UINT, value, NULL);
  }
  if (!is_declared)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
        "There is no param '%s'. Fix: use one of %s.", name, known->str);
  return is_declared;
}

/* Sets the params of @texts, each NAME=VALUE. */
gboolean
qc_params_parse (char **texts, QcSettings *settings, GError **error)
{
  for (; texts && *texts; texts++) {
    const char *equals = strchr (*texts, '=');
    guint64 value;
    if (!equals || !g_ascii_string_to_unsigned (equals + 1, 10, 0, G_MAXUINT32, &value, NULL)) {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
          "'%s' sets no param. Fix: write NAME=VALUE, with a whole number from 0 to 4294967295.",
          *texts);
      return FALSE;
    }
    g_autofree char *name = g_strndup (*texts, (gsize)(equals - *texts));
    if (!params_set (settings, name, (guint)value, error))
      return FALSE;
  }
  return TRUE;
}

void
qc_params_clear (QcSettings *settings)
{
  for (QcKind kind = 0; kind < QC_N_KINDS; kind++)
    g_clear_pointer (&settings->params[kind], gst_structure_free);
}
