/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Row qc: builtin:video-qc, and its events alone, on frames that upstream wrote into the element's
 * memory, beside ffmpeg's filters of the same measures; and what one more analysis costs there.
 */
#include <math.h>

#include "ffmpeg.h"
#include "video.h"

#define IN_FLIGHT 8

/* Luma below this is black: 16 + 219 / 10 at most, as blackdetect has it. */
#define BLACK 38

/* Events alone, as builtin:video-qc has them. */
#define EVENTS                                                                                     \
  "sample_difference luma, previous(luma), 0 -> luma-difference;"                                  \
  "state luma-difference-before from $luma-difference.sum;"                                        \
  "sample_difference luma, reference(luma), 0 -> luma-change;"                                     \
  "sample_difference u, reference(u), 0 -> u-change;"                                              \
  "sample_difference v, reference(v), 0 -> v-change;"                                              \
  "sample_below luma, " G_STRINGIFY (                                                              \
      BLACK) " -> black;"                                                                          \
             "event black when $black >= 0.98 * width * height for 2 s;"                           \
             "keep reference when $luma-change.sum + $u-change.sum + $v-change.sum"                \
             " <= 0.256 * ($luma-change.count + $u-change.count + $v-change.count);"               \
             "event freeze when reference stays for 2 s;"                                          \
             "event cut when 100 * $luma-difference.sum >= 2560 * $luma-difference.count"          \
             " and 10000 * ($luma-difference.sum - $luma-difference-before)"                       \
             " * ($luma-difference.sum - $luma-difference-before)"                                 \
             " >= 2560 * $luma-difference.count * 2560 * $luma-difference.count"                   \
             " and $luma-difference.count > 0"

/* One more analysis: one that counts, and one that reads. */
#define HISTOGRAM "sample_histogram luma -> luma-histogram"
#define STATS "sample_stats luma -> luma"

enum {
  ALL,
  EVENTS_ALONE,
  EVENTS_AND_HISTOGRAM,
  HISTOGRAM_ALONE,
  EVENTS_AND_STATS,
  STATS_ALONE,
  N_PROGRAMS
};

static const char *const programs[N_PROGRAMS]
    = { "builtin:video-qc", EVENTS, EVENTS ";" HISTOGRAM, HISTOGRAM, EVENTS ";" STATS, STATS };

typedef struct {
  const char *name;
  guint added; /* the program that has it beside the events; the one behind has it alone */
} More;

static const More more[] = { { "a histogram of luma more", EVENTS_AND_HISTOGRAM },
  { "sums and extremes of luma more", EVENTS_AND_STATS } };

typedef struct {
  const char *name;
  guint program; /* ours of the same measures */
  const char *filters;
  guint threads;
  const char *key; /* what it says of a frame, of which the oracle knows the right value */
} Peer;

#define ALL_FILTERS "signalstats=stat=tout+vrep+brng,blackdetect,freezedetect,scdet,cropdetect"
#define EVENT_FILTERS "blackdetect,freezedetect,scdet"

static const Peer peers[] = {
  { "ffmpeg, one thread", ALL, ALL_FILTERS, 1, "lavfi.signalstats.YAVG" },
  { "ffmpeg, all cores", ALL, ALL_FILTERS, 0, "lavfi.signalstats.YAVG" },
  { "ffmpeg, one thread", EVENTS_ALONE, EVENT_FILTERS, 1, "lavfi.scd.mafd" },
  { "ffmpeg, all cores", EVENTS_ALONE, EVENT_FILTERS, 0, "lavfi.scd.mafd" },
};

typedef struct {
  const char *name;
  guint width, height;
} Size;

static const Size sizes[] = { { "1080p", 1920, 1080 }, { "4K", 3840, 2160 } };

typedef struct {
  BenchVideo video;
  BenchRawVideo raw;
  BenchVideoFilter filters[N_PROGRAMS];
  BenchVideoAnalysis analysis;
  BenchFfmpeg ffmpeg[G_N_ELEMENTS (peers)];
  BenchSeries rate[G_N_ELEMENTS (peers)], cpu[G_N_ELEMENTS (peers)];
  BenchSeries limit;
  BenchSeries added[G_N_ELEMENTS (more)], alone[G_N_ELEMENTS (more)]; /* µs per frame */
} Trial;

/* The value of @peer's key in frame @i. */
static double
expect (const BenchVideo *video, const Peer *peer, guint i)
{
  const BenchFrame *frame = &video->frames[i];
  double samples = (double)video->luma;

  if (peer->program == ALL)
    return (double)frame->luma.sum / samples;
  return i == 0 ? 0 : 100 * (double)frame->difference.sum / samples / 256;
}

/* Holds the values of each peer against the oracle; FALSE also without ffmpeg. */
static gboolean
open_peers (Bench *bench, BenchCheck *check, Trial *trial)
{
  const BenchVideo *video = &trial->video;

  if (!bench->ffmpeg
      || !bench_raw_video_open (&trial->raw, video->width, video->height, video->contents,
          BENCH_VIDEO_POOL, video->size, check))
    return FALSE;
  for (guint k = 0; k < G_N_ELEMENTS (peers); k++) {
    trial->ffmpeg[k] = (BenchFfmpeg){ bench->ffmpeg, { &trial->raw, NULL }, peers[k].filters,
      peers[k].threads, 0 };
    g_autoptr (GArray) found
        = bench_ffmpeg_list (&trial->ffmpeg[k], peers[k].key, BENCH_VIDEO_POOL, check);
    for (guint i = 0; i < found->len; i++) {
      double value = g_array_index (found, double, i), right = expect (video, &peers[k], i);
      bench_check (check, fabs (value - right) < 1e-3, "ffmpeg's %s of frame %u is %f, not %f",
          peers[k].key, i, value, right);
    }
  }
  return check->failed == 0;
}

