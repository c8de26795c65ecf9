/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A bar on standard error, where that is a terminal. NULL, where it is not, shows nothing.
 */
#pragma once

#include "qc-file.h"

/* Milliseconds from one bar to the next. */
#define QC_PROGRESS_INTERVAL 200

typedef struct _QcProgress QcProgress;

QcProgress *qc_progress_new (void);
void qc_progress_show (QcProgress *progress, const GPtrArray *files, const gboolean *is_done);
void qc_progress_clear (QcProgress *progress);
void qc_progress_free (QcProgress *progress);
