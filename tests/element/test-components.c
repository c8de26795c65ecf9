/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Components of every raw format that GStreamer knows, at odd sizes, against the pixels that the
 * format's own function unpacks: each sample once, with its value, and beside those of its pixel.
 */
#include <gst/video/video.h>
#include <string.h>

#include "common.h"

#define WIDTH 37
#define HEIGHT 11
#define LIMIT 17

/* The level that builtin:video-qc has in its place: that of blackdetect, 16 + 0.10 * 219 and below.
 */
#define QC_LIMIT(scale) (379 * (scale) / 10 + 1)

static const gchar program[] = "optional sample_stats luma -> luma; optional sample_stats u -> u;"
                               "optional sample_stats v -> v; optional sample_stats red -> red;"
                               "optional sample_stats green -> green;"
                               "optional sample_stats blue -> blue;"
                               "optional sample_stats alpha -> alpha;"
                               "optional sample_below luma, 17 * luma.scale -> luma-below;"
                               "optional sample_below red, 17 * red.scale -> red-below;"
                               "optional sample_difference u, v, 100 * u.scale -> distances;"
                               "optional sample_range luma, u, v -> outside;"
                               "optional sample_ssim luma, luma -> same;"
                               "u8_stats payload -> all";

static const gchar *const luma_names[] = { "luma", "u", "v", "alpha" };
static const gchar *const rgb_names[] = { "red", "green", "blue", "alpha" };

typedef struct {
  guint64 count, min, max, sum, squares, below;
} Stats;

/* The unpacked row @y of @frame: four components of a pixel, alpha first. One pixel more, because
 * GStreamer takes the last chroma of an odd row of VYUY from the wrong byte. */
static void
unpack_row (const GstVideoInfo *info, guint8 *frame, gint y, guint8 *pixels)
{
  const GstVideoFormatInfo *format = info->finfo;
  gpointer planes[GST_VIDEO_MAX_PLANES] = { NULL };

  for (guint plane = 0; plane < GST_VIDEO_INFO_N_PLANES (info); plane++)
    planes[plane] = frame + GST_VIDEO_INFO_PLANE_OFFSET (info, plane);
  format->unpack_func (
      format, GST_VIDEO_PACK_FLAG_TRUNCATE_RANGE, pixels, planes, info->stride, 0, y, WIDTH + 1);
}

/* Component @c of pixel @x, as deep as it lies in the frame. */
static guint64
unpacked_sample (const GstVideoInfo *info, const guint8 *pixels, gint x, guint c)
{
  const GstVideoFormatInfo *unpacked = gst_video_format_get_info (info->finfo->unpack_format);
  guint place = 4 * (guint)x + (c + 1) % 4, depth = info->finfo->depth[c];
  guint16 deep;

  if (unpacked->depth[0] == 8)
    return (guint64)pixels[place] >> (8 - depth);
  memcpy (&deep, pixels + 2 * place, 2);
  return (guint64)deep >> (16 - depth);
}

static void
stats_add (Stats *stats, guint64 sample, guint64 limit)
{
  stats->count++;
  stats->min = MIN (stats->min, sample);
  stats->max = MAX (stats->max, sample);
  stats->sum += sample;
  stats->squares += sample * sample;
  stats->below += sample < limit;
}

/* The statistics of every @step-th row of component @c from row @first on. Of chroma that pixels
 * share, each sample counts once. */
static Stats
unpacked_rows (
    const GstVideoInfo *info, guint8 *frame, guint c, gboolean qc, guint first, guint step)
{
  guint8 pixels[GST_ROUND_UP_64 (WIDTH) * 8];
  Stats stats = { .min = G_MAXUINT64 };
  guint depth = info->finfo->depth[c];
  guint64 scale = depth > 8 ? 1u << (depth - 8) : 1;

  guint down = info->finfo->h_sub[c];
  for (gint y = (gint)(first << down); y < HEIGHT; y += (gint)(step << down)) {
    unpack_row (info, frame, y, pixels);
    for (gint x = 0; x < WIDTH; x += 1 << info->finfo->w_sub[c])
      stats_add (
          &stats, unpacked_sample (info, pixels, x, c), qc ? QC_LIMIT (scale) : LIMIT * scale);
  }
  return stats;
}

