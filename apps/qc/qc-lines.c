/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qc-lines.h"

#include "common/json.h"
#include "qc-measure.h"

/* Digits of the values of filters */
#define MEASURE_DIGITS 6

/* The names of levels, in the order of QcLevel */
static const char *const level_names[QC_N_KINDS][QC_N_LEVELS + 1] = {
  [QC_VIDEO] = { "luma-min", "luma-low", "luma-average", "luma-high", "luma-max", "luma-difference",
      "scene-score", "black-share", NULL },
  [QC_AUDIO] = { "peak", "rms", "clipped", NULL },
};

/* Returns: the names of the levels of a sample, in their order, up to a NULL */
const char *const *
qc_lines_get_level_names (QcKind kind)
{
  return level_names[kind];
}

static void
append_structure (
    GString *line, const char *key, const GstStructure *structure, GstVyreJsonFlags flags)
{
  gst_vyre_json_add_key (line, key);
  g_string_append_c (line, '{');
  gst_vyre_json_add_fields (line, structure, flags);
  g_string_append_c (line, '}');
}

/* Begins an object, which the caller closes. */
void
qc_lines_begin (GString *line, const char *type, const QcFile *file)
{
  g_string_append_c (line, '{');
  app_json_append_string (line, "type", type);
  app_json_append_string (line, "file", file->name);
}

static void
append_levels (GString *line, const QcStream *stream, const QcSample *sample)
{
  const char *const *names = level_names[stream->kind];

  gst_vyre_json_add_key (line, "levels");
  g_string_append_c (line, '{');
  for (guint i = 0; names[i]; i++) {
    gst_vyre_json_add_key (line, names[i]);
    gst_vyre_json_add_real (line, sample->level[i], MEASURE_DIGITS);
  }
  g_string_append_c (line, '}');
}

static void
append_signalstats (GString *line, const GArray *signalstats)
{
  gst_vyre_json_add_key (line, "signalstats");
  g_string_append_c (line, '{');
  for (guint i = 0; i < signalstats->len; i++) {
    const QcMeasure *measure = &g_array_index (signalstats, QcMeasure, i);
    gst_vyre_json_add_key (line, measure->key);
    gst_vyre_json_add_real (line, measure->value, MEASURE_DIGITS);
  }
  g_string_append_c (line, '}');
}

/* Appends the results of a buffer; @signalstats is NULL for audio. */
void
qc_lines_add_frame (GString *line, const QcFile *file, const QcStream *stream,
    const QcSample *sample, const GstStructure *results, const GArray *signalstats,
    GstVyreJsonFlags flags)
{
  qc_lines_begin (line, "frame", file);
  app_json_append_string (line, "stream", stream->name);
  append_levels (line, stream, sample);
  append_structure (line, "results", results, flags);
  if (signalstats)
    append_signalstats (line, signalstats);
  g_string_append_c (line, '}');
}

/* Appends the fields of a message of vyrefilter. */
void
qc_lines_add_message (GString *line, const char *type, const QcFile *file, const QcStream *stream,
    const GstStructure *message)
{
  qc_lines_begin (line, type, file);
  app_json_append_string (line, "stream", stream->name);
  gst_vyre_json_add_fields (line, message, GST_VYRE_JSON_WHOLE);
  g_string_append_c (line, '}');
}

void
qc_lines_add_event (GString *line, const QcFile *file, const QcEvent *event)
{
  gboolean open = !GST_CLOCK_TIME_IS_VALID (event->end);
  g_autofree char *value = qc_event_describe_value (event);

  qc_lines_begin (line, "event", file);
  app_json_append_string (line, "stream", event->stream->name);
  app_json_append_string (line, "event", event->name);
  app_json_append_number (line, "start", event->start);
  app_json_append_number (line, "end", event->end);
  app_json_append_number (line, "duration", open ? GST_CLOCK_TIME_NONE : event->end - event->start);
  app_json_append_string (line, "value", value);
  if (event->values)
    append_structure (line, "values", event->values, GST_VYRE_JSON_WHOLE);
  g_string_append_c (line, '}');
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

/* Appends the verdict of a file, behind its end. */
void
qc_lines_add_summary (GString *line, const QcFile *file)
{
  qc_lines_begin (line, "summary", file);
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
  g_string_append (line, "]}");
}
