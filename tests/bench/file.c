/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Row file: vyresrc reading a file, into ordinary memory and into staging memory in front of
 * vyrefilter, beside filesrc in the same places and fio.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "fio.h"
#include "payload.h"
#include "pipe.h"

/* As vyresrc has them unless told otherwise. */
#define BLOCKSIZE (1 << 20)
#define DEPTH 8

/* Whole blocks. */
#define NOISE ((gsize)1 << 20)

/* Sources take turns in reading the file; a peer of another kind is fio. */
typedef struct {
  const char *source; /* NULL: fio */
  const char *how;
  gboolean direct;
  gboolean filtered;
} Way;

static const Way ways[] = {
  { "vyresrc", "cached", FALSE, FALSE },
  { "filesrc", "cached", FALSE, FALSE },
  { "vyresrc", "cached, into vyrefilter", FALSE, TRUE },
  { "filesrc", "cached, into vyrefilter", FALSE, TRUE },
  { NULL, "cached", FALSE, FALSE },
  { "vyresrc", "O_DIRECT", TRUE, FALSE },
  { "vyresrc", "O_DIRECT, into vyrefilter", TRUE, TRUE },
  { NULL, "O_DIRECT", TRUE, FALSE },
};

typedef struct {
  char *path;
  gsize size;
  guint8 *noise; /* the file, again and again */
  GstElement *pipelines[G_N_ELEMENTS (ways)];
  BenchSeries rate[G_N_ELEMENTS (ways)]; /* GB/s */
  BenchSeries cpu[G_N_ELEMENTS (ways)];  /* ms per GB */
} FileRow;

