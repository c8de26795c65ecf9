/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scope/gstvyreverdicts.h"

#include <math.h>

/* Defaults of builtin:video-qc and builtin:audio-qc, for results that tell of no events */
#define BLACK_RATIO 0.98
#define FREEZE_NOISE 0.001
#define LASTING 2.0 /* s */

#define RANGE_RATIO 0.01 /* the share of samples out of range that EBU R 103 allows */

const gchar *
gst_vyre_light_get_name (GstVyreLightId id)
{
  static const gchar *const names[GST_VYRE_N_LIGHTS]
      = { "Black", "Freeze", "Silence", "Clipping", "Range", "Borders", "Complete" };

  return names[id];
}

static gboolean
verdicts_get (const GstVyreResults *results, const gchar *path, gdouble *value)
{
  guint64 number;

  if (!gst_vyre_results_get_uint64 (results, path, &number))
    return FALSE;
  *value = (gdouble)number;
  return TRUE;
}

/* Returns what the program has made of the event of a light; unknown where it has no such event, or
 * results do not tell. */
static GstVyreLightState
verdicts_find_event (const GstVyreResults *results, GstVyreLightId id)
{
  static const gchar *const paths[GST_VYRE_N_LIGHTS]
      = { "event-states.black", "event-states.freeze", "event-states.silence",
          "event-states.clipping", NULL, "event-states.borders", NULL };
  const GValue *value = paths[id] ? gst_vyre_results_get_value (results, paths[id]) : NULL;

  if (!value || !G_VALUE_HOLDS_STRING (value))
    return GST_VYRE_LIGHT_UNKNOWN;
  const gchar *state = g_value_get_string (value);
  return g_strcmp0 (state, "none") == 0   ? GST_VYRE_LIGHT_GOOD
         : g_strcmp0 (state, "open") == 0 ? GST_VYRE_LIGHT_NOTICE
                                          : GST_VYRE_LIGHT_ALARM;
}

/* Has the light follow the event of the program, or where there is none its condition, which makes
 * an alarm where it holds for @lasting s. */
static void
verdicts_set (GstVyreModel *model, const GstVyreResults *results, GstVyreLightId id, gboolean holds,
    gdouble lasting, const gchar *text)
{
  GstVyreLight *light = &model->lights[id];
  GstVyreLightState state = verdicts_find_event (results, id);

  /* an interval that begins with the last samples of a buffer is no silence yet */
  if (id == GST_VYRE_LIGHT_SILENCE && state == GST_VYRE_LIGHT_NOTICE && !holds)
    state = GST_VYRE_LIGHT_GOOD;

  if (!light->is_there)
    model->shape++;
  light->is_there = TRUE;
  light->told = model->time;
  if (light->state < GST_VYRE_LIGHT_NOTICE)
    light->since = model->time;
  light->state = state != GST_VYRE_LIGHT_UNKNOWN         ? state
                 : !holds                                ? GST_VYRE_LIGHT_GOOD
                 : model->time - light->since >= lasting ? GST_VYRE_LIGHT_ALARM
                                                         : GST_VYRE_LIGHT_NOTICE;
  g_strlcpy (light->text, text, sizeof light->text);
}

G_GNUC_PRINTF (6, 7)
static void
verdicts_say (GstVyreModel *model, const GstVyreResults *results, GstVyreLightId id, gboolean holds,
    gdouble lasting, const gchar *format, ...)
{
  gchar text[32];
  va_list args;

  va_start (args, format);
  g_vsnprintf (text, sizeof text, format, args);
  va_end (args);
  verdicts_set (model, results, id, holds, lasting, text);
}

static void
verdicts_take_black (GstVyreModel *model, const GstVyreResults *results)
{
  gdouble black, count;

  if (!verdicts_get (results, "black", &black) || !verdicts_get (results, "luma.count", &count)
      || count <= 0)
    return;
  verdicts_say (model, results, GST_VYRE_LIGHT_BLACK, black >= BLACK_RATIO * count, LASTING,
      "%.1f %%", 100 * black / count);
}

