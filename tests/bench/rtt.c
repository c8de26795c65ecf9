/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Rows rtt and nop: how long one batch takes from publishing to its readback,
 * with nothing else in flight.
 */
#include "bench.h"
#include "cuda.h"
#include "job.h"

typedef struct {
  BenchSeries p50, p99;
} Latency;

typedef struct {
  const char *copy[2]; /* keys of the CUDA peer: p50 and p99 */
  const char *graph[2];
  Latency ours, dispatch, copied, graphed;
} Rtt;

static void
run_cuda (Bench *bench, BenchCheck *check, Rtt *rtt)
{
  BenchChild child;

  if (!bench_cuda_run (bench, check, "rtt", &child))
    return;
  bench_cuda_add (&child, rtt->copy[0], &rtt->copied.p50);
  bench_cuda_add (&child, rtt->copy[1], &rtt->copied.p99);
  bench_cuda_add (&child, rtt->graph[0], &rtt->graphed.p50);
  bench_cuda_add (&child, rtt->graph[1], &rtt->graphed.p99);
  bench_child_clear (&child);
}

static void
report (Bench *bench, const Rtt *rtt)
{
  BenchFigure *p50 = bench_figure (bench, "µs", &rtt->ours.p50, "p50");
  BenchFigure *p99 = bench_figure (bench, "µs", &rtt->ours.p99, "p99");

  bench_figure_peer (p50, "dispatch", &rtt->dispatch.p50);
  bench_figure_peer (p99, "dispatch", &rtt->dispatch.p99);
  bench_figure_peer (p50, "CUDA", &rtt->copied.p50);
  bench_figure_peer (p99, "CUDA", &rtt->copied.p99);
  bench_figure_peer (p50, "CUDA graph", &rtt->graphed.p50);
  bench_figure_peer (p99, "CUDA graph", &rtt->graphed.p99);
}

static void
measure (Bench *bench, BenchCheck *check, const BenchWork *work, Rtt *rtt)
{
  BenchKernel *dispatch = bench_dispatch (bench, check);
  BenchJob ours, peer;

  if (!dispatch)
    return;
  gboolean fine = bench_job_open (&ours, bench->ours, work, check);
  fine = bench_job_open (&peer, dispatch, work, check) && fine;
  for (guint round = 0; fine && round < bench->rounds; round++) {
    bench_job_latency (&ours, bench->seconds, &rtt->ours.p50, &rtt->ours.p99);
    bench_job_latency (&peer, bench->seconds, &rtt->dispatch.p50, &rtt->dispatch.p99);
    run_cuda (bench, check, rtt);
  }
  bench_job_close (&peer);
  bench_job_close (&ours);
  report (bench, rtt);
}

void
bench_row_rtt (Bench *bench, BenchCheck *check)
{
  static const BenchWork work = {
    .program = "u8_stats payload -> s",
    .size = 4096,
    .slots = 8,
    .observables = 16,
    .depth = 4,
  };
  Rtt rtt = {
    .copy = { "copy_p50_us", "copy_p99_us" },
    .graph = { "graph_p50_us", "graph_p99_us" },
  };

  measure (bench, check, &work, &rtt);
}

void
bench_row_nop (Bench *bench, BenchCheck *check)
{
  static const BenchWork work = {
    .program = "nop",
    .slots = 8,
    .observables = 16,
    .nops = 1,
    .depth = 1,
  };
  Rtt rtt = {
    .copy = { "nop_p50_us", "nop_p99_us" },
    .graph = { "nop_graph_p50_us", "nop_graph_p99_us" },
  };

  measure (bench, check, &work, &rtt);
}
