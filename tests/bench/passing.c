/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Row passing: what its analysis adds to the way of a frame. Streams of 720p, 30 frames a second,
 * go through the element in passthrough, with a deadline some frames without their results; beside
 * them one goes through identity.
 */
#include "bench.h"
#include "link.h"
#include "paced.h"

#define SIZE (1280 * 720 * 3 / 2)
#define PERIOD 33333333 /* ns */
#define SECONDS 15.0    /* of a round */
#define QUICK_SECONDS 4.0

#define LIMIT "a copy alone"

typedef struct {
  const char *name;
  const char *options; /* of vyrefilter; NULL: identity takes its place */
  BenchSeries p50, p99;
  guint64 missing;
} Passage;

/* Copies of a frame to the device and nothing else, one a period: what no frame that the device
 * sees can beat, from a core that has slept as long */
typedef struct {
  BenchLink *link; /* NULL: the device reads what the host has */
  gint64 end;      /* of a round, ns */
  GArray *times;   /* doubles, µs */
  BenchSeries p50, p99;
} Copies;

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
sum_up (GArray *times, BenchSeries *p50, BenchSeries *p99)
{
  double *values = (double *)(gpointer)times->data;

  bench_series_add (p50, bench_percentile (values, times->len, 0.5));
  bench_series_add (p99, bench_percentile (values, times->len, 0.99));
}

static void
open_copies (Bench *bench, Copies *copies)
{
  *copies = (Copies){ .times = g_array_new (FALSE, FALSE, sizeof (double)) };
  copies->link = bench_link_open (vyre_device_get_uuid (bench->ours->device), NULL);
  if (copies->link && !bench_link_prepare_copy (copies->link, SIZE))
    g_clear_pointer (&copies->link, bench_link_close);
}

static void
close_copies (Copies *copies)
{
  g_clear_pointer (&copies->link, bench_link_close);
  g_array_unref (copies->times);
}

/* The function of a thread of its own. */
static gpointer
copy_now_and_then (gpointer data)
{
  Copies *copies = data;
  gint64 took = 0;

  while (took >= 0 && bench_now () < copies->end) {
    g_usleep (PERIOD / 1000);
    took = bench_link_time_copy (copies->link);
    double time = (double)took / 1000;
    if (took >= 0)
      g_array_append_val (copies->times, time);
  }
  return NULL;
}

/* Copies beside the streams of a round. */
static GThread *
start_copies (Copies *copies, double seconds)
{
  g_array_set_size (copies->times, 0);
  copies->end = bench_now () + (gint64)(seconds * 1e9);
  return copies->link ? g_thread_new ("copies", copy_now_and_then, copies) : NULL;
}

static void
end_copies (Copies *copies, GThread *thread)
{
  if (!thread)
    return;
  g_thread_join (thread);
  if (copies->times->len > 0)
    sum_up (copies->times, &copies->p50, &copies->p99);
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
report (Bench *bench, const Passage *passage, const BenchPaced *paced, const Passage *identity,
    const Copies *copies)
{
  BenchSeries p50 = subtract (&passage->p50, &identity->p50);
  BenchSeries p99 = subtract (&passage->p99, &identity->p99);

  BenchFigure *middle = bench_figure (bench, "µs", &p50, "%s, added p50", passage->name);
  bench_figure_note (middle, "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " without results",
      passage->missing, paced->received);
  bench_figure_limit (middle, LIMIT, &copies->p50);
  BenchFigure *tail = bench_figure (bench, "µs", &p99, "%s, added p99", passage->name);
  bench_figure_note (tail, "of %u frames a round", paced->latencies->len);
  bench_figure_limit (tail, LIMIT, &copies->p99);
}

static void
measure (Bench *bench, Passage *passages, BenchPaced *streams, Copies *copies, BenchCheck *check)
{
  double seconds = bench->quick ? QUICK_SECONDS : SECONDS;

  for (guint round = 0; round < bench->rounds && check->failed == 0; round++) {
    GThread *thread = start_copies (copies, seconds);
    bench_paced_run (streams, N_PASSAGES, seconds, check);
    end_copies (copies, thread);
    for (guint i = 0; i < N_PASSAGES; i++)
      sum_up (streams[i].latencies, &passages[i].p50, &passages[i].p99);
  }
  bench_figure (bench, "µs", &passages[IDENTITY].p50, "identity, p50");
  bench_figure (bench, "µs", &passages[IDENTITY].p99, "identity, p99");
  for (guint i = NO_DEADLINE; i < N_PASSAGES; i++) {
    count_missing (&passages[i], &streams[i]);
    report (bench, &passages[i], &streams[i], &passages[IDENTITY], copies);
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
  Copies copies;

  gst_init (NULL, NULL);
  open_copies (bench, &copies);
  for (guint i = 0; i < N_PASSAGES && fine; i++)
    fine = open_passage (bench, &passages[i], &streams[i], check);
  if (fine)
    measure (bench, passages, streams, &copies, check);
  for (guint i = 0; i < N_PASSAGES; i++)
    bench_paced_close (&streams[i]);
  close_copies (&copies);
}
