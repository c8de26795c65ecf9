/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "report.h"

#include <math.h>

static void
append_string (GString *json, const char *name, const char *value)
{
  g_string_append_printf (json, "\"%s\": \"", name);
  for (const char *p = value; *p; p++) {
    if (*p == '"' || *p == '\\')
      g_string_append_printf (json, "\\%c", *p);
    else if ((guchar)*p < 0x20)
      g_string_append_printf (json, "\\u%04x", (guint)*p);
    else
      g_string_append_c (json, *p);
  }
  g_string_append_c (json, '"');
}

/* Whatever the locale, JSON has points; and it has no NAN. */
static void
append_number (GString *json, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  if (isfinite (value))
    g_string_append (json, g_ascii_formatd (text, sizeof text, "%.6g", value));
  else
    g_string_append (json, "null");
}

static void
append_field (GString *json, const char *name, double value)
{
  g_string_append_printf (json, ", \"%s\": ", name);
  append_number (json, value);
}

static void
append_rounds (GString *json, const BenchSeries *values)
{
  g_string_append (json, ", \"rounds\": [");
  for (guint i = 0; i < values->n; i++) {
    g_string_append (json, i ? ", " : "");
    append_number (json, values->values[i]);
  }
  g_string_append_c (json, ']');
}

static void
append_peer (GString *json, const BenchFigure *figure, const BenchPeer *peer)
{
  double value = bench_series_median (&peer->values);

  g_string_append_c (json, '{');
  append_string (json, "name", peer->name);
  append_field (json, "value", value);
  append_field (json, "ratio", bench_series_median (&figure->ours) / value);
  append_rounds (json, &peer->values);
  g_string_append_c (json, '}');
}

static void
append_figure (GString *json, const BenchFigure *figure)
{
  g_string_append (json, "      {");
  append_string (json, "figure", figure->name);
  g_string_append (json, ", ");
  append_string (json, "unit", figure->unit);
  append_field (json, "ours", bench_series_median (&figure->ours));
  append_rounds (json, &figure->ours);
  g_string_append (json, ", \"peers\": [");
  for (guint i = 0; i < figure->peers->len; i++) {
    g_string_append (json, i ? ", " : "");
    append_peer (json, figure, &g_array_index (figure->peers, BenchPeer, i));
  }
  g_string_append_c (json, ']');
  if (figure->limit.name) {
    g_string_append (json, ", \"limit\": ");
    append_peer (json, figure, &figure->limit);
  }
  if (figure->note) {
    g_string_append (json, ", ");
    append_string (json, "note", figure->note);
  }
  g_string_append_c (json, '}');
}

static void
append_result (GString *json, const BenchResult *result)
{
  g_string_append (json, "    {");
  append_string (json, "row", result->name);
  g_string_append (json, ", ");
  append_string (json, "title", result->title);
  g_string_append_printf (json,
      ", \"ok\": %s, \"checks\": %" G_GUINT64_FORMAT ", \"failed\": %" G_GUINT64_FORMAT,
      bench_check_passed (&result->check) ? "true" : "false", result->check.done,
      result->check.failed);
  if (result->check.first) {
    g_string_append (json, ", ");
    append_string (json, "failure", result->check.first);
  }
  append_field (json, "seconds", result->seconds);
  g_string_append (json, ", \"figures\": [\n");
  for (guint i = 0; i < result->figures->len; i++) {
    g_string_append (json, i ? ",\n" : "");
    append_figure (json, g_ptr_array_index (result->figures, i));
  }
  g_string_append (json, "\n    ]}");
}

/* Free with g_free(). */
char *
bench_json (const BenchReport *report)
{
  GString *json = g_string_new ("{\n");

  for (guint i = 0; i + 1 < report->facts->len; i += 2) {
    g_string_append (json, "  ");
    append_string (
        json, g_ptr_array_index (report->facts, i), g_ptr_array_index (report->facts, i + 1));
    g_string_append (json, ",\n");
  }
  g_string_append_printf (
      json, "  \"ok\": %s,\n  \"rows\": [\n", bench_report_passed (report) ? "true" : "false");
  for (guint i = 0; i < report->results->len; i++) {
    g_string_append (json, i ? ",\n" : "");
    append_result (json, g_ptr_array_index (report->results, i));
  }
  g_string_append (json, "\n  ]\n}\n");
  return g_string_free (json, FALSE);
}
