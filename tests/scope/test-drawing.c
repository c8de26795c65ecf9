/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Pixels of panels, of results that are known. A place is never that of the code: a test compares
 * places of several results with each other.
 */
#include "drawing.h"

#define WIDTH 1920
#define HEIGHT 1080

/* The luma of a picture of 100 samples that all have @level */
#define FLAT                                                                                       \
  "luma=(structure)\"luma\\,\\ count\\=\\(guint64\\)100\\,\\ min\\=\\(guint64\\)%u\\,\\ "          \
  "max\\=\\(guint64\\)%u\\,\\ sum\\=\\(guint64\\)%u\\,\\ sum-squares\\=\\(guint64\\)0\\;\""

static void
take_flat (Drawing *drawing, gdouble time, guint level, const gchar *more)
{
  g_autofree gchar *luma = g_strdup_printf (FLAT, level, level, level * 100);
  g_autofree gchar *all = g_strconcat (luma, more, NULL);

  drawing_take (drawing, time, all);
}

static gint
find_mean (guint level)
{
  Drawing drawing;

  drawing_begin (&drawing, WIDTH, HEIGHT, GST_VYRE_PANEL_TIMELINE);
  for (guint i = 0; i <= 100; i++)
    take_flat (&drawing, i / 10.0, level, "");
  gint row = drawing_find_line (&drawing);
  drawing_end (&drawing);
  return row;
}

/* The mean is a line, higher for lighter pictures, on an even scale. */
static void
test_mean (void)
{
  gint dark = find_mean (64), middle = find_mean (128), light = find_mean (192);

  g_assert_cmpint (dark - middle, >, HEIGHT / 8);
  g_assert_cmpint (ABS ((dark - middle) - (middle - light)), <=, 1);
}

/* Of 10 bits the same picture has its line at the same place. */
static void
test_depth (void)
{
  Drawing drawing;

  drawing_begin (&drawing, WIDTH, HEIGHT, GST_VYRE_PANEL_TIMELINE);
  for (guint i = 0; i <= 100; i++)
    take_flat (&drawing, i / 10.0, 512, "");
  g_assert_cmpuint (drawing.model.depth, ==, 10);
  gint row = drawing_find_line (&drawing);
  g_assert_cmpint (ABS (row - find_mean (128)), <=, 1);
  gst_vyre_model_reset (&drawing.model);
  g_assert_cmpuint (drawing.model.depth, ==, 8);
  gst_vyre_model_begin (&drawing.model, 9, &drawing.model.colorimetry);
  gst_vyre_model_reset (&drawing.model);
  g_assert_cmpuint (drawing.model.depth, ==, 10); /* what caps say is no result */
  drawing_end (&drawing);
}

/* The history ends at the right side with now, and begins at the left: half of it is empty. */
static void
test_history (void)
{
  Drawing drawing;

  drawing_begin (&drawing, WIDTH, HEIGHT, GST_VYRE_PANEL_TIMELINE);
  for (guint i = 0; i <= 50; i++)
    take_flat (&drawing, 100 + i / 10.0, 100, "");
  drawing_draw (&drawing);
  g_assert_cmpint (
      drawing_find_row (&drawing, WIDTH * 4 / 10, GST_VYRE_COLOUR_TEXT, DRAWING_NEAR), ==, -1);
  g_assert_cmpint (
      drawing_find_row (&drawing, WIDTH * 7 / 10, GST_VYRE_COLOUR_TEXT, DRAWING_NEAR), >=, 0);
  for (guint i = 51; i <= 1000; i++)
    take_flat (&drawing, 100 + i / 10.0, 100, "");
  guint n = drawing.model.points->len - drawing.model.first;
  g_assert_cmpuint (n, >=, 100);
  g_assert_cmpuint (n, <=, 102);
  drawing_end (&drawing);
}

