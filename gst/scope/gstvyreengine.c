/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the engine does: latencies, on a scale of powers of ten, how full its ring is, its streams,
 * and the ways that bytes took to it.
 */
#include "scope/gstvyrepanel.h"

#include <math.h>

#define LEAST_LATENCY 1e-5 /* s, where bars of latencies begin */
#define DECADES 5.0        /* and for how many powers of ten they go on */

typedef struct {
  const gchar *name;
  gchar *text;
  gdouble share; /* of the bar; below 0: there is none */
  GstVyreColourId colour;
} Row;

#define MOST_ROWS (6 + GST_VYRE_N_WAYS)

static gboolean
engine_has_results (const GstVyreModel *model)
{
  return model->engine.is_there;
}

static gchar *
engine_print_time (gdouble seconds)
{
  if (seconds < 0)
    return g_strdup ("\342\200\223");
  return seconds < 1e-3 ? g_strdup_printf ("%.0f \302\265s", seconds * 1e6)
                        : g_strdup_printf ("%.1f ms", seconds * 1e3);
}

static gchar *
engine_print_bytes (gdouble bytes)
{
  static const gchar *const units[] = { "B", "kB", "MB", "GB", "TB" };
  guint i = 0;

  for (; bytes >= 999.5 && i + 1 < G_N_ELEMENTS (units); i++)
    bytes /= 1000;
  return g_strdup_printf (i > 0 && bytes < 100 ? "%.1f %s" : "%.0f %s", bytes, units[i]);
}

static gdouble
engine_scale_time (gdouble seconds)
{
  return seconds > 0 ? CLAMP (log10 (seconds / LEAST_LATENCY) / DECADES, 0, 1) : 0;
}

/* Fills @rows in, and returns their number. */
static guint
engine_list (const GstVyreEngine *engine, Row *rows)
{
  static const gchar *const ways[GST_VYRE_N_WAYS]
      = { "in place", "imported", "stored", "from files", "copied" };
  gdouble all = 0;
  guint n = 0;

  for (guint i = 0; i < GST_VYRE_N_WAYS; i++)
    all += engine->bytes[i];
  rows[n++] = (Row){ "latency p50", engine_print_time (engine->p50),
    engine_scale_time (engine->p50), GST_VYRE_COLOUR_SKY };
  rows[n++] = (Row){ "latency p99", engine_print_time (engine->p99),
    engine_scale_time (engine->p99), GST_VYRE_COLOUR_ORANGE };
  rows[n++] = (Row){ "ring occupied", g_strdup_printf ("%.0f %%", 100 * engine->occupied),
    engine->occupied, GST_VYRE_COLOUR_PURPLE };
  rows[n++] = (Row){ "in flight", g_strdup_printf ("%.0f", engine->in_flight), -1, 0 };
  rows[n++] = (Row){ "streams", g_strdup_printf ("%.0f", engine->streams), -1, 0 };
  rows[n++] = (Row){ "batches", g_strdup_printf ("%.1f /s", engine->rate), -1, 0 };
  for (guint i = 0; i < GST_VYRE_N_WAYS; i++)
    rows[n++] = (Row){ ways[i], engine_print_bytes (engine->bytes[i]),
      all > 0 ? engine->bytes[i] / all : 0,
      i == GST_VYRE_WAY_COPIED ? GST_VYRE_COLOUR_VERMILION : GST_VYRE_COLOUR_GREEN };
  return n;
}

/* Each row has its name and its figure, and its bar below both. */
static void
engine_draw_rows (
    GstVyrePen *pen, const GstVyreModel *model, const GstVyreBox *box, gboolean is_still)
{
  Row rows[MOST_ROWS];
  guint n = engine_list (&model->engine, rows);
  gdouble height = MIN (pen->em * 2.4, (box->height - pen->em * 0.5) / n);
  gdouble left = box->x + pen->em, width = box->width - 2 * pen->em;

  for (guint i = 0; i < n; i++) {
    gdouble y = box->y + height * i, bar = y + height * 0.72;
    GstVyreBox track = { left, bar, width, MAX (1, height * 0.16) };
    GstVyreBox part = { left, bar, width * CLAMP (rows[i].share, 0, 1), track.height };
    gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_GRID, 0.7);
    if (is_still && rows[i].share >= 0)
      gst_vyre_pen_fill_box (pen, &track);
    gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_DIM, 1);
    if (is_still)
      gst_vyre_pen_write_within (pen, rows[i].name, left, y + height * 0.36, 0, width * 0.62);
    gst_vyre_pen_set_colour (pen, rows[i].colour, 1);
    if (!is_still && rows[i].share > 0)
      gst_vyre_pen_fill_box (pen, &part);
    gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_TEXT, 1);
    if (!is_still)
      gst_vyre_pen_write (pen, rows[i].text, left + width, y + height * 0.36, 1);
    g_free (rows[i].text);
  }
}

static void
engine_draw_still (GstVyrePen *pen, const GstVyreModel *model, const GstVyreBox *box)
{
  engine_draw_rows (pen, model, box, TRUE);
}

static void
engine_draw (GstVyrePen *pen, const GstVyreModel *model, const GstVyreBox *box)
{
  engine_draw_rows (pen, model, box, FALSE);
}

const GstVyrePanel gst_vyre_engine = { "Engine", "counters of a vyrefilter in the same process",
  engine_has_results, engine_draw_still, engine_draw };
