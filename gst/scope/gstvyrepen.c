/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scope/gstvyrepen.h"

/* Digits of this family have one width: numbers do not jump. */
#define FAMILY "DejaVu Sans, Sans"

/* Begins to draw on @surface. */
void
gst_vyre_pen_init (GstVyrePen *pen, cairo_surface_t *surface, const GstVyreTheme *theme, gdouble em)
{
  PangoFontDescription *font = pango_font_description_from_string (FAMILY);

  pen->cr = cairo_create (surface);
  pen->theme = theme;
  pen->em = em;
  pen->line = MAX (1.5, em / 9);
  pen->layout = pango_cairo_create_layout (pen->cr);
  pango_font_description_set_absolute_size (font, em * PANGO_SCALE);
  pango_layout_set_font_description (pen->layout, font);
  pango_font_description_free (font);
}

void
gst_vyre_pen_clear (GstVyrePen *pen)
{
  g_clear_object (&pen->layout);
  g_clear_pointer (&pen->cr, cairo_destroy);
}

void
gst_vyre_pen_set_colour (GstVyrePen *pen, GstVyreColourId id, gdouble alpha)
{
  const GstVyreColour *colour = &pen->theme->colours[id];

  cairo_set_source_rgba (pen->cr, colour->red, colour->green, colour->blue, alpha);
}

void
gst_vyre_pen_fill_box (GstVyrePen *pen, const GstVyreBox *box)
{
  cairo_rectangle (pen->cr, box->x, box->y, box->width, box->height);
  cairo_fill (pen->cr);
}

/* Adds a path with round corners. */
void
gst_vyre_pen_round_box (GstVyrePen *pen, const GstVyreBox *box, gdouble radius)
{
  gdouble left = box->x + radius, right = box->x + box->width - radius;
  gdouble top = box->y + radius, bottom = box->y + box->height - radius;

  cairo_new_sub_path (pen->cr);
  cairo_arc (pen->cr, right, top, radius, -G_PI_2, 0);
  cairo_arc (pen->cr, right, bottom, radius, 0, G_PI_2);
  cairo_arc (pen->cr, left, bottom, radius, G_PI_2, G_PI);
  cairo_arc (pen->cr, left, top, radius, G_PI, 3 * G_PI_2);
  cairo_close_path (pen->cr);
}

/* Draws a line that is straight up or level, of whole pixels. */
void
gst_vyre_pen_rule (GstVyrePen *pen, gdouble x0, gdouble y0, gdouble x1, gdouble y1, gdouble width)
{
  gint pixels = MAX (1, (gint)(width + 0.5));
  gdouble shift = pixels % 2 / 2.0;

  cairo_set_line_width (pen->cr, pixels);
  cairo_move_to (pen->cr, (gint)(x0 + 0.5) + shift, (gint)(y0 + 0.5) + shift);
  cairo_line_to (pen->cr, (gint)(x1 + 0.5) + shift, (gint)(y1 + 0.5) + shift);
  cairo_stroke (pen->cr);
}

/* Returns the width of @text, in pixels. */
gdouble
gst_vyre_pen_measure (GstVyrePen *pen, const gchar *text)
{
  PangoRectangle extents;

  pango_layout_set_text (pen->layout, text, -1);
  pango_layout_get_extents (pen->layout, NULL, &extents);
  return extents.width / (gdouble)PANGO_SCALE;
}

/* Writes @text with its middle at the height @y. @align says which part of it is at @x: 0 its
 * start, 0.5 its middle, 1 its end. */
void
gst_vyre_pen_write (GstVyrePen *pen, const gchar *text, gdouble x, gdouble y, gdouble align)
{
  PangoRectangle extents;

  pango_layout_set_text (pen->layout, text, -1);
  pango_layout_get_extents (pen->layout, NULL, &extents);
  cairo_move_to (
      pen->cr, x - align * extents.width / PANGO_SCALE, y - extents.height / (2.0 * PANGO_SCALE));
  pango_cairo_show_layout (pen->cr, pen->layout);
  cairo_new_path (pen->cr); /* the next one does not begin at this text */
}

/* Writes @text where it has room; otherwise as much of it as fits, and an ellipsis. */
void
gst_vyre_pen_write_within (
    GstVyrePen *pen, const gchar *text, gdouble x, gdouble y, gdouble align, gdouble width)
{
  if (width < pen->em)
    return;
  if (gst_vyre_pen_measure (pen, text) <= width) {
    gst_vyre_pen_write (pen, text, x, y, align);
    return;
  }
  pango_layout_set_ellipsize (pen->layout, PANGO_ELLIPSIZE_END);
  pango_layout_set_width (pen->layout, (gint)(width * PANGO_SCALE));
  gst_vyre_pen_write (pen, text, x - align * (width), y, 0);
  pango_layout_set_width (pen->layout, -1);
  pango_layout_set_ellipsize (pen->layout, PANGO_ELLIPSIZE_NONE);
}
