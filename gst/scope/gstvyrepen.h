/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A pen has cairo, a font and a theme for panels to draw with. It belongs to one thread.
 */
#pragma once

#include <pango/pangocairo.h>

#include "scope/gstvyretheme.h"

G_BEGIN_DECLS

typedef struct {
  gdouble x, y, width, height; /* pixels */
} GstVyreBox;

typedef struct {
  cairo_t *cr;
  const GstVyreTheme *theme;
  gdouble em;   /* size of the text, in pixels */
  gdouble line; /* width of a line of a graph, in pixels */
  PangoLayout *layout;
} GstVyrePen;

void gst_vyre_pen_init (
    GstVyrePen *pen, cairo_surface_t *surface, const GstVyreTheme *theme, gdouble em);
void gst_vyre_pen_clear (GstVyrePen *pen);

void gst_vyre_pen_set_colour (GstVyrePen *pen, GstVyreColourId id, gdouble alpha);
void gst_vyre_pen_fill_box (GstVyrePen *pen, const GstVyreBox *box);
void gst_vyre_pen_round_box (GstVyrePen *pen, const GstVyreBox *box, gdouble radius);
void gst_vyre_pen_rule (
    GstVyrePen *pen, gdouble x0, gdouble y0, gdouble x1, gdouble y1, gdouble width);
gdouble gst_vyre_pen_measure (GstVyrePen *pen, const gchar *text);
void gst_vyre_pen_write (GstVyrePen *pen, const gchar *text, gdouble x, gdouble y, gdouble align);
void gst_vyre_pen_write_within (
    GstVyrePen *pen, const gchar *text, gdouble x, gdouble y, gdouble align, gdouble width);

G_END_DECLS
