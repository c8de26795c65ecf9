/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * All files of a command line, some of them at a time.
 */
#pragma once

#include "qc-job.h"

typedef struct {
  char **names; /* of files, or URIs */
  guint n_parallel;
  QcSettings settings;
  GPtrArray *reports; /* of QcReport, all of which the run finishes */
  gboolean lingers;   /* goes on behind the last file until a signal comes */
} QcPlan;

QcVerdict qc_run (const QcPlan *plan);