static Stats
unpacked_stats (const GstVideoInfo *info, guint8 *frame, guint c, gboolean qc)
{
  return unpacked_rows (info, frame, c, qc, 0, 1);
}

static void
assert_component (
    const GstStructure *results, const gchar *format, const gchar *name, const Stats *wanted)
{
  const GValue *value = gst_structure_get_value (results, name);
  gchar *below = g_strconcat (name, "-below", NULL);

  fail_unless (value != NULL, "%s has no %s", format, name);
  const GstStructure *found = gst_value_get_structure (value);
  gboolean same
      = field_u64 (found, "count") == wanted->count && field_u64 (found, "min") == wanted->min
        && field_u64 (found, "max") == wanted->max && field_u64 (found, "sum") == wanted->sum
        && field_u64 (found, "sum-squares") == wanted->squares;
  if (g_str_equal (name, "luma") && gst_structure_has_field (results, "black"))
    same = same && field_u64 (results, "black") == wanted->below;
  if (gst_structure_has_field (results, below))
    same = same && field_u64 (results, below) == wanted->below;
  g_free (below);
  if (!same) {
    gchar *text = gst_structure_to_string (results);
    ck_abort_msg ("%s %s: expected count %" G_GUINT64_FORMAT ", min %" G_GUINT64_FORMAT
                  ", max %" G_GUINT64_FORMAT ", sum %" G_GUINT64_FORMAT ", got %s",
        format, name, wanted->count, wanted->min, wanted->max, wanted->sum, text);
  }
}

static gboolean
is_outside (guint64 sample, guint64 most, guint depth)
{
  return sample < (guint64)16 << (depth - 8) || sample > most << (depth - 8);
}

/* Opcodes over several components: the distances of u from v, and pixels that no broadcast has. */
static void
check_several (
    const GstStructure *results, const gchar *name, const GstVideoInfo *info, guint8 *frame)
{
  const GstStructure *found
      = gst_value_get_structure (gst_structure_get_value (results, "distances"));
  const GstVideoFormatInfo *format = info->finfo;
  gint across = (1 << format->w_sub[1]) - 1, down = (1 << format->h_sub[1]) - 1;
  guint8 pixels[GST_ROUND_UP_64 (WIDTH) * 8], chroma[GST_ROUND_UP_64 (WIDTH) * 8];
  guint64 count = 0, sum = 0, above = 0, outside = 0;
  guint depth = format->depth[0];

  for (gint y = 0; y < HEIGHT; y++) {
    unpack_row (info, frame, y, pixels);
    unpack_row (info, frame, y & ~down, chroma);
    for (gint x = 0; x < WIDTH; x++) {
      gint64 u = (gint64)unpacked_sample (info, chroma, x & ~across, 1);
      gint64 v = (gint64)unpacked_sample (info, chroma, x & ~across, 2);
      guint64 distance = (guint64)ABS (u - v);
      outside += is_outside (unpacked_sample (info, pixels, x, 0), 235, depth)
                 || is_outside ((guint64)u, 240, depth) || is_outside ((guint64)v, 240, depth);
      if (((x & across) | (y & down)) != 0)
        continue;
      count++;
      sum += distance;
      above += distance > (guint64)100 << (depth - 8);
    }
  }
  fail_unless (field_u64 (found, "count") == count && field_u64 (found, "sum") == sum
                   && field_u64 (found, "above") == above,
      "%s: distances of u from v are not those of its pixels", name);
  fail_unless (field_u64 (results, "outside") == outside, "%s: %u pixels are outside, not %u", name,
      (guint)outside, (guint)field_u64 (results, "outside"));
}

/* Every window of a picture is the same as itself. */
static void
check_similarity (const GstStructure *results, const gchar *name)
{
  const GstStructure *same = gst_value_get_structure (gst_structure_get_value (results, "same"));
  guint64 windows = (WIDTH / 4 - 1) * (HEIGHT / 4 - 1);
  gint64 sum;

  fail_unless (gst_structure_get_int64 (same, "sum", &sum), "%s has no sum", name);
  fail_unless (field_u64 (same, "count") == windows && sum == (gint64)windows << 30,
      "%s: luma is not the same as itself", name);
}

