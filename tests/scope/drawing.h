/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Pictures of models that tests make: results as text, and the pixels that come of them.
 */
#pragma once

#include "scope/gstvyrecanvas.h"

#define DRAWING_NEAR 40 /* of 255: pixels inside of a line, which has smooth edges */

typedef struct {
  GstVyreModel model;
  GstVyreCanvas canvas;
  GstVyreLook look;
  guint8 *pixels;
} Drawing;

void drawing_begin (Drawing *drawing, gint width, gint height, guint panels);
void drawing_end (Drawing *drawing);
void drawing_take (Drawing *drawing, gdouble time, const gchar *fields);
void drawing_draw (Drawing *drawing);
guint32 drawing_at (const Drawing *drawing, gint x, gint y);
gboolean drawing_is (const Drawing *drawing, gint x, gint y, GstVyreColourId id, gint tolerance);
gint drawing_find_row (const Drawing *drawing, gint x, GstVyreColourId id, gint tolerance);
gint drawing_find_line (Drawing *drawing);
gint drawing_find_column (const Drawing *drawing, gint y, GstVyreColourId id, gint tolerance);
guint drawing_count (const Drawing *drawing, GstVyreColourId id, gint tolerance);
gchar *drawing_bins (const gchar *name, guint n, guint at, guint count);
