/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Pixels of the vectorscope, the meters and the lights, of results that are known.
 */
#include "drawing.h"

#include <math.h>

#define WIDTH 1500
#define HEIGHT 1080
#define NARROW 400 /* has bars as broad as there is room */

#define STATS(name, value)                                                                         \
  name "=(structure)\"" name "\\,\\ count\\=\\(guint64\\)10\\,\\ min\\=\\(guint64\\)" value        \
       "\\,\\ max\\=\\(guint64\\)" value "\\,\\ sum\\=\\(guint64\\)" value "0\\;\""

/* Returns where the cross of the mean is. */
static void
find_cross (const gchar *fields, gint *x, gint *y)
{
  Drawing drawing;
  gint64 sum_x = 0, sum_y = 0, n = 0;

  drawing_begin (&drawing, WIDTH, HEIGHT, GST_VYRE_PANEL_VECTORSCOPE);
  drawing_take (&drawing, 0, fields);
  drawing_draw (&drawing);
  for (gint row = 0; row < HEIGHT; row++) {
    for (gint column = 0; column < WIDTH; column++) {
      if (!drawing_is (&drawing, column, row, GST_VYRE_COLOUR_TEXT, DRAWING_NEAR))
        continue;
      sum_x += column;
      sum_y += row;
      n++;
    }
  }
  drawing_end (&drawing);
  g_assert_cmpint (n, >, 20);
  *x = (gint)(sum_x / n);
  *y = (gint)(sum_y / n);
}

/* Cb goes to the right and Cr upwards, by the same distance. */
static void
test_chroma (void)
{
  gint x[3], y[3];

  find_cross (STATS ("u", "128") ", " STATS ("v", "128"), &x[0], &y[0]);
  find_cross (STATS ("u", "192") ", " STATS ("v", "128"), &x[1], &y[1]);
  find_cross (STATS ("u", "128") ", " STATS ("v", "192"), &x[2], &y[2]);
  g_assert_cmpint (ABS (x[0] - WIDTH / 2), <=, 2);
  g_assert_cmpint (x[1] - x[0], >, WIDTH / 8);
  g_assert_cmpint (ABS (y[1] - y[0]), <=, 1);
  g_assert_cmpint (ABS (x[2] - x[0]), <=, 1);
  g_assert_cmpint (ABS ((y[0] - y[2]) - (x[1] - x[0])), <=, 2);
}

/* Counts pixels whose strongest component is far above its weakest, in a quarter of the picture. */
static guint
count_coloured (const Drawing *drawing, gboolean is_right, gboolean is_lower)
{
  guint n = 0;

  for (gint y = is_lower * HEIGHT / 2; y < (is_lower + 1) * HEIGHT / 2; y++) {
    for (gint x = is_right * WIDTH / 2; x < (is_right + 1) * WIDTH / 2; x++) {
      guint32 pixel = drawing_at (drawing, x, y);
      gint red = pixel >> 16, green = pixel >> 8 & 0xff, blue = pixel & 0xff;
      n += MAX (red, MAX (green, blue)) - MIN (red, MIN (green, blue)) > 120;
    }
  }
  return n;
}

/* A hue of atan2 (u, v) = 45 degrees is at the upper right; what has no colour has no hue. */
static void
test_hues (void)
{
  Drawing drawing;
  g_autofree gchar *hues = drawing_bins ("hue", 360, 180 + 45, 10);
  g_autofree gchar *fields
      = g_strdup_printf ("%s, %s, %s", STATS ("u", "128"), STATS ("v", "128"), hues);
  g_autofree gchar *grey = drawing_bins ("hue", 360, 180, 10);
  g_autofree gchar *colourless = drawing_bins ("saturation", 1024, 0, 10);
  g_autofree gchar *none = g_strdup_printf (
      "%s, %s, %s, %s", STATS ("u", "128"), STATS ("v", "128"), grey, colourless);

  drawing_begin (&drawing, WIDTH, HEIGHT, GST_VYRE_PANEL_VECTORSCOPE);
  drawing_take (&drawing, 0, fields);
  drawing_draw (&drawing);
  g_assert_cmpuint (count_coloured (&drawing, TRUE, FALSE), >, 50);
  g_assert_cmpuint (count_coloured (&drawing, FALSE, FALSE), ==, 0);
  g_assert_cmpuint (count_coloured (&drawing, TRUE, TRUE), ==, 0);
  drawing_take (&drawing, 1, none);
  for (guint i = 0; i < GST_VYRE_MODEL_HUES; i++)
    g_assert_cmpfloat (drawing.model.chroma.hues[i], ==, 0);
  drawing_end (&drawing);
}

