/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * JSON lines: an object for each buffer, each event and each file.
 */
#include "qc-lines.h"
#include "qc-report.h"

typedef struct {
  QcReport report;
  FILE *out;
  char *path;
  gboolean histograms;
} QcJson;

static void
json_write (QcJson *json, GString *line)
{
  g_string_append_c (line, '\n');
  fputs (line->str, json->out);
  g_string_free (line, TRUE);
}

static void
json_add_frame (QcReport *report, const QcFile *file, const QcStream *stream,
    const QcSample *sample, const GstStructure *results, const GArray *signalstats)
{
  QcJson *json = (QcJson *)report;
  GString *line = g_string_new (NULL);

  qc_lines_add_frame (line, file, stream, sample, results, signalstats,
      json->histograms ? GST_VYRE_JSON_WHOLE : GST_VYRE_JSON_WITHOUT_HISTOGRAMS);
  json_write (json, line);
}

static void
json_add_file (QcReport *report, const QcFile *file)
{
  QcJson *json = (QcJson *)report;

  for (guint i = 0; i < file->events->len; i++) {
    GString *line = g_string_new (NULL);
    qc_lines_add_event (line, file, file->events->pdata[i]);
    json_write (json, line);
  }
  GString *line = g_string_new (NULL);
  qc_lines_add_summary (line, file);
  json_write (json, line);
  fflush (json->out);
}

static gboolean
json_finish (QcReport *report, GError **error)
{
  QcJson *json = (QcJson *)report;
  gboolean written = qc_report_close (json->out, json->path, TRUE, error);

  g_free (json->path);
  g_free (json);
  return written;
}

/* With @histograms, results have their histograms, as arrays. */
QcReport *
qc_json_new (const QcOutput *output, gboolean histograms)
{
  QcJson *json = g_new0 (QcJson, 1);

  json->report.add_frame = json_add_frame;
  json->report.add_file = json_add_file;
  json->report.finish = json_finish;
  json->out = output->file;
  json->path = g_strdup (output->path);
  json->histograms = histograms;
  return &json->report;
}
