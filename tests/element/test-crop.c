/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * GstVideoCropMeta: a program sees of a frame what it sees of a frame that has the picture alone,
 * cut as videocrop cuts: chroma that the first pixel shares is the first, and there is as much as
 * the size of the picture asks for.
 */
#include <gst/video/video.h>
#include <string.h>

#include "common.h"

#define WIDTH 22
#define HEIGHT 14

typedef struct {
  guint x, y, width, height;
} Crop;

static const Crop crops[] = {
  { 0, 0, WIDTH, HEIGHT },
  { 2, 4, 12, 8 },
  { 3, 5, 7, 6 },
  { 5, 1, 8, 13 },
  { WIDTH - 1, HEIGHT - 1, 1, 1 },
};

static gchar *
caps_of (const gchar *format, guint width, guint height)
{
  return g_strdup_printf (
      "video/x-raw,format=%s,width=%u,height=%u,framerate=25/1", format, width, height);
}

static void
add_crop (GstBuffer *buffer, const Crop *crop)
{
  GstVideoCropMeta *meta = gst_buffer_add_video_crop_meta (buffer);

  meta->x = crop->x;
  meta->y = crop->y;
  meta->width = crop->width;
  meta->height = crop->height;
}

/* Copies the samples of component @c that lie in @crop. */
static void
cut_component (const GstVideoInfo *from, const guint8 *frame, const GstVideoInfo *to,
    guint8 *picture, guint c, const Crop *crop)
{
  guint across = from->finfo->w_sub[c], down = from->finfo->h_sub[c];
  gsize pixel = (gsize)from->finfo->pixel_stride[c], bytes = (from->finfo->depth[c] + 7u) / 8;
  guint plane = from->finfo->plane[c];

  for (guint y = 0; y < (guint)GST_VIDEO_INFO_COMP_HEIGHT (to, c); y++) {
    const guint8 *source = frame + GST_VIDEO_INFO_COMP_OFFSET (from, c)
                           + (y + (crop->y >> down)) * (gsize)from->stride[plane]
                           + (crop->x >> across) * pixel;
    guint8 *destination
        = picture + GST_VIDEO_INFO_COMP_OFFSET (to, c) + y * (gsize)to->stride[plane];
    for (guint x = 0; x < (guint)GST_VIDEO_INFO_COMP_WIDTH (to, c); x++)
      memcpy (destination + x * pixel, source + x * pixel, bytes);
  }
}

static GstBuffer *
cut (const GstVideoInfo *from, const guint8 *frame, const GstVideoInfo *to, const Crop *crop)
{
  guint8 *picture = g_malloc0 (GST_VIDEO_INFO_SIZE (to));

  for (guint c = 0; c < GST_VIDEO_INFO_N_COMPONENTS (from); c++)
    cut_component (from, frame, to, picture, c, crop);
  GstBuffer *buffer = buffer_of (picture, GST_VIDEO_INFO_SIZE (to));
  g_free (picture);
  return buffer;
}

/* The results of @buffer alone, as text. */
static gchar *
results_of (GstHarness *h, GstBuffer *buffer)
{
  static const gchar *const others[]
      = { "sequence", "payload-bytes", "processed-bytes", "program" };

  gst_buffer_unref (filter_run (h, buffer));
  GstMessage *message = bus_wait_element (h, "vyre-results");
  GstStructure *results = gst_structure_copy (gst_message_get_structure (message));
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    gst_structure_remove_field (results, others[i]);
  gchar *text = gst_structure_to_string (results);
  gst_structure_free (results);
  gst_message_unref (message);
  return text;
}

/* Results are longer than a message may be: it has where they differ. */
static void
assert_same (const gchar *found, const gchar *wanted, const gchar *format, const Crop *crop)
{
  gsize at = 0;

  while (found[at] == wanted[at] && found[at] != '\0')
    at++;
  at -= MIN (at, 60);
  fail_unless (g_str_equal (found, wanted), "%s %ux%u at %u,%u: '%.100s', not '%.100s'", format,
      crop->width, crop->height, crop->x, crop->y, found + at, wanted + at);
}

