/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The files that a run writes. None of them is also an input, or written by two reports.
 */
#pragma once

#include <glib.h>
#include <stdio.h>

/* A path; "-" is standard output, and NULL an output that is not asked for. */
typedef struct {
  char *path;
  FILE *file;
} QcOutput;

gboolean qc_outputs_open (QcOutput *outputs, guint n, char **inputs, GError **error);