/* Takes a buffer of two channels, of which the first has samples of this size. */
static void
take_sound (Drawing *drawing, gdouble time, guint level, guint clipped)
{
  g_autofree gchar *fields
      = g_strdup_printf ("channel-0=(structure)\"channel-0\\,\\ count\\=\\(guint64\\)10\\,\\ "
                         "peak\\=\\(guint64\\)%u\\,\\ sum-squares\\=\\(guint64\\)%u\\,\\ "
                         "full-scale\\=\\(guint64\\)1000\\,\\ clipped\\=\\(guint64\\)%u\\;\", "
                         "channel-1=(structure)\"channel-1\\,\\ count\\=\\(guint64\\)10\\,\\ "
                         "peak\\=\\(guint64\\)0\\,\\ sum-squares\\=\\(guint64\\)0\\,\\ "
                         "full-scale\\=\\(guint64\\)1000\\,\\ clipped\\=\\(guint64\\)0\\;\"",
          level, level * level * 10, clipped);

  drawing_take (drawing, time, fields);
}

/* Levels are in dB of full scale; a peak falls by 20 dB/s, and is held for 2 s. */
static void
test_levels (void)
{
  Drawing drawing;
  const GstVyreChannel *channel = &drawing.model.channels[0];

  drawing_begin (&drawing, WIDTH, HEIGHT, GST_VYRE_PANEL_METERS);
  gst_vyre_model_set_patience (&drawing.model, 1);
  take_sound (&drawing, 0, 100, 0);
  g_assert_cmpfloat_with_epsilon (channel->rms, -20, 1e-6);
  g_assert_cmpfloat_with_epsilon (channel->peak, -20, 1e-6);
  take_sound (&drawing, 0.5, 1, 0);
  g_assert_cmpfloat_with_epsilon (channel->rms, -60, 1e-6);
  g_assert_cmpfloat_with_epsilon (channel->peak, -30, 1e-6);
  g_assert_cmpfloat_with_epsilon (channel->hold, -20, 1e-6);
  take_sound (&drawing, 2, 1, 0);
  g_assert_cmpfloat_with_epsilon (channel->hold, -20, 1e-6);
  take_sound (&drawing, 2.1, 10, 0);
  g_assert_cmpfloat_with_epsilon (channel->hold, -40, 1e-6);
  g_assert_cmpfloat_with_epsilon (channel->peak, -40, 1e-6);
  g_assert_cmpuint (drawing.model.n_channels, ==, 2);
  drawing_end (&drawing);
}

/* Returns how many rows of the first channel's bar are filled. */
static guint
count_filled (Drawing *drawing)
{
  guint n = 0;

  for (gint y = 0; y < HEIGHT; y++)
    n += drawing_is (drawing, NARROW / 4 + 20, y, GST_VYRE_COLOUR_GREEN, 10)
         || drawing_is (drawing, NARROW / 4 + 20, y, GST_VYRE_COLOUR_YELLOW, 10)
         || drawing_is (drawing, NARROW / 4 + 20, y, GST_VYRE_COLOUR_VERMILION, 10);
  return n;
}

