/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The findings of vyre-info, as text or as one JSON object, from the same calls: sections of facts,
 * each with what is not right there. Text is written at once, so that it shows how far it came
 * where a driver ends the process.
 */
#pragma once

#include <glib.h>

typedef struct {
  GString *json;      /* NULL: text */
  GPtrArray *remarks; /* problems of the section, with their remedies */
  guint n_problems;
} InfoReport;

/* A number that there is none of. */
#define INFO_NONE G_MAXUINT64

void info_report_start (InfoReport *report, gboolean json);
void info_report_begin (InfoReport *report, const char *section);
void info_report_begin_list (InfoReport *report, const char *name);
void info_report_begin_item (InfoReport *report, const char *kind, guint number);
void info_report_add_text (InfoReport *report, const char *key, const char *text);
void info_report_add_number (InfoReport *report, const char *key, guint64 number, const char *unit);
void info_report_add_truth (InfoReport *report, const char *key, gboolean is_true);
void info_report_add_problem (InfoReport *report, const char *problem);
void info_report_end (InfoReport *report);
void info_report_end_list (InfoReport *report);
gboolean info_report_finish (InfoReport *report, int status, GError **error);
