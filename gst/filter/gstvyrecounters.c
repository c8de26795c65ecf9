/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyrecounters.h"

#include "library/gstvyrefields.h"
#include "common/gstvyrememory.h"

typedef enum {
  COUNTER_NUMBER, /* guint32 or guint64 */
  COUNTER_TEXT,
  COUNTER_TRUTH,
  COUNTER_OPCODES, /* guint64 for each opcode: as many fields, by the opcodes' names */
} CounterKind;

typedef struct {
  const gchar *structure;
  const gchar *name;
  CounterKind kind;
  gsize offset; /* in the report */
  gsize size;
} Counter;

#define COUNTER(structure, name, kind, field, meaning)                                             \
  { structure, name, COUNTER_##kind, G_STRUCT_OFFSET (GstVyreReport, field),                       \
    sizeof (((GstVyreReport *)0)->field) },
static const Counter counters[] = {
#include "filter/gstvyrecounters.def"
};
#undef COUNTER

/* Names of the rows and of the opcodes, as quarks */
static GQuark counters_structures[G_N_ELEMENTS (counters)], counters_names[G_N_ELEMENTS (counters)];
static GQuark counters_opcodes[VYRE_CONTROL_METRICS_COUNT];

/* Before any element. */
void
gst_vyre_counters_init (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (counters); i++) {
    counters_structures[i] = g_quark_from_static_string (counters[i].structure);
    counters_names[i] = g_quark_from_static_string (counters[i].name);
  }
  for (guint32 opcode = 0; opcode < VYRE_CONTROL_METRICS_COUNT; opcode++) {
    const char *name = vyre_opcode_name (opcode);
    g_autofree gchar *field = name ? g_strdup (name) : g_strdup_printf ("opcode-%u", opcode);
    g_strdelimit (field, "_", '-');
    counters_opcodes[opcode] = g_quark_from_string (field);
  }
}

/* Opcodes without a name are shown when they ran. */
static void
counters_set_opcodes (GstStructure *structure, const guint64 *metrics)
{
  for (guint32 opcode = 0; opcode < VYRE_CONTROL_METRICS_COUNT; opcode++) {
    if (vyre_opcode_name (opcode) || metrics[opcode] > 0)
      gst_vyre_fields_set_number (structure, counters_opcodes[opcode], metrics[opcode]);
  }
}

static void
counters_set (GstStructure *structure, guint i, const GstVyreReport *report)
{
  const Counter *row = &counters[i];
  GQuark name = counters_names[i];
  gconstpointer value = G_STRUCT_MEMBER_P (report, row->offset);

  switch (row->kind) {
    case COUNTER_NUMBER:
      gst_vyre_fields_set_number (structure, name,
          row->size == sizeof (guint64) ? *(const guint64 *)value : *(const guint32 *)value);
      break;
    case COUNTER_TEXT:
      gst_vyre_fields_set_text (structure, name, *(const gchar *const *)value);
      break;
    case COUNTER_TRUTH:
      gst_vyre_fields_set_truth (structure, name, *(const gboolean *)value);
      break;
    case COUNTER_OPCODES:
      counters_set_opcodes (structure, value);
      break;
  }
}

/* Adds the rows from @first on that are of one nested structure. Returns how many these are. */
static guint
counters_add_nested (GstStructure *structure, guint first, const GstVyreReport *report)
{
  GQuark name = counters_structures[first];
  GstStructure *nested = gst_structure_new_id_empty (name);
  guint n = 0;

  while (first + n < G_N_ELEMENTS (counters) && counters_structures[first + n] == name)
    counters_set (nested, first + n++, report);
  gst_vyre_fields_take (structure, name, nested);
  return n;
}

static void
counters_add (GstStructure *structure, const GstVyreReport *report)
{
  for (guint i = 0; i < G_N_ELEMENTS (counters);) {
    if (*counters[i].structure)
      i += counters_add_nested (structure, i, report);
    else
      counters_set (structure, i++, report);
  }
}

/* Payloads that upstream has beside the batches in flight: one that is copied, and one that is
 * being made */
#define SPARE_PAYLOADS 2

/* Returns the bytes of staging memory that would have been enough, 0 if the device cannot address
 * so many. */