/* 20 dB more are 20 of 60 parts of the scale, whatever the zones. */
static void
test_bars (void)
{
  Drawing drawing;
  guint rows[3];
  static const guint levels[] = { 10, 100, 1000 };

  drawing_begin (&drawing, NARROW, HEIGHT, GST_VYRE_PANEL_METERS);
  for (guint i = 0; i < 3; i++) {
    take_sound (&drawing, i, levels[i], 0);
    drawing_draw (&drawing);
    rows[i] = count_filled (&drawing);
  }
  g_assert_cmpuint (rows[0], >, HEIGHT / 5);
  g_assert_cmpint (ABS ((gint)rows[1] - 2 * (gint)rows[0]), <=, 6);
  g_assert_cmpint (ABS ((gint)rows[2] - 3 * (gint)rows[0]), <=, 9);
  g_assert_cmpint (drawing_find_column (&drawing, HEIGHT * 7 / 8, GST_VYRE_COLOUR_GREEN, 10), <,
      NARROW / 2); /* the second channel is quiet */
  drawing_end (&drawing);
}

/* Returns where the line of a second of this level is. */
static gint
find_level (guint level)
{
  Drawing drawing;

  drawing_begin (&drawing, WIDTH, HEIGHT, GST_VYRE_PANEL_TIMELINE);
  for (guint i = 0; i <= 10; i++)
    take_sound (&drawing, i, level, 0);
  gint row = drawing_find_line (&drawing);
  drawing_end (&drawing);
  return row;
}

/* Without luma the timeline has levels, in dB. */
static void
test_level_over_time (void)
{
  gint loud = find_level (1000), middle = find_level (100), quiet = find_level (10);

  g_assert_cmpint (middle - loud, >, HEIGHT / 5);
  g_assert_cmpint (ABS ((middle - loud) - (quiet - middle)), <=, 2);
}

/* A clipped sample is told of for 2 s, as an alarm at once. */
static void
test_clipping (void)
{
  Drawing drawing;

  drawing_begin (&drawing, WIDTH, HEIGHT, GST_VYRE_PANEL_METERS);
  gst_vyre_model_set_patience (&drawing.model, 1);
  take_sound (&drawing, 0, 10, 0);
  drawing_draw (&drawing);
  g_assert_cmpuint (drawing_count (&drawing, GST_VYRE_COLOUR_VERMILION, 5), ==, 0);
  take_sound (&drawing, 1, 10, 3);
  g_assert_cmpint (drawing.model.lights[GST_VYRE_LIGHT_CLIPPING].state, ==, GST_VYRE_LIGHT_ALARM);
  g_assert_cmpstr (drawing.model.lights[GST_VYRE_LIGHT_CLIPPING].text, ==, "3 samples");
  take_sound (&drawing, 2.9, 10, 0);
  g_assert_cmpint (drawing.model.lights[GST_VYRE_LIGHT_CLIPPING].state, ==, GST_VYRE_LIGHT_GOOD);
  drawing_draw (&drawing);
  g_assert_cmpuint (drawing_count (&drawing, GST_VYRE_COLOUR_VERMILION, 5), >, 500);
  take_sound (&drawing, 3.1, 10, 0);
  drawing_draw (&drawing);
  g_assert_cmpuint (drawing_count (&drawing, GST_VYRE_COLOUR_VERMILION, 5), ==, 0);
  drawing_end (&drawing);
}

/* Counts the pixels that two pictures of a light do not share as lit or not, whatever the colour.
 */
static guint
count_other_shape (const Drawing *a, const Drawing *b)
{
  guint n = 0;

  for (gint y = 0; y < HEIGHT; y++) {
    for (gint x = 0; x < 60; x++)
      n += drawing_is (a, x, y, GST_VYRE_COLOUR_PANEL, 20)
           != drawing_is (b, x, y, GST_VYRE_COLOUR_PANEL, 20);
  }
  return n;
}

static void
draw_light (Drawing *drawing, GstVyreLightState state)
{
  drawing_begin (drawing, WIDTH, HEIGHT, GST_VYRE_PANEL_LIGHTS);
  drawing_take (drawing, 0, "complete=true");
  drawing->model.lights[GST_VYRE_LIGHT_COMPLETE].state = state;
  drawing_draw (drawing);
}

