/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The control part: its encoder, the priority table that a host writes into it,
 * and its readers. vyre_read_…() is strict: it says why it cannot read.
 * vyre_peek_…() is lenient: what it cannot read is zero.
 */
#pragma once

#include <glib.h>

#include "abi.h"
#include "vyre/error.h"

G_BEGIN_DECLS

/**
 * VyreControl:
 * @shutdown: whether execution is to end
 * @done_count: slots drained, modulo 2^32
 * @epoch: fences passed, modulo 2^32
 * @metrics: how often each opcode below 32 was run
 * @tenant_fairness: slots drained for tenants of each number modulo 32
 * @priority_fairness: slots drained of each priority
 *
 * What a control part counts.
 */
typedef struct {
  gboolean shutdown;
  guint32 done_count;
  guint32 epoch;
  guint32 metrics[VYRE_CONTROL_METRICS_COUNT];
  guint32 tenant_fairness[VYRE_CONTROL_METRICS - VYRE_CONTROL_FAIRNESS];
  guint32 priority_fairness[VYRE_PRIORITY_LEVELS];
} VyreControl;

/**
 * VyrePartitionProbes:
 * @lanes: lanes that have slots of the partition to look at
 * @per_lane: slots each of them looks at
 * @total: slots all of them look at, those past the end included
 *
 * How the lanes of a workgroup share the slots of one priority.
 */
typedef struct {
  guint32 lanes;
  guint32 per_lane;
  guint64 total;
} VyrePartitionProbes;

guint8 *vyre_encode_control (
    guint32 n_observables, guint32 n_tenants, gboolean shutdown, gsize *length, GError **error);
gboolean vyre_encode_control_into (void *storage, gsize size, guint32 n_observables,
    guint32 n_tenants, gboolean shutdown, GError **error);

void vyre_priority_offsets (guint32 n_slots, guint32 offsets[VYRE_PRIORITY_LEVELS + 1]);
gboolean vyre_write_priority_offsets (void *control, gsize size, guint32 n_slots, GError **error);
void vyre_partition_probes (guint32 n_slots, guint32 workgroup, VyrePartitionProbes *probes);

gboolean vyre_read_control (const void *control, gsize size, VyreControl *values, GError **error);
gboolean vyre_read_control_word (
    const void *control, gsize size, guint32 word, guint32 *value, GError **error);
gboolean vyre_read_observable (
    const void *control, gsize size, guint32 index, guint32 *value, GError **error);
gboolean vyre_read_metrics (
    const void *control, gsize size, guint32 metrics[VYRE_CONTROL_METRICS_COUNT], GError **error);

guint32 vyre_peek_control_word (const void *control, gsize size, guint32 word);
guint32 vyre_peek_observable (const void *control, gsize size, guint32 index);
void vyre_peek_metrics (
    const void *control, gsize size, guint32 metrics[VYRE_CONTROL_METRICS_COUNT]);

G_END_DECLS
