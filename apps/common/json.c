/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/json.h"

#include <string.h>

void
app_json_append_text (GString *line, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);

  g_string_append_c (line, '"');
  for (const char *c = valid; *c; c++) {
    if (*c == '"' || *c == '\\')
      g_string_append_printf (line, "\\%c", *c);
    else if ((guchar)*c < 0x20)
      g_string_append_printf (line, "\\u%04x", (guint)*c);
    else
      g_string_append_c (line, *c);
  }
  g_string_append_c (line, '"');
}

void
app_json_append_key (GString *line, const char *key)
{
  if (!strchr ("{[", line->str[line->len - 1]))
    g_string_append_c (line, ',');
  app_json_append_text (line, key);
  g_string_append_c (line, ':');
}

/* Numbers without a value, as of unknown times, are null. */
void
app_json_append_number (GString *line, const char *key, guint64 number)
{
  app_json_append_key (line, key);
  if (number == G_MAXUINT64)
    g_string_append (line, "null");
  else
    g_string_append_printf (line, "%" G_GUINT64_FORMAT, number);
}

void
app_json_append_string (GString *line, const char *key, const char *text)
{
  app_json_append_key (line, key);
  app_json_append_text (line, text);
}
