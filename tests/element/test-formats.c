/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every raw format that GStreamer knows, at odd sizes: planes have each byte that a pixel is made
 * of, once, or the format has none, and an error says so.
 */
#include <gst/video/video.h>
#include <string.h>

#include "common.h"

#define WIDTH 17
#define HEIGHT 5

/* Formats that come after the last of GStreamer 1.22 may be others: then the bytes say. */
#define LAST_LISTED GST_VIDEO_FORMAT_NV12_10BE_8L128
static const gchar *const without_planes[] = {
  "v210",
  "UYVP",
  "IYU1",
  "RGB8P",
  "GRAY10_LE32",
  "NV12_10LE32",
  "NV16_10LE32",
  "NV12_10LE40",
  "NV12_64Z32",
  "NV12_4L4",
  "NV12_32L32",
  "NV12_16L32S",
  "NV12_8L128",
  "NV12_10BE_8L128",
  "NV12_10LE40_4L4",
  "MT2110T",
  "MT2110R",
  "DMA_DRM",
  NULL,
};

static const GEnumValue *formats;
static guint n_formats;

/* All pixels of a frame, as the format's own function reads them. */
static guint8 *
unpack (const GstVideoInfo *info, guint8 *frame, gsize *size)
{
  const GstVideoFormatInfo *format = info->finfo;
  const GstVideoFormatInfo *unpacked = gst_video_format_get_info (format->unpack_format);
  gsize row = (gsize)GST_ROUND_UP_16 (WIDTH) * (gsize)unpacked->pixel_stride[0];
  guint8 *pixels = g_malloc0 (*size = row * HEIGHT);
  gpointer planes[GST_VIDEO_MAX_PLANES] = { NULL };

  for (guint plane = 0; plane < GST_VIDEO_INFO_N_PLANES (info); plane++)
    planes[plane] = frame + GST_VIDEO_INFO_PLANE_OFFSET (info, plane);
  for (gint y = 0; y < HEIGHT; y++)
    format->unpack_func (format, GST_VIDEO_PACK_FLAG_NONE, pixels + (gsize)y * row, planes,
        info->stride, 0, y, WIDTH);
  for (gint y = 0; y < HEIGHT; y++) /* some write more than they are asked for */
    memset (pixels + (gsize)y * row + WIDTH * unpacked->pixel_stride[0], 0,
        row - (gsize)(WIDTH * unpacked->pixel_stride[0]));
  return pixels;
}

/* A frame that has 1 in each byte that a pixel depends on, and 0 in the others; *@n of them. */
static guint8 *
mark_pixels (const GstVideoInfo *info, guint64 *n)
{
  gsize length = GST_VIDEO_INFO_SIZE (info), size;
  guint8 *frame = noise_new (length + 64, 9), *marks = g_malloc0 (length);
  guint8 *before = unpack (info, frame, &size);

  *n = 0;
  for (gsize at = 0; at < length; at++) {
    frame[at] ^= 0xff;
    guint8 *after = unpack (info, frame, &size);
    marks[at] = memcmp (before, after, size) != 0;
    *n += marks[at];
    g_free (after);
    frame[at] ^= 0xff;
  }
  g_free (before);
  g_free (frame);
  return marks;
}

static gchar *
caps_of (const gchar *format)
{
  return g_strdup_printf (
      "video/x-raw,format=%s,width=%d,height=%d,framerate=25/1", format, WIDTH, HEIGHT);
}

/* Runs @frame through @h; returns the sum over all planes, and sets *@any if there are some. */
static guint64
sum_planes (GstHarness *h, const gchar *format, const guint8 *frame, gsize size, gboolean *any)
{
  static const gchar *const names[] = { "a", "b", "c", "d" };
  gchar *caps = caps_of (format);
  guint64 sum = 0;

  filter_start (h, caps);
  gst_buffer_unref (filter_run (h, buffer_of (frame, size)));
  GstMessage *message = bus_wait_element (h, "vyre-results");
  const GstStructure *results = gst_message_get_structure (message);
  *any = FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    const GValue *plane = gst_structure_get_value (results, names[i]);
    if (plane)
      sum += field_u64 (gst_value_get_structure (plane), "sum");
    *any |= plane != NULL;
  }
  gst_message_unref (message);
  g_free (caps);
  return sum;
}

