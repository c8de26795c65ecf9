/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The report that a page shows while a run goes on.
 */
#pragma once

#include "qc-report.h"
#include "serve/serve.h"

/* Begins to serve. The report adds lines to @serve and ends it; its state stays until
 * qc_live_free(), which comes behind serve_free(). */
typedef struct _QcLive QcLive;

QcLive *qc_live_new (Serve *serve, char **names);
QcReport *qc_live_get_report (QcLive *live);
void qc_live_free (QcLive *live);
