/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Values of JSON, behind what is in a line already.
 */
#pragma once

#include <glib.h>

void app_json_append_text (GString *line, const char *text);
void app_json_append_key (GString *line, const char *key);
void app_json_append_number (GString *line, const char *key, guint64 number);
void app_json_append_string (GString *line, const char *key, const char *text);
