/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Row film: vyre-qc on an encoded film, from its start to its end, beside ffprobe with the filters
 * of the same measures. Both print what they find in each frame.
 */
#include <math.h>
#include <string.h>
#include <sys/resource.h>

#include "bench.h"
#include "child.h"
#include "memory-file.h"

#include <gst/gst.h>

#define CHILD_SECONDS 120
#define FILM                                                                                       \
  "videotestsrc num-buffers=%u pattern=zone-plate kx2=10 ky2=10 kt=10 ! "                          \
  "video/x-raw,format=I420,width=1920,height=1080,framerate=30/1 ! "                               \
  "vp8enc deadline=1 cpu-used=8 threads=%u ! webmmux ! filesink location=%s"
#define FILTERS "signalstats=stat=tout+vrep+brng,blackdetect,freezedetect,scdet,cropdetect"

/* Both print the mean luma of a frame behind these. */
#define OUR_KEY "\"YAVG\":"
#define PEER_KEY "TAG:lavfi.signalstats.YAVG="

typedef struct {
  char *program; /* or NULL */
  const char *key;
  GPtrArray *arguments;
  BenchSeries seconds, cpu;
  GArray *means; /* of the run before: doubles */
} Reader;

typedef struct {
  BenchMemoryFile file;
  guint n_frames;
  Reader ours, peer;
} Film;

static gboolean
make_film (Film *film, BenchCheck *check)
{
  GError *error = NULL;

  if (!bench_memory_file_open (&film->file, check))
    return FALSE;
  g_autofree char *text
      = g_strdup_printf (FILM, film->n_frames, MIN (g_get_num_processors (), 16), film->file.path);
  GstElement *pipeline = gst_parse_launch (text, &error);
  if (!bench_check_error (check, error))
    return FALSE;
  GstBus *bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  GstMessage *message = gst_bus_timed_pop_filtered (
      bus, CHILD_SECONDS * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  gboolean fine = bench_check (check, message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS,
      "the film does not get made");
  gst_clear_message (&message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
  return fine;
}

static void
reader_init (Reader *reader, const char *name, const char *key)
{
  reader->program = g_find_program_in_path (name);
  reader->key = key;
  reader->arguments = g_ptr_array_new_with_free_func (g_free);
  reader->means = g_array_new (FALSE, FALSE, sizeof (double));
  g_ptr_array_add (reader->arguments, g_strdup (reader->program));
}

static void
reader_clear (Reader *reader)
{
  g_ptr_array_unref (reader->arguments);
  g_array_unref (reader->means);
  g_free (reader->program);
}

static void
add_arguments (Reader *reader, const char *const *arguments)
{
  for (; *arguments; arguments++)
    g_ptr_array_add (reader->arguments, g_strdup (*arguments));
  g_ptr_array_add (reader->arguments, NULL);
}

static void
init_readers (Film *film)
{
  g_autofree char *graph = g_strdup_printf ("movie=%s," FILTERS, film->file.path);

  reader_init (&film->ours, "vyre-qc", OUR_KEY);
  add_arguments (&film->ours, (const char *[]){ "--json=-", film->file.path, NULL });
  reader_init (&film->peer, "ffprobe", PEER_KEY);
  add_arguments (&film->peer, (const char *[]){ "-v", "error", "-f", "lavfi", "-i", graph,
                                  "-show_entries", "frame_tags", NULL });
}

static double
count_children_seconds (void)
{
  struct rusage usage;

  getrusage (RUSAGE_CHILDREN, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
         + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

/* The mean luma of each frame. */
static void
read_means (Reader *reader, const char *output)
{
  g_array_set_size (reader->means, 0);
  for (const char *at = output; (at = strstr (at, reader->key));) {
    at += strlen (reader->key);
    double mean = g_ascii_strtod (at, NULL);
    g_array_append_val (reader->means, mean);
  }
}

/* A status of 1 is that of a film with events. */
static gboolean
run (const Film *film, Reader *reader, BenchCheck *check)
{
  double cpu = count_children_seconds ();
  GError *error = NULL;
  BenchChild child;

  if (!bench_child_run (&child, (char **)reader->arguments->pdata, NULL, CHILD_SECONDS, &error))
    return bench_check_error (check, error);
  bench_series_add (&reader->seconds, (double)(bench_now () - child.started) / 1e9);
  bench_series_add (&reader->cpu, count_children_seconds () - cpu);
  read_means (reader, child.output);
  bench_check (check, child.status == 0 || child.status == 1, "%s ended with status %d",
      reader->program, child.status);
  gboolean fine = bench_check (check, reader->means->len == film->n_frames,
      "%s saw %u of %u frames", reader->program, reader->means->len, film->n_frames);
  bench_child_clear (&child);
  return fine;
}

/* Both print six digits. */
static void
compare (const Film *film, BenchCheck *check)
{
  for (guint i = 0; i < film->n_frames; i++) {
    double ours = g_array_index (film->ours.means, double, i);
    double peer = g_array_index (film->peer.means, double, i);
    bench_check (check, fabs (ours - peer) < 1e-3, "the mean luma of frame %u is %f, of ffprobe %f",
        i, ours, peer);
  }
}

static void
measure (Bench *bench, BenchCheck *check, Film *film)
{
  gboolean fine = run (film, &film->ours, check); /* with caches that may be empty */

  film->ours.seconds.n = film->ours.cpu.n = 0;
  for (guint round = 0; fine && round < bench->rounds; round++) {
    fine = run (film, &film->ours, check);
    if (!fine || !film->peer.program)
      continue;
    fine = run (film, &film->peer, check);
    if (fine)
      compare (film, check);
  }
}

void
bench_row_film (Bench *bench, BenchCheck *check)
{
  gboolean on_cpu = vyre_device_is_cpu (bench->ours->device);
  Film film = { .n_frames = on_cpu ? 30 : bench->quick ? 150 : 600 };

  gst_init (NULL, NULL);
  gboolean fine = make_film (&film, check);
  init_readers (&film);
  if (fine && bench_check (check, film.ours.program != NULL, "vyre-qc is not on PATH"))
    measure (bench, check, &film);
  BenchFigure *seconds
      = bench_figure (bench, "s", &film.ours.seconds, "%u frames of 1080p in VP8", film.n_frames);
  bench_figure_peer (seconds, "ffprobe", &film.peer.seconds);
  BenchFigure *cpu = bench_figure (bench, "CPU s", &film.ours.cpu, "the same");
  bench_figure_peer (cpu, "ffprobe", &film.peer.cpu);
  reader_clear (&film.ours);
  reader_clear (&film.peer);
  bench_memory_file_close (&film.file);
}
