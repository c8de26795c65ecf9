/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A stream that a thread of its own pushes straight into an element, buffer by buffer at a pace or
 * as fast as the element takes them. What comes out is looked at and timed.
 */
#pragma once

#include <gst/gst.h>

#include "check.h"
#include "oracle.h"

#define BENCH_PACED_POOL 4
#define BENCH_PACED_RING 256 /* more than there are in flight */

typedef struct {
  GstElement *pipeline;
  GstPad *source, *sink;
  GstBuffer *pool[BENCH_PACED_POOL];
  BenchStats stats[BENCH_PACED_POOL];
  gboolean analyses; /* readbacks come out; otherwise the buffers */
  gint64 period;     /* ns; 0: as fast as the element takes them */
  BenchCheck check;
  gint64 start, end; /* of a run, ns */
  gint64 due[BENCH_PACED_RING];
  gint64 pushed_at[BENCH_PACED_RING];
  guint64 pushed;
  GArray *latencies; /* doubles, µs: written by whoever pushes into the sink, as is what follows */
  gint64 latest;     /* ns behind the time when a buffer was due */
  guint64 received;
  guint64 wrong;
} BenchPaced;

gboolean bench_paced_open (
    BenchPaced *paced, const char *element, gsize size, gint64 period, guint seed);
void bench_paced_close (BenchPaced *paced);
guint64 bench_paced_run (BenchPaced *streams, guint n, double seconds, BenchCheck *check);