static void
check_format (GstHarness *h, const gchar *name, const GstVideoInfo *info)
{
  gboolean listed = g_strv_contains (without_planes, name), any;
  guint64 n;
  guint8 *marks = mark_pixels (info, &n);
  guint64 sum = sum_planes (h, name, marks, GST_VIDEO_INFO_SIZE (info), &any);

  fail_if (any && listed, "%s has planes", name);
  fail_if (!any && !listed && GST_VIDEO_INFO_FORMAT (info) <= LAST_LISTED, "%s has none", name);
  if (any)
    fail_unless (
        sum == n, "%s: %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " bytes counted", name, sum, n);
  g_free (marks);
}

/* Also of those without planes the payload is counted, and the numbers of the frame are known. */
GST_START_TEST (planes_have_every_byte_of_their_pixels_once)
{
  GstHarness *h = filter_new_with ("optional u8_stats plane0 -> a; optional u8_stats plane1 -> b;"
                                   "optional u8_stats plane2 -> c; optional u8_stats plane3 -> d;"
                                   "u8_stats payload -> all; op 1, width * height * planes, 200",
      "results-interval", (guint64)0, NULL);

  for (guint i = 0; i < n_formats; i++) {
    GstVideoFormat format = (GstVideoFormat)formats[i].value;
    GstVideoInfo info;
    if (format <= GST_VIDEO_FORMAT_ENCODED || !gst_video_format_get_info (format)->unpack_func)
      continue;
    gst_video_info_set_format (&info, format, WIDTH, HEIGHT);
    check_format (h, gst_video_format_to_string (format), &info);
  }
  filter_finish (h);
}
GST_END_TEST;

static void
check_unbound (const gchar *program, const gchar *format)
{
  GstHarness *h = filter_new (program);
  gchar *caps = caps_of (format);
  gchar *part = g_strdup_printf ("of %s video, which has no plain planes. Fix: ", format);

  filter_start (h, caps);
  fail_unless_equals_int (gst_harness_push (h, noise_buffer (4096, 1)), GST_FLOW_ERROR);
  bus_assert_error (h, part);
  g_free (part);
  g_free (caps);
  filter_finish (h);
}

GST_START_TEST (an_error_names_the_format_that_has_no_planes)
{
  check_unbound ("u8_stats plane0 -> a", "IYU1");
  check_unbound ("u8_stats plane1 -> a", "RGB8P");
  check_unbound ("builtin:frame-stats", "NV12_4L4");
  check_unbound ("let a = plane0.stride; op 1, a, 200", "v210");
}
GST_END_TEST;

/* A format that has planes, and not the one that a program wants, is named as well. */
GST_START_TEST (an_error_names_the_stream_that_lacks_a_symbol)
{
  static const gchar *const streams[][2] = {
    { "video/x-raw,format=RGB,width=17,height=5,framerate=25/1", "of RGB video. Fix: " },
    { "audio/x-raw,format=S16LE,rate=8000,channels=1,layout=interleaved", "of S16LE audio. Fix: " },
    { "video/x-h264", "of video/x-h264. Fix: " },
  };

  for (guint i = 0; i < G_N_ELEMENTS (streams); i++) {
    GstHarness *h = filter_new ("builtin:frame-stats");
    filter_start (h, streams[i][0]);
    fail_unless_equals_int (gst_harness_push (h, noise_buffer (4096, 1)), GST_FLOW_ERROR);
    bus_assert_error (h, streams[i][1]);
    filter_finish (h);
  }
}
GST_END_TEST;

static Suite *
formats_suite (void)
{
  Suite *s = suite_create ("formats");
  TCase *tc = tcase_create ("formats");
  GEnumClass *klass = g_type_class_ref (GST_TYPE_VIDEO_FORMAT); /* kept */

  formats = klass->values;
  n_formats = klass->n_values;
  suite_add_tcase (s, tc);
  tcase_add_test (tc, planes_have_every_byte_of_their_pixels_once);
  tcase_add_test (tc, an_error_names_the_format_that_has_no_planes);
  tcase_add_test (tc, an_error_names_the_stream_that_lacks_a_symbol);
  return s;
}

GST_CHECK_MAIN (formats);
