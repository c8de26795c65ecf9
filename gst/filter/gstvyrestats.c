/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyrestats.h"

static guint
stats_bin (guint64 latency)
{
  guint octave = (guint)g_bit_storage (latency);

  if (octave <= 4)
    return (guint)latency;
  guint bin = (octave - 3) * 8 + (guint)(latency >> (octave - 4) & 7);
  return MIN (bin, GST_VYRE_LATENCY_BINS - 1);
}

/* The largest latency of a bin. */
static guint64
stats_latency_of (guint bin)
{
  if (bin < 16)
    return bin;
  return ((guint64)(8 + bin % 8 + 1) << (bin / 8 - 1)) - 1;
}

void
gst_vyre_stats_add_latency (GstVyreStats *stats, guint64 latency)
{
  stats->latency[stats_bin (latency)]++;
  stats->latency_max = MAX (stats->latency_max, latency);
}

/* Sums counters that only grow within a batch. The occupancy of the slots is that of the last ring
 * read, which a @telemetry without slots does not change. */
void
gst_vyre_stats_add_telemetry (GstVyreStats *stats, const VyreTelemetry *telemetry)
{
  VyreRuntimeCounters counters;

  vyre_telemetry_count (telemetry, &counters);
  stats->done_count += counters.n_drained;
  stats->epoch += telemetry->control.epoch;
  for (guint i = 0; i < VYRE_CONTROL_METRICS_COUNT; i++)
    stats->metrics[i] += telemetry->control.metrics[i];
  stats->tenant_claims += counters.tenant_fairness_total;
  stats->priority_claims += counters.priority_fairness_total;
  if (counters.n_slots > 0)
    stats->ring = counters;
}

/* TRUE if each slot of a completed batch ran, and none faulted: its results are those of the whole
 * program. */
gboolean
gst_vyre_stats_are_whole (
    const VyrePlan *plan, const guint8 *readback, const VyreCompletion *completion)
{
  guint n_used = vyre_plan_get_bound_program (plan)->n_used;

  return completion->faults == 0 && vyre_read_word (readback, VYRE_CONTROL_DONE_COUNT) == n_used;
}

/* Returns why the results do not cover all that came in, or NULL if they do. Nothing came in where
 * nothing was seen, so that is no verdict either. */
gchar *
gst_vyre_stats_explain_incomplete (const GstVyreStats *stats, guint64 in_flight)
{
  if (stats->arrived == 0)
    return g_strdup ("no buffer came in. Fix: send some.");
  if (stats->batches != stats->arrived || stats->seen_bytes != stats->arrived_bytes)
    return g_strdup_printf ("%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                            " buffers were seen, and %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                            " bytes; %" G_GUINT64_FORMAT " are in flight. Fix: ask at the end of "
                            "the stream, and look for flushes and failures before it.",
        stats->batches, stats->arrived, stats->seen_bytes, stats->arrived_bytes, in_flight);
  if (stats->passed_over > 0)
    return g_strdup_printf ("%" G_GUINT64_FORMAT
                            " buffers of the pad reference were no partners. Fix: have both "
                            "streams start and end together, or put videorate in front of both.",
        stats->passed_over);
  if (stats->incomplete > 0)
    return g_strdup_printf ("%" G_GUINT64_FORMAT
                            " batches have slots that faulted or did not run. Fix: look for the "
                            "slot that was warned of.",
        stats->incomplete);
  if (stats->dropped_records > 0)
    return g_strdup_printf ("%" G_GUINT64_FORMAT
                            " PRINTF records found the debug log full. Fix: print less.",
        stats->dropped_records);
  if (stats->undecided > 0)
    return g_strdup_printf ("%" G_GUINT64_FORMAT
                            " conditions of events were left open. Fix: send buffers that have a "
                            "PTS, divide by what is not 0, and keep numbers behind 'with' within "
                            "64 bits.",
        stats->undecided);
  return NULL;
}

/* Returns the latency in ns that @percent of the batches did not exceed, 0 without any. */
guint64
gst_vyre_stats_percentile (const GstVyreStats *stats, guint percent)
{
  guint64 total = 0, seen = 0;

  for (guint bin = 0; bin < GST_VYRE_LATENCY_BINS; bin++)
    total += stats->latency[bin];
  for (guint bin = 0; bin < GST_VYRE_LATENCY_BINS && total > 0; bin++) {
    seen += stats->latency[bin];
    if (seen * 100 >= total * percent)
      return MIN (stats_latency_of (bin), stats->latency_max);
  }
  return 0;
}
