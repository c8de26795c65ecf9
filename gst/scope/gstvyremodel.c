/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scope/gstvyremodel.h"

#include <math.h>
#include <string.h>

#include "scope/gstvyreverdicts.h"

#define HOLD_TIME 2.0 /* s that a peak is held */
#define FALL 20.0     /* dB/s by which a peak falls */
#define MOST_POINTS 65536
#define PATIENCE 1.0 /* s for which results hold at least */
#define LATEST 1.0   /* s that results may be late, out of their order */

static const gchar *const histogram_names[GST_VYRE_N_HISTOGRAMS] = { "luma-histogram",
  "u-histogram", "v-histogram", "red-histogram", "green-histogram", "blue-histogram", "histogram" };

void
gst_vyre_model_init (GstVyreModel *model, gdouble history)
{
  *model = (GstVyreModel){ .history = history,
    .patience = PATIENCE,
    .least_depth = 8,
    .colorimetry = { 0.2126, 0.0722, 0.875 } };
  model->points = g_array_new (FALSE, TRUE, sizeof (GstVyrePoint));
  gst_vyre_model_reset (model);
}

void
gst_vyre_model_clear (GstVyreModel *model)
{
  g_clear_pointer (&model->points, g_array_unref);
}

/* Forgets all results. Counters stay. */
void
gst_vyre_model_reset (GstVyreModel *model)
{
  g_array_set_size (model->points, 0);
  *model = (GstVyreModel){
    .history = model->history,
    .patience = model->patience,
    .points = model->points,
    .least_depth = model->least_depth,
    .depth = model->least_depth,
    .colorimetry = model->colorimetry,
    .shape = model->shape + 1,
    .engine = model->engine,
  };
}

/* Sets how far back the history goes, in s. */
void
gst_vyre_model_set_history (GstVyreModel *model, gdouble history)
{
  if (history == model->history)
    return;
  model->history = history;
  model->shape++;
}

/* Has results hold for as long as two buffers of @length s last, and for a second at least. */
void
gst_vyre_model_set_patience (GstVyreModel *model, gdouble length)
{
  model->patience = MAX (PATIENCE, 2 * length);
}

/* Returns the least depth that formats have, and that is enough for @depth bits. */
static guint
model_round_depth (guint depth)
{
  return depth <= 8 ? 8 : depth <= 10 ? 10 : depth <= 12 ? 12 : 16;
}

/* Forgets all results. Samples of what comes have @depth bits or more: no result has the depth, and
 * caps may be those of a converter. */
void
gst_vyre_model_begin (GstVyreModel *model, guint depth, const GstVyreColorimetry *colorimetry)
{
  model->least_depth = model_round_depth (depth);
  model->colorimetry = *colorimetry;
  gst_vyre_model_reset (model);
}

/* Has samples be deep enough for the level @most. */
static void
model_raise_depth (GstVyreModel *model, gdouble most)
{
  while (most >= exp2 (model->depth) && model->depth < 16) {
    model->depth = model_round_depth (model->depth + 1);
    model->shape++;
  }
}

static void
model_note (GstVyreModel *model, gboolean *has)
{
  if (!*has)
    model->shape++;
  *has = TRUE;
}

/* Looks up a number of the result @name; 0 where there is none. */
static gdouble
model_get (const GstVyreResults *results, const gchar *name, const gchar *field)
{
  const GValue *value = gst_vyre_results_get_value (results, name);
  const GstStructure *structure
      = value && GST_VALUE_HOLDS_STRUCTURE (value) ? gst_value_get_structure (value) : NULL;
  guint64 number = 0;

  if (structure)
    gst_structure_get_uint64 (structure, field, &number);
  return (gdouble)number;
}

/* Returns the bin at which @share of all is counted. */
static gsize
model_find_share (const guint64 *bins, gsize n, gdouble share)
{
  gdouble all = 0, sum = 0;
  gsize i;

  for (i = 0; i < n; i++)
    all += (gdouble)bins[i];
  for (i = 0; i < n; i++) {
    sum += (gdouble)bins[i];
    if (sum >= all * share)
      break;
  }
  return MIN (i, n - 1);
}

/* Returns the numbers of a histogram of samples, and how many of its bins samples can be in. */
static guint64 *
model_get_bins (
    const GstVyreModel *model, const GstVyreResults *results, const gchar *name, gsize *n)
{
  guint64 *bins = gst_vyre_results_get_array (results, name, n);

  *n = MIN (*n, (gsize)1 << MIN (model->depth, 10));
  if (*n == 0)
    g_clear_pointer (&bins, g_free);
  return bins;
}

