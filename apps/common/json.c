/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/json.h"

/* Numbers without a value, as of unknown times, are null. */
void
app_json_append_number (GString *line, const char *key, guint64 number)
{
  gst_vyre_json_add_key (line, key);
  gst_vyre_json_add_time (line, number);
}

void
app_json_append_string (GString *line, const char *key, const char *text)
{
  gst_vyre_json_add_key (line, key);
  gst_vyre_json_add_text (line, text);
}
