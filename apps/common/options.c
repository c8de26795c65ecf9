/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/options.h"

/* Parses the options of @command. Fails with a remedy. */
gboolean
app_parse_options (
    GOptionContext *context, const char *command, int *argc, char ***argv, GError **error)
{
  g_autoptr (GError) reason = NULL;

  if (g_option_context_parse (context, argc, argv, &reason))
    return TRUE;
  g_set_error (
      error, reason->domain, reason->code, "%s. Fix: see %s --help.", reason->message, command);
  return FALSE;
}