static void
model_take_histogram (GstVyreModel *model, const GstVyreResults *results, GstVyreHistogramId id)
{
  GstVyreHistogram *histogram = &model->histograms[id];
  gsize n;
  g_autofree guint64 *bins = model_get_bins (model, results, histogram_names[id], &n);
  gfloat most = 0;

  if (!bins)
    return;
  model_note (model, &histogram->is_there);
  histogram->told = model->time;
  memset (histogram->bins, 0, sizeof histogram->bins);
  for (gsize i = 0; i < n; i++) {
    gsize bin = i * GST_VYRE_MODEL_BINS / n, end = (i + 1) * GST_VYRE_MODEL_BINS / n;
    do {
      histogram->bins[bin] += (gfloat)bins[i];
      most = MAX (most, histogram->bins[bin]);
    } while (++bin < end); /* of fewer bins each is as broad as several */
  }
  for (guint i = 0; most > 0 && i < GST_VYRE_MODEL_BINS; i++)
    histogram->bins[i] /= most;
}

/* Fills the luma of @point in. */
static void
model_take_luma (GstVyreModel *model, const GstVyreResults *results, GstVyrePoint *point)
{
  gdouble count = model_get (results, "luma", "count");
  gdouble most = model_get (results, "luma", "max");
  gsize n;

  if (count <= 0)
    return;
  model_raise_depth (model, most);
  model_note (model, &model->has_luma);
  g_autofree guint64 *bins = model_get_bins (model, results, "luma-histogram", &n);
  gdouble levels = exp2 (model->depth);
  point->is_there = TRUE;
  point->mean = (gfloat)(model_get (results, "luma", "sum") / count / levels);
  point->least = point->low = (gfloat)(model_get (results, "luma", "min") / levels);
  point->most = point->high = (gfloat)(most / levels);
  if (!bins)
    return;
  point->low = (gfloat)model_find_share (bins, n, 0.1) / (gfloat)n;
  point->high = (gfloat)model_find_share (bins, n, 0.9) / (gfloat)n;
}

/* Hues of samples without a colour say nothing: all of these are at 180 degrees. */
static void
model_take_hues (GstVyreChroma *chroma, const GstVyreResults *results, guint64 colourless)
{
  gsize n;
  g_autofree guint64 *bins = gst_vyre_results_get_array (results, "hue", &n);
  guint64 most = 0;

  chroma->has_hues = bins && n == GST_VYRE_MODEL_HUES;
  if (!chroma->has_hues)
    return;
  bins[180] -= MIN (bins[180], colourless);
  for (guint i = 0; i < GST_VYRE_MODEL_HUES; i++)
    most = MAX (most, bins[i]);
  for (guint i = 0; i < GST_VYRE_MODEL_HUES; i++)
    chroma->hues[i] = most > 0 ? (gfloat)bins[i] / (gfloat)most : 0;
}

static void
model_take_saturation (GstVyreModel *model, const GstVyreResults *results)
{
  GstVyreChroma *chroma = &model->chroma;
  gsize n;
  g_autofree guint64 *bins = model_get_bins (model, results, "saturation", &n);
  gdouble sum = 0, count = 0;

  chroma->has_saturation = bins != NULL;
  if (!bins) {
    model_take_hues (chroma, results, 0);
    return;
  }
  for (gsize i = 0; i < n; i++) {
    count += (gdouble)bins[i];
    sum += (gdouble)bins[i] * (gdouble)i;
  }
  chroma->saturation_mean = count > 0 ? sum / count / (gdouble)n : 0;
  chroma->saturation_high = (gdouble)model_find_share (bins, n, 0.9) / (gdouble)n;
  model_take_hues (chroma, results, bins[0]);
}

/* Logarithms show what few samples have beside what most have. */
static void
model_take_density (GstVyreModel *model, const GstVyreResults *results)
{
  GstVyreChroma *chroma = &model->chroma;
  gsize n;
  g_autofree guint64 *bins = gst_vyre_results_get_array (results, "chroma", &n);
  guint64 most = 1;

  if (!bins || n != G_N_ELEMENTS (chroma->density))
    return;
  for (guint i = 0; i < n; i++)
    most = MAX (most, bins[i]);
  for (guint i = 0; i < n; i++)
    chroma->density[i] = (gfloat)(log1p ((gdouble)bins[i]) / log1p ((gdouble)most));
  model_note (model, &chroma->is_there);
  chroma->has_density = TRUE;
  chroma->told = model->time;
}

