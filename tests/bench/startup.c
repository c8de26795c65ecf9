/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Row startup: from the start of a fresh process to its first result, with empty
 * caches and with those that the run before left behind, and the memory that it has
 * then. The child is this program again, and says when it got where.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib/gstdio.h>

#include "bench.h"
#include "child.h"
#include "job.h"

#define CHILD_SECONDS 120

/* As vyrefilter has it unless told otherwise. */
#define STAGING_SIZE (64 << 20)

typedef struct {
  BenchSeries device; /* milliseconds from the process's start */
  BenchSeries kernel; /* from there */
  BenchSeries result; /* from there */
  BenchSeries own;    /* the last two: what the device opening does not cost */
  BenchSeries total;
  BenchSeries resident; /* MiB with a kernel without work, more than with the device alone */
  BenchSeries returned; /* MiB that go when the kernel does; the rest is the driver's and code */
} Startup;

/* Prints the resident memory, in KiB. */
static void
print_resident (const char *key)
{
  g_autofree char *status = NULL;
  const char *line = NULL;

  if (g_file_get_contents ("/proc/self/status", &status, NULL, NULL))
    line = strstr (status, "VmRSS:");
  printf ("%s %" G_GINT64_FORMAT "\n", key,
      line ? g_ascii_strtoll (line + strlen ("VmRSS:"), NULL, 10) : 0);
}

/* One batch on a new kernel, and when it was done. */
static gboolean
run_first (BenchKernel *kernel)
{
  static const BenchWork work = { .program = "u8_stats payload -> s", .size = 4096, .depth = 1 };
  BenchCheck check = { 0 };
  BenchJob job;

  bench_kernel_start (kernel);
  if (bench_job_open (&job, kernel, &work, &check))
    bench_job_once (&job);
  printf ("result %" G_GINT64_FORMAT "\n", bench_now ());
  bench_job_close (&job);
  bench_kernel_stop (kernel);
  gboolean passed = bench_check_passed (&check);
  bench_check_clear (&check);
  return passed;
}

/* The child: 0 when its result was right. */
int
bench_startup_child (VyreResidency residency, const char *placement)
{
  VyreMegakernelParams params = bench_kernel_params (residency);
  BenchKernel kernel = { .device = vyre_device_open ("auto", NULL) };
  gboolean passed = FALSE;

  printf ("device %" G_GINT64_FORMAT "\n", bench_now ());
  print_resident ("device-resident");
  if (!kernel.device)
    return 1;
  params.staging_size = STAGING_SIZE;
  bench_placement_set (&params, placement);
  kernel.kernel = vyre_megakernel_new (kernel.device, &params, NULL);
  printf ("kernel %" G_GINT64_FORMAT "\n", bench_now ());
  if (kernel.kernel) {
    print_resident ("kernel-resident");
    passed = run_first (&kernel);
    vyre_megakernel_unref (kernel.kernel);
    print_resident ("left-resident");
  }
  vyre_device_unref (kernel.device);
  return passed ? 0 : 1;
}

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  const char *name;

  while (directory && (name = g_dir_read_name (directory))) {
    g_autofree char *inner = g_build_filename (path, name, NULL);
    if (g_file_test (inner, G_FILE_TEST_IS_DIR) && !g_file_test (inner, G_FILE_TEST_IS_SYMLINK))
      remove_tree (inner);
    else
      g_unlink (inner);
  }
  g_rmdir (path);
}

/* The environment with every cache in @path. */
static char **
make_environment (const char *path)
{
  static const char *const variables[]
      = { "XDG_CACHE_HOME", "MESA_SHADER_CACHE_DIR", "__GL_SHADER_DISK_CACHE_PATH" };
  char **environment = g_get_environ ();

  for (guint i = 0; i < G_N_ELEMENTS (variables); i++) {
    g_autofree char *directory = g_build_filename (path, variables[i], NULL);
    g_mkdir_with_parents (directory, 0700);
    environment = g_environ_setenv (environment, variables[i], directory, TRUE);
  }
  return environment;
}

static void
add_times (Startup *startup, const BenchChild *child)
{
  double device = (bench_child_number (child, "device") - (double)child->started) / 1e6;
  double kernel = (bench_child_number (child, "kernel") - (double)child->started) / 1e6;
  double result = (bench_child_number (child, "result") - (double)child->started) / 1e6;

  bench_series_add (&startup->device, device);
  bench_series_add (&startup->kernel, kernel - device);
  bench_series_add (&startup->result, result - kernel);
  bench_series_add (&startup->own, result - device);
  bench_series_add (&startup->total, result);
  bench_series_add (&startup->resident, (bench_child_number (child, "kernel-resident")
                                            - bench_child_number (child, "device-resident"))
                                            / 1024);
  bench_series_add (&startup->returned,
      (bench_child_number (child, "kernel-resident") - bench_child_number (child, "left-resident"))
          / 1024);
}

static gboolean
run (Bench *bench, BenchCheck *check, char **environment, Startup *startup)
{
  char *arguments[] = { bench->program, "--child", "--residency",
    (char *)vyre_residency_name (bench->residency), "--placement", (char *)bench->placement, NULL };
  GError *error = NULL;
  BenchChild child;

  if (!bench_child_run (&child, arguments, environment, CHILD_SECONDS, &error))
    return bench_check_error (check, error);
  gboolean fine = bench_check (
      check, child.status == 0, "a fresh process failed with status %d", child.status);
  if (fine)
    add_times (startup, &child);
  bench_child_clear (&child);
  return fine;
}

static void
report (Bench *bench, const Startup *warm, const Startup *cold)
{
  const struct {
    const char *name;
    const BenchSeries *warm, *cold;
  } parts[] = {
    { "to the device's opening", &warm->device, &cold->device },
    { "from there to the kernel", &warm->kernel, &cold->kernel },
    { "from there to the first result", &warm->result, &cold->result },
    { "beyond the device's opening", &warm->own, &cold->own },
    { "in all", &warm->total, &cold->total },
  };

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    bench_figure_peer (bench_figure (bench, "ms", parts[i].warm, "%s, warm", parts[i].name), "cold",
        parts[i].cold);
  bench_figure (
      bench, "MiB", &warm->resident, "resident without work, beyond the device's opening");
  bench_figure (bench, "MiB", &warm->returned, "of it, gone with the kernel");
}

/* Each round starts with caches of its own, cold, and then finds them warm. */
void
bench_row_startup (Bench *bench, BenchCheck *check)
{
  Startup warm = { 0 }, cold = { 0 };
  guint rounds = bench->quick ? 1 : 3; /* a cold start may take many seconds */
  gboolean fine = TRUE;

  for (guint round = 0; fine && round < rounds; round++) {
    g_autofree char *path = g_dir_make_tmp ("vyre-bench-XXXXXX", NULL);
    if (!bench_check (check, path != NULL, "no directory for caches"))
      return;
    g_auto (GStrv) environment = make_environment (path);
    fine = run (bench, check, environment, &cold) && run (bench, check, environment, &warm);
    remove_tree (path);
  }
  report (bench, &warm, &cold);
}
