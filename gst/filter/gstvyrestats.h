/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The counts of one element: what its batches did, how long they took, and which way their bytes
 * came. The owner locks them.
 */
#pragma once

#include <gst/gst.h>

#include "vyre/vyre.h"

G_BEGIN_DECLS

/* Latencies are counted in bins of an eighth of a power of two: exact to 12.5 %, from 1 ns to more
 * than an hour. */
#define GST_VYRE_LATENCY_BINS (8 * 42)

typedef struct {
  guint64 arrived; /* buffers that came in */
  guint64 arrived_bytes;
  guint64 seen_bytes; /* of completed batches */
  guint64 incomplete; /* completed batches of which a slot faulted, or did not run */
  guint64 buffers;    /* of these, published */
  guint64 batches;
  guint64 part_bytes[VYRE_N_PARTS];
  guint64 done_count;
  guint64 epoch;
  guint64 metrics[VYRE_CONTROL_METRICS_COUNT];
  guint64 faults;
  guint64 dropped_records;
  guint64 debug_left_out;  /* PRINTF records not posted because of the interval */
  guint64 events;          /* messages of events posted */
  guint64 lines;           /* JSON lines written */
  guint64 lost_lines;      /* JSON lines that could not be written */
  guint64 undecided;       /* conditions of events that a buffer left open */
  guint64 payload_bytes;   /* of the buffers that were published */
  guint64 region_bytes;    /* read by the kernel, a byte as often as it was read */
  guint64 arena_bytes;     /* payload that upstream wrote into the staging store */
  guint64 bounce_bytes;    /* payload that the CPU copied there */
  guint64 crowded_bytes;   /* of bounce_bytes, in memory that the staging store had no room for */
  guint64 scattered_bytes; /* of bounce_bytes, in several memories */
  guint64 direct_bytes;    /* payload stored into the device from where upstream had it */
  guint64 import_bytes;    /* payload that the device reads in memory of upstream */
  guint64 imports;         /* imports made */
  guint64 import_hits;     /* payloads in memory that was imported already */
  guint64 fd_bytes;        /* payload read from a file into the staging store */
  guint64 readback_copies; /* readbacks copied out for want of room */
  guint64 handovers;       /* batches that the source pad's task took */
  guint64 flushed;         /* batches dropped by a flush */
  guint64 late_results;    /* batches whose buffers went on before them */
  guint64 unseen;          /* buffers that went on without a batch */
  guint64 unpaired;        /* buffers that have no partner */
  guint64 passed_over;     /* partners that no buffer had */
  guint64 device_losses;   /* noticed by this element */
  guint64 rerun_batches;   /* batches that a lost device left, run again */
  guint64 stalls;          /* warned of */
  guint64 tenant_claims;   /* sums of the fairness counters */
  guint64 priority_claims;
  VyreRuntimeCounters ring; /* the last ring that was read */
  guint64 latency_max;
  guint64 latency[GST_VYRE_LATENCY_BINS];
} GstVyreStats;

void gst_vyre_stats_add_telemetry (GstVyreStats *stats, const VyreTelemetry *telemetry);
void gst_vyre_stats_add_latency (GstVyreStats *stats, guint64 latency);
gboolean gst_vyre_stats_are_whole (
    const VyrePlan *plan, const guint8 *readback, const VyreCompletion *completion);
gchar *gst_vyre_stats_explain_incomplete (const GstVyreStats *stats, guint64 in_flight);
guint64 gst_vyre_stats_percentile (const GstVyreStats *stats, guint percent);

G_END_DECLS