/* States have shapes of their own, beside colours. */
static void
test_shapes (void)
{
  Drawing good, notice, alarm;

  draw_light (&good, GST_VYRE_LIGHT_GOOD);
  draw_light (&notice, GST_VYRE_LIGHT_NOTICE);
  draw_light (&alarm, GST_VYRE_LIGHT_ALARM);
  g_assert_cmpuint (drawing_count (&good, GST_VYRE_COLOUR_GREEN, 5), >, 100);
  g_assert_cmpuint (drawing_count (&notice, GST_VYRE_COLOUR_YELLOW, 5), >, 100);
  g_assert_cmpuint (drawing_count (&alarm, GST_VYRE_COLOUR_VERMILION, 5), >, 100);
  g_assert_cmpuint (count_other_shape (&good, &notice), >, 100);
  g_assert_cmpuint (count_other_shape (&good, &alarm), >, 60);
  g_assert_cmpuint (count_other_shape (&notice, &alarm), >, 100);
  drawing_end (&good);
  drawing_end (&notice);
  drawing_end (&alarm);
}

static void
check_light (GstVyreLightId id, const gchar *fields, gboolean holds, const gchar *text)
{
  Drawing drawing;

  drawing_begin (&drawing, 64, 64, 0);
  gst_vyre_model_set_patience (&drawing.model, 1);
  drawing_take (&drawing, 0, fields);
  g_assert_cmpint (
      drawing.model.lights[id].state, ==, holds ? GST_VYRE_LIGHT_NOTICE : GST_VYRE_LIGHT_GOOD);
  g_assert_cmpstr (drawing.model.lights[id].text, ==, text);
  drawing_take (&drawing, 2, fields);
  g_assert_cmpint (
      drawing.model.lights[id].state, ==, holds ? GST_VYRE_LIGHT_ALARM : GST_VYRE_LIGHT_GOOD);
  drawing_end (&drawing);
}

#define ROWS(name, begin, end)                                                                     \
  name "=(structure)\"" name "\\,\\ count\\=\\(guint64\\)1\\,\\ begin\\=\\(guint64\\)" begin       \
       "\\,\\ end\\=\\(guint64\\)" end "\\;\""
#define LOUD(head)                                                                                 \
  "loud=(structure)\"loud\\,\\ count\\=\\(guint64\\)10\\,\\ head\\=\\(guint64\\)" head "\\;\""
#define CHANGE(name, sum)                                                                          \
  name "=(structure)\"" name "\\,\\ count\\=\\(guint64\\)1000\\,\\ sum\\=\\(guint64\\)" sum "\\;"  \
       "\""
#define LUMA STATS ("luma", "99")

/* Each condition, on either side of its limit */
static void
test_conditions (void)
{
  check_light (GST_VYRE_LIGHT_SILENCE, LOUD ("9"), FALSE, "sound");
  check_light (GST_VYRE_LIGHT_SILENCE, LOUD ("10"), TRUE, "quiet");
  check_light (GST_VYRE_LIGHT_FREEZE, CHANGE ("luma-change", "256"), TRUE, "\316\224 0.10 %");
  check_light (GST_VYRE_LIGHT_FREEZE, CHANGE ("luma-change", "257"), FALSE, "\316\224 0.10 %");
  check_light (GST_VYRE_LIGHT_FREEZE, CHANGE ("luma-change", "256") ", " CHANGE ("v-change", "257"),
      FALSE, "\316\224 0.10 %");
  check_light (GST_VYRE_LIGHT_RANGE, LUMA ", out-of-range=(guint64)0", FALSE, "0.00 %");
  check_light (GST_VYRE_LIGHT_RANGE, LUMA ", out-of-range=(guint64)1", TRUE, "10.00 %");
  check_light (GST_VYRE_LIGHT_BORDERS, ROWS ("rows", "0", "9") ", " ROWS ("columns", "0", "9"),
      FALSE, "none");
  check_light (GST_VYRE_LIGHT_BORDERS, ROWS ("rows", "2", "9") ", " ROWS ("columns", "1", "9"),
      TRUE, "left 1, top 2");
  check_light (GST_VYRE_LIGHT_BORDERS, ROWS ("rows", "9", "0") ", " ROWS ("columns", "9", "0"),
      FALSE, "none");
  check_light (GST_VYRE_LIGHT_COMPLETE, "complete=true", FALSE, "yes");
  check_light (GST_VYRE_LIGHT_COMPLETE, "complete=false", TRUE, "faults");
  check_light (GST_VYRE_LIGHT_COMPLETE, "complete=false, missing=true", TRUE, "no results");
}

