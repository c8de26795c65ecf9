/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * appsrc ! ELEMENT ! appsink, fed with a pool of buffers made beforehand, round
 * and round, as fast as it takes them. Every buffer that comes out is looked at,
 * in the sink's thread. It stays in PLAYING between rounds. An ELEMENT of pairs has
 * a second appsrc.
 */
#pragma once

#include <gst/app/app.h>
#include <gst/gst.h>

#include "check.h"

/* Seconds of a first round, in which what is made once gets made, such as kernels. */
#define BENCH_WARM_UP 0.001

typedef struct _BenchPipe BenchPipe;

/* Whether @buffer is what comes out for the pool's buffer @index % n_pool. */
typedef gboolean (*BenchPipeCheck) (const BenchPipe *pipe, GstBuffer *buffer, guint64 index);

/* Every message of the bus but errors, after each round. */
typedef void (*BenchPipeMessage) (BenchPipe *pipe, GstMessage *message);

struct _BenchPipe {
  GstElement *pipeline;
  GstElement *element;
  GstAppSrc *source;
  GstAppSrc *second; /* of partners; NULL unless paired */
  GstCaps *caps;
  GstBus *bus;
  GstBuffer **pool;
  guint n_pool;
  guint list;            /* buffers pushed at a time */
  gboolean paired;       /* each buffer has the next one of the pool for a partner */
  GstClockTime duration; /* of a buffer; 0: buffers have no times */
  BenchPipeCheck is_right;
  BenchPipeMessage heard; /* or NULL */
  gpointer data;          /* of the owner */
  BenchCheck *check;
  guint64 pushed;
  guint64 received; /* written by the sink's thread, as is what follows */
  guint64 wrong;
  gint64 last; /* ns */
};

typedef struct {
  double rate;   /* buffers per second */
  double cpu_us; /* CPU time of the process per buffer */
} BenchFlow;

char *bench_pipe_filter (const char *program, const char *residency, const char *placement);
gboolean bench_pipe_open (
    BenchPipe *pipe, const char *element, const char *caps, gsize queued, BenchCheck *check);
void bench_pipe_close (BenchPipe *pipe);
void bench_pipe_fill (BenchPipe *pipe, guint8 *const *contents, guint n, gsize size, gboolean lent);
void bench_pipe_share (BenchPipe *pipe, const BenchPipe *other);
void bench_pipe_check_complete (BenchPipe *pipe);
gboolean bench_pipe_is_stats (const BenchPipe *pipe, GstBuffer *buffer, guint64 index);
BenchFlow bench_pipe_feed (BenchPipe *pipe, double seconds);
