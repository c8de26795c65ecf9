/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Row audio: builtin:audio-qc, and the statistics of 256 channels, on sound that upstream wrote
 * into the element's memory, beside GStreamer's level on the same buffers.
 */
#include <math.h>
#include <string.h>

#include "bench.h"
#include "oracle.h"
#include "pipe.h"

#define RATE 48000
#define FRAMES 4800 /* of a buffer: 100 ms, as of a message of level */
#define SECONDS ((double)FRAMES / RATE)
#define POOL 8
#define IN_FLIGHT 8
#define QUEUED 4
#define FULL_SCALE (1 << 24) /* of floats */

typedef guint32 ChannelStats[VYRE_AUDIO_STATS_WORDS];

typedef struct {
  guint channels;
  gsize size;
  float *contents[POOL];
  ChannelStats *stats[POOL]; /* of each channel, as they are read back */
  BenchPipe ours, peer;
  BenchSeries rate, cpu, peer_rate, peer_cpu;
  guint64 heard;
} Audio;

static void
put (ChannelStats words, guint at, guint64 value)
{
  words[at] = GUINT32_TO_LE ((guint32)value);
}

/* Counts every @channels-th sample as AUDIO_STATS does. */
static void
count_channel (ChannelStats words, const float *samples, guint channels)
{
  gint64 least = G_MAXINT64, most = G_MININT64, sum = 0;
  guint64 squares = 0; /* of fewer samples than it has room for */
  guint crossings = 0;

  for (guint i = 0; i < FRAMES; i++) {
    gint64 level = llrint ((double)samples[(gsize)i * channels] * FULL_SCALE);
    least = MIN (least, level);
    most = MAX (most, level);
    sum += level;
    squares += (guint64)(level * level);
    crossings += i > 0 && (level < 0) != (samples[(gsize)(i - 1) * channels] < 0);
  }
  put (words, VYRE_AUDIO_STATS_COUNT, FRAMES);
  put (words, VYRE_AUDIO_STATS_MIN, (guint64)least);
  put (words, VYRE_AUDIO_STATS_MAX, (guint64)most);
  put (words, VYRE_AUDIO_STATS_PEAK, (guint64)MAX (-least, most));
  put (words, VYRE_AUDIO_STATS_SUM, (guint64)sum);
  put (words, VYRE_AUDIO_STATS_SUM + 1, (guint64)sum >> 32);
  put (words, VYRE_AUDIO_STATS_SUM_SQUARES, squares);
  put (words, VYRE_AUDIO_STATS_SUM_SQUARES + 1, squares >> 32);
  put (words, VYRE_AUDIO_STATS_CROSSINGS, crossings);
  put (words, VYRE_AUDIO_STATS_FULL_SCALE, FULL_SCALE);
}

/* Noise of 16 bits that no channel has as loud as the next one. */
static void
make_buffer (Audio *audio, guint index)
{
  guint n = FRAMES * audio->channels;
  g_autofree guint8 *noise = g_malloc (n * sizeof (gint16));

  bench_noise (noise, n * sizeof (gint16), index + 1, 0, 255);
  audio->contents[index] = g_new (float, n);
  audio->stats[index] = g_new0 (ChannelStats, audio->channels);
  for (guint i = 0; i < n; i++) {
    float sample = (float)((gint)(noise[2 * i] | noise[2 * i + 1] << 8) - 32768) / 32768;
    audio->contents[index][i] = sample / (float)(2 + i % audio->channels);
  }
  for (guint c = 0; c < audio->channels; c++)
    count_channel (audio->stats[index][c], audio->contents[index] + c, audio->channels);
}

/* Results in the order of the channels. */
static gboolean
is_right (const BenchPipe *pipe, GstBuffer *buffer, guint64 index)
{
  const Audio *audio = pipe->data;
  GstMemory *memory = gst_buffer_peek_memory (buffer, 0);
  gsize size = audio->channels * sizeof (ChannelStats);
  GstMapInfo map;

  if (!gst_memory_map (memory, &map, GST_MAP_READ))
    return FALSE;
  const guint8 *words = map.data + 4 * VYRE_CONTROL_OBSERVABLES;
  gboolean fine = vyre_read_word (map.data, VYRE_CONTROL_OBSERVABLES) == (guint32)(index + 1)
                  && map.size >= 4 * (VYRE_CONTROL_OBSERVABLES + 1) + size
                  && memcmp (words + 4, audio->stats[index % POOL], size) == 0;
  gst_memory_unmap (memory, &map);
  return fine;
}

static gboolean
is_buffer (const BenchPipe *pipe, GstBuffer *buffer, guint64 index)
{
  const Audio *audio = pipe->data;

  return gst_buffer_get_size (buffer) == audio->size;
}

static double
get_level (const GstStructure *structure, const char *field, guint channel)
{
  const GValue *value = gst_structure_get_value (structure, field);
  const GValueArray *array = g_value_get_boxed (value);

  return channel < array->n_values ? g_value_get_double (&array->values[channel]) : NAN;
}

