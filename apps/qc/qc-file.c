/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qc-file.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

/* How much may lack between two buffers, and behind the last, and which part of the duration at
 * most: encoders take away less. */
#define SLACK (250 * GST_MSECOND)
#define SLACK_PART 10

/* A RIFF file, WAV or AVI, starts with a name and the number of bytes that follow. */
#define RIFF_HEAD 8

/* The channels that builtin:audio-qc measures. */
#define MOST_CHANNELS 8

static void
event_free (gpointer data)
{
  QcEvent *event = data;

  g_free (event->name);
  gst_clear_structure (&event->values);
  g_free (event);
}

static void
stream_free (gpointer data)
{
  QcStream *stream = data;

  g_array_unref (stream->samples);
  g_free (stream->incomplete);
  g_free (stream->name);
  g_free (stream);
}

/* @name is a URI, unless a file has that name. */
QcFile *
qc_file_new (const char *name)
{
  QcFile *file = g_new0 (QcFile, 1);
  gboolean is_uri = gst_uri_is_valid (name) && !g_file_test (name, G_FILE_TEST_EXISTS);

  file->name = g_strdup (name);
  file->uri = is_uri ? g_strdup (name) : gst_filename_to_uri (name, NULL);
  file->events = g_ptr_array_new_with_free_func (event_free);
  file->problems = g_ptr_array_new_with_free_func (g_free);
  file->duration = GST_CLOCK_TIME_NONE;
  file->streams = g_ptr_array_new_with_free_func (stream_free);
  return file;
}

void
qc_file_free (QcFile *file)
{
  g_ptr_array_unref (file->streams);
  g_ptr_array_unref (file->events);
  g_ptr_array_unref (file->problems);
  g_free (file->name);
  g_free (file->uri);
  g_free (file);
}

/* Frees the samples and the events, which grow with the length of a film; the counts stay. */
void
qc_file_forget (QcFile *file)
{
  for (guint i = 0; i < file->streams->len; i++) {
    QcStream *stream = file->streams->pdata[i];
    g_free (g_array_steal (stream->samples, NULL));
  }
  g_ptr_array_set_size (file->events, 0);
}

const char *
qc_kind_name (QcKind kind)
{
  return kind == QC_VIDEO ? "video" : "audio";
}

/* Adds the next stream of @kind, which the file keeps. */
QcStream *
qc_file_add_stream (QcFile *file, QcKind kind)
{
  QcStream *stream = g_new0 (QcStream, 1);
  guint number = 1;

  for (guint i = 0; i < file->streams->len; i++) {
    const QcStream *other = file->streams->pdata[i];
    number += other->kind == kind;
  }
  stream->kind = kind;
  stream->index = file->streams->len;
  stream->name = number == 1 ? g_strdup (qc_kind_name (kind))
                             : g_strdup_printf ("%s-%u", qc_kind_name (kind), number);
  stream->samples = g_array_new (FALSE, TRUE, sizeof (QcSample));
  g_ptr_array_add (file->streams, stream);
  return stream;
}

/* Returns: (nullable): the first stream of @kind */
const QcStream *
qc_file_find_stream (const QcFile *file, QcKind kind)
{
  for (guint i = 0; i < file->streams->len; i++) {
    const QcStream *stream = file->streams->pdata[i];
    if (stream->kind == kind)
      return stream;
  }
  return NULL;
}

/* Buffers of all streams of @kind that results came of. */
guint64
qc_file_count_seen (const QcFile *file, QcKind kind)
{
  guint64 n = 0;

  for (guint i = 0; i < file->streams->len; i++) {
    const QcStream *stream = file->streams->pdata[i];
    n += stream->kind == kind ? stream->frames_seen : 0;
  }
  return n;
}

void
qc_file_add_problem (QcFile *file, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_ptr_array_add (file->problems, g_strdelimit (g_strdup_vprintf (format, args), "\n", ' '));
  va_end (args);
}

/* Whether the last buffer that results came of is that of @time. */
static gboolean
stream_has_seen (const QcStream *stream, GstClockTime time)
{
  const GArray *samples = stream->samples;

  return samples->len > 0 && g_array_index (samples, QcSample, samples->len - 1).time == time;
}

/* Adds an event when its message of the start comes, and ends it with the other. Where a buffer
 * ends it, the message comes in front of the results of that buffer; at the end of the stream it
 * comes behind those of the last one. */
void
qc_file_add_event (QcFile *file, const QcStream *stream, const GstStructure *message)
{
  const char *name = gst_structure_get_string (message, "event");
  guint64 time = GST_CLOCK_TIME_NONE;

  gst_structure_get_uint64 (message, "stream-time", &time);
  if (!g_str_equal (gst_structure_get_string (message, "state"), "end")) {
    QcEvent *event = g_new0 (QcEvent, 1);
    *event = (QcEvent){ g_strdup (name), stream, time, GST_CLOCK_TIME_NONE, FALSE, NULL };
    gst_structure_get (message, "values", GST_TYPE_STRUCTURE, &event->values, NULL);
    g_ptr_array_add (file->events, event);
    return;
  }
  for (guint i = file->events->len; i-- > 0;) {
    QcEvent *event = file->events->pdata[i];
    if (event->stream != stream || !g_str_equal (event->name, name))
      continue;
    event->end = time;
    event->has_last = stream_has_seen (stream, time);
    return;
  }
}

