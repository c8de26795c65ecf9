/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job.h"

#include <math.h>
#include <string.h>

#define MOST_SAMPLES 200000
#define WARM_UP 20

static VyrePlan *
make_plan (const BenchKernel *kernel, const BenchWork *work, GError **error)
{
  g_autoptr (VyreProgram) program = vyre_program_from_string (work->program, error);
  g_autoptr (VyreSymbols) symbols = vyre_symbols_new ();

  if (!program)
    return NULL;
  g_autoptr (VyreBoundProgram) bound
      = vyre_program_bind (program, symbols, work->size, work->slots, work->observables, error);
  if (!bound)
    return NULL;
  g_autoptr (VyreAccess) access = vyre_access_new (VYRE_ACCESS_ALL, NULL, error);
  return vyre_plan_new (
      bound, work->size, vyre_megakernel_get_workgroup (kernel->kernel), access, error);
}

/* Stages as many payloads as the store holds, up to the depth wanted; one at
 * least. */
static gboolean
stage (BenchJob *job)
{
  VyreStore *store = vyre_megakernel_get_staging (job->kernel->kernel);
  const BenchWork *work = job->work;

  while (job->n_payloads < work->depth
         && bench_payload_init (
             &job->payloads[job->n_payloads], store, work->size, job->n_payloads + 1))
    job->n_payloads++;
  return bench_check (
      job->check, job->n_payloads > 0, "no room to stage %" G_GSIZE_FORMAT " bytes", work->size);
}

/* Close it also when this fails. */
gboolean
bench_job_open (BenchJob *job, BenchKernel *kernel, const BenchWork *work, BenchCheck *check)
{
  GError *error = NULL;

  *job = (BenchJob){ .work = work, .kernel = kernel, .check = check };
  g_assert (work->depth <= BENCH_MOST_DEPTH);
  job->plan = make_plan (kernel, work, &error);
  if (!bench_check_error (check, error))
    return FALSE;
  job->lane = vyre_lane_new (kernel->kernel);
  job->copy = g_malloc (vyre_plan_get_layout (job->plan)->total);
  return stage (job);
}

void
bench_job_close (BenchJob *job)
{
  for (guint i = 0; i < job->n_payloads; i++)
    vyre_store_free (vyre_megakernel_get_staging (job->kernel->kernel), job->payloads[i].slice);
  g_clear_pointer (&job->lane, vyre_lane_unref);
  g_clear_pointer (&job->plan, vyre_plan_unref);
  g_clear_pointer (&job->copy, g_free);
}

/* Its own tag, every slot run and none faulted, every payload byte read once,
 * and the oracle's results. */
static gboolean
is_right (const BenchJob *job, guint32 tag, const VyreCompletion *completion, const guint8 *control,
    const BenchStats *expect)
{
  const BenchWork *work = job->work;

  return vyre_read_word (control, VYRE_CONTROL_OBSERVABLES) == tag && completion->tag == tag
         && completion->faults == 0 && completion->payload_bytes == work->size
         && vyre_read_word (control, VYRE_CONTROL_DONE_COUNT)
                == vyre_plan_get_bound_program (job->plan)->n_used
         && vyre_read_word (control, VYRE_CONTROL_METRICS + VYRE_OP_NOP) == work->nops
         && (work->size == 0 || bench_stats_match (expect, control, 1));
}

static gboolean
check_batch (const BenchJob *job, guint32 tag, VyreBatch *batch, const BenchPayload *payload)
{
  const VyreCompletion *completion = vyre_batch_get_completion (batch);

  return bench_check (job->check,
      is_right (job, tag, completion, vyre_batch_get_readback (batch), &payload->expect),
      "wrong results of batch %u over %" G_GSIZE_FORMAT " bytes", tag, payload->size);
}

static VyreBatch *
publish (BenchJob *job, guint32 tag, const BenchPayload *payload)
{
  VyrePayload staged = { .offset = payload->slice };
  GError *error = NULL;
  VyreBatch *batch = vyre_lane_publish (
      job->lane, job->plan, tag, &staged, g_get_monotonic_time () + BENCH_DEADLINE, &error);

  if (error)
    bench_check_error (job->check, error);
  return batch;
}

