/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Luma over the history: the mean, a band of the percentiles 10 to 90 and one of least to most,
 * cuts as dashed lines, and a lane for each condition.
 */
#include "scope/gstvyrepanel.h"

#include <math.h>

#define LANES 4 /* the first lights */

static const GstVyreColourId lane_colours[LANES] = { GST_VYRE_COLOUR_PURPLE, GST_VYRE_COLOUR_YELLOW,
  GST_VYRE_COLOUR_ORANGE, GST_VYRE_COLOUR_VERMILION };

typedef struct {
  GstVyreBox plot;
  GstVyreBox lanes;
  guint kinds[LANES]; /* lights of the lanes */
  guint n;
  gdouble lane; /* the height of one */
} Place;

/* The values of the points in one column of pixels */
typedef struct {
  gdouble x;
  gfloat mean, least, low, high, most;
} Column;

static Place
timeline_place (const GstVyrePen *pen, const GstVyreModel *model, const GstVyreBox *box)
{
  Place place = { .lane = pen->em * 1.25 };
  gdouble left = pen->em * 5, bottom = pen->em * 1.8;

  for (guint i = 0; i < LANES; i++) {
    if (model->lights[i].is_there)
      place.kinds[place.n++] = i;
  }
  place.lane = MIN (place.lane, box->height * 0.4 / MAX (place.n, 1));
  gdouble lanes = place.n * place.lane;
  place.plot = (GstVyreBox){ box->x + left, box->y + pen->em * 0.6, box->width - left - pen->em,
    box->height - bottom - lanes - pen->em * 0.9 };
  place.lanes = (GstVyreBox){ place.plot.x, place.plot.y + place.plot.height + pen->em * 0.3,
    place.plot.width, lanes };
  return place;
}

static gboolean
timeline_has_results (const GstVyreModel *model)
{
  return model->has_luma || model->n_channels > 0;
}

/* Draws one line of the scale, with its @text where there is room below @last, the text before.
 * Returns the height of the last text. */
static gdouble
timeline_draw_level (GstVyrePen *pen, const GstVyreBox *plot, gdouble share, gboolean is_limit,
    const gchar *text, gdouble last)
{
  gdouble y = plot->y + plot->height * (1 - share);
  gdouble dash[] = { pen->em / 3, pen->em / 3 };

  gst_vyre_pen_set_colour (
      pen, is_limit ? GST_VYRE_COLOUR_DIM : GST_VYRE_COLOUR_GRID, is_limit ? 0.7 : 1);
  cairo_set_dash (pen->cr, dash, is_limit ? 2 : 0, 0);
  gst_vyre_pen_rule (pen, plot->x, y, plot->x + plot->width, y, pen->line / 2);
  cairo_set_dash (pen->cr, NULL, 0, 0);
  if (last - y < pen->em * 1.2)
    return last;
  gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_DIM, 1);
  gst_vyre_pen_write (pen, text, plot->x - pen->em * 0.5, y, 1);
  return y;
}

/* The levels of 8 bits: 16 is black and 235 is white; more bits have as many times more. Of a
 * stream without luma, dB. */
static void
timeline_draw_levels (GstVyrePen *pen, const GstVyreModel *model, const GstVyreBox *plot)
{
  static const guint levels[] = { 16, 64, 128, 192, 235 };
  gdouble last = G_MAXDOUBLE;

  for (guint i = 0; model->has_luma && i < G_N_ELEMENTS (levels); i++) {
    g_autofree gchar *text = g_strdup_printf ("%u", levels[i] << (model->depth - 8));
    last = timeline_draw_level (
        pen, plot, levels[i] / 256.0, levels[i] == 16 || levels[i] == 235, text, last);
  }
  for (gdouble level = GST_VYRE_MODEL_FLOOR + 12; !model->has_luma && level <= 0; level += 12) {
    g_autofree gchar *text
        = level < 0 ? g_strdup_printf ("\342\210\222%g dB", -level) : g_strdup ("0 dB");
    last
        = timeline_draw_level (pen, plot, 1 - level / GST_VYRE_MODEL_FLOOR, level == 0, text, last);
  }
}

