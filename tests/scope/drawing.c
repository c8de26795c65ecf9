/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "drawing.h"

#include <math.h>
#include <string.h>

#define GUARD 64 /* bytes in front of the pixels and behind them that nobody writes to */
#define MARK 0xa5

static gsize
drawing_size (const Drawing *drawing)
{
  return (gsize)drawing->look.width * (gsize)drawing->look.height * 4;
}

void
drawing_begin (Drawing *drawing, gint width, gint height, guint panels)
{
  *drawing = (Drawing){ .look = { .panels = panels, .width = width, .height = height } };
  gst_vyre_model_init (&drawing->model, 10);
  drawing->pixels = g_malloc (drawing_size (drawing) + 2 * GUARD);
  memset (drawing->pixels, MARK, drawing_size (drawing) + 2 * GUARD);
}

void
drawing_end (Drawing *drawing)
{
  for (gsize i = 0; i < GUARD; i++) {
    g_assert_cmpuint (drawing->pixels[i], ==, MARK);
    g_assert_cmpuint (drawing->pixels[GUARD + drawing_size (drawing) + i], ==, MARK);
  }
  gst_vyre_canvas_clear (&drawing->canvas);
  gst_vyre_model_clear (&drawing->model);
  g_free (drawing->pixels);
}

/* Has the model take the results that @fields are the text of, as in a message. */
void
drawing_take (Drawing *drawing, gdouble time, const gchar *fields)
{
  g_autofree gchar *text = g_strdup_printf ("vyre-results, %s;", fields);
  GstStructure *structure = gst_structure_from_string (text, NULL);

  g_assert_nonnull (structure);
  g_autoptr (GstVyreResults) results = gst_vyre_results_from_structure (structure);
  gst_vyre_model_take (&drawing->model, results, time);
  gst_structure_free (structure);
}

void
drawing_draw (Drawing *drawing)
{
  gst_vyre_canvas_draw (&drawing->canvas, &drawing->model, &drawing->look, drawing->pixels + GUARD,
      drawing->look.width * 4);
}

guint32
drawing_at (const Drawing *drawing, gint x, gint y)
{
  const guint8 *pixel = drawing->pixels + GUARD + ((gsize)y * drawing->look.width + x) * 4;

  return (guint32)pixel[2] << 16 | (guint32)pixel[1] << 8 | pixel[0];
}

/* TRUE where no component is further than @tolerance from that of the colour. */
gboolean
drawing_is (const Drawing *drawing, gint x, gint y, GstVyreColourId id, gint tolerance)
{
  const GstVyreColour *colour = &gst_vyre_theme_get (drawing->look.theme)->colours[id];
  const gdouble wanted[] = { colour->blue, colour->green, colour->red };
  guint32 pixel = drawing_at (drawing, x, y);

  for (guint i = 0; i < 3; i++) {
    if (fabs (wanted[i] * 255 - (pixel >> 8 * i & 0xff)) > tolerance)
      return FALSE;
  }
  return TRUE;
}

/* Returns the middle of the rows of column @x that have the colour; -1 where none has. */
gint
drawing_find_row (const Drawing *drawing, gint x, GstVyreColourId id, gint tolerance)
{
  gint sum = 0, n = 0;

  for (gint y = 0; y < drawing->look.height; y++) {
    if (drawing_is (drawing, x, y, id, tolerance)) {
      sum += y;
      n++;
    }
  }
  return n > 0 ? sum / n : -1;
}

/* Draws a timeline, and returns the row of its line, a bit behind the middle. */
gint
drawing_find_line (Drawing *drawing)
{
  drawing_draw (drawing);
  gint row
      = drawing_find_row (drawing, drawing->look.width / 2 + 9, GST_VYRE_COLOUR_TEXT, DRAWING_NEAR);
  g_assert_cmpint (row, >=, 0);
  return row;
}

/* Returns the middle of the columns of row @y that have the colour; -1 where none has. */
gint
drawing_find_column (const Drawing *drawing, gint y, GstVyreColourId id, gint tolerance)
{
  gint sum = 0, n = 0;

  for (gint x = 0; x < drawing->look.width; x++) {
    if (drawing_is (drawing, x, y, id, tolerance)) {
      sum += x;
      n++;
    }
  }
  return n > 0 ? sum / n : -1;
}

guint
drawing_count (const Drawing *drawing, GstVyreColourId id, gint tolerance)
{
  guint n = 0;

  for (gint y = 0; y < drawing->look.height; y++) {
    for (gint x = 0; x < drawing->look.width; x++)
      n += drawing_is (drawing, x, y, id, tolerance);
  }
  return n;
}

/* Returns the text of a histogram of @n bins, with @count in bin @at and 0 in all others. */
gchar *
drawing_bins (const gchar *name, guint n, guint at, guint count)
{
  GstStructure *bins = gst_structure_new_empty (name);
  GstStructure *all = gst_structure_new_empty ("all");

  for (guint i = 0; i < n; i++) {
    g_autofree gchar *field = g_strdup_printf ("bin-%u", i);
    gst_structure_set (bins, field, G_TYPE_UINT64, (guint64)(i == at ? count : 0), NULL);
  }
  gst_structure_set (all, name, GST_TYPE_STRUCTURE, bins, NULL);
  g_autofree gchar *text = gst_structure_to_string (all);
  gst_structure_free (bins);
  gst_structure_free (all);
  text[strlen (text) - 1] = '\0'; /* its ; */
  return g_strdup (text + strlen ("all, "));
}
