/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Chroma as a vectorscope has it, Cb to the right and Cr upwards: the density of samples in their
 * colours, the mean of a picture as a cross, and a ring of hues. Without a joint histogram of u and
 * v their ranges are a box, and saturations circles. Small boxes mark colour bars of 75 %, a line
 * marks skin.
 */
#include "scope/gstvyrepanel.h"

#include <math.h>

#define RIM 0.86 /* where hues begin, of the radius */
#define FULL 0.5 /* the chroma at the rim */
#define BOX_SIZE 0.045
#define BAR 0.75      /* of the strongest colour */
#define FAINTEST 0.15 /* opacity of what has any samples */

typedef struct {
  gdouble x, y, radius;
} Disc;

/* Colour bars of 75 %, in which of red, green and blue they have */
static const struct {
  const gchar *name;
  guint red, green, blue;
} targets[] = { { "R", 1, 0, 0 }, { "Mg", 1, 0, 1 }, { "B", 0, 0, 1 }, { "Cy", 0, 1, 1 },
  { "G", 0, 1, 0 }, { "Yl", 1, 1, 0 } };

typedef struct {
  gdouble u, v;
} Point;

/* Returns where a colour is. */
static Point
vectorscope_find_colour (
    const GstVyreColorimetry *colorimetry, gdouble red, gdouble green, gdouble blue)
{
  gdouble luma = colorimetry->red * red + (1 - colorimetry->red - colorimetry->blue) * green
                 + colorimetry->blue * blue;

  return (Point){ colorimetry->scale * FULL * (blue - luma) / (1 - colorimetry->blue),
    colorimetry->scale * FULL * (red - luma) / (1 - colorimetry->red) };
}

static gboolean
vectorscope_has_results (const GstVyreModel *model)
{
  return model->chroma.is_there;
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
vectorscope_draw_targets (GstVyrePen *pen, const GstVyreColorimetry *colorimetry, const Disc *disc)
{
  gdouble size = disc->radius * BOX_SIZE;

  for (guint i = 0; i < G_N_ELEMENTS (targets); i++) {
    Point at = vectorscope_find_colour (
        colorimetry, BAR * targets[i].red, BAR * targets[i].green, BAR * targets[i].blue);
    gdouble x = vectorscope_find_x (disc, at.u), y = vectorscope_find_y (disc, at.v);
    gdouble length = hypot (at.u, at.v);
    gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_DIM, 0.8);
    cairo_rectangle (pen->cr, x - size, y - size, 2 * size, 2 * size);
    cairo_stroke (pen->cr);
    if (disc->radius < pen->em * 6)
      continue;
    gst_vyre_pen_write (pen, targets[i].name, x + at.u / length * (size + pen->em),
        y - at.v / length * (size + pen->em), 0.5);
  }
}

/* Draws the axis I of NTSC, which skin of any tone is near. */
static void
vectorscope_draw_skin (GstVyrePen *pen, const GstVyreColorimetry *colorimetry, const Disc *disc)
{
  Point at = vectorscope_find_colour (colorimetry, 0.956, -0.272, -1.106);
  gdouble reach = FULL / hypot (at.u, at.v);

  gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_DIM, 0.8);
  gst_vyre_pen_rule (pen, disc->x, disc->y, vectorscope_find_x (disc, at.u * reach),
      vectorscope_find_y (disc, at.v * reach), pen->line / 2);
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
  vectorscope_draw_targets (pen, &model->colorimetry, &disc);
  vectorscope_draw_skin (pen, &model->colorimetry, &disc);
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

/* Returns a component of a colour of this opacity, premultiplied. */
static guint32
vectorscope_premultiply (gdouble component, gdouble opacity)
{
  return (guint32)lrint (CLAMP (component, 0, 1) * opacity * 255);
}

