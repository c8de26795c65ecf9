/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Row payload: bytes per second through every placement that works here, with
 * enough batches in flight, beside the copy that they cannot beat.
 */
#include "bench.h"
#include "cuda.h"
#include "job.h"
#include "link.h"

#define MOST_WAYS 8

typedef struct {
  const char *text;
  const char *cuda_key;
  BenchWork work;
} Volume;

#define VOLUME(text, key, bytes, in_flight)                                                        \
  {                                                                                                \
    text, key, { .program = "u8_stats payload -> s", .size = bytes, .depth = in_flight }           \
  }

static const Volume volumes[] = {
  VOLUME ("64 KiB", "h2d_65536_gbs", 64 << 10, 64),
  VOLUME ("1 MiB", "h2d_1048576_gbs", 1 << 20, 16),
  VOLUME ("8 MiB", "h2d_8388608_gbs", 8 << 20, 8),
  VOLUME ("64 MiB", "h2d_67108864_gbs", 64 << 20, 4),
};

/* One way to the kernel: a placement, or the peer. */
typedef struct {
  char *name;
  BenchKernel *kernel;
  gboolean owned;
  char *shares[G_N_ELEMENTS (volumes)];      /* which way they went in the last round */
  BenchSeries rates[G_N_ELEMENTS (volumes)]; /* GB/s */
  BenchSeries cpu[G_N_ELEMENTS (volumes)];   /* ms per GB */
} Way;

typedef struct {
  Way ways[MOST_WAYS]; /* what the library chose comes first */
  guint n_ways;
  BenchLink *link;
  BenchSeries limits[G_N_ELEMENTS (volumes)];
  BenchSeries cuda[G_N_ELEMENTS (volumes)];
} Volumes;

static void
add_way (Volumes *v, const char *name, BenchKernel *kernel, gboolean owned)
{
  g_assert (v->n_ways < MOST_WAYS);
  v->ways[v->n_ways++] = (Way){ .name = g_strdup (name), .kernel = kernel, .owned = owned };
}

/* Every placement by name; one that does not work here is left out. */
static void
open_placements (Bench *bench, Volumes *v)
{
  for (const char *const *name = bench_placements (); *name; name++) {
    VyreMegakernelParams params = bench_kernel_params (bench->residency);
    GError *error = NULL;
    BenchKernel *kernel = bench_kernel_open (&params, *name, &error);
    if (kernel)
      add_way (v, *name, kernel, TRUE);
    else
      g_printerr ("%s: %s\n", *name, error->message);
    g_clear_error (&error);
  }
}

static void
measure_way (Bench *bench, Way *way, BenchJob *job, guint volume)
{
  VyreMegakernelCounters before, after;

  vyre_megakernel_get_counters (way->kernel->kernel, &before);
  BenchRate rate = bench_job_rate (job, bench->seconds);
  double gigabytes = (double)volumes[volume].work.size * 1e-9;
  vyre_megakernel_get_counters (way->kernel->kernel, &after);
  bench_series_add (&way->rates[volume], rate.per_second * gigabytes);
  bench_series_add (&way->cpu[volume], rate.cpu_us / 1000 / gigabytes);
  g_free (way->shares[volume]);
  way->shares[volume] = bench_placement_shares (&before, &after);
}

static void
measure_volume (Bench *bench, BenchCheck *check, Volumes *v, guint volume)
{
  const BenchWork *work = &volumes[volume].work;
  g_autofree BenchJob *jobs = g_new0 (BenchJob, v->n_ways);
  gboolean fine = TRUE;
  guint n = 0;

  for (; fine && n < v->n_ways; n++)
    fine = bench_job_open (&jobs[n], v->ways[n].kernel, work, check);
  for (guint round = 0; fine && round < bench->rounds && check->failed == 0; round++) {
    for (guint w = 0; w < v->n_ways; w++)
      measure_way (bench, &v->ways[w], &jobs[w], volume);
    if (v->link)
      bench_series_add (
          &v->limits[volume], bench_link_measure (v->link, work->size, bench->seconds));
  }
  while (n > 0)
    bench_job_close (&jobs[--n]);
}