/* The end of the last buffer that results came of; 0 where it is unknown. */
static GstClockTime
stream_get_end (const QcStream *stream)
{
  const GArray *samples = stream->samples;

  if (samples->len == 0)
    return 0;
  const QcSample *last = &g_array_index (samples, QcSample, samples->len - 1);
  return GST_CLOCK_TIME_IS_VALID (last->time) ? last->time + last->duration : 0;
}

/* The same, of all streams. */
GstClockTime
qc_file_get_end (const QcFile *file)
{
  GstClockTime end = 0;

  for (guint i = 0; i < file->streams->len; i++)
    end = MAX (end, stream_get_end (file->streams->pdata[i]));
  return end;
}

static void
check_stream (QcFile *file, const QcStream *stream)
{
  const char *name = stream->name;

  if (stream->frames_in == 0)
    qc_file_add_problem (
        file, "The %s stream has no buffer. Fix: check that the file is whole.", name);
  if (stream->frames_seen != stream->frames_in || stream->bytes_seen != stream->bytes_in)
    qc_file_add_problem (file,
        "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " buffers and %" G_GUINT64_FORMAT
        " of %" G_GUINT64_FORMAT " bytes of %s were measured. Fix: run it again.",
        stream->frames_seen, stream->frames_in, stream->bytes_seen, stream->bytes_in, name);
  if (stream->incomplete)
    qc_file_add_problem (file, "Of the %s: %s", name, stream->incomplete);
  if (stream->channels > MOST_CHANNELS)
    qc_file_add_problem (file,
        "Of %d channels the first %d were measured. Fix: split the channels into several files.",
        stream->channels, MOST_CHANNELS);
}

/* The demuxers of RIFF files take the end of a cut file for the end of the stream. */
static void
check_riff (QcFile *file)
{
  g_autofree char *path = file->uri ? g_filename_from_uri (file->uri, NULL, NULL) : NULL;
  gboolean is_regular = path && g_file_test (path, G_FILE_TEST_IS_REGULAR);
  FILE *in = is_regular ? g_fopen (path, "re") : NULL;
  guint8 head[RIFF_HEAD];
  GStatBuf status;

  if (!in)
    return;
  if (fread (head, 1, sizeof head, in) == sizeof head && memcmp (head, "RIFF", 4) == 0
      && g_stat (path, &status) == 0) {
    guint32 claimed = GST_READ_UINT32_LE (head + 4);
    if (claimed != G_MAXUINT32 && (goffset)claimed + RIFF_HEAD > status.st_size)
      qc_file_add_problem (file,
          "It has %" G_GOFFSET_FORMAT " of the %" G_GOFFSET_FORMAT
          " bytes that it claims. Fix: get the whole file.",
          (goffset)status.st_size, (goffset)claimed + RIFF_HEAD);
  }
  fclose (in);
}

/* A buffer without a duration does not tell whether a gap follows. */
static void
check_gaps (QcFile *file, const QcStream *stream, GstClockTime slack)
{
  for (guint i = 1; i < stream->samples->len; i++) {
    const QcSample *next = &g_array_index (stream->samples, QcSample, i), *sample = next - 1;
    GstClockTime end = sample->time + sample->duration;
    if (!GST_CLOCK_TIME_IS_VALID (sample->time) || !GST_CLOCK_TIME_IS_VALID (next->time)
        || sample->duration == 0 || next->time <= end + slack)
      continue;
    qc_file_add_problem (file,
        "There is no %s from %.3f s to %.3f s. Fix: check that the file is whole.", stream->name,
        (double)end / GST_SECOND, (double)next->time / GST_SECOND);
    return;
  }
}

/* Adds a problem for the first stream with a hole, or with an end long before that of the file. */
static void
check_holes (QcFile *file, GstClockTime slack)
{
  GstClockTime file_end = qc_file_get_end (file);

  for (guint i = 0; i < file->streams->len && file->problems->len == 0; i++) {
    const QcStream *stream = file->streams->pdata[i];
    GstClockTime end = stream_get_end (stream);
    check_gaps (file, stream, slack);
    if (file->problems->len == 0 && end > 0 && end + slack < file_end)
      qc_file_add_problem (file,
          "Its %s ends after %.3f s of %.3f s. Fix: check that the file is whole.", stream->name,
          (double)end / GST_SECOND, (double)file_end / GST_SECOND);
  }
}

/* Adds a problem for each loss of measurement, where no known problem explains it.
 */