#define STATS_TEXT(batches, copied)                                                                \
  "application/x-vyrefilter-stats, batches=(guint64)" batches ", latency-p50=(guint64)1000000, "   \
  "latency-p99=(guint64)18446744073709551615, queue-depth=(guint64)3, kernel-tenants=(guint64)2, " \
  "runtime=(structure)\"runtime\\,\\ occupied-bps\\=\\(guint64\\)5000\\;\", "                      \
  "ingest=(structure)\"ingest\\,\\ arena-bytes\\=\\(guint64\\)300\\,\\ "                           \
  "cpu-bounce-bytes\\=\\(guint64\\)" copied "\\;\";"

static void
take_stats (Drawing *drawing, const gchar *text, gdouble now)
{
  GstStructure *stats = gst_structure_from_string (text, NULL);

  g_assert_nonnull (stats);
  gst_vyre_model_take_stats (&drawing->model, stats, now);
  gst_structure_free (stats);
}

/* Counters are drawn where they are asked for, as bars of their share; rates are of differences. */
static void
test_engine (void)
{
  Drawing drawing;
  const GstVyreEngine *engine = &drawing.model.engine;

  drawing_begin (&drawing, WIDTH, HEIGHT, 0);
  take_stats (&drawing, STATS_TEXT ("10", "300"), 5);
  take_stats (&drawing, STATS_TEXT ("70", "300"), 7);
  g_assert_cmpfloat_with_epsilon (engine->rate, 30, 1e-9);
  g_assert_cmpfloat_with_epsilon (engine->p50, 0.001, 1e-9);
  g_assert_cmpfloat (engine->p99, <, 0);
  g_assert_cmpfloat_with_epsilon (engine->occupied, 0.5, 1e-9);
  g_assert_cmpfloat_with_epsilon (engine->in_flight, 3, 1e-9);
  g_assert_cmpfloat_with_epsilon (engine->streams, 2, 1e-9);
  drawing_draw (&drawing);
  g_assert_cmpuint (drawing_count (&drawing, GST_VYRE_COLOUR_VERMILION, 5), ==, 0);
  drawing.look.panels = GST_VYRE_PANEL_ENGINE;
  drawing_draw (&drawing);
  guint half = drawing_count (&drawing, GST_VYRE_COLOUR_VERMILION, 5);
  guint other = drawing_count (&drawing, GST_VYRE_COLOUR_GREEN, 5);
  take_stats (&drawing, STATS_TEXT ("70", "0"), 8);
  drawing_draw (&drawing);
  g_assert_cmpuint (half, >, WIDTH);
  g_assert_cmpfloat_with_epsilon ((gdouble)half / other, 1, 0.01);
  g_assert_cmpuint (drawing_count (&drawing, GST_VYRE_COLOUR_VERMILION, 5), ==, 0);
  gst_vyre_model_reset (&drawing.model);
  g_assert_true (engine->is_there);
  drawing_end (&drawing);
}

#define STATE(name, state)                                                                         \
  "event-states=(structure)\"event-states\\,\\ " name "\\=\\(string\\)" state "\\;\""

/* Lights follow the events of the program. A few quiet samples at the end of a buffer open an
 * interval, and are no silence. */
