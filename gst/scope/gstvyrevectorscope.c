/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Chroma as a vectorscope has it, Cb to the right and Cr upwards: the mean of a picture as a cross,
 * the ranges of u and v as a box, saturations as circles, and around all of that, hues. Boxes are
 * where colour bars of 75 % are. Results have no u and v of one sample, so samples are no dots.
 */
#include "scope/gstvyrepanel.h"

#include <math.h>

#define RIM 0.86 /* where hues begin, of the radius */
#define FULL 0.5 /* the chroma at the rim */
#define BOX_SIZE 0.045

typedef struct {
  gdouble x, y, radius;
} Disc;

/* Colour bars of 75 %, in Cb and Cr of BT.709 */
static const struct {
  const gchar *name;
  gdouble u, v;
} targets[] = { { "R", -0.0752, 0.3281 }, { "Mg", 0.2529, 0.2980 }, { "B", 0.3281, -0.0301 },
  { "Cy", 0.0752, -0.3281 }, { "G", -0.2529, -0.2980 }, { "Yl", -0.3281, 0.0301 } };

static gboolean
vectorscope_has_results (const GstVyreModel *model)
{
  return model->chroma.has_mean;
}

static Disc
vectorscope_place (const GstVyrePen *pen, const GstVyreBox *box)
{
  gdouble room = MIN (box->width, box->height) - pen->em * 1.5;

  return (Disc){ box->x + box->width / 2, box->y + (box->height - pen->em * 0.5) / 2,
    MAX (room / 2, 1) };
}

static gdouble
vectorscope_find_x (const Disc *disc, gdouble u)
{
  return disc->x + disc->radius * RIM * u / FULL;
}

static gdouble
vectorscope_find_y (const Disc *disc, gdouble v)
{
  return disc->y - disc->radius * RIM * v / FULL;
}

static void
vectorscope_circle (GstVyrePen *pen, const Disc *disc, gdouble radius)
{
  cairo_new_sub_path (pen->cr);
  cairo_arc (pen->cr, disc->x, disc->y, disc->radius * RIM * radius / FULL, 0, 2 * G_PI);
  cairo_stroke (pen->cr);
}

static void
vectorscope_draw_targets (GstVyrePen *pen, const Disc *disc)
{
  gdouble size = disc->radius * BOX_SIZE;

  for (guint i = 0; i < G_N_ELEMENTS (targets); i++) {
    gdouble x = vectorscope_find_x (disc, targets[i].u),
            y = vectorscope_find_y (disc, targets[i].v);
    gdouble length = hypot (targets[i].u, targets[i].v);
    gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_DIM, 0.8);
    cairo_rectangle (pen->cr, x - size, y - size, 2 * size, 2 * size);
    cairo_stroke (pen->cr);
    if (disc->radius < pen->em * 6)
      continue;
    gst_vyre_pen_write (pen, targets[i].name, x + targets[i].u / length * (size + pen->em),
        y - targets[i].v / length * (size + pen->em), 0.5);
  }
}

static void
vectorscope_draw_still (GstVyrePen *pen, const GstVyreModel *model, const GstVyreBox *box)
{
  Disc disc = vectorscope_place (pen, box);
  gdouble reach = disc.radius * RIM;

  gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_GRID, 1);
  gst_vyre_pen_rule (pen, disc.x - reach, disc.y, disc.x + reach, disc.y, pen->line / 2);
  gst_vyre_pen_rule (pen, disc.x, disc.y - reach, disc.x, disc.y + reach, pen->line / 2);
  cairo_set_line_width (pen->cr, pen->line / 2);
  vectorscope_circle (pen, &disc, FULL / 2);
  vectorscope_circle (pen, &disc, FULL);
  vectorscope_draw_targets (pen, &disc);
  if (disc.radius < pen->em * 6)
    return;
  gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_DIM, 1);
  gst_vyre_pen_write (pen, "Cb", disc.x + reach - pen->em * 0.4, disc.y - pen->em * 0.8, 1);
  gst_vyre_pen_write (pen, "Cr", disc.x + pen->em * 0.5, disc.y - reach + pen->em, 0);
}

