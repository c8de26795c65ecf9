/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Timelines of levels, as SVG.
 */
#pragma once

#include "qc-file.h"

/* A line of a plot. */
typedef struct {
  const char *name; /* NULL ends a list */
  QcLevel level;
  const char *colour;
} QcLine;

typedef struct {
  const char *title;
  const QcLine *lines;
  double low, high; /* of the axis; low = high: 0 to the greatest level */
} QcPlot;

void qc_plot_append (GString *html, const QcFile *file, const QcStream *stream, const QcPlot *plot);
