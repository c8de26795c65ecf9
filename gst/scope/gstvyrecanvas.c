/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scope/gstvyrecanvas.h"

#include <math.h>
#include <string.h>

#include "scope/gstvyrelayout.h"

#define ENGINE 5     /* the last panel */
#define LEAST_EM 8.0 /* pixels: smaller letters cannot be read */
#define LINES 60.0   /* of text, one below the other, that a picture would have */

/* In the order of the flags */
static const GstVyrePanel *const panels[GST_VYRE_N_PANELS]
    = { &gst_vyre_timeline, &gst_vyre_histogram, &gst_vyre_vectorscope, &gst_vyre_meters,
        &gst_vyre_lights, &gst_vyre_engine };
static const gdouble panel_weights[GST_VYRE_N_PANELS] = { -4, 3, 2, 1.6, 1.4, 1.8 };

typedef struct {
  GstVyreBox boxes[GST_VYRE_N_PANELS];
  gdouble weights[GST_VYRE_N_PANELS]; /* 0: not shown */
  gdouble em;
} Plan;

void
gst_vyre_canvas_clear (GstVyreCanvas *canvas)
{
  g_clear_pointer (&canvas->still, cairo_surface_destroy);
}

static cairo_format_t
canvas_get_format (const GstVyreLook *look)
{
  return look->is_strip ? CAIRO_FORMAT_ARGB32 : CAIRO_FORMAT_RGB24;
}

static gdouble
canvas_find_em (const GstVyreLook *look)
{
  gint height = look->height * (look->is_strip ? GST_VYRE_STRIP_PART : 1);

  return MAX (LEAST_EM, MIN (height, look->width * 0.75) / LINES);
}

static Plan
canvas_plan (const GstVyreModel *model, const GstVyreLook *look)
{
  Plan plan = { .em = canvas_find_em (look) };
  gdouble gap = floor (plan.em * 0.5);
  GstVyreBox area = { gap, gap, look->width - 2 * gap, look->height - 2 * gap };

  for (guint i = 0; i < GST_VYRE_N_PANELS; i++) {
    gboolean is_shown = look->panels != 0 ? (look->panels >> i & 1) != 0
                                          : i != ENGINE && panels[i]->has_results (model);
    plan.weights[i] = !is_shown ? 0 : look->is_strip ? fabs (panel_weights[i]) : panel_weights[i];
  }
  gst_vyre_layout_place (&area, plan.weights, GST_VYRE_N_PANELS, gap, plan.boxes);
  return plan;
}

/* Returns the box of a panel below its title. */
static GstVyreBox
canvas_find_inside (const Plan *plan, guint i)
{
  GstVyreBox box = plan->boxes[i];

  box.y += plan->em * 1.8;
  box.height -= plan->em * 1.8;
  return box;
}

static void
canvas_draw_frame (GstVyrePen *pen, const GstVyrePanel *panel, const GstVyreBox *box, gdouble alpha)
{
  gst_vyre_pen_round_box (pen, box, pen->em * 0.4);
  gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_PANEL, alpha);
  cairo_fill (pen->cr);
  gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_DIM, 1);
  gst_vyre_pen_write_within (
      pen, panel->title, box->x + pen->em * 0.8, box->y + pen->em * 1.1, 0, box->width - pen->em);
}

/* Says which results a panel would show. */
static void
canvas_draw_nothing (GstVyrePen *pen, const gchar *wants, const GstVyreBox *box)
{
  gdouble x = box->x + box->width / 2, y = box->y + box->height / 2;

  gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_TEXT, 1);
  gst_vyre_pen_write_within (pen, "no results", x, y - pen->em * 0.8, 0.5, box->width - pen->em);
  gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_DIM, 1);
  gst_vyre_pen_write_within (pen, wants, x, y + pen->em * 0.8, 0.5, box->width - pen->em);
}

