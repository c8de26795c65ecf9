/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Channels of every raw audio format that GStreamer knows, interleaved and in planes, against the
 * samples that the format's own function unpacks.
 */
#include <gst/audio/audio.h>

#include "common.h"

#define CHANNELS 3
#define FRAMES 301
#define NAMES                                                                                      \
  "audio_stats channel0 -> c0; audio_stats channel1 -> c1; optional audio_stats channel2 -> c2;"   \
  "optional audio_stats channel3 -> c3"

typedef struct {
  gint64 count, min, max, peak, sum, clipped, crossings, full_scale;
  gdouble squares;
} Stats;

/* The level of a sample as its format's function unpacks it: 32 bits from the top, or a double. */
static gint64
unpacked_level (const GstAudioFormatInfo *format, const guint8 *sample)
{
  gint32 whole;
  gdouble real;

  if (GST_AUDIO_FORMAT_INFO_IS_INTEGER (format)) {
    format->unpack_func (format, GST_AUDIO_PACK_FLAG_NONE, &whole, sample, 1);
    return whole >> (32 - GST_AUDIO_FORMAT_INFO_DEPTH (format));
  }
  format->unpack_func (format, GST_AUDIO_PACK_FLAG_NONE, &real, sample, 1);
  /* rounded to a whole number, ties to even */
  return (gint64)(real * 16777216.0 + 6755399441055744.0 - 6755399441055744.0);
}

static void
stats_add (Stats *stats, gint64 level, gint64 most, gint64 before)
{
  stats->min = stats->count ? MIN (stats->min, level) : level;
  stats->max = stats->count ? MAX (stats->max, level) : level;
  stats->peak = MAX (stats->peak, ABS (level));
  stats->sum += level;
  stats->squares += (gdouble)level * (gdouble)level;
  stats->clipped += level >= most || level <= -stats->full_scale;
  stats->crossings += stats->count && (level < 0) != (before < 0);
  stats->count++;
}

/* The statistics of @n samples of @info, each @apart bytes behind the one before. */
static Stats
unpacked_stats (const GstAudioInfo *info, const guint8 *first, gsize apart, guint n)
{
  const GstAudioFormatInfo *format = info->finfo;
  gboolean is_integer = GST_AUDIO_FORMAT_INFO_IS_INTEGER (format);
  Stats stats
      = { .full_scale = (gint64)1 << (is_integer ? GST_AUDIO_FORMAT_INFO_DEPTH (format) - 1 : 24) };
  gint64 before = 0;

  for (guint i = 0; i < n; i++) {
    gint64 level = unpacked_level (format, first + i * apart);
    stats_add (&stats, level, stats.full_scale - is_integer, before);
    before = level;
  }
  return stats;
}

static gint64
field_i64 (const GstStructure *structure, const gchar *name)
{
  gint64 value = 0;

  fail_unless (gst_structure_get_int64 (structure, name, &value), "%s", name);
  return value;
}

static void
assert_channel (
    const GstStructure *results, const gchar *format, const gchar *name, const Stats *wanted)
{
  const GValue *value = gst_structure_get_value (results, name);

  fail_unless (value != NULL, "%s has no %s", format, name);
  const GstStructure *found = gst_value_get_structure (value);
  gdouble squares = (gdouble)field_u64 (found, "sum-squares")
                    + (gdouble)field_u64 (found, "sum-squares-high") * 18446744073709551616.0;
  gchar *text = gst_structure_to_string (found);
  fail_unless (field_u64 (found, "count") == (guint64)wanted->count
                   && field_i64 (found, "min") == wanted->min
                   && field_i64 (found, "max") == wanted->max
                   && field_u64 (found, "peak") == (guint64)wanted->peak
                   && field_i64 (found, "sum") == wanted->sum
                   && ABS (squares - wanted->squares) <= wanted->squares * 1e-9
                   && field_u64 (found, "clipped") == (guint64)wanted->clipped
                   && field_u64 (found, "zero-crossings") == (guint64)wanted->crossings
                   && field_u64 (found, "nans") == 0
                   && field_u64 (found, "full-scale") == (guint64)wanted->full_scale,
      "%s %s: %s; expected %" G_GINT64_FORMAT " samples from %" G_GINT64_FORMAT
      " to %" G_GINT64_FORMAT ", sum %" G_GINT64_FORMAT,
      format, name, text, wanted->count, wanted->min, wanted->max, wanted->sum);
  g_free (text);
}

