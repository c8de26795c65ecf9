/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An output of a run. The lock of the run is held while a report is told something.
 */
#pragma once

#include "qc-file.h"
#include "qc-outputs.h"

typedef struct _QcReport QcReport;

struct _QcReport {
  /* Results of a buffer. @signalstats (of QcMeasure) is NULL for audio. NULL: of no interest. */
  void (*add_frame) (QcReport *report, const QcFile *file, const QcStream *stream,
      const QcSample *sample, const GstStructure *results, const GArray *signalstats);
  /* A message vyre-event of a stream, on the thread that posts it. NULL: of no interest. */
  void (*add_event) (
      QcReport *report, const QcFile *file, const QcStream *stream, const GstStructure *message);
  /* The counters of a stream, some times a second and at its end. NULL: of no interest. */
  void (*add_counters) (
      QcReport *report, const QcFile *file, const QcStream *stream, const GstStructure *counters);
  /* How far a file is, behind its counters. NULL: of no interest. */
  void (*add_progress) (QcReport *report, const QcFile *file);
  /* All of @file has been seen; files come in the order in which they were given. */
  void (*add_file) (QcReport *report, const QcFile *file);
  /* Writes what is left and frees the report; sets @error if not all of it could be written. */
  gboolean (*finish) (QcReport *report, GError **error);
};

QcReport *qc_table_new (guint name_width);
QcReport *qc_json_new (const QcOutput *output, gboolean histograms);
QcReport *qc_xml_new (const QcOutput *output);
QcReport *qc_html_new (const QcOutput *output);

gboolean qc_report_close (FILE *out, const char *path, gboolean written, GError **error);
char *qc_report_format_time (GstClockTime time);
