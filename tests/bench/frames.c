/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Row frames: builtin:frame-stats on video frames that upstream wrote into the
 * element's memory, beside videoanalyse on the same frames and what a copy of
 * them to the device would allow.
 */
#include <math.h>
#include <string.h>

#include "bench.h"
#include "link.h"
#include "oracle.h"
#include "pipe.h"

#define WIDTH 1920
#define HEIGHT 1080
#define LUMA (WIDTH * HEIGHT)
#define CHROMA (LUMA / 4)
#define SIZE (LUMA + 2 * CHROMA)
#define POOL 8
#define IN_FLIGHT 4
#define STAGING (128 << 20)
#define CAPS "video/x-raw,format=I420,width=1920,height=1080,framerate=30/1"

typedef struct {
  BenchStats luma, u, v;
} FrameStats;

typedef struct {
  guint8 *contents[POOL];
  FrameStats stats[POOL];
  BenchPipe ours, peer;
  BenchSeries rate, cpu, peer_rate, peer_cpu, limit;
  guint64 analysed;
} Frames;

/* Results in the order of the program: luma, u, v, black. */
static gboolean
is_right (const BenchPipe *pipe, GstBuffer *buffer, guint64 index)
{
  const FrameStats *stats = (const FrameStats *)pipe->data + index % pipe->n_pool;
  const guint words = VYRE_U8_STATS_WORDS;
  GstMapInfo map;

  if (!gst_memory_map (gst_buffer_peek_memory (buffer, 0), &map, GST_MAP_READ))
    return FALSE;
  gboolean fine
      = vyre_read_word (map.data, VYRE_CONTROL_OBSERVABLES) == (guint32)(index + 1)
        && bench_stats_match (&stats->luma, map.data, 1)
        && bench_stats_match (&stats->u, map.data, 1 + words)
        && bench_stats_match (&stats->v, map.data, 1 + 2 * words)
        && vyre_read_word (map.data, VYRE_CONTROL_OBSERVABLES + 1 + 3 * words) == stats->luma.below;
  gst_memory_unmap (gst_buffer_peek_memory (buffer, 0), &map);
  return fine;
}

static gboolean
is_frame (const BenchPipe *pipe, GstBuffer *buffer, guint64 index)
{
  return gst_buffer_get_size (buffer) == SIZE;
}

static void
make_frames (Frames *frames)
{
  for (guint i = 0; i < POOL; i++) {
    FrameStats *stats = &frames->stats[i];
    guint8 *data = frames->contents[i] = g_malloc (SIZE);
    *stats = (FrameStats){ BENCH_STATS_NONE, BENCH_STATS_NONE, BENCH_STATS_NONE };
    bench_noise (data, SIZE, i + 1, (guint8)(5 * i), (guint8)(200 - 10 * i));
    bench_stats_add (&stats->luma, data, LUMA);
    bench_stats_add (&stats->u, data + LUMA, CHROMA);
    bench_stats_add (&stats->v, data + LUMA + CHROMA, CHROMA);
  }
}

static gboolean
open_ours (Bench *bench, BenchCheck *check, Frames *frames)
{
  g_autofree char *filter = bench_pipe_filter (
      "builtin:frame-stats", vyre_residency_name (bench->residency), bench->placement);
  g_autofree char *text
      = g_strdup_printf ("%s max-in-flight=%d staging-size=%d", filter, IN_FLIGHT, STAGING);

  frames->ours = (BenchPipe){ .list = 1, .is_right = is_right, .data = frames->stats };
  if (!bench_pipe_open (&frames->ours, text, CAPS, POOL * SIZE, check))
    return FALSE;
  bench_pipe_fill (&frames->ours, frames->contents, POOL, SIZE, TRUE);
  return TRUE;
}

