/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The figures of a run: printed row by row as a table, and written as JSON in the
 * end. A figure has a value per round, of which the median is reported, peers
 * measured in the same rounds, and a limit that nothing can beat.
 */
#pragma once

#include <stdio.h>

#include "check.h"
#include "series.h"

typedef struct {
  char *name;
  BenchSeries values;
} BenchPeer;

typedef struct {
  char *name;
  const char *unit;
  BenchSeries ours;
  GArray *peers; /* of BenchPeer */
  BenchPeer limit;
  char *note; /* or NULL */
} BenchFigure;

typedef struct {
  const char *name;
  const char *title;
  GPtrArray *figures; /* of BenchFigure */
  BenchCheck check;
  double seconds;
} BenchResult;

typedef struct {
  GPtrArray *facts;   /* strings: a name, then its value */
  GPtrArray *results; /* of BenchResult */
} BenchReport;

BenchReport *bench_report_new (void);
void bench_report_free (BenchReport *report);
void bench_report_fact (BenchReport *report, const char *name, const char *format, ...)
    G_GNUC_PRINTF (3, 4);
BenchResult *bench_report_row (BenchReport *report, const char *name, const char *title);
BenchFigure *bench_result_figure (
    BenchResult *result, char *name, const char *unit, const BenchSeries *ours);
void bench_figure_peer (BenchFigure *figure, const char *name, const BenchSeries *values);
void bench_figure_limit (BenchFigure *figure, const char *name, const BenchSeries *values);
void bench_figure_note (BenchFigure *figure, const char *format, ...) G_GNUC_PRINTF (2, 3);
gboolean bench_report_passed (const BenchReport *report);

/* table.c */
void bench_table_head (const BenchReport *report, FILE *file);
void bench_table_row (const BenchResult *result, FILE *file);

/* json.c */
char *bench_json (const BenchReport *report);
