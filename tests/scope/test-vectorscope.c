/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The vectorscope of joint histograms that vyrefilter makes of test pictures.
 */
#include "drawing.h"

#include <gst/check/gstharness.h>
#include <math.h>
#include <string.h>

#define SIZE 800
#define PARTS GST_VYRE_MODEL_PARTS
#define NEAR 40 /* of 255: pixels inside of a line, which has smooth edges */

static const GstVyreColorimetry bt601 = { 0.299, 0.114, 224.0 / 256 },
                                bt709 = { 0.2126, 0.0722, 224.0 / 256 };

/* Colour bars of 75 % in 8 bits, from the tables of ITU-R BT.801 and of SMPTE RP 219 */
typedef struct {
  guint u, v;
} Chroma;
static const Chroma bars_601[]
    = { { 44, 142 }, { 156, 44 }, { 72, 58 }, { 184, 198 }, { 100, 212 }, { 212, 114 } };
static const Chroma bars_709[]
    = { { 44, 136 }, { 147, 44 }, { 63, 52 }, { 193, 204 }, { 109, 212 }, { 212, 120 } };

static void
drawing_new (Drawing *drawing, const GstVyreColorimetry *colorimetry)
{
  drawing_begin (drawing, SIZE, SIZE, GST_VYRE_PANEL_VECTORSCOPE);
  gst_vyre_model_begin (&drawing->model, 8, colorimetry);
}

/* Returns what vyrefilter finds in a picture of videotestsrc. */
static GstVyreResults *
measure_picture (const gchar *source, const gchar *format)
{
  g_autofree gchar *launch = g_strdup_printf (
      "videotestsrc num-buffers=1 %s ! video/x-raw,width=320,height=240,%s ! vyrefilter "
      "output-mode=passthrough program=\"optional sample_joint u, v -> chroma\"",
      source, format);
  GstHarness *h = gst_harness_new_parse (launch);

  gst_harness_play (h);
  g_autoptr (GstBuffer) buffer = gst_harness_pull (h);
  g_assert_nonnull (buffer);
  gst_harness_teardown (h);
  return gst_vyre_results_from_buffer (buffer);
}

static void
take_picture (Drawing *drawing, const gchar *source, const gchar *format)
{
  g_autoptr (GstVyreResults) results = measure_picture (source, format);

  gst_vyre_model_take (&drawing->model, results, 0);
}

/* Has the model take a joint histogram of one bin, or of none. */
static void
take_bin (Drawing *drawing, guint at, guint count)
{
  g_autofree gchar *bins = drawing_bins ("chroma", PARTS * PARTS, at, count);

  drawing_take (drawing, 0, bins);
}

/* Returns where the mean of a picture of this colour is. */
static void
find_place (const Chroma *chroma, gint *x, gint *y)
{
  Drawing drawing;
  g_autofree gchar *fields = g_strdup_printf (
      "u=(structure)\"u\\,\\ count\\=\\(guint64\\)1\\,\\ sum\\=\\(guint64\\)%u\\;\", "
      "v=(structure)\"v\\,\\ count\\=\\(guint64\\)1\\,\\ sum\\=\\(guint64\\)%u\\;\"",
      chroma->u, chroma->v);
  gint64 sums[2] = { 0 }, n = 0;

  drawing_new (&drawing, &bt709);
  drawing_take (&drawing, 0, fields);
  drawing_draw (&drawing);
  for (gint row = 0; row < SIZE; row++) {
    for (gint column = 0; column < SIZE; column++) {
      gboolean is_cross = drawing_is (&drawing, column, row, GST_VYRE_COLOUR_TEXT, NEAR);
      sums[0] += is_cross * column;
      sums[1] += is_cross * row;
      n += is_cross;
    }
  }
  drawing_end (&drawing);
  g_assert_cmpint (n, >, 20);
  *x = (gint)(sums[0] / n);
  *y = (gint)(sums[1] / n);
}

/* The pixels that differ from those of an empty vectorscope: how many, and their middle. */
typedef struct {
  guint n;
  gdouble x, y, reach; /* reach: how far from the middle the last one is */
} Dots;

