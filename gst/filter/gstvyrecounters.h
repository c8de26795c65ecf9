/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The counters of vyrefilter as messages and `stats` have them: gstvyrecounters.def has a row for
 * each, which names a field of GstVyreReport.
 */
#pragma once

#include "common/gstvyreshared.h"
#include "filter/gstvyrestats.h"

G_BEGIN_DECLS

/* The values of all counters at one time. The strings belong to the kernel, the tenant, the
 * element in front or the program text. */
typedef struct {
  /* filled by the caller */
  GstVyreStats stats;
  guint64 queue_depth;
  guint max_in_flight;   /* the most batches at a time */
  GstVyreShared *shared; /* the kernel, or NULL: its counters are 0 then */
  VyreTenant *tenant_of; /* the element's, or NULL: its counters are 0 then */
  const gchar *upstream; /* name of the element in front, or NULL */
  gconstpointer asker;   /* the element */
  gboolean exact;        /* of this moment also what is counted of the kernel as a whole */

  /* filled by gst_vyre_counters_describe() */
  guint64 readback_bytes;
  const gchar *complete_verdict;
  gboolean complete;
  guint64 latency_p50;
  guint64 latency_p99;
  VyreFileIoCounters reads;
  guint64 reads_in_flight;
  const gchar *zero_copy_verdict;
  gboolean zero_copy;
  VyreResourceCounters resources;
  const gchar *device;
  const gchar *placement;
  const gchar *residency;
  const gchar *residency_verdict;
  const gchar *ingest_mode;
  guint64 copy_threshold;
  guint64 import_threshold;
  guint64 staging_size;
  guint64 staging_pinned;
  guint64 resource_size;
  guint64 workgroups;
  VyreMegakernelCounters kernel;
  guint64 tenant_id;
  const gchar *tenant_label;
  VyreTenantCounters tenant;
  guint64 kernel_tenants;
} GstVyreReport;

void gst_vyre_counters_init (void);
void gst_vyre_counters_describe (GstVyreReport *report, GstStructure *structure);

G_END_DECLS