static gboolean
make_file (FileRow *row, BenchCheck *check)
{
  gsize written = 0;

  row->path = g_build_filename (g_get_tmp_dir (), "vyre-bench-XXXXXX", NULL);
  row->noise = g_malloc (NOISE);
  bench_noise (row->noise, NOISE, 1, 0, 255);
  int fd = g_mkstemp (row->path);
  while (fd >= 0 && written < row->size && write (fd, row->noise, NOISE) == (gssize)NOISE)
    written += NOISE;
  gboolean fine = fd >= 0 && fsync (fd) == 0 && written == row->size;
  bench_check (check, fine, "%s: %s", row->path, g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return fine;
}

static gboolean
open_way (Bench *bench, BenchCheck *check, FileRow *row, guint i)
{
  const Way *way = &ways[i];
  GError *error = NULL;
  g_autofree char *filter
      = bench_pipe_filter ("nop", vyre_residency_name (bench->residency), bench->placement);
  g_autofree char *text = g_strdup_printf (
      "%s name=source location=%s blocksize=%d ! %s ! fakesink name=sink sync=false", way->source,
      row->path, BLOCKSIZE, way->filtered ? filter : "identity");

  row->pipelines[i] = gst_parse_launch (text, &error);
  if (!bench_check_error (check, error))
    return FALSE;
  if (g_str_equal (way->source, "vyresrc")) {
    GstElement *source = gst_bin_get_by_name (GST_BIN (row->pipelines[i]), "source");
    g_object_set (source, "queue-depth", DEPTH, NULL);
    gst_util_set_object_arg (G_OBJECT (source), "direct-io", way->direct ? "always" : "never");
    gst_object_unref (source);
  }
  gst_element_set_state (row->pipelines[i], GST_STATE_READY); /* kernels stay open from here on */
  return TRUE;
}

/* All of the file was read, the way it was to be. */
static void
check_reads (BenchCheck *check, const FileRow *row, guint i)
{
  GstElement *source = gst_bin_get_by_name (GST_BIN (row->pipelines[i]), "source");
  GstStructure *reads = NULL;
  guint64 bytes = 0, direct = 0;

  g_object_get (source, "stats", &reads, NULL);
  gst_structure_get_uint64 (reads, "bytes-completed", &bytes);
  gst_structure_get_uint64 (reads, "direct-reads", &direct);
  bench_check (
      check, bytes == row->size, "%" G_GUINT64_FORMAT " of %zu bytes were read", bytes, row->size);
  bench_check (check, direct == (ways[i].direct ? row->size / BLOCKSIZE : 0),
      "%" G_GUINT64_FORMAT " reads were direct", direct);
  gst_structure_free (reads);
  gst_object_unref (source);
}

/* Up to the end, or an error. */
static gboolean
play (BenchCheck *check, GstElement *pipeline)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  GError *error = NULL;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  GstMessage *message = gst_bus_timed_pop_filtered (
      bus, BENCH_DEADLINE * GST_USECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  gboolean fine = bench_check (check, message != NULL, "a file does not end");
  if (message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error (message, &error, NULL);
    fine = bench_check_error (check, error);
  }
  gst_clear_message (&message);
  gst_bus_set_flushing (bus, TRUE);
  gst_bus_set_flushing (bus, FALSE);
  gst_object_unref (bus);
  return fine;
}

static void
measure_pipeline (BenchCheck *check, FileRow *row, guint i)
{
  GstElement *pipeline = row->pipelines[i];
  double gigabytes = (double)row->size * 1e-9, cpu = bench_cpu_seconds ();
  gint64 start = bench_now ();

  if (play (check, pipeline)) {
    bench_series_add (&row->rate[i], gigabytes * 1e9 / (double)(bench_now () - start));
    bench_series_add (&row->cpu[i], (bench_cpu_seconds () - cpu) * 1000 / gigabytes);
    if (g_str_equal (ways[i].source, "vyresrc"))
      check_reads (check, row, i);
  }
  gst_element_set_state (pipeline, GST_STATE_READY);
}

static void
measure_fio (BenchCheck *check, FileRow *row, guint i)
{
  BenchFioResult result = bench_fio_read (check, row->path, BLOCKSIZE, DEPTH, ways[i].direct);

  bench_series_add (&row->rate[i], result.rate * 1e-9);
  bench_series_add (&row->cpu[i], result.cpu * 1e12);
}

typedef struct {
  const FileRow *row;
  BenchCheck *check;
  guint64 at;
} Comparison;

static void
compare (GstElement *sink, GstBuffer *buffer, GstPad *pad, Comparison *comparison)
{
  guint64 at = comparison->at;

  bench_check (comparison->check,
      gst_buffer_memcmp (
          buffer, 0, comparison->row->noise + at % NOISE, gst_buffer_get_size (buffer))
          == 0,
      "wrong bytes from %" G_GUINT64_FORMAT " on", at);
  comparison->at += gst_buffer_get_size (buffer);
}

/* Each byte that a source alone delivers, before the first round, which it warms up for. */
static void
compare_all (BenchCheck *check, const FileRow *row, guint i)
{
  GstElement *sink = gst_bin_get_by_name (GST_BIN (row->pipelines[i]), "sink");
  Comparison comparison = { row, check, 0 };

  g_object_set (sink, "signal-handoffs", TRUE, NULL);
  gulong handler = g_signal_connect (sink, "handoff", G_CALLBACK (compare), &comparison);
  play (check, row->pipelines[i]);
  gst_element_set_state (row->pipelines[i], GST_STATE_READY);
  g_signal_handler_disconnect (sink, handler);
  g_object_set (sink, "signal-handoffs", FALSE, NULL);
  bench_check (check, comparison.at == row->size, "%" G_GUINT64_FORMAT " of %zu bytes came out",
      comparison.at, row->size);
  gst_object_unref (sink);
}

static void
measure (Bench *bench, BenchCheck *check, FileRow *row)
{
  gboolean fio = bench_fio_found ();

  for (guint i = 0; i < G_N_ELEMENTS (ways) && check->failed == 0; i++) {
    if (ways[i].source && !ways[i].filtered)
      compare_all (check, row, i);
  }
  for (guint round = 0; round < bench->rounds; round++) {
    for (guint i = 0; i < G_N_ELEMENTS (ways) && check->failed == 0; i++) {
      if (ways[i].source)
        measure_pipeline (check, row, i);
      else if (fio)
        measure_fio (check, row, i);
    }
  }
}

/* What reads the same way is a peer; fio, which fills no pipeline, of all that do. */
static void
add_peers (BenchFigure *figure, const BenchSeries *series, const Way *ours)
{
  for (guint i = 0; i < G_N_ELEMENTS (ways); i++) {
    const Way *way = &ways[i];
    if (way->direct != ours->direct || way == ours)
      continue;
    if (!way->source)
      bench_figure_peer (figure, "fio", &series[i]);
    else if (way->filtered == ours->filtered)
      bench_figure_peer (figure, way->source, &series[i]);
  }
  if (!bench_fio_found ())
    bench_figure_note (figure, "fio is not installed");
}

static void
report (Bench *bench, const FileRow *row, const char *unit, const BenchSeries *series)
{
  for (guint i = 0; i < G_N_ELEMENTS (ways); i++) {
    if (g_strcmp0 (ways[i].source, "vyresrc") == 0)
      add_peers (bench_figure (bench, unit, &series[i], "%s", ways[i].how), series, &ways[i]);
  }
}

void
bench_row_file (Bench *bench, BenchCheck *check)
{
  FileRow row = { .size = (gsize)(bench->quick ? 256 : 1024) << 20 };

  gst_init (NULL, NULL);
  gboolean fine = make_file (&row, check);
  for (guint i = 0; fine && i < G_N_ELEMENTS (ways); i++)
    fine = !ways[i].source || open_way (bench, check, &row, i);
  if (fine)
    measure (bench, check, &row);
  report (bench, &row, "GB/s", row.rate);
  report (bench, &row, "CPU ms/GB", row.cpu);
  for (guint i = 0; i < G_N_ELEMENTS (ways); i++) {
    if (row.pipelines[i])
      gst_element_set_state (row.pipelines[i], GST_STATE_NULL);
    gst_clear_object (&row.pipelines[i]);
  }
  unlink (row.path);
  g_free (row.path);
  g_free (row.noise);
}
