/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The levels of a stream over all of its time, in a bounded number of columns: a column has the
 * least and the greatest of each level in its time. Columns become wider as the stream goes on.
 * No locks: the caller guards a timeline.
 */
#pragma once

#include "qc-file.h"

typedef struct _QcTimeline QcTimeline;

QcTimeline *qc_timeline_new (QcKind kind);
QcTimeline *qc_timeline_copy (const QcTimeline *timeline);
void qc_timeline_free (QcTimeline *timeline);
void qc_timeline_add (QcTimeline *timeline, const QcSample *sample);
void qc_timeline_append_json (const QcTimeline *timeline, GString *json);
