/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What vyrefilter computes, in messages and in readbacks, against plain C: for
 * payloads of any size, however they are cut into memories, and for video.
 */
#include "common.h"
#include "oracle.h"

#include <gst/video/video.h>

#define ALL_PROGRAM                                                                                \
  "u8_stats payload -> stats\n"                                                                    \
  "u8_histogram payload -> histogram\n"                                                            \
  "crc32 payload -> crc32\n"                                                                       \
  "u8_below payload, 17 -> dark\n"

/* Observables of ALL_PROGRAM, in the order of its text. */
enum { AT_STATS = 1, AT_HISTOGRAM = 8, AT_CRC32 = 264, AT_DARK = 265, N_OBSERVABLES = 266 };

static guint64
observable_pair (GstBuffer *readback, guint observable)
{
  return readback_observable (readback, observable)
         | (guint64)readback_observable (readback, observable + 1) << 32;
}

static void
check_stats_words (GstBuffer *readback, guint at, const OracleStats *expected)
{
  fail_unless_equals_int (readback_observable (readback, at), expected->count);
  fail_unless_equals_int (readback_observable (readback, at + 1), expected->min);
  fail_unless_equals_int (readback_observable (readback, at + 2), expected->max);
  fail_unless_equals_uint64 (observable_pair (readback, at + 3), expected->sum);
  fail_unless_equals_uint64 (observable_pair (readback, at + 5), expected->sum_squares);
}

static void
check_stats_field (const GstStructure *results, const gchar *name, const OracleStats *expected)
{
  GstStructure *stats = NULL;

  fail_unless (gst_structure_get (results, name, GST_TYPE_STRUCTURE, &stats, NULL),
      "no statistics '%s'", name);
  fail_unless_equals_uint64 (field_u64 (stats, "count"), expected->count);
  fail_unless_equals_uint64 (field_u64 (stats, "min"), expected->min);
  fail_unless_equals_uint64 (field_u64 (stats, "max"), expected->max);
  fail_unless_equals_uint64 (field_u64 (stats, "sum"), expected->sum);
  fail_unless_equals_uint64 (field_u64 (stats, "sum-squares"), expected->sum_squares);
  gst_structure_free (stats);
}

static void
check_histogram (GstBuffer *readback, const GstStructure *results, const guint8 *data, gsize size)
{
  guint32 bins[256];
  GstStructure *histogram = NULL;

  oracle_histogram (data, size, bins);
  fail_unless (gst_structure_get (results, "histogram", GST_TYPE_STRUCTURE, &histogram, NULL));
  fail_unless_equals_int (gst_structure_n_fields (histogram), 256);
  for (guint bin = 0; bin < 256; bin++) {
    gchar field[16];
    g_snprintf (field, sizeof field, "bin-%u", bin);
    fail_unless_equals_int (readback_observable (readback, AT_HISTOGRAM + bin), bins[bin]);
    fail_unless_equals_uint64 (field_u64 (histogram, field), bins[bin]);
  }
  gst_structure_free (histogram);
}

/* Runs one buffer and checks everything ALL_PROGRAM says of it. */
static void
check_payload (GstHarness *h, GstBuffer *buffer)
{
  gsize size = gst_buffer_get_size (buffer);
  guint8 *data = g_malloc (MAX (size, 1));
  OracleRegion whole = { 0, size, 1, size };

  fail_unless_equals_uint64 (gst_buffer_extract (buffer, 0, data, size), size);
  OracleStats stats = oracle_stats (data, &whole);
  GstBuffer *readback = filter_run (h, buffer);
  GstMessage *message = bus_wait_element (h, "vyre-results");
  const GstStructure *results = gst_message_get_structure (message);
  check_stats_words (readback, AT_STATS, &stats);
  check_stats_field (results, "stats", &stats);
  check_histogram (readback, results, data, size);
  fail_unless_equals_uint64 (readback_observable (readback, AT_CRC32), oracle_crc32 (data, size));
  fail_unless_equals_uint64 (field_u64 (results, "crc32"), oracle_crc32 (data, size));
  fail_unless_equals_int (readback_observable (readback, AT_DARK), oracle_below (data, &whole, 17));
  fail_unless_equals_uint64 (field_u64 (results, "dark"), oracle_below (data, &whole, 17));
  fail_unless_equals_uint64 (field_u64 (results, "payload-bytes"), size);
  gst_message_unref (message);
  gst_buffer_unref (readback);
  g_free (data);
}

