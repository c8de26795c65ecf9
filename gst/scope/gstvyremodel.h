/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A model keeps the results of a stream's buffers, by the names that built-in programs give them,
 * as far back as the history goes. One thread at a time may use a model.
 */
#pragma once

#include <gst/gst.h>

#include "library/gst/vyre/results.h"

G_BEGIN_DECLS

#define GST_VYRE_MODEL_BINS 256
#define GST_VYRE_MODEL_HUES 360
#define GST_VYRE_MODEL_PARTS 32 /* of chroma, either way, as sample_joint has them */
#define GST_VYRE_MODEL_CHANNELS 8
#define GST_VYRE_MODEL_FLOOR (-60.0) /* dB: meters begin here */

/* Conditions. Each has a light, and the first four a lane in the timeline. */
typedef enum {
  GST_VYRE_LIGHT_BLACK,
  GST_VYRE_LIGHT_FREEZE,
  GST_VYRE_LIGHT_SILENCE,
  GST_VYRE_LIGHT_CLIPPING,
  GST_VYRE_LIGHT_RANGE,
  GST_VYRE_LIGHT_BORDERS,
  GST_VYRE_LIGHT_COMPLETE,
  GST_VYRE_N_LIGHTS,
} GstVyreLightId;

typedef enum {
  GST_VYRE_LIGHT_UNKNOWN, /* no result says it, or none does any more */
  GST_VYRE_LIGHT_GOOD,
  GST_VYRE_LIGHT_NOTICE, /* the condition holds, but not for long */
  GST_VYRE_LIGHT_ALARM,
} GstVyreLightState;

typedef struct {
  GstVyreLightState state;
  gboolean is_there; /* a result has said it */
  gdouble told;      /* time of the last result that says it, in s */
  gdouble since;     /* time from which the condition holds, in s */
  gchar text[32];    /* the figure behind it */
} GstVyreLight;

typedef struct {
  gdouble time; /* s */
  gfloat mean, least, low, high,
      most;         /* of the scale: 1. Luma, where low and high are percentiles; of
                     * a stream without it RMS and peak of its loudest channel */
  guint conditions; /* bits of GstVyreLightId */
  gboolean is_there;
  gboolean is_cut; /* the picture is another one than before */
} GstVyrePoint;

typedef struct {
  gboolean is_there;
  gdouble told;                     /* time of the last ones, in s */
  gfloat bins[GST_VYRE_MODEL_BINS]; /* of the fullest: 1 */
} GstVyreHistogram;

typedef enum {
  GST_VYRE_HISTOGRAM_LUMA,
  GST_VYRE_HISTOGRAM_U,
  GST_VYRE_HISTOGRAM_V,
  GST_VYRE_HISTOGRAM_RED,
  GST_VYRE_HISTOGRAM_GREEN,
  GST_VYRE_HISTOGRAM_BLUE,
  GST_VYRE_HISTOGRAM_BYTES,
  GST_VYRE_N_HISTOGRAMS,
} GstVyreHistogramId;

/* Chroma is counted from its middle: 0.5 is as far as it goes. */
typedef struct {
  gboolean is_there;                                        /* a result has told of it */
  gboolean has_mean, has_density, has_hues, has_saturation; /* and it still holds */
  gdouble told;                                             /* time of the last result, in s */
  gdouble u, v;
  gdouble u_least, u_most, v_least, v_most;
  gfloat density[GST_VYRE_MODEL_PARTS * GST_VYRE_MODEL_PARTS]; /* rows of parts of v, from its least
                                                                * level on; logarithms, of the
                                                                * fullest: 1 */
  gfloat hues[GST_VYRE_MODEL_HUES];         /* of the fullest: 1; degrees as sample_hue has them */
  gdouble saturation_mean, saturation_high; /* high is the 90th percentile */
} GstVyreChroma;

/* The colours that caps tell of */
typedef struct {
  gdouble red, blue; /* their weights in luma */
  gdouble scale;     /* what chroma takes of the levels */
} GstVyreColorimetry;

typedef struct {
  gdouble told;      /* time of the last result, in s */
  gdouble rms, peak; /* dB of full scale, GST_VYRE_MODEL_FLOOR at least */
  gdouble hold;      /* the highest peak of the last seconds, in dB */
  gdouble hold_time; /* its time, in s */
  gdouble clip_time; /* of the last clipped sample, in s; below 0: none */
} GstVyreChannel;

typedef enum {
  GST_VYRE_WAY_IN_PLACE,
  GST_VYRE_WAY_IMPORTED,
  GST_VYRE_WAY_STORED,
  GST_VYRE_WAY_FILE,
  GST_VYRE_WAY_COPIED,
  GST_VYRE_N_WAYS,
} GstVyreWay;

/* Counters of vyrefilter, docs/messages.md */
typedef struct {
  gboolean is_there;
  gdouble p50, p99; /* s; below 0: unknown */
  gdouble occupied; /* share of the slots */
  gdouble in_flight, streams, batches;
  gdouble rate;  /* batches/s since the counters before */
  gdouble asked; /* when these are of, in s */
  gdouble bytes[GST_VYRE_N_WAYS];
} GstVyreEngine;

typedef struct {
  gdouble history;   /* s */
  gdouble patience;  /* for how long results hold, in s */
  gdouble time;      /* now, in s: that of the last results, or later */
  guint least_depth; /* bits of a sample of video, by the caps */
  guint depth;       /* as many or more, as levels show */
  GstVyreColorimetry colorimetry;
  guint shape; /* is another number when still parts of panels look different */
  gboolean has_luma;
  GArray *points; /* GstVyrePoint; those in front of @first are too old */
  guint first;
  guint64 cut_age;
  GstVyreHistogram histograms[GST_VYRE_N_HISTOGRAMS];
  GstVyreChroma chroma;
  GstVyreChannel channels[GST_VYRE_MODEL_CHANNELS];
  guint n_channels;
  GstVyreLight lights[GST_VYRE_N_LIGHTS];
  GstVyreEngine engine;
} GstVyreModel;

void gst_vyre_model_init (GstVyreModel *model, gdouble history);
void gst_vyre_model_clear (GstVyreModel *model);
void gst_vyre_model_begin (GstVyreModel *model, guint depth, const GstVyreColorimetry *colorimetry);
void gst_vyre_model_reset (GstVyreModel *model);
void gst_vyre_model_set_history (GstVyreModel *model, gdouble history);
void gst_vyre_model_set_patience (GstVyreModel *model, gdouble length);
void gst_vyre_model_go_on (GstVyreModel *model, gdouble time);
void gst_vyre_model_take (GstVyreModel *model, const GstVyreResults *results, gdouble time);
void gst_vyre_model_take_stats (GstVyreModel *model, const GstStructure *stats, gdouble now);
const gchar *gst_vyre_light_get_name (GstVyreLightId id);

G_END_DECLS