static void
check_format (GstHarness *h, const gchar *name, const GstVideoInfo *info)
{
  guint8 *frame = noise_new (GST_VIDEO_INFO_SIZE (info) + 64, 5);
  gchar *caps = g_strdup_printf (
      "video/x-raw,format=%s,width=%d,height=%d,framerate=25/1", name, WIDTH, HEIGHT);
  const gchar *const *names = GST_VIDEO_INFO_IS_RGB (info) ? rgb_names : luma_names;

  filter_start (h, caps);
  gst_buffer_unref (filter_run (h, buffer_of (frame, GST_VIDEO_INFO_SIZE (info))));
  GstMessage *message = bus_wait_element (h, "vyre-results");
  const GstStructure *results = gst_message_get_structure (message);
  /* built-in programs for Y'CbCr leave alpha alone */
  guint n = GST_VIDEO_INFO_IS_RGB (info) || gst_structure_has_field (results, "all") ? 4 : 3;
  for (guint c = 0; c < 4; c++) {
    if (c < MIN (n, GST_VIDEO_INFO_N_COMPONENTS (info))) {
      Stats wanted = unpacked_stats (info, frame, c, gst_structure_has_field (results, "repeats"));
      assert_component (results, name, names[c], &wanted);
    } else {
      fail_if (gst_structure_has_field (results, names[c]), "%s has %s", name, names[c]);
    }
  }
  if (gst_structure_has_field (results, "all") && GST_VIDEO_INFO_IS_YUV (info))
    check_several (results, name, info, frame);
  if (gst_structure_has_field (results, "same"))
    check_similarity (results, name);
  gst_message_unref (message);
  g_free (caps);
  g_free (frame);
}

static gboolean
has_plain_planes (const GstVideoFormatInfo *format)
{
  guint odd
      = GST_VIDEO_FORMAT_FLAG_TILED | GST_VIDEO_FORMAT_FLAG_COMPLEX | GST_VIDEO_FORMAT_FLAG_PALETTE;

  for (guint c = 0; c < format->n_components; c++) {
    if (format->pixel_stride[c] <= 0)
      return FALSE;
  }
  return (format->flags & odd) == 0 && format->n_components > 0;
}

/* Formats whose samples share words. */
static const gchar *const packed_formats[]
    = { "v210", "GRAY10_LE32", "NV12_10LE32", "NV16_10LE32", NULL };

GST_START_TEST (components_have_each_sample_once)
{
  GEnumClass *klass = g_type_class_ref (GST_TYPE_VIDEO_FORMAT);
  GstHarness *h = filter_new_with (program, "results-interval", (guint64)0, NULL);

  for (guint i = 0; i < klass->n_values; i++) {
    GstVideoFormat format = (GstVideoFormat)klass->values[i].value;
    GstVideoInfo info;
    const gchar *name = gst_video_format_to_string (format);
    if (format <= GST_VIDEO_FORMAT_ENCODED
        || !(has_plain_planes (gst_video_format_get_info (format))
             || g_strv_contains (packed_formats, name)))
      continue;
    gst_video_info_set_format (&info, format, WIDTH, HEIGHT);
    check_format (h, name, &info);
  }
  filter_finish (h);
  g_type_class_unref (klass);
}
GST_END_TEST;

static void
check_formats (const gchar *builtin, const gchar *const *names)
{
  GstHarness *h = filter_new_with (builtin, "results-interval", (guint64)0, NULL);

  for (; *names; names++) {
    GstVideoInfo info;
    gst_video_info_set_format (&info, gst_video_format_from_string (*names), WIDTH, HEIGHT);
    check_format (h, *names, &info);
  }
  filter_finish (h);
}

/* Names of components, their order and the level of black are those of the programs' texts. */
GST_START_TEST (built_in_programs_read_components)
{
  static const gchar *const yuv[] = { "I420", "YV12", "NV12", "NV21", "Y42B", "Y444", "GRAY8",
    "GRAY16_LE", "GRAY16_BE", "I420_10LE", "I422_10LE", "Y444_10LE", "I420_12LE", "P010_10LE",
    "P016_LE", "v210", "UYVY", "YUY2", "A420", NULL };
  static const gchar *const rgb[] = { "RGB", "BGR", "RGBA", "BGRA", "ARGB", "ABGR", "RGBx", "BGRx",
    "xRGB", "xBGR", "GBR", NULL };

  check_formats ("builtin:frame-stats", yuv);
  check_formats ("builtin:video-qc", yuv);
  check_formats ("builtin:rgb-stats", rgb);
}
GST_END_TEST;

