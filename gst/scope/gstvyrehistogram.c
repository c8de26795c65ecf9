/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The histograms that there are, side by side: of luma and chroma, of red, green and blue, or of
 * bytes. Heights are square roots of shares, so that rare levels show.
 */
#include "scope/gstvyrepanel.h"

#include <math.h>

typedef struct {
  const gchar *label;
  GstVyreColourId colour;
  gboolean is_luma; /* 16 is black, and 235 is white */
} Kind;

static const Kind kinds[GST_VYRE_N_HISTOGRAMS] = {
  [GST_VYRE_HISTOGRAM_LUMA] = { "Y", GST_VYRE_COLOUR_TEXT, TRUE },
  [GST_VYRE_HISTOGRAM_U] = { "Cb", GST_VYRE_COLOUR_SKY, FALSE },
  [GST_VYRE_HISTOGRAM_V] = { "Cr", GST_VYRE_COLOUR_VERMILION, FALSE },
  [GST_VYRE_HISTOGRAM_RED] = { "R", GST_VYRE_COLOUR_VERMILION, FALSE },
  [GST_VYRE_HISTOGRAM_GREEN] = { "G", GST_VYRE_COLOUR_GREEN, FALSE },
  [GST_VYRE_HISTOGRAM_BLUE] = { "B", GST_VYRE_COLOUR_SKY, FALSE },
  [GST_VYRE_HISTOGRAM_BYTES] = { "bytes", GST_VYRE_COLOUR_SKY, FALSE },
};

static guint
histogram_count (const GstVyreModel *model)
{
  guint n = 0;

  for (guint i = 0; i < GST_VYRE_N_HISTOGRAMS; i++)
    n += model->histograms[i].is_there;
  return n;
}

static gboolean
histogram_has_results (const GstVyreModel *model)
{
  return histogram_count (model) > 0;
}

/* Returns the plot of the histogram @index of @n. */
static GstVyreBox
histogram_place (const GstVyrePen *pen, const GstVyreBox *box, guint index, guint n)
{
  gdouble gap = pen->em, width = (box->width - gap * (n + 1)) / n;

  return (GstVyreBox){ box->x + gap + index * (width + gap), box->y + pen->em * 1.6, width,
    box->height - pen->em * 3.4 };
}

static void
histogram_draw_axis (
    GstVyrePen *pen, const GstVyreModel *model, const Kind *kind, const GstVyreBox *plot)
{
  gdouble bottom = plot->y + plot->height, most = exp2 (model->depth) - 1;
  g_autofree gchar *text = g_strdup_printf ("%.0f", kind->label[0] == 'b' ? 255 : most);

  gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_GRID, 1);
  for (guint i = 0; i <= 4; i++) {
    gdouble x = plot->x + plot->width * i / 4, y = plot->y + plot->height * i / 4;
    gst_vyre_pen_rule (pen, x, plot->y, x, bottom, pen->line / 2);
    gst_vyre_pen_rule (pen, plot->x, y, plot->x + plot->width, y, pen->line / 2);
  }
  if (kind->is_luma) {
    GstVyreBox below = { plot->x, plot->y, plot->width * 16 / 256, plot->height };
    GstVyreBox above
        = { plot->x + plot->width * 236 / 256, plot->y, plot->width * 20 / 256, plot->height };
    gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_ORANGE, 0.16);
    gst_vyre_pen_fill_box (pen, &below);
    gst_vyre_pen_fill_box (pen, &above);
  }
  gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_DIM, 1);
  gst_vyre_pen_write (pen, "0", plot->x, bottom + pen->em * 0.9, 0);
  if (gst_vyre_pen_measure (pen, text) <= plot->width - pen->em)
    gst_vyre_pen_write (pen, text, plot->x + plot->width, bottom + pen->em * 0.9, 1);
  gst_vyre_pen_set_colour (pen, kind->colour, 1);
  gst_vyre_pen_write (pen, kind->label, plot->x, plot->y - pen->em * 0.8, 0);
}

static void
histogram_draw_still (GstVyrePen *pen, const GstVyreModel *model, const GstVyreBox *box)
{
  guint n = histogram_count (model), at = 0;

  for (guint i = 0; i < GST_VYRE_N_HISTOGRAMS; i++) {
    if (!model->histograms[i].is_there)
      continue;
    GstVyreBox plot = histogram_place (pen, box, at++, n);
    histogram_draw_axis (pen, model, &kinds[i], &plot);
  }
}

/* Adds the outline as a path: a step for each bin, or where these are narrower than a pixel, the
 * highest bin of each pixel. */
static void
histogram_trace (GstVyrePen *pen, const gfloat *bins, const GstVyreBox *plot)
{
  gdouble bottom = plot->y + plot->height;
  guint n = MIN (GST_VYRE_MODEL_BINS, (guint)MAX (plot->width, 1));

  cairo_move_to (pen->cr, plot->x, bottom);
  for (guint i = 0; i < n; i++) {
    guint first = i * GST_VYRE_MODEL_BINS / n, end = (i + 1) * GST_VYRE_MODEL_BINS / n;
    gfloat most = 0;
    for (guint bin = first; bin < end; bin++)
      most = MAX (most, bins[bin]);
    gdouble y = bottom - plot->height * sqrt (most);
    cairo_line_to (pen->cr, plot->x + plot->width * i / n, y);
    cairo_line_to (pen->cr, plot->x + plot->width * (i + 1) / n, y);
  }
  cairo_line_to (pen->cr, plot->x + plot->width, bottom);
}

static void
histogram_draw (GstVyrePen *pen, const GstVyreModel *model, const GstVyreBox *box)
{
  guint n = histogram_count (model), at = 0;

  for (guint i = 0; i < GST_VYRE_N_HISTOGRAMS; i++) {
    if (!model->histograms[i].is_there)
      continue;
    GstVyreBox plot = histogram_place (pen, box, at++, n);
    histogram_trace (pen, model->histograms[i].bins, &plot);
    gst_vyre_pen_set_colour (pen, kinds[i].colour, 0.45);
    cairo_fill_preserve (pen->cr);
    gst_vyre_pen_set_colour (pen, kinds[i].colour, 1);
    cairo_set_line_width (pen->cr, pen->line * 0.6);
    cairo_stroke (pen->cr);
  }
}

const GstVyrePanel gst_vyre_histogram = { "Histogram", "luma-histogram, as builtin:video-qc has it",
  histogram_has_results, histogram_draw_still, histogram_draw };