/* Returns a distance of marks in s that leaves room for their texts. */
static gdouble
timeline_find_step (const GstVyrePen *pen, gdouble history, gdouble width)
{
  static const gdouble steps[] = { 1, 2, 5, 10, 15, 30, 60, 120, 300, 600 };
  guint i = 0;

  while (i + 1 < G_N_ELEMENTS (steps) && steps[i] / history * width < pen->em * 7)
    i++;
  return steps[i];
}

static void
timeline_draw_times (
    GstVyrePen *pen, const GstVyreModel *model, const GstVyreBox *plot, gdouble bottom)
{
  gdouble step = timeline_find_step (pen, model->history, plot->width);

  for (gdouble ago = 0; ago <= model->history; ago += step) {
    gdouble x = plot->x + plot->width * (1 - ago / model->history);
    g_autofree gchar *text = g_strdup_printf ("\342\210\222%g s", ago);
    gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_GRID, 1);
    gst_vyre_pen_rule (pen, x, plot->y, x, bottom, pen->line / 2);
    gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_DIM, 1);
    gst_vyre_pen_write (pen, ago > 0 ? text : "now", x, bottom + pen->em * 0.9, ago > 0 ? 0.5 : 1);
  }
}

static void
timeline_draw_still (GstVyrePen *pen, const GstVyreModel *model, const GstVyreBox *box)
{
  Place place = timeline_place (pen, model, box);

  timeline_draw_times (pen, model, &place.plot, place.lanes.y + place.lanes.height);
  timeline_draw_levels (pen, model, &place.plot);
  for (guint i = 0; i < place.n; i++) {
    GstVyreBox lane = { place.lanes.x, place.lanes.y + i * place.lane + place.lane * 0.2,
      place.lanes.width, place.lane * 0.6 };
    gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_GRID, 0.6);
    gst_vyre_pen_fill_box (pen, &lane);
    if (place.lane < pen->em)
      continue;
    gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_DIM, 1);
    gst_vyre_pen_write_within (pen, gst_vyre_light_get_name (place.kinds[i]),
        lane.x - pen->em * 0.5, lane.y + lane.height / 2, 1, pen->em * 4.4);
  }
}

static gdouble
timeline_find_x (const GstVyreModel *model, const GstVyreBox *plot, gdouble time)
{
  return plot->x + plot->width * (1 - (model->time - time) / model->history);
}

/* Puts @point into its column: a column of pixels shows all of its points. */
static void
timeline_add (GArray *columns, const GstVyrePoint *point, gdouble x)
{
  Column *last = columns->len > 0 ? &g_array_index (columns, Column, columns->len - 1) : NULL;
  Column column = { x, point->mean, point->least, point->low, point->high, point->most };

  if (!last || x - last->x >= 1) {
    g_array_append_val (columns, column);
    return;
  }
  last->mean = point->mean;
  last->least = MIN (last->least, point->least);
  last->low = MIN (last->low, point->low);
  last->high = MAX (last->high, point->high);
  last->most = MAX (last->most, point->most);
}

/* Fills between two values of the columns, which lie at the offsets @upper and @lower. */
static void
timeline_fill (
    GstVyrePen *pen, const GArray *columns, const GstVyreBox *plot, gsize upper, gsize lower)
{
  gdouble bottom = plot->y + plot->height;

  for (guint i = 0; i < columns->len; i++) {
    const Column *column = &g_array_index (columns, Column, i);
    cairo_line_to (
        pen->cr, column->x, bottom - plot->height * G_STRUCT_MEMBER (gfloat, column, upper));
  }
  for (guint i = columns->len; i > 0; i--) {
    const Column *column = &g_array_index (columns, Column, i - 1);
    cairo_line_to (
        pen->cr, column->x, bottom - plot->height * G_STRUCT_MEMBER (gfloat, column, lower));
  }
  cairo_close_path (pen->cr);
  cairo_fill (pen->cr);
}

