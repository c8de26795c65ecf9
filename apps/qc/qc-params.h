/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Numbers of a command line for the programs that declare them.
 */
#pragma once

#include "qc-file.h"

typedef struct {
  char *device;                     /* NULL: vyrefilter's default */
  guint timeout;                    /* seconds that a file may go without a buffer */
  GstStructure *params[QC_N_KINDS]; /* for the programs, or NULL */
} QcSettings;

const char *qc_params_get_program (QcKind kind);
gboolean qc_params_parse (char **texts, QcSettings *settings, GError **error);
void qc_params_clear (QcSettings *settings);