/* Has the program look at a part of the frames. */
static void
set_part (GstHarness *h, const Crop *part)
{
  gchar *params
      = g_strdup_printf ("params,x=%u,y=%u,w=%u,h=%u", part->x, part->y, part->width, part->height);

  gst_util_set_object_arg (G_OBJECT (h->element), "params", params);
  g_free (params);
}

/* Two frames with one crop, so that the second is held against the first. */
static void
check_crop (
    GstHarness *whole, GstHarness *alone, const gchar *format, const Crop *crop, gboolean is_part)
{
  gchar *caps = caps_of (format, crop->width, crop->height);
  GstVideoInfo from, to;

  gst_video_info_set_format (&from, gst_video_format_from_string (format), WIDTH, HEIGHT);
  gst_video_info_set_format (&to, from.finfo->format, crop->width, crop->height);
  filter_start (alone, caps);
  if (is_part)
    set_part (whole, crop);
  for (guint i = 0; i < 2; i++) {
    guint8 *frame = noise_new (GST_VIDEO_INFO_SIZE (&from), 10 * crop->x + i);
    GstBuffer *buffer = buffer_of (frame, GST_VIDEO_INFO_SIZE (&from));
    if (!is_part)
      add_crop (buffer, crop);
    gchar *found = results_of (whole, buffer);
    gchar *wanted = results_of (alone, cut (&from, frame, &to, crop));
    assert_same (found, wanted, format, crop);
    g_free (wanted);
    g_free (found);
    g_free (frame);
  }
  g_free (caps);
}

/* The program gets each crop from the metas of buffers, or as params for the part that it names. */
static void
check_formats (const gchar *program, const gchar *const *formats, gboolean has_parts)
{
  GstHarness *whole = filter_new_with (program, "results-interval", (guint64)0, NULL);
  GstHarness *alone = filter_new_with (program, "results-interval", (guint64)0, NULL);

  for (; *formats; formats++) {
    gchar *caps = caps_of (*formats, WIDTH, HEIGHT);
    filter_start (whole, caps);
    for (guint i = 0; i < G_N_ELEMENTS (crops); i++)
      check_crop (whole, alone, *formats, &crops[i], has_parts);
    g_free (caps);
  }
  filter_finish (whole);
  filter_finish (alone);
}

GST_START_TEST (a_program_sees_the_picture_alone)
{
  static const gchar *const formats[] = { "I420", "YUY2", NULL };

  check_formats ("builtin:video-qc", formats, FALSE);
}
GST_END_TEST;

/* Opcodes that no built-in program has, planes, and the size. */
GST_START_TEST (planes_and_grids_are_those_of_the_picture)
{
  static const gchar *const formats[] = { "I420_10LE", "NV21", "Y42B", "RGBA", "BGR", NULL };

  check_formats (
      "u8_stats plane0 -> plane; optional u8_histogram plane1 -> chroma;"
      "optional sample_grid luma, 3, 2 -> grid; optional sample_grid green, 2, 3 -> green;"
      "optional sample_stats alpha -> alpha; store_u32 width * 100 + height -> size",
      formats, FALSE);
}
GST_END_TEST;

/* A part of a frame is what a crop has of it. One that is as large as can be is all of it. */
GST_START_TEST (a_part_is_the_picture_alone)
{
  static const gchar *const formats[] = { "I420", "YUY2", "I420_10LE", "NV21", "BGR", NULL };

  check_formats (
      "param x = 0; param y = 0; param w = 4294967295; param h = 4294967295;"
      "optional sample_stats part(luma, x, y, w, h) -> luma;"
      "optional sample_rows part(red, x + 0.5, y, w, h), 100 -> rows;"
      "optional sample_difference part(luma, x, y, w, h), previous(part(luma, x, y, w, h)), 9 -> d",
      formats, TRUE);
}
GST_END_TEST;

