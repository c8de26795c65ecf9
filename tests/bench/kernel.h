/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A megakernel to measure, on a device opening of its own: two of them on one
 * queue would wait for each other. It is parked but while something is measured
 * on it.
 */
#pragma once

#include "vyre/vyre.h"

/* No wait is longer, in microseconds. */
#define BENCH_DEADLINE (20 * G_TIME_SPAN_SECOND)

typedef struct {
  VyreDevice *device;
  VyreMegakernel *kernel;
} BenchKernel;

VyreMegakernelParams bench_kernel_params (VyreResidency residency);
BenchKernel *bench_kernel_open (
    const VyreMegakernelParams *params, const char *placement, GError **error);
void bench_kernel_close (BenchKernel *kernel);
void bench_kernel_start (BenchKernel *kernel);
void bench_kernel_stop (BenchKernel *kernel);

/* placement.c: where payloads go */
const char *const *bench_placements (void);
gboolean bench_placement_known (const char *name);
void bench_placement_set (VyreMegakernelParams *params, const char *name);
char *bench_placement_describe (VyreMegakernel *kernel);
char *bench_placement_shares (
    const VyreMegakernelCounters *before, const VyreMegakernelCounters *after);
