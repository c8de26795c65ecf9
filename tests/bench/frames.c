/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Row frames: builtin:frame-stats on video frames that upstream wrote into the
 * element's memory, beside videoanalyse on the same frames and what a copy of
 * them to the device would allow.
 */
#include "video.h"

#define IN_FLIGHT 4
#define BLACK 17 /* of builtin:frame-stats */

typedef struct {
  BenchVideo video;
  BenchVideoFilter ours;
  BenchVideoAnalysis peer;
  BenchSeries limit;
} Frames;

static void
measure (Bench *bench, BenchCheck *check, Frames *frames, BenchLink *link)
{
  gboolean peer = bench_video_open_analysis (&frames->peer, &frames->video, check);

  for (guint round = 0; round < bench->rounds && check->failed == 0; round++) {
    bench_video_measure (&frames->ours, bench->seconds);
    if (peer)
      bench_video_measure_analysis (&frames->peer, bench->seconds);
    if (link)
      bench_video_measure_limit (&frames->video, link, bench->seconds, &frames->limit);
  }
}

void
bench_row_frames (Bench *bench, BenchCheck *check)
{
  BenchLink *link = bench_link_open (vyre_device_get_uuid (bench->ours->device), NULL);
  g_autofree Frames *frames = g_new0 (Frames, 1);

  gst_init (NULL, NULL);
  bench_video_init (&frames->video, 1920, 1080);
  frames->ours.black = BLACK;
  if (bench_video_open (
          &frames->ours, &frames->video, bench, "builtin:frame-stats", IN_FLIGHT, NULL, check))
    measure (bench, check, frames, link);
  BenchFigure *rate
      = bench_figure (bench, "frames/s", &frames->ours.rate, "%d in flight", IN_FLIGHT);
  bench_figure_peer (rate, "videoanalyse", &frames->peer.rate);
  if (link)
    bench_figure_limit (rate, bench_link_name (link), &frames->limit);
  BenchFigure *cpu
      = bench_figure (bench, "CPU ms/frame", &frames->ours.cpu, "%d in flight", IN_FLIGHT);
  bench_figure_peer (cpu, "videoanalyse", &frames->peer.cpu);
  bench_video_close (&frames->ours);
  bench_pipe_close (&frames->peer.pipe);
  bench_video_clear (&frames->video);
  if (link)
    bench_link_close (link);
}
