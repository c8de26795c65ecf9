/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Rows batches and slots: how many of them a second, published by one thread.
 */
#include "bench.h"
#include "job.h"

#define SLOTS 4096

/* What the argument words of a packed slot have room for when no operation has
 * an argument: two bytes, and two an operation. */
#define INNER ((4 * VYRE_SLOT_MAX_ARGS - 2) / 2)

typedef struct {
  BenchSeries per_second, cpu_us;
} Rates;

static void
add_round (Rates *rates, BenchRate rate)
{
  bench_series_add (&rates->per_second, rate.per_second);
  bench_series_add (&rates->cpu_us, rate.cpu_us);
}

static void
measure (Bench *bench, BenchCheck *check, const BenchWork *work, Rates *ours, Rates *dispatch)
{
  BenchKernel *kernel = bench_dispatch (bench, check);
  BenchJob job, peer;

  if (!kernel)
    return;
  gboolean fine = bench_job_open (&job, bench->ours, work, check);
  fine = bench_job_open (&peer, kernel, work, check) && fine;
  for (guint round = 0; fine && round < bench->rounds; round++) {
    add_round (ours, bench_job_rate (&job, bench->seconds));
    add_round (dispatch, bench_job_rate (&peer, bench->seconds));
  }
  bench_job_close (&peer);
  bench_job_close (&job);
}

/* Batches per second, in other units. */
static void
add_figure (Bench *bench, const Rates *ours, const Rates *dispatch, double factor, const char *unit,
    const char *name)
{
  BenchSeries scaled = bench_series_scale (&ours->per_second, factor);
  BenchSeries peer = bench_series_scale (&dispatch->per_second, factor);

  bench_figure_peer (bench_figure (bench, unit, &scaled, "%s", name), "dispatch", &peer);
}

void
bench_row_batches (Bench *bench, BenchCheck *check)
{
  static const BenchWork work = {
    .program = "u8_stats payload -> s",
    .size = 4096,
    .slots = 8,
    .observables = 16,
    .depth = 8,
  };
  Rates ours = { 0 }, dispatch = { 0 };

  measure (bench, check, &work, &ours, &dispatch);
  add_figure (bench, &ours, &dispatch, 1e-3, "thousand/s", "4 KiB, 8 in flight");
  bench_figure_peer (bench_figure (bench, "CPU µs/batch", &ours.cpu_us, "4 KiB, 8 in flight"),
      "dispatch", &dispatch.cpu_us);
}

/* A ring full of @statement, but for the fence. */
static char *
fill_ring (const char *statement)
{
  GString *program = g_string_new (NULL);

  for (guint i = 0; i < SLOTS - 1; i++)
    g_string_append_printf (program, "%s\n", statement);
  return g_string_free (program, FALSE);
}

static char *
packed_nops (void)
{
  GString *statement = g_string_new ("packed_slot{nop");

  for (guint i = 1; i < INNER; i++)
    g_string_append (statement, "|nop");
  g_string_append_c (statement, '}');
  return g_string_free (statement, FALSE);
}

static void
measure_slots (Bench *bench, BenchCheck *check, const char *statement, guint inner, Rates *ours,
    Rates *dispatch)
{
  g_autofree char *program = fill_ring (statement);
  BenchWork work = { .program = program, .nops = (SLOTS - 1) * inner, .depth = 8 };

  measure (bench, check, &work, ours, dispatch);
}

void
bench_row_slots (Bench *bench, BenchCheck *check)
{
  g_autofree char *packed = packed_nops ();
  Rates ours = { 0 }, dispatch = { 0 };

  measure_slots (bench, check, "nop", 1, &ours, &dispatch);
  add_figure (bench, &ours, &dispatch, SLOTS * 1e-6, "million/s", "slots of one NOP");
  ours = dispatch = (Rates){ 0 };
  measure_slots (bench, check, packed, INNER, &ours, &dispatch);
  add_figure (bench, &ours, &dispatch, SLOTS * 1e-6, "million/s", "packed slots");
  add_figure (bench, &ours, &dispatch, (SLOTS - 1) * INNER * 1e-6, "million/s",
      "operations in packed slots");
}