/* Draws columns that follow one another, and empties them. */
static void
timeline_draw_run (GstVyrePen *pen, GArray *columns, const GstVyreBox *plot)
{
  if (columns->len > 0) {
    gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_SKY, 0.20);
    timeline_fill (
        pen, columns, plot, G_STRUCT_OFFSET (Column, most), G_STRUCT_OFFSET (Column, least));
    gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_SKY, 0.38);
    timeline_fill (
        pen, columns, plot, G_STRUCT_OFFSET (Column, high), G_STRUCT_OFFSET (Column, low));
    gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_TEXT, 1);
    cairo_set_line_width (pen->cr, pen->line);
    cairo_set_line_join (pen->cr, CAIRO_LINE_JOIN_BEVEL);
    for (guint i = 0; i < columns->len; i++) {
      const Column *column = &g_array_index (columns, Column, i);
      cairo_line_to (pen->cr, column->x, plot->y + plot->height * (1 - column->mean));
    }
    if (columns->len == 1) { /* results on their own are dots */
      const Column *column = &g_array_index (columns, Column, 0);
      cairo_line_to (pen->cr, column->x + pen->line, plot->y + plot->height * (1 - column->mean));
    }
    cairo_stroke (pen->cr);
  }
  g_array_set_size (columns, 0);
}

static void
timeline_draw_bands (GstVyrePen *pen, const GstVyreModel *model, const GstVyreBox *plot)
{
  g_autoptr (GArray) columns = g_array_new (FALSE, FALSE, sizeof (Column));

  for (guint i = model->first; i < model->points->len; i++) {
    const GstVyrePoint *point = &g_array_index (model->points, GstVyrePoint, i);
    if (point->is_there)
      timeline_add (columns, point, timeline_find_x (model, plot, point->time));
    else
      timeline_draw_run (pen, columns, plot);
  }
  timeline_draw_run (pen, columns, plot);
}

/* Marks the cut at @x: a dashed line below a diamond. */
static void
timeline_draw_cut (GstVyrePen *pen, const GstVyreBox *plot, gdouble x)
{
  gdouble size = pen->em * 0.4, dash[] = { pen->em * 0.4, pen->em * 0.25 };

  gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_ORANGE, 1);
  cairo_set_dash (pen->cr, dash, 2, 0);
  gst_vyre_pen_rule (pen, x, plot->y + size, x, plot->y + plot->height, pen->line);
  cairo_set_dash (pen->cr, NULL, 0, 0);
  cairo_move_to (pen->cr, x, plot->y - size);
  cairo_line_to (pen->cr, x + size, plot->y);
  cairo_line_to (pen->cr, x, plot->y + size);
  cairo_line_to (pen->cr, x - size, plot->y);
  cairo_close_path (pen->cr);
  cairo_fill (pen->cr);
}

/* Fills the lane of a condition where that holds. */
static void
timeline_draw_lane (GstVyrePen *pen, const GstVyreModel *model, const Place *place, guint lane)
{
  guint bit = 1u << place->kinds[lane];
  gdouble begin = 0, y = place->lanes.y + (lane + 0.2) * place->lane;
  gboolean holds = FALSE;

  gst_vyre_pen_set_colour (pen, lane_colours[place->kinds[lane]], 1);
  for (guint i = model->first; i <= model->points->len; i++) {
    gboolean is_end = i == model->points->len;
    const GstVyrePoint *point = &g_array_index (model->points, GstVyrePoint, is_end ? i - 1 : i);
    gdouble x = timeline_find_x (model, &place->plot, point->time);
    gboolean goes_on = !is_end && (point->conditions & bit);
    if (goes_on && !holds)
      begin = x;
    if (!goes_on && holds)
      cairo_rectangle (pen->cr, begin, y, MAX (x - begin, pen->line), place->lane * 0.6);
    holds = goes_on;
  }
  cairo_fill (pen->cr);
}

static void
timeline_draw (GstVyrePen *pen, const GstVyreModel *model, const GstVyreBox *box)
{
  Place place = timeline_place (pen, model, box);

  if (model->points->len == 0)
    return;
  cairo_save (pen->cr);
  cairo_rectangle (pen->cr, place.plot.x, box->y, place.plot.width, box->height);
  cairo_clip (pen->cr);
  timeline_draw_bands (pen, model, &place.plot);
  for (guint i = model->first; i < model->points->len; i++) {
    const GstVyrePoint *point = &g_array_index (model->points, GstVyrePoint, i);
    if (point->is_cut)
      timeline_draw_cut (pen, &place.plot, timeline_find_x (model, &place.plot, point->time));
  }
  for (guint i = 0; i < place.n; i++)
    timeline_draw_lane (pen, model, &place, i);
  cairo_restore (pen->cr);
}

const GstVyrePanel gst_vyre_timeline = { "Timeline", "luma, as builtin:frame-stats has it",
  timeline_has_results, timeline_draw_still, timeline_draw };
