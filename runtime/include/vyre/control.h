/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/**
 * SECTION:control
 * @title: Control part
 * @short_description: Encodes and reads the control part of a batch
 *
 * The encoder of the control part, the priority table that a host writes into it, and the readers.
 * vyre_read_…() is strict: it fails with the reason. vyre_peek_…() is lenient: a word that it
 * cannot read is zero.
 */

#include <glib.h>

#include "abi.h"
#include "vyre/error.h"

G_BEGIN_DECLS

/**
 * VyreControl:
 * @shutdown: whether execution is to end
 * @done_count: slots that were drained, modulo 2^32
 * @epoch: fences that were passed, modulo 2^32
 * @metrics: how often each opcode below 32 was run
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

/**
 * vyre_encode_control:
 * @n_observables: observable words, at most %VYRE_ENCODE_MAX
 * @n_tenants: how many tenants, from 0, are authorised and get a quota; tenants beyond
 *   the 29 masks or the 32 quotas get none
 * @shutdown: whether execution is to end at once
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
 * @storage: (out caller-allocates): where the part goes, at any alignment
 * @size: bytes of @storage; the bytes behind the part stay as they are
 * @n_observables: as for vyre_encode_control()
 * @n_tenants: as for vyre_encode_control()
 * @shutdown: as for vyre_encode_control()
 * @error: return location
 *
 * As vyre_encode_control(), into memory of the caller.
 *
 * Returns: whether the part was written; otherwise nothing was written, and the error is
 *   %VYRE_ERROR_TOO_LARGE or %VYRE_ERROR_NO_SPACE
 */
gboolean vyre_encode_control_into (void *storage, gsize size, guint32 n_observables,
    guint32 n_tenants, gboolean shutdown, GError **error);

/**
 * vyre_priority_offsets:
 * @n_slots: ring slots
 * @offsets: (out caller-allocates) (array fixed-size=6): first slot of each priority, then
 *   @n_slots
 *
 * Divides a ring between the priorities: a fifth each, and the rest for NORMAL.
 */
void vyre_priority_offsets (guint32 n_slots, guint32 *offsets);

/**
 * vyre_write_priority_offsets:
 * @control: (inout): a control part
 * @size: its bytes
 * @n_slots: ring slots
 * @error: return location
 *
 * Writes vyre_priority_offsets() into the priority table.
 *
 * Returns: whether the table was written; otherwise the error is %VYRE_ERROR_QUEUE_FULL and
 *   nothing was written, but a part that ends inside the table holds the offsets that it has
 *   room for
 */
gboolean vyre_write_priority_offsets (void *control, gsize size, guint32 n_slots, GError **error);

/**
 * vyre_partition_probes:
 * @n_slots: slots of one priority
 * @workgroup: lanes of a workgroup; 0 counts as 1
 * @probes: (out): how the lanes share the slots
 *
 * Computes how lanes share the slots of one priority. Every lane that has slots to look at has the
 * same number of them; a lane without a slot does not look.
 */
void vyre_partition_probes (guint32 n_slots, guint32 workgroup, VyrePartitionProbes *probes);

/**
 * vyre_read_control:
 * @control: a control part
 * @size: its bytes
 * @values: (out): its counters
 * @error: return location
 *
 * Reads the counters of a control part.
 *
 * Returns: whether the part could be read; otherwise %VYRE_ERROR_MISALIGNED, or
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
 * Reads one word of a control part.
 *
 * Returns: whether it could be read; otherwise %VYRE_ERROR_MISALIGNED or
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
 * Reads one observable.
 *
 * Returns: whether it could be read; otherwise %VYRE_ERROR_TOO_LARGE when no part
 *   can have so many, %VYRE_ERROR_MISALIGNED or %VYRE_ERROR_MISSING_WORD
 */
gboolean vyre_read_observable (
    const void *control, gsize size, guint32 index, guint32 *value, GError **error);

/**
 * vyre_read_metrics:
 * @control: a control part, which may end early
 * @size: its bytes
 * @metrics: (out caller-allocates): how often each opcode below 32 was run
 * @error: return location
 *
 * Reads the metrics of a control part.
 *
 * Returns: whether all of them could be read; otherwise %VYRE_ERROR_MISALIGNED or
 *   %VYRE_ERROR_MISSING_WORD, and nothing was written
 */
gboolean vyre_read_metrics (
    const void *control, gsize size, guint32 metrics[VYRE_CONTROL_METRICS_COUNT], GError **error);

/**
 * vyre_peek_control_word:
 * @control: a control part, of any length
 * @size: its bytes
 * @word: index of a word
 *
 * Reads one word of a control part that may be damaged.
 *
 * Returns: the word of vyre_read_control_word(); 0 where that fails
 */
guint32 vyre_peek_control_word (const void *control, gsize size, guint32 word);

/**
 * vyre_peek_observable:
 * @control: a control part, of any length
 * @size: its bytes
 * @index: an observable, from 0
 *
 * Reads one observable of a control part that may be damaged.
 *
 * Returns: the word of vyre_read_observable(); 0 where that fails
 */
guint32 vyre_peek_observable (const void *control, gsize size, guint32 index);

/**
 * vyre_peek_metrics:
 * @control: a control part, of any length, whole words or not
 * @size: its bytes
 * @metrics: (out caller-allocates): how often each opcode below 32 was run; 0 for an
 *   opcode whose word is missing
 *
 * Reads the metrics of a control part that may be damaged.
 */
void vyre_peek_metrics (
    const void *control, gsize size, guint32 metrics[VYRE_CONTROL_METRICS_COUNT]);

G_END_DECLS
