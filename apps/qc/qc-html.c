/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A page with timelines and events. It is one file, without scripts, and loads nothing.
 */
#include "qc-plot.h"
#include "qc-report.h"
#include "qc-thumbnail.h"

/* Pictures of one film. */
#define MOST_THUMBNAILS 100

typedef struct {
  QcReport report;
  FILE *out;
  char *path;
} QcHtml;

static const char head[] = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                           "<title>vyre-qc</title>\n<style>\n"
                           "body { font: 14px sans-serif; max-width: 1110px; margin: 2em auto }\n"
                           "svg { width: 100%; font-size: 11px }\n"
                           ".frame { fill: none; stroke: #999 }\n"
                           ".event { fill: #d33; opacity: .2 }\n"
                           ".legend { margin: 0 }\n"
                           "table { border-collapse: collapse }\n"
                           "th, td { text-align: left; padding: 2px 12px 2px 0 }\n"
                           "</style>\n</head>\n<body>\n<h1>vyre-qc</h1>\n";

static const QcLine luma_lines[] = {
  { "max", QC_LUMA_MAX, "#e69f00" },
  { "high", QC_LUMA_HIGH, "#d55e00" },
  { "average", QC_LUMA_AVG, "#000000" },
  { "low", QC_LUMA_LOW, "#0072b2" },
  { "min", QC_LUMA_MIN, "#56b4e9" },
  { NULL },
};
static const QcLine difference_lines[] = {
  { "mean difference of luma to the frame before", QC_LUMA_DIFFERENCE, "#0072b2" },
  { "scene score", QC_SCENE_SCORE, "#d55e00" },
  { NULL },
};
static const QcLine audio_lines[] = {
  { "peak", QC_PEAK, "#d55e00" },
  { "RMS", QC_RMS, "#0072b2" },
  { NULL },
};

static void
append_video (GString *html, const QcFile *file, const QcStream *stream)
{
  guint bits = stream->samples->len > 0 ? GST_VIDEO_INFO_COMP_DEPTH (&stream->video, 0) : 0;
  const QcPlot luma = { "Luma", luma_lines, 0, (double)(1U << bits) - 1 };
  const QcPlot differences = { "Differences", difference_lines, 0, 0 };

  qc_plot_append (html, file, stream, &luma);
  qc_plot_append (html, file, stream, &differences);
}

static void
append_plots (GString *html, const QcFile *file)
{
  static const QcPlot audio = { "Level in dB", audio_lines, -90, 0 };

  for (guint i = 0; i < file->streams->len; i++) {
    const QcStream *stream = file->streams->pdata[i];
    if (stream->kind == QC_VIDEO)
      append_video (html, file, stream);
    else
      qc_plot_append (html, file, stream, &audio);
  }
}

static void
append_thumbnail (GString *html, QcThumbnails *thumbnails, const QcEvent *event)
{
  g_autofree char *link = NULL;

  if (thumbnails && GST_CLOCK_TIME_IS_VALID (event->start))
    link = qc_thumbnails_make_link (thumbnails, event->start);
  g_string_append (html, "<td>");
  if (link)
    g_string_append_printf (html, "<img alt=\"first picture\" src=\"%s\">", link);
  g_string_append (html, "</td></tr>\n");
}

static void
append_event (GString *html, const QcFile *file, const QcEvent *event, QcThumbnails *thumbnails)
{
  g_autofree char *name = g_markup_escape_text (event->name, -1);
  g_autofree char *start = qc_report_format_time (event->start);
  g_autofree char *end = qc_report_format_time (event->end);
  g_autofree char *value = qc_event_describe_value (event);

  g_string_append_printf (
      html, "<tr><td>%s</td><td>%s</td><td>%s</td><td>%s</td>", name, start, end, value);
  append_thumbnail (html, thumbnails, event);
}

static void
append_events (GString *html, const QcFile *file)
{
  gboolean wanted = file->events->len > 0 && qc_file_count_seen (file, QC_VIDEO) > 0;
  QcThumbnails *thumbnails = wanted ? qc_thumbnails_new (file->uri) : NULL;

  if (file->events->len > 0)
    g_string_append (html, "<table>\n<tr><th>event</th><th>start</th><th>end</th><th>value</th>"
                           "<th>picture</th></tr>\n");
  for (guint i = 0; i < file->events->len; i++)
    append_event (html, file, file->events->pdata[i], i < MOST_THUMBNAILS ? thumbnails : NULL);
  if (file->events->len > 0)
    g_string_append (html, "</table>\n");
  if (wanted && !thumbnails)
    g_string_append (html, "<p>There are no pictures. Fix: install the plugin png or jpeg of "
                           "GStreamer's good plugins.</p>\n");
  if (thumbnails && file->events->len > MOST_THUMBNAILS)
    g_string_append_printf (html, "<p>The first %d events have pictures.</p>\n", MOST_THUMBNAILS);
  qc_thumbnails_free (thumbnails);
}

static void
html_add_file (QcReport *report, const QcFile *file)
{
  QcHtml *html = (QcHtml *)report;
  g_autoptr (GString) text = g_string_new ("");
  g_autofree char *valid = g_utf8_make_valid (file->name, -1);
  g_autofree char *name = g_markup_escape_text (valid, -1);

  g_string_append_printf (text,
      "<section>\n<h2>%s</h2>\n<p>Verdict: <strong>%s</strong>, %" G_GUINT64_FORMAT
      " frames of video, %" G_GUINT64_FORMAT " buffers of audio</p>\n",
      name, qc_verdict_name (qc_file_get_verdict (file)), qc_file_count_seen (file, QC_VIDEO),
      qc_file_count_seen (file, QC_AUDIO));
  for (guint i = 0; i < file->problems->len; i++) {
    g_autofree char *problem_valid = g_utf8_make_valid (file->problems->pdata[i], -1);
    g_autofree char *problem = g_markup_escape_text (problem_valid, -1);
    g_string_append_printf (text, "<p>%s</p>\n", problem);
  }
  append_plots (text, file);
  append_events (text, file);
  g_string_append (text, "</section>\n");
  fputs (text->str, html->out);
}

static gboolean
html_finish (QcReport *report, GError **error)
{
  QcHtml *html = (QcHtml *)report;

  fputs ("</body>\n</html>\n", html->out);
  gboolean written = qc_report_close (html->out, html->path, TRUE, error);
  g_free (html->path);
  g_free (html);
  return written;
}

QcReport *
qc_html_new (const QcOutput *output)
{
  QcHtml *html = g_new0 (QcHtml, 1);

  html->report.add_file = html_add_file;
  html->report.finish = html_finish;
  html->out = output->file;
  html->path = g_strdup (output->path);
  fputs (head, html->out);
  return &html->report;
}
