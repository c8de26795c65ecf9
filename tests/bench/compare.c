/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Row compare: builtin:compare on two streams of video frames in system memory, beside ffmpeg's
 * psnr and ssim on the same frames.
 */
#include <math.h>

#include "ffmpeg.h"
#include "video.h"

#define IN_FLIGHT 4
#define QUEUED 4
#define FILTERS "[1]split[a][b];[0][a]psnr[c];[c][b]ssim"
#define KEY "lavfi.psnr.mse.y"

/* Results in the order of the program. */
#define LUMA_DIFFERENCE 1

static const struct {
  const char *name;
  guint threads;
} peers[] = { { "ffmpeg, one thread", 1 }, { "ffmpeg, all cores", 0 } };

typedef struct {
  BenchVideo video;
  BenchPipe ours;
  BenchRawVideo raw[2];
  BenchFfmpeg ffmpeg[G_N_ELEMENTS (peers)];
  BenchSeries rate, cpu, peer_rate[G_N_ELEMENTS (peers)], peer_cpu[G_N_ELEMENTS (peers)];
} Compare;

/* The difference to the next frame is that of the next to the one before. */
static const BenchStats *
expect (const BenchVideo *video, guint64 index)
{
  return &video->frames[(index + 1) % BENCH_VIDEO_POOL].difference;
}

static gboolean
is_right (const BenchPipe *pipe, GstBuffer *buffer, guint64 index)
{
  const Compare *compare = pipe->data;
  GstMemory *memory = gst_buffer_peek_memory (buffer, 0);
  GstMapInfo map;

  if (!gst_memory_map (memory, &map, GST_MAP_READ))
    return FALSE;
  gboolean fine = vyre_read_word (map.data, VYRE_CONTROL_OBSERVABLES) == (guint32)(index + 1)
                  && bench_stats_match (expect (&compare->video, index), map.data, LUMA_DIFFERENCE);
  gst_memory_unmap (memory, &map);
  return fine;
}

static gboolean
open_ours (Bench *bench, BenchCheck *check, Compare *compare)
{
  const BenchVideo *video = &compare->video;
  g_autofree char *filter = bench_pipe_filter (
      "builtin:compare", vyre_residency_name (bench->residency), bench->placement);
  g_autofree char *text = g_strdup_printf ("%s max-in-flight=%d", filter, IN_FLIGHT);

  compare->ours = (BenchPipe){
    .list = 1, .paired = TRUE, .duration = BENCH_FRAME_TIME, .is_right = is_right, .data = compare
  };
  if (!bench_pipe_open (&compare->ours, text, video->caps, QUEUED * video->size, check))
    return FALSE;
  bench_pipe_fill (&compare->ours, video->contents, BENCH_VIDEO_POOL, video->size, FALSE);
  bench_pipe_feed (&compare->ours, BENCH_WARM_UP);
  return check->failed == 0;
}

/* Each frame in the first file has the next one in the second. */
static gboolean
open_files (BenchCheck *check, Compare *compare)
{
  const BenchVideo *video = &compare->video;
  guint8 *contents[BENCH_VIDEO_POOL];
  gboolean fine = TRUE;

  for (guint k = 0; fine && k < G_N_ELEMENTS (compare->raw); k++) {
    for (guint i = 0; i < BENCH_VIDEO_POOL; i++)
      contents[i] = video->contents[(i + k) % BENCH_VIDEO_POOL];
    fine = bench_raw_video_open (&compare->raw[k], video->width, video->height, contents,
        BENCH_VIDEO_POOL, video->size, check);
  }
  return fine;
}

/* FALSE without ffmpeg. */
static gboolean
open_peers (Bench *bench, BenchCheck *check, Compare *compare)
{
  if (!bench->ffmpeg || !open_files (check, compare))
    return FALSE;
  for (guint k = 0; k < G_N_ELEMENTS (peers); k++) {
    compare->ffmpeg[k] = (BenchFfmpeg){ bench->ffmpeg, { &compare->raw[0], &compare->raw[1] },
      FILTERS, peers[k].threads, 0 };
    g_autoptr (GArray) found
        = bench_ffmpeg_list (&compare->ffmpeg[k], KEY, BENCH_VIDEO_POOL, check);
    for (guint i = 0; i < found->len; i++) {
      double value = g_array_index (found, double, i);
      double right = (double)expect (&compare->video, i)->squares / (double)compare->video.luma;
      bench_check (check, fabs (value - right) < 0.006, "ffmpeg's %s of frame %u is %f, not %f",
          KEY, i, value, right);
    }
  }
  return check->failed == 0;
}

static void
measure (Bench *bench, BenchCheck *check, Compare *compare)
{
  gboolean ffmpeg = open_peers (bench, check, compare);

  for (guint round = 0; round < bench->rounds && check->failed == 0; round++) {
    BenchFlow flow = bench_pipe_feed (&compare->ours, bench->seconds);
    bench_series_add (&compare->rate, flow.rate);
    bench_series_add (&compare->cpu, flow.cpu_us / 1000);
    for (guint k = 0; ffmpeg && k < G_N_ELEMENTS (peers); k++) {
      flow = bench_ffmpeg_measure (&compare->ffmpeg[k], bench->seconds, check);
      bench_series_add (&compare->peer_rate[k], flow.rate);
      bench_series_add (&compare->peer_cpu[k], flow.cpu_us / 1000);
    }
  }
}

void
bench_row_compare (Bench *bench, BenchCheck *check)
{
  g_autofree Compare *compare = g_new0 (Compare, 1);

  gst_init (NULL, NULL);
  bench_video_init (&compare->video, 1920, 1080);
  if (open_ours (bench, check, compare))
    measure (bench, check, compare);
  BenchFigure *rate = bench_figure (bench, "pairs/s", &compare->rate, "%d in flight", IN_FLIGHT);
  BenchFigure *cpu = bench_figure (bench, "CPU ms/pair", &compare->cpu, "%d in flight", IN_FLIGHT);
  for (guint k = 0; k < G_N_ELEMENTS (peers); k++) {
    bench_figure_peer (rate, peers[k].name, &compare->peer_rate[k]);
    bench_figure_peer (cpu, peers[k].name, &compare->peer_cpu[k]);
  }
  bench_pipe_close (&compare->ours);
  bench_raw_video_close (&compare->raw[0]);
  bench_raw_video_close (&compare->raw[1]);
  bench_video_clear (&compare->video);
}
