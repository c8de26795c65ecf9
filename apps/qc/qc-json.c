/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * JSON lines: an object for each buffer, each event and each file.
 */
#include "common/json.h"
#include "qc-measure.h"
#include "qc-report.h"

typedef struct {
  QcReport report;
  FILE *out;
  char *path;
  gboolean histograms;
} QcJson;

/* Digits of the values of filters */
#define MEASURE_DIGITS 6

static void
append_structure (
    GString *line, const char *key, const GstStructure *structure, GstVyreJsonFlags flags)
{
  gst_vyre_json_add_key (line, key);
  g_string_append_c (line, '{');
  gst_vyre_json_add_fields (line, structure, flags);
  g_string_append_c (line, '}');
}

static GString *
json_begin (const char *type, const QcFile *file)
{
  GString *line = g_string_new ("{");

  app_json_append_string (line, "type", type);
  app_json_append_string (line, "file", file->name);
  return line;
}

static void
json_end (QcJson *json, GString *line)
{
  g_string_append (line, "}\n");
  fputs (line->str, json->out);
  g_string_free (line, TRUE);
}

static void
json_add_frame (QcReport *report, const QcFile *file, const QcStream *stream,
    const QcSample *sample, const GstStructure *results, const GArray *signalstats)
{
  QcJson *json = (QcJson *)report;
  GString *line = json_begin ("frame", file);

  app_json_append_string (line, "stream", stream->name);
  append_structure (line, "results", results,
      json->histograms ? GST_VYRE_JSON_WHOLE : GST_VYRE_JSON_WITHOUT_HISTOGRAMS);
  if (signalstats) {
    gst_vyre_json_add_key (line, "signalstats");
    g_string_append_c (line, '{');
    for (guint i = 0; i < signalstats->len; i++) {
      const QcMeasure *measure = &g_array_index (signalstats, QcMeasure, i);
      gst_vyre_json_add_key (line, measure->key);
      gst_vyre_json_add_real (line, measure->value, MEASURE_DIGITS);
    }
    g_string_append_c (line, '}');
  }
  json_end (json, line);
}

static void
json_add_event (QcJson *json, const QcFile *file, const QcEvent *event)
{
  GString *line = json_begin ("event", file);
  gboolean open = !GST_CLOCK_TIME_IS_VALID (event->end);
  g_autofree char *value = qc_event_describe_value (event);

  app_json_append_string (line, "stream", event->stream->name);
  app_json_append_string (line, "event", event->name);
  app_json_append_number (line, "start", event->start);
  app_json_append_number (line, "end", event->end);
  app_json_append_number (line, "duration", open ? GST_CLOCK_TIME_NONE : event->end - event->start);
  app_json_append_string (line, "value", value);
  if (event->values)
    append_structure (line, "values", event->values, GST_VYRE_JSON_WHOLE);
  json_end (json, line);
}

static void
append_stream (GString *line, const QcStream *stream)
{
  gst_vyre_json_add_key (line, stream->name);
  g_string_append_c (line, '{');
  app_json_append_number (line, "frames-in", stream->frames_in);
  app_json_append_number (line, "frames-seen", stream->frames_seen);
  app_json_append_number (line, "bytes-in", stream->bytes_in);
  app_json_append_number (line, "bytes-seen", stream->bytes_seen);
  app_json_append_number (line, "faults", stream->faults);
  app_json_append_number (line, "dropped-records", stream->dropped_records);
  app_json_append_number (line, "flushed", stream->flushed);
  app_json_append_number (line, "undecided", stream->undecided);
  g_string_append_c (line, '}');
}

static void
json_add_file (QcReport *report, const QcFile *file)
{
  QcJson *json = (QcJson *)report;

  for (guint i = 0; i < file->events->len; i++)
    json_add_event (json, file, file->events->pdata[i]);
  GString *line = json_begin ("summary", file);
  app_json_append_string (line, "verdict", qc_verdict_name (qc_file_get_verdict (file)));
  for (guint i = 0; i < file->streams->len; i++)
    append_stream (line, file->streams->pdata[i]);
  app_json_append_number (line, "events", file->events->len);
  app_json_append_number (line, "claimed-duration", file->duration);
  app_json_append_number (line, "end", qc_file_get_end (file));
  gst_vyre_json_add_key (line, "problems");
  g_string_append_c (line, '[');
  for (guint i = 0; i < file->problems->len; i++) {
    if (i > 0)
      g_string_append_c (line, ',');
    gst_vyre_json_add_text (line, file->problems->pdata[i]);
  }
  g_string_append_c (line, ']');
  json_end (json, line);
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

  json->report = (QcReport){ json_add_frame, json_add_file, json_finish };
  json->out = output->file;
  json->path = g_strdup (output->path);
  json->histograms = histograms;
  return &json->report;
}