static gboolean
wait (BenchJob *job, VyreBatch *batch)
{
  GError *error = NULL;

  if (vyre_batch_wait (batch, g_get_monotonic_time () + BENCH_DEADLINE, &error))
    return TRUE;
  return bench_check_error (job->check, error);
}

/* One batch and the whole of its readback: microseconds from the payload lying
 * in host memory to the readback having been copied out; NAN when it failed. */
double
bench_job_once (BenchJob *job)
{
  BenchPayload *payload = &job->payloads[job->tag % job->n_payloads];
  guint32 tag = ++job->tag;

  bench_payload_mark (payload, tag);
  gint64 start = bench_now ();
  VyreBatch *batch = publish (job, tag, payload);
  if (!batch)
    return NAN;
  gboolean fine = wait (job, batch);
  if (fine)
    memcpy (job->copy, vyre_batch_get_readback (batch), vyre_plan_get_layout (job->plan)->total);
  double elapsed = (double)(bench_now () - start) / 1000;
  fine = fine && check_batch (job, tag, batch, payload);
  vyre_batch_free (batch);
  return fine ? elapsed : NAN;
}

/* Batches one after the other for @seconds; microseconds. */
void
bench_job_latency (BenchJob *job, double seconds, BenchSeries *p50, BenchSeries *p99)
{
  g_autofree double *samples = g_new (double, MOST_SAMPLES);
  gint64 end = 0;
  guint n = 0;

  bench_kernel_start (job->kernel);
  for (guint i = 0; n < MOST_SAMPLES; i++) {
    double sample = bench_job_once (job);
    if (isnan (sample))
      break;
    gint64 now = bench_now ();
    if (i < WARM_UP)
      end = now + (gint64)(seconds * 1e9);
    else
      samples[n++] = sample;
    if (now > end)
      break;
  }
  bench_kernel_stop (job->kernel);
  bench_series_add (p50, bench_percentile (samples, n, 0.5));
  bench_series_add (p99, bench_percentile (samples, n, 0.99));
}

/* Waits for the batch at a place, if there is one, and checks it. */
static gboolean
collect (BenchJob *job, VyreBatch **place, const BenchPayload *payload, guint32 tag)
{
  VyreBatch *batch = g_steal_pointer (place);

  if (!batch)
    return TRUE;
  gboolean fine = wait (job, batch) && check_batch (job, tag, batch, payload);
  vyre_batch_free (batch);
  return fine;
}

/* Takes what is still in flight: all but one. */
static gboolean
drain (BenchJob *job, VyreBatch **flight, guint first)
{
  guint depth = job->n_payloads;
  gboolean fine = TRUE;

  for (guint i = 0; i < depth; i++) {
    guint place = (first + i) % depth;
    fine = collect (job, &flight[place], &job->payloads[place], job->tag + 2 - depth + i) && fine;
  }
  return fine;
}

/* As many in flight as there are payloads, from one thread, between two
 * completions that both leave the others in flight. */
BenchRate
bench_job_rate (BenchJob *job, double seconds)
{
  VyreBatch *flight[BENCH_MOST_DEPTH] = { 0 };
  guint depth = job->n_payloads, place = 0;
  gint64 start = 0, now = 0;
  gboolean fine = TRUE;
  double cpu = 0;
  guint64 n;

  bench_kernel_start (job->kernel);
  for (n = 0; fine; n++) {
    place = (guint)(n % depth);
    fine = collect (job, &flight[place], &job->payloads[place], job->tag + 1 - depth);
    now = bench_now ();
    if (n == depth) {
      cpu = bench_cpu_seconds ();
      start = now;
    }
    if (!fine || (n > 2 * depth && (double)(now - start) > seconds * 1e9))
      break;
    bench_payload_mark (&job->payloads[place], ++job->tag);
    flight[place] = publish (job, job->tag, &job->payloads[place]);
    fine = flight[place] != NULL;
  }
  cpu = bench_cpu_seconds () - cpu;
  fine = drain (job, flight, place + 1) && fine;
  bench_kernel_stop (job->kernel);
  double done = (double)n - depth;
  return fine ? (BenchRate){ done * 1e9 / (double)(now - start), cpu * 1e6 / done }
              : (BenchRate){ NAN, NAN };
}
