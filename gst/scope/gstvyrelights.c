/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A light for each condition that results tell of. Its shape says as much as its colour: a disc
 * with a tick, a triangle with an exclamation mark, an octagon with a cross.
 */
#include "scope/gstvyrepanel.h"

#include <math.h>

static guint
lights_count (const GstVyreModel *model)
{
  guint n = 0;

  for (guint i = 0; i < GST_VYRE_N_LIGHTS; i++)
    n += model->lights[i].state != GST_VYRE_LIGHT_UNKNOWN;
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
lights_draw_one (GstVyrePen *pen, const GstVyreLight *light, gdouble x, gdouble y)
{
  gdouble radius = pen->em * 0.65;

  cairo_set_line_width (pen->cr, radius * 0.26);
  cairo_set_line_cap (pen->cr, CAIRO_LINE_CAP_ROUND);
  if (light->state == GST_VYRE_LIGHT_GOOD)
    lights_draw_good (pen, x, y, radius);
  else if (light->state == GST_VYRE_LIGHT_NOTICE)
    lights_draw_notice (pen, x, y, radius);
  else
    lights_draw_alarm (pen, x, y, radius);
  cairo_set_line_cap (pen->cr, CAIRO_LINE_CAP_BUTT);
}

/* Calls for each light with its row; names are still, all else is not. */
static void
lights_draw_rows (
    GstVyrePen *pen, const GstVyreModel *model, const GstVyreBox *box, gboolean is_still)
{
  guint n = lights_count (model), at = 0;
  gdouble row = MIN (pen->em * 2.6, (box->height - pen->em * 0.5) / MAX (n, 1));
  gdouble left = box->x + pen->em * 2.6, right = box->x + box->width - pen->em;

  for (guint i = 0; i < GST_VYRE_N_LIGHTS; i++) {
    const GstVyreLight *light = &model->lights[i];
    const gchar *name = gst_vyre_light_get_name (i);
    gdouble y = box->y + row * (at + 0.5);
    if (light->state == GST_VYRE_LIGHT_UNKNOWN)
      continue;
    at++;
    if (is_still) {
      gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_TEXT, 1);
      gst_vyre_pen_write_within (pen, name, left, y, 0, right - left);
      continue;
    }
    lights_draw_one (pen, light, box->x + pen->em * 1.5, y);
    gdouble room = right - left - gst_vyre_pen_measure (pen, name) - pen->em;
    gst_vyre_pen_set_colour (
        pen, light->state == GST_VYRE_LIGHT_GOOD ? GST_VYRE_COLOUR_DIM : GST_VYRE_COLOUR_TEXT, 1);
    if (room >= gst_vyre_pen_measure (pen, light->text))
      gst_vyre_pen_write (pen, light->text, right, y, 1);
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