/* Noise; floats in it are of ordinary size. */
static guint8 *
audio_noise (const GstAudioInfo *info, guint samples)
{
  gsize bytes = (gsize)GST_AUDIO_INFO_WIDTH (info) / 8;
  guint8 *data = noise_new (bytes * samples, 7);
  gboolean is_big = GST_AUDIO_FORMAT_INFO_ENDIANNESS (info->finfo) == G_BIG_ENDIAN;

  for (gsize i = 0; GST_AUDIO_FORMAT_INFO_IS_FLOAT (info->finfo) && i < samples; i++) {
    guint8 *top = data + i * bytes + (is_big ? 0 : bytes - 1);
    *top = (guint8)((*top & 0x80) | 0x3F); /* 2^-1 or less, to 2^1 */
  }
  return data;
}

/* Asserts what the last message says of a payload: channel c starts at @offset[c]. */
static void
check_payload (GstHarness *h, const GstAudioInfo *info, const guint8 *data, GstBuffer *buffer,
    const gsize *offset, gsize apart, guint frames)
{
  static const gchar *const names[] = { "c0", "c1", "c2", "c3" };

  gst_buffer_unref (filter_run (h, buffer));
  GstMessage *message = bus_wait_element (h, "vyre-results");
  const GstStructure *results = gst_message_get_structure (message);
  for (guint c = 0; c < CHANNELS; c++) {
    Stats wanted = unpacked_stats (info, data + offset[c], apart, frames);
    assert_channel (results, GST_AUDIO_INFO_NAME (info), names[c], &wanted);
  }
  fail_if (gst_structure_has_field (results, names[CHANNELS]));
  gst_message_unref (message);
}

static void
start_audio (GstHarness *h, const gchar *format, const gchar *layout)
{
  gchar *caps = g_strdup_printf ("audio/x-raw,format=%s,layout=%s,rate=48000,channels=%d,"
                                 "channel-mask=(bitmask)0",
      format, layout, CHANNELS);

  filter_start (h, caps);
  g_free (caps);
}

/* Buffers of several sizes, one with a part of a frame at its end. */
static void
check_interleaved (GstHarness *h, const GstAudioInfo *info)
{
  gsize bytes = (gsize)GST_AUDIO_INFO_WIDTH (info) / 8, frame = CHANNELS * bytes;
  gsize offset[CHANNELS] = { 0, bytes, 2 * bytes };
  guint8 *data = audio_noise (info, CHANNELS * FRAMES);

  start_audio (h, GST_AUDIO_INFO_NAME (info), "interleaved");
  check_payload (h, info, data, buffer_of (data, FRAMES * frame), offset, frame, FRAMES);
  check_payload (h, info, data, buffer_of (data, FRAMES * frame - 1), offset, frame, FRAMES - 1);
  check_payload (h, info, data, buffer_of (data, frame), offset, frame, 1);
  g_free (data);
}

/* Planes side by side, and in the places that a GstAudioMeta says. */
static void
check_planes (GstHarness *h, const GstAudioInfo *info)
{
  gsize bytes = (gsize)GST_AUDIO_INFO_WIDTH (info) / 8, plane = FRAMES * bytes;
  gsize size = CHANNELS * plane;
  gsize offset[CHANNELS] = { 0, plane, 2 * plane };
  gsize moved[CHANNELS] = { 2 * plane + bytes, bytes, plane };
  guint8 *data = audio_noise (info, CHANNELS * FRAMES);
  GstAudioInfo planes = *info;

  start_audio (h, GST_AUDIO_INFO_NAME (info), "non-interleaved");
  check_payload (h, info, data, buffer_of (data, size), offset, bytes, FRAMES);
  GstBuffer *buffer = buffer_of (data, size);
  planes.layout = GST_AUDIO_LAYOUT_NON_INTERLEAVED;
  gst_buffer_add_audio_meta (buffer, &planes, FRAMES - 1, moved);
  check_payload (h, info, data, buffer, moved, bytes, FRAMES - 1);
  g_free (data);
}

GST_START_TEST (channels_have_each_sample_once)
{
  GEnumClass *klass = g_type_class_ref (GST_TYPE_AUDIO_FORMAT);
  GstHarness *h = filter_new_with (NAMES, "results-interval", (guint64)0, NULL);
  guint n = 0;

  for (guint i = 0; i < klass->n_values; i++) {
    GstAudioFormat format = (GstAudioFormat)klass->values[i].value;
    GstAudioInfo info;
    if (format <= GST_AUDIO_FORMAT_ENCODED || gst_audio_format_get_info (format)->width > 32)
      continue;
    gst_audio_info_init (&info);
    gst_audio_info_set_format (&info, format, 48000, CHANNELS, NULL);
    check_interleaved (h, &info);
    check_planes (h, &info);
    n++;
  }
  fail_unless (n >= 28, "%u formats", n);
  filter_finish (h);
  g_type_class_unref (klass);
}
GST_END_TEST;

