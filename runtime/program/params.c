/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Params of a program: numbers that its text gives a default, and a caller another value.
 */
#include <string.h>

#include "program/statements.h"

/* The most bytes of a name that a message shows. */
#define QUOTE_MAX 40

const VyreParam *
vyre_program_get_params (const VyreProgram *program, guint *n_params)
{
  g_return_val_if_fail (program, NULL);
  g_return_val_if_fail (n_params, NULL);
  *n_params = program->params->len;
  return (const VyreParam *)program->params->data;
}

/* The names of all params, "a, b"; free with g_free(). */
static char *
params_list (const VyreProgram *program)
{
  GString *list = g_string_new (NULL);

  for (guint i = 0; i < program->params->len; i++)
    g_string_append_printf (
        list, "%s%s", i > 0 ? ", " : "", g_array_index (program->params, VyreParam, i).name);
  return g_string_free (list, FALSE);
}

static gboolean
param_fits (const VyreParam *param)
{
  return param->divisor <= VYRE_DIVISOR_MAX
         && param->value / MAX (param->divisor, 1) <= G_MAXUINT32;
}

static gboolean
params_check (const VyreProgram *program, const VyreParam *params, guint n_params, GError **error)
{
  for (guint i = 0; i < n_params; i++) {
    gboolean found = FALSE;
    for (guint j = 0; j < program->params->len; j++)
      found |= g_str_equal (params[i].name, g_array_index (program->params, VyreParam, j).name);
    if (found && !param_fits (&params[i])) {
      g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
          "The param '%s' is %" G_GUINT64_FORMAT " / %u. Fix: set a number below 4294967296 with a "
          "divisor up to 1000000000.",
          params[i].name, params[i].value, params[i].divisor);
      return FALSE;
    }
    if (found)
      continue;
    g_autofree char *list = params_list (program);
    g_autofree char *shown
        = g_utf8_make_valid (params[i].name, (gssize)MIN (strlen (params[i].name), QUOTE_MAX));
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID, "The program has no param '%s'. Fix: %s%s.",
        shown, list[0] ? "set one of " : "add 'param NAME = NUMBER' to its text", list);
    return FALSE;
  }
  return TRUE;
}

/* The id of the text, and what @params are set to. */
static char *
params_id (const VyreProgram *program, const VyreParam *params, guint n_params)
{
  GString *id = g_string_new_len (program->id, (gssize)strcspn (program->id, "?"));

  for (guint i = 0; i < n_params; i++) {
    g_string_append_printf (
        id, "%c%s=%" G_GUINT64_FORMAT, i == 0 ? '?' : ',', params[i].name, params[i].value);
    if (params[i].divisor > 1)
      g_string_append_printf (id, "/%u", params[i].divisor);
  }
  return g_string_free (id, FALSE);
}

VyreProgram *
vyre_program_with_params (
    VyreProgram *program, const VyreParam *params, guint n_params, GError **error)
{
  g_return_val_if_fail (program, NULL);
  g_return_val_if_fail (params || n_params == 0, NULL);
  g_return_val_if_fail (!error || !*error, NULL);
  if (!params_check (program, params, n_params, error))
    return NULL;
  g_autofree char *id = params_id (program, params, n_params);
  return vyre_program_new_with (program->text, id, params, n_params, error);
}
