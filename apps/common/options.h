/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The command line of a command.
 */
#pragma once

#include <glib.h>

gboolean app_parse_options (
    GOptionContext *context, const char *command, int *argc, char ***argv, GError **error);