static Dots
find_dots (const Drawing *drawing, const GstVyreColorimetry *colorimetry)
{
  Drawing empty;
  Dots dots = { 0 };

  drawing_new (&empty, colorimetry);
  take_bin (&empty, 0, 0);
  drawing_draw (&empty);
  for (gint i = 0; i < SIZE * SIZE; i++) {
    if (drawing_at (drawing, i % SIZE, i / SIZE) == drawing_at (&empty, i % SIZE, i / SIZE))
      continue;
    dots.n++;
    dots.x += i % SIZE;
    dots.y += i / SIZE;
  }
  dots.x /= MAX (dots.n, 1);
  dots.y /= MAX (dots.n, 1);
  for (gint i = 0; i < SIZE * SIZE; i++)
    if (drawing_at (drawing, i % SIZE, i / SIZE) != drawing_at (&empty, i % SIZE, i / SIZE))
      dots.reach = MAX (dots.reach, hypot (i % SIZE - dots.x, i / SIZE - dots.y));
  drawing_end (&empty);
  return dots;
}

/* Pixels from one part to the next */
static gdouble
find_step (void)
{
  gint x[2], y;

  find_place (&(Chroma){ 128, 128 }, &x[0], &y);
  find_place (&(Chroma){ 192, 128 }, &x[1], &y);
  return (x[1] - x[0]) / 8.0;
}

/* A bin is where the mean of the samples in its middle is. */
static void
test_places (void)
{
  static const Chroma middles[] = { { 128, 128 }, { 192, 128 }, { 128, 32 }, { 56, 208 } };
  gdouble step = find_step ();

  for (guint i = 0; i < G_N_ELEMENTS (middles); i++) {
    Drawing drawing;
    gint x, y;
    find_place (&middles[i], &x, &y);
    drawing_new (&drawing, &bt709);
    take_bin (&drawing, middles[i].v / 8 * PARTS + middles[i].u / 8, 100);
    drawing_draw (&drawing);
    Dots dots = find_dots (&drawing, &bt709);
    g_assert_cmpuint (dots.n, >, step * step);
    g_assert_cmpfloat_with_epsilon (dots.x, x, 2);
    g_assert_cmpfloat_with_epsilon (dots.y, y, 2);
    g_assert_cmpfloat (dots.reach, <, 1.6 * step);
    drawing_end (&drawing);
  }
}

/* Returns how many pixels away in this direction a line of the scale is; at most the step. */
static gint
find_edge (const Drawing *drawing, gint x, gint y, gint across, gint down)
{
  for (gint i = 4; i < 40; i++) {
    guint32 pixel = drawing_at (drawing, x + i * across, y + i * down);
    guint32 inside = drawing_at (drawing, x + (i - 3) * across, y + (i - 3) * down);
    if ((gint)(pixel >> 8 & 0xff) - (gint)(inside >> 8 & 0xff) > 25)
      return i;
  }
  return -1;
}

/* Boxes are around the colours of bars, and bars are in their boxes. */
static void
check_bars (const GstVyreColorimetry *colorimetry, const Chroma *bars, const gchar *format)
{
  Drawing drawing, empty;

  drawing_new (&drawing, colorimetry);
  take_picture (&drawing, "pattern=smpte75", format);
  drawing_draw (&drawing);
  drawing_new (&empty, colorimetry);
  take_bin (&empty, 0, 0);
  drawing_draw (&empty);
  for (guint i = 0; i < 6; i++) {
    gint x, y;
    find_place (&bars[i], &x, &y);
    g_assert_cmphex (drawing_at (&drawing, x, y), !=, drawing_at (&empty, x, y));
    gint edges[] = { find_edge (&empty, x, y, 1, 0), find_edge (&empty, x, y, -1, 0),
      find_edge (&empty, x, y, 0, 1), find_edge (&empty, x, y, 0, -1) };
    g_test_message ("%u: %d %d %d %d", i, edges[0], edges[1], edges[2], edges[3]);
    for (guint k = 1; k < 4; k++)
      g_assert_cmpint (ABS (edges[k] - edges[0]), <=, 3);
    g_assert_cmpint (edges[0], >, 0);
  }
  drawing_end (&empty);
  drawing_end (&drawing);
}