/* videocrop leaves the frame whole: caps have the size of the picture, GstVideoMeta the other. */
GST_START_TEST (caps_may_have_the_size_of_the_picture)
{
  const Crop crop = { 3, 5, 8, 6 };
  GstHarness *h = filter_new_with ("builtin:frame-stats", "results-interval", (guint64)0, NULL);
  gchar *caps = caps_of ("I420", crop.width, crop.height);
  GstVideoInfo from, to;

  gst_video_info_set_format (&from, GST_VIDEO_FORMAT_I420, WIDTH, HEIGHT);
  gst_video_info_set_format (&to, GST_VIDEO_FORMAT_I420, crop.width, crop.height);
  filter_start (h, caps);
  guint8 *frame = noise_new (GST_VIDEO_INFO_SIZE (&from), 3);
  GstBuffer *buffer = buffer_of (frame, GST_VIDEO_INFO_SIZE (&from));
  gst_buffer_add_video_meta_full (
      buffer, 0, GST_VIDEO_FORMAT_I420, WIDTH, HEIGHT, 3, from.offset, from.stride);
  add_crop (buffer, &crop);
  gchar *found = results_of (h, buffer);
  gchar *wanted = results_of (h, cut (&from, frame, &to, &crop));
  assert_same (found, wanted, "I420", &crop);
  g_free (wanted);
  g_free (found);
  g_free (frame);
  g_free (caps);
  filter_finish (h);
}
GST_END_TEST;

/* Checks the sums of the samples of component @c in the rows of one field of the frame. */
static void
check_field (const GstStructure *results, const gchar *name, const GstVideoInfo *from,
    const GstVideoInfo *to, const guint8 *frame, guint c, const Crop *crop, guint bottom)
{
  GstStructure *found = NULL;
  guint64 count = 0, sum = 0;
  guint first = crop->y >> from->finfo->h_sub[c];

  for (guint y = first; y < first + (guint)GST_VIDEO_INFO_COMP_HEIGHT (to, c); y++) {
    const guint8 *row
        = frame + GST_VIDEO_INFO_COMP_OFFSET (from, c)
          + y * (gsize)GST_VIDEO_INFO_COMP_STRIDE (from, c)
          + (crop->x >> from->finfo->w_sub[c]) * (gsize)GST_VIDEO_INFO_COMP_PSTRIDE (from, c);
    for (guint x = 0; y % 2 == bottom && x < (guint)GST_VIDEO_INFO_COMP_WIDTH (to, c); x++) {
      sum += row[x * (gsize)GST_VIDEO_INFO_COMP_PSTRIDE (from, c)];
      count++;
    }
  }
  fail_unless (gst_structure_get (results, name, GST_TYPE_STRUCTURE, &found, NULL));
  fail_unless (field_u64 (found, "count") == count && field_u64 (found, "sum") == sum,
      "%s of %ux%u at %u,%u has other rows", name, crop->width, crop->height, crop->x, crop->y);
  gst_structure_free (found);
}

/* Fields are those of the frame, whichever row is the first of the picture. Chroma may begin with
 * the other one than luma. */
GST_START_TEST (fields_are_those_of_the_frame)
{
  static const gchar *const formats[] = { "I420", "NV12", "Y42B" };
  static const gchar *const names[] = { "top-luma", "top-v", "bottom-luma", "bottom-v" };
  GstHarness *h = filter_new_with (
      "sample_stats top(luma) -> top-luma; sample_stats bottom(luma) -> bottom-luma;"
      "sample_stats top(v) -> top-v; sample_stats bottom(v) -> bottom-v;"
      "sample_stats bottom(plane0) -> bottom-plane",
      "results-interval", (guint64)0, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (formats) * G_N_ELEMENTS (crops); i++) {
    const Crop *crop = &crops[i % G_N_ELEMENTS (crops)];
    const gchar *format = formats[i / G_N_ELEMENTS (crops)];
    gchar *caps = caps_of (format, WIDTH, HEIGHT);
    GstVideoInfo from, to;
    gst_video_info_set_format (&from, gst_video_format_from_string (format), WIDTH, HEIGHT);
    gst_video_info_set_format (&to, from.finfo->format, crop->width, crop->height);
    guint8 *frame = noise_new (GST_VIDEO_INFO_SIZE (&from), i);
    GstBuffer *buffer = buffer_of (frame, GST_VIDEO_INFO_SIZE (&from));
    filter_start (h, caps);
    add_crop (buffer, crop);
    gst_buffer_unref (filter_run (h, buffer));
    GstMessage *message = bus_wait_element (h, "vyre-results");
    const GstStructure *results = gst_message_get_structure (message);
    for (guint n = 0; n < G_N_ELEMENTS (names); n++)
      check_field (results, names[n], &from, &to, frame, n % 2 * 2, crop, n / 2);
    check_field (results, "bottom-plane", &from, &to, frame, 0, crop, 1);
    gst_message_unref (message);
    g_free (frame);
    g_free (caps);
  }
  filter_finish (h);
}
GST_END_TEST;

