/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "video.h"

#include <math.h>
#include <stdlib.h>

/* Lent, in flight, and kept for the frames that follow. */
#define STAGING_FRAMES 16

/* Frames that wait in front of an element, which must never run dry. */
#define QUEUED_FRAMES 4

static void
count_frame (BenchVideo *video, guint i)
{
  const guint8 *data = video->contents[i];
  const guint8 *before = video->contents[(i + BENCH_VIDEO_POOL - 1) % BENCH_VIDEO_POOL];
  g_autofree guint8 *distance = g_malloc (video->luma);
  BenchFrame *frame = &video->frames[i];

  *frame = (BenchFrame){ BENCH_STATS_NONE, BENCH_STATS_NONE, BENCH_STATS_NONE, BENCH_STATS_NONE,
    { 0 } };
  bench_stats_add (&frame->luma, data, video->luma);
  bench_stats_add (&frame->u, data + video->luma, video->chroma);
  bench_stats_add (&frame->v, data + video->luma + video->chroma, video->chroma);
  for (gsize k = 0; k < video->luma; k++) {
    frame->histogram[data[k]]++;
    distance[k] = (guint8)abs (data[k] - before[k]);
  }
  bench_stats_add (&frame->difference, distance, video->luma);
}

void
bench_video_init (BenchVideo *video, guint width, guint height)
{
  gsize luma = (gsize)width * height;

  *video = (BenchVideo){ width, height, luma, luma / 4, luma / 2 * 3,
    .caps = g_strdup_printf (
        "video/x-raw,format=I420,width=%u,height=%u,framerate=30/1", width, height) };
  for (guint i = 0; i < BENCH_VIDEO_POOL; i++) {
    video->contents[i] = g_malloc (video->size);
    bench_noise (video->contents[i], video->size, i + 1, (guint8)(5 * i), (guint8)(200 - 10 * i));
  }
  for (guint i = 0; i < BENCH_VIDEO_POOL; i++)
    count_frame (video, i);
}

void
bench_video_clear (BenchVideo *video)
{
  for (guint i = 0; i < BENCH_VIDEO_POOL; i++)
    g_free (video->contents[i]);
  g_free (video->caps);
}

/* TRUE when each word of the histogram is right. */
static gboolean
is_histogram (const BenchFrame *frame, const guint8 *control, guint observable)
{
  for (guint i = 0; i < G_N_ELEMENTS (frame->histogram); i++) {
    if (vyre_read_word (control, VYRE_CONTROL_OBSERVABLES + observable + i) != frame->histogram[i])
      return FALSE;
  }
  return TRUE;
}

static guint32
count_black (const BenchFrame *frame, guint below)
{
  guint32 count = 0;

  for (guint i = 0; i < below; i++)
    count += frame->histogram[i];
  return count;
}

static gboolean
is_counted (const BenchVideoFilter *filter, const guint8 *control, guint64 index)
{
  const BenchFrame *frame = &filter->video->frames[index % BENCH_VIDEO_POOL];
  const BenchVideoResults *at = &filter->at;
  const BenchStats none
      = BENCH_STATS_NONE; /* before the first frame there is none to differ from */
  guint word = VYRE_CONTROL_OBSERVABLES;

  return vyre_read_word (control, word) == (guint32)(index + 1)
         && (!at->luma || bench_stats_match (&frame->luma, control, at->luma))
         && (!at->u || bench_stats_match (&frame->u, control, at->u))
         && (!at->v || bench_stats_match (&frame->v, control, at->v))
         && (!at->histogram || is_histogram (frame, control, at->histogram))
         && (!at->difference
             || bench_stats_match (
                 index == 0 ? &none : &frame->difference, control, at->difference))
         && (!at->black
             || vyre_read_word (control, word + at->black) == count_black (frame, filter->black));
}

static gboolean
is_right (const BenchPipe *pipe, GstBuffer *buffer, guint64 index)
{
  GstMemory *memory = gst_buffer_peek_memory (buffer, 0);
  GstMapInfo map;

  if (!gst_memory_map (memory, &map, GST_MAP_READ))
    return FALSE;
  gboolean fine = is_counted (pipe->data, map.data, index);
  gst_memory_unmap (memory, &map);
  return fine;
}

static guint
find_result (const VyreBoundProgram *bound, const char *name)
{
  for (guint i = 0; i < bound->n_results; i++) {
    if (g_str_equal (bound->results[i].name, name))
      return bound->results[i].observable;
  }
  return 0;
}

static VyreSymbols *
make_symbols (const BenchVideo *video)
{
  VyreSymbols *symbols = vyre_symbols_new ();
  guint32 width = video->width, height = video->height, luma = (guint32)video->luma;
  guint32 chroma = (guint32)video->chroma;

  vyre_symbols_set (symbols, "width", width);
  vyre_symbols_set (symbols, "height", height);
  vyre_symbols_set_region (symbols, "luma", &(VyreRegion){ 0, width, height, width });
  vyre_symbols_set_region (symbols, "u", &(VyreRegion){ luma, width / 2, height / 2, width / 2 });
  vyre_symbols_set_region (
      symbols, "v", &(VyreRegion){ luma + chroma, width / 2, height / 2, width / 2 });
  return symbols;
}