/* Results that are missing leave a gap in the line, and not the line of what was before. */
static void
test_missing (void)
{
  Drawing drawing;

  drawing_begin (&drawing, WIDTH, HEIGHT, GST_VYRE_PANEL_TIMELINE);
  for (guint i = 0; i <= 100; i++) {
    if (i >= 40 && i <= 60)
      drawing_take (&drawing, i / 10.0, "missing=true, complete=false");
    else
      take_flat (&drawing, i / 10.0, 100, ", complete=true");
  }
  g_assert_cmpint (drawing.model.lights[GST_VYRE_LIGHT_COMPLETE].state, ==, GST_VYRE_LIGHT_GOOD);
  drawing_draw (&drawing);
  g_assert_cmpint (
      drawing_find_row (&drawing, WIDTH / 2 + 20, GST_VYRE_COLOUR_TEXT, DRAWING_NEAR), ==, -1);
  g_assert_cmpint (
      drawing_find_row (&drawing, WIDTH / 4, GST_VYRE_COLOUR_TEXT, DRAWING_NEAR), >=, 0);
  g_assert_cmpint (
      drawing_find_row (&drawing, WIDTH * 3 / 4, GST_VYRE_COLOUR_TEXT, DRAWING_NEAR), >=, 0);
  drawing_end (&drawing);
}

/* Returns whether the line, or a lane where @is_lane, is at this share of the width. */
static gboolean
is_drawn (const Drawing *drawing, gdouble share, gboolean is_lane)
{
  GstVyreColourId colour = is_lane ? GST_VYRE_COLOUR_PURPLE : GST_VYRE_COLOUR_TEXT;

  return drawing_find_row (drawing, (gint)(WIDTH * share), colour, is_lane ? 5 : DRAWING_NEAR) >= 0;
}

/* Results that stop coming leave a hole in lines and lanes, and conditions begin anew behind it. */
static void
test_hole (void)
{
  Drawing drawing;
  const GstVyreLight *light = &drawing.model.lights[GST_VYRE_LIGHT_BLACK];

  drawing_begin (&drawing, WIDTH, HEIGHT, GST_VYRE_PANEL_TIMELINE);
  for (guint i = 0; i <= 30; i++)
    take_flat (&drawing, i / 10.0, 16, ", black=(guint64)100");
  g_assert_cmpint (light->state, ==, GST_VYRE_LIGHT_ALARM);
  gst_vyre_model_go_on (&drawing.model, 4);
  g_assert_cmpint (light->state, ==, GST_VYRE_LIGHT_ALARM); /* for as long it is no hole */
  gst_vyre_model_go_on (&drawing.model, 5.5);
  g_assert_cmpint (light->state, ==, GST_VYRE_LIGHT_UNKNOWN);
  drawing_draw (&drawing);
  g_assert_true (is_drawn (&drawing, 0.65, TRUE));
  g_assert_false (is_drawn (&drawing, 0.85, TRUE));
  g_assert_false (is_drawn (&drawing, 0.85, FALSE));
  for (guint i = 60; i <= 100; i++)
    take_flat (&drawing, i / 10.0, 16, ", black=(guint64)100");
  g_assert_cmpfloat_with_epsilon (light->since, 6, 1e-9);
  drawing_draw (&drawing);
  for (guint is_lane = 0; is_lane < 2; is_lane++) {
    g_assert_true (is_drawn (&drawing, 0.2, is_lane));
    g_assert_false (is_drawn (&drawing, 0.5, is_lane));
    g_assert_true (is_drawn (&drawing, 0.8, is_lane));
  }
  drawing_end (&drawing);
}

/* Results of long buffers are no holes from one to the next. */
static void
test_patience (void)
{
  Drawing drawing;

  drawing_begin (&drawing, WIDTH, HEIGHT, GST_VYRE_PANEL_TIMELINE);
  gst_vyre_model_set_patience (&drawing.model, 2);
  for (guint i = 0; i <= 5; i++)
    take_flat (&drawing, 2 * i, 100, ", black=(guint64)100");
  drawing_draw (&drawing);
  g_assert_true (is_drawn (&drawing, 0.5, FALSE));
  g_assert_true (is_drawn (&drawing, 0.5, TRUE));
  g_assert_cmpint (drawing.model.lights[GST_VYRE_LIGHT_BLACK].state, ==, GST_VYRE_LIGHT_ALARM);
  drawing_end (&drawing);
}

