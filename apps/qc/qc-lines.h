/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The JSON lines of a run, each an object without a line break, which is appended to a text that
 * the caller owns. docs/vyre-qc.md has their fields.
 */
#pragma once

#include "json/gstvyrejson.h"
#include "qc-file.h"

void qc_lines_add_frame (GString *line, const QcFile *file, const QcStream *stream,
    const QcSample *sample, const GstStructure *results, const GArray *signalstats,
    GstVyreJsonFlags flags);
void qc_lines_add_message (GString *line, const char *type, const QcFile *file,
    const QcStream *stream, const GstStructure *message);
void qc_lines_add_event (GString *line, const QcFile *file, const QcEvent *event);
void qc_lines_add_summary (GString *line, const QcFile *file);
void qc_lines_begin (GString *line, const char *type, const QcFile *file);

const char *const *qc_lines_get_level_names (QcKind kind);