static gboolean
open_filters (Bench *bench, BenchCheck *check, Trial *trial)
{
  gboolean fine = TRUE;

  for (guint i = 0; fine && i < N_PROGRAMS; i++) {
    trial->filters[i].black = BLACK;
    fine = bench_video_open (&trial->filters[i], &trial->video, bench, programs[i], IN_FLIGHT,
        i > 0 ? &trial->filters[0] : NULL, check);
  }
  return fine;
}

/* The last value, as time per frame. */
static double
last_time (const BenchVideoFilter *filter)
{
  return 1e6 / filter->rate.values[filter->rate.n - 1];
}

static void
measure_ours (Bench *bench, Trial *trial)
{
  for (guint i = 0; i < N_PROGRAMS; i++)
    bench_video_measure (&trial->filters[i], bench->seconds);
  for (guint i = 0; i < G_N_ELEMENTS (more); i++) {
    const BenchVideoFilter *with = &trial->filters[more[i].added];
    bench_series_add (
        &trial->added[i], last_time (with) - last_time (&trial->filters[EVENTS_ALONE]));
    bench_series_add (&trial->alone[i], last_time (with + 1));
  }
}

static void
measure_peers (Bench *bench, BenchCheck *check, Trial *trial)
{
  for (guint k = 0; k < G_N_ELEMENTS (peers); k++) {
    BenchFlow flow = bench_ffmpeg_measure (&trial->ffmpeg[k], bench->seconds, check);
    bench_series_add (&trial->rate[k], flow.rate);
    bench_series_add (&trial->cpu[k], flow.cpu_us / 1000);
  }
}

static void
measure (Bench *bench, BenchCheck *check, Trial *trial, BenchLink *link)
{
  gboolean ffmpeg = open_peers (bench, check, trial);
  gboolean analysis = bench_video_open_analysis (&trial->analysis, &trial->video, check);

  for (guint round = 0; round < bench->rounds && check->failed == 0; round++) {
    measure_ours (bench, trial);
    if (analysis)
      bench_video_measure_analysis (&trial->analysis, bench->seconds);
    if (ffmpeg)
      measure_peers (bench, check, trial);
    if (link)
      bench_video_measure_limit (&trial->video, link, bench->seconds, &trial->limit);
  }
}

static void
add_peers (const Trial *trial, guint program, BenchFigure *rate, BenchFigure *cpu)
{
  for (guint k = 0; k < G_N_ELEMENTS (peers); k++) {
    if (peers[k].program != program)
      continue;
    bench_figure_peer (rate, peers[k].name, &trial->rate[k]);
    bench_figure_peer (cpu, peers[k].name, &trial->cpu[k]);
  }
  if (program != ALL)
    return;
  bench_figure_peer (rate, "videoanalyse", &trial->analysis.rate);
  bench_figure_peer (cpu, "videoanalyse", &trial->analysis.cpu);
}

static void
report (Bench *bench, const Trial *trial, const char *size, BenchLink *link)
{
  static const char *const names[] = { [ALL] = "all", [EVENTS_ALONE] = "black, freeze, cut" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    const BenchVideoFilter *filter = &trial->filters[i];
    BenchFigure *rate = bench_figure (bench, "frames/s", &filter->rate, "%s, %s", size, names[i]);
    BenchFigure *cpu = bench_figure (bench, "CPU ms/frame", &filter->cpu, "%s, %s", size, names[i]);
    add_peers (trial, i, rate, cpu);
    if (link)
      bench_figure_limit (rate, bench_link_name (link), &trial->limit);
  }
  for (guint i = 0; i < G_N_ELEMENTS (more); i++) {
    BenchFigure *added
        = bench_figure (bench, "µs/frame", &trial->added[i], "%s, %s", size, more[i].name);
    bench_figure_peer (added, "alone", &trial->alone[i]);
  }
}

static void
run_size (Bench *bench, BenchCheck *check, const Size *size, BenchLink *link)
{
  g_autofree Trial *trial = g_new0 (Trial, 1);

  bench_video_init (&trial->video, size->width, size->height);
  if (open_filters (bench, check, trial))
    measure (bench, check, trial, link);
  report (bench, trial, size->name, link);
  for (guint i = 0; i < N_PROGRAMS; i++)
    bench_video_close (&trial->filters[i]);
  bench_pipe_close (&trial->analysis.pipe);
  bench_raw_video_close (&trial->raw);
  bench_video_clear (&trial->video);
}

void
bench_row_qc (Bench *bench, BenchCheck *check)
{
  BenchLink *link = bench_link_open (vyre_device_get_uuid (bench->ours->device), NULL);

  gst_init (NULL, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    run_size (bench, check, &sizes[i], link);
  if (link)
    bench_link_close (link);
}