static void
model_take_chroma (GstVyreModel *model, const GstVyreResults *results)
{
  GstVyreChroma *chroma = &model->chroma;
  gdouble count = model_get (results, "u", "count");
  gdouble levels = exp2 (model->depth);

  model_take_density (model, results);
  if (count <= 0)
    return;
  model_note (model, &chroma->is_there);
  chroma->has_mean = TRUE;
  chroma->told = model->time;
  chroma->u = model_get (results, "u", "sum") / count / levels - 0.5;
  chroma->v = model_get (results, "v", "sum") / count / levels - 0.5;
  chroma->u_least = model_get (results, "u", "min") / levels - 0.5;
  chroma->u_most = model_get (results, "u", "max") / levels - 0.5;
  chroma->v_least = model_get (results, "v", "min") / levels - 0.5;
  chroma->v_most = model_get (results, "v", "max") / levels - 0.5;
  model_take_saturation (model, results);
}

static gdouble
model_to_db (gdouble power)
{
  return power > 0 ? MAX (10 * log10 (power), GST_VYRE_MODEL_FLOOR) : GST_VYRE_MODEL_FLOOR;
}

static void
model_silence (GstVyreChannel *channel, gdouble time)
{
  *channel = (GstVyreChannel){ .told = time,
    .rms = GST_VYRE_MODEL_FLOOR,
    .peak = GST_VYRE_MODEL_FLOOR,
    .hold = GST_VYRE_MODEL_FLOOR,
    .hold_time = time,
    .clip_time = -1 };
}

/* Peaks fall as those of a meter do. */
static void
model_take_channel (
    GstVyreChannel *channel, const GstVyreResults *results, const gchar *name, gdouble time)
{
  gdouble passed = time - channel->told;
  gdouble full = model_get (results, name, "full-scale"),
          count = model_get (results, name, "count");
  gdouble squares = model_get (results, name, "sum-squares")
                    + ldexp (model_get (results, name, "sum-squares-high"), 64);
  gdouble peak = full > 0 ? model_get (results, name, "peak") / full : 0;
  gdouble peak_db = model_to_db (peak * peak);

  channel->told = time;
  channel->rms = model_to_db (full > 0 && count > 0 ? squares / count / full / full : 0);
  channel->peak = MAX (peak_db, MAX (channel->peak - FALL * passed, GST_VYRE_MODEL_FLOOR));
  if (peak_db >= channel->hold || time - channel->hold_time > HOLD_TIME) {
    channel->hold = peak_db;
    channel->hold_time = time;
  }
  if (model_get (results, name, "clipped") > 0)
    channel->clip_time = time;
}

static void
model_take_channels (GstVyreModel *model, const GstVyreResults *results)
{
  for (guint i = 0; i < GST_VYRE_MODEL_CHANNELS; i++) {
    GstVyreChannel *channel = &model->channels[i];
    g_autofree gchar *name = g_strdup_printf ("channel-%u", i);
    if (!gst_vyre_results_get_value (results, name))
      return;
    if (i >= model->n_channels) {
      model_silence (channel, model->time);
      model->n_channels = i + 1;
      model->shape++;
    }
    model_take_channel (channel, results, name, model->time);
  }
}

/* Fills the level of the loudest channel in. */
static void
model_take_level (const GstVyreModel *model, GstVyrePoint *point)
{
  gdouble rms = GST_VYRE_MODEL_FLOOR, peak = GST_VYRE_MODEL_FLOOR;

  for (guint i = 0; i < model->n_channels; i++) {
    rms = MAX (rms, model->channels[i].rms);
    peak = MAX (peak, model->channels[i].peak);
  }
  point->is_there = TRUE;
  point->mean = point->high = (gfloat)(1 - rms / GST_VYRE_MODEL_FLOOR);
  point->most = (gfloat)(1 - peak / GST_VYRE_MODEL_FLOOR);
}

/* The age of a cut is 1 in the frame behind it. Where a stream begins anew, 1 comes behind 0. */
static void
model_take_cut (GstVyreModel *model, const GstVyreResults *results)
{
  guint64 age;

  if (!gst_vyre_results_get_uint64 (results, "cut-age", &age))
    return;
  if (model->cut_age > 0 && age == 1 && model->points->len > model->first)
    g_array_index (model->points, GstVyrePoint, model->points->len - 1).is_cut = TRUE;
  model->cut_age = age;
}

/* Adds a point, and lets those go that are older than the history. */
static void
model_add_point (GstVyreModel *model, const GstVyrePoint *point)
{
  g_array_append_val (model->points, *point);
  while (model->first + 1 < model->points->len
         && (g_array_index (model->points, GstVyrePoint, model->first + 1).time
                 < point->time - model->history
             || model->points->len - model->first > MOST_POINTS))
    model->first++;
  if (model->first <= model->points->len / 2)
    return;
  g_array_remove_range (model->points, 0, model->first);
  model->first = 0;
}

/* Adds a point without values behind the last one, where that is from before @oldest: lines and
 * lanes end there. */