/* What videoanalyse says of each frame, against the same oracle. */
static void
hear_analysis (BenchPipe *pipe, GstMessage *message)
{
  const GstStructure *structure = gst_message_get_structure (message);
  Frames *frames = pipe->data;
  double mean;

  if (!structure || !gst_structure_get_double (structure, "luma-average", &mean))
    return;
  const BenchStats *luma = &frames->stats[frames->analysed++ % POOL].luma;
  double right = (double)luma->sum / (255.0 * LUMA);
  bench_check (pipe->check, fabs (mean - right) < 1e-6, "videoanalyse found a mean of %f, not %f",
      mean, right);
}

/* FALSE also where the element is not installed. */
static gboolean
open_peer (BenchCheck *check, Frames *frames)
{
  GstElementFactory *factory = gst_element_factory_find ("videoanalyse");

  if (!factory)
    return FALSE;
  gst_object_unref (factory);
  frames->peer
      = (BenchPipe){ .list = 1, .is_right = is_frame, .heard = hear_analysis, .data = frames };
  if (!bench_pipe_open (&frames->peer, "videoanalyse", CAPS, POOL * SIZE, check))
    return FALSE;
  bench_pipe_fill (&frames->peer, frames->contents, POOL, SIZE, FALSE);
  return TRUE;
}

/* None of the frames may have been copied on its way. */
static void
check_bounces (Frames *frames, BenchCheck *check)
{
  GstStructure *stats = NULL;
  guint64 bounced = 0;

  g_object_get (frames->ours.element, "stats", &stats, NULL);
  gst_structure_get_uint64 (stats, "cpu-bounce-bytes", &bounced);
  gst_structure_free (stats);
  bench_check (
      check, bounced == 0, "%" G_GUINT64_FORMAT " bytes of lent memory were copied", bounced);
}

static void
measure (Bench *bench, BenchCheck *check, Frames *frames, BenchLink *link)
{
  gboolean peer = open_peer (check, frames);

  for (guint round = 0; round < bench->rounds && check->failed == 0; round++) {
    BenchFlow flow = bench_pipe_feed (&frames->ours, bench->seconds);
    bench_series_add (&frames->rate, flow.rate);
    bench_series_add (&frames->cpu, flow.cpu_us / 1000);
    if (peer) {
      flow = bench_pipe_feed (&frames->peer, bench->seconds);
      bench_series_add (&frames->peer_rate, flow.rate);
      bench_series_add (&frames->peer_cpu, flow.cpu_us / 1000);
      bench_check (check, frames->analysed == frames->peer.pushed,
          "videoanalyse reported %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " frames",
          frames->analysed, frames->peer.pushed);
    }
    if (link)
      bench_series_add (
          &frames->limit, bench_link_measure (link, SIZE, bench->seconds) * 1e9 / SIZE);
  }
  check_bounces (frames, check);
}

void
bench_row_frames (Bench *bench, BenchCheck *check)
{
  BenchLink *link = bench_link_open (vyre_device_get_uuid (bench->ours->device), NULL);
  g_autofree Frames *frames = g_new0 (Frames, 1);

  gst_init (NULL, NULL);
  make_frames (frames);
  if (open_ours (bench, check, frames))
    measure (bench, check, frames, link);
  BenchFigure *rate = bench_figure (bench, "frames/s", &frames->rate, "%d in flight", IN_FLIGHT);
  bench_figure_peer (rate, "videoanalyse", &frames->peer_rate);
  if (link)
    bench_figure_limit (rate, bench_link_name (link), &frames->limit);
  BenchFigure *cpu = bench_figure (bench, "CPU ms/frame", &frames->cpu, "%d in flight", IN_FLIGHT);
  bench_figure_peer (cpu, "videoanalyse", &frames->peer_cpu);
  bench_pipe_close (&frames->ours);
  bench_pipe_close (&frames->peer);
  for (guint i = 0; i < POOL; i++)
    g_free (frames->contents[i]);
  if (link)
    bench_link_close (link);
}
