/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ffmpeg, the peer that filters video, where it is installed: over I420 frames in a file in memory,
 * which it reads again and again.
 */
#pragma once

#include "check.h"
#include "memory-file.h"
#include "pipe.h"

typedef struct {
  BenchMemoryFile file;
  guint width, height;
} BenchRawVideo;

typedef struct {
  const char *program;
  const BenchRawVideo *inputs[2]; /* the second one or NULL */
  const char *filters;
  guint threads; /* 0: as many as it takes by itself */
  double rate;   /* of the run before; 0: there was none */
} BenchFfmpeg;

gboolean bench_raw_video_open (BenchRawVideo *video, guint width, guint height,
    guint8 *const *frames, guint n, gsize size, BenchCheck *check);
void bench_raw_video_close (BenchRawVideo *video);

BenchFlow bench_ffmpeg_measure (BenchFfmpeg *ffmpeg, double seconds, BenchCheck *check);
GArray *bench_ffmpeg_list (BenchFfmpeg *ffmpeg, const char *key, guint n, BenchCheck *check);
