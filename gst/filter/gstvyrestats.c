/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyrestats.h"

#include "common/gstvyrememory.h"

static guint
latency_bin (guint64 latency)
{
  guint octave = (guint)g_bit_storage (latency);

  if (octave <= 4)
    return (guint)latency;
  guint bin = (octave - 3) * 8 + (guint)(latency >> (octave - 4) & 7);
  return MIN (bin, GST_VYRE_LATENCY_BINS - 1);
}

/* The largest latency of a bin. */
static guint64
latency_of_bin (guint bin)
{
  if (bin < 16)
    return bin;
  return ((guint64)(8 + bin % 8 + 1) << (bin / 8 - 1)) - 1;
}

void
gst_vyre_stats_add_latency (GstVyreStats *stats, guint64 latency)
{
  stats->latency[latency_bin (latency)]++;
  stats->latency_max = MAX (stats->latency_max, latency);
}

/* What only grows within a batch is summed over the batches; how the slots of a ring
 * are occupied is as it was when the last one was looked at, which a @telemetry
 * without slots has not done. */
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

/* The latency in ns that @percent of the batches did not exceed, 0 without any. */
guint64
gst_vyre_stats_percentile (const GstVyreStats *stats, guint percent)
{
  guint64 total = 0, seen = 0;

  for (guint bin = 0; bin < GST_VYRE_LATENCY_BINS; bin++)
    total += stats->latency[bin];
  for (guint bin = 0; bin < GST_VYRE_LATENCY_BINS && total > 0; bin++) {
    seen += stats->latency[bin];
    if (seen * 100 >= total * percent)
      return MIN (latency_of_bin (bin), stats->latency_max);
  }
  return 0;
}

static void
set (GstStructure *structure, const gchar *name, guint64 value)
{
  gst_structure_set (structure, name, G_TYPE_UINT64, value, NULL);
}

static void
describe_metrics (const GstVyreStats *stats, GstStructure *structure)
{
  GstStructure *metrics = gst_structure_new_empty ("metrics");

  for (guint32 opcode = 0; opcode < VYRE_CONTROL_METRICS_COUNT; opcode++) {
    const char *name = vyre_opcode_name (opcode);
    g_autofree gchar *field = name ? g_strdup (name) : g_strdup_printf ("opcode-%u", opcode);
    g_strdelimit (field, "_", '-');
    if (name || stats->metrics[opcode] > 0)
      set (metrics, field, stats->metrics[opcode]);
  }
  gst_structure_set (structure, "metrics", GST_TYPE_STRUCTURE, metrics, NULL);
  gst_structure_free (metrics);
}

/* What upstream may have at hand beside what it had at most: one payload that is copied, and one
 * that is being made. */
#define SPARE_PAYLOADS 2

/* Bytes of staging memory that would have been enough, 0 if the device cannot address so many. */
static guint64
find_demand (GstVyreShared *shared, guint max_in_flight)
{
  gsize demand
      = gst_vyre_allocator_get_demand (shared->upstream_allocator, max_in_flight + SPARE_PAYLOADS);
  gsize most = vyre_device_get_max_payload (vyre_megakernel_get_device (shared->kernel));

  return demand <= most ? demand : 0;
}

/* Whether no byte was copied so far, and who is to blame if one was. */
static void
describe_verdict (const GstVyreStats *stats, guint in_flight, guint max_in_flight,
    GstVyreShared *shared, const gchar *upstream, GstStructure *ingest)
{
  VyreStagingRun run = {
    .submitted = stats->buffers,
    .completed = stats->batches + stats->flushed,
    .failed = stats->faults,
    .in_flight = in_flight,
    .bounced_bytes = stats->bounce_bytes,
    .crowded_bytes = stats->crowded_bytes,
    .scattered_bytes = stats->scattered_bytes,
    .demand = shared ? find_demand (shared, max_in_flight) : 0,
  };
  g_autoptr (GError) reason = NULL;
  gboolean fine = vyre_staging_run_check (&run, upstream, &reason);

  gst_structure_set (ingest, "zero-copy-verdict", G_TYPE_STRING,
      fine ? "no byte was copied by the CPU" : reason->message, "zero-copy", G_TYPE_BOOLEAN, fine,
      NULL);
}

