/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Numbers from the counts of vyre-results, as ffmpeg's filters have them.
 */
#pragma once

#include "qc-file.h"

/* A value that a filter has for a frame, with its key. */
typedef struct {
  const char *key;
  double value;
} QcMeasure;

GArray *qc_measure_signalstats (const GstStructure *results, const GstVideoInfo *info);
GArray *qc_measure_cropdetect (const GstStructure *results, const GstVideoInfo *info);
void qc_measure_video (
    const GstStructure *results, const GArray *signalstats, QcStream *stream, QcSample *sample);
void qc_measure_audio (const GstStructure *results, QcSample *sample);
double qc_measure_find (const GArray *signalstats, const char *key);