static const Crop outside[] = {
  { 0, 0, WIDTH, 0 },
  { 1, 0, WIDTH, HEIGHT },
  { 0, G_MAXUINT, 1, 2 },
};

GST_START_TEST (a_crop_outside_of_its_frame_is_an_error)
{
  GstHarness *h = filter_new ("builtin:frame-stats");
  gchar *caps = caps_of ("I420", WIDTH, HEIGHT);
  GstVideoInfo info;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_I420, WIDTH, HEIGHT);
  filter_start (h, caps);
  GstBuffer *buffer = noise_buffer (GST_VIDEO_INFO_SIZE (&info), 1);
  add_crop (buffer, &outside[__i__]);
  fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_ERROR);
  bus_assert_error (
      h, "is no part of its frame of 22x14 pixels. Fix: correct the element in front");
  g_free (caps);
  filter_finish (h);
}
GST_END_TEST;

/* Sixteen bytes of v210 begin with every sixth pixel. */
GST_START_TEST (a_crop_within_a_word_of_v210_is_an_error)
{
  const Crop good = { 6, 1, 7, 3 }, bad = { 8, 1, 7, 3 };
  GstHarness *h = filter_new_with ("builtin:frame-stats", "results-interval", (guint64)0, NULL);
  gchar *caps = caps_of ("v210", WIDTH, HEIGHT);
  GstVideoInfo info;
  guint64 sum = 0;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_v210, WIDTH, HEIGHT);
  guint8 *frame = noise_new (GST_VIDEO_INFO_SIZE (&info), 7);
  for (guint y = good.y; y < good.y + good.height; y++) {
    for (guint x = good.x; x < good.x + good.width; x++) {
      guint number = 2 * x + 1;
      sum += GST_READ_UINT32_LE (frame + y * (guint)info.stride[0] + number / 3 * 4)
                 >> (10 * (number % 3))
             & 1023;
    }
  }
  filter_start (h, caps);
  GstBuffer *buffer = buffer_of (frame, GST_VIDEO_INFO_SIZE (&info));
  add_crop (buffer, &good);
  gst_buffer_unref (filter_run (h, buffer));
  GstMessage *message = bus_wait_element (h, "vyre-results");
  const GstStructure *luma = gst_value_get_structure (
      gst_structure_get_value (gst_message_get_structure (message), "luma"));
  fail_unless_equals_uint64 (field_u64 (luma, "count"), good.width * good.height);
  fail_unless_equals_uint64 (field_u64 (luma, "sum"), sum);
  gst_message_unref (message);
  buffer = buffer_of (frame, GST_VIDEO_INFO_SIZE (&info));
  add_crop (buffer, &bad);
  fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_ERROR);
  bus_assert_error (h, "begins at column 8, within 16 bytes of v210. Fix: crop at a multiple of 6");
  g_free (frame);
  g_free (caps);
  filter_finish (h);
}
GST_END_TEST;

/* A frame of which the buffer has the picture alone. */
GST_START_TEST (a_picture_outside_of_its_buffer_is_an_error)
{
  const Crop crop = { 0, 8, 4, 6 };
  GstHarness *h = filter_new ("builtin:frame-stats");
  gchar *caps = caps_of ("GRAY8", WIDTH, HEIGHT);
  GstBuffer *buffer = noise_buffer (24 * 13, 1);

  filter_start (h, caps);
  add_crop (buffer, &crop);
  fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_ERROR);
  bus_assert_error (h, "Plane 0 of a frame");
  g_free (caps);
  filter_finish (h);
}
GST_END_TEST;