static void
run_cuda (Bench *bench, BenchCheck *check, Volumes *v)
{
  BenchChild child;

  if (!bench_cuda_run (bench, check, "copy", &child))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (volumes); i++)
    bench_cuda_add (&child, volumes[i].cuda_key, &v->cuda[i]);
  bench_child_clear (&child);
}

static void
report (Bench *bench, const Volumes *v)
{
  const char *limit = v->link ? bench_link_name (v->link) : "";

  for (guint i = 0; i < G_N_ELEMENTS (volumes); i++) {
    BenchFigure *figure = bench_figure (bench, "GB/s", &v->ways[0].rates[i], "%s", volumes[i].text);
    for (guint w = 1; w < v->n_ways; w++)
      bench_figure_peer (figure, v->ways[w].name, &v->ways[w].rates[i]);
    bench_figure_peer (figure, "CUDA copy", &v->cuda[i]);
    bench_figure_limit (figure, limit, &v->limits[i]);
    if (v->ways[0].shares[i])
      bench_figure_note (figure, "%s", v->ways[0].shares[i]);
  }
}

static void
report_cpu (Bench *bench, const Volumes *v)
{
  for (guint i = 0; i < G_N_ELEMENTS (volumes); i++) {
    BenchFigure *figure
        = bench_figure (bench, "CPU ms/GB", &v->ways[0].cpu[i], "%s", volumes[i].text);
    for (guint w = 1; w < v->n_ways; w++)
      bench_figure_peer (figure, v->ways[w].name, &v->ways[w].cpu[i]);
  }
}

/* How much of the best placement's rate the library's own choice reaches. */
static void
report_choice (Bench *bench, const Volumes *v, guint n_placements)
{
  for (guint i = 0; n_placements > 0 && i < G_N_ELEMENTS (volumes); i++) {
    BenchSeries part = { 0 };
    guint best = 1;
    for (guint w = 2; w <= n_placements; w++) {
      if (bench_series_median (&v->ways[w].rates[i])
          > bench_series_median (&v->ways[best].rates[i]))
        best = w;
    }
    bench_series_add (&part,
        bench_series_median (&v->ways[0].rates[i]) / bench_series_median (&v->ways[best].rates[i]));
    BenchFigure *figure = bench_figure (bench, "of the best", &part, "%s, chosen", volumes[i].text);
    g_autofree char *chosen = bench_placement_describe (v->ways[0].kernel->kernel);
    bench_figure_note (figure, "chosen: %s, best: %s", chosen, v->ways[best].name);
  }
}

static void
clear (Volumes *v)
{
  for (guint w = 0; w < v->n_ways; w++) {
    if (v->ways[w].owned)
      bench_kernel_close (v->ways[w].kernel);
    g_free (v->ways[w].name);
    for (guint i = 0; i < G_N_ELEMENTS (volumes); i++)
      g_free (v->ways[w].shares[i]);
  }
  if (v->link)
    bench_link_close (v->link);
}

void
bench_row_payload (Bench *bench, BenchCheck *check)
{
  Volumes v = { 0 };
  GError *error = NULL;
  BenchKernel *dispatch = bench_dispatch (bench, check);

  if (!dispatch)
    return;
  v.link = bench_link_open (vyre_device_get_uuid (bench->ours->device), &error);
  bench_check_error (check, error);
  add_way (&v, "ours", bench->ours, FALSE);
  open_placements (bench, &v);
  guint n_placements = v.n_ways - 1;
  add_way (&v, "dispatch", dispatch, FALSE);
  for (guint i = 0; i < G_N_ELEMENTS (volumes); i++)
    measure_volume (bench, check, &v, i);
  for (guint round = 0; round < bench->rounds; round++)
    run_cuda (bench, check, &v);
  report (bench, &v);
  report_cpu (bench, &v);
  report_choice (bench, &v, n_placements);
  clear (&v);
}