static void
model_add_hole (GstVyreModel *model, gdouble oldest)
{
  if (model->points->len == model->first)
    return;
  const GstVyrePoint *last = &g_array_index (model->points, GstVyrePoint, model->points->len - 1);
  GstVyrePoint hole = { .time = last->time };
  if (last->time >= oldest || !(last->is_there || last->conditions))
    return;
  model_add_point (model, &hole);
  model->cut_age = 0;
}

/* Has what was told before @oldest, and was not since, hold no longer. Its place stays. */
static void
model_forget (GstVyreModel *model, gdouble oldest)
{
  GstVyreChroma *chroma = &model->chroma;

  model_add_hole (model, oldest);
  for (guint i = 0; i < GST_VYRE_N_HISTOGRAMS; i++) {
    if (model->histograms[i].is_there && model->histograms[i].told < oldest)
      memset (model->histograms[i].bins, 0, sizeof model->histograms[i].bins);
  }
  if (chroma->told < oldest)
    chroma->has_mean = chroma->has_density = chroma->has_hues = chroma->has_saturation = FALSE;
  for (guint i = 0; i < model->n_channels; i++) {
    if (model->channels[i].told < oldest)
      model_silence (&model->channels[i], model->channels[i].told);
  }
  for (guint i = 0; i < GST_VYRE_N_LIGHTS; i++) {
    if (model->lights[i].told < oldest)
      model->lights[i].state = GST_VYRE_LIGHT_UNKNOWN;
  }
}

/* Goes on to @time, in s, where that is later than now. Where it is far back, all is new. */
void
gst_vyre_model_go_on (GstVyreModel *model, gdouble time)
{
  if (time < model->time - LATEST)
    gst_vyre_model_reset (model);
  model->time = MAX (model->time, time);
  model_forget (model, model->time - model->patience);
}

/* Takes the results of the buffer at @time, in s. Those that are a little late are of now. */
void
gst_vyre_model_take (GstVyreModel *model, const GstVyreResults *results, gdouble time)
{
  gst_vyre_model_go_on (model, time);
  GstVyrePoint point = { .time = model->time };

  model_take_luma (model, results, &point);
  for (guint i = 0; i < GST_VYRE_N_HISTOGRAMS; i++)
    model_take_histogram (model, results, i);
  model_take_chroma (model, results);
  model_take_channels (model, results);
  if (!model->has_luma && gst_vyre_results_get_value (results, "channel-0"))
    model_take_level (model, &point);
  model_take_cut (model, results);
  gst_vyre_verdicts_take (model, results);
  for (guint i = 0; i < GST_VYRE_N_LIGHTS; i++) {
    if (model->lights[i].state > GST_VYRE_LIGHT_GOOD)
      point.conditions |= 1u << i;
  }
  model_add_point (model, &point);
}

/* Looks up the counter @name of @stats, or of the structure @within of these; 0 where there is
 * none. */
static gdouble
model_get_counter (const GstStructure *stats, const gchar *within, const gchar *name)
{
  const GValue *value = within ? gst_structure_get_value (stats, within) : NULL;
  guint64 number = 0;

  if (value && GST_VALUE_HOLDS_STRUCTURE (value))
    stats = gst_value_get_structure (value);
  gst_structure_get_uint64 (stats, name, &number);
  return (gdouble)number;
}

static gdouble
model_get_latency (const GstStructure *stats, const gchar *name)
{
  guint64 time = GST_CLOCK_TIME_NONE;

  gst_structure_get_uint64 (stats, name, &time);
  return GST_CLOCK_TIME_IS_VALID (time) ? (gdouble)time / GST_SECOND : -1;
}

/* Takes the counters of vyrefilter as they are @now, in s of a clock that goes on. */
void
gst_vyre_model_take_stats (GstVyreModel *model, const GstStructure *stats, gdouble now)
{
  static const gchar *const ways[GST_VYRE_N_WAYS]
      = { "arena-bytes", "import-bytes", "direct-bytes", "fd-bytes", "cpu-bounce-bytes" };
  GstVyreEngine *engine = &model->engine;
  gdouble batches = model_get_counter (stats, NULL, "batches");

  if (engine->is_there && now > engine->asked)
    engine->rate = MAX (batches - engine->batches, 0) / (now - engine->asked);
  model_note (model, &engine->is_there);
  engine->asked = now;
  engine->batches = batches;
  engine->p50 = model_get_latency (stats, "latency-p50");
  engine->p99 = model_get_latency (stats, "latency-p99");
  engine->occupied = model_get_counter (stats, "runtime", "occupied-bps") / 10000;
  engine->in_flight = model_get_counter (stats, NULL, "queue-depth");
  engine->streams = model_get_counter (stats, NULL, "kernel-tenants");
  for (guint i = 0; i < GST_VYRE_N_WAYS; i++)
    engine->bytes[i] = model_get_counter (stats, "ingest", ways[i]);
}