/* The layout of a buffer that is refused is that of the one before no more. */
GST_START_TEST (a_refused_buffer_leaves_no_layout)
{
  const Crop crop = { 2, 2, 8, 8 };
  GstHarness *h = filter_new_with ("builtin:frame-stats", "results-interval", (guint64)0, NULL);
  gchar *caps = caps_of ("GRAY8", 16, 16);
  GstBuffer *buffer = noise_buffer (256, 1);

  filter_start (h, caps);
  add_crop (buffer, &crop);
  gst_buffer_unref (filter_run (h, buffer));
  gst_message_unref (bus_wait_element (h, "vyre-results"));
  fail_unless_equals_int (gst_harness_push (h, noise_buffer (255, 1)), GST_FLOW_ERROR);
  filter_flush (h);
  filter_push_segment (h);
  gst_buffer_unref (filter_run (h, noise_buffer (256, 1)));
  GstMessage *message = bus_wait_element (h, "vyre-results");
  const GstStructure *luma = gst_value_get_structure (
      gst_structure_get_value (gst_message_get_structure (message), "luma"));
  fail_unless_equals_uint64 (field_u64 (luma, "count"), 256);
  gst_message_unref (message);
  g_free (caps);
  filter_finish (h);
}
GST_END_TEST;

/* Bytes of its rows would have more than 32 bits. */
GST_START_TEST (a_frame_that_no_buffer_has_is_an_error)
{
  const Crop crop = { 0, 0, 0x40000001, 16 };
  gsize offset[GST_VIDEO_MAX_PLANES] = { 0 };
  gint stride[GST_VIDEO_MAX_PLANES] = { 64 };
  GstHarness *h = filter_new ("builtin:rgb-stats");
  gchar *caps = caps_of ("RGBA", 16, 16);
  GstBuffer *buffer = noise_buffer (1024, 1);

  filter_start (h, caps);
  gst_buffer_add_video_meta_full (
      buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_RGBA, 0x40000001, 16, 1, offset, stride);
  add_crop (buffer, &crop);
  fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_ERROR);
  bus_assert_error (h, "has 1073741825 by 16 pixels");
  g_free (caps);
  filter_finish (h);
}
GST_END_TEST;

static void
check_offer (GstHarness *h, const gchar *format, gboolean offered)
{
  gchar *text = caps_of (format, WIDTH, HEIGHT);
  GstCaps *caps = gst_caps_from_string (text);
  GstQuery *query = gst_query_new_allocation (caps, FALSE);

  filter_start (h, text);
  fail_unless (gst_pad_peer_query (h->srcpad, query));
  fail_unless (
      gst_query_find_allocation_meta (query, GST_VIDEO_CROP_META_API_TYPE, NULL) == offered);
  gst_query_unref (query);
  gst_caps_unref (caps);
  g_free (text);
}

GST_START_TEST (upstream_is_offered_the_meta)
{
  GstHarness *h = filter_new ("nop");

  check_offer (h, "I420", TRUE);
  check_offer (h, "NV12_4L4", FALSE); /* no program sees its samples */
  filter_finish (h);
}
GST_END_TEST;

static Suite *
crop_suite (void)
{
  Suite *s = suite_create ("crop");
  TCase *tc = tcase_create ("crop");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, a_program_sees_the_picture_alone);
  tcase_add_test (tc, planes_and_grids_are_those_of_the_picture);
  tcase_add_test (tc, a_part_is_the_picture_alone);
  tcase_add_test (tc, fields_are_those_of_the_frame);
  tcase_add_test (tc, caps_may_have_the_size_of_the_picture);
  tcase_add_loop_test (tc, a_crop_outside_of_its_frame_is_an_error, 0, G_N_ELEMENTS (outside));
  tcase_add_test (tc, a_crop_within_a_word_of_v210_is_an_error);
  tcase_add_test (tc, a_picture_outside_of_its_buffer_is_an_error);
  tcase_add_test (tc, a_refused_buffer_leaves_no_layout);
  tcase_add_test (tc, a_frame_that_no_buffer_has_is_an_error);
  tcase_add_test (tc, upstream_is_offered_the_meta);
  return s;
}

GST_CHECK_MAIN (crop);
