/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qc-live.h"

#include "common/json.h"
#include "qc-lines.h"
#include "qc-timeline.h"

/* Lines of events of a file that its state has, and files behind their end that have all of it */
#define MOST_EVENTS 4000
#define MOST_WHOLE 32

/* µs from one line with histograms to the next of a stream, which are as long as ten others */
#define HISTOGRAM_INTERVAL (G_USEC_PER_SEC / 5)

typedef struct {
  char *name, *format;
  QcKind kind;
  int depth, width, height, channels;
  guint64 n_frames;
  QcTimeline *timeline;
  gint64 last_histogram;
  /* The last lines: of a buffer with histograms, of one behind it, of counters; NULL: none */
  char *histograms, *frame, *counters;
} LiveStream;

typedef struct {
  char *name;
  GPtrArray *streams; /* of LiveStream */
  GPtrArray *events;  /* of char *: lines */
  guint n_left_out;   /* lines for which there was no room */
  gboolean is_forgotten;
  char *progress, *summary;
  gint64 start, last_progress; /* in µs; 0 before the first */
  guint64 last_frames;
  double rate; /* frames a second, of late */
} LiveFile;

/* The lock is taken with that of the run held, or alone; only that of the lines comes behind it. */
struct _QcLive {
  QcReport report;
  Serve *serve;
  GMutex lock;
  GPtrArray *files;          /* of LiveFile, in the order of the command line */
  guint n_done, n_forgotten; /* files */
  QcVerdict worst;
  gboolean is_over;
};

static void
stream_free (LiveStream *stream)
{
  g_clear_pointer (&stream->timeline, qc_timeline_free);
  g_free (stream->name);
  g_free (stream->format);
  g_free (stream->frame);
  g_free (stream->histograms);
  g_free (stream->counters);
  g_free (stream);
}

static void
file_free (LiveFile *file)
{
  g_ptr_array_unref (file->streams);
  g_ptr_array_unref (file->events);
  g_free (file->progress);
  g_free (file->summary);
  g_free (file->name);
  g_free (file);
}

/* Files of one name are one on the page, as they are in JSON lines. */
static LiveFile *
live_get_file (QcLive *live, const char *name)
{
  for (guint i = 0; i < live->files->len; i++) {
    LiveFile *file = live->files->pdata[i];
    if (g_str_equal (file->name, name))
      return file;
  }
  LiveFile *file = g_new0 (LiveFile, 1);
  file->name = g_strdup (name);
  file->streams = g_ptr_array_new_with_free_func ((GDestroyNotify)stream_free);
  file->events = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (live->files, file);
  return file;
}

static LiveStream *
file_get_stream (LiveFile *file, const QcStream *from)
{
  LiveStream *stream = NULL;

  for (guint i = 0; i < file->streams->len && !stream; i++) {
    LiveStream *other = file->streams->pdata[i];
    if (g_str_equal (other->name, from->name))
      stream = other;
  }
  if (!stream) {
    stream = g_new0 (LiveStream, 1);
    stream->name = g_strdup (from->name);
    stream->kind = from->kind;
    stream->timeline = qc_timeline_new (from->kind);
    g_ptr_array_add (file->streams, stream);
  }
  return stream;
}

/* Reads the caps, which came before the first buffer. */
static void
stream_take_format (LiveStream *stream, const QcStream *from)
{
  const GstVideoInfo *info = &from->video;
  gboolean is_video = from->kind == QC_VIDEO && info->finfo;

  stream->channels = from->channels;
  if (!is_video)
    return;
  stream->depth = (int)GST_VIDEO_INFO_COMP_DEPTH (info, 0);
  stream->width = GST_VIDEO_INFO_WIDTH (info);
  stream->height = GST_VIDEO_INFO_HEIGHT (info);
  g_free (stream->format);
  stream->format = g_strdup (GST_VIDEO_INFO_NAME (info));
}

/* Sends a line, and keeps it in @place, where there was an older one. */
static void
live_send (QcLive *live, GString *line, char **place)
{
  serve_add_line (live->serve, line->str);
  g_free (*place);
  *place = g_string_free (line, FALSE);
}

static void
live_add_frame (QcReport *report, const QcFile *from, const QcStream *from_stream,
    const QcSample *sample, const GstStructure *results, const GArray *signalstats)
{
  QcLive *live = (QcLive *)report;
  GString *line = g_string_new (NULL);
  gint64 now = g_get_monotonic_time ();
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&live->lock);
  LiveStream *stream = file_get_stream (live_get_file (live, from->name), from_stream);
  gboolean whole = now - stream->last_histogram >= HISTOGRAM_INTERVAL;

  if (stream->n_frames++ == 0)
    stream_take_format (stream, from_stream);
  qc_timeline_add (stream->timeline, sample);
  qc_lines_add_frame (line, from, from_stream, sample, results, signalstats,
      whole ? GST_VYRE_JSON_WHOLE : GST_VYRE_JSON_WITHOUT_HISTOGRAMS);
  if (whole) {
    stream->last_histogram = now;
    g_clear_pointer (&stream->frame, g_free);
  }
  live_send (live, line, whole ? &stream->histograms : &stream->frame);
}

