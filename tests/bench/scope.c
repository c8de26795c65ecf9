/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Row scope: vyrescope, with results of builtin:scope that were measured beforehand, in frames
 * of its own and over the picture, beside scopes of ffmpeg over the same pictures; and with
 * builtin:scope in front of it, which those do as well: they measure what they draw.
 */
#include <math.h>

#include "ffmpeg.h"
#include "video.h"

#define IN_FLIGHT 8
#define QUEUED_FRAMES 4

/* The goal for 1080p, in CPU ms a frame. */
#define TARGET "16.7 are 60 frames/s on one core"

#define SCOPES "[a]waveform[w];[b]vectorscope=mode=color3[v];[w][v]hstack"

enum { DRAWN, OVERLAY, MEASURED, N_WAYS };

typedef struct {
  const char *name;
  const char *filters; /* of ffmpeg */
  const char *peer;    /* an element of GStreamer that draws over pictures, or NULL */
} Way;

static const Way ways[N_WAYS] = {
  [DRAWN] = { "drawn", "split[a][b];" SCOPES, NULL },
  [OVERLAY] = { "overlay",
      "split=3[p][a][b];" SCOPES ",format=yuva420p[s];[p][s]overlay=0:main_h-256", "timeoverlay" },
  [MEASURED] = { "measured and drawn", "split[a][b];" SCOPES, NULL },
};

typedef struct {
  const char *name;
  guint width, height;
  guint n_ways;
} Size;

static const Size sizes[] = { { "320 × 180", 320, 180, MEASURED }, { "1080p", 1920, 1080, N_WAYS },
  { "4K", 3840, 2160, MEASURED } };

/* A pipeline, and what it does in a second */
typedef struct {
  BenchPipe pipe;
  gsize size; /* of a buffer that comes out */
  BenchSeries rate, cpu;
} Flow;

typedef struct {
  BenchVideo video;
  BenchRawVideo raw;
  BenchPipe results; /* which pictures with results come out of */
  GstBuffer *pictures[BENCH_VIDEO_POOL];
  Flow ours[N_WAYS], peers[N_WAYS];
  BenchFfmpeg ffmpeg[N_WAYS];
  BenchSeries rate[N_WAYS], cpu[N_WAYS]; /* of ffmpeg */
} Trial;

/* Keeps a picture of vyrefilter, whose results have the luma that the oracle counts. */
static gboolean
keep_picture (const BenchPipe *pipe, GstBuffer *buffer, guint64 index)
{
  Trial *trial = pipe->data;
  GstCustomMeta *meta = gst_buffer_get_custom_meta (buffer, "GstVyreResultsMeta");
  const GstStructure *fields = meta ? gst_custom_meta_get_structure (meta) : NULL;
  GstStructure *luma = NULL;
  guint64 sum = 0;

  if (!fields || !gst_structure_get (fields, "luma", GST_TYPE_STRUCTURE, &luma, NULL))
    return FALSE;
  gst_structure_get_uint64 (luma, "sum", &sum);
  gst_structure_free (luma);
  guint at = (guint)(index % BENCH_VIDEO_POOL);
  if (!trial->pictures[at])
    trial->pictures[at] = gst_buffer_ref (buffer);
  return sum == trial->video.frames[at].luma.sum;
}

static char *
make_filter (Bench *bench)
{
  g_autofree char *filter = bench_pipe_filter (
      "builtin:scope", vyre_residency_name (bench->residency), bench->placement);

  return g_strdup_printf (
      "%s output-mode=passthrough post-messages=0 max-in-flight=%d", filter, IN_FLIGHT);
}

/* Has vyrefilter measure each picture once. */
static gboolean
measure_pictures (Bench *bench, BenchCheck *check, Trial *trial)
{
  g_autofree char *filter = make_filter (bench);
  const BenchVideo *video = &trial->video;

  trial->results = (BenchPipe){
    .list = BENCH_VIDEO_POOL, .duration = BENCH_FRAME_TIME, .is_right = keep_picture, .data = trial
  };
  if (!bench_pipe_open (&trial->results, filter, video->caps, QUEUED_FRAMES * video->size, check))
    return FALSE;
  bench_pipe_fill (&trial->results, video->contents, BENCH_VIDEO_POOL, video->size, FALSE);
  bench_pipe_feed (&trial->results, BENCH_WARM_UP);
  return check->failed == 0;
}

/* A frame is whole, and has more than one colour along its lower third, where panels are in either
 * way. */
static gboolean
is_frame (const BenchPipe *pipe, GstBuffer *buffer, guint64 index)
{
  const Flow *flow = pipe->data;
  guint8 bytes[2][16];
  gsize at = flow->size / 4 * 3, step = flow->size / 64;

  if (gst_buffer_get_size (buffer) != flow->size)
    return FALSE;
  gst_buffer_extract (buffer, at, bytes[0], sizeof bytes[0]);
  for (guint i = 1; i < 8; i++) {
    gst_buffer_extract (buffer, at + i * step, bytes[1], sizeof bytes[1]);
    if (memcmp (bytes[0], bytes[1], sizeof bytes[0]) != 0)
      return TRUE;
  }
  return FALSE;
}