/* The built-in program has the channels that there are, up to eight. */
GST_START_TEST (builtin_has_the_first_channels)
{
  static const gint channels[] = { 1, 2, 9 };
  guint8 *data = noise_new (9 * 2 * 10, 3);

  for (guint i = 0; i < G_N_ELEMENTS (channels); i++) {
    GstHarness *h = filter_new_with ("builtin:audio-qc", "results-interval", (guint64)0, NULL);
    gchar *caps = g_strdup_printf ("audio/x-raw,format=S16BE,layout=interleaved,rate=8000,"
                                   "channels=%d,channel-mask=(bitmask)0",
        channels[i]);
    filter_start (h, caps);
    gst_buffer_unref (filter_run (h, buffer_of (data, (gsize)channels[i] * 2 * 10)));
    GstMessage *message = bus_wait_element (h, "vyre-results");
    const GstStructure *results = gst_message_get_structure (message);
    for (gint c = 0; c < 10; c++) {
      gchar *name = g_strdup_printf ("channel-%d", c);
      const GValue *value = gst_structure_get_value (results, name);
      fail_unless_equals_int (value != NULL, c < MIN (channels[i], 8));
      if (value)
        fail_unless_equals_uint64 (field_u64 (gst_value_get_structure (value), "count"), 10);
      g_free (name);
    }
    gst_message_unref (message);
    g_free (caps);
    filter_finish (h);
  }
  g_free (data);
}
GST_END_TEST;

/* Runs a program on a buffer of silence, with planes as @meta_samples and @meta_channels say unless
 * those are 0, and waits for its error. */
static void
check_error (const gchar *program, const gchar *caps, guint meta_channels, gsize meta_samples,
    const gchar *part)
{
  GstHarness *h = filter_new_with (program, "results-interval", (guint64)0, NULL);
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 64, NULL);
  gsize offsets[] = { 0, 32 };
  GstAudioInfo info;

  gst_buffer_memset (buffer, 0, 0, 64);
  if (meta_channels > 0) {
    gst_audio_info_init (&info);
    gst_audio_info_set_format (&info, GST_AUDIO_FORMAT_S16LE, 48000, (gint)meta_channels, NULL);
    info.layout = GST_AUDIO_LAYOUT_NON_INTERLEAVED;
    gst_buffer_add_audio_meta (buffer, &info, 4, offsets);
    gst_buffer_get_audio_meta (buffer)->samples = meta_samples;
  }
  filter_start (h, caps);
  gst_harness_push (h, buffer);
  bus_assert_error (h, part);
  filter_finish (h);
}

GST_START_TEST (errors_say_what_to_do)
{
  static const gchar planes[]
      = "audio/x-raw,format=S16LE,layout=non-interleaved,rate=48000,channels=2";

  check_error (NAMES, "audio/x-raw,format=S16LE,layout=interleaved,rate=48000,channels=1", 0, 0,
      "'channel1' is not defined for this stream of S16LE audio. Fix: feed raw audio");
  check_error (NAMES, "audio/x-raw,format=F64LE,layout=interleaved,rate=48000,channels=2", 0, 0,
      "'channel0' is not defined for this stream of F64LE audio");
  check_error ("builtin:audio-qc", "application/x-data", 0, 0, "'channel0' is not defined");
  check_error (NAMES, planes, 1, 4, "GstAudioMeta has 1 channels, its caps have 2 in planes");
  check_error (NAMES, planes, 2, 17, "Channel 1 of a buffer, 17 samples at offset 32");
  check_error (NAMES, planes, 2, G_MAXSIZE, "does not lie in the buffer's 64 bytes");
}
GST_END_TEST;

static Suite *
channels_suite (void)
{
  Suite *s = suite_create ("channels");
  TCase *tc = tcase_create ("channels");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, channels_have_each_sample_once);
  tcase_add_test (tc, builtin_has_the_first_channels);
  tcase_add_test (tc, errors_say_what_to_do);
  return s;
}

GST_CHECK_MAIN (channels);