static void
test_bars (void)
{
  check_bars (&bt601, bars_601, "format=I420,colorimetry=bt601");
  check_bars (&bt601, bars_601, "format=NV12,colorimetry=bt601");
  check_bars (&bt709, bars_709, "format=I420,colorimetry=bt709");
  check_bars (&bt709, bars_709, "format=Y444,colorimetry=bt709");
}

/* All samples of grey are in one bin, in the middle. */
static void
test_grey (void)
{
  Drawing drawing;
  gint x, y;
  guint n = 0;

  find_place (&(Chroma){ 128, 128 }, &x, &y);
  drawing_new (&drawing, &bt709);
  take_picture (
      &drawing, "pattern=solid-color foreground-color=0xff808080", "format=I420,colorimetry=bt709");
  drawing_draw (&drawing);
  Dots dots = find_dots (&drawing, &bt709);
  g_assert_cmpfloat_with_epsilon (dots.x, x, 2);
  g_assert_cmpfloat_with_epsilon (dots.y, y, 2);
  g_assert_cmpfloat (dots.reach, <, 1.6 * find_step ());
  for (guint i = 0; i < PARTS * PARTS; i++)
    n += drawing.model.chroma.density[i] > 0;
  g_assert_cmpuint (n, ==, 1);
  drawing_end (&drawing);
}

/* Red of full strength is in the direction of the box of red, a third further out. */
static void
test_red (void)
{
  Drawing drawing;
  gint x[2], y[2];

  find_place (&(Chroma){ 128, 128 }, &x[0], &y[0]);
  find_place (&bars_709[4], &x[1], &y[1]);
  drawing_new (&drawing, &bt709);
  take_picture (&drawing, "pattern=red", "format=I420,colorimetry=bt709");
  drawing_draw (&drawing);
  Dots dots = find_dots (&drawing, &bt709);
  gdouble far = hypot (dots.x - x[0], dots.y - y[0]), box = hypot (x[1] - x[0], y[1] - y[0]);
  gdouble turn = atan2 (dots.y - y[0], dots.x - x[0]) - atan2 (y[1] - y[0], x[1] - x[0]);
  g_assert_cmpfloat (fabs (turn), <, 0.05);
  g_assert_cmpfloat_with_epsilon (far / box, 4.0 / 3, 0.05);
  drawing_end (&drawing);
}

/* Each sample of chroma is in one bin, wherever it lies and however deep it is, and those of a red
 * picture all in that of red. Gray has none. */
static void
test_formats (void)
{
  static const struct {
    const gchar *format;
    guint samples;
  } formats[] = { { "I420", 160 * 120 }, { "NV21", 160 * 120 }, { "UYVY", 160 * 240 },
    { "AYUV", 320 * 240 }, { "I420_10LE", 160 * 120 }, { "Y444_12LE", 320 * 240 },
    { "P010_10LE", 160 * 120 }, { "GRAY8", 0 } };

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    g_autofree gchar *format = g_strdup_printf ("format=%s,colorimetry=bt709", formats[i].format);
    g_autoptr (GstVyreResults) results = measure_picture ("pattern=red", format);
    gsize n;
    g_autofree guint64 *bins = gst_vyre_results_get_array (results, "chroma", &n);
    g_assert_cmpuint (n, ==, formats[i].samples > 0 ? PARTS * PARTS : 0);
    if (bins) /* u is 102 and v 240 of 8 bits */
      g_assert_cmpuint (bins[30 * PARTS + 13], ==, formats[i].samples);
  }
}