static gboolean
open_flow (
    Flow *flow, Trial *trial, const char *element, gsize size, gboolean measures, BenchCheck *check)
{
  const BenchVideo *video = &trial->video;

  flow->size = size;
  flow->pipe
      = (BenchPipe){ .list = 1, .duration = BENCH_FRAME_TIME, .is_right = is_frame, .data = flow };
  if (!bench_pipe_open (&flow->pipe, element, video->caps, QUEUED_FRAMES * video->size, check))
    return FALSE;
  if (measures) {
    bench_pipe_share (&flow->pipe, &trial->results);
  } else {
    flow->pipe.pool = g_new (GstBuffer *, BENCH_VIDEO_POOL);
    for (guint i = 0; i < BENCH_VIDEO_POOL; i++)
      flow->pipe.pool[flow->pipe.n_pool++] = gst_buffer_ref (trial->pictures[i]);
  }
  bench_pipe_feed (&flow->pipe, BENCH_WARM_UP);
  return check->failed == 0;
}

static char *
make_element (Bench *bench, const BenchVideo *video, guint way)
{
  g_autofree char *filter = make_filter (bench);

  if (way == OVERLAY)
    return g_strdup ("vyrescope mode=overlay");
  return g_strdup_printf ("%s%svyrescope ! capsfilter caps=video/x-raw,width=%u,height=%u",
      way == MEASURED ? filter : "", way == MEASURED ? " ! " : "", video->width, video->height);
}

static gboolean
open_flows (Bench *bench, BenchCheck *check, Trial *trial, guint n_ways)
{
  const BenchVideo *video = &trial->video;
  gboolean fine = measure_pictures (bench, check, trial);

  for (guint i = 0; fine && i < n_ways; i++) {
    g_autofree char *element = make_element (bench, video, i);
    fine = open_flow (&trial->ours[i], trial, element, i == OVERLAY ? video->size : 4 * video->luma,
        i == MEASURED, check);
    g_autoptr (GstElementFactory) factory
        = ways[i].peer ? gst_element_factory_find (ways[i].peer) : NULL;
    if (fine && factory)
      fine = open_flow (&trial->peers[i], trial, ways[i].peer, video->size, FALSE, check);
  }
  return fine;
}

static void
measure_flow (Flow *flow, double seconds)
{
  BenchFlow found = bench_pipe_feed (&flow->pipe, seconds);

  bench_series_add (&flow->rate, found.rate);
  bench_series_add (&flow->cpu, found.cpu_us / 1000);
}

static void
measure_way (Bench *bench, BenchCheck *check, Trial *trial, guint way)
{
  measure_flow (&trial->ours[way], bench->seconds);
  if (trial->peers[way].pipe.pipeline)
    measure_flow (&trial->peers[way], bench->seconds);
  if (!trial->ffmpeg[way].program)
    return;
  BenchFlow found = bench_ffmpeg_measure (&trial->ffmpeg[way], bench->seconds, check);
  bench_series_add (&trial->rate[way], found.rate);
  bench_series_add (&trial->cpu[way], found.cpu_us / 1000);
}

static void
measure (Bench *bench, BenchCheck *check, Trial *trial, guint n_ways)
{
  const BenchVideo *video = &trial->video;
  gboolean has_ffmpeg = bench->ffmpeg
                        && bench_raw_video_open (&trial->raw, video->width, video->height,
                            video->contents, BENCH_VIDEO_POOL, video->size, check);

  for (guint i = 0; has_ffmpeg && i < n_ways; i++)
    trial->ffmpeg[i] = (BenchFfmpeg){ bench->ffmpeg, { &trial->raw, NULL }, ways[i].filters, 1, 0 };
  for (guint round = 0; round < bench->rounds && check->failed == 0; round++) {
    for (guint i = 0; i < n_ways; i++)
      measure_way (bench, check, trial, i);
  }
}

static void
report (Bench *bench, const Trial *trial, const Size *size)
{
  for (guint i = 0; i < size->n_ways; i++) {
    const Flow *ours = &trial->ours[i], *peer = &trial->peers[i];
    BenchFigure *rate
        = bench_figure (bench, "frames/s", &ours->rate, "%s, %s", size->name, ways[i].name);
    BenchFigure *cpu
        = bench_figure (bench, "CPU ms/frame", &ours->cpu, "%s, %s", size->name, ways[i].name);
    bench_figure_peer (rate, "ffmpeg, one thread", &trial->rate[i]);
    bench_figure_peer (cpu, "ffmpeg, one thread", &trial->cpu[i]);
    if (ways[i].peer) {
      bench_figure_peer (rate, ways[i].peer, &peer->rate);
      bench_figure_peer (cpu, ways[i].peer, &peer->cpu);
    }
    if (i != MEASURED && size->height == 1080)
      bench_figure_note (cpu, TARGET);
  }
}

static void
run_size (Bench *bench, BenchCheck *check, const Size *size)
{
  g_autofree Trial *trial = g_new0 (Trial, 1);

  bench_video_init (&trial->video, size->width, size->height);
  if (open_flows (bench, check, trial, size->n_ways))
    measure (bench, check, trial, size->n_ways);
  report (bench, trial, size);
  for (guint i = 0; i < N_WAYS; i++) {
    bench_pipe_close (&trial->ours[i].pipe);
    bench_pipe_close (&trial->peers[i].pipe);
  }
  bench_pipe_close (&trial->results);
  for (guint i = 0; i < BENCH_VIDEO_POOL; i++)
    gst_clear_buffer (&trial->pictures[i]);
  bench_raw_video_close (&trial->raw);
  bench_video_clear (&trial->video);
}

void
bench_row_scope (Bench *bench, BenchCheck *check)
{
  gst_init (NULL, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    run_size (bench, check, &sizes[i]);
}
