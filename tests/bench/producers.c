/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Rows producers and streams: how a kernel serves many at a time. Threads publish batches, each on
 * a lane of its own, beside one thread alone; and pipelines with vyrefilter run side by side,
 * beside as many with identity in its place.
 */
#include <string.h>

#include "bench.h"
#include "job.h"
#include "payload.h"
#include "pipe.h"

#define SIZE 4096
#define DEPTH 8
#define MOST 64
#define POOL 64
#define LIST 32

/* Bytes that may wait in front of an element, which must never run dry. */
#define QUEUED (4 * LIST * SIZE)

/* One of those that run side by side: its own check, so that none is shared. */
typedef struct {
  BenchJob job;
  BenchPipe pipe;
  BenchCheck check;
  double seconds;
  double rate;
} Member;

/* The figures of all members together. */
typedef struct {
  BenchSeries rate, cpu_us;
} Together;

static gpointer
run_job (gpointer data)
{
  Member *member = data;

  member->rate = bench_job_rate (&member->job, member->seconds).per_second;
  return NULL;
}

static gpointer
run_pipe (gpointer data)
{
  Member *member = data;

  member->rate = bench_pipe_feed (&member->pipe, member->seconds).rate;
  return NULL;
}

/* Runs @n members at the same time, each on a thread, and adds the sum of their rates. What a
 * member checked goes to @check. */
static void
run_together (
    Member *members, guint n, GThreadFunc run, double seconds, BenchCheck *check, Together *result)
{
  GThread *threads[MOST];
  double rate = 0, cpu = bench_cpu_seconds ();
  guint64 before = 0, after = 0;

  for (guint i = 0; i < n; i++) {
    before += members[i].check.done;
    members[i].seconds = seconds;
    threads[i] = g_thread_new ("member", run, &members[i]);
  }
  for (guint i = 0; i < n; i++) {
    g_thread_join (threads[i]);
    rate += members[i].rate;
    after += members[i].check.done;
    bench_check (check, members[i].check.failed == 0, "%s",
        members[i].check.first ? members[i].check.first : "a member failed");
  }
  check->done += after - before;
  bench_series_add (&result->rate, rate);
  bench_series_add (
      &result->cpu_us, (bench_cpu_seconds () - cpu) * 1e6 / MAX ((double)(after - before), 1));
}

static void
report (Bench *bench, const char *unit, double factor, const char *name, const Together *ours,
    const char *peer_name, const Together *peer)
{
  BenchSeries rate = bench_series_scale (&ours->rate, factor);
  BenchSeries peer_rate = bench_series_scale (&peer->rate, factor);

  bench_figure_peer (bench_figure (bench, unit, &rate, "%s", name), peer_name, &peer_rate);
  bench_figure_peer (
      bench_figure (bench, "CPU µs each", &ours->cpu_us, "%s", name), peer_name, &peer->cpu_us);
}

/* Publishing threads: two, and as many as leave the kernel's own a core. */
static void
measure_producers (Bench *bench, BenchCheck *check, Member *members, guint n)
{
  guint most = CLAMP (g_get_num_processors () - 1, 2, n);
  Together alone = { 0 }, two = { 0 }, all = { 0 };

  for (guint round = 0; round < bench->rounds && check->failed == 0; round++) {
    run_together (members, 1, run_job, bench->seconds, check, &alone);
    run_together (members, 2, run_job, bench->seconds, check, &two);
    if (most > 2)
      run_together (members, most, run_job, bench->seconds, check, &all);
  }
  report (bench, "thousand/s", 1e-3, "2 threads", &two, "one thread", &alone);
  if (most > 2) {
    g_autofree char *name = g_strdup_printf ("%u threads", most);
    report (bench, "thousand/s", 1e-3, name, &all, "one thread", &alone);
  }
}

void
bench_row_producers (Bench *bench, BenchCheck *check)
{
  static const BenchWork work = {
    .program = "u8_stats payload -> s", .size = SIZE, .slots = 8, .observables = 16, .depth = DEPTH
  };
  guint n = CLAMP (g_get_num_processors () - 1, 2, MOST);
  g_autofree Member *members = g_new0 (Member, n);
  gboolean fine = TRUE;

  for (guint i = 0; i < n; i++)
    fine = bench_job_open (&members[i].job, bench->ours, &work, &members[i].check) && fine;
  if (bench_check (check, fine, "a job could not be opened"))
    measure_producers (bench, check, members, n);
  for (guint i = 0; i < n; i++)
    bench_job_close (&members[i].job);
}

/* The bytes that went in; the buffer around them may be another. */
static gboolean
is_same (const BenchPipe *pipe, GstBuffer *buffer, guint64 index)
{
  return gst_buffer_peek_memory (buffer, 0)
         == gst_buffer_peek_memory (pipe->pool[index % pipe->n_pool], 0);
}

typedef struct {
  guint8 *contents[POOL];
  BenchStats stats[POOL];
  Member ours[MOST], identity[MOST];
} Streams;

static gboolean
open_stream (Member *member, const char *element, BenchPipeCheck is_right, Streams *streams)
{
  member->pipe = (BenchPipe){ .list = LIST, .is_right = is_right, .data = streams->stats };
  if (!bench_pipe_open (&member->pipe, element, "application/octet-stream", QUEUED, &member->check))
    return FALSE;
  bench_pipe_fill (&member->pipe, streams->contents, POOL, SIZE, FALSE);
  return TRUE;
}

static void
measure_streams (Bench *bench, BenchCheck *check, Streams *streams, guint n)
{
  g_autofree char *filter = bench_pipe_filter (
      "u8_stats payload -> s", vyre_residency_name (bench->residency), bench->placement);
  g_autofree char *name = g_strdup_printf ("%u %s", n, n == 1 ? "stream" : "streams");
  Together ours = { 0 }, identity = { 0 };
  gboolean fine = TRUE;

  for (guint i = 0; i < n && fine; i++)
    fine = open_stream (&streams->ours[i], filter, bench_pipe_is_stats, streams)
           && open_stream (&streams->identity[i], "identity", is_same, streams);
  bench_check (check, fine, "a stream could not be opened");
  for (guint round = 0; fine && round < bench->rounds && check->failed == 0; round++) {
    run_together (streams->ours, n, run_pipe, bench->seconds, check, &ours);
    run_together (streams->identity, n, run_pipe, bench->seconds, check, &identity);
  }
  for (guint i = 0; i < n; i++) {
    bench_pipe_close (&streams->ours[i].pipe);
    bench_pipe_close (&streams->identity[i].pipe);
  }
  report (bench, "buffers/s", 1, name, &ours, "identity", &identity);
}

void
bench_row_streams (Bench *bench, BenchCheck *check)
{
  static const guint counts[] = { 1, 16, MOST };
  g_autofree Streams *streams = g_new0 (Streams, 1);

  for (guint i = 0; i < POOL; i++) {
    streams->contents[i] = g_malloc (SIZE);
    bench_noise (streams->contents[i], SIZE, i, (guint8)i, (guint8)(2 * i));
    streams->stats[i] = BENCH_STATS_NONE;
    bench_stats_add (&streams->stats[i], streams->contents[i], SIZE);
  }
  gst_init (NULL, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (counts); i++) {
    memset (streams->ours, 0, sizeof streams->ours);
    memset (streams->identity, 0, sizeof streams->identity);
    measure_streams (bench, check, streams, counts[i]);
  }
  for (guint i = 0; i < POOL; i++)
    g_free (streams->contents[i]);
}