/* A single sample shows beside a million others, which show more. */
static void
test_density (void)
{
  Drawing drawing;
  g_autoptr (GString) text = g_string_new ("vyre-results, chroma=(structure)\"chroma");
  gint x, y, other_x, other_y;

  find_place (&(Chroma){ 128, 128 }, &x, &y);
  find_place (&(Chroma){ 128, 160 }, &other_x, &other_y);
  for (guint i = 0; i < PARTS * PARTS; i++)
    g_string_append_printf (text, "\\,\\ bin-%u\\=\\(guint64\\)%u", i,
        i == 16 * PARTS + 16   ? 1000000
        : i == 20 * PARTS + 16 ? 1
                               : 0);
  g_string_append (text, "\\;\"");
  drawing_new (&drawing, &bt709);
  drawing_take (&drawing, 0, text->str + strlen ("vyre-results, "));
  drawing_draw (&drawing);
  guint bright = drawing_at (&drawing, x, y) >> 8 & 0xff;
  guint faint = drawing_at (&drawing, other_x, other_y) >> 8 & 0xff;
  guint none = drawing_at (&drawing, 2 * x - other_x, 2 * y - other_y) >> 8 & 0xff;
  g_assert_cmpuint (bright, >, faint + 60);
  g_assert_cmpuint (faint, >, none + 8);
  drawing_end (&drawing);
}

/* The panel no longer draws a point once no result has it. */
static void
test_forgotten (void)
{
  Drawing drawing;

  drawing_new (&drawing, &bt709);
  take_bin (&drawing, 500, 10);
  drawing_take (&drawing, 5, "complete=true");
  drawing_draw (&drawing);
  g_assert_cmpuint (find_dots (&drawing, &bt709).n, ==, 0);
  drawing_end (&drawing);
}

/* Returns the checksum of what vyrescope draws of caps with this colorimetry. */
static gchar *
sum_frame (const gchar *colorimetry)
{
  g_autofree gchar *launch
      = g_strdup_printf ("videotestsrc num-buffers=1 pattern=black ! "
                         "video/x-raw,format=I420,width=320,height=240,colorimetry=%s ! "
                         "vyrefilter output-mode=passthrough program=builtin:frame-stats ! "
                         "vyrescope panels=vectorscope",
          colorimetry);
  GstHarness *h = gst_harness_new_parse (launch);
  GstMapInfo map;

  gst_harness_set_sink_caps_str (h, "video/x-raw, format=BGRx, width=400, height=400");
  gst_harness_play (h);
  g_autoptr (GstBuffer) frame = gst_harness_pull (h);
  g_assert_true (gst_buffer_map (frame, &map, GST_MAP_READ));
  gchar *sum = g_compute_checksum_for_data (G_CHECKSUM_SHA256, map.data, map.size);
  gst_buffer_unmap (frame, &map);
  gst_harness_teardown (h);
  return sum;
}

/* Caps decide where boxes are: by their matrix, and by their range. */
static void
test_caps (void)
{
  g_autofree gchar *sd = sum_frame ("bt601"), *hd = sum_frame ("bt709");
  g_autofree gchar *full = sum_frame ("1:3:5:1"), *again = sum_frame ("2:3:7:1");

  g_assert_cmpstr (sd, !=, hd);
  g_assert_cmpstr (full, !=, hd);
  g_assert_cmpstr (again, ==, hd);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/vectorscope/places", test_places);
  g_test_add_func ("/vectorscope/bars", test_bars);
  g_test_add_func ("/vectorscope/grey", test_grey);
  g_test_add_func ("/vectorscope/red", test_red);
  g_test_add_func ("/vectorscope/formats", test_formats);
  g_test_add_func ("/vectorscope/density", test_density);
  g_test_add_func ("/vectorscope/forgotten", test_forgotten);
  g_test_add_func ("/vectorscope/caps", test_caps);
  /* as long as an element has the kernel, no other one opens it anew */
  GstElement *keeper = gst_object_ref_sink (gst_element_factory_make ("vyrefilter", NULL));
  gst_element_set_state (keeper, GST_STATE_READY);
  int result = g_test_run ();
  gst_element_set_state (keeper, GST_STATE_NULL);
  gst_object_unref (keeper);
  return result;
}