/* Results that are a little late are of now; those of a time that is far back begin anew. */
static void
test_late (void)
{
  Drawing drawing;

  drawing_begin (&drawing, WIDTH, HEIGHT, GST_VYRE_PANEL_TIMELINE);
  for (guint i = 0; i < 5; i++)
    take_flat (&drawing, 10 + i, 100, "");
  take_flat (&drawing, 13.5, 100, "");
  g_assert_cmpuint (drawing.model.points->len, ==, 6);
  g_assert_cmpfloat (g_array_index (drawing.model.points, GstVyrePoint, 5).time, ==, 14);
  take_flat (&drawing, 12.9, 100, "");
  g_assert_cmpuint (drawing.model.points->len, ==, 1);
  g_assert_cmpfloat (drawing.model.time, ==, 12.9);
  drawing_end (&drawing);
}

/* The age of a cut is counted from the frame behind it: 1 behind 0 is that of a stream that begins
 * anew. */
static void
test_cut (void)
{
  Drawing drawing;

  drawing_begin (&drawing, WIDTH, HEIGHT, GST_VYRE_PANEL_TIMELINE);
  for (guint i = 0; i <= 100; i++) {
    g_autofree gchar *age
        = g_strdup_printf (", cut-age=(guint64)%u", i % 60 <= 50 ? i % 60 : i % 60 - 50);
    take_flat (&drawing, i / 10.0, 100, age);
  }
  for (guint i = 0; i < drawing.model.points->len; i++)
    g_assert_true (g_array_index (drawing.model.points, GstVyrePoint, i).is_cut == (i == 50));
  drawing_draw (&drawing);
  guint n = drawing_count (&drawing, GST_VYRE_COLOUR_ORANGE, DRAWING_NEAR);
  g_assert_cmpuint (n, >, HEIGHT / 8);
  g_assert_cmpuint (n, <, HEIGHT * 2);
  drawing_end (&drawing);
}

/* A condition fills its lane for as long as it holds, and turns into an alarm after 2 s. */
static void
test_black (void)
{
  Drawing drawing;
  const GstVyreLight *light = &drawing.model.lights[GST_VYRE_LIGHT_BLACK];

  drawing_begin (&drawing, WIDTH, HEIGHT, GST_VYRE_PANEL_TIMELINE);
  gst_vyre_model_set_patience (&drawing.model, 5);
  take_flat (&drawing, 0, 16, ", black=(guint64)97");
  g_assert_cmpint (light->state, ==, GST_VYRE_LIGHT_GOOD);
  drawing_draw (&drawing);
  g_assert_cmpuint (drawing_count (&drawing, GST_VYRE_COLOUR_PURPLE, 5), ==, 0);
  take_flat (&drawing, 5, 16, ", black=(guint64)98");
  g_assert_cmpint (light->state, ==, GST_VYRE_LIGHT_NOTICE);
  take_flat (&drawing, 6.9, 16, ", black=(guint64)100");
  g_assert_cmpint (light->state, ==, GST_VYRE_LIGHT_NOTICE);
  take_flat (&drawing, 7, 16, ", black=(guint64)100");
  g_assert_cmpint (light->state, ==, GST_VYRE_LIGHT_ALARM);
  g_assert_cmpstr (light->text, ==, "100.0 %");
  drawing_draw (&drawing);
  guint two = drawing_count (&drawing, GST_VYRE_COLOUR_PURPLE, 5);
  take_flat (&drawing, 9, 16, ", black=(guint64)100");
  drawing_draw (&drawing);
  guint four = drawing_count (&drawing, GST_VYRE_COLOUR_PURPLE, 5);
  g_assert_cmpuint (two, >, WIDTH / 8);
  g_assert_cmpfloat_with_epsilon ((gdouble)four / two, 2, 0.05);
  take_flat (&drawing, 9.1, 16, ", black=(guint64)0");
  g_assert_cmpint (light->state, ==, GST_VYRE_LIGHT_GOOD);
  drawing_end (&drawing);
}