static GstHarness *
new_all (void)
{
  return filter_new_with (ALL_PROGRAM, "results-interval", (guint64)0, NULL);
}

GST_START_TEST (results_of_every_size)
{
  static const gsize sizes[] = { 0, 1, 15, 16, 17, 4095, 4096, 4097, (1 << 20) + 3, 2, 0 };
  GstHarness *h = new_all ();

  filter_start (h, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    check_payload (h, noise_buffer (sizes[i], i));
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (extreme_bytes_do_not_overflow_the_sums)
{
  GstHarness *h = new_all ();

  filter_start (h, NULL);
  for (guint value = 0; value < 256; value += 255) {
    GstBuffer *buffer = gst_buffer_new_allocate (NULL, (1 << 20) + 3, NULL);
    gst_buffer_memset (buffer, 0, (guint8)value, (1 << 20) + 3);
    check_payload (h, buffer);
  }
  filter_finish (h);
}
GST_END_TEST;

static void
append_noise (GstBuffer *buffer, gsize prefix, gsize size, gsize suffix)
{
  gsize maxsize = prefix + size + suffix;
  guint8 *data = noise_new (maxsize, (guint32)maxsize);

  gst_buffer_append_memory (
      buffer, gst_memory_new_wrapped (0, data, maxsize, prefix, size, data, g_free));
}

GST_START_TEST (several_memories_are_one_payload)
{
  static const gsize sizes[] = { 1, 15, 4096, 3, 1000, 16, 5000, 7 };
  GstHarness *h = new_all ();
  GstBuffer *buffer = gst_buffer_new ();

  filter_start (h, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    append_noise (buffer, 0, sizes[i], 0);
  fail_unless_equals_int (gst_buffer_n_memory (buffer), G_N_ELEMENTS (sizes));
  check_payload (h, buffer);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (memory_offsets_and_sizes_are_kept)
{
  GstHarness *h = new_all ();
  GstBuffer *one = gst_buffer_new (), *three = gst_buffer_new ();

  filter_start (h, NULL);
  append_noise (one, 13, 1001, 77);
  check_payload (h, one);
  append_noise (three, 16, 64, 16);
  append_noise (three, 1, 33, 0);
  append_noise (three, 0, 10, 4096);
  check_payload (h, three);
  GstBuffer *whole = noise_buffer (5000, 3);
  check_payload (h, gst_buffer_copy_region (whole, GST_BUFFER_COPY_ALL, 123, 4321));
  gst_buffer_unref (whole);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (a_buffer_without_memories_is_an_empty_payload)
{
  GstHarness *h = new_all ();

  filter_start (h, NULL);
  check_payload (h, gst_buffer_new ());
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (a_filter_behind_a_filter_reads_its_readbacks)
{
  GstHarness *h = filter_new ("crc32 payload -> crc32");
  GstHarness *second = new_all ();

  filter_start (h, NULL);
  filter_start (second, NULL);
  for (guint i = 0; i < 4; i++)
    check_payload (second, filter_run (h, noise_buffer (100 * i, i)));
  filter_finish (h);
  filter_finish (second);
}
GST_END_TEST;

/* ---- video ------------------------------------------------------------- */

static const struct {
  const gchar *format;
  gint width;
  gint height;
} pictures[] = {
  { "I420", 33, 17 },
  { "I420", 1, 1 },
  { "I420", 323, 241 },
  { "YV12", 35, 9 },
  { "Y444", 31, 6 },
  { "NV12", 33, 17 },
  { "NV12", 322, 7 },
  { "GRAY8", 31, 5 },
  { "GRAY8", 1, 3 },
};

static OracleRegion
component_region (const GstVideoInfo *info, guint component)
{
  return (OracleRegion){
    .offset = GST_VIDEO_INFO_COMP_OFFSET (info, component),
    .width = GST_VIDEO_INFO_COMP_WIDTH (info, component),
    .rows = GST_VIDEO_INFO_COMP_HEIGHT (info, component),
    .stride = GST_VIDEO_INFO_COMP_STRIDE (info, component),
  };
}

/* The samples of a component side by side; free with g_free(). */
static guint8 *
component_samples (const GstVideoInfo *info, guint component, const guint8 *data)
{
  OracleRegion r = component_region (info, component);
  gsize apart = (gsize)GST_VIDEO_INFO_COMP_PSTRIDE (info, component);
  guint8 *samples = g_malloc ((gsize)r.width * r.rows);

  for (gsize i = 0; i < (gsize)r.width * r.rows; i++)
    samples[i] = data[r.offset + i / r.width * r.stride + i % r.width * apart];
  return samples;
}

static void
check_frame (const GstStructure *results, const GstVideoInfo *info, const guint8 *data)
{
  static const gchar *const names[] = { "luma", "u", "v" };
  OracleRegion luma = component_region (info, 0);

  for (guint c = 0; c < 3; c++) {
    gboolean exists = c < GST_VIDEO_INFO_N_COMPONENTS (info);
    fail_unless_equals_int (gst_structure_has_field (results, names[c]), exists);
    if (!exists)
      continue;
    OracleRegion region = component_region (info, c);
    guint8 *samples = component_samples (info, c, data);
    OracleStats stats
        = oracle_stats (samples, &(OracleRegion){ 0, region.width, region.rows, region.width });
    check_stats_field (results, names[c], &stats);
    g_free (samples);
  }
  fail_unless_equals_uint64 (field_u64 (results, "black"), oracle_below (data, &luma, 17));
}

GST_START_TEST (frame_statistics_leave_the_padding_out)
{
  GstVideoInfo info;
  gint width = pictures[__i__].width, height = pictures[__i__].height;
  GstHarness *h = filter_new_with ("builtin:frame-stats", "results-interval", (guint64)0, NULL);
  gchar *caps = g_strdup_printf ("video/x-raw,format=%s,width=%d,height=%d,framerate=25/1",
      pictures[__i__].format, width, height);

  gst_video_info_set_format (
      &info, gst_video_format_from_string (pictures[__i__].format), width, height);
  guint8 *data = noise_new (GST_VIDEO_INFO_SIZE (&info), 7);
  filter_start (h, caps);
  gst_buffer_unref (filter_run (h, buffer_of (data, GST_VIDEO_INFO_SIZE (&info))));
  GstMessage *message = bus_wait_element (h, "vyre-results");
  check_frame (gst_message_get_structure (message), &info, data);
  gst_message_unref (message);
  g_free (data);
  g_free (caps);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (an_interleaved_plane_has_all_its_bytes)
{
  GstHarness *h
      = filter_new_with ("u8_stats plane1 -> chroma", "results-interval", (guint64)0, NULL);
  GstVideoInfo info;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_NV12, 33, 17);
  guint8 *data = noise_new (GST_VIDEO_INFO_SIZE (&info), 3);
  filter_start (h, "video/x-raw,format=NV12,width=33,height=17,framerate=25/1");
  gst_buffer_unref (filter_run (h, buffer_of (data, GST_VIDEO_INFO_SIZE (&info))));
  OracleRegion plane = component_region (&info, 1);
  plane.width *= 2;
  OracleStats stats = oracle_stats (data, &plane);
  GstMessage *message = bus_wait_element (h, "vyre-results");
  check_stats_field (gst_message_get_structure (message), "chroma", &stats);
  gst_message_unref (message);
  g_free (data);
  filter_finish (h);
}
GST_END_TEST;

/* The filter tells upstream that it understands GstVideoMeta, so decoders send
 * planes with strides of their own. */
GST_START_TEST (planes_are_where_the_video_meta_says)
{
  GstHarness *h = filter_new_with ("builtin:frame-stats", "results-interval", (guint64)0, NULL);
  gsize offsets[GST_VIDEO_MAX_PLANES] = { 64, 64 + 48 * 17, 64 + 48 * 17 + 24 * 9 };
  gint strides[GST_VIDEO_MAX_PLANES] = { 48, 24, 24 };
  gsize size = offsets[2] + 24 * 9;
  guint8 *data = noise_new (size, 5);
  GstBuffer *buffer = buffer_of (data, size);

  gst_buffer_add_video_meta_full (buffer, 0, GST_VIDEO_FORMAT_I420, 33, 17, 3, offsets, strides);
  filter_start (h, "video/x-raw,format=I420,width=33,height=17,framerate=25/1");
  gst_buffer_unref (filter_run (h, buffer));
  GstMessage *message = bus_wait_element (h, "vyre-results");
  OracleRegion luma = { offsets[0], 33, 17, 48 }, u = { offsets[1], 17, 9, 24 };
  OracleStats stats = oracle_stats (data, &luma);
  check_stats_field (gst_message_get_structure (message), "luma", &stats);
  stats = oracle_stats (data, &u);
  check_stats_field (gst_message_get_structure (message), "u", &stats);
  gst_message_unref (message);
  g_free (data);
  filter_finish (h);
}
GST_END_TEST;

/* The next buffer may come without a meta: then it lies as the caps say. */
GST_START_TEST (without_a_video_meta_planes_are_where_the_caps_say)
{
  GstHarness *h = filter_new_with ("u8_stats luma -> luma", "results-interval", (guint64)0, NULL);
  gsize offsets[GST_VIDEO_MAX_PLANES] = { 100 };
  gint strides[GST_VIDEO_MAX_PLANES] = { 64 };
  GstBuffer *padded = noise_buffer (100 + 64 * 16, 3);
  guint8 *data = noise_new (32 * 16, 4);
  OracleRegion whole = { 0, 32, 16, 32 };

  gst_buffer_add_video_meta_full (padded, 0, GST_VIDEO_FORMAT_GRAY8, 32, 16, 1, offsets, strides);
  filter_start (h, "video/x-raw,format=GRAY8,width=32,height=16,framerate=25/1");
  gst_buffer_unref (filter_run (h, padded));
  gst_message_unref (bus_wait_element (h, "vyre-results"));
  gst_buffer_unref (filter_run (h, buffer_of (data, 32 * 16)));
  GstMessage *message = bus_wait_element (h, "vyre-results");
  OracleStats stats = oracle_stats (data, &whole);
  check_stats_field (gst_message_get_structure (message), "luma", &stats);
  gst_message_unref (message);
  g_free (data);
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (caps_features_that_are_metas_are_no_obstacle)
{
  GstHarness *h = filter_new ("builtin:frame-stats");

  filter_start (h,
      "video/x-raw(memory:SystemMemory,meta:GstVideoOverlayComposition),format=GRAY8,width=4,"
      "height=4,framerate=25/1");
  gst_buffer_unref (filter_run (h, noise_buffer (16, 1)));
  filter_finish (h);
}
GST_END_TEST;

GST_START_TEST (audio_symbols_have_their_values)
{
  GstHarness *h = filter_new_with ("store_u32 rate -> hz; store_u32 channels -> n\n"
                                   "store_u32 bits -> depth",
      "results-interval", (guint64)0, NULL);

  filter_start (h, "audio/x-raw,format=S24_32LE,rate=44100,channels=3,layout=interleaved,"
                   "channel-mask=(bitmask)0");
  gst_buffer_unref (filter_run (h, noise_buffer (120, 1)));
  GstMessage *message = bus_wait_element (h, "vyre-results");
  const GstStructure *results = gst_message_get_structure (message);
  fail_unless_equals_uint64 (field_u64 (results, "hz"), 44100);
  fail_unless_equals_uint64 (field_u64 (results, "n"), 3);
  fail_unless_equals_uint64 (field_u64 (results, "depth"), 24);
  gst_message_unref (message);
  filter_finish (h);
}
GST_END_TEST;

static Suite *
results_suite (void)
{
  Suite *s = suite_create ("results");
  TCase *payload = tcase_create ("payload"), *media = tcase_create ("media");

  suite_add_tcase (s, payload);
  tcase_add_test (payload, results_of_every_size);
  tcase_add_test (payload, extreme_bytes_do_not_overflow_the_sums);
  tcase_add_test (payload, several_memories_are_one_payload);
  tcase_add_test (payload, memory_offsets_and_sizes_are_kept);
  tcase_add_test (payload, a_buffer_without_memories_is_an_empty_payload);
  tcase_add_test (payload, a_filter_behind_a_filter_reads_its_readbacks);
  suite_add_tcase (s, media);
  tcase_add_loop_test (media, frame_statistics_leave_the_padding_out, 0, G_N_ELEMENTS (pictures));
  tcase_add_test (media, an_interleaved_plane_has_all_its_bytes);
  tcase_add_test (media, planes_are_where_the_video_meta_says);
  tcase_add_test (media, without_a_video_meta_planes_are_where_the_caps_say);
  tcase_add_test (media, caps_features_that_are_metas_are_no_obstacle);
  tcase_add_test (media, audio_symbols_have_their_values);
  return s;
}

GST_CHECK_MAIN (results);
