/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The CUDA peer, vyre-cuda-peer: a program of its own, run once per round.
 */
#pragma once

#include "bench.h"
#include "child.h"

gboolean bench_cuda_run (Bench *bench, BenchCheck *check, const char *mode, BenchChild *child);
void bench_cuda_add (const BenchChild *child, const char *key, BenchSeries *series);
