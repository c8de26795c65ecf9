/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The verdict on a run: whether all payloads came to the kernel without a copy by
 * the CPU.
 */
#pragma once

#include <glib.h>

#include "vyre/error.h"

G_BEGIN_DECLS

/**
 * VyreStagingRun:
 * @submitted: payloads handed over
 * @completed: of these, those that the kernel is through with
 * @failed: what went wrong: reads, slots, whatever was counted
 * @in_flight: payloads under way now
 * @bounced_bytes: payload bytes that the CPU copied
 * @crowded_bytes: of these, those whose producer had asked for staging memory, which had no room
 * @scattered_bytes: of these, those of payloads that came in several pieces
 * @demand: bytes of staging memory that would have had room for all of it, for the message; 0
 *   when there cannot be so many
 *
 * The counters of one run. The application counts.
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
 * Returns: %TRUE when everything that was submitted was completed, nothing failed and no byte
 *   was copied by the CPU; otherwise %VYRE_ERROR_TIMEOUT (the run is not over),
 *   %VYRE_ERROR_INVALID (something failed) or %VYRE_ERROR_UNSUPPORTED (bytes were copied), with
 *   what to do about it
 */
gboolean vyre_staging_run_check (const VyreStagingRun *run, const char *producer, GError **error);

G_END_DECLS