static guint64
counters_find_demand (GstVyreShared *shared, guint max_in_flight)
{
  gsize demand
      = gst_vyre_allocator_get_demand (shared->upstream_allocator, max_in_flight + SPARE_PAYLOADS);
  gsize most = vyre_device_get_max_payload (vyre_megakernel_get_device (shared->kernel));

  return demand <= most ? demand : 0;
}

/* Fills in whether the CPU copied no byte so far; @reason names the element to blame if it did. */
static void
report_fill_verdict (GstVyreReport *report, GError **reason)
{
  const GstVyreStats *stats = &report->stats;
  VyreStagingRun run = {
    .submitted = stats->buffers,
    .completed = stats->batches + stats->flushed,
    .failed = stats->faults,
    .in_flight = (guint)report->queue_depth,
    .bounced_bytes = stats->bounce_bytes,
    .crowded_bytes = stats->crowded_bytes,
    .scattered_bytes = stats->scattered_bytes,
    .demand = report->shared ? counters_find_demand (report->shared, report->max_in_flight) : 0,
  };

  report->zero_copy = vyre_staging_run_check (&run, report->upstream, reason);
  report->zero_copy_verdict
      = report->zero_copy ? "no byte was copied by the CPU" : (*reason)->message;
}

/* Fills in whether the results cover all that came in so far; @reason says why not. */
static void
report_fill_completeness (GstVyreReport *report, gchar **reason)
{
  *reason = gst_vyre_stats_explain_incomplete (&report->stats, report->queue_depth);
  report->complete = !*reason;
  report->complete_verdict = *reason ? *reason : "all that came in was seen";
}

static void
report_fill_stream (GstVyreReport *report)
{
  for (guint part = 0; part < VYRE_N_PARTS; part++)
    report->readback_bytes += report->stats.part_bytes[part];
  report->latency_p50 = gst_vyre_stats_percentile (&report->stats, 50);
  report->latency_p99 = gst_vyre_stats_percentile (&report->stats, 99);
}

/* Fills in the values of the kernel, and collects its completions. */
static void
report_fill_kernel (GstVyreReport *report, VyreMegakernel *kernel)
{
  GstVyreCensus census;

  gst_vyre_shared_count (report->shared, report->asker, report->exact, &census);
  report->kernel = census.counters;
  report->kernel_tenants = census.n_tenants;
  report->reads = census.reads;
  report->reads_in_flight
      = report->reads.reads_submitted - report->reads.reads_completed - report->reads.reads_failed;
  report->resources = census.resources;
  report->device = vyre_device_get_name (vyre_megakernel_get_device (kernel));
  report->placement = vyre_placement_name (vyre_megakernel_get_placement (kernel));
  report->residency = vyre_residency_name (vyre_megakernel_get_residency (kernel));
  report->residency_verdict = vyre_megakernel_get_verdict (kernel);
  report->ingest_mode
      = vyre_read_mode_name (vyre_file_io_get_mode (vyre_megakernel_get_file_io (kernel)));
  report->copy_threshold = vyre_megakernel_get_copy_threshold (kernel);
  report->import_threshold = vyre_megakernel_get_import_threshold (kernel);
  report->staging_size = vyre_store_get_size (vyre_megakernel_get_staging (kernel));
  report->staging_pinned = census.pinned;
  report->resource_size = vyre_megakernel_get_resource_size (kernel);
  report->workgroups = vyre_megakernel_get_workgroups (kernel);
}

static void
report_fill_tenant (GstVyreReport *report)
{
  if (!report->tenant_of)
    return;
  vyre_tenant_get_counters (report->tenant_of, &report->tenant);
  report->tenant_id = vyre_tenant_get_id (report->tenant_of);
  report->tenant_label = vyre_tenant_get_label (report->tenant_of);
}

/* Adds every counter to @structure as a field. */
void
gst_vyre_counters_describe (GstVyreReport *report, GstStructure *structure)
{
  g_autoptr (GError) reason = NULL;
  g_autofree gchar *gap = NULL;

  report->device = report->placement = report->residency = report->ingest_mode = "none";
  report->residency_verdict = "";
  report->tenant_label = "none";
  report_fill_stream (report);
  report_fill_verdict (report, &reason);
  report_fill_completeness (report, &gap);
  if (report->shared)
    report_fill_kernel (report, report->shared->kernel);
  report_fill_tenant (report); /* after the kernel, which collects completions */
  counters_add (structure, report);
}
