/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qc-measure.h"

#include <math.h>

/* Bins of the longest histogram, and the depth that they resolve. */
#define MOST_BINS 1024
#define MOST_BITS 10

/* The default of cropdetect. */
#define CROP_ROUND 16

typedef struct {
  guint n;
  guint64 bins[MOST_BINS];
} Histogram;

static const GstStructure *
get_structure (const GstStructure *results, const char *name)
{
  const GValue *value = gst_structure_get_value (results, name);

  return value && GST_VALUE_HOLDS_STRUCTURE (value) ? gst_value_get_structure (value) : NULL;
}

static double
get_number (const GstStructure *structure, const char *name)
{
  guint64 number = 0;

  gst_structure_get_uint64 (structure, name, &number);
  return (double)number;
}

static gboolean
append_bin (GQuark name, const GValue *value, gpointer data)
{
  Histogram *histogram = data;

  histogram->bins[histogram->n++] = g_value_get_uint64 (value);
  return histogram->n < MOST_BINS;
}

/* Whether there is such a histogram. */
static gboolean
read_histogram (const GstStructure *results, const char *name, Histogram *histogram)
{
  const GstStructure *bins = get_structure (results, name);

  histogram->n = 0;
  if (bins)
    gst_structure_foreach (bins, append_bin, histogram);
  return bins != NULL;
}

static void
add (GArray *measures, const char *key, double value)
{
  QcMeasure measure = { key, value };

  g_array_append_val (measures, measure);
}

/* The first bin at which @share of all samples are counted. */
static double
find_percentile (const Histogram *histogram, double percent, double count)
{
  guint64 limit = (guint64)lrint (count * percent / 100.), sum = 0;

  for (guint i = 0; i < histogram->n; i++) {
    sum += histogram->bins[i];
    if (sum >= limit)
      return i;
  }
  return 0;
}

static double
find_mean (const Histogram *histogram)
{
  guint64 sum = 0, count = 0;

  for (guint i = 0; i < histogram->n; i++) {
    sum += histogram->bins[i] * i;
    count += histogram->bins[i];
  }
  return count > 0 ? (double)sum / (double)count : 0;
}

static double
find_edge (const Histogram *histogram, gboolean last)
{
  for (guint i = 0; i < histogram->n; i++) {
    guint bin = last ? histogram->n - 1 - i : i;
    if (histogram->bins[bin] > 0)
      return bin;
  }
  return 0;
}

/* How many bits any sample has. */
static double
count_bits (const Histogram *histogram)
{
  guint seen = 0;

  for (guint i = 0; i < histogram->n; i++) {
    if (histogram->bins[i] > 0)
      seen |= i;
  }
  return __builtin_popcount (seen);
}

/* Components, and the keys of each: MIN, LOW, AVG, HIGH, MAX, DIF and BITDEPTH. */
static const struct {
  const char *name, *histogram, *difference;
  const char *keys[7];
} components[] = {
  { "luma", "luma-histogram", "luma-difference",
      { "YMIN", "YLOW", "YAVG", "YHIGH", "YMAX", "YDIF", "YBITDEPTH" } },
  { "u", "u-histogram", "u-difference",
      { "UMIN", "ULOW", "UAVG", "UHIGH", "UMAX", "UDIF", "UBITDEPTH" } },
  { "v", "v-histogram", "v-difference",
      { "VMIN", "VLOW", "VAVG", "VHIGH", "VMAX", "VDIF", "VBITDEPTH" } },
};

static void
add_component (GArray *measures, const GstStructure *results, guint component, guint step)
{
  const GstStructure *stats = get_structure (results, components[component].name);
  const char *const *keys = components[component].keys;
  Histogram histogram;

  if (!stats || !read_histogram (results, components[component].histogram, &histogram))
    return;
  double count = get_number (stats, "count");
  add (measures, keys[0], get_number (stats, "min"));
  add (measures, keys[1], find_percentile (&histogram, 10, count) * step);
  add (measures, keys[2], get_number (stats, "sum") / MAX (count, 1));
  add (measures, keys[3], find_percentile (&histogram, 90, count) * step);
  add (measures, keys[4], get_number (stats, "max"));
}

static void
add_colour (GArray *measures, const GstStructure *results, double count, guint step)
{
  Histogram histogram;

  if (!read_histogram (results, "saturation", &histogram))
    return;
  add (measures, "SATMIN", find_edge (&histogram, FALSE) * step);
  add (measures, "SATLOW", find_percentile (&histogram, 10, count) * step);
  add (measures, "SATAVG", find_mean (&histogram) * step);
  add (measures, "SATHIGH", find_percentile (&histogram, 90, count) * step);
  add (measures, "SATMAX", find_edge (&histogram, TRUE) * step);
  if (!read_histogram (results, "hue", &histogram))
    return;
  guint64 sum = 0;
  guint median = 0;
  while (median < histogram.n && (sum += histogram.bins[median]) <= (guint64)count / 2)
    median++;
  add (measures, "HUEMED", median);
  add (measures, "HUEAVG", find_mean (&histogram));
}

static void
add_differences (GArray *measures, const GstStructure *results)
{
  for (guint i = 0; i < G_N_ELEMENTS (components); i++) {
    const GstStructure *difference = get_structure (results, components[i].difference);
    if (difference)
      add (measures, components[i].keys[5],
          get_number (difference, "sum") / MAX (get_number (difference, "count"), 1));
  }
}

static void
add_depths (GArray *measures, const GstStructure *results)
{
  Histogram histogram;

  for (guint i = 0; i < G_N_ELEMENTS (components); i++) {
    if (read_histogram (results, components[i].histogram, &histogram))
      add (measures, components[i].keys[6], count_bits (&histogram));
  }
}

