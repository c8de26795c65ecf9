/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How long a small batch takes, from publishing to the result.
 */
#include "info-trip.h"

#include <stdlib.h>

#define PROGRAM "u8_stats payload -> stats"
#define PAYLOAD_SIZE 4096
#define N_TRIPS 101

/* Longer than any of these batches takes. */
#define DEADLINE (30 * G_TIME_SPAN_SECOND)

static VyrePlan *
trip_make_plan (VyreMegakernel *kernel, GError **error)
{
  g_autoptr (VyreProgram) program = vyre_program_assemble (PROGRAM, error);
  g_autoptr (VyreBoundProgram) bound
      = program ? vyre_program_bind (program, NULL, PAYLOAD_SIZE, 0, 0, error) : NULL;

  return bound ? vyre_plan_new (
             bound, PAYLOAD_SIZE, vyre_megakernel_get_workgroup (kernel), NULL, error)
               : NULL;
}

/* Runs one batch, and returns the ns it took; 0 with @error. */
static guint64
trip_run (VyreMegakernel *kernel, VyrePlan *plan, const VyrePayload *payload, GError **error)
{
  gint64 end = g_get_monotonic_time () + DEADLINE;
  g_autoptr (VyreBatch) batch = vyre_megakernel_publish (kernel, plan, 1, payload, end, error);

  if (!batch || !vyre_batch_wait (batch, end, error))
    return 0;
  return MAX (vyre_batch_get_completion (batch)->latency, 1);
}

static int
compare_times (const void *a, const void *b)
{
  guint64 first = *(const guint64 *)a, second = *(const guint64 *)b;

  return first < second ? -1 : first > second;
}

/* Measures the @median in ns of batches one after the other, while the kernel stays. */
gboolean
info_trip_measure (VyreMegakernel *kernel, guint64 *median, GError **error)
{
  VyreStore *staging = vyre_megakernel_get_staging (kernel);
  VyrePayload payload = { 0 }; /* its slice goes with the kernel */
  guint64 times[N_TRIPS];
  guint n = 0;
  g_autoptr (VyrePlan) plan = trip_make_plan (kernel, error);

  if (!plan)
    return FALSE;
  vyre_store_alloc (staging, PAYLOAD_SIZE, 0, &payload.offset); /* which nobody else uses */
  vyre_megakernel_set_active (kernel, TRUE);
  while (n < N_TRIPS && (times[n] = trip_run (kernel, plan, &payload, error)) > 0)
    n++;
  vyre_megakernel_set_active (kernel, FALSE);
  if (n < N_TRIPS)
    return FALSE;
  qsort (times, N_TRIPS, sizeof times[0], compare_times);
  *median = times[N_TRIPS / 2];
  return TRUE;
}
