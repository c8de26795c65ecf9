/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Row import: what it costs to bring upstream's bytes to the kernel. The same buffers in
 * memory that the element lent, in memory of their own that is imported, and copied.
 */
#include "bench.h"
#include "oracle.h"
#include "pipe.h"

#define POOL 5 /* half of the staging memory is lent at most */
#define IN_FLIGHT 4
#define STAGING (128 << 20)

typedef struct {
  const char *name;
  gsize size;
} Size;

static const Size sizes[] = {
  { "256 KiB", 256 << 10 },
  { "512 KiB", 512 << 10 },
  { "1 MiB", 1 << 20 },
  { "1080p I420", 1920 * 1080 * 3 / 2 },
  { "4K I420", 3840 * 2160 * 3 / 2 },
};

typedef struct {
  const char *name;
  const char *threshold;
  const char *counter; /* that all bytes have to be in */
  gboolean lent;
} Way;

static const Way ways[] = {
  { "imported", "1", "import-bytes", FALSE },
  { "lent", "0", "arena-bytes", TRUE },
  { "copied", "1000000000", "cpu-bounce-bytes", FALSE },
};

typedef struct {
  guint8 *contents[POOL];
  BenchStats stats[POOL];
  BenchPipe pipes[G_N_ELEMENTS (ways)];
  BenchSeries rate[G_N_ELEMENTS (ways)];
  BenchSeries cpu[G_N_ELEMENTS (ways)]; /* ms per GB */
} Trial;

static gboolean
open_way (Bench *bench, BenchCheck *check, Trial *trial, guint i, gsize size)
{
  BenchPipe *pipe = &trial->pipes[i];
  g_autofree char *filter = bench_pipe_filter (
      "u8_stats payload -> s", vyre_residency_name (bench->residency), bench->placement);
  g_autofree char *text
      = g_strdup_printf ("%s max-in-flight=%d staging-size=%d import-threshold=%s", filter,
          IN_FLIGHT, STAGING, ways[i].threshold);

  *pipe = (BenchPipe){ .list = 1, .is_right = bench_pipe_is_stats, .data = trial->stats };
  if (!bench_pipe_open (pipe, text, "application/octet-stream", POOL * size, check))
    return FALSE;
  bench_pipe_fill (pipe, trial->contents, POOL, size, ways[i].lent);
  return TRUE;
}

/* Whether the bytes went the way that is measured: small ones, and on some devices all,
 * go another. */
static gboolean
went_there (const Trial *trial, guint i)
{
  GstStructure *stats = NULL, *file_io = NULL;
  guint64 payload = 0, counted = 0;

  g_object_get (trial->pipes[i].element, "stats", &stats, NULL);
  gst_structure_get_uint64 (stats, "payload-bytes", &payload);
  gst_structure_get (stats, "ingest", GST_TYPE_STRUCTURE, &file_io, NULL);
  gst_structure_get_uint64 (file_io, ways[i].counter, &counted);
  gst_structure_free (file_io);
  gst_structure_free (stats);
  return counted == payload;
}

static void
measure (Bench *bench, BenchCheck *check, Trial *trial, gsize size)
{
  for (guint round = 0; round < bench->rounds; round++) {
    for (guint i = 0; i < G_N_ELEMENTS (ways) && check->failed == 0; i++) {
      BenchFlow flow = bench_pipe_feed (&trial->pipes[i], bench->seconds);
      bench_series_add (&trial->rate[i], flow.rate);
      bench_series_add (&trial->cpu[i], flow.cpu_us * 1e6 / (double)size);
    }
  }
}

static void
report (Bench *bench, const Trial *trial, const Size *size)
{
  BenchFigure *rate = bench_figure (bench, "buffers/s", &trial->rate[0], "%s", size->name);
  BenchFigure *cpu = bench_figure (bench, "CPU ms/GB", &trial->cpu[0], "%s", size->name);

  for (guint i = 1; i < G_N_ELEMENTS (ways); i++) {
    bench_figure_peer (rate, ways[i].name, &trial->rate[i]);
    bench_figure_peer (cpu, ways[i].name, &trial->cpu[i]);
  }
  for (guint i = 0; i < G_N_ELEMENTS (ways); i++) {
    if (!went_there (trial, i))
      bench_figure_note (rate, "not all were %s", ways[i].name);
  }
}

static void
run_size (Bench *bench, BenchCheck *check, const Size *size)
{
  g_autofree Trial *trial = g_new0 (Trial, 1);
  gboolean fine = TRUE;

  for (guint i = 0; i < POOL; i++) {
    trial->contents[i] = g_malloc (size->size);
    bench_noise (trial->contents[i], size->size, i, (guint8)i, (guint8)(200 + i));
    trial->stats[i] = BENCH_STATS_NONE;
    bench_stats_add (&trial->stats[i], trial->contents[i], size->size);
  }
  for (guint i = 0; fine && i < G_N_ELEMENTS (ways); i++)
    fine = open_way (bench, check, trial, i, size->size);
  if (fine) {
    measure (bench, check, trial, size->size);
    report (bench, trial, size);
  }
  for (guint i = 0; i < G_N_ELEMENTS (ways); i++)
    bench_pipe_close (&trial->pipes[i]);
  for (guint i = 0; i < POOL; i++)
    g_free (trial->contents[i]);
}

void
bench_row_import (Bench *bench, BenchCheck *check)
{
  gst_init (NULL, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    run_size (bench, check, &sizes[i]);
}
