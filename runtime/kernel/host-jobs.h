/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Jobs: what the service thread does for each parked batch. Private to libvyre.
 */
#pragma once

#include "kernel/types.h"

G_BEGIN_DECLS

/* Embedded in VyreHostRequests. */
typedef struct {
  VyreMegakernel *kernel; /* not owned: it owns us */

  /* service thread */
  GList *list;       /* of Job, as parked */
  GHashTable *sinks; /* VyreFileName -> descriptor */
  gint64 retry;      /* when to look again, µs from now; 0 to wait to be woken */

  GMutex lock;   /* a leaf: nothing is called with it held */
  GQueue parked; /* of VyreBatch, which are no jobs yet */
  VyreResourceCounters counters;
} VyreHostJobs;

void vyre_host_jobs_init (VyreHostJobs *jobs, VyreMegakernel *kernel);
void vyre_host_jobs_clear (VyreHostJobs *jobs);
void vyre_host_jobs_add (VyreHostJobs *jobs, VyreBatch *batch);
gboolean vyre_host_jobs_proceed (VyreHostJobs *jobs);
void vyre_host_jobs_drop (VyreHostJobs *jobs);

G_END_DECLS
