/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "info-report.h"

#include <gio/gio.h>
#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "common/terminal.h"

#define FIX " Fix: "

void
info_report_start (InfoReport *report, gboolean json)
{
  report->json = json ? g_string_new ("{") : NULL;
  report->remarks = g_ptr_array_new_with_free_func (g_free);
  report->n_problems = 0;
}

void
info_report_begin (InfoReport *report, const char *section)
{
  if (!report->json) {
    printf ("%s\n", section);
    return;
  }
  gst_vyre_json_add_key (report->json, section);
  g_string_append_c (report->json, '{');
}

/* Begins a list of sections. */
void
info_report_begin_list (InfoReport *report, const char *name)
{
  if (!report->json)
    return;
  gst_vyre_json_add_key (report->json, name);
  g_string_append_c (report->json, '[');
}

/* Begins a section of a list. */
void
info_report_begin_item (InfoReport *report, const char *kind, guint number)
{
  if (!report->json)
    printf ("%s %u\n", kind, number);
  else
    g_string_append (report->json, g_str_has_suffix (report->json->str, "[") ? "{" : ",{");
}

static void
report_print (const char *key, const char *text)
{
  g_autofree char *printable = app_make_printable (text);

  printf ("  %-16s  %s\n", key, printable);
  fflush (stdout);
}

/* @text is NULL where there is none. */
void
info_report_add_text (InfoReport *report, const char *key, const char *text)
{
  if (!report->json) {
    report_print (key, text ? text : "-");
  } else if (text) {
    app_json_append_string (report->json, key, text);
  } else {
    app_json_append_number (report->json, key, INFO_NONE);
  }
}

/* @unit is NULL of a plain number. */
void
info_report_add_number (InfoReport *report, const char *key, guint64 number, const char *unit)
{
  g_autofree char *text
      = g_strdup_printf ("%" G_GUINT64_FORMAT "%s%s", number, unit ? " " : "", unit ? unit : "");

  if (report->json)
    app_json_append_number (report->json, key, number);
  else
    report_print (key, number == INFO_NONE ? "-" : text);
}

void
info_report_add_truth (InfoReport *report, const char *key, gboolean is_true)
{
  if (!report->json) {
    report_print (key, is_true ? "yes" : "no");
    return;
  }
  gst_vyre_json_add_key (report->json, key);
  g_string_append (report->json, is_true ? "true" : "false");
}

/* @problem ends in "Fix: …"; it comes at the end of the section. */
void
info_report_add_problem (InfoReport *report, const char *problem)
{
  const char *fix = g_strrstr (problem, FIX);

  g_assert (fix);
  g_ptr_array_add (report->remarks, g_strndup (problem, (gsize)(fix - problem)));
  g_ptr_array_add (report->remarks, g_strdup (fix + strlen (FIX)));
  report->n_problems++;
}

static void
report_end_json (const InfoReport *report)
{
  gst_vyre_json_add_key (report->json, "problems");
  g_string_append_c (report->json, '[');
  for (guint i = 0; i < report->remarks->len; i += 2) {
    g_string_append (report->json, i == 0 ? "{" : ",{");
    app_json_append_string (report->json, "problem", report->remarks->pdata[i]);
    app_json_append_string (report->json, "fix", report->remarks->pdata[i + 1]);
    g_string_append_c (report->json, '}');
  }
  g_string_append (report->json, "]}");
}

static void
report_end_text (const InfoReport *report)
{
  for (guint i = 0; i < report->remarks->len; i += 2) {
    g_autofree char *problem = app_make_printable (report->remarks->pdata[i]);
    g_autofree char *fix = app_make_printable (report->remarks->pdata[i + 1]);
    printf ("  %s\n  Fix: %s\n", problem, fix);
  }
  fflush (stdout);
}

/* Ends the section, with its problems. */
void
info_report_end (InfoReport *report)
{
  if (report->json)
    report_end_json (report);
  else
    report_end_text (report);
  g_ptr_array_set_size (report->remarks, 0);
}

void
info_report_end_list (InfoReport *report)
{
  if (report->json)
    g_string_append_c (report->json, ']');
}

/* Fails where not all of the report could be written. */
gboolean
info_report_finish (InfoReport *report, int status, GError **error)
{
  if (report->json) {
    app_json_append_number (report->json, "status", (guint64)status);
    printf ("%s}\n", report->json->str);
    g_string_free (report->json, TRUE);
  }
  g_ptr_array_unref (report->remarks);
  if (fflush (stdout) == 0 && !ferror (stdout))
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
      "Standard output could not be written. Fix: check the room on its disk.");
  return FALSE;
}
