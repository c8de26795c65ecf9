/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Rows ticks and crowd: small live buffers, a thousand a second alone and beside streams that push
 * as fast as they can, and a hundred a second in each of very many streams. A result is wanted soon
 * after its buffer.
 */
#include "bench.h"
#include "paced.h"
#include "pipe.h"

#define SIZE 96
#define KILOHERTZ 1000000 /* ns */
#define HUNDRED_HERTZ 10000000
#define LEAST_SECONDS 1.0

typedef struct {
  const char *name;
  const char *name_on_cpu; /* there, where fewer streams are asked for */
  guint n_streams, n_on_cpu;
  gint64 period;
  guint n_floods; /* beside them */
  gsize flood_size;
} Load;

static const Load ticks[] = {
  { "one stream at 1 kHz", NULL, 1, 1, KILOHERTZ, 0, 0 },
  { "beside 4 floods of 16 MiB", NULL, 1, 1, KILOHERTZ, 4, 16 << 20 },
  { "beside 63 floods of 4 KiB", NULL, 1, 1, KILOHERTZ, 63, 4096 },
};

static const Load crowd_load
    = { "1000 streams at 100 Hz", "100 streams at 100 Hz", 1000, 100, HUNDRED_HERTZ, 0, 0 };

/* The streams of a load, through one element. */
typedef struct {
  BenchPaced *streams;
  guint n, n_floods; /* floods come last */
  BenchSeries p50, p99, latest, cpu;
} Crowd;

static gboolean
open_crowd (Crowd *crowd, const Load *load, guint n, const char *element, BenchCheck *check)
{
  gboolean fine = TRUE;

  *crowd = (Crowd){ .n = n, .n_floods = load->n_floods };
  crowd->streams = g_new0 (BenchPaced, n + load->n_floods);
  for (guint i = 0; i < n + load->n_floods && fine; i++) {
    BenchPaced *paced = &crowd->streams[i];
    fine = i < n ? bench_paced_open (paced, element, SIZE, load->period, i)
                 : bench_paced_open (paced, element, load->flood_size, 0, i);
    bench_check (check, fine, "%s", paced->check.first);
  }
  return fine;
}

static void
close_crowd (Crowd *crowd)
{
  for (guint i = 0; i < crowd->n + crowd->n_floods; i++)
    bench_paced_close (&crowd->streams[i]);
  g_free (crowd->streams);
}

/* Adds the percentiles over all streams but the floods. */
static void
sum_up (Crowd *crowd)
{
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (double));
  gint64 latest = 0;

  for (guint i = 0; i < crowd->n; i++) {
    const BenchPaced *paced = &crowd->streams[i];
    g_array_append_vals (all, paced->latencies->data, paced->latencies->len);
    latest = MAX (latest, paced->latest);
  }
  double *values = (double *)(gpointer)all->data;
  bench_series_add (&crowd->p50, bench_percentile (values, all->len, 0.5));
  bench_series_add (&crowd->p99, bench_percentile (values, all->len, 0.99));
  bench_series_add (&crowd->latest, (double)latest / 1e6);
}

static void
run_crowd (Crowd *crowd, double seconds, BenchCheck *check)
{
  double cpu = bench_cpu_seconds ();
  guint64 buffers = bench_paced_run (crowd->streams, crowd->n + crowd->n_floods, seconds, check);

  bench_series_add (&crowd->cpu, (bench_cpu_seconds () - cpu) * 1e6 / (double)MAX (buffers, 1));
  sum_up (crowd);
}

static void
report_load (Bench *bench, const Load *load, const char *name, Crowd *ours, Crowd *identity)
{
  bench_figure_peer (
      bench_figure (bench, "µs", &ours->p50, "%s, p50", name), "identity", &identity->p50);
  bench_figure_peer (
      bench_figure (bench, "µs", &ours->p99, "%s, p99", name), "identity", &identity->p99);
  bench_figure_peer (
      bench_figure (bench, "ms", &ours->latest, "%s, latest", name), "identity", &identity->latest);
  if (load->n_floods == 0)
    bench_figure_peer (
        bench_figure (bench, "CPU µs each", &ours->cpu, "%s", name), "identity", &identity->cpu);
}

static void
measure_load (Bench *bench, BenchCheck *check, const Load *load)
{
  gboolean on_cpu = vyre_device_is_cpu (bench->ours->device);
  guint n = on_cpu ? load->n_on_cpu : load->n_streams;
  const char *name = on_cpu && load->name_on_cpu ? load->name_on_cpu : load->name;
  g_autofree char *filter = bench_pipe_filter (
      "u8_stats payload -> s", vyre_residency_name (bench->residency), bench->placement);
  double seconds = MAX (4 * bench->seconds, LEAST_SECONDS);
  Crowd ours, identity;

  gboolean fine = open_crowd (&ours, load, n, filter, check);
  fine = open_crowd (&identity, load, n, "identity", check) && fine;
  for (guint round = 0; fine && round < bench->rounds && check->failed == 0; round++) {
    run_crowd (&ours, seconds, check);
    run_crowd (&identity, seconds, check);
  }
  report_load (bench, load, name, &ours, &identity);
  close_crowd (&ours);
  close_crowd (&identity);
}

void
bench_row_ticks (Bench *bench, BenchCheck *check)
{
  gst_init (NULL, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (ticks) && check->failed == 0; i++)
    measure_load (bench, check, &ticks[i]);
}

void
bench_row_crowd (Bench *bench, BenchCheck *check)
{
  gst_init (NULL, NULL);
  measure_load (bench, check, &crowd_load);
}