/* Finds the results that the oracle knows. */
static gboolean
find_results (BenchVideoFilter *filter, const char *text, BenchCheck *check)
{
  VyreSymbols *symbols = make_symbols (filter->video);
  GError *error = NULL;
  VyreProgram *program = vyre_program_from_string (text, &error);
  VyreBoundProgram *bound
      = program ? vyre_program_bind (program, symbols, filter->video->size, 0, 0, &error) : NULL;

  if (bound)
    filter->at = (BenchVideoResults){
      .luma = find_result (bound, "luma"),
      .u = find_result (bound, "u"),
      .v = find_result (bound, "v"),
      .histogram = find_result (bound, "luma-histogram"),
      .difference = find_result (bound, "luma-difference"),
      .black = find_result (bound, "black"),
    };
  vyre_bound_program_unref (bound);
  vyre_program_unref (program);
  vyre_symbols_free (symbols);
  return bench_check_error (check, error);
}

/* With @black set. The frames are in memory that the element lends, or @lender's, which has the
 * same kernel. Close it also when this fails. */
gboolean
bench_video_open (BenchVideoFilter *filter, const BenchVideo *video, Bench *bench,
    const char *program, guint in_flight, const BenchVideoFilter *lender, BenchCheck *check)
{
  g_autofree char *element
      = bench_pipe_filter (program, vyre_residency_name (bench->residency), bench->placement);
  g_autofree char *text = g_strdup_printf (
      "%s max-in-flight=%u staging-size=%zu", element, in_flight, STAGING_FRAMES * video->size);

  filter->video = video;
  filter->pipe = (BenchPipe){
    .list = 1, .duration = BENCH_FRAME_TIME, .is_right = is_right, .data = filter
  };
  if (!find_results (filter, program, check)
      || !bench_pipe_open (&filter->pipe, text, video->caps, QUEUED_FRAMES * video->size, check))
    return FALSE;
  if (lender)
    bench_pipe_share (&filter->pipe, &lender->pipe);
  else
    bench_pipe_fill (&filter->pipe, video->contents, BENCH_VIDEO_POOL, video->size, TRUE);
  bench_pipe_feed (&filter->pipe, BENCH_WARM_UP);
  return check->failed == 0;
}

/* One more round. */
void
bench_video_measure (BenchVideoFilter *filter, double seconds)
{
  BenchFlow flow = bench_pipe_feed (&filter->pipe, seconds);

  bench_series_add (&filter->rate, flow.rate);
  bench_series_add (&filter->cpu, flow.cpu_us / 1000);
}

void
bench_video_close (BenchVideoFilter *filter)
{
  if (filter->rate.n > 0)
    bench_pipe_check_complete (&filter->pipe);
  bench_pipe_close (&filter->pipe);
}

static gboolean
is_frame (const BenchPipe *pipe, GstBuffer *buffer, guint64 index)
{
  const BenchVideoAnalysis *analysis = pipe->data;

  return gst_buffer_get_size (buffer) == analysis->video->size;
}

/* videoanalyse's mean of each frame is held against the same oracle. */
static void
hear_analysis (BenchPipe *pipe, GstMessage *message)
{
  const GstStructure *structure = gst_message_get_structure (message);
  BenchVideoAnalysis *analysis = pipe->data;
  const BenchVideo *video = analysis->video;
  double mean;

  if (!structure || !gst_structure_get_double (structure, "luma-average", &mean))
    return;
  const BenchStats *luma = &video->frames[analysis->analysed++ % BENCH_VIDEO_POOL].luma;
  double right = (double)luma->sum / (255.0 * (double)video->luma);
  bench_check (pipe->check, fabs (mean - right) < 1e-6, "videoanalyse found a mean of %f, not %f",
      mean, right);
}

/* FALSE also where the element is not installed. */
gboolean
bench_video_open_analysis (BenchVideoAnalysis *analysis, const BenchVideo *video, BenchCheck *check)
{
  GstElementFactory *factory = gst_element_factory_find ("videoanalyse");

  if (!factory)
    return FALSE;
  gst_object_unref (factory);
  analysis->video = video;
  analysis->pipe
      = (BenchPipe){ .list = 1, .is_right = is_frame, .heard = hear_analysis, .data = analysis };
  if (!bench_pipe_open (
          &analysis->pipe, "videoanalyse", video->caps, BENCH_VIDEO_POOL * video->size, check))
    return FALSE;
  bench_pipe_fill (&analysis->pipe, video->contents, BENCH_VIDEO_POOL, video->size, FALSE);
  return TRUE;
}

void
bench_video_measure_analysis (BenchVideoAnalysis *analysis, double seconds)
{
  BenchFlow flow = bench_pipe_feed (&analysis->pipe, seconds);
  BenchPipe *pipe = &analysis->pipe;

  bench_series_add (&analysis->rate, flow.rate);
  bench_series_add (&analysis->cpu, flow.cpu_us / 1000);
  bench_check (pipe->check, analysis->analysed == pipe->pushed,
      "videoanalyse reported %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " frames",
      analysis->analysed, pipe->pushed);
}

/* Frames that a copy of them to the device allows, per second. */
void
bench_video_measure_limit (
    const BenchVideo *video, BenchLink *link, double seconds, BenchSeries *limit)
{
  bench_series_add (
      limit, bench_link_measure (link, video->size, seconds) * 1e9 / (double)video->size);
}