/* Sets the colour that samples of this direction have. */
static void
vectorscope_set_hue (GstVyrePen *pen, gdouble u, gdouble v)
{
  gdouble luma = 0.55, strength = 0.38;
  gdouble red = luma + 1.5748 * v * strength, blue = luma + 1.8556 * u * strength;
  gdouble green = luma - (0.1873 * u + 0.4681 * v) * strength;

  cairo_set_source_rgb (pen->cr, CLAMP (red, 0, 1), CLAMP (green, 0, 1), CLAMP (blue, 0, 1));
}

/* Draws hues outside of the rim. A degree is that of atan2 (u, v), and 180 more. */
static void
vectorscope_draw_hues (GstVyrePen *pen, const GstVyreChroma *chroma, const Disc *disc)
{
  gdouble inner = disc->radius * RIM, room = disc->radius - inner;

  for (guint i = 0; i < GST_VYRE_MODEL_HUES; i++) {
    if (chroma->hues[i] <= 0)
      continue;
    gdouble middle = (i + 0.5 - 180) * G_PI / 180; /* from upwards, clockwise */
    gdouble outer = inner + room * (0.12 + 0.88 * sqrt (chroma->hues[i]));
    gdouble first = middle - G_PI_2 - G_PI / 240, last = middle - G_PI_2 + G_PI / 240;
    cairo_arc (pen->cr, disc->x, disc->y, outer, first, last);
    cairo_arc_negative (pen->cr, disc->x, disc->y, inner, last, first);
    cairo_close_path (pen->cr);
    vectorscope_set_hue (pen, sin (middle), cos (middle));
    cairo_fill (pen->cr);
  }
}

static void
vectorscope_draw_range (GstVyrePen *pen, const GstVyreChroma *chroma, const Disc *disc)
{
  gdouble left = vectorscope_find_x (disc, chroma->u_least);
  gdouble top = vectorscope_find_y (disc, chroma->v_most);
  GstVyreBox range = { left, top, vectorscope_find_x (disc, chroma->u_most) - left,
    vectorscope_find_y (disc, chroma->v_least) - top };

  cairo_save (pen->cr);
  cairo_arc (pen->cr, disc->x, disc->y, disc->radius * RIM, 0, 2 * G_PI);
  cairo_clip (pen->cr);
  gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_SKY, 0.14);
  gst_vyre_pen_fill_box (pen, &range);
  cairo_rectangle (pen->cr, range.x, range.y, range.width, range.height);
  gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_SKY, 0.7);
  cairo_set_line_width (pen->cr, pen->line / 2);
  cairo_stroke (pen->cr);
  cairo_restore (pen->cr);
}

/* The mean of saturations as a circle, and their percentile 90 as a dashed one */
static void
vectorscope_draw_saturation (GstVyrePen *pen, const GstVyreChroma *chroma, const Disc *disc)
{
  gdouble dash[] = { pen->em * 0.4, pen->em * 0.3 };

  gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_ORANGE, 1);
  cairo_set_line_width (pen->cr, pen->line * 0.8);
  vectorscope_circle (pen, disc, MIN (chroma->saturation_mean, FULL));
  cairo_set_dash (pen->cr, dash, 2, 0);
  vectorscope_circle (pen, disc, MIN (chroma->saturation_high, FULL));
  cairo_set_dash (pen->cr, NULL, 0, 0);
}

static void
vectorscope_draw (GstVyrePen *pen, const GstVyreModel *model, const GstVyreBox *box)
{
  const GstVyreChroma *chroma = &model->chroma;
  Disc disc = vectorscope_place (pen, box);
  gdouble x = vectorscope_find_x (&disc, chroma->u), y = vectorscope_find_y (&disc, chroma->v);
  gdouble arm = pen->em * 0.55;

  if (!chroma->is_known)
    return;
  if (chroma->has_hues)
    vectorscope_draw_hues (pen, chroma, &disc);
  vectorscope_draw_range (pen, chroma, &disc);
  if (chroma->has_saturation)
    vectorscope_draw_saturation (pen, chroma, &disc);
  gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_TEXT, 1);
  cairo_set_line_width (pen->cr, pen->line * 1.3);
  cairo_move_to (pen->cr, x - arm, y);
  cairo_line_to (pen->cr, x + arm, y);
  cairo_move_to (pen->cr, x, y - arm);
  cairo_line_to (pen->cr, x, y + arm);
  cairo_stroke (pen->cr);
}

const GstVyrePanel gst_vyre_vectorscope
    = { "Vectorscope", "u and v, as builtin:frame-stats has them", vectorscope_has_results,
        vectorscope_draw_still, vectorscope_draw };