static void
test_events (void)
{
  static const struct {
    const gchar *fields;
    GstVyreLightId light;
    GstVyreLightState state;
  } steps[] = {
    { LOUD ("10") ", " STATE ("silence", "open"), GST_VYRE_LIGHT_SILENCE, GST_VYRE_LIGHT_NOTICE },
    { LOUD ("9") ", " STATE ("silence", "open"), GST_VYRE_LIGHT_SILENCE, GST_VYRE_LIGHT_GOOD },
    { LOUD ("9") ", " STATE ("silence", "event"), GST_VYRE_LIGHT_SILENCE, GST_VYRE_LIGHT_ALARM },
    { LOUD ("10") ", " STATE ("silence", "none"), GST_VYRE_LIGHT_SILENCE, GST_VYRE_LIGHT_GOOD },
    { ROWS ("rows", "0", "9") ", " ROWS ("columns", "0", "9") ", " STATE ("borders", "event"),
        GST_VYRE_LIGHT_BORDERS, GST_VYRE_LIGHT_ALARM },
    { ROWS ("rows", "3", "9") ", " ROWS ("columns", "3", "9") ", " STATE ("borders", "none"),
        GST_VYRE_LIGHT_BORDERS, GST_VYRE_LIGHT_GOOD },
    { CHANGE ("luma-change", "0") ", " STATE ("freeze", "none"), GST_VYRE_LIGHT_FREEZE,
        GST_VYRE_LIGHT_GOOD },
    { CHANGE ("luma-change", "0") ", " STATE ("black", "event"), GST_VYRE_LIGHT_FREEZE,
        GST_VYRE_LIGHT_NOTICE },
  };
  Drawing drawing;

  drawing_begin (&drawing, WIDTH, HEIGHT, GST_VYRE_PANEL_LIGHTS);
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++) {
    drawing_take (&drawing, i * 0.04, steps[i].fields);
    g_assert_cmpint (drawing.model.lights[steps[i].light].state, ==, steps[i].state);
  }
  drawing_end (&drawing);
}

/* What no result tells of any more is empty, in its place. */
static void
test_forgotten (void)
{
  Drawing drawing;
  const GstVyreModel *model = &drawing.model;
  g_autofree gchar *hues = drawing_bins ("hue", 360, 45, 10);
  g_autofree gchar *bins = drawing_bins ("luma-histogram", 256, 128, 10);
  g_autofree gchar *fields
      = g_strdup_printf ("%s, %s, %s, %s", STATS ("u", "128"), STATS ("v", "128"), hues, bins);

  drawing_begin (&drawing, WIDTH, HEIGHT, GST_VYRE_PANEL_VECTORSCOPE);
  drawing_take (&drawing, 0, fields);
  take_sound (&drawing, 0, 100, 1);
  drawing_draw (&drawing);
  guint shape = model->shape, cross = drawing_count (&drawing, GST_VYRE_COLOUR_TEXT, DRAWING_NEAR);
  for (guint i = 1; i <= 3; i++)
    drawing_take (&drawing, i, "complete=true");
  drawing_draw (&drawing);
  g_assert_cmpuint (cross, >, 20);
  g_assert_cmpuint (drawing_count (&drawing, GST_VYRE_COLOUR_TEXT, DRAWING_NEAR), ==, 0);
  g_assert_cmpuint (model->shape, ==, shape + 1); /* of the new light alone */
  g_assert_cmpfloat (model->histograms[GST_VYRE_HISTOGRAM_LUMA].bins[128], ==, 0);
  g_assert_true (model->histograms[GST_VYRE_HISTOGRAM_LUMA].is_there);
  g_assert_false (model->chroma.has_hues);
  g_assert_cmpuint (model->n_channels, ==, 2);
  g_assert_cmpfloat (model->channels[0].rms, ==, GST_VYRE_MODEL_FLOOR);
  g_assert_cmpfloat (model->channels[0].hold, ==, GST_VYRE_MODEL_FLOOR);
  g_assert_cmpfloat (model->channels[0].clip_time, <, 0);
  g_assert_cmpint (model->lights[GST_VYRE_LIGHT_CLIPPING].state, ==, GST_VYRE_LIGHT_UNKNOWN);
  g_assert_cmpint (model->lights[GST_VYRE_LIGHT_COMPLETE].state, ==, GST_VYRE_LIGHT_GOOD);
  drawing_end (&drawing);
}

