/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * I420 frames of noise, what a plain C oracle counts in them, and what rows measure over them:
 * vyrefilter, with the frames in memory that it lends, and videoanalyse.
 */
#pragma once

#include "bench.h"
#include "link.h"
#include "oracle.h"
#include "pipe.h"

/* Half of the staging memory is lent at most, which lavapipe has 128 MiB of: five frames in 4K. */
#define BENCH_VIDEO_POOL 5

#define BENCH_FRAME_TIME (GST_SECOND / 30)

typedef struct {
  BenchStats luma, u, v;
  BenchStats difference;  /* of luma to the frame before, which is the last one for the first */
  guint32 histogram[256]; /* of luma */
} BenchFrame;

typedef struct {
  guint width, height;
  gsize luma, chroma, size; /* bytes */
  char *caps;
  guint8 *contents[BENCH_VIDEO_POOL];
  BenchFrame frames[BENCH_VIDEO_POOL];
} BenchVideo;

/* Observables of results that the oracle knows; 0, where the tag is, without them. */
typedef struct {
  guint luma, u, v, histogram, difference, black;
} BenchVideoResults;

typedef struct {
  const BenchVideo *video;
  BenchVideoResults at;
  guint black; /* the least luma that is not */
  BenchPipe pipe;
  BenchSeries rate; /* frames per second */
  BenchSeries cpu;  /* ms per frame */
} BenchVideoFilter;

typedef struct {
  const BenchVideo *video;
  BenchPipe pipe;
  BenchSeries rate, cpu;
  guint64 analysed;
} BenchVideoAnalysis;

void bench_video_init (BenchVideo *video, guint width, guint height);
void bench_video_clear (BenchVideo *video);

gboolean bench_video_open (BenchVideoFilter *filter, const BenchVideo *video, Bench *bench,
    const char *program, guint in_flight, const BenchVideoFilter *lender, BenchCheck *check);
void bench_video_measure (BenchVideoFilter *filter, double seconds);
void bench_video_close (BenchVideoFilter *filter);

gboolean bench_video_open_analysis (
    BenchVideoAnalysis *analysis, const BenchVideo *video, BenchCheck *check);
void bench_video_measure_analysis (BenchVideoAnalysis *analysis, double seconds);

void bench_video_measure_limit (
    const BenchVideo *video, BenchLink *link, double seconds, BenchSeries *limit);