static void
file_keep_event (LiveFile *file, GString *line)
{
  if (file->events->len < MOST_EVENTS)
    g_ptr_array_add (file->events, g_strdup (line->str));
  else
    file->n_left_out++;
}

static void
live_add_event (
    QcReport *report, const QcFile *from, const QcStream *stream, const GstStructure *message)
{
  QcLive *live = (QcLive *)report;
  g_autoptr (GString) line = g_string_new (NULL);
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&live->lock);

  qc_lines_add_message (line, "vyre-event", from, stream, message);
  file_keep_event (live_get_file (live, from->name), line);
  serve_add_line (live->serve, line->str);
}

static void
live_add_counters (
    QcReport *report, const QcFile *from, const QcStream *from_stream, const GstStructure *counters)
{
  QcLive *live = (QcLive *)report;
  GString *line = g_string_new (NULL);
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&live->lock);
  LiveStream *stream = file_get_stream (live_get_file (live, from->name), from_stream);

  qc_lines_add_message (line, "vyre-counters", from, from_stream, counters);
  live_send (live, line, &stream->counters);
}

/* Notes how fast the file is measured, of late. Returns FALSE where it stands still, as before. */
static gboolean
file_measure_rate (LiveFile *file, guint64 n_frames)
{
  gint64 now = g_get_monotonic_time ();
  gboolean stood = file->progress && file->rate == 0 && n_frames == file->last_frames;

  if (file->start == 0)
    file->start = file->last_progress = now;
  if (now > file->last_progress)
    file->rate = (double)(n_frames - file->last_frames) * G_USEC_PER_SEC
                 / (double)(now - file->last_progress);
  file->last_progress = now;
  file->last_frames = n_frames;
  return !stood;
}

static void
live_add_progress (QcReport *report, const QcFile *from)
{
  QcLive *live = (QcLive *)report;
  gboolean has_video = qc_file_find_stream (from, QC_VIDEO) != NULL;
  guint64 n_frames = qc_file_count_seen (from, has_video ? QC_VIDEO : QC_AUDIO);
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&live->lock);
  LiveFile *file = live_get_file (live, from->name);

  if (!file_measure_rate (file, n_frames))
    return;
  GString *line = g_string_new (NULL);
  qc_lines_begin (line, "progress", from);
  app_json_append_number (line, "position", qc_file_get_end (from));
  app_json_append_number (line, "claimed-duration", from->duration);
  app_json_append_number (line, "frames", n_frames);
  gst_vyre_json_add_key (line, "frames-per-second");
  gst_vyre_json_add_real (line, file->rate, 4);
  gst_vyre_json_add_key (line, "seconds");
  gst_vyre_json_add_real (line, (double)(file->last_progress - file->start) / G_USEC_PER_SEC, 6);
  g_string_append_c (line, '}');
  live_send (live, line, &file->progress);
}

/* Files end in their order. Of the oldest ones no more is kept than the summary. */
static void
live_forget (QcLive *live)
{
  if (++live->n_done <= MOST_WHOLE || live->n_forgotten + 1 >= live->files->len)
    return;
  LiveFile *file = live->files->pdata[live->n_forgotten++];
  file->is_forgotten = TRUE;
  g_ptr_array_set_size (file->streams, 0);
  g_ptr_array_set_size (file->events, 0);
}

/* The events with their values come in place of the messages. */
static void
live_add_file (QcReport *report, const QcFile *from)
{
  QcLive *live = (QcLive *)report;
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&live->lock);
  LiveFile *file = live_get_file (live, from->name);
  GString *summary = g_string_new (NULL);

  g_ptr_array_set_size (file->events, 0);
  file->n_left_out = 0;
  for (guint i = 0; i < from->events->len; i++) {
    g_autoptr (GString) line = g_string_new (NULL);
    qc_lines_add_event (line, from, from->events->pdata[i]);
    file_keep_event (file, line);
    serve_add_line (live->serve, line->str);
  }
  qc_lines_add_summary (summary, from);
  live_send (live, summary, &file->summary);
  live->worst = MAX (live->worst, qc_file_get_verdict (from));
  live_forget (live);
}

static gboolean
live_finish (QcReport *report, GError **error)
{
  QcLive *live = (QcLive *)report;
  g_autoptr (GString) line = g_string_new ("{");

  app_json_append_string (line, "type", "end");
  app_json_append_string (line, "verdict", qc_verdict_name (live->worst));
  g_string_append_c (line, '}');
  g_mutex_lock (&live->lock);
  live->is_over = TRUE;
  serve_add_line (live->serve, line->str);
  g_mutex_unlock (&live->lock);
  serve_end (live->serve);
  return TRUE;
}

/* A part of the state: a text, and a timeline that is to be written behind it, or NULL. */
typedef struct {
  char *text;
  QcTimeline *timeline;
} Part;

static void
part_clear (Part *part)
{
  g_free (part->text);
  g_clear_pointer (&part->timeline, qc_timeline_free);
}

