/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ffmpeg.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "child.h"

#define CHILD_SECONDS 60
#define FEWEST_FRAMES 8

/* Close it also when this fails. */
gboolean
bench_raw_video_open (BenchRawVideo *video, guint width, guint height, guint8 *const *frames,
    guint n, gsize size, BenchCheck *check)
{
  gboolean fine = bench_memory_file_open (&video->file, check);

  video->width = width;
  video->height = height;
  for (guint i = 0; fine && i < n; i++)
    fine = bench_memory_file_write (&video->file, frames[i], size, check);
  return fine;
}

void
bench_raw_video_close (BenchRawVideo *video)
{
  bench_memory_file_close (&video->file);
}

/* ffmpeg tells its times where errors go, so a shell runs it; $0 is its path. */
static char *
make_command (const BenchFfmpeg *ffmpeg, const char *filters, guint n)
{
  GString *text = g_string_new ("exec \"$0\" -nostdin -hide_banner -nostats -benchmark");

  for (guint i = 0; i < G_N_ELEMENTS (ffmpeg->inputs) && ffmpeg->inputs[i]; i++) {
    const BenchRawVideo *video = ffmpeg->inputs[i];
    g_string_append_printf (text,
        " -f rawvideo -pixel_format yuv420p -video_size %ux%u -framerate 30 -stream_loop -1 -i %s",
        video->width, video->height, video->file.path);
  }
  g_string_append_printf (text,
      " -filter_complex_threads %u -filter_complex '%s' -frames:v %u -f null - 2>&1",
      ffmpeg->threads, filters, n);
  return g_string_free (text, FALSE);
}

/* All of @n frames came out. */
static gboolean
run (const BenchFfmpeg *ffmpeg, const char *filters, guint n, BenchChild *child, BenchCheck *check)
{
  g_autofree char *command = make_command (ffmpeg, filters, n);
  char *arguments[] = { "/bin/sh", "-c", command, (char *)ffmpeg->program, NULL };
  GError *error = NULL;

  if (!bench_child_run (child, arguments, NULL, CHILD_SECONDS, &error))
    return bench_check_error (check, error);
  return bench_check (check, child->status == 0 && bench_child_number (child, "frame=") == n,
      "ffmpeg ended with status %d and said: %s", child->status, child->output);
}

static BenchFlow
parse (const BenchChild *child, guint n, BenchCheck *check)
{
  const char *times = strstr (child->output, "bench: utime=");
  double user, system, elapsed;

  if (!bench_check (check,
          times
              && sscanf (times, "bench: utime=%lfs stime=%lfs rtime=%lfs", &user, &system, &elapsed)
                     == 3
              && elapsed > 0,
          "ffmpeg tells no times"))
    return (BenchFlow){ NAN, NAN };
  return (BenchFlow){ n / elapsed, (user + system) * 1e6 / n };
}

/* Runs over as many frames as take @seconds by the run before. The times that ffmpeg tells begin
 * when it has started. */
BenchFlow
bench_ffmpeg_measure (BenchFfmpeg *ffmpeg, double seconds, BenchCheck *check)
{
  guint n = MAX ((guint)(ffmpeg->rate * seconds), FEWEST_FRAMES);
  BenchFlow flow = { NAN, NAN };
  BenchChild child = { 0 };

  if (run (ffmpeg, ffmpeg->filters, n, &child, check))
    flow = parse (&child, n, check);
  bench_child_clear (&child);
  ffmpeg->rate = isnan (flow.rate) ? 0 : flow.rate;
  return flow;
}

/* Filters write a line KEY=VALUE for each value. */
static GArray *
find_values (const BenchMemoryFile *notes, const char *key)
{
  GArray *values = g_array_new (FALSE, FALSE, sizeof (double));
  g_autofree char *prefix = g_strconcat (key, "=", NULL);
  g_autofree char *text = NULL;

  if (!g_file_get_contents (notes->path, &text, NULL, NULL))
    return values;
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line; line++) {
    if (!g_str_has_prefix (*line, prefix))
      continue;
    double value = g_ascii_strtod (*line + strlen (prefix), NULL);
    g_array_append_val (values, value);
  }
  return values;
}

/* Lists the values that the filters give the first @n frames under the name @key: doubles. */
GArray *
bench_ffmpeg_list (BenchFfmpeg *ffmpeg, const char *key, guint n, BenchCheck *check)
{
  BenchMemoryFile notes;
  BenchChild child = { 0 };

  bench_memory_file_open (&notes, check);
  g_autofree char *filters
      = g_strdup_printf ("%s,metadata=mode=print:file=%s", ffmpeg->filters, notes.path);
  if (run (ffmpeg, filters, n, &child, check))
    ffmpeg->rate = parse (&child, n, check).rate;
  GArray *values = find_values (&notes, key);
  bench_check (
      check, values->len == n, "ffmpeg has %u values of %s for %u frames", values->len, key, n);
  bench_child_clear (&child);
  bench_memory_file_close (&notes);
  return values;
}
