/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/**
 * SECTION:staging-run
 * @title: Staging run
 * @short_description: Whether a run was free of copies
 *
 * The verdict on a run: whether every payload reached the kernel without a copy by the CPU.
 */

#include <glib.h>

#include "vyre/error.h"

G_BEGIN_DECLS

/**
 * VyreStagingRun:
 * @submitted: payloads handed over
 * @completed: of these, payloads that the kernel has completed
 * @failed: failures of any kind: reads, slots
 * @in_flight: payloads in flight now
 * @bounced_bytes: payload bytes that the CPU copied
 * @crowded_bytes: of these, bytes whose producer had asked for staging memory while none was free
 * @scattered_bytes: of these, bytes of payloads that came in several pieces
 * @demand: bytes of staging memory that would have been enough, for the message; 0
 *   when no store can be so large
 *
 * The counters of one run.
 */
typedef struct {
  guint64 submitted;
  guint64 completed;
  guint64 failed;
  guint64 in_flight;
  guint64 bounced_bytes;
  guint64 crowded_bytes;
  guint64 scattered_bytes;
  guint64 demand;
} VyreStagingRun;

/**
 * vyre_staging_run_check:
 * @run: the counters of a run that is over
 * @producer: (nullable): the name of the producer of the payloads, for the message
 * @error: return location
 *
 * Checks that a run was free of copies.
 *
 * Returns: whether every submitted payload was completed, none failed and the CPU copied no
 *   byte; otherwise %VYRE_ERROR_TIMEOUT (the run is not over), %VYRE_ERROR_INVALID (there were
 *   failures) or %VYRE_ERROR_UNSUPPORTED (bytes were copied), with a remedy
 */
gboolean vyre_staging_run_check (const VyreStagingRun *run, const char *producer, GError **error);

G_END_DECLS