/* level's peak and RMS of each buffer, in dB, are held against the same oracle. */
static void
hear_levels (BenchPipe *pipe, GstMessage *message)
{
  const GstStructure *structure = gst_message_get_structure (message);
  Audio *audio = pipe->data;

  if (!structure || !gst_structure_has_name (structure, "level"))
    return;
  const ChannelStats *stats = audio->stats[audio->heard++ % POOL];
  for (guint c = 0; c < audio->channels; c++) {
    const guint8 *words = (const guint8 *)stats[c];
    double peak = vyre_read_word (words, VYRE_AUDIO_STATS_PEAK), full = FULL_SCALE;
    double squares = (double)vyre_read_word_pair (words, VYRE_AUDIO_STATS_SUM_SQUARES);
    double wrong = fabs (get_level (structure, "peak", c) - 20 * log10 (peak / full));
    wrong += fabs (get_level (structure, "rms", c) - 10 * log10 (squares / FRAMES / full / full));
    bench_check (pipe->check, wrong < 1e-3, "level is %f dB off in channel %u", wrong, c);
  }
}

static gboolean
open_pipe (Audio *audio, BenchPipe *pipe, const char *element, gboolean lent, BenchCheck *check)
{
  g_autofree char *caps = g_strdup_printf (
      "audio/x-raw,format=F32LE,rate=%d,channels=%u,layout=interleaved,channel-mask=(bitmask)0",
      RATE, audio->channels);

  *pipe = (BenchPipe){ .list = 1,
    .duration = (GstClockTime)(SECONDS * GST_SECOND),
    .is_right = lent ? is_right : is_buffer,
    .heard = lent ? NULL : hear_levels,
    .data = audio };
  if (!bench_pipe_open (pipe, element, caps, QUEUED * audio->size, check))
    return FALSE;
  bench_pipe_fill (pipe, (guint8 *const *)audio->contents, POOL, audio->size, lent);
  bench_pipe_feed (pipe, BENCH_WARM_UP);
  return check->failed == 0;
}

static gboolean
open_ours (Bench *bench, BenchCheck *check, Audio *audio, const char *program)
{
  g_autofree char *filter
      = bench_pipe_filter (program, vyre_residency_name (bench->residency), bench->placement);
  g_autofree char *text = g_strdup_printf ("%s max-in-flight=%d", filter, IN_FLIGHT);

  return open_pipe (audio, &audio->ours, text, TRUE, check);
}

/* FALSE also where the element is not installed. */
static gboolean
open_peer (BenchCheck *check, Audio *audio)
{
  GstElementFactory *factory = gst_element_factory_find ("level");

  if (!factory)
    return FALSE;
  gst_object_unref (factory);
  return open_pipe (audio, &audio->peer, "level", FALSE, check);
}

/* The series are per second of sound. */
static void
measure_pipe (BenchPipe *pipe, double seconds, BenchSeries *rate, BenchSeries *cpu)
{
  BenchFlow flow = bench_pipe_feed (pipe, seconds);

  bench_series_add (rate, flow.rate * SECONDS);
  bench_series_add (cpu, flow.cpu_us / 1000 / SECONDS);
}

static void
measure (Bench *bench, BenchCheck *check, Audio *audio)
{
  gboolean peer = open_peer (check, audio);

  for (guint round = 0; round < bench->rounds && check->failed == 0; round++) {
    measure_pipe (&audio->ours, bench->seconds, &audio->rate, &audio->cpu);
    if (!peer)
      continue;
    measure_pipe (&audio->peer, bench->seconds, &audio->peer_rate, &audio->peer_cpu);
    bench_check (check, audio->heard == audio->peer.pushed,
        "level reported %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " buffers", audio->heard,
        audio->peer.pushed);
  }
  bench_pipe_check_complete (&audio->ours);
}

static void
run_channels (
    Bench *bench, BenchCheck *check, guint channels, const char *program, const char *name)
{
  g_autofree Audio *audio = g_new0 (Audio, 1);

  audio->channels = channels;
  audio->size = FRAMES * channels * sizeof (float);
  for (guint i = 0; i < POOL; i++)
    make_buffer (audio, i);
  if (open_ours (bench, check, audio, program))
    measure (bench, check, audio);
  BenchFigure *rate = bench_figure (bench, "s/s", &audio->rate, "%s", name);
  bench_figure_peer (rate, "level", &audio->peer_rate);
  BenchFigure *cpu = bench_figure (bench, "CPU ms/s", &audio->cpu, "%s", name);
  bench_figure_peer (cpu, "level", &audio->peer_cpu);
  bench_pipe_close (&audio->ours);
  bench_pipe_close (&audio->peer);
  for (guint i = 0; i < POOL; i++) {
    g_free (audio->contents[i]);
    g_free (audio->stats[i]);
  }
}

void
bench_row_audio (Bench *bench, BenchCheck *check)
{
  g_autoptr (GString) all = g_string_new (NULL);

  gst_init (NULL, NULL);
  for (guint c = 0; c < VYRE_MAX_CHANNELS; c++)
    g_string_append_printf (all, "audio_stats channel%u -> c%u;", c, c);
  run_channels (bench, check, 8, "builtin:audio-qc", "builtin:audio-qc, 8 channels");
  run_channels (bench, check, VYRE_MAX_CHANNELS, all->str, "audio_stats of 256 channels");
}
