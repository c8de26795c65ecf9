/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the rows of the benchmark share: the options, two kernels of the same
 * settings but for their residency, and the report. A row measures ours and its
 * peers in turn, in several rounds, and checks everything it measures.
 */
#pragma once

#include "check.h"
#include "kernel.h"
#include "report.h"

typedef struct {
  VyreResidency residency;
  const char *placement;
  gboolean quick;
  guint rounds;
  double seconds;  /* of one measurement in one round */
  char *program;   /* this executable */
  char *cuda_peer; /* the other one, or NULL */
  char *ffmpeg;    /* a program, or NULL */
  BenchKernel *ours;
  BenchKernel *dispatch; /* the peer; NULL until a row asks for it */
  BenchReport *report;
} Bench;

typedef struct {
  const char *name;
  const char *title;
  void (*run) (Bench *bench, BenchCheck *check);
} BenchRow;

BenchKernel *bench_dispatch (Bench *bench, BenchCheck *check);
BenchFigure *bench_figure (Bench *bench, const char *unit, const BenchSeries *ours,
    const char *format, ...) G_GNUC_PRINTF (4, 5);

void bench_row_rtt (Bench *bench, BenchCheck *check);
void bench_row_nop (Bench *bench, BenchCheck *check);
void bench_row_batches (Bench *bench, BenchCheck *check);
void bench_row_producers (Bench *bench, BenchCheck *check);
void bench_row_streams (Bench *bench, BenchCheck *check);
void bench_row_slots (Bench *bench, BenchCheck *check);
void bench_row_payload (Bench *bench, BenchCheck *check);
void bench_row_element (Bench *bench, BenchCheck *check);
void bench_row_frames (Bench *bench, BenchCheck *check);
void bench_row_qc (Bench *bench, BenchCheck *check);
void bench_row_audio (Bench *bench, BenchCheck *check);
void bench_row_compare (Bench *bench, BenchCheck *check);
void bench_row_film (Bench *bench, BenchCheck *check);
void bench_row_file (Bench *bench, BenchCheck *check);
void bench_row_resources (Bench *bench, BenchCheck *check);
void bench_row_import (Bench *bench, BenchCheck *check);
void bench_row_startup (Bench *bench, BenchCheck *check);
void bench_row_live (Bench *bench, BenchCheck *check);
void bench_row_ticks (Bench *bench, BenchCheck *check);
void bench_row_crowd (Bench *bench, BenchCheck *check);
void bench_row_passing (Bench *bench, BenchCheck *check);
void bench_row_scope (Bench *bench, BenchCheck *check);
void bench_row_idle (Bench *bench, BenchCheck *check);

int bench_startup_child (VyreResidency residency, const char *placement);