/* The values of ffmpeg's signalstats, in its order. Of more than 10 bits LOW and HIGH are multiples
 * of 2^(bits − 10), and BITDEPTH is left out. */
GArray *
qc_measure_signalstats (const GstStructure *results, const GstVideoInfo *info)
{
  GArray *measures = g_array_new (FALSE, FALSE, sizeof (QcMeasure));
  guint bits = GST_VIDEO_INFO_COMP_DEPTH (info, 0);
  guint step = bits > MOST_BITS ? 1U << (bits - MOST_BITS) : 1;
  const GstStructure *luma = get_structure (results, "luma"), *u = get_structure (results, "u");

  for (guint i = 0; i < G_N_ELEMENTS (components); i++)
    add_component (measures, results, i, step);
  if (u)
    add_colour (measures, results, get_number (u, "count"), step);
  add_differences (measures, results);
  if (step == 1)
    add_depths (measures, results);
  double count = luma ? MAX (get_number (luma, "count"), 1) : 1;
  add (measures, "TOUT", get_number (results, "outliers") / count);
  add (measures, "VREP", get_number (results, "repeats") / MAX (GST_VIDEO_INFO_HEIGHT (info), 1));
  if (gst_structure_has_field (results, "out-of-range"))
    add (measures, "BRNG", get_number (results, "out-of-range") / count);
  return measures;
}

/* The edges of a frame along one of its sides, and the crop between them. */
typedef struct {
  int first, last, size, start;
} Crop;

/* Finds them as cropdetect does: a lone row or column has no end. */
static Crop
find_crop (const GstStructure *bounds, int length)
{
  int first = MIN ((int)get_number (bounds, "begin"), length - 1);
  int last = (int)get_number (bounds, "end") - 1;
  int start = (first + 1) & ~1;

  if (last <= first)
    last = 0;
  int size = last - start + 1, rest = size % CROP_ROUND;
  return (Crop){ first, last, size - rest, start + ((rest / 2 + 1) & ~1) };
}

/* The values of ffmpeg's cropdetect for a frame by itself, as with skip=0 and reset=1, in its
 * order. */
GArray *
qc_measure_cropdetect (const GstStructure *results, const GstVideoInfo *info)
{
  const GstStructure *columns = get_structure (results, "columns");
  const GstStructure *rows = get_structure (results, "rows");
  GArray *measures = g_array_new (FALSE, FALSE, sizeof (QcMeasure));

  if (!columns || !rows)
    return measures;
  Crop across = find_crop (columns, GST_VIDEO_INFO_WIDTH (info));
  Crop down = find_crop (rows, GST_VIDEO_INFO_HEIGHT (info));
  add (measures, "x1", across.first);
  add (measures, "x2", across.last);
  add (measures, "y1", down.first);
  add (measures, "y2", down.last);
  add (measures, "w", across.size);
  add (measures, "h", down.size);
  add (measures, "x", across.start);
  add (measures, "y", down.start);
  return measures;
}

/* A value, or 0. */
double
qc_measure_find (const GArray *signalstats, const char *key)
{
  for (guint i = 0; i < signalstats->len; i++) {
    const QcMeasure *measure = &g_array_index (signalstats, QcMeasure, i);
    if (g_str_equal (measure->key, key))
      return measure->value;
  }
  return 0;
}

/* Fills in the levels of a frame. The scene score is that of ffmpeg's scdet. */
void
qc_measure_video (
    const GstStructure *results, const GArray *signalstats, QcStream *stream, QcSample *sample)
{
  static const char *const keys[] = { "YMIN", "YLOW", "YAVG", "YHIGH", "YMAX", "YDIF" };
  const GstStructure *luma = get_structure (results, "luma");
  guint bits = GST_VIDEO_INFO_COMP_DEPTH (&stream->video, 0);

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    sample->level[QC_LUMA_MIN + i] = qc_measure_find (signalstats, keys[i]);
  double difference = 100 * sample->level[QC_LUMA_DIFFERENCE] / (double)(1U << bits);
  double change = fabs (difference - stream->difference);
  sample->level[QC_SCENE_SCORE] = CLAMP (MIN (difference, change), 0, 100);
  stream->difference = difference;
  if (luma)
    sample->level[QC_BLACK_SHARE]
        = 100 * get_number (results, "black") / MAX (get_number (luma, "count"), 1);
}

/* Silence has a level of −∞. */
static double
to_decibels (double power)
{
  return power > 0 ? 10 * log10 (power) : -INFINITY;
}

/* Fills in the levels of a buffer of audio: the highest peak, the power of all channels. */
void
qc_measure_audio (const GstStructure *results, QcSample *sample)
{
  double peak = 0, squares = 0, count = 0;

  for (guint i = 0;; i++) {
    g_autofree char *name = g_strdup_printf ("channel-%u", i);
    const GstStructure *channel = get_structure (results, name);
    if (!channel)
      break;
    double scale = MAX (get_number (channel, "full-scale"), 1);
    peak = MAX (peak, get_number (channel, "peak") / scale);
    squares += (get_number (channel, "sum-squares")
                   + ldexp (get_number (channel, "sum-squares-high"), 64))
               / (scale * scale);
    count += get_number (channel, "count");
    sample->level[QC_CLIPPED] += get_number (channel, "clipped");
  }
  sample->level[QC_PEAK] = to_decibels (peak * peak);
  sample->level[QC_RMS] = to_decibels (squares / MAX (count, 1));
}