/* The mean of the differences of all components from the last picture that was not frozen */
static void
verdicts_take_freeze (GstVyreModel *model, const GstVyreResults *results)
{
  static const gchar *const components[] = { "luma", "u", "v", "alpha" };
  gdouble sum = 0, count = 0;

  for (guint i = 0; i < G_N_ELEMENTS (components); i++) {
    g_autofree gchar *sum_path = g_strdup_printf ("%s-change.sum", components[i]);
    g_autofree gchar *count_path = g_strdup_printf ("%s-change.count", components[i]);
    gdouble more;
    sum += verdicts_get (results, sum_path, &more) ? more : 0;
    count += verdicts_get (results, count_path, &more) ? more : 0;
  }
  if (count <= 0)
    return;
  gdouble change = sum / count / exp2 (model->depth);
  verdicts_say (model, results, GST_VYRE_LIGHT_FREEZE, change <= FREEZE_NOISE, LASTING,
      "\316\224 %.2f %%", 100 * change);
}

static void
verdicts_take_sound (GstVyreModel *model, const GstVyreResults *results)
{
  gdouble count, head, clipped = 0, more;

  if (verdicts_get (results, "loud.count", &count) && verdicts_get (results, "loud.head", &head))
    verdicts_say (model, results, GST_VYRE_LIGHT_SILENCE, count > 0 && head >= count, LASTING, "%s",
        head >= count ? "quiet" : "sound");
  if (!verdicts_get (results, "channel-0.clipped", &clipped))
    return;
  for (guint i = 1; i < GST_VYRE_MODEL_CHANNELS; i++) {
    g_autofree gchar *path = g_strdup_printf ("channel-%u.clipped", i);
    clipped += verdicts_get (results, path, &more) ? more : 0;
  }
  verdicts_say (model, results, GST_VYRE_LIGHT_CLIPPING, clipped > 0, 0, "%.0f samples", clipped);
}

static void
verdicts_take_range (GstVyreModel *model, const GstVyreResults *results)
{
  gdouble outside, count;

  if (verdicts_get (results, "out-of-range", &outside)
      && verdicts_get (results, "luma.count", &count) && count > 0)
    verdicts_say (model, results, GST_VYRE_LIGHT_RANGE, outside > RANGE_RATIO * count, LASTING,
        "%.2f %%", 100 * outside / count);
}

/* Results have no size of the picture, so the upper and the left border alone are known. */
static void
verdicts_take_borders (GstVyreModel *model, const GstVyreResults *results)
{
  gdouble top, left, bottom;

  if (!verdicts_get (results, "rows.begin", &top) || !verdicts_get (results, "columns.begin", &left)
      || !verdicts_get (results, "rows.end", &bottom))
    return;
  if (bottom <= 0) /* all of it is dark: there is no picture that could have borders */
    top = left = 0;
  g_autofree gchar *text = g_strdup_printf ("left %.0f, top %.0f", left, top);
  verdicts_set (model, results, GST_VYRE_LIGHT_BORDERS, top + left > 0, LASTING,
      top + left > 0 ? text : "none");
}

static void
verdicts_take_complete (GstVyreModel *model, const GstVyreResults *results)
{
  const GValue *complete = gst_vyre_results_get_value (results, "complete");
  const GValue *missing = gst_vyre_results_get_value (results, "missing");

  if (!complete || !G_VALUE_HOLDS_BOOLEAN (complete))
    return;
  gboolean is_missing = missing && G_VALUE_HOLDS_BOOLEAN (missing) && g_value_get_boolean (missing);
  verdicts_say (model, results, GST_VYRE_LIGHT_COMPLETE, !g_value_get_boolean (complete), LASTING,
      "%s",
      is_missing                       ? "no results"
      : g_value_get_boolean (complete) ? "yes"
                                       : "faults");
}

/* Has the lights of @model say what @results do. */
void
gst_vyre_verdicts_take (GstVyreModel *model, const GstVyreResults *results)
{
  verdicts_take_black (model, results);
  verdicts_take_freeze (model, results);
  verdicts_take_sound (model, results);
  verdicts_take_range (model, results);
  verdicts_take_borders (model, results);
  verdicts_take_complete (model, results);
}