/* Rows of a frame belong to its fields in turn. */
GST_START_TEST (fields_have_every_other_row)
{
  static const gchar *const fields[] = { "top", "bottom" };
  static const gchar *const formats[] = { "I420", "NV12", "v210", "GRAY8" };
  GstHarness *h = filter_new_with ("builtin:field-stats", "results-interval", (guint64)0, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    GstVideoInfo info;
    gst_video_info_set_format (&info, gst_video_format_from_string (formats[i]), WIDTH, HEIGHT);
    guint8 *frame = noise_new (GST_VIDEO_INFO_SIZE (&info) + 64, i);
    gchar *caps = g_strdup_printf (
        "video/x-raw,format=%s,width=%d,height=%d,framerate=25/1", formats[i], WIDTH, HEIGHT);
    filter_start (h, caps);
    gst_buffer_unref (filter_run (h, buffer_of (frame, GST_VIDEO_INFO_SIZE (&info))));
    GstMessage *message = bus_wait_element (h, "vyre-results");
    const GstStructure *results = gst_message_get_structure (message);
    for (guint c = 0; c < 2 * GST_VIDEO_INFO_N_COMPONENTS (&info); c++) {
      gchar *name = g_strconcat (fields[c % 2], "-", luma_names[c / 2], NULL);
      Stats wanted = unpacked_rows (&info, frame, c / 2, FALSE, c % 2, 2);
      assert_component (results, formats[i], name, &wanted);
      if (c < 2)
        fail_unless_equals_uint64 (
            field_u64 (results, c == 0 ? "top-black" : "bottom-black"), wanted.below);
      g_free (name);
    }
    gst_message_unref (message);
    g_free (caps);
    g_free (frame);
  }
  filter_finish (h);
}
GST_END_TEST;

/* Gray frames of noise, each held against the one before; all of their rows are bright, and the
 * last two frames are the same. */
GST_START_TEST (video_qc_compares_frames)
{
  GstHarness *h = filter_new_with ("builtin:video-qc", "results-interval", (guint64)0, NULL);
  const gsize stride = GST_ROUND_UP_4 (WIDTH), size = stride * HEIGHT;

  filter_start (h, "video/x-raw,format=GRAY8,width=37,height=11,framerate=25/1");
  for (guint i = 0; i < 4; i++) {
    guint8 *frame = noise_new (size, MIN (i, 2)), *before = noise_new (size, i > 0 ? i - 1 : 0);
    guint64 sum = 0;
    for (gsize at = 0; i > 0 && at < size; at++)
      sum += at % stride < WIDTH ? (guint64)ABS (frame[at] - before[at]) : 0;
    gst_buffer_unref (filter_run (h, buffer_of (frame, size)));
    GstMessage *message = bus_wait_element (h, "vyre-results");
    const GstStructure *results = gst_message_get_structure (message), *found, *rows;
    found = gst_value_get_structure (gst_structure_get_value (results, "luma-difference"));
    rows = gst_value_get_structure (gst_structure_get_value (results, "rows"));
    fail_unless_equals_uint64 (field_u64 (found, "count"), i > 0 ? WIDTH * HEIGHT : 0);
    fail_unless_equals_uint64 (field_u64 (found, "sum"), sum);
    fail_unless_equals_uint64 (field_u64 (rows, "count"), HEIGHT);
    fail_if (gst_structure_has_field (results, "u-difference"));
    gst_message_unref (message);
    g_free (before);
    g_free (frame);
  }
  filter_finish (h);
}
GST_END_TEST;

/* Packs row @y of a picture in I422_10LE: u, luma, v, luma and so on, three in a word. All other
 * bits stay as they are. */
static void
pack_row (const GstVideoInfo *info, const guint8 *picture, guint y, guint8 *row)
{
  static const guint order[] = { 1, 0, 2, 0 };

  for (guint i = 0; i < 4 * (guint)GST_VIDEO_INFO_COMP_WIDTH (info, 1); i++) {
    guint c = order[i % 4], x = c == 0 ? i / 2 : i / 4, shift = 10 * (i % 3);
    if (x >= (guint)GST_VIDEO_INFO_COMP_WIDTH (info, c))
      continue;
    guint32 word = GST_READ_UINT32_LE (row + i / 3 * 4) & ~(1023u << shift);
    guint32 sample = GST_READ_UINT16_LE (
        picture + info->offset[c] + y * (guint)info->stride[c] + 2 * (gsize)x);
    GST_WRITE_UINT32_LE (row + i / 3 * 4, word | sample << shift);
  }
}