static gint
find_bin (guint n, guint at, guint depth)
{
  Drawing drawing;
  g_autofree gchar *bins = drawing_bins ("u-histogram", n, at, 77);

  drawing_begin (&drawing, WIDTH, HEIGHT, GST_VYRE_PANEL_HISTOGRAM);
  gst_vyre_model_begin (&drawing.model, depth, &drawing.model.colorimetry);
  drawing_take (&drawing, 0, bins);
  drawing_draw (&drawing);
  gint x = drawing_find_column (&drawing, HEIGHT / 2, GST_VYRE_COLOUR_SKY, DRAWING_NEAR);
  drawing_end (&drawing);
  g_assert_cmpint (x, >=, 0);
  return x;
}

/* Bins lie on an even scale; of deeper samples there are more, in the same width. */
static void
test_bins (void)
{
  gint first = find_bin (1024, 64, 8), second = find_bin (1024, 128, 8);

  g_assert_cmpint (second - first, >, WIDTH / 8);
  g_assert_cmpint (ABS (find_bin (1024, 192, 8) - second - (second - first)), <=, 1);
  g_assert_cmpint (ABS (find_bin (1024, 512, 10) - second), <=, 1);
  g_assert_cmpint (ABS (find_bin (1024, 512, 16) - second), <=, 1);
}

/* Of fewer bins than there are columns each is as broad as its part of the scale. */
static void
test_coarse_bins (void)
{
  Drawing drawing;
  static const guint counts[] = { 1, 3, 64, 100, 256, 300, 1024 };

  for (guint i = 0; i < G_N_ELEMENTS (counts); i++) {
    GString *fields = g_string_new ("histogram=(structure)\"histogram");
    for (guint bin = 0; bin < counts[i]; bin++)
      g_string_append_printf (fields, "\\,\\ bin-%u\\=\\(guint64\\)5", bin);
    g_string_append (fields, "\\;\"");
    drawing_begin (&drawing, WIDTH, HEIGHT, GST_VYRE_PANEL_HISTOGRAM);
    gst_vyre_model_begin (&drawing.model, 10, &drawing.model.colorimetry);
    drawing_take (&drawing, 0, fields->str);
    for (guint bin = 0; bin < GST_VYRE_MODEL_BINS; bin++)
      g_assert_cmpfloat (drawing.model.histograms[GST_VYRE_HISTOGRAM_BYTES].bins[bin], >=, 0.5);
    drawing_end (&drawing);
    g_string_free (fields, TRUE);
  }
}

/* A parade: each histogram that there is has its own plot, in its own colour. */
static void
test_parade (void)
{
  Drawing drawing;
  g_autofree gchar *red = drawing_bins ("red-histogram", 1024, 128, 5);
  g_autofree gchar *green = drawing_bins ("green-histogram", 1024, 128, 5);
  g_autofree gchar *blue = drawing_bins ("blue-histogram", 1024, 128, 5);
  g_autofree gchar *all = g_strjoin (", ", blue, red, green, NULL);

  drawing_begin (&drawing, WIDTH, HEIGHT, GST_VYRE_PANEL_HISTOGRAM);
  drawing_take (&drawing, 0, all);
  drawing_draw (&drawing);
  gint r = drawing_find_column (&drawing, HEIGHT / 2, GST_VYRE_COLOUR_VERMILION, DRAWING_NEAR);
  gint g = drawing_find_column (&drawing, HEIGHT / 2, GST_VYRE_COLOUR_GREEN, DRAWING_NEAR);
  gint b = drawing_find_column (&drawing, HEIGHT / 2, GST_VYRE_COLOUR_SKY, DRAWING_NEAR);
  g_assert_cmpint (ABS (r - WIDTH / 6), <, WIDTH / 30);
  g_assert_cmpint (ABS (g - WIDTH / 2), <, WIDTH / 30);
  g_assert_cmpint (ABS (b - WIDTH * 5 / 6), <, WIDTH / 30);
  drawing_end (&drawing);
}

