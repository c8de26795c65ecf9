/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The pipeline of one file: it decodes, measures, and keeps no clock.
 */
#pragma once

#include "qc-params.h"

/* Called with the lock held, on a thread of the pipeline, for the results of a buffer. */
typedef void (*QcResultsFunc) (
    QcFile *file, QcStream *stream, const GstStructure *results, gpointer user_data);

/* Called once, on the thread of the main loop, when the file has come to its end, whichever. */
typedef void (*QcDoneFunc) (QcFile *file, gpointer user_data);

typedef struct {
  GMutex *lock; /* of everything in QcFile */
  const QcSettings *settings;
  GstElement **keeper; /* of the kernel that the files share; NULL there before the first; lock */
  QcResultsFunc add_results;
  QcDoneFunc done;
  gpointer user_data;
} QcOwner;

typedef struct _QcJob QcJob;

QcJob *qc_job_new (QcFile *file, const QcOwner *owner);
void qc_job_stop (QcJob *job);
void qc_job_close (QcJob *job);
void qc_job_free (QcJob *job);
void qc_job_query_duration (QcJob *job);
