/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Row live: what a small live stream costs, 160 × 120 at 25 frames a second, of which every
 * frame is there long before the next. On a CPU device a kernel that waited for it would take
 * a core.
 */
#include <gst/gst.h>

#include "bench.h"
#include "oracle.h"

#define PIXELS (160 * 120)
#define WHITE 235
#define SETTLE_US (200 * 1000)
#define LEAST_SECONDS 1.0

/* One who analyses the stream. */
typedef struct {
  const char *name; /* in the table */
  GstElement *pipeline;
  gboolean is_vyre;
  guint64 frames; /* written by the sink's thread, as is what follows */
  guint64 wrong;
  BenchSeries cpu; /* milliseconds per second */
} Stream;

/* Every frame has a result of its own, and all of them are white. */
static gboolean
is_right (GstBuffer *buffer, guint64 index)
{
  GstMemory *control = gst_buffer_peek_memory (buffer, 0);
  GstMapInfo map;

  if (!gst_memory_map (control, &map, GST_MAP_READ))
    return FALSE;
  gboolean fine
      = vyre_read_word (map.data, VYRE_CONTROL_OBSERVABLES) == (guint32)(index + 1)
        && vyre_read_word_pair (map.data, VYRE_CONTROL_OBSERVABLES + 1 + VYRE_U8_STATS_SUM)
               == WHITE * PIXELS;
  gst_memory_unmap (control, &map);
  return fine;
}

static void
take_frame (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
  Stream *stream = data;

  if (stream->is_vyre && !is_right (buffer, stream->frames))
    stream->wrong++;
  stream->frames++;
}

static gboolean
set_state (Stream *stream, GstState state, BenchCheck *check)
{
  gst_element_set_state (stream->pipeline, state);
  GstStateChangeReturn result
      = gst_element_get_state (stream->pipeline, NULL, NULL, BENCH_DEADLINE * GST_USECOND);
  return bench_check (check, result != GST_STATE_CHANGE_FAILURE && result != GST_STATE_CHANGE_ASYNC,
      "%s does not get to %s", stream->name, gst_element_state_get_name (state));
}

/* FALSE also where the element is not installed. */
static gboolean
open_stream (Stream *stream, const char *element, BenchCheck *check)
{
  g_autofree char *text
      = g_strdup_printf ("videotestsrc is-live=true pattern=white ! "
                         "video/x-raw,format=I420,width=160,height=120,framerate=25/1 ! %s ! "
                         "fakesink name=sink sync=true signal-handoffs=true",
          element);
  GError *error = NULL;

  stream->pipeline = gst_parse_launch_full (text, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &error);
  if (g_error_matches (error, GST_PARSE_ERROR, GST_PARSE_ERROR_NO_SUCH_ELEMENT)
      && !stream->is_vyre) {
    g_error_free (error);
    return FALSE;
  }
  if (!bench_check_error (check, error))
    return FALSE;
  GstElement *sink = gst_bin_get_by_name (GST_BIN (stream->pipeline), "sink");
  g_signal_connect (sink, "handoff", G_CALLBACK (take_frame), stream);
  gst_object_unref (sink);
  return set_state (stream, GST_STATE_PAUSED, check);
}

static void
close_stream (Stream *stream)
{
  if (stream->pipeline)
    gst_element_set_state (stream->pipeline, GST_STATE_NULL);
  gst_clear_object (&stream->pipeline);
}

static void
measure (Stream *stream, double seconds, BenchCheck *check)
{
  guint64 before = stream->frames;

  if (!set_state (stream, GST_STATE_PLAYING, check))
    return;
  g_usleep (SETTLE_US);
  double cpu = bench_cpu_seconds ();
  gint64 start = bench_now ();
  g_usleep ((gulong)(seconds * 1e6));
  double elapsed = (double)(bench_now () - start) / 1e9;
  bench_series_add (&stream->cpu, (bench_cpu_seconds () - cpu) * 1000 / elapsed);
  set_state (stream, GST_STATE_PAUSED, check); /* where kernels leave at once */
  bench_check (check, stream->frames > before, "%s saw no frame", stream->name);
  bench_check (check, stream->wrong == 0, "%" G_GUINT64_FORMAT " frames of %s came out wrong",
      stream->wrong, stream->name);
}

static void
report (Bench *bench, const Stream *streams, guint n)
{
  BenchFigure *figure = bench_figure (bench, "ms/s", &streams[0].cpu, "CPU time, 25 frames/s");

  for (guint i = 1; i < n; i++) {
    if (streams[i].cpu.n > 0)
      bench_figure_peer (figure, streams[i].name, &streams[i].cpu);
  }
}

void
bench_row_live (Bench *bench, BenchCheck *check)
{
  g_autofree char *ours = g_strdup_printf (
      "vyrefilter program=builtin:frame-stats post-messages=0 placement=%s", bench->placement);
  g_autofree char *chosen
      = g_strdup_printf ("%s residency=%s", ours, vyre_residency_name (bench->residency));
  g_autofree char *staying = g_strdup_printf ("%s idle-timeout=100000000", chosen);
  g_autofree char *dispatch = g_strdup_printf ("%s residency=dispatch", ours);
  const char *elements[] = { chosen, "videoanalyse", "identity", dispatch, staying };
  Stream streams[] = { { .name = "vyrefilter", .is_vyre = TRUE }, { .name = "videoanalyse" },
    { .name = "identity" }, { .name = "dispatch", .is_vyre = TRUE },
    { .name = "idle-timeout of 100 ms", .is_vyre = TRUE } };
  double seconds = MAX (4 * bench->seconds, LEAST_SECONDS);
  gboolean open[G_N_ELEMENTS (streams)];

  gst_init (NULL, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (streams); i++)
    open[i] = open_stream (&streams[i], elements[i], check);
  for (guint round = 0; round < bench->rounds && check->failed == 0; round++) {
    for (guint i = 0; i < G_N_ELEMENTS (streams); i++) {
      if (open[i])
        measure (&streams[i], seconds, check);
    }
  }
  report (bench, streams, G_N_ELEMENTS (streams));
  for (guint i = 0; i < G_N_ELEMENTS (streams); i++)
    close_stream (&streams[i]);
}
