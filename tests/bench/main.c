/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vyre-bench: what libvyre and vyrefilter do on the machine at hand, beside their
 * peers in the same run. Prints a table, writes JSON. The exit status says
 * whether all results were right, and nothing of how fast they came.
 */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "link.h"

static const BenchRow rows[] = {
  { "rtt", "round trip of 4 KiB, one batch in flight", bench_row_rtt },
  { "nop", "round trip of a slot that does nothing", bench_row_nop },
  { "batches", "batches of 4 KiB, one thread", bench_row_batches },
  { "producers", "batches of 4 KiB, several threads", bench_row_producers },
  { "slots", "slots of full rings, 8 batches in flight", bench_row_slots },
  { "payload", "payload bytes", bench_row_payload },
  { "element", "vyrefilter in a pipeline, 4 KiB buffers", bench_row_element },
  { "streams", "pipelines with vyrefilter side by side, 4 KiB buffers", bench_row_streams },
  { "frames", "builtin:frame-stats on 1080p I420", bench_row_frames },
  { "qc", "builtin:video-qc on I420, 1080p and 4K", bench_row_qc },
  { "compare", "builtin:compare on 1080p I420", bench_row_compare },
  { "audio", "builtin:audio-qc, and 256 channels", bench_row_audio },
  { "film", "vyre-qc on a film", bench_row_film },
  { "file", "files into pipelines", bench_row_file },
  { "import", "buffers in memory of others", bench_row_import },
  { "startup", "process start to first result", bench_row_startup },
  { "resources", "files of programs", bench_row_resources },
  { "live", "a small live stream", bench_row_live },
  { "ticks", "small live buffers, alone and beside floods", bench_row_ticks },
  { "crowd", "small live buffers of very many streams", bench_row_crowd },
  { "passing", "frames of 720p that go on, 30 a second", bench_row_passing },
  { "scope", "vyrescope, and results of builtin:scope", bench_row_scope },
  { "idle", "a kernel without work", bench_row_idle },
};

typedef struct {
  char *rows;
  char *json;
  char *residency;
  char *placement;
  char *cuda_peer;
  char *ffmpeg;
  gboolean quick;
  gboolean list;
  gboolean child;
} Options;

static gboolean
parse (Options *options, int *argc, char ***argv)
{
  const GOptionEntry entries[] = {
    { "rows", 0, 0, G_OPTION_ARG_STRING, &options->rows,
        "Rows to run: names or patterns, with commas between them", "PATTERN" },
    { "quick", 0, 0, G_OPTION_ARG_NONE, &options->quick, "Shorter and fewer rounds", NULL },
    { "json", 0, 0, G_OPTION_ARG_FILENAME, &options->json,
        "Write JSON too; with - to stdout, and the table to stderr", "FILE" },
    { "residency", 0, 0, G_OPTION_ARG_STRING, &options->residency,
        "auto, persistent, relay or dispatch", "NAME" },
    { "placement", 0, 0, G_OPTION_ARG_STRING, &options->placement,
        "Where payloads go; auto is the library's choice", "NAME" },
    { "cuda-peer", 0, 0, G_OPTION_ARG_FILENAME, &options->cuda_peer,
        "The CUDA peer, if it is not beside this program", "PATH" },
    { "ffmpeg", 0, 0, G_OPTION_ARG_FILENAME, &options->ffmpeg,
        "The peer that filters video, if it is not found as ffmpeg", "PATH" },
    { "list", 0, 0, G_OPTION_ARG_NONE, &options->list, "List the rows", NULL },
    { "child", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &options->child, "", NULL },
    { NULL },
  };
  GOptionContext *context = g_option_context_new ("- measure libvyre and vyrefilter");
  GError *error = NULL;

  g_option_context_add_main_entries (context, entries, NULL);
  gboolean fine = g_option_context_parse (context, argc, argv, &error);
  if (!fine)
    g_printerr ("%s\n", error->message);
  g_clear_error (&error);
  g_option_context_free (context);
  return fine;
}

static gboolean
find_residency (const char *name, VyreResidency *residency)
{
  for (VyreResidency r = VYRE_RESIDENCY_AUTO; r <= VYRE_RESIDENCY_DISPATCH; r++) {
    *residency = r;
    if (g_str_equal (name, vyre_residency_name (r)))
      return TRUE;
  }
  return FALSE;
}

static gboolean
is_wanted (const BenchRow *row, const char *patterns)
{
  g_auto (GStrv) list = g_strsplit (patterns, ",", -1);

  for (char **pattern = list; *pattern; pattern++) {
    if (g_pattern_match_simple (*pattern, row->name))
      return TRUE;
  }
  return FALSE;
}

static int
list_rows (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    printf ("%-10s %s\n", rows[i].name, rows[i].title);
  return 0;
}

/* The peer of most rows, made when it is first asked for. */
BenchKernel *
bench_dispatch (Bench *bench, BenchCheck *check)
{
  VyreMegakernelParams params = bench_kernel_params (VYRE_RESIDENCY_DISPATCH);
  GError *error = NULL;

  if (!bench->dispatch)
    bench->dispatch = bench_kernel_open (&params, bench->placement, &error);
  if (error)
    bench_check_error (check, error);
  return bench->dispatch;
}

/* A figure of the row that runs now. */
BenchFigure *
bench_figure (Bench *bench, const char *unit, const BenchSeries *ours, const char *format, ...)
{
  GPtrArray *results = bench->report->results;
  va_list list;

  va_start (list, format);
  char *name = g_strdup_vprintf (format, list);
  va_end (list);
  return bench_result_figure (g_ptr_array_index (results, results->len - 1), name, unit, ours);
}

