/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * JSON lines: an object for each buffer, each event and each file.
 */
#include "common/json.h"
#include "qc-measure.h"
#include "qc-report.h"

#include <math.h>

typedef struct {
  QcReport report;
  FILE *out;
  char *path;
  gboolean histograms;
} QcJson;

typedef struct {
  GString *line;
  gboolean histograms;
} Fields;

static gboolean
append_bin (GQuark name, const GValue *value, gpointer data)
{
  GString *line = data;

  if (line->str[line->len - 1] != '[')
    g_string_append_c (line, ',');
  g_string_append_printf (line, "%" G_GUINT64_FORMAT, g_value_get_uint64 (value));
  return TRUE;
}

static gboolean append_field (GQuark name, const GValue *value, gpointer data);

/* Histograms become arrays, or nothing. */
static void
append_structure (Fields *fields, const char *name, const GstStructure *structure)
{
  if (!gst_structure_has_field (structure, "bin-0")) {
    app_json_append_key (fields->line, name);
    g_string_append_c (fields->line, '{');
    gst_structure_foreach (structure, append_field, fields);
    g_string_append_c (fields->line, '}');
  } else if (fields->histograms) {
    app_json_append_key (fields->line, name);
    g_string_append_c (fields->line, '[');
    gst_structure_foreach (structure, append_bin, fields->line);
    g_string_append_c (fields->line, ']');
  }
}

static gboolean
append_field (GQuark name, const GValue *value, gpointer data)
{
  Fields *fields = data;
  const char *key = g_quark_to_string (name);

  if (GST_VALUE_HOLDS_STRUCTURE (value)) {
    append_structure (fields, key, gst_value_get_structure (value));
  } else if (G_VALUE_HOLDS_UINT64 (value)) {
    app_json_append_number (fields->line, key, g_value_get_uint64 (value));
  } else if (G_VALUE_HOLDS_BOOLEAN (value)) {
    app_json_append_key (fields->line, key);
    g_string_append (fields->line, g_value_get_boolean (value) ? "true" : "false");
  } else if (G_VALUE_HOLDS_INT64 (value)) {
    app_json_append_key (fields->line, key);
    g_string_append_printf (fields->line, "%" G_GINT64_FORMAT, g_value_get_int64 (value));
  }
  return TRUE;
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
  Fields fields = { line, json->histograms };

  app_json_append_string (line, "stream", stream->name);
  app_json_append_key (line, "results");
  g_string_append_c (line, '{');
  gst_structure_foreach (results, append_field, &fields);
  g_string_append_c (line, '}');
  if (signalstats) {
    app_json_append_key (line, "signalstats");
    g_string_append_c (line, '{');
    for (guint i = 0; i < signalstats->len; i++) {
      const QcMeasure *measure = &g_array_index (signalstats, QcMeasure, i);
      app_json_append_key (line, measure->key);
      g_string_append_printf (line, "%g", measure->value);
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
  Fields fields = { line, FALSE };

  app_json_append_string (line, "stream", event->stream->name);
  app_json_append_string (line, "event", event->name);
  app_json_append_number (line, "start", event->start);
  app_json_append_number (line, "end", event->end);
  app_json_append_number (line, "duration", open ? GST_CLOCK_TIME_NONE : event->end - event->start);
  app_json_append_string (line, "value", value);
  if (event->values)
    append_structure (&fields, "values", event->values);
  json_end (json, line);
}

static void
append_stream (GString *line, const QcStream *stream)
{
  app_json_append_key (line, stream->name);
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
  app_json_append_key (line, "problems");
  g_string_append_c (line, '[');
  for (guint i = 0; i < file->problems->len; i++) {
    if (i > 0)
      g_string_append_c (line, ',');
    app_json_append_text (line, file->problems->pdata[i]);
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
