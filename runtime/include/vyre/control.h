/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The control part: its encoder, the priority table that a host writes into it,
 * and its readers. vyre_read_…() is strict and gives the reason of a failure.
 * vyre_peek_…() is lenient: a word that it cannot read is zero.
 */
#pragma once

#include <glib.h>

#include "abi.h"
#include "vyre/error.h"

G_BEGIN_DECLS

/**
 * VyreControl:
 * @shutdown: %TRUE when execution has to end
 * @done_count: slots drained, modulo 2^32
 * @epoch: fences passed, modulo 2^32
 * @metrics: runs of each opcode below 32
 * @tenant_fairness: slots drained for tenants of each number modulo 32
 * @priority_fairness: slots drained of each priority
 *
 * The counters of a control part.
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
 * @per_lane: slots that each of them looks at
 * @total: slots that all of them look at, those past the end included
 *
 * How the lanes of a workgroup share the slots of one priority.
 */
typedef struct {
  guint32 lanes;
  guint32 per_lane;
  guint64 total;
} VyrePartitionProbes;

/**
 * vyre_encode_control:
 * @n_observables: observable words, at most %VYRE_ENCODE_MAX
 * @n_tenants: number of tenants, from 0, that are authorised and get a quota; those
 *   beyond the table of 29 masks or 32 quotas get none
 * @shutdown: %TRUE to end execution at once
 * @length: (out): bytes of the part
 * @error: return location
 *
 * Makes the control part of a batch that has not run. Its priority table is
 * zero; see vyre_write_priority_offsets().
 *
 * Returns: (transfer full) (array length=length) (nullable): the part, to be
 *   freed with g_free(), or %NULL with %VYRE_ERROR_TOO_LARGE or %VYRE_ERROR_NO_SPACE
 */
guint8 *vyre_encode_control (
    guint32 n_observables, guint32 n_tenants, gboolean shutdown, gsize *length, GError **error);

/**
 * vyre_encode_control_into:
 * @storage: (out caller-allocates): memory for the part, of any alignment
 * @size: bytes in @storage; those behind the part are not touched
 * @n_observables: as for vyre_encode_control()
 * @n_tenants: as for vyre_encode_control()
 * @shutdown: as for vyre_encode_control()
 * @error: return location
 *
 * vyre_encode_control() into memory of the caller.
 *
 * Returns: %TRUE when it was written; nothing was otherwise, and the error is
 *   %VYRE_ERROR_TOO_LARGE or %VYRE_ERROR_NO_SPACE
 */
gboolean vyre_encode_control_into (void *storage, gsize size, guint32 n_observables,
    guint32 n_tenants, gboolean shutdown, GError **error);

/**
 * vyre_priority_offsets:
 * @n_slots: ring slots
 * @offsets: (out caller-allocates): first slot of each priority, then @n_slots
 *
 * Shares a ring out among the priorities: a fifth each, and the rest for NORMAL.
 */
void vyre_priority_offsets (guint32 n_slots, guint32 offsets[VYRE_PRIORITY_LEVELS + 1]);

/**
 * vyre_write_priority_offsets:
 * @control: (inout): a control part
 * @size: its bytes
 * @n_slots: ring slots
 * @error: return location
 *
 * Writes vyre_priority_offsets() into the priority table.
 *
 * Returns: %TRUE when it was written; nothing was otherwise, unless the part ends
 *   inside the table, which then holds the offsets it has room for. The error is
 *   %VYRE_ERROR_QUEUE_FULL
 */
gboolean vyre_write_priority_offsets (void *control, gsize size, guint32 n_slots, GError **error);

/**
 * vyre_partition_probes:
 * @n_slots: slots of one priority
 * @workgroup: lanes of a workgroup; 0 counts as 1
 * @probes: (out): how the lanes share the slots
 *
 * Every lane has as many slots to look at; a lane without a slot does not look.
 */
void vyre_partition_probes (guint32 n_slots, guint32 workgroup, VyrePartitionProbes *probes);

/**
 * vyre_read_control:
 * @control: a control part
 * @size: its bytes
 * @values: (out): its counters
 * @error: return location
 *
 * Returns: %TRUE when it could be read; otherwise %VYRE_ERROR_MISALIGNED, or
 *   %VYRE_ERROR_MISSING_WORD when it has fewer than 640 bytes
 */
gboolean vyre_read_control (const void *control, gsize size, VyreControl *values, GError **error);

/**
 * vyre_read_control_word:
 * @control: a control part, which may end early
 * @size: its bytes
 * @word: index of a word, as VYRE_CONTROL_DONE_COUNT or VYRE_CONTROL_EPOCH
 * @value: (out): the word
 * @error: return location
 *
 * Returns: %TRUE when it could be read; otherwise %VYRE_ERROR_MISALIGNED or
 *   %VYRE_ERROR_MISSING_WORD
 */
gboolean vyre_read_control_word (
    const void *control, gsize size, guint32 word, guint32 *value, GError **error);

/**
 * vyre_read_observable:
 * @control: a control part, which may end early
 * @size: its bytes
 * @index: an observable, from 0
 * @value: (out): its word
 * @error: return location
 *
 * Returns: %TRUE when it could be read; otherwise %VYRE_ERROR_TOO_LARGE when no part
 *   can have so many, %VYRE_ERROR_MISALIGNED or %VYRE_ERROR_MISSING_WORD
 */
gboolean vyre_read_observable (
    const void *control, gsize size, guint32 index, guint32 *value, GError **error);

/**
 * vyre_read_metrics:
 * @control: a control part, which may end early
 * @size: its bytes
 * @metrics: (out caller-allocates): runs of each opcode below 32
 * @error: return location
 *
 * Returns: %TRUE when all of them could be read; otherwise %VYRE_ERROR_MISALIGNED or
 *   %VYRE_ERROR_MISSING_WORD, and nothing was written
 */
gboolean vyre_read_metrics (
    const void *control, gsize size, guint32 metrics[VYRE_CONTROL_METRICS_COUNT], GError **error);

/**
 * vyre_peek_control_word:
 * @control: a control part or any piece of it
 * @size: its bytes
 * @word: index of a word
 *
 * Returns: the word as of vyre_read_control_word(); 0 where it refuses
 */
guint32 vyre_peek_control_word (const void *control, gsize size, guint32 word);

/**
 * vyre_peek_observable:
 * @control: a control part or any piece of it
 * @size: its bytes
 * @index: an observable, from 0
 *
 * Returns: the word as of vyre_read_observable(); 0 where it refuses
 */
guint32 vyre_peek_observable (const void *control, gsize size, guint32 index);

/**
 * vyre_peek_metrics:
 * @control: a control part or any piece of it, whole words or not
 * @size: its bytes
 * @metrics: (out caller-allocates): runs of each opcode below 32; 0 for
 *   those whose word is not there
 */
void vyre_peek_metrics (
    const void *control, gsize size, guint32 metrics[VYRE_CONTROL_METRICS_COUNT]);

G_END_DECLS
