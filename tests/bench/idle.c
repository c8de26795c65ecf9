/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Row idle: what a kernel costs that has nothing to do. Parked, it is not on the
 * device at all: no launch may happen, and the process sleeps.
 */
#include "bench.h"
#include "job.h"

#define IDLE_TIMEOUT_NS (50 * 1000 * 1000)
#define PARK_US (1000 * 1000)

typedef struct {
  BenchSeries cpu;      /* milliseconds of CPU time per second */
  BenchSeries launches; /* per second */
} Idle;

static const BenchWork work = { .program = "u8_stats payload -> s", .size = 4096, .depth = 1 };

static void
watch (BenchKernel *kernel, double seconds, Idle *idle)
{
  VyreMegakernelCounters before, after;

  vyre_megakernel_get_counters (kernel->kernel, &before);
  double cpu = bench_cpu_seconds ();
  gint64 start = bench_now ();
  g_usleep ((gulong)(seconds * 1e6));
  double elapsed = (double)(bench_now () - start) / 1e9;
  vyre_megakernel_get_counters (kernel->kernel, &after);
  bench_series_add (&idle->cpu, (bench_cpu_seconds () - cpu) * 1000 / elapsed);
  bench_series_add (&idle->launches, (double)(after.launches - before.launches) / elapsed);
}

/* An active producer without work, once the idle timeout has passed; and with a
 * kernel that never parks, as the peer. */
static void
measure (Bench *bench, BenchCheck *check, BenchKernel *parking, Idle *parked, Idle *resident)
{
  BenchJob job, peer;
  gboolean fine = bench_job_open (&job, parking, &work, check);

  fine = bench_job_open (&peer, bench->ours, &work, check) && fine;
  for (guint round = 0; fine && round < bench->rounds; round++) {
    bench_kernel_start (parking);
    bench_job_once (&job);
    g_usleep (PARK_US / (bench->quick ? 4 : 1));
    watch (parking, bench->seconds, parked);
    bench_kernel_stop (parking);
    bench_kernel_start (bench->ours);
    bench_job_once (&peer);
    watch (bench->ours, bench->seconds, resident);
    bench_kernel_stop (bench->ours);
  }
  bench_job_close (&peer);
  bench_job_close (&job);
}

void
bench_row_idle (Bench *bench, BenchCheck *check)
{
  VyreMegakernelParams params = bench_kernel_params (bench->residency);
  Idle parked = { 0 }, resident = { 0 };
  GError *error = NULL;

  params.idle_timeout = IDLE_TIMEOUT_NS;
  BenchKernel *parking = bench_kernel_open (&params, bench->placement, &error);
  bench_check_error (check, error);
  if (!parking)
    return;
  measure (bench, check, parking, &parked, &resident);
  bench_kernel_close (parking);
  for (guint i = 0; i < parked.launches.n; i++)
    bench_check (check, parked.launches.values[i] == 0, "a parked kernel was launched");
  BenchFigure *cpu = bench_figure (bench, "ms/s", &parked.cpu, "CPU time, parked");
  bench_figure_peer (cpu, "before the idle timeout", &resident.cpu);
  BenchFigure *launches = bench_figure (bench, "/s", &parked.launches, "launches, parked");
  bench_figure_peer (launches, "before the idle timeout", &resident.launches);
}
