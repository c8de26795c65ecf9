/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The panel draws counters of vyrefilter: latencies, on a scale of powers of ten, how full the ring
 * is, the streams, and the ways of the bytes to the kernel.
 */
#include "scope/gstvyrepanel.h"

#include <math.h>

#define LEAST_LATENCY 1e-5 /* s, where bars of latencies begin */
#define DECADES 5.0        /* and for how many powers of ten they go on */
#define FIGURE 4.0         /* em that the text of a figure may need */
#define LEAST_ROW 1.6      /* em: text and a bar below it */

typedef struct {
  const gchar *name;
  const gchar *brief; /* the name in a narrow panel; NULL: there is none */
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
  if (seconds < 1e-3)
    return g_strdup_printf ("%.0f \302\265s", seconds * 1e6);
  if (seconds < 1)
    return g_strdup_printf (seconds < 0.1 ? "%.1f ms" : "%.0f ms", seconds * 1e3);
  return g_strdup_printf ("%.1f s", seconds);
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
  rows[n++] = (Row){ "latency p50", "p50", engine_print_time (engine->p50),
    engine_scale_time (engine->p50), GST_VYRE_COLOUR_SKY };
  rows[n++] = (Row){ "latency p99", "p99", engine_print_time (engine->p99),
    engine_scale_time (engine->p99), GST_VYRE_COLOUR_ORANGE };
  rows[n++] = (Row){ "ring occupied", "ring", g_strdup_printf ("%.0f %%", 100 * engine->occupied),
    engine->occupied, GST_VYRE_COLOUR_PURPLE };
  rows[n++] = (Row){ "in flight", NULL, g_strdup_printf ("%.0f", engine->in_flight), -1, 0 };
  rows[n++] = (Row){ "streams", NULL, g_strdup_printf ("%.0f", engine->streams), -1, 0 };
  rows[n++] = (Row){ "batches", NULL, g_strdup_printf ("%.1f /s", engine->rate), -1, 0 };
  for (guint i = 0; i < GST_VYRE_N_WAYS; i++)
    rows[n++] = (Row){ ways[i], NULL, engine_print_bytes (engine->bytes[i]),
      all > 0 ? engine->bytes[i] / all : 0,
      i == GST_VYRE_WAY_COPIED ? GST_VYRE_COLOUR_VERMILION : GST_VYRE_COLOUR_GREEN };
  return n;
}

/* Returns the name of @row that fits into @room pixels; NULL where none does. */
static const gchar *
engine_choose_name (GstVyrePen *pen, const Row *row, gdouble room)
{
  if (gst_vyre_pen_measure (pen, row->name) <= room)
    return row->name;
  return row->brief && gst_vyre_pen_measure (pen, row->brief) <= room ? row->brief : NULL;
}

/* Draws the name and the figure of @row, and its bar below both, into @box. */
static void
engine_draw_row (
    GstVyrePen *pen, const Row *row, const gchar *name, const GstVyreBox *box, gboolean is_still)
{
  gdouble bar = box->y + box->height * 0.72, middle = box->y + box->height * 0.36;
  GstVyreBox track = { box->x, bar, box->width, MAX (1, box->height * 0.16) };
  GstVyreBox part = { box->x, bar, box->width * CLAMP (row->share, 0, 1), track.height };

  if (is_still) {
    gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_GRID, 0.7);
    if (row->share >= 0)
      gst_vyre_pen_fill_box (pen, &track);
    gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_DIM, 1);
    gst_vyre_pen_write (pen, name, box->x, middle, 0);
    return;
  }
  gst_vyre_pen_set_colour (pen, row->colour, 1);
  if (row->share > 0)
    gst_vyre_pen_fill_box (pen, &part);
  gst_vyre_pen_set_colour (pen, GST_VYRE_COLOUR_TEXT, 1);
  gst_vyre_pen_write (pen, row->text, box->x + box->width, middle, 1);
}

/* Rows that do not fit are left out, and so are those whose name does not. */
static void
engine_draw_rows (
    GstVyrePen *pen, const GstVyreModel *model, const GstVyreBox *box, gboolean is_still)
{
  Row rows[MOST_ROWS];
  guint n = engine_list (&model->engine, rows);
  gdouble room = box->height - pen->em * 0.5;
  guint fit = (guint)CLAMP (room / (pen->em * LEAST_ROW), 0, n);
  GstVyreBox row = { box->x + pen->em, box->y, box->width - 2 * pen->em,
    MIN (pen->em * 2.4, room / MAX (fit, 1)) };

  for (guint i = 0; i < n; i++) {
    const gchar *name = engine_choose_name (pen, &rows[i], row.width - pen->em * FIGURE);
    if (name && fit > 0) {
      engine_draw_row (pen, &rows[i], name, &row, is_still);
      row.y += row.height;
      fit--;
    }
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