/* Ends a part of the text with a copy of @timeline, and begins the next one. */
static void
parts_add (GArray *parts, GString *text, const QcTimeline *timeline)
{
  Part part = { g_strdup (text->str), timeline ? qc_timeline_copy (timeline) : NULL };

  g_array_append_val (parts, part);
  g_string_truncate (text, 0);
}

static void
append_lines (GString *text, const char *key, const char *const *lines, guint n)
{
  gboolean first = TRUE;

  gst_vyre_json_add_key (text, key);
  g_string_append_c (text, '[');
  for (guint i = 0; i < n; i++) {
    if (!lines[i])
      continue;
    g_string_append (text, first ? "" : ",");
    g_string_append (text, lines[i]);
    first = FALSE;
  }
  g_string_append_c (text, ']');
}

static void
append_stream (GString *text, const LiveStream *stream, GArray *parts)
{
  const char *const lines[] = { stream->histograms, stream->frame, stream->counters };

  g_string_append_c (text, '{');
  app_json_append_string (text, "stream", stream->name);
  app_json_append_string (text, "kind", qc_kind_name (stream->kind));
  app_json_append_string (text, "format", stream->format);
  app_json_append_number (text, "depth", (guint64)stream->depth);
  app_json_append_number (text, "width", (guint64)stream->width);
  app_json_append_number (text, "height", (guint64)stream->height);
  app_json_append_number (text, "channels", (guint64)stream->channels);
  app_json_append_number (text, "frames", stream->n_frames);
  append_lines (text, "lines", lines, G_N_ELEMENTS (lines));
  gst_vyre_json_add_key (text, "timeline");
  parts_add (parts, text, stream->timeline);
  g_string_append_c (text, '}');
}

static void
append_file (GString *text, const LiveFile *file, GArray *parts)
{
  const char *const lines[] = { file->progress, file->summary };
  const char *const *events = (const char *const *)file->events->pdata;

  g_string_append_c (text, '{');
  app_json_append_string (text, "file", file->name);
  gst_vyre_json_add_key (text, "forgotten");
  g_string_append (text, file->is_forgotten ? "true" : "false");
  app_json_append_number (text, "left-out", file->n_left_out);
  append_lines (text, "events", events, file->events->len);
  append_lines (text, "lines", lines, G_N_ELEMENTS (lines));
  g_string_append (text, ",\"streams\":[");
  for (guint i = 0; i < file->streams->len; i++) {
    g_string_append (text, i > 0 ? "," : "");
    append_stream (text, file->streams->pdata[i], parts);
  }
  g_string_append (text, "]}");
}

/* Copies what the state is made of, so that the threads of pipelines wait no longer than that. */
static GArray *
live_copy_parts (QcLive *live)
{
  GArray *parts = g_array_new (FALSE, FALSE, sizeof (Part));
  g_autoptr (GString) text = g_string_new ("{");
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&live->lock);
  g_autofree char *last = serve_get_last_id (live->serve);

  g_array_set_clear_func (parts, (GDestroyNotify)part_clear);
  app_json_append_string (text, "type", "state");
  app_json_append_string (text, "version", PACKAGE_VERSION);
  app_json_append_string (text, "last-id", last);
  app_json_append_string (text, "verdict", live->is_over ? qc_verdict_name (live->worst) : NULL);
  g_string_append (text, ",\"files\":[");
  for (guint i = 0; i < live->files->len; i++) {
    g_string_append (text, i > 0 ? "," : "");
    append_file (text, live->files->pdata[i], parts);
  }
  g_string_append (text, "]}");
  parts_add (parts, text, NULL);
  return parts;
}

static char *
live_make_state (gpointer data)
{
  g_autoptr (GArray) parts = live_copy_parts (data);
  GString *state = g_string_new (NULL);

  for (guint i = 0; i < parts->len; i++) {
    const Part *part = &g_array_index (parts, Part, i);
    g_string_append (state, part->text);
    if (part->timeline)
      qc_timeline_append_json (part->timeline, state);
  }
  return g_string_free (state, FALSE);
}

QcLive *
qc_live_new (Serve *serve, char **names)
{
  QcLive *live = g_new0 (QcLive, 1);

  live->report.add_frame = live_add_frame;
  live->report.add_event = live_add_event;
  live->report.add_counters = live_add_counters;
  live->report.add_progress = live_add_progress;
  live->report.add_file = live_add_file;
  live->report.finish = live_finish;
  live->serve = serve;
  g_mutex_init (&live->lock);
  live->files = g_ptr_array_new_with_free_func ((GDestroyNotify)file_free);
  for (char **name = names; *name; name++)
    live_get_file (live, *name);
  serve_start (serve, live_make_state, live);
  return live;
}

QcReport *
qc_live_get_report (QcLive *live)
{
  return &live->report;
}

void
qc_live_free (QcLive *live)
{
  if (!live)
    return;
  g_ptr_array_unref (live->files);
  g_mutex_clear (&live->lock);
  g_free (live);
}
