/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "report.h"

static void
peer_clear (gpointer data)
{
  BenchPeer *peer = data;

  g_free (peer->name);
}

static void
figure_free (gpointer data)
{
  BenchFigure *figure = data;

  g_free (figure->name);
  g_array_unref (figure->peers);
  g_free (figure->limit.name);
  g_free (figure->note);
  g_free (figure);
}

static void
result_free (gpointer data)
{
  BenchResult *result = data;

  g_ptr_array_unref (result->figures);
  bench_check_clear (&result->check);
  g_free (result);
}

BenchReport *
bench_report_new (void)
{
  BenchReport *report = g_new0 (BenchReport, 1);

  report->facts = g_ptr_array_new_with_free_func (g_free);
  report->results = g_ptr_array_new_with_free_func (result_free);
  return report;
}

void
bench_report_free (BenchReport *report)
{
  g_ptr_array_unref (report->facts);
  g_ptr_array_unref (report->results);
  g_free (report);
}

/* What the run as a whole was: device, date and so on. */
void
bench_report_fact (BenchReport *report, const char *name, const char *format, ...)
{
  va_list list;

  va_start (list, format);
  g_ptr_array_add (report->facts, g_strdup (name));
  g_ptr_array_add (report->facts, g_strdup_vprintf (format, list));
  va_end (list);
}

/* A row to be filled; the report owns it. */
BenchResult *
bench_report_row (BenchReport *report, const char *name, const char *title)
{
  BenchResult *result = g_new0 (BenchResult, 1);

  result->name = name;
  result->title = title;
  result->figures = g_ptr_array_new_with_free_func (figure_free);
  g_ptr_array_add (report->results, result);
  return result;
}

/* Takes @name; the row owns the figure. */
BenchFigure *
bench_result_figure (BenchResult *result, char *name, const char *unit, const BenchSeries *ours)
{
  BenchFigure *figure = g_new0 (BenchFigure, 1);

  figure->name = name;
  figure->unit = unit;
  figure->ours = *ours;
  figure->peers = g_array_new (FALSE, FALSE, sizeof (BenchPeer));
  g_array_set_clear_func (figure->peers, peer_clear);
  g_ptr_array_add (result->figures, figure);
  return figure;
}

/* A peer that was not measured is none. */
void
bench_figure_peer (BenchFigure *figure, const char *name, const BenchSeries *values)
{
  BenchPeer peer = { .values = *values };

  if (values->n == 0)
    return;
  peer.name = g_strdup (name);
  g_array_append_val (figure->peers, peer);
}

void
bench_figure_limit (BenchFigure *figure, const char *name, const BenchSeries *values)
{
  if (values->n == 0)
    return;
  g_free (figure->limit.name);
  figure->limit = (BenchPeer){ .name = g_strdup (name), .values = *values };
}

void
bench_figure_note (BenchFigure *figure, const char *format, ...)
{
  va_list list;

  va_start (list, format);
  g_free (figure->note);
  figure->note = g_strdup_vprintf (format, list);
  va_end (list);
}

gboolean
bench_report_passed (const BenchReport *report)
{
  for (guint i = 0; i < report->results->len; i++) {
    const BenchResult *result = g_ptr_array_index (report->results, i);
    if (!bench_check_passed (&result->check))
      return FALSE;
  }
  return report->results->len > 0;
}
