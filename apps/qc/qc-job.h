/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The pipeline of one file: it decodes, measures, and keeps no clock.
 */
#pragma once

#include "qc-params.h"

/* Called with the lock held, for the results of a buffer or an event, on a thread of the pipeline;
 * and for counters, on that of the main loop. */
typedef void (*QcMessageFunc) (
    QcFile *file, QcStream *stream, const GstStructure *message, gpointer user_data);

/* Called once, on the thread of the main loop, when the file has come to its end, whichever. */
typedef void (*QcDoneFunc) (QcFile *file, gpointer user_data);

typedef struct {
  GMutex *lock; /* of everything in QcFile */
  const QcSettings *settings;
  GstElement **keeper; /* of the kernel that the files share; NULL there before the first; lock */
  QcMessageFunc add_results, add_event, add_counters;
  QcDoneFunc done;
  gpointer user_data;
} QcOwner;

typedef struct _QcJob QcJob;

QcJob *qc_job_new (QcFile *file, const QcOwner *owner);
void qc_job_stop (QcJob *job);
void qc_job_close (QcJob *job);
void qc_job_free (QcJob *job);
void qc_job_query_duration (QcJob *job);
void qc_job_read_counters (QcJob *job);