static void
canvas_draw_still (GstVyreCanvas *canvas, const GstVyreModel *model, const Plan *plan)
{
  GstVyrePen pen;
  guint shown = 0;

  gst_vyre_pen_init (&pen, canvas->still, gst_vyre_theme_get (canvas->look.theme), plan->em);
  if (!canvas->look.is_strip) {
    gst_vyre_pen_set_colour (&pen, GST_VYRE_COLOUR_BACK, 1);
    cairo_paint (pen.cr);
  }
  for (guint i = 0; i < GST_VYRE_N_PANELS; i++) {
    if (plan->weights[i] == 0)
      continue;
    GstVyreBox inside = canvas_find_inside (plan, i);
    shown++;
    canvas_draw_frame (
        &pen, panels[i], &plan->boxes[i], canvas->look.is_strip ? pen.theme->cover : 1);
    if (panels[i]->has_results (model))
      panels[i]->draw_still (&pen, model, &inside);
    else
      canvas_draw_nothing (&pen, panels[i]->wants, &inside);
  }
  if (shown == 0 && !canvas->look.is_strip) {
    GstVyreBox all = { 0, 0, canvas->look.width, canvas->look.height };
    canvas_draw_nothing (&pen, "of a vyrefilter in front of this element", &all);
  }
  gst_vyre_pen_clear (&pen);
  cairo_surface_flush (canvas->still);
}

static gboolean
canvas_is_of (const GstVyreCanvas *canvas, const GstVyreModel *model, const GstVyreLook *look)
{
  return canvas->still && canvas->shape == model->shape && canvas->look.panels == look->panels
         && canvas->look.theme == look->theme && canvas->look.width == look->width
         && canvas->look.height == look->height && canvas->look.is_strip == look->is_strip;
}

/* Has the still parts be those of @model and @look; FALSE where cairo has no such surface. */
static gboolean
canvas_renew (
    GstVyreCanvas *canvas, const GstVyreModel *model, const GstVyreLook *look, const Plan *plan)
{
  if (canvas_is_of (canvas, model, look))
    return TRUE;
  gst_vyre_canvas_clear (canvas);
  canvas->look = *look;
  canvas->shape = model->shape;
  canvas->still = cairo_image_surface_create (canvas_get_format (look), look->width, look->height);
  if (cairo_surface_status (canvas->still) != CAIRO_STATUS_SUCCESS) {
    gst_vyre_canvas_clear (canvas);
    return FALSE;
  }
  canvas_draw_still (canvas, model, plan);
  return TRUE;
}

/* Draws @model into @pixels of the size of @look: BGRx, or of a strip BGRA with colours that are
 * multiplied with their alpha. FALSE where cairo draws no picture of the size: it ends at 32767
 * pixels in either direction. */
gboolean
gst_vyre_canvas_draw (GstVyreCanvas *canvas, const GstVyreModel *model, const GstVyreLook *look,
    guint8 *pixels, gint stride)
{
  Plan plan = canvas_plan (model, look);
  GstVyrePen pen;

  if (!canvas_renew (canvas, model, look, &plan))
    return FALSE;
  const guint8 *from = cairo_image_surface_get_data (canvas->still);
  gint from_stride = cairo_image_surface_get_stride (canvas->still);
  for (gint y = 0; y < look->height; y++)
    memcpy (pixels + (gsize)y * (gsize)stride, from + (gsize)y * (gsize)from_stride,
        (gsize)look->width * 4);
  cairo_surface_t *surface = cairo_image_surface_create_for_data (
      pixels, canvas_get_format (look), look->width, look->height, stride);
  gst_vyre_pen_init (&pen, surface, gst_vyre_theme_get (look->theme), plan.em);
  for (guint i = 0; i < GST_VYRE_N_PANELS; i++) {
    GstVyreBox inside = canvas_find_inside (&plan, i);
    if (plan.weights[i] != 0 && panels[i]->has_results (model))
      panels[i]->draw (&pen, model, &inside);
  }
  gst_vyre_pen_clear (&pen);
  cairo_surface_finish (surface);
  cairo_surface_destroy (surface);
  return TRUE;
}
