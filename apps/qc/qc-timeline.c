/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qc-timeline.h"

#include <math.h>

#include "common/json.h"
#include "qc-lines.h"

/* Columns at most, and the time of each at first */
#define MOST_COLUMNS 1024
#define FIRST_STEP (10 * GST_MSECOND)

/* Digits of a level in a picture, and the level of silence there, which has no number of dB */
#define DIGITS 5
#define SILENCE -999

/* NAN where no sample came. */
typedef struct {
  double least[QC_N_LEVELS], most[QC_N_LEVELS];
} QcColumn;

struct _QcTimeline {
  QcKind kind;
  GstClockTime step;
  GArray *columns; /* of QcColumn */
};

QcTimeline *
qc_timeline_new (QcKind kind)
{
  QcTimeline *timeline = g_new0 (QcTimeline, 1);

  timeline->kind = kind;
  timeline->step = FIRST_STEP;
  timeline->columns = g_array_new (FALSE, FALSE, sizeof (QcColumn));
  return timeline;
}

QcTimeline *
qc_timeline_copy (const QcTimeline *timeline)
{
  QcTimeline *copy = g_new0 (QcTimeline, 1);

  *copy = *timeline;
  copy->columns = g_array_copy (timeline->columns);
  return copy;
}

void
qc_timeline_free (QcTimeline *timeline)
{
  g_array_unref (timeline->columns);
  g_free (timeline);
}

static QcColumn *
timeline_get (const QcTimeline *timeline, guint i)
{
  return &g_array_index (timeline->columns, QcColumn, i);
}

/* Takes up another column; fmin() and fmax() pass over NAN. */
static void
column_merge (QcColumn *column, const QcColumn *other)
{
  for (guint level = 0; level < QC_N_LEVELS; level++) {
    column->least[level] = fmin (column->least[level], other->least[level]);
    column->most[level] = fmax (column->most[level], other->most[level]);
  }
}

static void
timeline_widen (QcTimeline *timeline)
{
  guint n = timeline->columns->len;

  for (guint i = 0; i < n; i += 2) {
    QcColumn column = *timeline_get (timeline, i);
    if (i + 1 < n)
      column_merge (&column, timeline_get (timeline, i + 1));
    *timeline_get (timeline, i / 2) = column;
  }
  g_array_set_size (timeline->columns, (n + 1) / 2);
  timeline->step *= 2;
}

static QcColumn
column_new (const double *levels)
{
  QcColumn column;

  for (guint level = 0; level < QC_N_LEVELS; level++)
    column.least[level] = column.most[level] = levels ? levels[level] : NAN;
  return column;
}

/* Adds a sample; one without a time has no place. */
void
qc_timeline_add (QcTimeline *timeline, const QcSample *sample)
{
  const QcColumn column = column_new (sample->level), empty = column_new (NULL);

  if (!GST_CLOCK_TIME_IS_VALID (sample->time))
    return;
  while (sample->time / timeline->step >= MOST_COLUMNS)
    timeline_widen (timeline);
  guint i = (guint)(sample->time / timeline->step);
  while (timeline->columns->len <= i)
    g_array_append_val (timeline->columns, empty);
  column_merge (timeline_get (timeline, i), &column);
}

static void
append_levels (const QcTimeline *timeline, GString *json, const char *key, guint level)
{
  gboolean is_least = g_str_equal (key, "least");

  gst_vyre_json_add_key (json, key);
  g_string_append_c (json, '[');
  for (guint i = 0; i < timeline->columns->len; i++) {
    const QcColumn *column = timeline_get (timeline, i);
    double value = is_least ? column->least[level] : column->most[level];
    if (i > 0)
      g_string_append_c (json, ',');
    gst_vyre_json_add_real (json, isinf (value) ? SILENCE : value, DIGITS);
  }
  g_string_append_c (json, ']');
}

/* Appends an object: `step`, the time of a column in ns, and for each level by its name arrays of
 * `least` and `most`, with null where no sample came, and −999 for silence. */
void
qc_timeline_append_json (const QcTimeline *timeline, GString *json)
{
  const char *const *names = qc_lines_get_level_names (timeline->kind);

  g_string_append_c (json, '{');
  app_json_append_number (json, "step", timeline->step);
  gst_vyre_json_add_key (json, "levels");
  g_string_append_c (json, '{');
  for (guint level = 0; names[level]; level++) {
    gst_vyre_json_add_key (json, names[level]);
    g_string_append_c (json, '{');
    append_levels (timeline, json, "least", level);
    append_levels (timeline, json, "most", level);
    g_string_append_c (json, '}');
  }
  g_string_append (json, "}}");
}
