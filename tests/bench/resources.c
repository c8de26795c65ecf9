/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Row resources: what the files of a program cost a batch, as rtt measures it: words of one that
 * is resident, of one that has to be read first, and a word appended. The file is in the page
 * cache, and the sink where the user's temporary files are.
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <unistd.h>

#include "bench.h"
#include "job.h"

#define FILE_SIZE 4096
#define STATS "u8_stats payload -> s"

typedef enum {
  JOB_PLAIN,
  JOB_RESIDENT,
  JOB_APPEND,
  JOB_ONE, /* these two find room for one of their files only */
  JOB_OTHER,
  N_JOBS,
} JobKind;

typedef struct {
  char *dir;
  char *paths[3]; /* two files and a sink */
  char *texts[N_JOBS];
  BenchWork works[N_JOBS];
  BenchJob jobs[N_JOBS];
  BenchSeries p50[N_JOBS];
  BenchSeries p99[N_JOBS];
  BenchSeries read; /* of a file by this thread, µs */
} Files;

static gboolean
make_files (Files *files, BenchCheck *check)
{
  g_autofree char *bytes = g_malloc0 (FILE_SIZE);
  GError *error = NULL;

  files->dir = g_dir_make_tmp ("vyre-bench-XXXXXX", &error);
  for (guint i = 0; files->dir && i < G_N_ELEMENTS (files->paths); i++) {
    files->paths[i] = g_strdup_printf ("%s/%u", files->dir, i);
    g_file_set_contents (files->paths[i], bytes, i < 2 ? FILE_SIZE : 0, error ? NULL : &error);
  }
  return !error || bench_check_error (check, error);
}

static void
clear_files (Files *files)
{
  for (guint i = 0; i < G_N_ELEMENTS (files->paths); i++) {
    if (files->paths[i])
      g_remove (files->paths[i]);
    g_free (files->paths[i]);
  }
  if (files->dir)
    g_rmdir (files->dir);
  g_free (files->dir);
  for (guint i = 0; i < N_JOBS; i++)
    g_free (files->texts[i]);
}

static void
write_programs (Files *files)
{
  static const char *const loads = STATS "; resource r = file '%s'; load_words r, 0, 16 -> w";

  files->texts[JOB_PLAIN] = g_strdup (STATS "; store_u32 1 -> w");
  files->texts[JOB_RESIDENT] = g_strdup_printf (loads, files->paths[0]);
  files->texts[JOB_APPEND]
      = g_strdup_printf (STATS "; resource l = sink '%s'; append l, &s, 1", files->paths[2]);
  files->texts[JOB_ONE] = g_strdup_printf (loads, files->paths[0]);
  files->texts[JOB_OTHER] = g_strdup_printf (loads, files->paths[1]);
  for (guint i = 0; i < N_JOBS; i++)
    files->works[i] = (BenchWork){ .program = files->texts[i], .size = 4096, .depth = 4 };
}

/* One file after the other, each of which takes the other's place; microseconds. */
static void
measure_misses (Files *files, BenchKernel *kernel, guint n, BenchCheck *check)
{
  g_autofree double *samples = g_new (double, n);
  BenchSeries ignored = { 0 };
  VyreResourceCounters before, after;

  bench_job_latency (&files->jobs[JOB_ONE], 0, &ignored, &ignored); /* warm */
  vyre_megakernel_get_resource_counters (kernel->kernel, &before);
  bench_kernel_start (kernel);
  for (guint i = 0; i < n; i++)
    samples[i] = bench_job_once (&files->jobs[i % 2 ? JOB_ONE : JOB_OTHER]);
  bench_kernel_stop (kernel);
  vyre_megakernel_get_resource_counters (kernel->kernel, &after);
  bench_check (check, after.loads - before.loads == n, "a file was resident after all");
  bench_series_add (&files->p50[JOB_ONE], bench_percentile (samples, n, 0.5));
}

static void
measure_read (Files *files, guint n)
{
  g_autofree double *samples = g_new (double, n);
  char bytes[FILE_SIZE];

  for (guint i = 0; i < n; i++) {
    gint64 start = bench_now ();
    int fd = open (files->paths[i % 2], O_RDONLY | O_CLOEXEC);
    gssize got = pread (fd, bytes, sizeof bytes, 0);
    close (fd);
    samples[i] = got == sizeof bytes ? (double)(bench_now () - start) / 1000 : NAN;
  }
  bench_series_add (&files->read, bench_percentile (samples, n, 0.5));
}

static void
measure (Bench *bench, BenchCheck *check, Files *files, BenchKernel *crowded)
{
  const guint n = bench->quick ? 200 : 1000;
  gboolean fine = TRUE;

  for (guint i = 0; i < N_JOBS; i++)
    fine = bench_job_open (
               &files->jobs[i], i < JOB_ONE ? bench->ours : crowded, &files->works[i], check)
           && fine;
  for (guint round = 0; fine && round < bench->rounds; round++) {
    for (guint i = 0; i < JOB_ONE; i++)
      bench_job_latency (&files->jobs[i], bench->seconds, &files->p50[i], &files->p99[i]);
    measure_misses (files, crowded, n, check);
    measure_read (files, n);
  }
  for (guint i = 0; i < N_JOBS; i++)
    bench_job_close (&files->jobs[i]);
}

static void
report (Bench *bench, const Files *files)
{
  BenchFigure *resident = bench_figure (bench, "µs", &files->p50[JOB_RESIDENT], "resident, p50");
  BenchFigure *missed = bench_figure (bench, "µs", &files->p50[JOB_ONE], "read first, p50");
  BenchFigure *append = bench_figure (bench, "µs", &files->p50[JOB_APPEND], "appended, p50");

  bench_figure_peer (resident, "no file", &files->p50[JOB_PLAIN]);
  bench_figure_peer (missed, "no file", &files->p50[JOB_PLAIN]);
  bench_figure_peer (missed, "open, pread, close", &files->read);
  bench_figure_peer (append, "no file", &files->p50[JOB_PLAIN]);
}

void
bench_row_resources (Bench *bench, BenchCheck *check)
{
  VyreMegakernelParams params = bench_kernel_params (bench->residency);
  g_autofree Files *files = g_new0 (Files, 1);
  GError *error = NULL;

  params.resource_size = FILE_SIZE;
  BenchKernel *crowded = bench_kernel_open (&params, bench->placement, &error);
  if (!crowded) {
    bench_check_error (check, error);
    return;
  }
  if (make_files (files, check)) {
    write_programs (files);
    measure (bench, check, files, crowded);
    report (bench, files);
  }
  clear_files (files);
  bench_kernel_close (crowded);
}
