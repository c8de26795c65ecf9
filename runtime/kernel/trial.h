/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A trial: a program and a few payloads, to see what the kernel makes of them at start. Private to
 * libvyre.
 */
#pragma once

#include "kernel/types.h"

G_BEGIN_DECLS

/* Batches of a trial that are in flight together. */
#define VYRE_TRIAL_BURST 3

/* Microseconds are what a batch takes; a busy machine may well stop us for a second. */
#define VYRE_TRIAL_TIMEOUT_US (3 * G_TIME_SPAN_SECOND)

#define VYRE_TRIAL_PROGRAM "u8_stats payload -> stats"

typedef struct {
  VyrePlan *plan;
  gsize size;
  VyrePayload payloads[VYRE_TRIAL_BURST];
  guint n_payloads;
} VyreTrial;

gboolean vyre_trial_init (VyreTrial *trial, VyreMegakernel *kernel, const char *text, gsize size,
    guint n_observables, GError **error);
void vyre_trial_clear (VyreTrial *trial, VyreMegakernel *kernel);
gsize vyre_trial_large_size (const VyreMegakernel *kernel);

G_END_DECLS
