/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A light for each condition that results tell of. Its shape says as much as its colour: a disc
 * with a tick, a triangle with an exclamation mark, an octagon with a cross, and a ring where no
 * result tells of it any more. Where rows do not fit there are columns of them.
 */
#include "scope/gstvyrepanel.h"

#include <math.h>

#define LEAST_ROW 1.35 /* em */

/* How lights are laid out: columns of rows, filled one after the other */
typedef struct {
  guint rows;
  gdouble width, height; /* of a row */
} Grid;

static guint
lights_count (const GstVyreModel *model)
{
  guint n = 0;

  for (guint i = 0; i < GST_VYRE_N_LIGHTS; i++)
    n += model->lights[i].is_there;
  return n;
}

static gboolean
lights_has_results (const GstVyreModel *model)
{
  return lights_count (model) > 0;
}

/* Adds a regular polygon as a path, with @first as the angle of a corner. */
static void
lights_trace_polygon (
    GstVyrePen *pen, gdouble x, gdouble y, gdouble radius, guint corners, gdouble first)
{
  for (guint i = 0; i < corners; i++) {
    gdouble angle = first + 2 * G_PI * i / corners;
    cairo_line_to (pen->cr, x + radius * cos (angle), y + radius * sin (angle));
  }
  cairo_close_path (pen->cr);
}

static void
lights_draw_good (GstVyrePen *pen, gdouble x, gdouble y, gdouble radius)
{
  gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_GREEN, 1);
  cairo_arc (pen->cr, x, y, radius, 0, 2 * G_PI);
  cairo_fill (pen->cr);
  gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_PANEL, 1);
  cairo_move_to (pen->cr, x - radius * 0.5, y);
  cairo_line_to (pen->cr, x - radius * 0.1, y + radius * 0.4);
  cairo_line_to (pen->cr, x + radius * 0.5, y - radius * 0.4);
  cairo_stroke (pen->cr);
}

static void
lights_draw_notice (GstVyrePen *pen, gdouble x, gdouble y, gdouble radius)
{
  gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_YELLOW, 1);
  lights_trace_polygon (pen, x, y + radius * 0.2, radius * 1.2, 3, -G_PI_2);
  cairo_fill (pen->cr);
  gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_PANEL, 1);
  cairo_move_to (pen->cr, x, y - radius * 0.4);
  cairo_line_to (pen->cr, x, y + radius * 0.2);
  cairo_stroke (pen->cr);
  cairo_arc (pen->cr, x, y + radius * 0.55, radius * 0.14, 0, 2 * G_PI);
  cairo_fill (pen->cr);
}

static void
lights_draw_alarm (GstVyrePen *pen, gdouble x, gdouble y, gdouble radius)
{
  gdouble arm = radius * 0.4;

  gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_VERMILION, 1);
  lights_trace_polygon (pen, x, y, radius * 1.1, 8, G_PI / 8);
  cairo_fill (pen->cr);
  gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_PANEL, 1);
  cairo_move_to (pen->cr, x - arm, y - arm);
  cairo_line_to (pen->cr, x + arm, y + arm);
  cairo_move_to (pen->cr, x + arm, y - arm);
  cairo_line_to (pen->cr, x - arm, y + arm);
  cairo_stroke (pen->cr);
}

static void
lights_draw_unknown (GstVyrePen *pen, gdouble x, gdouble y, gdouble radius)
{
  gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_DIM, 1);
  cairo_arc (pen->cr, x, y, radius * 0.8, 0, 2 * G_PI);
  cairo_stroke (pen->cr);
}

static void
lights_draw_one (GstVyrePen *pen, const GstVyreLight *light, gdouble x, gdouble y)
{
  gdouble radius = pen->em * 0.65;

  cairo_set_line_width (pen->cr, radius * 0.26);
  cairo_set_line_cap (pen->cr, CAIRO_LINE_CAP_ROUND);
  if (light->state == GST_VYRE_LIGHT_UNKNOWN)
    lights_draw_unknown (pen, x, y, radius);
  else if (light->state == GST_VYRE_LIGHT_GOOD)
    lights_draw_good (pen, x, y, radius);
  else if (light->state == GST_VYRE_LIGHT_NOTICE)
    lights_draw_notice (pen, x, y, radius);
  else
    lights_draw_alarm (pen, x, y, radius);
  cairo_set_line_cap (pen->cr, CAIRO_LINE_CAP_BUTT);
}

static Grid
lights_lay_out (const GstVyrePen *pen, const GstVyreBox *box, guint n)
{
  gdouble room = box->height - pen->em * 0.5;
  guint fit = (guint)CLAMP (room / (pen->em * LEAST_ROW), 1, MAX (n, 1));
  guint columns = (n + fit - 1) / fit;
  guint rows = (n + columns - 1) / MAX (columns, 1);

  return (Grid){ rows, box->width / MAX (columns, 1), MIN (pen->em * 2.6, room / MAX (rows, 1)) };
}

/* Writes the figure behind the light where it fits beside its name. */
static void
lights_write_figure (
    GstVyrePen *pen, const GstVyreLight *light, gdouble right, gdouble y, gdouble room)
{
  if (light->state == GST_VYRE_LIGHT_UNKNOWN || room < gst_vyre_pen_measure (pen, light->text))
    return;
  gst_vyre_pen_set_colour (
      pen, light->state == GST_VYRE_LIGHT_GOOD ? GST_VYRE_COLOUR_DIM : GST_VYRE_COLOUR_TEXT, 1);
  gst_vyre_pen_write (pen, light->text, right, y, 1);
}

/* Draws each light in its row; names are still, all else is not. A name that does not fit is left
 * out. */
static void
lights_draw_rows (
    GstVyrePen *pen, const GstVyreModel *model, const GstVyreBox *box, gboolean is_still)
{
  Grid grid = lights_lay_out (pen, box, lights_count (model));
  guint at = 0;

  for (guint i = 0; i < GST_VYRE_N_LIGHTS; i++) {
    const GstVyreLight *light = &model->lights[i];
    const gchar *name = gst_vyre_light_get_name (i);
    if (!light->is_there)
      continue;
    gdouble x = box->x + grid.width * (at / grid.rows);
    gdouble y = box->y + grid.height * (at % grid.rows + 0.5);
    gdouble left = x + pen->em * 2.4, right = x + grid.width - pen->em * 0.6;
    gdouble room = right - left - gst_vyre_pen_measure (pen, name);
    at++;
    if (!is_still) {
      lights_draw_one (pen, light, x + pen->em * 1.4, y);
      lights_write_figure (pen, light, right, y, room - pen->em);
    } else if (room >= 0) {
      gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_TEXT, 1);
      gst_vyre_pen_write (pen, name, left, y, 0);
    }
  }
}

static void
lights_draw_still (GstVyrePen *pen, const GstVyreModel *model, const GstVyreBox *box)
{
  lights_draw_rows (pen, model, box, TRUE);
}

static void
lights_draw (GstVyrePen *pen, const GstVyreModel *model, const GstVyreBox *box)
{
  lights_draw_rows (pen, model, box, FALSE);
}

const GstVyrePanel gst_vyre_lights = { "Status", "those of builtin:video-qc or builtin:audio-qc",
  lights_has_results, lights_draw_still, lights_draw };
