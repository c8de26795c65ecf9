/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Text for a terminal, and the standard descriptors that it goes to.
 */
#pragma once

#include <glib.h>

char *app_make_printable (const char *text);
void app_open_standard_files (void);
