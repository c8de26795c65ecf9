/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A program over payloads that change with every batch, run through the public
 * API: one batch at a time for its latency, or many in flight for their rate.
 * Every batch is checked against the oracle. Belongs to one thread.
 */
#pragma once

#include "check.h"
#include "kernel.h"
#include "payload.h"
#include "series.h"

#define BENCH_MOST_DEPTH 64

typedef struct {
  const char *program; /* with a payload, u8_stats of it to observable 1 */
  gsize size;          /* of the payload */
  guint slots;         /* of the ring and the observables; 0: as many as are used */
  guint observables;
  guint nops;  /* NOPs that a batch runs, inner ones too */
  guint depth; /* payloads there are: most batches in flight */
} BenchWork;

typedef struct {
  const BenchWork *work;
  BenchKernel *kernel;
  VyreLane *lane;
  VyrePlan *plan;
  BenchPayload payloads[BENCH_MOST_DEPTH];
  guint n_payloads;
  guint8 *copy; /* of a readback, as a reader makes it */
  guint32 tag;
  BenchCheck *check;
} BenchJob;

typedef struct {
  double per_second; /* batches */
  double cpu_us;     /* CPU time of the process per batch */
} BenchRate;

gboolean bench_job_open (
    BenchJob *job, BenchKernel *kernel, const BenchWork *work, BenchCheck *check);
void bench_job_close (BenchJob *job);
double bench_job_once (BenchJob *job);
void bench_job_latency (BenchJob *job, double seconds, BenchSeries *p50, BenchSeries *p99);
BenchRate bench_job_rate (BenchJob *job, double seconds);