static void
describe_ingest (const GstVyreStats *stats, guint in_flight, guint max_in_flight,
    GstVyreShared *shared, const gchar *upstream, GstStructure *structure)
{
  VyreFileIoCounters reads = { 0 };
  GstStructure *ingest = gst_structure_new_empty ("ingest");

  if (shared)
    vyre_file_io_get_counters (vyre_megakernel_get_file_io (shared->kernel), &reads);
  set (ingest, "arena-bytes", stats->arena_bytes);
  set (ingest, "cpu-bounce-bytes", stats->bounce_bytes);
  set (ingest, "crowded-bytes", stats->crowded_bytes);
  set (ingest, "scattered-bytes", stats->scattered_bytes);
  set (ingest, "direct-bytes", stats->direct_bytes);
  set (ingest, "import-bytes", stats->import_bytes);
  set (ingest, "imports", stats->imports);
  set (ingest, "import-hits", stats->import_hits);
  set (ingest, "fd-bytes", stats->fd_bytes);
  set (ingest, "reads-submitted", reads.reads_submitted);
  set (ingest, "reads-completed", reads.reads_completed);
  set (ingest, "reads-failed", reads.reads_failed);
  set (ingest, "reads-in-flight",
      reads.reads_submitted - reads.reads_completed - reads.reads_failed);
  set (ingest, "bytes-submitted", reads.bytes_submitted);
  set (ingest, "bytes-completed", reads.bytes_completed);
  set (ingest, "fixed-reads", reads.fixed_reads);
  set (ingest, "ring-reads", reads.ring_reads);
  set (ingest, "plain-reads", reads.plain_reads);
  set (ingest, "short-reads", reads.short_reads);
  describe_verdict (stats, in_flight, max_in_flight, shared, upstream, ingest);
  gst_structure_set (structure, "ingest", GST_TYPE_STRUCTURE, ingest, NULL);
  gst_structure_free (ingest);
}

static void
describe_resources (VyreMegakernel *kernel, GstStructure *structure)
{
  VyreResourceCounters counters = { 0 };
  GstStructure *resources = gst_structure_new_empty ("resources");

  if (kernel)
    vyre_megakernel_get_resource_counters (kernel, &counters);
  set (resources, "requests", counters.requests);
  set (resources, "parked", counters.parked);
  set (resources, "prefetches", counters.prefetches);
  set (resources, "loads", counters.loads);
  set (resources, "loaded-bytes", counters.loaded_bytes);
  set (resources, "hits", counters.hits);
  set (resources, "evictions", counters.evictions);
  set (resources, "failures", counters.failures);
  set (resources, "appends", counters.appends);
  set (resources, "appended-bytes", counters.appended_bytes);
  set (resources, "syncs", counters.syncs);
  set (resources, "resident-bytes", counters.resident_bytes);
  gst_structure_set (structure, "resources", GST_TYPE_STRUCTURE, resources, NULL);
  gst_structure_free (resources);
}

static void
describe_runtime (const GstVyreStats *stats, GstStructure *structure)
{
  const VyreRuntimeCounters *ring = &stats->ring;
  GstStructure *runtime = gst_structure_new_empty ("runtime");

  set (runtime, "slots", ring->n_slots);
  set (runtime, "queue-depth", ring->queue_depth);
  set (runtime, "drained", stats->done_count);
  set (runtime, "unreclaimed", ring->n_unreclaimed);
  set (runtime, "requeued", ring->n_requeued);
  set (runtime, "faults", ring->n_faults);
  set (runtime, "idle", ring->n_idle);
  set (runtime, "idle-ppm", ring->idle_ppm);
  set (runtime, "queue-depth-bps", ring->queue_depth_bps);
  set (runtime, "occupied-bps", ring->occupied_bps);
  set (runtime, "tenant-fairness-total", stats->tenant_claims);
  set (runtime, "tenant-fairness-skew", ring->tenant_fairness_skew);
  set (runtime, "priority-fairness-total", stats->priority_claims);
  gst_structure_set (structure, "runtime", GST_TYPE_STRUCTURE, runtime, NULL);
  gst_structure_free (runtime);
}

static void
describe_tenant (VyreTenant *tenant, GstStructure *structure)
{
  VyreTenantCounters counters = { 0 };
  GstStructure *fields = gst_structure_new_empty ("tenant");

  if (tenant)
    vyre_tenant_get_counters (tenant, &counters);
  set (fields, "id", tenant ? vyre_tenant_get_id (tenant) : 0);
  gst_structure_set (
      fields, "label", G_TYPE_STRING, tenant ? vyre_tenant_get_label (tenant) : "none", NULL);
  set (fields, "published", counters.published);
  set (fields, "drained", counters.drained);
  set (fields, "outstanding", counters.outstanding);
  gst_structure_set (structure, "tenant", GST_TYPE_STRUCTURE, fields, NULL);
  gst_structure_free (fields);
}

static guint64
count_tenants (const GstVyreShared *shared)
{
  g_autoptr (GPtrArray) list = shared ? vyre_tenants_list (shared->tenants) : NULL;

  return list ? list->len : 0;
}

