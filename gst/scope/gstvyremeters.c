/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Levels of audio: a broad bar for RMS, a narrow one for the peak, which falls slowly, a line where
 * the highest peak of the last seconds was, and its figure. A clipped channel has a box on top.
 */
#include "scope/gstvyrepanel.h"

#include <math.h>

#define CLIP_TIME 2.0 /* s for which a clipped sample is told of */

static const gdouble marks[] = { 0, -6, -12, -18, -24, -36, -48, -60 };

/* The parts of a bar, from the top: louder than −6 dB, than −18 dB, and the rest */
static const struct {
  gdouble from;
  GstVyreColourId colour;
} zones[] = { { -6, GST_VYRE_COLOUR_VERMILION }, { -18, GST_VYRE_COLOUR_YELLOW },
  { GST_VYRE_MODEL_FLOOR, GST_VYRE_COLOUR_GREEN } };

static gboolean
meters_has_results (const GstVyreModel *model)
{
  return model->n_channels > 0;
}

static GstVyreBox
meters_place (const GstVyrePen *pen, const GstVyreBox *box)
{
  return (GstVyreBox){ box->x + pen->em * 3.2, box->y + pen->em * 1.8, box->width - pen->em * 4,
    box->height - pen->em * 3.8 };
}

static GstVyreBox
meters_place_channel (const GstVyreModel *model, const GstVyreBox *plot, guint channel)
{
  gdouble width = MIN (plot->width / model->n_channels, plot->height / 4);
  gdouble left = plot->x + (plot->width - width * model->n_channels) / 2;

  return (GstVyreBox){ left + width * (channel + 0.15), plot->y, width * 0.7, plot->height };
}

static gdouble
meters_find_y (const GstVyreBox *plot, gdouble level)
{
  return plot->y + plot->height * MIN (level, 0) / GST_VYRE_MODEL_FLOOR;
}

static void
meters_draw_still (GstVyrePen *pen, const GstVyreModel *model, const GstVyreBox *box)
{
  GstVyreBox plot = meters_place (pen, box);
  gdouble last = -G_MAXDOUBLE;

  for (guint i = 0; i < G_N_ELEMENTS (marks); i++) {
    gdouble y = meters_find_y (&plot, marks[i]);
    g_autofree gchar *text
        = g_strdup_printf ("%s%g", marks[i] < 0 ? "\342\210\222" : "", fabs (marks[i]));
    gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_GRID, 1);
    gst_vyre_pen_rule (pen, plot.x, y, plot.x + plot.width, y, pen->line / 2);
    if (y - last < pen->em * 1.2)
      continue;
    gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_DIM, 1);
    gst_vyre_pen_write (pen, text, plot.x - pen->em * 0.5, y, 1);
    last = y;
  }
  gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_DIM, 1);
  gst_vyre_pen_write (pen, "dB", plot.x - pen->em * 0.5, plot.y - pen->em * 1.1, 1);
  for (guint i = 0; i < model->n_channels; i++) {
    GstVyreBox bar = meters_place_channel (model, &plot, i);
    g_autofree gchar *text = g_strdup_printf ("%u", i + 1);
    gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_GRID, 0.5);
    gst_vyre_pen_fill_box (pen, &bar);
    gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_DIM, 1);
    gst_vyre_pen_write (
        pen, text, bar.x + bar.width / 2, plot.y + plot.height + pen->em * 1.0, 0.5);
  }
}

/* Fills @bar up to @level, each zone in its colour. */
static void
meters_fill (
    GstVyrePen *pen, const GstVyreBox *plot, const GstVyreBox *bar, gdouble level, gdouble alpha)
{
  gdouble top = 0;

  for (guint i = 0; i < G_N_ELEMENTS (zones); i++) {
    gdouble upper = meters_find_y (plot, MIN (level, top));
    gdouble lower = meters_find_y (plot, zones[i].from);
    GstVyreBox part = { bar->x, upper, bar->width, lower - upper };
    gst_vyre_pen_set_colour (pen, zones[i].colour, alpha);
    if (level > zones[i].from)
      gst_vyre_pen_fill_box (pen, &part);
    top = zones[i].from;
  }
}

/* Writes the figure of the held peak; a box around it tells of clipped samples. */
static void
meters_draw_figure (
    GstVyrePen *pen, const GstVyreChannel *channel, const GstVyreBox *bar, gboolean clips)
{
  g_autofree gchar *figure
      = g_strdup_printf ("%s%.1f", channel->hold < 0 ? "\342\210\222" : "", ABS (channel->hold));
  gdouble y = bar->y - pen->em * 1.1;
  GstVyreBox box = { bar->x, y - pen->em * 0.75, bar->width, pen->em * 1.5 };

  if (clips) {
    gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_VERMILION, 1);
    gst_vyre_pen_fill_box (pen, &box);
  }
  gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_TEXT, 1);
  const gchar *text = clips ? "CLIP" : channel->hold > GST_VYRE_MODEL_FLOOR ? figure : "";
  if (gst_vyre_pen_measure (pen, text) <= bar->width * 1.35)
    gst_vyre_pen_write (pen, text, bar->x + bar->width / 2, y, 0.5);
}

static void
meters_draw (GstVyrePen *pen, const GstVyreModel *model, const GstVyreBox *box)
{
  GstVyreBox plot = meters_place (pen, box);

  for (guint i = 0; i < model->n_channels; i++) {
    const GstVyreChannel *channel = &model->channels[i];
    GstVyreBox bar = meters_place_channel (model, &plot, i);
    GstVyreBox core = { bar.x + bar.width * 0.2, bar.y, bar.width * 0.6, bar.height };
    gboolean clips = channel->clip_time >= 0 && model->time - channel->clip_time < CLIP_TIME;
    gdouble hold = meters_find_y (&plot, channel->hold);
    meters_fill (pen, &plot, &bar, channel->peak, 0.4);
    meters_fill (pen, &plot, &core, channel->rms, 1);
    gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_TEXT, 1);
    if (channel->hold > GST_VYRE_MODEL_FLOOR)
      gst_vyre_pen_rule (pen, bar.x, hold, bar.x + bar.width, hold, pen->line);
    meters_draw_figure (pen, channel, &bar, clips);
  }
}

const GstVyrePanel gst_vyre_meters = { "Audio", "channel-0, as builtin:audio-qc has it",
  meters_has_results, meters_draw_still, meters_draw };
