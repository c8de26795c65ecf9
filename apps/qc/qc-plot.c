/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qc-plot.h"

#include "qc-report.h"

/* In units of the drawing, of which one is a column of samples. */
#define LEFT 60
#define WIDTH 1000
#define HEIGHT 160
#define TOP 10
#define FOOT 24
#define N_TICKS 5

typedef struct {
  const QcFile *file;
  const GArray *samples;
  double low, high;
  double seconds; /* of the axis */
} Axes;

static double
place_time (const Axes *axes, GstClockTime time)
{
  return LEFT + WIDTH * MIN (1, (double)time / GST_SECOND / axes->seconds);
}

static double
place_level (const Axes *axes, double level)
{
  double share = (level - axes->low) / (axes->high - axes->low);

  return TOP + HEIGHT * (1 - CLAMP (share, 0, 1));
}

static void
axes_find_range (Axes *axes, const QcPlot *plot)
{
  axes->low = plot->low;
  axes->high = plot->high;
  if (plot->low < plot->high)
    return;
  for (const QcLine *line = plot->lines; line->name; line++) {
    for (guint i = 0; i < axes->samples->len; i++) {
      const QcSample *sample = &g_array_index (axes->samples, QcSample, i);
      axes->high = MAX (axes->high, sample->level[line->level]);
    }
  }
  if (axes->high <= axes->low)
    axes->high = axes->low + 1;
}

/* Draws a line; of the samples of a column, the least and the greatest level. */
static void
append_line (GString *html, const Axes *axes, const QcLine *line)
{
  g_string_append_printf (html, "<polyline fill=\"none\" stroke=\"%s\" points=\"", line->colour);
  for (guint i = 0; i < axes->samples->len;) {
    const QcSample *first = &g_array_index (axes->samples, QcSample, i);
    double x = place_time (axes, first->time);
    double least = first->level[line->level], most = least;
    for (i++; i < axes->samples->len; i++) {
      const QcSample *next = &g_array_index (axes->samples, QcSample, i);
      if (place_time (axes, next->time) >= x + 1)
        break;
      least = MIN (least, next->level[line->level]);
      most = MAX (most, next->level[line->level]);
    }
    g_string_append_printf (html, "%.1f,%.1f ", x, place_level (axes, least));
    if (most > least)
      g_string_append_printf (html, "%.1f,%.1f ", x, place_level (axes, most));
  }
  g_string_append (html, "\"/>\n");
}

static void
append_events (GString *html, const Axes *axes)
{
  for (guint i = 0; i < axes->file->events->len; i++) {
    const QcEvent *event = axes->file->events->pdata[i];
    if (!GST_CLOCK_TIME_IS_VALID (event->start))
      continue;
    double x = place_time (axes, event->start), end = place_time (axes, event->end);
    g_autofree char *time = qc_report_format_time (event->start);
    g_autofree char *name = g_markup_escape_text (event->name, -1);
    g_string_append_printf (html,
        "<rect class=\"event\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\">"
        "<title>%s %s</title></rect>\n",
        x, TOP, MAX (end - x, 1), HEIGHT, name, time);
  }
}

static void
append_scales (GString *html, const Axes *axes)
{
  g_string_append_printf (html,
      "<rect class=\"frame\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n"
      "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%g</text>\n"
      "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%g</text>\n",
      LEFT, TOP, WIDTH, HEIGHT, LEFT - 6, TOP + 10, axes->high, LEFT - 6, TOP + HEIGHT, axes->low);
  for (int i = 0; i <= N_TICKS; i++) {
    g_autofree char *time
        = qc_report_format_time ((GstClockTime)(axes->seconds * GST_SECOND) * (guint)i / N_TICKS);
    g_string_append_printf (html, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
        LEFT + WIDTH * i / N_TICKS, TOP + HEIGHT + 16, time);
  }
}

/* Appends @plot of what was seen of a stream of @file, if anything. */
void
qc_plot_append (GString *html, const QcFile *file, const QcStream *stream, const QcPlot *plot)
{
  Axes axes = { .file = file, .samples = stream->samples };

  if (stream->samples->len == 0)
    return;
  axes.seconds = MAX ((double)qc_file_get_end (file) / GST_SECOND, 0.001);
  axes_find_range (&axes, plot);
  g_string_append_printf (
      html, "<h3>%s (%s)</h3>\n<p class=\"legend\">", plot->title, stream->name);
  for (const QcLine *line = plot->lines; line->name; line++)
    g_string_append_printf (html, "<span style=\"color:%s\">%s</span> ", line->colour, line->name);
  g_string_append_printf (html,
      "</p>\n<svg viewBox=\"0 0 %d %d\" role=\"img\">\n<title>%s</title>\n", LEFT + WIDTH + 50,
      TOP + HEIGHT + FOOT, plot->title);
  append_scales (html, &axes);
  append_events (html, &axes);
  for (const QcLine *line = plot->lines; line->name; line++)
    append_line (html, &axes, line);
  g_string_append (html, "</svg>\n");
}