/* A buffer of noise with a picture in v210 in it, whose rows lie further apart than they have to.
 */
static GstBuffer *
packed_buffer (const GstVideoInfo *planar, const guint8 *picture)
{
  gsize offset[GST_VIDEO_MAX_PLANES] = { 20 };
  gint stride[GST_VIDEO_MAX_PLANES] = { (planar->width + 5) / 6 * 16 + 12 };
  gsize size = offset[0] + (gsize)(stride[0] * planar->height);
  guint8 *frame = noise_new (size, 9);

  for (guint y = 0; y < (guint)planar->height; y++)
    pack_row (planar, picture, y, frame + offset[0] + y * (guint)stride[0]);
  GstBuffer *buffer = buffer_of (frame, size);
  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_v210,
      (guint)planar->width, (guint)planar->height, 1, offset, stride);
  g_free (frame);
  return buffer;
}

static gboolean
check_same (GQuark field, const GValue *value, gpointer other)
{
  const gchar *name = g_quark_to_string (field);

  if (!g_str_has_suffix (name, "-bytes"))
    fail_unless (
        gst_value_compare (value, gst_structure_id_get_value (other, field)) == GST_VALUE_EQUAL,
        "%s differs", name);
  return TRUE;
}

/* Has @packed and @planar look at two frames of the same pictures, of noise. */
static void
check_pictures (GstHarness *packed, GstHarness *planar, gint width)
{
  GstVideoInfo info, small;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_I422_10LE, (guint)width, HEIGHT);
  gst_video_info_set_format (&small, GST_VIDEO_FORMAT_v210, (guint)width, HEIGHT);
  GstCaps *caps = gst_video_info_to_caps (&info), *packed_caps = gst_video_info_to_caps (&small);
  gchar *text = gst_caps_to_string (caps), *packed_text = gst_caps_to_string (packed_caps);
  filter_start (planar, text);
  filter_start (packed, packed_text);
  for (guint i = 0; i < 2; i++) {
    guint8 *picture = noise_new (info.size, i);
    for (gsize at = 1; at < info.size; at += 2)
      picture[at] &= 3;
    gst_buffer_unref (filter_run (packed, packed_buffer (&info, picture)));
    gst_buffer_unref (filter_run (planar, buffer_of (picture, info.size)));
    GstMessage *found = bus_wait_element (packed, "vyre-results");
    GstMessage *wanted = bus_wait_element (planar, "vyre-results");
    gst_structure_foreach (gst_message_get_structure (wanted), check_same,
        (gpointer)gst_message_get_structure (found));
    gst_message_unref (found);
    gst_message_unref (wanted);
    g_free (picture);
  }
  g_free (text);
  g_free (packed_text);
  gst_caps_unref (caps);
  gst_caps_unref (packed_caps);
}

GST_START_TEST (a_picture_in_v210_is_like_that_in_planes)
{
  static const gint widths[] = { 1, 2, 3, 5, 6, 7, 11, 12, 13, 48, 50 };
  GstHarness *packed = filter_new_with ("builtin:video-qc", "results-interval", (guint64)0, NULL);
  GstHarness *planar = filter_new_with ("builtin:video-qc", "results-interval", (guint64)0, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (widths); i++)
    check_pictures (packed, planar, widths[i]);
  filter_finish (packed);
  filter_finish (planar);
}
GST_END_TEST;

static Suite *
components_suite (void)
{
  Suite *s = suite_create ("components");
  TCase *tc = tcase_create ("components");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, components_have_each_sample_once);
  tcase_add_test (tc, built_in_programs_read_components);
  tcase_add_test (tc, fields_have_every_other_row);
  tcase_add_test (tc, video_qc_compares_frames);
  tcase_add_test (tc, a_picture_in_v210_is_like_that_in_planes);
  return s;
}

GST_CHECK_MAIN (components);
