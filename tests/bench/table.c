/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The report as Markdown, which reads well as it stands.
 */
#include "report.h"

#include <math.h>

/* Four digits that count, and no exponents. */
static char *
format_value (double value)
{
  double size = fabs (value);

  if (isnan (value))
    return g_strdup ("none");
  return g_strdup_printf (size >= 1000  ? "%.0f"
                          : size >= 100 ? "%.1f"
                          : size >= 10  ? "%.2f"
                                        : "%.3f",
      value);
}

/* Appends "name value (ours is R of it)". */
static void
append_peer (GString *text, const BenchFigure *figure, const BenchPeer *peer)
{
  double value = bench_series_median (&peer->values);
  double ratio = bench_series_median (&figure->ours) / value;
  g_autofree char *formatted = format_value (value);

  g_string_append_printf (text, "%s%s %s", text->len ? "; " : "", peer->name, formatted);
  if (isfinite (ratio))
    g_string_append_printf (text, " (×%.2f)", ratio);
}

static void
print_figure (const BenchResult *result, const BenchFigure *figure, FILE *file)
{
  g_autofree char *ours = format_value (bench_series_median (&figure->ours));
  g_autoptr (GString) peers = g_string_new (NULL);
  g_autoptr (GString) limit = g_string_new (NULL);

  for (guint i = 0; i < figure->peers->len; i++)
    append_peer (peers, figure, &g_array_index (figure->peers, BenchPeer, i));
  if (figure->limit.name)
    append_peer (limit, figure, &figure->limit);
  if (figure->note)
    g_string_append_printf (peers, "%s%s", peers->len ? "; " : "", figure->note);
  fprintf (file, "| %s | %s | %s %s | %s | %s | %s |\n", result->name, figure->name, ours,
      figure->unit, peers->str, limit->str, bench_check_passed (&result->check) ? "OK" : "FAILED");
}

void
bench_table_head (const BenchReport *report, FILE *file)
{
  for (guint i = 0; i + 1 < report->facts->len; i += 2)
    fprintf (file, "%s: %s\n", (const char *)g_ptr_array_index (report->facts, i),
        (const char *)g_ptr_array_index (report->facts, i + 1));
  fprintf (file, "\n| row | figure | ours | peers (×: ours / theirs) | limit | checks |\n"
                 "|---|---|---|---|---|---|\n");
  fflush (file);
}

void
bench_table_row (const BenchResult *result, FILE *file)
{
  for (guint i = 0; i < result->figures->len; i++)
    print_figure (result, g_ptr_array_index (result->figures, i), file);
  if (!bench_check_passed (&result->check))
    fprintf (file, "| %s | FAILED: %s | | | | FAILED |\n", result->name,
        result->check.first ? result->check.first : "nothing was checked");
  fflush (file);
}