static void
add_facts (Bench *bench)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *date = g_date_time_format_iso8601 (now);
  g_autofree char *placement = bench_placement_describe (bench->ours->kernel);
  BenchLink *link = bench_link_open (vyre_device_get_uuid (bench->ours->device), NULL);
  BenchReport *report = bench->report;

  bench_report_fact (report, "device", "%s", vyre_device_get_name (bench->ours->device));
  bench_report_fact (report, "driver", "%s", link ? bench_link_driver (link) : "unknown");
  bench_report_fact (report, "host cores", "%u", g_get_num_processors ());
  bench_report_fact (report, "date", "%s", date);
  bench_report_fact (report, "residency", "%s",
      vyre_residency_name (vyre_megakernel_get_residency (bench->ours->kernel)));
  bench_report_fact (report, "placement", "%s", placement);
  bench_report_fact (report, "verdict", "%s", vyre_megakernel_get_verdict (bench->ours->kernel));
  bench_report_fact (report, "CUDA peer", "%s", bench->cuda_peer ? "beside" : "none");
  bench_report_fact (report, "ffmpeg", "%s", bench->ffmpeg ? bench->ffmpeg : "none");
  bench_report_fact (
      report, "timing", "median of %u rounds of %.2f s", bench->rounds, bench->seconds);
  if (link)
    bench_link_close (link);
}

static char *
find_cuda_peer (const char *program, const char *given)
{
  g_autofree char *directory = g_path_get_dirname (program);
  g_autofree char *beside = g_build_filename (directory, "vyre-cuda-peer", NULL);
  const char *path = given ? given : beside;

  return g_file_test (path, G_FILE_TEST_IS_EXECUTABLE) ? g_strdup (path) : NULL;
}

static void
run_rows (Bench *bench, const char *patterns, FILE *table)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    if (!is_wanted (&rows[i], patterns))
      continue;
    BenchResult *result = bench_report_row (bench->report, rows[i].name, rows[i].title);
    gint64 start = bench_now ();
    rows[i].run (bench, &result->check);
    result->seconds = (double)(bench_now () - start) / 1e9;
    bench_table_row (result, table);
  }
}

static gboolean
write_json (const BenchReport *report, const char *path)
{
  g_autofree char *json = bench_json (report);
  GError *error = NULL;

  if (g_str_equal (path, "-")) {
    fputs (json, stdout);
    return fflush (stdout) == 0;
  }
  if (g_file_set_contents (path, json, -1, &error))
    return TRUE;
  g_printerr ("%s\n", error->message);
  g_error_free (error);
  return FALSE;
}

/* Makes the kernel and runs the rows; the exit status. */
static int
run (Bench *bench, const Options *options)
{
  VyreMegakernelParams params = bench_kernel_params (bench->residency);
  FILE *table = g_strcmp0 (options->json, "-") == 0 ? stderr : stdout;
  GError *error = NULL;

  bench->ours = bench_kernel_open (&params, bench->placement, &error);
  if (!bench->ours) {
    g_printerr ("%s\n", error->message);
    g_error_free (error);
    return 1;
  }
  add_facts (bench);
  bench_table_head (bench->report, table);
  run_rows (bench, options->rows ? options->rows : "*", table);
  gboolean fine = bench_report_passed (bench->report);
  if (options->json)
    fine = write_json (bench->report, options->json) && fine;
  if (bench->dispatch)
    bench_kernel_close (bench->dispatch);
  bench_kernel_close (bench->ours);
  return fine ? 0 : 1;
}

static void
clear (Options *options)
{
  g_free (options->rows);
  g_free (options->json);
  g_free (options->residency);
  g_free (options->placement);
  g_free (options->cuda_peer);
  g_free (options->ffmpeg);
}

/* As the options say, from the program's path on. */
static int
run_all (VyreResidency residency, const Options *options)
{
  Bench bench = {
    .residency = residency,
    .placement = options->placement,
    .quick = options->quick,
    .rounds = options->quick ? 3 : 5,
    .seconds = options->quick ? 0.08 : 0.25,
    .program = g_file_read_link ("/proc/self/exe", NULL),
    .report = bench_report_new (),
  };

  bench.cuda_peer = find_cuda_peer (bench.program, options->cuda_peer);
  bench.ffmpeg = g_find_program_in_path (options->ffmpeg ? options->ffmpeg : "ffmpeg");
  int status = run (&bench, options);
  bench_report_free (bench.report);
  g_free (bench.cuda_peer);
  g_free (bench.ffmpeg);
  g_free (bench.program);
  return status;
}

/* 0: all results were right, 1: some were not, 2: the options are wrong. */
static int
obey (const Options *options)
{
  VyreResidency residency;

  if (options->list)
    return list_rows ();
  if (!find_residency (options->residency, &residency)) {
    g_printerr ("there is no residency '%s'\n", options->residency);
    return 2;
  }
  if (!bench_placement_known (options->placement)) {
    g_printerr ("there is no placement '%s' here\n", options->placement);
    return 2;
  }
  if (options->child)
    return bench_startup_child (residency, options->placement);
  return run_all (residency, options);
}

static char *
or_default (char *given, const char *value)
{
  return given ? given : g_strdup (value && *value ? value : "auto");
}

int
main (int argc, char **argv)
{
  Options options = { 0 };
  int status = 2;

  if (parse (&options, &argc, &argv)) {
    options.residency = or_default (options.residency, g_getenv ("VYRE_TEST_RESIDENCY"));
    options.placement = or_default (options.placement, g_getenv ("VYRE_TEST_PLACEMENT"));
    status = obey (&options);
  }
  clear (&options);
  return status;
}