/* Returns a pixel of the colour that chroma has in the middle of luma. */
static guint32
vectorscope_find_pixel (gdouble u, gdouble v, gdouble density)
{
  gdouble luma = 0.62, strength = 0.9;
  gdouble opacity = density > 0 ? FAINTEST + (1 - FAINTEST) * density : 0;
  guint32 red = vectorscope_premultiply (luma + 1.5748 * v * strength, opacity);
  guint32 green = vectorscope_premultiply (luma - (0.1873 * u + 0.4681 * v) * strength, opacity);
  guint32 blue = vectorscope_premultiply (luma + 1.8556 * u * strength, opacity);

  return (guint32)lrint (opacity * 255) << 24 | red << 16 | green << 8 | blue;
}

/* Draws how many samples have a colour: the more, the less of the panel shows through. */
static void
vectorscope_draw_density (GstVyrePen *pen, const GstVyreChroma *chroma, const Disc *disc)
{
  enum { N = GST_VYRE_MODEL_PARTS };
  guint32 pixels[N * N];
  gdouble half = FULL / N; /* a part is around its level */
  gdouble left = vectorscope_find_x (disc, -FULL - half);
  gdouble top = vectorscope_find_y (disc, FULL - half);
  gdouble scale = (vectorscope_find_x (disc, FULL - half) - left) / N;

  for (guint row = 0; row < N; row++) {
    for (guint i = 0; i < N; i++)
      pixels[(N - 1 - row) * N + i] = vectorscope_find_pixel (
          (gdouble)i / N - FULL, (gdouble)row / N - FULL, chroma->density[row * N + i]);
  }
  cairo_surface_t *picture
      = cairo_image_surface_create_for_data ((guchar *)pixels, CAIRO_FORMAT_ARGB32, N, N, N * 4);
  cairo_save (pen->cr);
  cairo_rectangle (pen->cr, left, top, scale * N, scale * N);
  cairo_clip (pen->cr);
  cairo_translate (pen->cr, left, top);
  cairo_scale (pen->cr, scale, scale);
  cairo_set_source_surface (pen->cr, picture, 0, 0);
  cairo_pattern_set_filter (cairo_get_source (pen->cr), CAIRO_FILTER_BILINEAR);
  cairo_paint (pen->cr);
  cairo_restore (pen->cr);
  cairo_surface_destroy (picture);
}

static void
vectorscope_draw_mean (GstVyrePen *pen, const GstVyreChroma *chroma, const Disc *disc)
{
  gdouble x = vectorscope_find_x (disc, chroma->u), y = vectorscope_find_y (disc, chroma->v);
  gdouble arm = pen->em * 0.55;

  gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_TEXT, 1);
  cairo_set_line_width (pen->cr, pen->line * 1.3);
  cairo_move_to (pen->cr, x - arm, y);
  cairo_line_to (pen->cr, x + arm, y);
  cairo_move_to (pen->cr, x, y - arm);
  cairo_line_to (pen->cr, x, y + arm);
  cairo_stroke (pen->cr);
}

static void
vectorscope_draw (GstVyrePen *pen, const GstVyreModel *model, const GstVyreBox *box)
{
  const GstVyreChroma *chroma = &model->chroma;
  Disc disc = vectorscope_place (pen, box);

  if (chroma->has_hues)
    vectorscope_draw_hues (pen, chroma, &disc);
  if (chroma->has_density)
    vectorscope_draw_density (pen, chroma, &disc);
  else if (chroma->has_mean)
    vectorscope_draw_range (pen, chroma, &disc);
  if (chroma->has_saturation && !chroma->has_density)
    vectorscope_draw_saturation (pen, chroma, &disc);
  if (chroma->has_mean)
    vectorscope_draw_mean (pen, chroma, &disc);
}

const GstVyrePanel gst_vyre_vectorscope = { "Vectorscope", "chroma, as builtin:scope has it",
  vectorscope_has_results, vectorscope_draw_still, vectorscope_draw };
