/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Members of JSON objects, behind what is in a line already.
 */
#pragma once

#include "json/gstvyrejson.h"

void app_json_append_number (GString *line, const char *key, guint64 number);
void app_json_append_string (GString *line, const char *key, const char *text);