/* Returns how many rows of the picture have a pixel that is far from that of the panel. */
static guint
count_written (const Drawing *drawing, gint left, gint right)
{
  guint n = 0;

  for (gint y = 18; y < drawing->look.height - 6; y++) {
    gboolean is_written = FALSE;
    for (gint x = left; x < right; x++)
      is_written = is_written || !drawing_is (drawing, x, y, GST_VYRE_COLOUR_PANEL, 60);
    n += is_written;
  }
  return n;
}

#define ALL_LIGHTS                                                                                 \
  LUMA ", black=(guint64)0, out-of-range=(guint64)0, complete=true, " CHANGE ("luma-change",       \
      "999") ", " LOUD ("1") ", " ROWS ("rows", "0", "9") ", " ROWS ("columns", "0", "9")

/* Where rows of lights do not fit there are columns of them, so that no light covers another one;
 * names that do not fit are left out. */
static void
test_crowded_lights (void)
{
  static const gint sizes[][2] = { { 80, 180 }, { 320, 60 }, { 64, 64 } };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    Drawing drawing;
    drawing_begin (&drawing, sizes[i][0], sizes[i][1], GST_VYRE_PANEL_LIGHTS);
    drawing_take (&drawing, 0, ALL_LIGHTS);
    drawing_draw (&drawing);
    guint green = drawing_count (&drawing, GST_VYRE_COLOUR_GREEN, 5);
    g_assert_true (i < 2 || drawing_count (&drawing, GST_VYRE_COLOUR_TEXT, 80) == 0);
    drawing_end (&drawing);
    drawing_begin (&drawing, 640, 180, GST_VYRE_PANEL_LIGHTS);
    drawing_take (&drawing, 0, ALL_LIGHTS);
    drawing_draw (&drawing);
    guint whole = drawing_count (&drawing, GST_VYRE_COLOUR_GREEN, 5);
    drawing_end (&drawing);
    g_assert_cmpuint (whole, >, 6 * 10);
    g_assert_cmpuint (green, >=, whole * 9 / 10);
  }
}

/* Rows that do not fit are left out, and so are those whose names do not fit. */
static void
test_crowded_engine (void)
{
  static const gint sizes[][2] = { { 320, 60 }, { 76, 120 } };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    Drawing drawing;
    drawing_begin (&drawing, sizes[i][0], sizes[i][1], GST_VYRE_PANEL_ENGINE);
    take_stats (&drawing, STATS_TEXT ("10", "300"), 5);
    drawing_draw (&drawing);
    guint written = count_written (&drawing, 8, sizes[i][0] / 2);
    g_assert_cmpuint (written, >=, 8);
    g_assert_cmpuint (written, <, (guint)(i == 0 ? 32 : 48)); /* rows have gaps */
    for (gint x = 0; x < sizes[i][0]; x++)
      g_assert_true (drawing_is (&drawing, x, sizes[i][1] - 2, GST_VYRE_COLOUR_BACK, 5));
    drawing_end (&drawing);
  }
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/scope/chroma", test_chroma);
  g_test_add_func ("/scope/hues", test_hues);
  g_test_add_func ("/scope/levels", test_levels);
  g_test_add_func ("/scope/bars", test_bars);
  g_test_add_func ("/scope/level-over-time", test_level_over_time);
  g_test_add_func ("/scope/clipping", test_clipping);
  g_test_add_func ("/scope/shapes", test_shapes);
  g_test_add_func ("/scope/engine", test_engine);
  g_test_add_func ("/scope/conditions", test_conditions);
  g_test_add_func ("/scope/events", test_events);
  g_test_add_func ("/scope/forgotten", test_forgotten);
  g_test_add_func ("/scope/crowded-lights", test_crowded_lights);
  g_test_add_func ("/scope/crowded-engine", test_crowded_engine);
  return g_test_run ();
}