static void
describe_kernel (VyreMegakernel *kernel, GstStructure *structure)
{
  VyreMegakernelCounters counters = { 0 };
  const gchar *placement = "none", *residency = "none", *device = "none", *mode = "none";
  const gchar *verdict = "";
  guint64 threshold = 0, import_threshold = 0, workgroups = 0, staging = 0, resources = 0;

  if (kernel) {
    vyre_megakernel_get_counters (kernel, &counters);
    placement = vyre_placement_name (vyre_megakernel_get_placement (kernel));
    threshold = vyre_megakernel_get_copy_threshold (kernel);
    import_threshold = vyre_megakernel_get_import_threshold (kernel);
    workgroups = vyre_megakernel_get_workgroups (kernel);
    staging = vyre_store_get_size (vyre_megakernel_get_staging (kernel));
    resources = vyre_megakernel_get_resource_size (kernel);
    residency = vyre_residency_name (vyre_megakernel_get_residency (kernel));
    device = vyre_device_get_name (vyre_megakernel_get_device (kernel));
    mode = vyre_read_mode_name (vyre_file_io_get_mode (vyre_megakernel_get_file_io (kernel)));
    verdict = vyre_megakernel_get_verdict (kernel);
  }
  gst_structure_set (structure, "device", G_TYPE_STRING, device, "placement", G_TYPE_STRING,
      placement, "residency", G_TYPE_STRING, residency, "residency-verdict", G_TYPE_STRING, verdict,
      "ingest-mode", G_TYPE_STRING, mode, NULL);
  set (structure, "copy-threshold", threshold);
  set (structure, "import-threshold", import_threshold);
  set (structure, "staging-size", staging);
  set (structure, "resource-size", resources);
  set (structure, "workgroups", workgroups);
  set (structure, "launches", counters.launches);
  set (structure, "renewals", counters.renewals);
  set (structure, "parks", counters.parks);
  set (structure, "kernel-batches", counters.batches);
  set (structure, "kernel-tickets", counters.tickets);
  set (structure, "turns", counters.turns);
  set (structure, "kernel-dropped-tickets", counters.dropped);
  set (structure, "idle-polls", counters.idle_polls);
  set (structure, "spin-time", counters.spin_time);
  set (structure, "in-place-bytes", counters.in_place_bytes);
  set (structure, "stored-bytes", counters.stored_bytes);
  set (structure, "copied-bytes", counters.copied_bytes);
}

/* Adds every counter as a field; docs/messages.md says what each one means.
 * @shared and @tenant may be NULL: their counters are 0 then. @upstream is the name of who
 * sends the buffers, or NULL; @max_in_flight the most of them at a time. */
void
gst_vyre_stats_describe (const GstVyreStats *stats, guint queue_depth, guint max_in_flight,
    GstVyreShared *shared, VyreTenant *tenant, const gchar *upstream, GstStructure *structure)
{
  VyreMegakernel *kernel = shared ? shared->kernel : NULL;
  guint64 readback = 0;

  for (guint part = 0; part < VYRE_N_PARTS; part++)
    readback += stats->part_bytes[part];
  set (structure, "buffers", stats->buffers);
  set (structure, "batches", stats->batches);
  set (structure, "control-bytes", stats->part_bytes[VYRE_PART_CONTROL]);
  set (structure, "ring-bytes", stats->part_bytes[VYRE_PART_RING]);
  set (structure, "debug-log-bytes", stats->part_bytes[VYRE_PART_DEBUG_LOG]);
  set (structure, "io-queue-bytes", stats->part_bytes[VYRE_PART_IO_QUEUE]);
  set (structure, "readback-bytes", readback);
  set (structure, "done-count", stats->done_count);
  set (structure, "epoch", stats->epoch);
  set (structure, "faults", stats->faults);
  set (structure, "dropped-records", stats->dropped_records);
  set (structure, "debug-left-out", stats->debug_left_out);
  set (structure, "queue-depth", queue_depth);
  set (structure, "latency-p50", gst_vyre_stats_percentile (stats, 50));
  set (structure, "latency-p99", gst_vyre_stats_percentile (stats, 99));
  set (structure, "latency-max", stats->latency_max);
  set (structure, "payload-bytes", stats->payload_bytes);
  set (structure, "processed-bytes", stats->region_bytes);
  set (structure, "cpu-bounce-bytes", stats->bounce_bytes);
  set (structure, "readback-copies", stats->readback_copies);
  set (structure, "flushed", stats->flushed);
  set (structure, "device-losses", stats->device_losses);
  set (structure, "rerun-batches", stats->rerun_batches);
  set (structure, "stalls", stats->stalls);
  describe_metrics (stats, structure);
  describe_runtime (stats, structure);
  describe_ingest (stats, queue_depth, max_in_flight, shared, upstream, structure);
  describe_resources (kernel, structure);
  describe_kernel (kernel, structure);
  describe_tenant (tenant, structure); /* after the kernel, which collects completions */
  set (structure, "kernel-tenants", count_tenants (shared));
}
