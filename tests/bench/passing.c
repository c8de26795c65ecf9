/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Row passing: what a film waits for its analysis. Frames of 720p, 30 a second, go through the
 * element in passthrough; with a deadline some go on without their results.
 */
#include "bench.h"
#include "paced.h"
#include "pipe.h"

#define SIZE (1280 * 720 * 3 / 2)
#define PERIOD 33333333 /* ns */
#define LEAST_SECONDS 10.0

/* Threads are made meanwhile, ns. */
#define HEAD_START 100000000

typedef struct {
  const char *name;
  const char *options; /* of vyrefilter; NULL: identity takes its place */
  BenchPaced paced;
  BenchSeries p50, p99;
  guint64 missing;
} Passage;

static guint64
count (GstElement *element, const char *name)
{
  GstStructure *stats = NULL;
  guint64 value = 0;

  g_object_get (element, "stats", &stats, NULL);
  gst_structure_get_uint64 (stats, name, &value);
  gst_structure_free (stats);
  return value;
}

static gboolean
open_passage (Bench *bench, Passage *passage, BenchCheck *check)
{
  g_autofree char *filter = bench_pipe_filter (
      "u8_stats payload -> s", vyre_residency_name (bench->residency), bench->placement);
  g_autofree char *element = passage->options ? g_strdup_printf (
                                 "%s output-mode=passthrough %s", filter, passage->options)
                                              : g_strdup ("identity");
  gboolean fine = bench_paced_open (&passage->paced, element, SIZE, PERIOD, 1);

  return bench_check (check, fine, "%s", passage->paced.check.first);
}

/* A stream alone, in its turn. */
static void
run (Passage *passage, double seconds, BenchCheck *check)
{
  BenchPaced *paced = &passage->paced;
  guint64 before = paced->received;

  paced->start = bench_now () + HEAD_START;
  paced->end = paced->start + (gint64)(seconds * 1e9);
  g_thread_join (g_thread_new ("paced", bench_paced_run, paced));
  bench_check (check, paced->check.failed == 0, "%s",
      paced->check.first ? paced->check.first : "a stream failed");
  check->done += paced->received - before;
  double *values = (double *)(gpointer)paced->latencies->data;
  bench_series_add (&passage->p50, bench_percentile (values, paced->latencies->len, 0.5));
  bench_series_add (&passage->p99, bench_percentile (values, paced->latencies->len, 0.99));
}

/* How many frames went on without results. */
static void
count_missing (Passage *passage)
{
  GstElement *element = gst_bin_get_by_name (GST_BIN (passage->paced.pipeline), "element");

  if (passage->options)
    passage->missing = count (element, "late-results") + count (element, "unseen");
  gst_object_unref (element);
}

static void
report (Bench *bench, const Passage *passage, const Passage *identity)
{
  BenchFigure *figure = bench_figure (bench, "µs", &passage->p50, "%s, p50", passage->name);

  bench_figure_peer (figure, "identity", &identity->p50);
  bench_figure_note (figure, "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " without results",
      passage->missing, passage->paced.received);
  bench_figure_peer (bench_figure (bench, "µs", &passage->p99, "%s, p99", passage->name),
      "identity", &identity->p99);
}

void
bench_row_passing (Bench *bench, BenchCheck *check)
{
  Passage passages[] = { { .name = "without a deadline", .options = "" },
    { .name = "max-latency of 0.5 ms", .options = "max-latency=500000" },
    { .name = "max-latency of 0", .options = "max-latency=0" }, { .name = "identity" } };
  const guint n = G_N_ELEMENTS (passages);
  double seconds = MAX (4 * bench->seconds, LEAST_SECONDS);
  gboolean fine = TRUE;

  gst_init (NULL, NULL);
  for (guint i = 0; i < n && fine; i++)
    fine = open_passage (bench, &passages[i], check);
  for (guint round = 0; fine && round < bench->rounds && check->failed == 0; round++) {
    for (guint i = 0; i < n; i++)
      run (&passages[i], seconds, check);
  }
  for (guint i = 0; i < n; i++)
    if (passages[i].paced.pipeline && fine)
      count_missing (&passages[i]);
  for (guint i = 0; i + 1 < n; i++)
    report (bench, &passages[i], &passages[n - 1]);
  for (guint i = 0; i < n; i++)
    bench_paced_close (&passages[i].paced);
}
