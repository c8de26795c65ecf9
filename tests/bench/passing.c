/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Row passing: what its analysis adds to the way of a frame. Streams of 720p, 30 frames a second,
 * go through the element in passthrough, with a deadline some frames without their results; beside
 * them one goes through identity.
 */
#include "bench.h"
#include "paced.h"

#define SIZE (1280 * 720 * 3 / 2)
#define PERIOD 33333333 /* ns */
#define SECONDS 15.0    /* of a round */
#define QUICK_SECONDS 4.0

typedef struct {
  const char *name;
  const char *options; /* of vyrefilter; NULL: identity takes its place */
  BenchSeries p50, p99;
  guint64 missing;
} Passage;

enum { IDENTITY, NO_DEADLINE, HALF_A_MS, NO_WAIT, N_PASSAGES };

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

/* The idle timeout is the element's own, unlike that of other rows: no kernel has a turn alone. */
static gboolean
open_passage (Bench *bench, const Passage *passage, BenchPaced *paced, BenchCheck *check)
{
  g_autofree char *filter
      = g_strdup_printf ("vyrefilter program=\"u8_stats payload -> s\" residency=%s placement=%s "
                         "output-mode=passthrough %s",
          vyre_residency_name (bench->residency), bench->placement, passage->options);
  gboolean fine = bench_paced_open (paced, passage->options ? filter : "identity", SIZE, PERIOD, 1);

  return bench_check (check, fine, "%s", paced->check.first);
}

static void
sum_up (Passage *passage, const BenchPaced *paced)
{
  double *values = (double *)(gpointer)paced->latencies->data;

  bench_series_add (&passage->p50, bench_percentile (values, paced->latencies->len, 0.5));
  bench_series_add (&passage->p99, bench_percentile (values, paced->latencies->len, 0.99));
}

/* How many frames went on without results. */
static void
count_missing (Passage *passage, const BenchPaced *paced)
{
  GstElement *element = gst_bin_get_by_name (GST_BIN (paced->pipeline), "element");

  if (passage->options)
    passage->missing = count (element, "late-results") + count (element, "unseen");
  gst_object_unref (element);
}

static BenchSeries
subtract (const BenchSeries *series, const BenchSeries *other)
{
  BenchSeries difference = *series;

  for (guint i = 0; i < difference.n; i++)
    difference.values[i] -= other->values[i];
  return difference;
}

static void
report (Bench *bench, const Passage *passage, const BenchPaced *paced, const Passage *identity)
{
  BenchSeries p50 = subtract (&passage->p50, &identity->p50);
  BenchSeries p99 = subtract (&passage->p99, &identity->p99);

  bench_figure_note (bench_figure (bench, "µs", &p50, "%s, added p50", passage->name),
      "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " without results", passage->missing,
      paced->received);
  bench_figure_note (bench_figure (bench, "µs", &p99, "%s, added p99", passage->name),
      "of %u frames a round", paced->latencies->len);
}

static void
measure (Bench *bench, Passage *passages, BenchPaced *streams, BenchCheck *check)
{
  double seconds = bench->quick ? QUICK_SECONDS : SECONDS;

  for (guint round = 0; round < bench->rounds && check->failed == 0; round++) {
    bench_paced_run (streams, N_PASSAGES, seconds, check);
    for (guint i = 0; i < N_PASSAGES; i++)
      sum_up (&passages[i], &streams[i]);
  }
  bench_figure (bench, "µs", &passages[IDENTITY].p50, "identity, p50");
  bench_figure (bench, "µs", &passages[IDENTITY].p99, "identity, p99");
  for (guint i = NO_DEADLINE; i < N_PASSAGES; i++) {
    count_missing (&passages[i], &streams[i]);
    report (bench, &passages[i], &streams[i], &passages[IDENTITY]);
  }
}

void
bench_row_passing (Bench *bench, BenchCheck *check)
{
  Passage passages[] = { [IDENTITY] = { .name = "identity" },
    [NO_DEADLINE] = { .name = "without a deadline", .options = "" },
    [HALF_A_MS] = { .name = "max-latency of 0.5 ms", .options = "max-latency=500000" },
    [NO_WAIT] = { .name = "max-latency of 0", .options = "max-latency=0" } };
  BenchPaced streams[N_PASSAGES] = { 0 };
  gboolean fine = TRUE;

  gst_init (NULL, NULL);
  for (guint i = 0; i < N_PASSAGES && fine; i++)
    fine = open_passage (bench, &passages[i], &streams[i], check);
  if (fine)
    measure (bench, passages, streams, check);
  for (guint i = 0; i < N_PASSAGES; i++)
    bench_paced_close (&streams[i]);
}