/* A panel without results is left out, or says so where it was asked for. */
static void
test_nothing (void)
{
  Drawing drawing;

  drawing_begin (&drawing, WIDTH, HEIGHT, 0);
  drawing_draw (&drawing);
  guint none = drawing_count (&drawing, GST_VYRE_COLOUR_PANEL, 0);
  g_assert_cmpuint (none, ==, 0);
  g_assert_cmpuint (drawing_count (&drawing, GST_VYRE_COLOUR_TEXT, DRAWING_NEAR), >, 0);
  take_flat (&drawing, 0, 100, "");
  drawing_draw (&drawing);
  guint one = drawing_count (&drawing, GST_VYRE_COLOUR_PANEL, 0);
  drawing.look.panels = GST_VYRE_PANEL_TIMELINE | GST_VYRE_PANEL_HISTOGRAM;
  drawing_draw (&drawing);
  g_assert_true (drawing_is (&drawing, WIDTH / 2, HEIGHT / 2 - 20, GST_VYRE_COLOUR_PANEL, 60));
  g_assert_cmpuint (one, >, WIDTH * HEIGHT / 2);
  g_assert_cmpint (
      drawing_find_row (&drawing, WIDTH / 2 + 2, GST_VYRE_COLOUR_TEXT, 120), >, HEIGHT / 2);
  drawing_end (&drawing);
}

/* Still parts are kept, and drawn again for another theme or size. */
static void
test_still (void)
{
  Drawing drawing;

  drawing_begin (&drawing, WIDTH, HEIGHT, 0);
  take_flat (&drawing, 0, 100, "");
  drawing_draw (&drawing);
  guint8 *still = cairo_image_surface_get_data (drawing.canvas.still);
  guint8 mark = still[0] ^= 0x55;
  take_flat (&drawing, 1, 100, "");
  drawing_draw (&drawing);
  g_assert_cmpuint (drawing_at (&drawing, 0, 0) & 0xff, ==, mark);
  drawing.look.panels = GST_VYRE_PANEL_TIMELINE;
  drawing_draw (&drawing);
  g_assert_true (drawing_is (&drawing, 0, 0, GST_VYRE_COLOUR_BACK, 1));
  for (guint theme = GST_VYRE_THEME_LIGHT; theme <= GST_VYRE_THEME_CONTRAST; theme++) {
    drawing.look.theme = theme;
    drawing_draw (&drawing);
    g_assert_true (drawing_is (&drawing, 0, 0, GST_VYRE_COLOUR_BACK, 1));
    g_assert_cmpuint (drawing_count (&drawing, GST_VYRE_COLOUR_PANEL, 0), >, WIDTH * HEIGHT / 2);
  }
  drawing_end (&drawing);
}

/* All panels, in sizes from the smallest on, stay inside of their pixels. */
static void
test_sizes (void)
{
  static const gint sizes[][2]
      = { { 64, 64 }, { 64, 1000 }, { 1000, 64 }, { 320, 180 }, { 1919, 1079 }, { 3840, 2160 } };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    Drawing drawing;
    g_autofree gchar *bins = drawing_bins ("luma-histogram", 256, 100, 5);
    g_autofree gchar *more = g_strconcat (", ", bins, NULL);
    drawing_begin (&drawing, sizes[i][0], sizes[i][1], 0);
    take_flat (&drawing, 0, 100, more);
    take_flat (&drawing, 5, 100, ", black=(guint64)100, cut-age=(guint64)1");
    take_flat (&drawing, 6, 100, ", black=(guint64)100, cut-age=(guint64)1");
    drawing_draw (&drawing);
    drawing.look.panels = (1 << GST_VYRE_N_PANELS) - 1;
    drawing_draw (&drawing);
    drawing_end (&drawing);
  }
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/scope/mean", test_mean);
  g_test_add_func ("/scope/depth", test_depth);
  g_test_add_func ("/scope/history", test_history);
  g_test_add_func ("/scope/missing", test_missing);
  g_test_add_func ("/scope/hole", test_hole);
  g_test_add_func ("/scope/patience", test_patience);
  g_test_add_func ("/scope/late", test_late);
  g_test_add_func ("/scope/cut", test_cut);
  g_test_add_func ("/scope/black", test_black);
  g_test_add_func ("/scope/bins", test_bins);
  g_test_add_func ("/scope/coarse-bins", test_coarse_bins);
  g_test_add_func ("/scope/parade", test_parade);
  g_test_add_func ("/scope/nothing", test_nothing);
  g_test_add_func ("/scope/still", test_still);
  g_test_add_func ("/scope/sizes", test_sizes);
  return g_test_run ();
}