static void
check_file (QcFile *file)
{
  GstClockTime end = qc_file_get_end (file);
  gboolean claims = GST_CLOCK_TIME_IS_VALID (file->duration);
  GstClockTime slack = MIN (SLACK, (claims ? file->duration : end) / SLACK_PART);

  if (file->problems->len > 0)
    return;
  for (guint i = 0; i < file->streams->len; i++)
    check_stream (file, file->streams->pdata[i]);
  check_riff (file);
  if (file->problems->len == 0 && claims && MAX (end, file->other_end) + slack < file->duration)
    qc_file_add_problem (file,
        "It ends after %.3f s of the %.3f s that it claims. Fix: get the whole file.",
        (double)end / GST_SECOND, (double)file->duration / GST_SECOND);
  check_holes (file, slack);
}

/* By start, by name and by stream; streams do not know of each other. */
static int
compare_events (gconstpointer a, gconstpointer b)
{
  const QcEvent *first = *(QcEvent *const *)a, *second = *(QcEvent *const *)b;

  if (first->start != second->start)
    return first->start < second->start ? -1 : 1;
  int order = strcmp (first->name, second->name);
  return order != 0 ? order : (int)first->stream->index - (int)second->stream->index;
}

/* Puts the events in order, and adds a problem where not all was measured. */
void
qc_file_finish (QcFile *file)
{
  g_ptr_array_sort (file->events, compare_events);
  check_file (file);
}

QcVerdict
qc_file_get_verdict (const QcFile *file)
{
  if (file->problems->len > 0)
    return QC_INCOMPLETE;
  return file->events->len > 0 ? QC_FINDINGS : QC_PASS;
}

const char *
qc_verdict_name (QcVerdict verdict)
{
  static const char *const names[] = { "pass", "findings", "incomplete" };

  return names[verdict];
}

/* The levels that say how bad an event is. */
static const struct {
  const char *event;
  QcKind kind;
  QcLevel level;
  enum { LEAST, MOST, MOST_INSIDE, MOST_WHOLE, SUM } fold; /* INSIDE: behind the first buffer */
  const char *format;
} event_values[] = {
  { "black", QC_VIDEO, QC_BLACK_SHARE, LEAST, "%.2f %%" },
  { "freeze", QC_VIDEO, QC_LUMA_DIFFERENCE, MOST_INSIDE, "%.4f" },
  { "cut", QC_VIDEO, QC_SCENE_SCORE, MOST, "%.3f" },
  { "silence", QC_AUDIO, QC_PEAK, MOST_WHOLE, "%.1f dB" },
  { "clipping", QC_AUDIO, QC_CLIPPED, SUM, "%.0f samples" },
};

/* TRUE for a buffer that ends behind the event, by more than times are rounded. */
static gboolean
sample_outlasts (const QcSample *sample, const QcEvent *event)
{
  GstClockTime end = sample->time + sample->duration;

  return end > event->end && end - event->end > GST_USECOND;
}

/* FALSE if no buffer counts. */
static gboolean
fold_level (const QcEvent *event, guint row, double *folded)
{
  const GArray *samples = event->stream->samples;
  double value = 0;
  gboolean first = TRUE;

  for (guint i = 0; i < samples->len; i++) {
    const QcSample *sample = &g_array_index (samples, QcSample, i);
    if (sample->time < event->start || sample->time > event->end
        || (sample->time == event->end && !event->has_last)
        || (event_values[row].fold == MOST_INSIDE && sample->time == event->start)
        || (event_values[row].fold == MOST_WHOLE && sample_outlasts (sample, event)))
      continue;
    double level = sample->level[event_values[row].level];
    if (first)
      value = level;
    else if (event_values[row].fold == SUM)
      value += level;
    else
      value = event_values[row].fold == LEAST ? MIN (value, level) : MAX (value, level);
    first = FALSE;
  }
  *folded = value;
  return !first;
}

static gboolean
append_value (GQuark name, const GValue *value, gpointer text)
{
  const char *key = g_quark_to_string (name), *space = ((GString *)text)->len > 0 ? " " : "";
  g_autofree char *number = gst_value_serialize (value);

  g_string_append_printf (text, "%s%s=%s", space, key, number);
  return TRUE;
}

/* The numbers that an event carries, or "-". */
static char *
describe_values (const QcEvent *event)
{
  GString *text = g_string_new (NULL);

  if (!event->values)
    return g_string_free (g_string_append_c (text, '-'), FALSE);
  gst_structure_foreach (event->values, append_value, text);
  return g_string_free (text, FALSE);
}

/* How bad an event is, with its unit, over all of its buffers; of events without a measure the
 * numbers that they carry, or "-". */
char *
qc_event_describe_value (const QcEvent *event)
{
  double value;

  for (guint i = 0; i < G_N_ELEMENTS (event_values); i++) {
    if (event_values[i].kind == event->stream->kind
        && g_str_equal (event_values[i].event, event->name) && fold_level (event, i, &value)) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
      return g_strdup_printf (event_values[i].format, value);
#pragma GCC diagnostic pop
    }
  }
  return describe_values (event);
}
